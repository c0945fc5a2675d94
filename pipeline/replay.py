"""`churn replay`: recorded nights made again by this version, in a temporary place, and what differs explained."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from configs.errors import ChurnError, ConfigError, ModelError
from configs.schema import Config
from models.tracking import registry
from models.tracking.registry import Champion
from pipeline.commit import MANIFEST
from pipeline.layout import Layout, layout_of
from pipeline.log import Say, belongs_to, run_id
from pipeline.outcomes import ledger
from pipeline.outcomes.learning import has_news, learned_at
from pipeline.publish import file_digests
from pipeline.result import LOOK, Result
from pipeline.scoring.deciding import decided, watched_over
from pipeline.scoring.files import write_night
from pipeline.scoring.made_by import made_by
from pipeline.scoring.night import Night
from pipeline.scoring.score import scored
from pipeline.scoring.scored import Job
from pipeline.sources.opening import read_sources
from pipeline.tracking.champion import tracking_of
from pipeline.tracking.tonight import champion_tonight

NAMED, FILES = 5, 8
LEDGER = "ledger"
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Replayed:
    """A recorded night and the same night made again.

    Parameters
    ----------
    causes
        What is not as it was: data, model, config, code, or what stands beside the sources; a line each.
    effects
        What follows for list, scores and rates; a line each.
    files
        Names of the files that differ.
    error
        Why it can't be made again; empty where it can.
    """

    night: dt.date
    causes: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    error: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether every file has the same bytes."""
        return not (self.files or self.error)

    @property
    def lines(self) -> Iterator[str]:
        """For a person."""
        state = "equal" if self.equal else f"can't be made again: {self.error}" if self.error else "differs"
        yield f"{self.night}: {state}"
        yield from (f"  because {line}" for line in self.causes if not self.equal)
        yield from (f"  {line}" for line in self.effects)
        if self.files:
            more = f" and {len(self.files) - FILES} more" if len(self.files) > FILES else ""
            yield f"  files: {', '.join(self.files[:FILES])}{more}"


def replay(config: Config, runs: Sequence[str], last: int, out: Path | None, say: Say) -> Result:
    """Make recorded nights again and compare; nothing is written that stays.

    Parameters
    ----------
    runs
        Dates or folders of recorded nights; empty for the newest `last`.
    out
        Folder that `churn score --out` was given.

    Returns
    -------
    Result
        Exit code 3 when any night differs.

    Raises
    ------
    ConfigError
        With every run that is not recorded.
    """
    layout = layout_of(config, out)
    found = [_replayed(config, layout, night, say) for night in recorded_nights(layout, runs, last)]
    same = sum(one.equal for one in found)
    text = [line for one in found for line in one.lines]
    text.append(f"{same} of {len(found)} recorded nights are made again byte by byte")
    values = {
        "equal": same,
        "nights": [
            {
                "as_of": str(one.night),
                "equal": one.equal,
                "causes": list(one.causes),
                "effects": list(one.effects),
                "files": list(one.files),
                "error": one.error,
                **one.values,
            }
            for one in found
        ],
    }
    return Result("\n".join(text), values, 0 if same == len(found) else LOOK)


def recorded_nights(layout: Layout, runs: Sequence[str], last: int) -> list[dt.date]:
    """The recorded nights that are asked for, oldest first.

    Raises
    ------
    ConfigError
        With those that are not recorded.
    """
    recorded = sorted(path.parent.name for path in layout.runs.glob(f"????-??-??/{MANIFEST}"))
    names = [Path(run).resolve().name if Path(run).is_symlink() else Path(run).name for run in runs]
    if unknown := [run for run, name in zip(runs, names, strict=True) if name not in recorded]:
        known = f"{recorded[0]} to {recorded[-1]}" if recorded else "none; `churn score` records them"
        raise ConfigError(f"RUN: {', '.join(unknown)}: not in {layout.runs}; recorded are {known}")
    if not recorded:
        raise ConfigError(f"{layout.runs}: no night is recorded there; `churn score` records them")
    return [dt.date.fromisoformat(name) for name in sorted(set(names)) or recorded[-last:]]


def _replayed(config: Config, layout: Layout, night: dt.date, say: Say) -> Replayed:
    belongs_to(run_id(config.name, config.digest, night))
    say(f"night of {night} again")
    run = layout.runs / str(night)
    try:
        manifest = json.loads((run / MANIFEST).read_text(encoding="utf-8"))
        champion, told = _champion(config, layout, manifest, say)
        again = _again(config, layout, night, champion, delivered=manifest.get("delivered", True), say=say)
        with tempfile.TemporaryDirectory(prefix="churn-replay-") as place:
            return _compared(run, manifest, again, layout, Path(place), told)
    except (OSError, ValueError) as error:
        return Replayed(night, error=f"{run}: {' '.join(str(error).split())[:200]}")
    except ChurnError as error:
        return Replayed(night, error=str(error))


def _champion(
    config: Config, layout: Layout, manifest: Mapping[str, Any], say: Say
) -> tuple[Champion, list[str]]:
    """The model of the night; today's, and a word on it, where that one is gone."""
    wanted, digest = manifest["model"]["version"], manifest["model"]["sha256"]
    try:
        champion = registry.load_version(tracking_of(config), int(wanted))
        why = "" if champion.digest == digest else "was changed since"
    except ModelError:
        champion, _ = champion_tonight(config, layout.champion, say)
        why = f"is gone, version {champion.version} was used" if champion.digest != digest else ""
    return champion, [f"the model differs: version {wanted} {why}"] if why else []


def _again(
    config: Config, layout: Layout, night: dt.date, champion: Champion, *, delivered: bool, say: Say
) -> Night:
    sources, believed = None, None
    if config.churn.kind != "labelled":
        sources = read_sources(config, night, say)
        if has_news(layout.ledger, config, night):
            believed = learned_at(sources, config, layout.ledger, night)[0]
    job = Job(config, night, champion, layout, say, sources, (), delivered, believed)
    with scored(job) as found:
        return watched_over(job, found, decided(job, found, create_key=False))


def _compared(
    run: Path, manifest: Mapping[str, Any], night: Night, layout: Layout, place: Path, told: list[str]
) -> Replayed:
    rows = night.decision.ledger.assign(model_version=str(night.champion.version))
    digest = ledger.planned(layout.ledger, night.as_of, rows, delivered=night.delivered).sha256
    write_night(night, digest, place)
    then = {**manifest["files"], LEDGER: manifest.get("ledger_sha256")}
    now = {name: sha for name, sha in file_digests(place).items() if name != MANIFEST} | {LEDGER: digest}
    files = tuple(sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name)))
    causes = [*told, *_causes(manifest, night)]
    if files and not causes:
        causes = [
            "nothing that is recorded differs: it may be what was said, the ledger, consent or the key of the draws"
        ]
    if not files:
        return Replayed(night.as_of)
    effects, values = _effects(run, place)
    # Such as a tracking store that was away, which the page tells of.
    effects += _said(manifest.get("warnings", ()), night.warnings)[:NAMED]
    return Replayed(night.as_of, tuple(causes), tuple(effects), files, values=values)


def _causes(manifest: Mapping[str, Any], night: Night) -> Iterator[str]:
    then, now = manifest["inputs"], night.sources.fingerprints
    for role in sorted(then.keys() | now.keys()):
        old, new = then.get(role), now.get(role)
        if old is None or new is None:
            yield f"data changed: {role} {'is no source any more' if new is None else 'was no source then'}"
        elif old["digest"] != new["digest"]:
            rows = f"{old['rows']:,} rows then, {new['rows']:,} now"
            yield f"data changed: {role}: {rows}" + (", other values" if old["rows"] == new["rows"] else "")
    was, is_ = manifest.get("made_by", {}), made_by(night)
    if manifest["config_digest"] != night.config.digest:
        parts = _differ(was.get("config", {}), is_["config"])
        yield f"config differs: {', '.join(parts) or 'in what is not recorded'}"
    if was.get("code") != is_["code"]:
        yield f"code differs: version {manifest['churn_version']}, {was.get('code', 'unknown')} then, {is_['code']} now"
    if beside := _differ(was.get("beside", {}), is_["beside"]):
        yield f"what stands beside the sources differs: {', '.join(beside)}"


def _said(then: Sequence[str], now: Sequence[str]) -> list[str]:
    """Warnings of the one night and not of the other.

    Examples
    --------
    >>> _said(["the store is away"], [])
    ['said that night, and not now: the store is away']
    """
    gone = [f"said that night, and not now: {line}" for line in then if line not in now]
    return gone + [f"said now, and not that night: {line}" for line in now if line not in then]


def _differ(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name in sorted(then.keys() | now.keys()) if then and then.get(name) != now.get(name)]


def _effects(run: Path, place: Path) -> tuple[list[str], dict[str, Any]]:
    """What differs in list, scores and rates, in words and as values."""
    lists = [_read(folder / "outreach.parquet") for folder in (run, place)]
    listed = [dict(zip(one["customer_id"], one["action"], strict=True)) for one in lists]
    enter, leave = sorted(listed[1].keys() - listed[0].keys()), sorted(listed[0].keys() - listed[1].keys())
    other = sorted(who for who in listed[0].keys() & listed[1].keys() if listed[0][who] != listed[1][who])
    parts = {"enter": enter, "leave": leave, "get another action": other}
    lines = [f"list: {len(who):,} {what} ({_some(who)})" for what, who in parts.items() if who]
    values: dict[str, Any] = {"enter": enter, "leave": leave, "other_action": other}
    scores = [_read(folder / "scores.parquet").set_index("customer_id") for folder in (run, place)]
    both = scores[0].join(scores[1], how="inner", suffixes=("_then", "_now"))
    change = (both["churn_probability_now"] - both["churn_probability_then"]).abs()
    if len(scores[0]) != len(both) or len(scores[1]) != len(both):
        gone, new = len(scores[0]) - len(both), len(scores[1]) - len(both)
        lines.append(f"customers: {new:,} are scored who were not, {gone:,} are not who were")
    if len(both) and float(change.max()) > _SMALLEST:
        values["largest_change_of_a_score"] = float(change.max())
        lines.append(f"scores: the largest change is {change.max():.4g}, of customer {change.idxmax()}")
    rates = [_rates(folder) for folder in (run, place)]
    moved = {p: (rates[0].get(p), rates[1].get(p)) for p in sorted(rates[0].keys() | rates[1].keys())}
    moved = {period: pair for period, pair in moved.items() if pair[0] != pair[1]}
    values["rates"] = {period: list(pair) for period, pair in moved.items()}
    lines += [f"rate of {p}: {_rate(a)} then, {_rate(b)} now" for p, (a, b) in list(moved.items())[-NAMED:]]
    return lines, values


def _rates(folder: Path) -> dict[str, float | None]:
    path = folder / "retention.csv"
    if not path.is_file():
        return {}
    table = pd.read_csv(path)
    found = zip(table["period"].astype(str), table["rate"], strict=True)
    return {period: None if pd.isna(rate) else float(rate) for period, rate in found}


def _rate(rate: float | None) -> str:
    return "none" if rate is None else f"{rate:.2f} %"


def _read(path: Path) -> pd.DataFrame:
    # A cluster writes a folder.
    return pd.read_parquet(path)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")

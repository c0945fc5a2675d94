"""`churn plan`: who would enter and leave tonight's list by a change, why, and what the past says of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from configs.errors import ConfigError
from configs.schema import Config
from models.effects.doubly_robust import Brought
from models.tracking import registry
from pipeline.csv_text import csv_text
from pipeline.layout import layout_of
from pipeline.log import Say
from pipeline.outcomes.learning import judged_rows
from pipeline.outreach.eligibility import Rule
from pipeline.planning.past import Past, Rules, past
from pipeline.publish import write_atomic
from pipeline.result import Result, table
from pipeline.scoring.deciding import decided
from pipeline.scoring.night import Night
from pipeline.scoring.score import scored
from pipeline.scoring.scored import Job
from pipeline.tracking.champion import tracking_of
from pipeline.tracking.tonight import champion_tonight

_SHOWN = 10
ENTERS, LEAVES, OTHER = "enters", "leaves", "other action"
_NAMED = {ENTERS: "enter the list", LEAVES: "leave the list", OTHER: "get another action"}
_UNKNOWN = "-"


def plan(
    before: Config, now: Config, as_of: dt.date, *, version: int | None, out: Path | None, say: Say
) -> Result:
    """Make tonight's list by both configs, and compare; nothing else is written than `out`.

    Parameters
    ----------
    before, now
        Ledger, key of the draws and models are those of `before`.
    version
        Of the registered model for `now`; the champion when None.
    out
        CSV file for all changes.
    """
    champion, away = champion_tonight(before, layout_of(before).champion, say)
    other = champion if version is None else registry.load_version(tracking_of(before), version)
    job = Job(before, as_of, champion, layout_of(before), say)
    with ExitStack() as stack:
        found = stack.enter_context(scored(job))
        say("the list before the change")
        old = decided(job, found, create_key=False)
        job = replace(job, config=now, champion=other)
        if other.version != champion.version or not _same_scores(before, now):
            found = stack.enter_context(scored(job))
        say("the list after the change")
        new = decided(job, found, create_key=False)
        history = None
        if before.churn.kind != "labelled":
            say("what the recorded nights say")
            history = _past(old, new)
    changes = changes_of(old, new)
    if out is not None:
        _write(changes, out)
    return _result(old, new, changes, history, out).with_look(away)


def _same_scores(before: Config, now: Config) -> bool:
    """Whether the configs differ in nothing that scoring looks at."""
    same = {name: getattr(before, name) for name in ("outreach", "margin", "outputs", "home")}
    return before.engine.kind != "spark" and now.model_copy(update=same) == before


def _past(old: Night, new: Night) -> Past:
    rows = judged_rows(old.sources, old.config, layout_of(old.config).ledger, old.as_of)
    rules = [
        Rules(
            night.config.outreach,
            night.prepared.context.playbook,
            night.prepared.worth.typical,
            night.prepared.worth.priced,
            night.config.margin / old.config.margin,
        )
        for night in (old, new)
    ]
    return past(rows, *rules)


def changes_of(old: Night, new: Night) -> pd.DataFrame:
    """Everybody who enters or leaves the list, or gets another action: the largest gain first.

    Columns `change`, `customer_id`, `action_before`, `action_now`, `gain_before`, `gain_now` and `why`.
    """
    sides = [_by_customer(night) for night in (old, new)]
    both = sides[0].join(sides[1], how="outer", suffixes=("_before", "_now"))
    listed = [both[f"action_{side}"].notna() for side in ("before", "now")]
    moved = listed[0] & listed[1] & (both["action_before"] != both["action_now"])
    kinds = [listed[1] & ~listed[0], listed[0] & ~listed[1], moved]
    both["change"] = np.select(kinds, [ENTERS, LEAVES, OTHER], "")
    some = both.loc[both["change"] != ""].copy()
    some["why"] = [_why(str(r.change), r) for r in some.itertuples()]
    some["sort"] = -some["gain_now"].where(some["change"] != LEAVES, some["gain_before"]).fillna(0.0)
    some = some.reset_index().sort_values(["change", "sort", "customer_id"], ignore_index=True)
    names = ["change", "customer_id", "action_before", "action_now", "gain_before", "gain_now", "why"]
    return some[names]


def _by_customer(night: Night) -> pd.DataFrame:
    """Action and gain of those listed, gain of those who could be, and the rules against the others."""
    frame = night.decision.ledger.set_index("customer_id")[["chosen", "action", "expected_gain"]]
    frame = frame.assign(action=frame["action"].where(frame["chosen"])).rename(
        columns={"expected_gain": "gain"}
    )
    rules = night.decision.suppressed.set_index("customer_id")["rules"]
    return frame.drop(columns="chosen").join(rules)


def _why(change: str, row: Any) -> str:
    if change == OTHER:
        return "the other action gains more now"
    if change == ENTERS and row.gain_now <= 0:
        return "tried: nothing is expected of it, and it could gain"
    told = row.rules_before if change == ENTERS else row.rules_now
    if pd.isna(told):
        return "scored by one of the two alone"
    if told != Rule.FULL:
        return f"before: {told}" if change == ENTERS else str(told)
    risen = row.gain_now - row.gain_before
    if change == ENTERS:
        return "gains more than before" if risen > 0 else "before: capacity or budget used up by others"
    return "gains less than others now" if risen < 0 else "capacity or budget used up by others who gain more"


def _write(changes: pd.DataFrame, out: Path) -> None:
    try:
        write_atomic(out, csv_text(changes))
    except OSError as error:
        raise ConfigError(
            f"--out: {out} can't be written: {error.strerror}; give a file in a folder that exists"
        ) from error


def _result(old: Night, new: Night, changes: pd.DataFrame, history: Past | None, out: Path | None) -> Result:
    versions = " and ".join(dict.fromkeys(str(n.champion.version) for n in (old, new)))
    lines = [f"plan for {old.config.name} as of {old.as_of}: version {versions}, nothing was recorded", ""]
    figures = [_figures(night) for night in (old, new)]
    rows = [[name, *(_number(side[name]) for side in figures)] for name in figures[0]]
    lines.append(table(["tonight's list", "before", "now"], rows))
    for change, told in _NAMED.items():
        some = changes.loc[changes["change"] == change]
        more = f" (the first {_SHOWN})" if len(some) > _SHOWN else ""
        lines += ["", f"{len(some):,} {told}{more}"]
        if len(some):
            lines.append(_table(some.head(_SHOWN)))
    changed_model = old.champion.version != new.champion.version
    lines += ["", *_told(history, changed_model)]
    known = {*old.notes, *old.look}
    lines += [f"note: {note}" for note in (*new.notes, *new.look) if note not in known]
    if out is not None:
        lines.append(f"all changes: {out}")
    values = {
        "as_of": str(old.as_of),
        "versions": {"before": old.champion.version, "now": new.champion.version},
        "before": figures[0],
        "now": figures[1],
        "changes": changes.astype(object).where(changes.notna(), None).to_dict("records"),
        "past": None if history is None else _values(history),
    }
    return Result("\n".join(lines), values)


def _figures(night: Night) -> dict[str, Any]:
    figures = night.decision.figures
    known = bool(figures["costs_known"])
    return {
        "contacts": figures["listed"],
        "left alone by chance": figures["left_alone"],
        "cost": figures["cost"] if known else None,
        "expected gain": figures["expected_gain"],
    }


def _number(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _table(some: pd.DataFrame) -> str:
    rows = [
        [
            str(r.customer_id),
            *(_UNKNOWN if pd.isna(a) else str(a) for a in (r.action_before, r.action_now)),
            *(_UNKNOWN if pd.isna(g) else f"{g:,.2f}" for g in (r.gain_before, r.gain_now)),
            str(r.why),
        ]
        for r in some.itertuples()
    ]
    return table(["customer", "action before", "action now", "gain before", "gain now", "why"], rows)


def _told(history: Past | None, changed_model: bool) -> Iterator[str]:
    if history is None:
        yield "the past: a table without dates has no recorded nights"
        return
    yield (
        f"the past: {history.nights:,} recorded nights, {history.rows:,} customers whom chance listed or left alone "
        "and whose outcome is known"
    )
    if history.rows:
        rows = [[name, f"{b.rows:,}", *_interval(b)] for name, b in history.parts.items()]
        yield table(
            ["would have been contacted", "rows", "a contact kept, less its cost", "95 % interval"], rows
        )
        yield (
            "only by the action that was chosen for them; nothing is known of customers whom no list ever chose. "
            "The interval is for looking once"
        )
    if changed_model:
        yield (
            "a changed model can't be judged by these rows, which hold the probabilities of the models that made the "
            "lists; `churn ui` has both models' backtests"
        )


def _interval(found: Brought) -> tuple[str, str]:
    if not found.said:
        return "too few rows to say", _UNKNOWN
    return f"{found.mean:,.2f}", f"{found.low:,.2f} to {found.high:,.2f}"


def _values(history: Past) -> dict[str, Any]:
    parts = {
        name: {k: (None if v != v else v) for k, v in asdict(found).items()}  # noqa: PLR0124 - NaN is no JSON
        for name, found in history.parts.items()
    }
    return {"nights": history.nights, "rows": history.rows, "parts": parts}

"""The checks in their order, the columns of each source, and the long advice when it is asked for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from configs.schema import Config
from pipeline.doctor.data import data_findings
from pipeline.doctor.findings import Finding, exit_code_of, shown_findings
from pipeline.doctor.system import system_findings
from pipeline.log import Say
from pipeline.result import Result, table
from pipeline.sources.opening import Sources
from pipeline.sources.profiles import Profile, profiles_of
from pipeline.training import advisor

_SHOWN_SAMPLES = 3
_WIDTH = 24


def check(config: Config, as_of: dt.date, *, full: bool = False, say: Say = lambda line: None) -> Result:
    """Check everything that a night needs.

    Parameters
    ----------
    full
        Also the columns of each source, the gaps between purchases, the snapshots and the learning curves.

    Returns
    -------
    Exit code 1 with a fault, 3 where a person should look, else 0.

    Raises
    ------
    TryAgainError
        When a database is away.
    """
    sources = ", ".join(config.sources.given)
    told = f"config {config.name}, as of {as_of}: {config.churn.kind}, {sources}"
    found = [Finding("config", "ok", told)]
    data, opened = data_findings(config, as_of, say)
    found += data
    found += system_findings(config, as_of)
    text, code = shown_findings(found), exit_code_of(found)
    values: dict[str, Any] = {
        "as_of": as_of.isoformat(),
        "passed": sum(one.state == "ok" for one in found),
        "checks": [one.as_values for one in found],
    }
    if opened is not None and full:
        columns = {role: profiles_of(opened.connection, rows) for role, rows in opened.tables.items()}
        values["columns"] = {role: [_values(one) for one in profiles] for role, profiles in columns.items()}
        more = advisor.recommendations(config, as_of, say) if code != 1 else None
        values |= more.values if more else {}
        code = code or (more.exit_code if more else 0)
        text = "\n\n".join([*_columns_text(opened, columns), *([more.text] if more else []), text])
    return Result(text, values, code)


def _values(one: Profile) -> dict[str, Any]:
    shares = {"kind": one.kind, "empty_share": round(one.empty_share, 4), "different": one.different}
    return {
        "column": one.name,
        **shares,
        "low": one.low,
        "high": one.high,
        "samples": one.samples[:_SHOWN_SAMPLES],
    }


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"


def _columns_text(opened: Sources, columns: dict[str, tuple[Profile, ...]]) -> list[str]:
    """One table a source: what stands in its columns after they were read."""
    head = ["column", "kind", "empty", "different", "lowest", "highest", "such as"]
    return [
        f"{role}, {opened.accounts[role].read:,} rows\n"
        + table(
            head,
            [
                [
                    *(one.name, one.kind, f"{one.empty_share:.1%}", f"{one.different:,}"),
                    *(_cut(text) for text in (one.low, one.high, "; ".join(one.samples[:_SHOWN_SAMPLES]))),
                ]
                for one in profiles
            ],
        )
        for role, profiles in columns.items()
    ]

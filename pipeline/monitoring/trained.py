"""The sources as a training saw them: what is kept with the model, and whether the same rows still look the same.

Sums and shares are kept, never rows or ids; of a category only values that several customers share.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from configs.arrays import Floats
from models.statistics.drift import hellinger
from pipeline.languages.said import Said, said, together
from pipeline.monitoring.checks import LOOK, Check, judged_by_band, not_judged
from pipeline.monitoring.history import History
from pipeline.sources.opening import Sources

WEEKS = 26
SHARED_BY, NAMED_SHARE = 10, 0.02
TRAIN = said("the champion was trained by an earlier version; `churn train` keeps what is compared")
# By how much the same rows may differ: late ones come in, a few are corrected.
ROWS, UNDATED_ROWS, SIZE, SHARE, MIX = (0.9, 1.1), (0.7, 1.5), 1.25, 0.1, 0.15
KNOWN, LEFT_OUT = 0.1, 0.05
WEEKLY = 50  # rows of a week that are enough to miss a day


def source_profiles(sources: Sources, histories: Sequence[History], as_of: dt.date) -> dict[str, Any]:
    """What a training keeps of its sources: numbers for JSON, by role."""
    shares = {match.role: match.share for match in sources.matches}
    return {
        history.role: {
            "columns": _names(sources, history.role),
            "known": shares.get(history.role),
            "left_out": _left_out(sources, history.role),
            **_looks(history, as_of),
        }
        for history in histories
    }


def against_training(
    sources: Sources, histories: Sequence[History], kept: Mapping[str, Any] | None, trained: dt.date
) -> Iterator[Check]:
    """The sources of a night against those of the training.

    Parameters
    ----------
    kept
        Of `source_profiles`; None with a model that has none.
    trained
        The training's as-of date.
    """
    if kept is None:
        yield not_judged("past", "sources", TRAIN)
        return
    shares = {match.role: match.share for match in sources.matches}
    for history in histories:
        then = kept.get(history.role)
        if then is None:
            yield not_judged("past", history.role, said("the training had no such source"))
            continue
        yield from _columns(history.role, then["columns"], _names(sources, history.role))
        yield from _known(history.role, then["known"], shares.get(history.role))
        yield from _rules(history.role, then["left_out"], _left_out(sources, history.role))
        yield from _same_rows(history, then, trained)
    for role in sorted(set(kept) - {history.role for history in histories}):
        gone = said("the training had this source; see `sources` in the config")
        yield Check("past", role, verdict=LOOK, advice=gone)


def _looks(history: History, as_of: dt.date) -> dict[str, Any]:
    seen = _span(history, as_of)
    rows = float(seen.rows.sum())
    return {
        "weeks": _by_week(seen, as_of).tolist(),
        "rows": rows,
        "sizes": {c: _mean(x.logs, x.sizes) for c, x in seen.numbers.items()},
        "empty": {c: 1 - float(x.sum()) / rows for c, x in seen.present.items()} if rows else {},
        "values": {c: _shared(values, counts) for c, (values, counts) in seen.categories.items()},
    }


def _span(history: History, as_of: dt.date) -> History:
    """What a training looks at: the newest weeks, of the customers all, of rows without a clock everything."""
    if not history.dated:
        return history
    start = history.first if history.role == "customers" else as_of - dt.timedelta(weeks=WEEKS)
    return history.between(start, as_of)


def _by_week(seen: History, as_of: dt.date) -> Floats:
    """Rows of the weeks before, the newest first."""
    back = seen.rows[::-1][: 7 * WEEKS]
    ahead = (as_of - seen.first).days - len(seen.rows)  # days without rows up to the training
    back = np.concatenate([np.zeros(max(ahead, 0)), back])[: 7 * WEEKS]
    whole = np.zeros(7 * WEEKS)
    whole[: len(back)] = back
    return whole.reshape(WEEKS, 7).sum(axis=1)


def _mean(above: Floats, below: Floats) -> float | None:
    return float(above.sum() / below.sum()) if below.sum() else None


def _shared(values: Sequence[str], counts: Floats) -> dict[str, float]:
    """Shares of the values that several rows have; those of single persons are not kept."""
    total = counts.sum(axis=0)
    return {v: float(n / total.sum()) for v, n in zip(values, total, strict=True) if n >= SHARED_BY}


def _names(sources: Sources, role: str) -> list[str]:
    """The columns of a source, mapped or not; none of customers who follow from other roles."""
    return list(sources.fingerprints.get(role, {}).get("columns", []))


def _left_out(sources: Sources, role: str) -> dict[str, float]:
    account = sources.accounts.get(role)
    if account is None:
        return {}
    return {
        rule: n / account.in_source
        for rule, n in account.left_out.items()
        if n and account.in_source and not rule.startswith("lying ")
    }


def _columns(role: str, then: Sequence[str], now: Sequence[str]) -> Iterator[Check]:
    if not then or not now:
        return
    gone, new = sorted(set(then) - set(now)), sorted(set(now) - set(then))
    if not gone and not new:
        yield Check("columns", role)
        return
    parts = [said("gone: {values}", values=gone)] if gone else []
    parts += [said("new: {values}", values=new)] if new else []
    advice = together([*parts, said("see the export")])
    yield Check("columns", role, verdict=LOOK, beyond=2.0, advice=advice)


def _known(role: str, then: float | None, now: float | None) -> Iterator[Check]:
    if then is not None and now is not None:
        key = f"sources.{role}.columns.customer_id"
        what = said("see that `{key}` is written as in the other sources", key=key)
        yield judged_by_band(
            "ids",
            role,
            now,
            then - KNOWN,
            1.0,
            said("of its customers known elsewhere"),
            what,
            (then - now) / KNOWN,
        )


def _rules(role: str, then: Mapping[str, float], now: Mapping[str, float]) -> Iterator[Check]:
    for rule, share in now.items():
        was = then.get(rule, 0.0)
        what = said("see what has become of these rows")
        yield judged_by_band(
            "left_out",
            f"{role}: {rule}",
            share,
            0.0,
            was + LEFT_OUT,
            said("of its rows"),
            what,
            (share - was) / LEFT_OUT,
        )


def _same_rows(history: History, then: Mapping[str, Any], trained: dt.date) -> Iterator[Check]:
    now, role = _looks(history, trained), history.role
    yield from _count(history, then, now, trained)
    for column, was in then["sizes"].items():
        found = now["sizes"].get(column)
        if was is not None and found is not None:
            size, off = float(np.exp(was)), abs(found - was)
            yield judged_by_band(
                "past",
                f"{role}.{column}",
                float(np.exp(found)),
                size / SIZE,
                size * SIZE,
                said("as the typical size of what the model learned from"),
                said("see the unit of the column, then `churn train`"),
                off / float(np.log(SIZE)),
            )
    for column, was in then["empty"].items():
        found = now["empty"].get(column)
        if found is not None:
            what = said("see that the column is filled")
            unit = said("empty, of what the model learned from")
            low, high = max(was - SHARE, 0.0), min(was + SHARE, 1.0)
            yield judged_by_band(
                "past", f"{role}.{column} empty", found, low, high, unit, what, abs(found - was) / SHARE
            )
    for column, was in then["values"].items():
        if column in now["values"]:
            yield _mix(f"{role}.{column} values", was, now["values"][column])


def _count(
    history: History, then: Mapping[str, Any], now: Mapping[str, Any], trained: dt.date
) -> Iterator[Check]:
    """Rows of the weeks that the training saw; what a source has cleared away since is no part of either."""
    if not history.dated:
        was, found, (low, high) = then["rows"], now["rows"], UNDATED_ROWS
    elif history.role == "customers":
        was, found, (low, high) = then["rows"], now["rows"], ROWS
    else:
        weeks = max((trained - history.first).days // 7, 0)
        was, found = sum(then["weeks"][:weeks]), sum(now["weeks"][:weeks])
        low, high = ROWS
    if was < SHARED_BY:
        return
    beyond = np.log(max(found, 0.5) / was) / np.log(high if found > was else low)
    what = said("see that the export is whole and ran once")
    unit = said("rows of what the model learned from")
    yield judged_by_band("past", history.role, found, low * was, high * was, unit, what, float(beyond))
    if history.dated and history.role != "customers" and beyond <= 1:
        yield from _weeks(history.role, then["weeks"][:weeks], now["weeks"][:weeks], trained)


def _weeks(role: str, then: Sequence[float], now: Sequence[float], trained: dt.date) -> Iterator[Check]:
    """The week that has lost most of its rows: a day that is missing hardly shows in half a year."""
    shares = {k: found / was for k, (was, found) in enumerate(zip(then, now, strict=True)) if was >= WEEKLY}
    if not shares:
        return
    worst = min(shares, key=lambda k: shares[k])
    end = trained - dt.timedelta(weeks=worst)
    unit = said("rows of the 7 days before {day}, of what the model learned from", day=end)
    what = said("see whether a file or a day is missing")
    low, beyond = ROWS[0] * then[worst], (1 - shares[worst]) / (1 - ROWS[0])
    high = max(then[worst], now[worst])
    yield judged_by_band("past", f"{role} by week", now[worst], low, high, unit, what, beyond)


def _mix(place: str, was: Mapping[str, float], now: Mapping[str, float]) -> Check:
    values = sorted({*was, *now})
    p, q = (np.array([shares.get(v, 0.0) for v in values]) for shares in (was, now))
    if not p.sum() or not q.sum():
        return not_judged("past", place, said("no value is shared by several rows"))
    distance = float(hellinger(p, q))
    new = [v for v in values if now.get(v, 0) >= NAMED_SHARE and v not in was]
    gone = [v for v in values if was.get(v, 0) >= NAMED_SHARE and v not in now]
    beyond = max(distance / MIX, 2.0 * bool(new or gone))
    unit = said("distance of its values from the training's")
    return judged_by_band("past", place, distance, 0.0, MIX, unit, renamed_values(new, gone), beyond)


def renamed_values(new: Sequence[str], gone: Sequence[str]) -> Said:
    """Values that are new, values that are gone, and the next step.

    Examples
    --------
    >>> print(renamed_values(["mail"], []))
    new: 'mail'; see whether a value was renamed
    """
    parts = [said("new: {values!r}", values=_some(new))] if new else []
    parts += [said("gone: {values!r}", values=_some(gone))] if gone else []
    return together([*parts, said("see whether a value was renamed")])


def _some(values: Sequence[str]) -> list[str]:
    return [value[:40] for value in values[:5]]

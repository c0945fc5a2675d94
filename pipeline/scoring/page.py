"""A night as the plain values that the report shows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from configs.base import redacted
from models.tracking.registry import Champion
from pipeline.languages.language import Language
from pipeline.languages.names import name, role_in_words
from pipeline.languages.said import spoken
from pipeline.monitoring.checks import Check
from pipeline.outcomes.learned import NightCheck
from pipeline.outreach.calendar import file_name
from pipeline.outreach.decision import WIN_BACK
from pipeline.report.view import (
    CalibrationBin,
    Contender,
    Count,
    ListRow,
    ModelFacts,
    NightOutcome,
    PeriodRow,
    ReportView,
    SourceRow,
    WatchedRow,
)
from pipeline.scoring.night import Night
from pipeline.scoring.overview import overview_of
from pipeline.sources.freshness import STALE_DAYS

WATCHED = 20
_FILES = ("scores.parquet", "retention.csv", "manifest.json")


def page_of(night: Night) -> ReportView:
    """The view of a night."""
    config, language = night.config, Language(night.config.language, night.config.currency)
    sources = night.sources.fingerprints
    together = night.decision.suppressed["rules"].value_counts()
    rules = Counter[str]()
    for text, n in together.items():
        rules.update(dict.fromkeys(str(text).split("; "), int(n)))
    first = Counter(reasons[0].driver for reasons in night.reasons if reasons)
    return ReportView(
        company=config.name,
        as_of=night.as_of,
        horizon_days=config.churn.horizon_days,
        gap_days=config.churn.gap_days,
        customers=night.everybody.customers,
        expected_to_leave=night.everybody.expected_to_leave,
        model=_model(night.champion),
        outreach=_list(night),
        suppressed=tuple(Count(rule, n) for rule, n in rules.most_common()),
        retention=_periods(night.rates.table),
        forecast=night.rates.forecast,
        drivers=tuple(Count(driver, n) for driver, n in first.most_common()),
        sources=tuple(_source(night, role, found) for role, found in sources.items()),
        warnings=tuple(spoken(line, language) for line in night.warnings),
        files=tuple(sorted({*_FILES, *night.files, *night.rates.files, *night.watched.files})),
        tracking_url=None if config.tracking.uri is None else redacted(config.tracking.uri),
        active_days=config.churn.active_days if config.churn.kind == "non_contractual" else None,
        pictures=tuple(night.rates.pictures.values()),
        overview=overview_of(night.rates.tables, night.rates.unit, config.margin, night.prepared.context),
        value_days=config.outreach.value_days if night.priced else None,
        watched=tuple(_watched(check, language) for check in night.watched.outside[:WATCHED]),
        checks=len(night.watched.checks),
        nights=night.past,
        past=_past(night.prepared.context.evidence.checks),
        language=config.language,
        currency=config.currency,
    )


def owner_pages(night: Night, page: ReportView) -> dict[str, ReportView]:
    """The list of each owner, with nobody else's customers, in the owner's language: file name to view."""
    owners = sorted({row.owner for row in page.outreach})
    context = night.prepared.context
    return {
        file_name(owner, "list", "html"): ReportView(
            page.company,
            page.as_of,
            page.horizon_days,
            page.customers,
            page.expected_to_leave,
            page.model,
            tuple(row for row in page.outreach if row.owner == owner),
            value_days=page.value_days,
            language=context.language_of(owner).code,
            currency=page.currency,
            owner=owner,
        )
        for owner in owners
    }


def _watched(check: Check, language: Language) -> WatchedRow:
    place = spoken(role_in_words(check.place), language)
    return WatchedRow(name(language, "checks", check.name), place, spoken(check.words, language))


def _source(night: Night, role: str, found: Mapping[str, Any]) -> SourceRow:
    newest = _day(found["last"])
    shares = {match.role: 100 * match.share for match in night.sources.matches}
    stale = None if newest is None else (night.as_of - newest).days > STALE_DAYS
    return SourceRow(role, found["rows"], newest, stale, shares.get(role))


def _list(night: Night) -> tuple[ListRow, ...]:
    known, named = night.background, night.config.outreach.columns.name
    people = night.prepared.customers.set_index("customer_id")
    attributes = [name for name in night.config.retention.segments if name in people]
    return tuple(
        ListRow(
            row.rank,
            row.customer_id,
            row.churn_probability,
            float(row.value) if night.priced else None,
            tuple(text for text in (row.reason_1, row.reason_2, row.reason_3) if text),
            None if pd.isna(row.last_contact) else row.last_contact.date(),
            float(row.expected_gain),
            row.title,
            name=_text(people.at[row.customer_id, named]) if named else "",
            owner=row.owner,
            channel=row.channel,
            message=row.message,
            due=row.due_date.date(),
            win_back=row.block == WIN_BACK,
            segments=tuple((a, _text(people.at[row.customer_id, a])) for a in attributes),
            talks=known.talks.get(row.customer_id, ()),
            history=(*known.chances.get(row.customer_id, ()), (night.as_of, row.churn_probability)),
        )
        for row in night.decision.chosen.itertuples()
    )


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _periods(rate: pd.DataFrame) -> tuple[PeriodRow, ...]:
    return tuple(
        PeriodRow(
            r.period,
            int(r.S),
            int(r.N),
            int(r.E),
            int(r.lost),
            _known(r.rate),
            _known(r.rate_low),
            _known(r.rate_high),
            r.complete,
        )
        for r in rate.itertuples()
    )


def _model(champion: Champion) -> ModelFacts:
    facts = champion.metadata
    tested: Mapping[str, Mapping[str, Any]] = facts["contenders"]
    names = ["model", *(n for n in ("recency rule", "base rate") if n in tested)]
    keys = ("auc", "log_loss", "lift_top_tenth", "ece")
    return ModelFacts(
        str(champion.version),
        dt.date.fromisoformat(facts["as_of"]),
        dt.date.fromisoformat(facts["test_snapshot"]),
        int(facts["test_rows"]),
        tuple(Contender(n, *(tested[n].get(k) for k in keys)) for n in names),
        tuple(CalibrationBin(predicted, observed) for predicted, observed in facts["calibration"]),
    )


def _past(checks: Sequence[NightCheck]) -> tuple[NightOutcome, ...]:
    return tuple(
        NightOutcome(
            c.night, c.customers, c.expected / c.customers, c.churned / c.customers, _known(c.lift_top_tenth)
        )
        for c in reversed(checks)
        if c.customers
    )


def _day(moment: str) -> dt.date | None:
    return dt.date.fromisoformat(moment[:10]) if moment[:4].isdigit() else None


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)

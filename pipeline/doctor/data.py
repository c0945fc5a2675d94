"""Checks of the data: sources, joins, freshness, attributes, the definition of churn, and whether they suffice."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

import numpy as np

from configs.errors import ChurnError, DataError, HistoryError
from configs.schema import Config
from features.definition import customers_at
from features.labels import labelled, window_outcomes
from features.snapshots import DAY, newest_mature, seconds
from features.tables import derived
from models.prediction.sample import enough
from pipeline.dataset.attributes import suspects_of
from pipeline.dataset.labelled import read_labelled
from pipeline.dataset.plan import Plan
from pipeline.dataset.sample import bounded
from pipeline.doctor.findings import Finding
from pipeline.log import Say
from pipeline.outreach.consent import do_not_contact
from pipeline.outreach.eligibility import check_columns
from pipeline.outreach.permissions import unasked_permissions
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources, open_sources
from pipeline.training.advisor import USABLE_CHURNERS, TeamPace, advise
from pipeline.training.train import doubts, prepare_table, usable

AFTER_SOURCES = ("joins", "freshness", "attributes", "the list", "definition", "enough data")
FEWEST_SNAPSHOTS = 3
UNDATED = "the table has no dates"


def data_findings(config: Config, as_of: dt.date, say: Say) -> tuple[list[Finding], Sources | None]:
    """Every check of the data; those behind a fault of the sources are not reached."""
    dated = config.churn.kind != "labelled"
    try:
        opened = open_sources(config, as_of, dated=dated)
    except DataError as error:
        lines = [str(fault) for fault in error.faults] or [str(error)]
        head = f"{len(lines)} faults" if len(lines) > 1 else lines[0]
        broken = Finding("sources", "fault", head, tuple(lines if len(lines) > 1 else ()))
        return [
            broken,
            *(Finding(name, "not reached", "mend the sources first") for name in AFTER_SOURCES),
        ], None
    found = [_sources(opened), _joins(opened), _freshness(opened, dated=dated)]
    found.append(_attributes(opened, config, as_of))
    found.append(_list(opened, config, as_of, dated=dated))
    say("what churn means in these data")
    found += [_definition(opened, config, as_of), _enough(opened, config, as_of)]
    return found, opened


def _sources(opened: Sources) -> Finding:
    rows = {role: account.read for role, account in opened.accounts.items()}
    told = ", ".join(f"{n:,} {role}" for role, n in rows.items())
    lines = [
        account.line(role) for role, account in opened.accounts.items() if account.in_source != account.read
    ]
    values: dict[str, Any] = {"rows": {role: account.values() for role, account in opened.accounts.items()}}
    aside = opened.quarantine
    if aside.parts:
        values["quarantine"] = aside.values
        return Finding("sources", "look", aside.lines[0], (*aside.lines[1:], *lines, *opened.notes), values)
    return Finding("sources", "ok", f"rows read: {told}", (*lines, *opened.notes), values)


def _joins(opened: Sources) -> Finding:
    elsewhere = (*opened.freshness.looks, *opened.quarantine.lines)
    looks = [line for line in opened.look if line not in elsewhere]
    if looks:
        return Finding("joins", "look", looks[0], tuple(looks[1:]))
    if not opened.matches:
        return Finding("joins", "ok", "one source alone, nothing to join")
    worst = min(opened.matches, key=lambda match: match.share)
    return Finding(
        "joins", "ok", f"{worst.share:.1%} of the customers of {worst.role} are known elsewhere, or more"
    )


def _freshness(opened: Sources, *, dated: bool) -> Finding:
    if not dated:
        return Finding("freshness", "ok", UNDATED)
    fresh = opened.freshness
    try:
        fresh.require()
    except DataError as error:
        return Finding("freshness", "fault", str(error))
    if fresh.looks:
        return Finding("freshness", "look", fresh.looks[0], tuple(fresh.looks[1:]))
    return Finding("freshness", "ok", f"the newest row is of {fresh.newest}, as of {fresh.as_of}")


def _attributes(opened: Sources, config: Config, as_of: dt.date) -> Finding:
    """Whether an attribute was written after the fact, by what a training says of it: it looks at labels too."""
    name, count = "attributes", len(opened.attributes)
    if config.churn.kind != "labelled":
        return _doubted(name, count, [str(suspect) for suspect in suspects_of(opened, config)])
    try:
        every = prepare_table(config, as_of, lambda line: None).sample
    except ChurnError:
        return Finding(name, "not reached", "mend the labels first")
    if not enough(every.churned):
        return Finding(name, "not reached", "too few rows with a label")
    try:
        used = usable(every, config.model.allow_leaks).used
    except DataError as error:
        lines = [str(fault) for fault in error.faults]
        return Finding(name, "fault", lines[0], tuple(lines[1:]))
    return _doubted(name, count, doubts(config, every, used))


def _doubted(name: str, count: int, lines: list[str]) -> Finding:
    if lines:
        return Finding(name, "look", lines[0], tuple(lines[1:]))
    return Finding(name, "ok", f"{count}, none looks like written after the fact")


def _list(opened: Sources, config: Config, as_of: dt.date, *, dated: bool) -> Finding:
    """Whether the columns that the list needs are there, and whom the do-not-contact list means."""
    name = "the list"
    try:
        if dated:
            plan = Plan.of(config, [as_of], derived(opened.tables), opened.attributes)
            facts = config.sources.customers.facts if config.sources.customers else ()
            known = [*opened.attributes, *facts, *(column.name for column in plan.catalogue)]
            check_columns(known, config.outreach)
        never = do_not_contact(config, opened)
    except ChurnError as error:
        lines = [str(fault) for fault in error.faults] or [str(error)]
        return Finding(name, "fault", lines[0], tuple(lines[1:]))
    if looks := [*unasked_permissions(config), *never.look]:
        return Finding(name, "look", looks[0], (*looks[1:], *never.notes))
    told = f"{len(never.customers):,} customers are never to be contacted"
    settings = config.outreach
    asked = {*settings.consent.values(), *settings.opt_out.values(), settings.columns.do_not_contact} - {None}
    if asked:
        told += f", and those whom {', '.join(map(repr, sorted(map(str, asked))))} tells so"
    return Finding(name, "ok", told, never.notes)


def _definition(opened: Sources, config: Config, as_of: dt.date) -> Finding:
    churn = config.churn
    now = f"{churn.kind}, horizon_days {churn.horizon_days}"
    if churn.kind != "non_contractual":
        return Finding("definition", "ok", now)
    now += f", active_days {churn.active_days}"
    try:
        some = bounded(opened, config, [as_of], lambda line: None)
        advice = advise(some.local["transactions"], seconds(as_of) // DAY, TeamPace.of(config))
    except HistoryError as error:
        return Finding("definition", "look", f"{now}; {error}: bring more history")
    values = {"horizon_days": advice.horizon_days, "active_days": advice.active_days}
    if (advice.horizon_days, advice.active_days) == (churn.horizon_days, churn.active_days):
        return Finding("definition", "ok", f"{now}, as the gaps between purchases advise", values=values)
    told = f"{now}; the gaps between purchases would advise {advice.horizon_days} and {advice.active_days}"
    return Finding("definition", "ok", told, values={**values, "advice": asdict(advice)})


def _enough(opened: Sources, config: Config, as_of: dt.date) -> Finding:
    name = "enough data"
    if config.churn.kind == "labelled":
        try:
            label = read_labelled(config, as_of).churned
        except ChurnError as error:
            return Finding(name, "fault", str(error))
        known = label[~np.isnan(label)]
        return _of_churners(name, int(known.sum()), len(known), "rows with a label", {})
    churn = config.churn
    newest = newest_mature(as_of, churn.gap_days, churn.horizon_days)
    room = (newest - opened.first_day).days - config.snapshots.min_history_days
    count = min(room // config.snapshots.step_days + 1, config.snapshots.max_count)
    if count < FEWEST_SNAPSHOTS:
        told = (
            f"{max(count, 0)} mature snapshots, {FEWEST_SNAPSHOTS} are needed; bring more history, or lower "
        )
        return Finding(
            name, "look", told + "snapshots.step_days, snapshots.min_history_days or churn.horizon_days"
        )
    moment = dt.datetime.combine(newest, dt.time())
    people = customers_at(opened.local, churn, moment).mutate(snapshot_number=0)
    rows = labelled(people, window_outcomes(opened.local, churn, [newest]), churn)
    found: dict[str, Any] = arrow(
        rows.aggregate(all=rows.churned.count(), ones=rows.churned.sum())
    ).to_pylist()[0]
    return _of_churners(
        name, int(found["ones"] or 0), found["all"], f"customers at {newest}", {"snapshots": int(count)}
    )


def _of_churners(name: str, churners: int, customers: int, where: str, values: dict[str, Any]) -> Finding:
    share = churners / customers if customers else 0.0
    many = f"{values['snapshots']} mature snapshots; " if values else ""
    told = f"{many}{churners:,} of {customers:,} {where} churned ({share:.1%})"
    values = {**values, "churners": churners, "customers": customers}
    if churners in {0, customers}:
        return Finding(
            name, "look", f"{told}: nothing to tell apart; look at churn and at the dates", values=values
        )
    if churners < USABLE_CHURNERS:
        told += f": fewer than {USABLE_CHURNERS}, figures of one snapshot are noisy"
    return Finding(name, "ok", told, values=values)

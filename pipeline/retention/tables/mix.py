"""Why the rate moved between two periods: other customers (mix), or the same kinds kept differently (rate)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from configs.errors import ConfigError
from models.statistics.kitagawa import mix_table
from pipeline.languages import N_
from pipeline.languages.said import said
from pipeline.retention.rendering import points, show_table, within_a_line
from pipeline.retention.table import Question, Shown, Table
from pipeline.retention.tables.rate import retention_of


def show(
    question: Question,
    before: Annotated[str | None, typer.Option(metavar="PERIOD", help="Such as 2011-09 or 2011-Q3.")] = None,
    after: Annotated[str | None, typer.Option(metavar="PERIOD", help="The later one.")] = None,
) -> Shown:
    """Why the rate moved: other customers (mix), or the same kinds kept differently (rate)."""
    scope, as_of = question.scope, question.as_of
    newest = replace(scope, periods=2, running=False).until(as_of)
    pair = [
        scope.named(text, as_of) if text else usual
        for text, usual in zip((before, after), (newest[0], newest[-1]), strict=True)
    ]
    if pair[0].label == pair[1].label:
        raise ConfigError(f"both periods are {pair[0].label}; give two with --before and --after")
    segment = scope.segment or next(iter(question.config.retention.segments), None)
    if segment is None:
        raise ConfigError("give --segment, or list segments in the config's section retention")
    rates = retention_of(question.tables, question.config.churn, pair, as_of, segment)
    frame = mix_table(rates, pair[0].label, pair[1].label)
    columns = {
        "segment": segment,
        "share_before": said("share {period}", period=pair[0].label),
        "share_after": said("share {period}", period=pair[1].label),
        "rate_before": said("rate {period}", period=pair[0].label),
        "rate_after": said("rate {period}", period=pair[1].label),
        "mix_effect": N_("mix effect"),
        "rate_effect": N_("rate effect"),
        "change": N_("change"),
    }
    total = frame.iloc[-1]
    rule = said(
        "{change} points: {mix} from other shares of customers, {rate} from the same kinds kept differently (Kitagawa)",
        **{
            name: within_a_line(points, total[column], question.language)
            for name, column in (("change", "change"), ("mix", "mix_effect"), ("rate", "rate_effect"))
        },
    )
    return Shown(frame, show_table(frame, columns, question.language), [rule])


TABLE = Table(show)

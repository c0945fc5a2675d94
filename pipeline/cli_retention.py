"""`churn retention`: the classic rate and what a team asks next. Everything heavy is imported inside a command."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli_common import Common, command

retention_app = typer.Typer(
    help="The classic retention rate, and what a team asks next.", rich_markup_mode=None
)


@command(retention_app, default=True)
def retention(
    common: Common,
    by: Annotated[str, typer.Option(help="Length of a period: week, month, quarter or year.")] = "month",
    periods: Annotated[int, typer.Option(min=1, max=600, help="How many complete periods.")] = 12,
    segment: Annotated[str | None, typer.Option(help="An attribute of the customers.")] = None,
) -> int | None:
    """The classic rate by period, from the config's customers."""
    from pipeline import rates

    config, as_of = common.settings()
    result = rates.by_period(config, as_of, by, periods, segment)
    common.result(result.text, result.values)
    return None


@command(retention_app, "rate")
def retention_rate(
    common: Common,
    start: Annotated[int, typer.Option(help="S: customers at the start.")],
    new: Annotated[int, typer.Option(help="N: customers acquired during the period.")],
    end: Annotated[int, typer.Option(help="E: customers at its end.")],
) -> int | None:
    """(E - N) / S x 100 of three numbers."""
    from pipeline.retention import rate

    value = rate(start, new, end)
    common.result(f"{value:.2f} %", {"rate": value, "start": start, "new": new, "end": end})
    return None

"""`churn retention`: the classic rate and what a team asks next.

Each table of `pipeline.retention.tables` is a subcommand. Its file is imported when the command is run, or when the
help names all of them: the tables need libraries that take long to load.
"""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from configs.errors import ConfigError
from pipeline.cli_common import Common, command
from pipeline.result import Result

if TYPE_CHECKING:
    from pipeline.retention.table import Show, Table


@dataclass(frozen=True)
class Span:
    """Which periods; what is left out comes from the config."""

    unit: Annotated[str | None, typer.Option(help="Length of a period: week, month, quarter or year.")] = None
    periods: Annotated[int | None, typer.Option(min=1, max=600, help="How many complete periods.")] = None
    time_zone: Annotated[str | None, typer.Option(help="Where midnight is, such as Europe/London.")] = None
    first_weekday: Annotated[
        int | None, typer.Option(min=0, max=6, help="The day that opens a week; 0 is Monday.")
    ] = None


@dataclass(frozen=True)
class Rolling:
    """Periods that are no calendar's, or not over."""

    rolling: Annotated[
        bool | None,
        typer.Option("--rolling/--calendar", help="Count periods back from as-of, or by calendar."),
    ] = None
    running: Annotated[
        bool, typer.Option("--running", help="Add the period that is not over yet, marked.")
    ] = False


@dataclass(frozen=True)
class Segment:
    """Which customers apart."""

    segment: Annotated[str | None, typer.Option("--segment", help="An attribute of the customers.")] = None


@dataclass(frozen=True)
class Picture:
    """Where to draw to."""

    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help="Draw the curves into this .svg file."),
    ] = None


@dataclass(frozen=True)
class Out:
    """Where to write to."""

    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the table to this .csv or .parquet file."),
    ] = None


class TableCommands(typer.core.TyperGroup):
    """The commands that were declared here, and one for each retention table."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name; imports the tables."""
        from pipeline.retention.registry import RATE, every_table

        shown = [name for name, table in every_table().items() if table.show is not None and name != RATE]
        return [*super().list_commands(ctx), *shown]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; imports that table alone."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        from pipeline.retention.registry import table_of

        table = table_of(cmd_name)
        if table is None or table.show is None:
            return None
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        command(single, cmd_name)(_command_of(table, table.show))
        return typer.main.get_command(single)


retention_app = typer.Typer(
    cls=TableCommands, help="The classic retention rate, and what a team asks next.", rich_markup_mode=None
)


@command(retention_app, default=True)
def retention(common: Common, span: Span, segment: Segment, rolling: Rolling, out: Out) -> int | None:
    """The classic rate by period, from the config's customers."""
    from pipeline.retention.registry import RATE, table_of

    table = table_of(RATE)
    if table is not None and table.show is not None:
        return _print(common, _answer(table, table.show, common, [span, segment, rolling, out], {}))
    return None


@command(retention_app, "rate")
def rate(
    common: Common,
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[START NEW END]", help="The three numbers in this order.")
    ] = None,
    start: Annotated[int | None, typer.Option(help="S: customers at the start.")] = None,
    new: Annotated[int | None, typer.Option(help="N: customers acquired during the period.")] = None,
    end: Annotated[int | None, typer.Option(help="E: customers at its end.")] = None,
) -> int | None:
    """(E - N) / S x 100 of three numbers."""
    from pipeline.retention.tables.rate import rate as rate_of

    named = [start, new, end]
    given = [n for n in named if n is not None]
    three = numbers if numbers and not given else given if None not in named and not numbers else []
    if len(three) != 3:
        raise ConfigError(
            "give three numbers: churn retention rate 44 12 43, or --start 44 --new 12 --end 43"
        )
    start, new, end = three
    value = rate_of(start, new, end)
    common.result(f"{value:.2f} %", {"rate": value, "start": start, "new": new, "end": end})
    return None


def _command_of(table: Table, show: Show) -> Any:
    """A function with the options of a table: those that it shares with others, and its own."""
    shared: list[Any] = [Span] if table.span else []
    shared += [kind for kind, wanted in ((Segment, table.segment), (Picture, table.picture)) if wanted]
    own = list(inspect.signature(show, eval_str=True).parameters.values())[1:]

    def run(common: Common, **given: Any) -> int | None:
        options = [given.pop(kind.__name__.lower()) for kind in (*shared, Out)]
        return _print(common, _answer(table, show, common, options, given))

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("common", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Common),
        *(inspect.Parameter(kind.__name__.lower(), keyword, annotation=kind) for kind in (*shared, Out)),
        *(parameter.replace(kind=keyword) for parameter in own),
    ]
    declared: Any = run
    declared.__signature__ = inspect.Signature(parameters)
    declared.__doc__ = inspect.getdoc(show)
    return declared


def _answer(table: Table, show: Show, common: Common, options: list[Any], own: dict[str, Any]) -> Result:
    """Run a table with what was given."""
    from pipeline.retention.results import asked, result_of

    given = {name: value for option in options for name, value in asdict(option).items()}
    out, picture = given.pop("out"), given.pop("picture", None)
    question = asked(table, *common.settings(), say=common.detail, **given)
    return result_of(show(question, **own), question, out, picture)


def _print(common: Common, result: Result) -> int:
    common.result(result.text, result.values)
    return result.exit_code

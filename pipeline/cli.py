"""The `churn` command: parse, one call, print, exit code. Everything heavy is imported inside a command."""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from configs.errors import ChurnError, ConfigError

app = typer.Typer(
    name="churn",
    help="Who is about to leave, whom to contact today, how and why - and the classic retention rate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
retention_app = typer.Typer(
    help="The classic retention rate, and what a team asks next.", rich_markup_mode=None
)
app.add_typer(retention_app, name="retention", invoke_without_command=True)


@dataclass(frozen=True)
class Common:
    """What every command accepts."""

    config: Path
    as_of: str | None
    as_json: bool
    quiet: bool
    verbose: bool
    debug: bool

    def settings(self) -> tuple[Any, dt.date]:
        """The config and the as-of date."""
        from configs.schema import load_config

        config = load_config(self.config)
        return config, self._day(config.as_of)

    def _day(self, default: dt.date | None) -> dt.date:
        if self.as_of is None:
            return default or dt.datetime.now(dt.UTC).date()
        try:
            return dt.date.fromisoformat(self.as_of)
        except ValueError:
            raise ConfigError(f"--as-of: is {self.as_of!r}, expected a date such as 2026-01-31") from None

    def say(self, line: str) -> None:
        """Tell what is going on, on standard error."""
        if not self.quiet:
            print(line, file=sys.stderr, flush=True)

    def detail(self, line: str) -> None:
        """Tell more, when asked to."""
        if self.verbose:
            print(line, file=sys.stderr, flush=True)

    def result(self, shown: str, values: Any) -> None:
        """Print the result for a person, or as JSON for a machine, on standard output."""
        if self.as_json:
            print(json.dumps(values, default=str, ensure_ascii=False))
        else:
            print(shown)


_COMMON = {
    "config": (
        Annotated[Path, typer.Option("--config", "-c", envvar="CHURN_CONFIG", help="The config file.")],
        Path("configs/demo.yaml"),
    ),
    "as_of": (
        Annotated[
            str | None,
            typer.Option("--as-of", metavar="DATE", help="Behave as if that midnight (UTC) were now."),
        ],
        None,
    ),
    "as_json": (Annotated[bool, typer.Option("--json", help="Print the result as JSON.")], False),
    "quiet": (Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")], False),
    "verbose": (Annotated[bool, typer.Option("--verbose", "-v", help="Tell more.")], False),
    "debug": (Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")], False),
}


def command(group: typer.Typer, name: str | None = None, *, default: bool = False) -> Callable[[Any], Any]:
    """Register a command whose first parameter is `Common`, with the options that every command has.

    The command returns its exit code, or None for 0. Errors become one message on standard error.
    """

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        shared = [
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=value)
            for option, (kind, value) in _COMMON.items()
        ]

        @functools.wraps(function)
        def run(**given: Any) -> None:
            context = given.pop("context", None)
            common = Common(**{option: given.pop(option) for option in _COMMON})
            if context is not None and context.invoked_subcommand is not None:
                return
            raise typer.Exit(_guarded(common, lambda: function(common, **given)))

        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared
        if default:
            parameters.insert(
                0, inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
            )
        shown: Any = run
        shown.__signature__ = inspect.Signature(parameters)
        shown.__annotations__ = {p.name: p.annotation for p in parameters}
        (group.callback(invoke_without_command=True) if default else group.command(name))(run)
        return function

    return register


def _guarded(common: Common, work: Callable[[], int | None]) -> int:
    try:
        return work() or 0
    except ChurnError as error:
        message, code = str(error), error.exit_code
        if common.debug:
            traceback.print_exc()
    except KeyboardInterrupt:
        message, code = "stopped by the keyboard; nothing was published", 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if common.debug:
            raise
        text = " ".join(str(error).split())[:300]
        message, code = (
            f"unexpected {type(error).__name__}: {text}; run again with --debug for the traceback",
            1,
        )
    if common.as_json:
        print(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    print(f"churn: {message}", file=sys.stderr)
    return code


@command(app)
def demo(
    common: Common,
    customers: Annotated[int, typer.Option(min=50, help="Customers of the simulated company.")] = 2_000,
) -> int | None:
    """Simulate a company, train, score, publish: the whole job on data with a known truth."""
    from pipeline.showcase import run_demo

    config, as_of = common.settings()
    result = run_demo(config, as_of, customers, common.say)
    common.result(result.text, result.values)
    return result.exit_code


@command(app)
def features(
    common: Common,
    out: Annotated[Path | None, typer.Option(help="Write the matrix to this Parquet file.")] = None,
    snapshots: Annotated[int, typer.Option(min=1, help="As-of date and so many less one steps back.")] = 1,
    labels: Annotated[
        bool, typer.Option("--labels", help="Add the column churned, null where not mature.")
    ] = False,
    catalogue: Annotated[bool, typer.Option("--list", help="Print the catalogue of features.")] = False,
) -> int | None:
    """Build the point-in-time feature matrix, or list the features."""
    from pipeline import extract

    config, as_of = common.settings()
    if catalogue:
        found = extract.catalogue(config, as_of)
        common.result(found.text, found.values)
        return None
    if out is None:
        raise ConfigError("give --out FILE.parquet to write the matrix, or --list to see the features")
    result = extract.write_matrix(config, as_of, snapshots, out, labels=labels, say=common.say)
    common.result(result.text, result.values)
    return None


@command(app)
def train(common: Common) -> int | None:
    """Train, backtest, track and, when proven better, promote a model."""
    from pipeline.train import train as run

    config, as_of = common.settings()
    result = run(config, as_of, common.say)
    common.result(result.text, result.values)
    return result.exit_code


@command(app)
def score(
    common: Common,
    out: Annotated[Path | None, typer.Option(help="Publish to this folder instead of the config's.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the list's summary, write nothing.")
    ] = False,
) -> int | None:
    """Score today's customers and publish the list, the rate and the report."""
    from pipeline.score import score as run

    config, as_of = common.settings()
    result = run(config, as_of, out, dry_run=dry_run, say=common.say)
    common.result(result.text, result.values)
    return result.exit_code


@command(app)
def ui(
    common: Common,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on this machine.")] = 5_000,
    clean: Annotated[
        bool, typer.Option("--clean", help="Delete nightly runs older than tracking.keep_days, and stop.")
    ] = False,
) -> int | None:
    """Serve the MLflow pages of this config's runs and models."""
    from pipeline import tracking_ui

    config, as_of = common.settings()
    if not clean:
        return tracking_ui.serve(config, port, common.say)
    result = tracking_ui.clean(config, as_of)
    common.result(result.text, result.values)
    return None


@command(app)
def promote(
    common: Common,
    version: Annotated[int, typer.Argument(help="Version of the registered model.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the version.")],
) -> int | None:
    """Make a version the champion by hand."""
    from pipeline.champion import promote as run

    config, _ = common.settings()
    result = run(config, version, reason)
    common.result(result.text, result.values)
    return None


@command(app)
def rollback(
    common: Common, reason: Annotated[str, typer.Option(help="Why; it is kept with the version.")]
) -> int | None:
    """Bring the previous champion back."""
    from pipeline.champion import rollback as run

    config, _ = common.settings()
    result = run(config, reason)
    common.result(result.text, result.values)
    return None


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


def main() -> None:
    """Entry point of the `churn` command."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    app()

"""The `churn` command: parse, one call, print, exit code. Everything heavy is imported inside a command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from configs.errors import ConfigError
from pipeline import stopping
from pipeline.cli_common import Common, command, on_terminal, pairs, question
from pipeline.cli_nightly import mail, nightly, replay, schedule
from pipeline.cli_retention import retention_app
from pipeline.result import Result

app = typer.Typer(
    name="churn",
    help="Who is about to leave, whom to contact today, how and why - and the classic retention rate.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(retention_app, name="retention", invoke_without_command=True)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"churn {version('churn')}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Who is about to leave, whom to contact today, how and why - and the classic retention rate."""


@command(app)
def demo(
    common: Common,
    customers: Annotated[int, typer.Option(min=50, help="Customers of the simulated company.")] = 2_000,
) -> int | None:
    """Simulate a company, train, score, publish: the whole job on data with a known truth."""
    from pipeline.showcase import run_demo

    config, as_of = common.demo_settings()
    result = run_demo(config, as_of, customers, common.say)
    common.result(result.text, result.values)
    return result.exit_code


@command(app)
def init(
    common: Common,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES...", help="Files, folders, globs, or tables of a database: URL#table, URL#schema.*"
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take the guesses.")] = False,
    customer: Annotated[str | None, typer.Option(metavar="COLUMN", help="Who the customer is.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="Of churn: contractual, non_contractual or labelled.")
    ] = None,
    dates: Annotated[
        str | None, typer.Option(metavar="dmy|mdy", help="Day or month first, where both read.")
    ] = None,
    horizon_days: Annotated[
        int | None, typer.Option(min=1, max=3_650, help="How far ahead; else by the data.")
    ] = None,
    churned_value: Annotated[
        str | None, typer.Option(metavar="VALUE", help="Of a label: the value that means churned.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE=ROLE", help="What a table is, 'none' to leave it out; may be given again."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the config.")] = None,
) -> int | None:
    """Write a config from a look at your files, and check it."""
    from pipeline.doctor.check import check
    from pipeline.setup.init import init as run
    from pipeline.setup.interview import Given

    given = Given(customer, kind, dates, horizon_days, churned_value, name, pairs("--role", role or []))
    ask = None if yes or common.as_json or not on_terminal() else question

    def checked(file: Path, say: Callable[[str], None]) -> Result:
        config, day = common.settings(file)
        return check(config, config.as_of or day, say=say)

    result = run(files, common.new_config(), given, ask, today=common.day(), check=checked, say=common.say)
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
    check: Annotated[
        bool, typer.Option("--check", help="Prove on your data that no feature sees the future.")
    ] = False,
) -> int | None:
    """Build the point-in-time feature matrix, or list the features."""
    from pipeline.dataset import extract

    config, as_of = common.settings()
    if catalogue:
        found = extract.feature_catalogue(config, as_of)
        common.result(found.text, found.values)
        return None
    if check:
        from pipeline.dataset.leakage import check_features

        proven = check_features(config, as_of, snapshots, common.say)
        common.result(proven.text, proven.values)
        return proven.exit_code
    if out is None:
        raise ConfigError(
            "give --out FILE.parquet to write the matrix, --list to see the features, "
            "or --check to prove that none sees the future"
        )
    result = extract.write_matrix(config, as_of, snapshots, out, labels=labels, say=common.say)
    common.result(result.text, result.values)
    return result.exit_code


@command(app, "check")
def check_all(
    common: Common,
    full: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also the columns, the gaps between purchases, the snapshots and the learning curves.",
        ),
    ] = False,
) -> int | None:
    """Check config, data, definition, disk, tracking and model, and say what to mend."""
    from pipeline.doctor.check import check

    config, as_of = common.settings()
    result = check(config, as_of, full=full, say=common.say)
    common.result(result.text, result.values)
    return result.exit_code


@command(app, "config")
def config_keys(
    common: Common,
    schema: Annotated[
        str | None, typer.Option(metavar="config|playbook", help="Print the JSON schema, for editors.")
    ] = None,
    docs: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the pages of the reference there.")
    ] = None,
) -> int | None:
    """Print every value of the config, where it comes from, its default and its meaning."""
    from pipeline import reference

    if schema is not None:
        result = reference.schema(schema)
    elif docs is not None:
        result = reference.write_pages(docs)
    else:
        result = reference.values_of(common.settings()[0])
    common.result(result.text, result.values)
    return None


@command(app)
def train(
    common: Common,
    tune: Annotated[
        int | None,
        typer.Option(min=0, max=1_000, help="So many tries of other sizes; else model.tune_trials."),
    ] = None,
) -> int | None:
    """Train, backtest, track and, when proven better, promote a model."""
    from pipeline.training.train import train as run

    config, as_of = common.settings()
    if tune is not None:
        config = config.model_copy(update={"model": config.model.model_copy(update={"tune_trials": tune})})
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
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Make the nights from --as-of to this one afterwards; they are delivered to nobody.",
        ),
    ] = None,
    every: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="With --until: days between nights; else 1.")
    ] = None,
) -> int | None:
    """Score today's customers and publish the list, the rate and the report."""
    from pipeline.backfill import backfill
    from pipeline.nightly import learn_and_score

    config, as_of = common.settings()
    if until is not None:
        if common.as_of is None:
            raise ConfigError("--until: needs the first night, --as-of DATE")
        last = common.date("--until", until)
        result = backfill(config, as_of, last, every or 1, out, dry_run=dry_run, say=common.say)
    elif every is not None:
        raise ConfigError("--every: goes with --until DATE, the last night")
    else:
        result = learn_and_score(config, as_of, out, dry_run=dry_run, say=common.say)
    common.result(result.text, result.values)
    return result.exit_code


command(app)(nightly)
command(app)(replay)
command(app)(mail)
command(app)(schedule)


@command(app)
def plan(
    common: Common,
    against: Annotated[
        Path | None, typer.Option(help="The config before the change; --config is the one after it.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A change of --config; may be given again."),
    ] = None,
    model: Annotated[int | None, typer.Option(min=1, help="The registered version after the change.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write all who enter or leave to this CSV file.")] = None,
) -> int | None:
    """Show what a change of playbook, limits, costs or model would do to the list; nothing is recorded."""
    from pipeline.planning.plan import plan as run

    before, now, as_of = common.both(against, changes or [])
    if against is None and not changes and model is None:
        raise ConfigError(
            "nothing changes: give --against OLD.yaml, --set outreach.capacity=100 or another key, "
            "or --model VERSION"
        )
    result = run(before, now, as_of, version=model, out=out, say=common.say)
    common.result(result.text, result.values)
    return result.exit_code


@command(app)
def explain(
    common: Common,
    customer: Annotated[str, typer.Argument(help="The customer's id, as it stands in the sources.")],
    steps: Annotated[
        bool, typer.Option("--steps", help="Follow the customer from the rows to the probability, too.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="A folder that `churn score --out` was given.")] = None,
) -> int | None:
    """Why a customer has its probability, why it differs from the night before, and what would change it."""
    from pipeline.explaining.explain import explain as run

    config, as_of = common.settings()
    result = run(config, customer, as_of, out, common.say, steps=steps)
    common.result(result.text, result.values)
    return result.exit_code


@command(app)
def outcomes(
    common: Common,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Switch an action, or 'all', on again that was stopped because it drives customers away."
        ),
    ] = None,
) -> int | None:
    """What came of the lists: realised quality, the effect against those left alone, and what is believed now."""
    from pipeline.outcomes import measure

    config, as_of = common.settings()
    result = (
        measure.outcomes(config, as_of, common.say)
        if resume is None
        else measure.resume(config, resume, as_of)
    )
    common.result(result.text, result.values)
    return result.exit_code


@command(app)
def contacted(
    common: Common,
    file: Annotated[Path, typer.Argument(help="As the report saves it; - for standard input.")],
) -> int | None:
    """Add contacts that were marked in the report to the contact log; opt-outs count at once."""
    import datetime as dt

    from pipeline.outcomes.contacted import contacted as run

    config, as_of = common.settings()
    # A config of the past stands at its own day.
    now = max(dt.datetime.combine(as_of, dt.time()), dt.datetime.now(dt.UTC).replace(tzinfo=None))
    result = run(config, file, now)
    common.result(result.text, result.values)
    return result.exit_code


@command(app)
def forget(
    common: Common,
    customer: Annotated[str, typer.Argument(help="The customer's id, as it stands in the sources.")],
    out: Annotated[Path | None, typer.Option(help="A folder that `churn score --out` was given.")] = None,
) -> int | None:
    """Take a customer out of ledger, runs and marks; a certificate tells what was removed and what can't be reached."""
    import datetime as dt

    from pipeline.forgetting.forget import forget as run

    config, as_of = common.settings()
    result = run(config, customer, as_of, out, dt.datetime.now(dt.UTC).replace(tzinfo=None))
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
    from pipeline.tracking import tracking_ui

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
    from pipeline.tracking.champion import promote as run

    config, _ = common.settings()
    result = run(config, version, reason)
    common.result(result.text, result.values)
    return None


@command(app)
def rollback(
    common: Common, reason: Annotated[str, typer.Option(help="Why; it is kept with the version.")]
) -> int | None:
    """Bring the previous champion back."""
    from pipeline.tracking.champion import rollback as run

    config, _ = common.settings()
    result = run(config, reason)
    common.result(result.text, result.values)
    return None


def main() -> None:
    """Entry point of the `churn` command."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.umask(0o077)  # customers stand in most of what is written: it is for its owner alone
    stopping.listen()
    try:
        app()
    except (SystemExit, KeyboardInterrupt):
        if code := stopping.exit_code():
            sys.exit(code)
        raise

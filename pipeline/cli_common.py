"""What every command shares: its options, the result on standard output, one message and exit code for an error.

A parameter of a command whose type is a dataclass stands for the options that are its fields.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from configs.errors import ChurnError, ConfigError
from configs.finding import OWN, config_in, demo_config
from pipeline import log, stopping
from pipeline.progress import silence
from pipeline.result import as_line, visible


@dataclass(frozen=True)
class Common:
    """What every command accepts."""

    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="CHURN_CONFIG",
            help="The config file; else churn.yaml or the one in configs/ of the working folder.",
        ),
    ] = None
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Behave as if that midnight (UTC) were now."),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell more.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False
    log_format: Annotated[
        log.Format,
        typer.Option(
            "--log-format",
            envvar="CHURN_LOG_FORMAT",
            help="Of the lines on standard error: text, or json for machines.",
        ),
    ] = "text"

    def settings(self, config_file: Path | None = None) -> tuple[Any, dt.date]:
        """The config, of a file when one is given, and the as-of date."""
        from configs.schema import load_config

        config = load_config(config_file or self.config_file())
        as_of = self._day(config.as_of)
        log.belongs_to(log.run_id(config.name, config.digest, as_of))
        self._settle(config)
        return config, as_of

    def config_file(self) -> Path:
        """The config's file: the given one, or that of the working folder."""
        return self.config or config_in(Path.cwd())

    def both(self, against: Path | None, changes: list[str]) -> tuple[Any, Any, dt.date]:
        """The config before a change and after it, and the as-of date of both."""
        from configs.schema import load_config

        file = self.config_file()
        now = load_config(file, changes=pairs("--set", changes, "outreach.capacity=100", "KEY=VALUE"))
        before = load_config(against or file)
        as_of = self._day(now.as_of)
        log.belongs_to(log.run_id(now.name, now.digest, as_of))
        self._settle(before)
        return before, now, as_of

    def demo_settings(self) -> tuple[Any, dt.date]:
        """The config of the demo, brought to the working folder when it is not there, and the as-of date."""
        return self.settings(self.config or demo_config(Path.cwd()))

    def new_config(self) -> Path:
        """The file that a new config is written to."""
        return self.config or Path(OWN)

    def day(self) -> dt.date:
        """The day that counts as now where no config says so."""
        return self._day(None)

    @staticmethod
    def _settle(config: Any) -> None:
        """Bring what lies in another place than it should to its own; told even when quiet, for it happens once."""
        from models.tracking.moved import follow
        from models.tracking.store import sqlite_file
        from pipeline.earlier_layout import move_earlier

        store = sqlite_file(config.tracking_uri)
        for told in (move_earlier(config), follow(store) if store is not None else None):
            if told:
                log.tell(told)

    def _day(self, default: dt.date | None) -> dt.date:
        if self.as_of is None:
            return default or dt.datetime.now(dt.UTC).date()
        return self.date("--as-of", self.as_of)

    @staticmethod
    def date(option: str, text: str) -> dt.date:
        """The day that an option names."""
        from configs.base import shown_value
        from configs.schema import day_of

        try:
            return day_of(text)
        except ValueError as error:
            raise ConfigError(f"{option}: is {shown_value(text)}, {error}") from None

    def say(self, line: str) -> None:
        """Tell what is going on, on standard error."""
        if not self.quiet:
            log.tell(line)

    def detail(self, line: str) -> None:
        """Tell more, when asked to."""
        if self.verbose:
            log.tell(line)

    def result(self, shown: str, values: Any) -> None:
        """Print the result for a person, or as JSON for a machine, on standard output."""
        print(visible(as_line(values)) if self.as_json else visible(shown))


def on_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def question(what: str, guess: str) -> str:
    """Ask a person, who takes the guess by pressing return."""
    return str(typer.prompt(what, default=guess, err=True))


def pairs(
    option: str, given: Sequence[str], example: str = "orders=transactions", metavar: str = "TABLE=ROLE"
) -> dict[str, str]:
    """Values of an option that takes NAME=VALUE and may be given again.

    Raises
    ------
    ConfigError
        With all that are no such pair.

    Examples
    --------
    >>> pairs("--role", ["orders = transactions"])
    {'orders': 'transactions'}
    """
    parted = [one.partition("=") for one in given]
    if wrong := [
        one for one, (key, sign, _) in zip(given, parted, strict=True) if not (key.strip() and sign)
    ]:
        raise ConfigError(f"{option}: {', '.join(map(repr, wrong))}: expected {metavar} such as {example}")
    return {key.strip(): value.strip() for key, _, value in parted}


def command(group: typer.Typer, name: str | None = None, *, default: bool = False) -> Callable[[Any], Any]:
    """Register a command whose first parameter is `Common`.

    The command returns its exit code, or None for 0. Errors become one message on standard error. `default` makes it
    what the group does without a subcommand.
    """

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        first, *own = inspect.signature(function, eval_str=True).parameters.values()
        parameters = [option for parameter in (*own, first) for option in _options(parameter)]
        if default:
            context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
            parameters.insert(0, context)

        @functools.wraps(function)
        def run(**given: Any) -> None:
            context = given.pop("context", None)
            values = {p.name: _value(p, given) for p in (first, *own)}
            common = values.pop(first.name)
            if context is not None and context.invoked_subcommand is not None:
                _refuse_early_options(context)
                return
            silence(common.quiet)
            with log.speaking(common.log_format, name or function.__name__):
                code = _guarded(common, lambda: function(common, **values))
            raise typer.Exit(code)

        shown: Any = run
        shown.__signature__ = inspect.Signature(parameters)
        shown.__annotations__ = {p.name: p.annotation for p in parameters}
        (group.callback(invoke_without_command=True) if default else group.command(name))(run)
        return function

    return register


def _options(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    kind: Any = parameter.annotation
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, annotation=hints[f.name], default=f.default)
        for f in dataclasses.fields(kind)
    ]


def _value(parameter: inspect.Parameter, given: dict[str, Any]) -> Any:
    kind: Any = parameter.annotation
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return given[parameter.name]
    return kind(**{f.name: given[f.name] for f in dataclasses.fields(kind)})


def _refuse_early_options(context: typer.Context) -> None:
    """Options before the subcommand would go unheard."""
    early = [
        parameter.opts[0]
        for parameter in context.command.params
        if getattr(context.get_parameter_source(str(parameter.name)), "name", "") == "COMMANDLINE"
    ]
    if early:
        told = f"{context.command_path} {context.invoked_subcommand} {' '.join(early)} ..."
        raise typer.BadParameter(f"options come after the subcommand: {told}")


def _guarded(common: Common, work: Callable[[], int | None]) -> int:
    try:
        return work() or 0
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        message, code = _told(common, error)
    if common.as_json:
        print(visible(as_line({"error": message, "exit_code": code})))
    log.tell(f"churn: {message}", "error")
    return code


def _told(common: Common, error: BaseException) -> tuple[str, int]:
    """What is said of an error, and the exit code."""
    if (stopped := stopping.exit_code()) or isinstance(error, KeyboardInterrupt):
        return "stopped; what was not complete is taken back by the next run", stopped or 130
    if isinstance(error, ChurnError):
        if common.debug:
            traceback.print_exception(error)
        return str(error), error.exit_code
    if common.debug:
        raise error
    text = " ".join(str(error).split())[:300]
    return f"unexpected {type(error).__name__}: {text}; run again with --debug for the traceback", 1

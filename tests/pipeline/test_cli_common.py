"""What all commands share: options of a dataclass, one exit code for an error, and answers for machines."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from configs.errors import ConfigError, DataError, Fault, TryAgainError
from pipeline.cli_common import Common, command, pairs
from pipeline.log import speaking

SHOP = """name: shop
as_of: 2024-07-01
churn: {kind: non_contractual, horizon_days: 30, active_days: 90}
sources:
  transactions: {uri: sales.csv, columns: {customer_id: id, occurred_at: at}}
"""


@pytest.fixture(autouse=True)
def within_a_command():
    """Settings say to which run the lines belong, until the command ends."""
    with speaking("text", "run"):
        yield


@dataclass(frozen=True)
class Span:
    """Options that go together."""

    periods: Annotated[int, typer.Option("--periods", min=1)] = 12
    unit: Annotated[str, typer.Option("--unit")] = "month"


def app_of(work, **names):
    """An app whose command `run` does this work; what it returns is the exit code."""
    app = typer.Typer()

    @command(app)
    def run(common: Common, span: Span, size: Annotated[int, typer.Option("--size")] = 1) -> int | None:
        """Do something."""
        return work(common, span, size)

    @command(app)
    def other(common: Common) -> None:
        """A second one, so that commands have names."""

    return app


def invoke(work, *arguments):
    return CliRunner().invoke(app_of(work), ["run", *arguments])


def test_fields_of_a_dataclass_are_options_and_come_as_one_value():
    seen = {}

    def work(common, span, size):
        seen.update(span=span, size=size, quiet=common.quiet, json=common.as_json)

    done = invoke(work, "--periods", "3", "--size", "7", "-q", "--json")
    assert done.exit_code == 0
    assert seen == {"span": Span(3, "month"), "size": 7, "quiet": True, "json": True}
    assert invoke(work, "--periods", "0").exit_code == 2  # the option's own limit


@pytest.mark.parametrize("code", [None, 0, 3, 1])
def test_what_a_command_returns_is_its_exit_code(code):
    assert invoke(lambda *given: code).exit_code == (code or 0)


def raiser(error):
    def work(*given):
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError("no such key"), 2, "churn: no such key"),
        (TryAgainError("another run is at work"), 75, "churn: another run is at work"),
        (DataError("2 faults", [Fault("a.csv", "is empty", "fill it in")]), 1, "a.csv: is empty"),
        (KeyError("x"), 1, "churn: unexpected KeyError: 'x'; run again with --debug for the traceback"),
        (KeyboardInterrupt(), 130, "churn: stopped; what was not complete is taken back by the next run"),
    ],
)
def test_an_error_is_one_message_and_one_code(error, code, told):
    done = invoke(raiser(error))
    assert done.exit_code == code
    assert told in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_long_error_of_others_is_cut_to_a_line():
    done = invoke(raiser(ValueError("line one\nline two " + "x" * 1_000)))
    (line,) = [line for line in done.stderr.splitlines() if "unexpected" in line]
    assert "line one line two x" in line
    assert len(line) < 500


def test_a_machine_gets_the_error_as_json_without_passwords():
    done = invoke(raiser(DataError("postgresql://me:secret@host: no answer")), "--json")
    assert json.loads(done.stdout) == {"error": "postgresql://me:***@host: no answer", "exit_code": 1}
    assert "secret" not in done.stdout + done.stderr


def test_for_a_developer_the_traceback_is_there():
    done = invoke(raiser(ConfigError("no such key")), "--debug")
    assert done.exit_code == 2
    assert "Traceback" in done.stderr
    assert isinstance(invoke(raiser(ValueError("odd")), "--debug").exception, ValueError)


def test_what_is_told_goes_to_standard_error_and_only_when_asked_for():
    def work(common, *given):
        common.say("half way")
        common.detail("in detail")
        common.result("10 rows", {"rows": 10})

    plain, quiet, verbose = invoke(work), invoke(work, "-q"), invoke(work, "-v")
    assert plain.stdout == quiet.stdout == "10 rows\n"
    assert ("half way" in plain.stderr, "in detail" in plain.stderr) == (True, False)
    assert "half way" not in quiet.stderr
    assert "in detail" in verbose.stderr
    assert invoke(work, "--json").stdout == '{"rows": 10}\n'


def test_the_text_of_a_result_is_no_command_for_a_terminal():
    def work(common, *given):
        common.result("\x1b[2J http://me:secret@host", {"a": "\u202e"})

    assert invoke(work).stdout == "\\u001b[2J http://me:***@host\n"
    assert invoke(work, "--json").stdout == '{"a": "\\u202e"}\n'


def grouped():
    group = typer.Typer()

    @command(group, default=True)
    def rate(common: Common, size: Annotated[int, typer.Option("--size")] = 1) -> None:
        """What the group does by itself."""
        print(f"rate {size}")

    @command(group)
    def mix(common: Common) -> None:
        """A subcommand."""
        print("mix")

    app = typer.Typer()
    app.add_typer(group, name="retention")
    return app


def test_a_group_has_a_command_of_its_own():
    runner = CliRunner()
    assert runner.invoke(grouped(), ["retention", "--size", "5"]).stdout == "rate 5\n"
    assert runner.invoke(grouped(), ["retention", "mix"]).stdout == "mix\n"


def test_an_option_before_the_subcommand_would_go_unheard_and_is_refused():
    done = CliRunner().invoke(grouped(), ["retention", "--size", "5", "mix"])
    assert done.exit_code == 2
    assert "options come after the subcommand" in done.stderr


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], {}),
        (["a=1"], {"a": "1"}),
        ([" a = b = c "], {"a": "b = c"}),
        (["a=", "b=2", "a=3"], {"a": "3", "b": "2"}),
    ],
)
def test_pairs_are_parted_at_the_first_sign(given, found):
    assert pairs("--set", given) == found


@pytest.mark.parametrize("wrong", ["a", "=1", "  =1", ""])
def test_what_is_no_pair_is_told_with_an_example(wrong):
    with pytest.raises(ConfigError, match=r"--role: .*: expected TABLE=ROLE such as orders=transactions"):
        pairs("--role", ["x=y", wrong])


def test_the_day_is_that_of_the_option_before_that_of_the_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "churn.yaml").write_text(SHOP)
    assert Common().settings()[1] == dt.date(2024, 7, 1)
    assert Common(as_of="2024-05-06").settings()[1] == dt.date(2024, 5, 6)
    assert Common().day() == dt.datetime.now(dt.UTC).date()


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01", "2024-02-30", "1"])
def test_what_is_no_day_is_told_with_its_option(text):
    with pytest.raises(ConfigError, match=f"^--as-of: is '?{text}'?, "):
        Common(as_of=text).day()


def test_a_plan_changes_one_of_two_configs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "churn.yaml").write_text(SHOP)
    before, now, as_of = Common().both(None, ["outreach.capacity=3"])
    assert (before.outreach.capacity, now.outreach.capacity, as_of) == (50, 3, dt.date(2024, 7, 1))
    (tmp_path / "other.yaml").write_text(SHOP.replace("horizon_days: 30", "horizon_days: 60"))
    other, now, _ = Common().both(tmp_path / "other.yaml", [])
    assert (other.churn.horizon_days, now.churn.horizon_days) == (60, 30)
    with pytest.raises(ConfigError, match=r"--set: 'x': expected KEY=VALUE such as outreach\.capacity=100"):
        Common().both(None, ["x"])


def test_a_new_config_is_written_where_it_would_be_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = Common().new_config()
    file.write_text(SHOP)
    assert Common().config_file() == tmp_path / file.name
    assert Common(config=tmp_path / "x.yaml").new_config() == tmp_path / "x.yaml"

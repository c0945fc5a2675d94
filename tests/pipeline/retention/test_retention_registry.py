"""Every table that there is: found by its file, and the same figures in a command and at night."""

import datetime as dt
from pathlib import Path

import ibis.expr.operations as ops
import pandas as pd
import pytest

from pipeline import demo
from pipeline.dataset.matrix import matrix_and_rows
from pipeline.retention import tables
from pipeline.retention.definition.at_hand import Seen, at_hand
from pipeline.retention.definition.scope import Scope
from pipeline.retention.registry import every_table, of_a_night, read_at_night, table_of
from pipeline.retention.results import asked
from pipeline.retention.table import Question
from pipeline.scoring.night_rates import times_of
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 7, 1)
COMMANDS = "audit benchmarks cohorts contracts feedback forecast goals mix rate reasons revenue second survival value"
NIGHTLY = "audit by_segment cohorts contracts feedback forecast goals rate reasons revenue survival"


def test_a_file_with_a_table_is_a_command_and_may_be_a_file_of_the_night():
    files = {file.stem for file in Path(tables.__path__[0]).glob("*.py")}
    found = every_table()
    assert set(found) <= files
    assert {*COMMANDS.split()} <= {name for name, table in found.items() if table.show is not None}
    assert {*NIGHTLY.split()} <= set(of_a_night())
    assert next(iter(of_a_night())) == "rate"


def test_what_is_no_table_is_none():
    assert table_of("activity") is None  # a module beside the tables
    assert table_of("nothing") is None
    assert table_of("os.path") is None


@pytest.fixture(scope="module", params=["non_contractual", "contractual"])
def company(request, tmp_path_factory):
    from configs.schema import load_config

    folder = tmp_path_factory.mktemp(request.param)
    demo.simulate(folder, request.param, 120, dt.date(2023, 1, 1), AS_OF, seed=3)
    name = {"non_contractual": "demo", "contractual": "demo_contractual"}[request.param]
    file = Path(__file__).parents[3] / "configs" / f"{name}.yaml"
    environ = {
        f"CHURN__SOURCES__{role.upper()}__URI": f"{folder}/{source.uri.rpartition('/')[2]}"
        for role, source in load_config(file, environ={}).sources.given.items()
    }
    return load_config(file, environ={**environ, **_more_roles(folder)})


def _more_roles(folder):
    """The roles without a file in the demo, with every column: a table that leaves one undeclared fails."""
    bought = pd.read_parquet(folder / "transactions.parquet").iloc[::20]
    bought = bought[["customer_id", "occurred_at", "amount"]]
    late = {"recovered_at": bought["occurred_at"] + pd.Timedelta(days=3)}
    found = {}
    for role, frame in {"cancellations": bought, "failed_payments": bought.assign(**late)}.items():
        frame.to_parquet(folder / f"{role}.parquet")
        found[f"CHURN__SOURCES__{role.upper()}__URI"] = str(folder / f"{role}.parquet")
        for name in frame:
            found[f"CHURN__SOURCES__{role.upper()}__COLUMNS__{name.upper()}"] = name
    return found


def is_view(table):
    """Whether a table reads the rows that the features have numbered."""
    return any(read.name.endswith("_numbered") for read in table.op().find(ops.DatabaseTable))


@pytest.fixture(scope="module")
def near(company):
    """The tables of a night, which gives numbers to its customers itself."""
    times = times_of(company, AS_OF, Scope.of(company.retention))
    return at_hand(Seen(open_sources(company, AS_OF), read_at_night()), times)


@pytest.fixture(scope="module")
def twice(company):
    """The tables of a night as copies, and of the rows that its features have numbered in several shards."""
    sources, times = open_sources(company, AS_OF), times_of(company, AS_OF, Scope.of(company.retention))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.dataset.shards.ROWS_A_SHARD", 1_000)
        rows = matrix_and_rows(sources, company, [AS_OF])[1]
    seen = Seen(sources, read_at_night())
    return at_hand(seen, times, sources.ids), at_hand(seen, times, sources.ids, rows)


@pytest.mark.parametrize("name", [n for n in of_a_night() if n != "forecast"])
def test_a_table_gives_the_same_figures_of_the_rows_of_the_features(company, twice, name):
    copies, near = twice
    assert {"transactions", "contacts"} <= {role for role in near if is_view(near[role])}
    assert not any(is_view(copies[role]) for role in copies)
    table, scope = table_of(name), Scope.of(company.retention)
    want, got = (Question(company, AS_OF, scope, lambda tables=tables: tables) for tables in twice)
    if all(map(want.has, table.needs)):
        pd.testing.assert_frame_equal(table.nightly(got), table.nightly(want), check_dtype=False)


@pytest.mark.parametrize("name", [n for n in of_a_night() if n != "forecast"])
def test_a_table_gives_the_same_figures_at_night_as_alone(company, near, name):
    """Alone it sees what it declares itself, at night what all tables declare together, with numbers for customers."""
    table, scope = table_of(name), Scope.of(company.retention)
    alone = asked(table, company, AS_OF)
    if not all(map(alone.has, table.needs)):
        assert name in ("contracts", "reasons")
        return
    night = Question(company, AS_OF, scope, lambda: near)
    want, got = table.nightly(alone), table.nightly(night)
    assert len(want)
    pd.testing.assert_frame_equal(got, want, check_dtype=False)


def test_an_undeclared_column_is_there_for_nobody(company):
    sources = open_sources(company, AS_OF)
    seen = Seen(sources, {"feedback": frozenset({"score"})})
    assert set(seen) == {"customers", "transactions", "feedback"}
    assert seen["feedback"].columns == ("score",)
    assert set(seen["transactions"].columns) <= {"customer_id", "occurred_at", "known_at"}
    with pytest.raises(KeyError):
        seen["contacts"]

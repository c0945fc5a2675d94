"""What has been read once is not read again where it is proven unchanged, and is what it was."""

import datetime as dt
import os
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.histories import CHANGES, SMALL, Company, damage, live, state
from configs.errors import DataError
from pipeline.dataset.matrix import build_matrix
from pipeline.layout import layout_of
from pipeline.sources import known_files
from pipeline.sources.opening import open_sources, read_sources
from tests.pipeline.sources.in_databases import to_sqlite

OLD = (1.7e9, 1.7e9)


@pytest.fixture(autouse=True, scope="module")
def small():
    with pytest.MonkeyPatch.context() as patch:
        for one in SMALL:
            patch.setattr(*one)
        yield


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A company with four files of purchases and four of contacts, all of earlier days."""
    made = Company(tmp_path_factory.mktemp("written"), np.random.default_rng(3))
    made.begin()
    for role in ("transactions", "contacts"):
        shutil.rmtree(made.folder / role)
        (made.folder / role).mkdir()
        for number in range(4):
            rows = made.rows(role, 30, 60)
            past = rows["occurred_at"].clip(upper=pd.Timestamp(made.as_of) - pd.Timedelta(hours=1))
            rows = rows.assign(occurred_at=past, known_at=past)
            if role == "contacts":
                rows["resolved_at"] = past
            path = made.folder / role / f"{number}.parquet"
            rows.to_parquet(path, index=False)
            os.utime(path, OLD)
    return made.folder


@pytest.fixture(scope="module")
def known(written, tmp_path_factory):
    """The same company after a night that has kept all of its events."""
    place = tmp_path_factory.mktemp("known") / "home"
    shutil.copytree(written, place)
    made = Company(place, np.random.default_rng(4))
    state(made.config(store=True), made.as_of, made)
    assert (made.read, made.kept) == (8, 0)
    return place


@pytest.fixture
def company(written, tmp_path):
    shutil.copytree(written, tmp_path / "home")
    return Company(tmp_path / "home", np.random.default_rng(5))


@pytest.fixture
def warm(known, tmp_path):
    shutil.copytree(known, tmp_path / "home")
    return Company(tmp_path / "home", np.random.default_rng(5))


def line_of(company, role="transactions", as_of=None):
    """What is said of a role."""
    found = open_sources(company.config(store=True), as_of or company.as_of).reread
    (line,) = [line for line in found if role in line]
    return line.removeprefix("engine.store: ")


def test_a_history_is_read_as_without_a_store(tmp_path):
    nights = list(live(tmp_path, seed=0))
    assert sum(read for _, read, _ in nights)
    assert sum(kept for _, _, kept in nights)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 12))
def test_more_histories_are_read_as_without_a_store(tmp_path, seed):
    assert sum(read for _, read, _ in live(tmp_path, seed))


@pytest.mark.parametrize(
    "change", sorted(set(CHANGES), key=lambda change: change.__name__), ids=lambda c: c.__name__
)
def test_no_change_goes_unseen(warm, change):
    change(warm)
    found = state(warm.config(store=True), warm.as_of, warm)
    assert found == state(warm.config(store=False), warm.as_of, warm)


def test_what_is_read_again_is_said(company):
    assert line_of(company) == "transactions: 4 of 4 files are read again, 4 of them not known as they are"
    assert line_of(company) == "transactions: 0 of 4 files are read again"
    one = company.folder / "transactions" / "1.parquet"
    pd.read_parquet(one).iloc[1:].to_parquet(one, index=False)
    assert line_of(company) == "transactions: 2 of 4 files are read again, 2 of them not known as they are"
    for _ in range(2):  # it has just been written, and may be again: it is not kept, as the one beside it is
        assert (
            line_of(company) == "transactions: 1 of 4 files are read again, 1 of them not known as they are"
        )
    os.utime(one, OLD)
    line_of(company)
    assert line_of(company) == "transactions: 0 of 4 files are read again"
    told = []
    read_sources(company.config(store=True), company.as_of, told.append)
    assert "engine.store: contacts: 0 of 4 files are read again" in told
    read_sources(company.config(store=False), company.as_of, told.append)
    assert len([line for line in told if "engine.store" in line]) == 3  # the customers are no events


def test_times_of_the_night_or_later_are_not_kept_until_they_are_past(company):
    day = company.as_of - dt.timedelta(30)
    late = "transactions: 4 of 4 files are read again, 4 of them with times at or after the as-of date"
    assert line_of(company, as_of=day) == line_of(company, as_of=day) == late
    line_of(company)
    assert line_of(company) == "transactions: 0 of 4 files are read again"
    assert line_of(company, as_of=day) == late
    assert (
        line_of(company) == "transactions: 0 of 4 files are read again"
    )  # a night of the past has taken nothing


def test_other_names_are_the_same_files(warm):
    for path in warm.files():
        path.rename(path.with_name(f"moved-{path.name}"))
    assert line_of(warm) == "transactions: 0 of 4 files are read again"


def test_what_breaks_is_made_again(warm):
    damage(warm)
    found = state(warm.config(store=True), warm.as_of, warm)
    assert found == state(warm.config(store=False), warm.as_of, warm)
    assert line_of(warm) == "transactions: 0 of 4 files are read again"


def test_rows_that_cannot_be_kept_are_divided_all_the_same(warm):
    for path in layout_of(warm.config(store=True)).store.glob("*/*/rows-*"):
        path.unlink()
        path.mkdir()
    found = state(warm.config(store=True), warm.as_of, warm)
    assert found == state(warm.config(store=False), warm.as_of, warm)
    assert "rows of transactions" in found


def test_other_settings_or_another_program_know_nothing(warm, monkeypatch):
    company = warm
    company.settings = {"where": [{"column": "amount", "above": 1.0}]}
    assert line_of(company).startswith("transactions: 4 of 4")
    company.settings = {}
    monkeypatch.setattr(known_files, "code_digest", lambda: "another")
    assert line_of(company).startswith("transactions: 4 of 4")


def test_parts_that_nobody_uses_go_and_so_does_what_a_killed_run_has_begun(warm):
    config = warm.config(store=True)
    store = layout_of(config).store
    unused, begun = store / "transactions" / "other-part", next(store.glob("*/*")) / ".rows-x.1.tmp"
    unused.mkdir()
    begun.write_text("half")
    for path in (unused, begun):
        os.utime(path, OLD)
    kept = {path for path in store.glob("*/*") if path != unused}
    for path in kept:
        os.utime(path, OLD)  # an earlier night's
    open_sources(config, warm.as_of)
    assert set(store.glob("*/*")) == kept
    assert not begun.exists()


@pytest.mark.slow
def test_many_parts_become_few(company, monkeypatch):
    monkeypatch.setattr(known_files, "_MOST", 4)
    monkeypatch.setattr(known_files, "_LARGEST", 2)
    monkeypatch.setattr(known_files, "_SHARE", 1 / 2)
    for day in range(3):
        line_of(company)
        rows = company.rows("transactions", 3, 20)
        rows["occurred_at"] -= pd.Timedelta(days=2)
        path = company.folder / "transactions" / f"day{day:02d}.parquet"
        rows.assign(known_at=rows["occurred_at"]).to_parquet(path, index=False)
        os.utime(path, OLD)
    line_of(company)
    assert line_of(company).startswith("transactions: 3 of 7")  # those of a day each become one part
    assert line_of(company) == "transactions: 0 of 7 files are read again"
    parts = open_sources(company.config(store=True), company.as_of).parts["transactions"].parts
    assert len(parts) == 3
    found = state(company.config(store=True), company.as_of, company)
    assert found == state(company.config(store=False), company.as_of, company)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"distinct": True}, "its rows are compared with each other, by distinct or transaction_id"),
        ({"uri": "sales.csv"}, "rows are kept of Parquet files only, which all have the same columns"),
        ({"uri": "other"}, "rows are kept of Parquet files only, which all have the same columns"),
        (
            {"uri": "day=*/sales.parquet"},
            "rows are kept of Parquet files only, which all have the same columns",
        ),
        (
            {"uri": "sqlite:///shop.db#sales"},
            "rows are kept of Parquet files only, which all have the same columns",
        ),
    ],
)
def test_what_is_read_again_every_night_is_named(company, settings, why):
    rows = pd.read_parquet(company.folder / "transactions" / "1.parquet")
    rows.to_csv(company.folder / "sales.csv", index=False)
    (company.folder / "other").mkdir()
    rows.to_parquet(company.folder / "other" / "a.parquet", index=False)
    rows.assign(more=1).to_parquet(company.folder / "other" / "b.parquet", index=False)
    for day in ("day=1", "day=2"):
        (company.folder / day).mkdir()
        rows.to_parquet(company.folder / day / "sales.parquet", index=False)
    to_sqlite(company.folder / "shop.db", {"sales": rows})
    company.settings = settings
    assert line_of(company) == f"transactions is read again: {why}"
    assert line_of(company, "customers") == "customers is read again: rows are kept of events only"
    assert not (layout_of(company.config(store=True)).store / "transactions").exists()


def test_tables_of_some_customers_have_no_rows_of_the_others(warm):
    features = []
    for store in (True, False):
        config = warm.config(store=store)
        sources = open_sources(config, warm.as_of)
        some = {
            role: table.filter(table.customer_id.isin(["c01", "c07"]))
            for role, table in sources.tables.items()
        }
        features.append(build_matrix(replace(sources, tables=some), config, [warm.as_of]).frame)
    assert set(features[0]["customer_id"]) == {"c01", "c07"}
    pd.testing.assert_frame_equal(*features)


def test_bad_rows_are_not_kept(company):
    one = company.folder / "transactions" / "1.parquet"
    table = pd.read_parquet(one)
    table.loc[0, "amount"] = -1.0
    table.to_parquet(one, index=False)
    os.utime(one, OLD)
    errors = set()
    for store in (False, True, True):
        with pytest.raises(DataError) as error:
            open_sources(company.config(store=store), company.as_of)
        errors.add(str(error.value))
    assert len(errors) == 1

"""Nights made afterwards: in order, by what was known then, and without a trace in any delivered night."""

import datetime as dt
import json
import shutil

import pandas as pd
import pytest

from configs.errors import ConfigError, DataError
from pipeline.backfill import backfill, nights_of
from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.scoring.score import score
from tests.faults.conftest import YESTERDAY, quiet, shop
from tests.faults.sweep import contents

FIRST = dt.date(2025, 10, 20)
LAST = YESTERDAY + dt.timedelta(5)
TOMORROW = YESTERDAY + dt.timedelta(1)

pytestmark = pytest.mark.usefixtures("patient")


def copied(trained, place):
    shutil.copytree(trained, place, symlinks=True, ignore=shutil.ignore_patterns("mlartifacts"))
    return shop(place)


def filled(config, first=FIRST, last=LAST, every=21):
    return backfill(config, first, last, every, None, dry_run=False, say=quiet)


@pytest.fixture(scope="module")
def both(trained, tmp_path_factory):
    """A home whose past was made afterwards, what that said, and one as it was."""
    place = tmp_path_factory.mktemp("backfill")
    with_past, without = (copied(trained, place / name) for name in ("with", "without"))
    return with_past, filled(with_past), without


@pytest.mark.slow
def test_every_night_is_there_but_the_delivered_one_stays(both):
    config, result, without = both
    layout, before = layout_of(config), contents(layout_of(without).folder)
    rows = result.values["nights"]
    assert [(row["as_of"], row["state"].split(",")[0]) for row in rows] == [
        ("2025-10-20", "made"),
        ("2025-11-10", "made"),
        ("2025-12-01", "delivered"),
    ]
    after = contents(layout.folder)
    assert {name: after[name] for name in before} == before, "nothing that was there has changed"
    assert ledger.dates(layout.ledger) == [YESTERDAY]
    for row in rows[:2]:
        run = layout.runs / row["as_of"]
        manifest = json.loads((run / "manifest.json").read_text())
        assert manifest["delivered"] is False
        assert manifest["rows"]["outreach"] == row["listed"] > 0
        assert (layout.ledger / f"as_of={row['as_of']}" / ledger.NOT_DELIVERED).is_file()
    assert json.loads((layout.latest / "manifest.json").read_text())["delivered"] is True


@pytest.mark.slow
def test_no_other_night_notices(both):
    config, _, without = both
    for home in (config, without):
        score(home, TOMORROW, None, dry_run=False, say=quiet)
    one, other = (contents(layout_of(home).folder) for home in (config, without))
    made = {name for name in one if "2025-10-20" in name or "2025-11-10" in name}
    assert made
    assert {name: value for name, value in one.items() if name not in made} == other


@pytest.mark.slow
def test_again_gives_the_same_bytes_and_order_of_rows_and_later_ones_change_nothing(both, tmp_path):
    config, _, _ = both
    home = copied(config.home, tmp_path / "again")
    purchases = home.home / "transactions.parquet"
    rows = pd.read_parquet(purchases)
    later = rows.loc[rows["occurred_at"] >= "2025-11-10"].assign(amount=99.0)
    rows = pd.concat([rows.loc[rows["occurred_at"] < "2025-11-10"], later]).sample(frac=1, random_state=1)
    rows.to_parquet(purchases)
    names = [f"runs/2025-11-10/{name}" for name in ("outreach.csv", "scores.parquet", "suppressed.csv")]
    names.append(f"ledger/as_of=2025-11-10/{ledger.NOT_DELIVERED}")
    before = contents(layout_of(home).folder)
    filled(home, dt.date(2025, 11, 10), dt.date(2025, 11, 10))
    after = contents(layout_of(home).folder)
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


@pytest.mark.slow
def test_what_became_known_later_is_not_seen(both, tmp_path):
    config, _, _ = both
    home = copied(config.home, tmp_path / "late")
    purchases = home.home / "transactions.parquet"
    rows = pd.read_parquet(purchases).assign(known_at=lambda t: t["occurred_at"])
    late = rows.head(400).assign(
        occurred_at=pd.Timestamp("2025-11-01"), known_at=pd.Timestamp("2025-11-11"), amount=500.0
    )
    pd.concat([rows, late]).to_parquet(purchases)
    source = home.sources.transactions
    columns = source.columns.model_copy(
        update={"known_at": type(source.columns.occurred_at)(column="known_at")}
    )
    roles = home.sources.model_copy(update={"transactions": source.model_copy(update={"columns": columns})})
    before = (layout_of(home).runs / "2025-11-10" / "scores.parquet").read_bytes()
    filled(home.model_copy(update={"sources": roles}), dt.date(2025, 11, 10), dt.date(2025, 11, 10))
    assert (layout_of(home).runs / "2025-11-10" / "scores.parquet").read_bytes() == before


@pytest.mark.slow
def test_a_single_night_behind_a_delivered_one_is_no_contact_either(trained, tmp_path):
    config = copied(trained, tmp_path / "late")
    before = contents(layout_of(config).folder)
    late = score(config, FIRST, None, dry_run=False, say=quiet)
    assert "made afterwards and not delivered" in late.text
    assert late.values["delivered"] is False
    again = score(config, YESTERDAY, None, dry_run=False, say=quiet)
    assert again.exit_code == 0, again.text
    after = contents(layout_of(config).folder)
    assert {name: after[name] for name in before} == before


def test_it_stops_at_the_first_fault_and_says_what_is_done(trained, tmp_path):
    config = copied(trained, tmp_path / "stops")
    with pytest.raises(DataError) as told:
        filled(config, dt.date(2025, 11, 30), dt.date(2026, 11, 30), 300)
    lines = str(told.value).splitlines()
    assert lines[0].startswith("2026-09-26: ")
    assert lines[-1] == (
        "1 night is done, 2025-11-30 to 2025-11-30; mend it, then go on with --as-of 2026-09-26 --until 2026-11-30 "
        "--every 300"
    )
    layout = layout_of(config)
    assert sorted(path.name for path in layout.runs.iterdir() if path.is_dir()) == [
        "2025-11-30",
        "2025-12-01",
    ]


def test_the_nights_are_counted_from_the_first(trained):
    config = shop(trained)
    assert [d.day for d in nights_of(config, dt.date(2025, 1, 1), dt.date(2025, 1, 10), 4)] == [1, 5, 9]
    assert nights_of(config, FIRST, FIRST, 1) == [FIRST]
    with pytest.raises(ConfigError, match="--until: 2025-10-19 is before --as-of 2025-10-20"):
        nights_of(config, FIRST, FIRST - dt.timedelta(1), 1)

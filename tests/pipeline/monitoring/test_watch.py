"""A night's monitoring on a small company: nothing on a quiet night, each fault by its name, the config's word."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from benchmarks.monitoring import FAULTS, frames_of, night, trained, written
from configs.errors import DataError
from pipeline.demo import END, START, simulate
from pipeline.languages.said import NO_LINE, Said
from pipeline.monitoring.checks import Check, frame_of, ruled
from pipeline.monitoring.watch import Watched

# For a company as small as this three weeks tell what a night tells of larger ones.
SINCE = END - dt.timedelta(days=21)
QUICK = [
    "price x100",
    "ids that stop joining",
    "another population",
]


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A company of 300 customers, and what a training of it keeps."""
    folder = tmp_path_factory.mktemp("watched")
    simulate(folder / "demo", "non_contractual", 300, START, END, seed=7)
    frames = frames_of(folder / "demo")
    config = quick(written(frames, folder / "files"))
    return folder, frames, config, trained(config, SINCE)


def quick(config):
    """Few windows and snapshots."""
    features = config.features.model_copy(update={"windows_days": [90]})
    snapshots = config.snapshots.model_copy(update={"max_count": 8})
    return config.model_copy(update={"features": features, "snapshots": snapshots})


def test_a_quiet_night_says_nothing_and_a_training_keeps_no_person(company):
    folder, frames, config, metadata = company
    found = night(config, SINCE + dt.timedelta(days=1), metadata, folder / "ledger")
    assert found.lines == ()
    assert len(found.checks) > 100
    kept = str(metadata)
    assert not any(name in kept for name in frames["customers"]["name"].head(20))
    assert not any(f"'{who}'" in kept for who in frames["customers"]["customer_id"])


@pytest.mark.parametrize("fault", QUICK)
def test_a_fault_is_found_in_its_place(company, fault):
    folder, frames, _, metadata = company
    where, change = FAULTS[fault]
    config = quick(written(change(frames, pd.Timestamp(SINCE)), folder / "changed"))
    found = night(config, END, metadata, folder / "ledger")
    assert any(c.place.startswith(where) or c.name == where for c in found.outside), found.lines


LOOKS = (
    Check("volume", "contacts", 1, 5, 9, Said("rows"), "look", Said("see it"), 3.0),
    Check("values", "usage.value", 1, 5, 9, NO_LINE, "look", Said("see it"), 2.0),
    Check("hours", "usage", 1, 0, 9),
)


def test_the_config_says_what_is_ignored_and_what_stops(company):
    settings = company[2].monitoring.model_copy
    verdicts = [c.verdict for c in ruled(LOOKS, settings())]
    assert verdicts == ["look", "look", "as expected"]
    for pattern, left in (("volume", "values"), ("values usage.*", "volume"), ("volume contacts", "values")):
        (check,) = Watched(ruled(LOOKS, settings(update={"ignore": [pattern]}))).outside
        assert check.name == left
    stopped = Watched(ruled(LOOKS, settings(update={"stop_when": ["volume", "hours"]})))
    with pytest.raises(
        DataError, match=r"stops the list: 1 found.*\n.*volume contacts: 1 rows, expected 5 to 9"
    ):
        stopped.require()
    Watched(ruled(LOOKS, settings(update={"stop_when": ["hours"]}))).require()


def test_many_findings_of_a_kind_are_a_few_lines():
    checks = tuple(Check("features", f"f{k}", k, 0, 1, "", "look", "see it", 2.0 + k) for k in range(9))
    lines = Watched(checks).lines
    assert [line.split(":")[0] for line in lines] == ["features f8", "features f7", "features f6", "features"]
    assert lines[-1] == "features: also f5, f4, f3 and 3 more; see `monitoring.csv`"


def test_the_table_is_one_row_a_check_with_numbers_to_four_digits(tmp_path):
    found = Watched((Check("values", "a.b", 1 / 3, 0.1, np.pi * 1000, "x", "look", "see", 2.0), LOOKS[2]))
    found.write(tmp_path)
    table = pd.read_parquet(tmp_path / "monitoring.parquet")
    pd.testing.assert_frame_equal(table.fillna(""), frame_of(found.checks).fillna(""))
    assert table.iloc[0].tolist() == ["values", "a.b", "look", 0.3333, 0.1, 3142.0, "x", "see"]
    assert found.metrics == {
        "monitoring/checks": 2,
        "monitoring/look": 1,
        "monitoring/hours": 0,
        "monitoring/values": 2,
    }
    assert Watched().files == ()

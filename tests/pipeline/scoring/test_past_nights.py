import datetime as dt

import pandas as pd
import pytest

from configs.monitoring import CHECKS
from pipeline.monitoring.checks import LOOK, STOP
from pipeline.scoring.past_nights import GROUPS, past_nights

DAY = dt.date(2026, 7, 30)
DELIVERED = [DAY + dt.timedelta(days) for days in range(-30, 2)]


def write(runs, day, names, verdict=LOOK):
    (runs / str(day)).mkdir(parents=True)
    table = pd.DataFrame({"check": [*names, "volume"], "verdict": [verdict] * len(names) + ["as expected"]})
    table.to_parquet(runs / str(day) / "monitoring.parquet")


def test_findings_of_the_last_nights_by_kind(tmp_path):
    write(tmp_path, DAY - dt.timedelta(2), ["silence", "features", "features"])
    write(tmp_path, DAY - dt.timedelta(1), ["ids"], STOP)
    write(tmp_path, DAY, ["scores"])
    write(tmp_path, DAY + dt.timedelta(1), ["scores"])
    found = past_nights(tmp_path, DELIVERED, DAY, ())
    assert [row.day.day for row in found] == [28, 29]
    assert [dict(row.found) for row in found] == [
        {"freshness": 1, "drift": 2, "model": 0, "rows": 0},
        {"freshness": 0, "drift": 0, "model": 0, "rows": 1},
    ]


def test_a_night_that_was_made_afterwards_is_no_part_of_it(tmp_path):
    for days in (1, 2, 3):
        write(tmp_path, DAY - dt.timedelta(days), ["silence"])
    shown = past_nights(tmp_path, [DAY - dt.timedelta(2)], DAY, ())
    assert [row.day.day for row in shown] == [28]


@pytest.mark.parametrize("content", [b"", b"PAR1"])
def test_a_night_that_cannot_be_read_is_left_out(tmp_path, content):
    write(tmp_path, DAY - dt.timedelta(1), [])
    (tmp_path / "2026-07-28").mkdir()
    (tmp_path / "2026-07-28" / "monitoring.parquet").write_bytes(content)
    (tmp_path / "2026-07-27").mkdir()
    assert [row.day.day for row in past_nights(tmp_path, DELIVERED, DAY, ())] == [29]


def test_there_are_no_more_than_a_fortnight_and_none_without_runs(tmp_path):
    for days in range(1, 30):
        write(tmp_path, DAY - dt.timedelta(days), [])
    assert len(past_nights(tmp_path, DELIVERED, DAY, ())) == 13  # and tonight
    assert past_nights(tmp_path / "none", DELIVERED, DAY, ()) == ()


def test_every_grouped_check_is_one_of_the_monitoring():
    assert set(GROUPS) <= set(CHECKS)

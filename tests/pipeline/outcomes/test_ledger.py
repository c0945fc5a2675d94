import datetime as dt
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.errors import ChurnError
from pipeline.outcomes import ledger

DAY = dt.date(2026, 7, 1)
ROOT = Path(__file__).parents[3]


def night(n=3, **changes):
    ids = [f"{i:04d}" for i in range(n)]
    rows = {
        "customer_id": ids,
        "churn_probability": [0.5] * n,
        "eligible": [True] * n,
        "chosen": [i == 0 for i in range(n)],
        "control": [i == 1 for i in range(n)],
        "usual": [False] * n,
        "trial": [i < 2 for i in range(n)],
        "propensity": [0.9] * n,
        "action": ["call"] * n,
        "channel": ["phone"] * n,
        "expected_gain": [1.0] * n,
        "value": [20.0] * n,
        "reasons": ["no purchase for 74 days | نظرسنجی"] * n,
        "model_version": ["3"] * n,
        "inputs": [[("rest", 2.0), ("plan: gold", 1.0)], None, None][:n] + [None] * (n - 3),
    }
    return pd.DataFrame(rows | changes)


def test_a_night_is_read_back(tmp_path):
    ledger.append(tmp_path, DAY, night())
    back = ledger.read_ledger(tmp_path)
    assert list(back.columns) == ledger.SCHEMA.names
    assert back.customer_id.tolist() == ["0000", "0001", "0002"]
    assert back.as_of.tolist() == [DAY] * 3
    assert back.reasons[0] == "no purchase for 74 days | نظرسنجی"


def test_the_same_night_twice_is_neither_doubled_nor_changed(tmp_path):
    first = ledger.append(tmp_path, DAY, night())
    before = first.path.read_bytes()
    shuffled = night().sample(frac=1, random_state=1)
    assert ledger.append(tmp_path, DAY, shuffled).state == "same"
    assert first.path.read_bytes() == before
    assert len(ledger.read_ledger(tmp_path)) == 3
    assert [p.name for p in first.path.parent.iterdir()] == [ledger.PART]


def test_another_decision_for_a_date_keeps_the_first_beside_it(tmp_path):
    first = ledger.append(tmp_path, DAY, night()).path.read_bytes()
    done = ledger.append(tmp_path, DAY, night(model_version=["4"] * 3))
    assert done.state == "changed"
    (kept,) = done.path.parent.glob("superseded-*")
    assert kept.read_bytes() == first
    # Another night of the same rows has the same name, whatever the machine.
    assert kept.name == f"superseded-{hashlib.sha256(first).hexdigest()[:12]}.parquet"
    assert ledger.read_ledger(tmp_path).model_version.tolist() == ["4"] * 3


def test_other_dates_are_left_alone(tmp_path):
    other = ledger.append(tmp_path, DAY, night()).path
    content, changed = other.read_bytes(), other.stat().st_mtime_ns
    ledger.append(tmp_path, DAY + dt.timedelta(1), night())
    assert (other.read_bytes(), other.stat().st_mtime_ns) == (content, changed)
    assert ledger.dates(tmp_path) == [DAY, DAY + dt.timedelta(1)]


def test_dates_are_half_open_and_rows_can_be_restricted(tmp_path):
    for days in range(4):
        ledger.append(tmp_path, DAY + dt.timedelta(days), night())
    part = ledger.recommended(tmp_path, DAY + dt.timedelta(1), DAY + dt.timedelta(3))
    assert part.customer_id.tolist() == ["0000", "0001"] * 2
    assert part.control.tolist() == [False, True] * 2


def test_no_ledger_is_an_empty_one(tmp_path):
    assert ledger.read_ledger(tmp_path / "none").empty
    assert list(ledger.recommended(tmp_path / "none", DAY, DAY)) == [
        "as_of",
        "customer_id",
        "channel",
        "control",
        "usual",
        "trial",
    ]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (night().drop(columns=["action", "value"]), "columns are missing: action, value"),
        (night(customer_id=["1", "1", "2"]), "twice, such as '1'"),
        (night(value=["a", "b", "c"]), "ledger: "),
    ],
)
def test_faulty_rows_are_refused(tmp_path, rows, says):
    with pytest.raises(ChurnError, match=says):
        ledger.append(tmp_path, DAY, rows)
    assert ledger.dates(tmp_path) == []


def test_nights_of_an_earlier_version_are_read_and_lack_what_it_did_not_know(tmp_path):
    path = ledger.append(tmp_path, DAY, night()).path
    pq.write_table(pq.read_table(path.open("rb")).drop_columns(["usual", "trial", "inputs"]), path)
    ledger.append(tmp_path, DAY + dt.timedelta(1), night(1))
    back = ledger.read_ledger(tmp_path)
    assert list(back.columns) == ledger.SCHEMA.names
    assert back.trial.tolist() == [None, None, None, True]
    assert back.inputs.tolist() == [None, None, None, [("rest", 2.0), ("plan: gold", 1.0)]]
    old = ledger.recommended(tmp_path, DAY, DAY + dt.timedelta(1))
    assert old[["control", "usual", "trial"]].to_numpy().tolist() == [[False] * 3, [True, False, False]]


def test_a_file_that_lacks_another_column_is_named(tmp_path):
    path = ledger.append(tmp_path, DAY, night()).path
    pq.write_table(pq.read_table(path.open("rb")).drop_columns(["value"]), path)
    with pytest.raises(ChurnError, match=r"part\.parquet: not readable: .*value"):
        ledger.read_ledger(tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    path = ledger.append(tmp_path, DAY, night()).path
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ChurnError, match=r"part\.parquet: not readable"):
        ledger.read_ledger(tmp_path)


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.pipeline.outcomes.test_ledger import DAY, dt, ledger, night
print("ready", flush=True)
for i in range(10_000):
    ledger.append(Path({folder!r}), DAY + dt.timedelta(i % 3), night(2_000, model_version=[str(i)] * 2_000))
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_whole_nights(tmp_path):
    kept = ledger.append(tmp_path, DAY - dt.timedelta(1), night()).path.read_bytes()
    script = WRITER.format(root=str(ROOT), folder=str(tmp_path))
    chance = random.Random(3)
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, env=dict(os.environ)
        )
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.01, 0.25))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        nights = ledger.read_ledger(tmp_path, start=DAY)
        sizes = nights.groupby("as_of").agg(
            rows=("customer_id", "size"), versions=("model_version", "nunique")
        )
        assert sizes.rows.isin([2_000]).all()
        assert (sizes.versions == 1).all()
    assert (tmp_path / "as_of=2026-06-30" / ledger.PART).read_bytes() == kept
    for days in range(3):
        done = ledger.append(tmp_path, DAY + dt.timedelta(days), night())
        assert not list(done.path.parent.glob(".*"))


def test_those_left_to_the_team_are_told_from_those_left_alone(tmp_path):
    ledger.append(
        tmp_path,
        DAY,
        night(chosen=[True, False, False], control=[False, True, True], usual=[False, False, True]),
    )
    found = ledger.recommended(tmp_path, DAY, DAY + dt.timedelta(1)).sort_values("customer_id")
    assert found[["control", "usual"]].to_numpy().tolist() == [[False, False], [True, False], [True, True]]


def test_customers_that_stand_there_twice_are_named_five_at_most(tmp_path):
    twice = pd.concat([night(7), night(7)])
    with pytest.raises(ChurnError, match=r"twice, such as '0000', '0001', '0002', '0003', '0004'$"):
        ledger.append(tmp_path, DAY, twice)

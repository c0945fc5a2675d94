"""What is logged of a night: a run with its figures and tables, once a date, until it is old."""

import datetime as dt
import math
from dataclasses import replace

from models.tracking.nights import clean_nightly, log_scoring, metric_points
from models.tracking.session import spoken_to


def log(tracking, day, customers=3.0, **more):
    return log_scoring(tracking, f"{day} tiny", {"customers": customers}, {"as_of": day}, **more)


def runs_of(tracking):
    with spoken_to(tracking) as client:
        experiment = client.get_experiment_by_name(f"{tracking.experiment} nightly")
        return client.search_runs([experiment.experiment_id], order_by=["tags.as_of"])


def test_a_night_that_runs_again_replaces_its_run_and_no_other(tracking):
    log(tracking, "2026-01-01", 1.0)
    log(tracking, "2026-01-02", 2.0)
    log(tracking, "2026-01-01", 9.0)
    log(replace(tracking, name="neighbour"), "2026-01-01", 7.0)
    found = [(run.data.tags["as_of"], run.data.metrics["customers"]) for run in runs_of(tracking)]
    assert sorted(found) == [("2026-01-01", 7.0), ("2026-01-01", 9.0), ("2026-01-02", 2.0)]


def test_the_words_and_tables_of_a_night_go_with_it_and_no_password(tracking):
    run = log(
        tracking,
        "2026-01-01",
        description="from postgresql://eva:secret@db/shop",
        files={"tables/rate.csv": "a\n1\n"},
    )
    with spoken_to(tracking) as client:
        found = client.get_run(run)
        assert [file.path for file in client.list_artifacts(run, "tables")] == ["tables/rate.csv"]
    assert found.info.status == "FINISHED"
    assert "secret" not in str(found.data.tags)
    assert found.data.tags["config"] == "tiny"


def test_old_nights_of_this_config_are_deleted_and_those_of_the_day_itself_stay(tracking):
    days = ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert clean_nightly(tracking, dt.date(2026, 1, 2)) == 0  # nothing was logged yet
    for day in days:
        log(tracking, day)
    log(replace(tracking, name="neighbour"), days[0])
    assert clean_nightly(tracking, dt.date(2026, 1, 2)) == 1
    left = [(run.data.tags["config"], run.data.tags["as_of"]) for run in runs_of(tracking)]
    assert sorted(left) == [("neighbour", days[0]), ("tiny", days[1]), ("tiny", days[2])]
    assert clean_nightly(tracking, dt.date(2026, 1, 2)) == 0


def test_what_is_not_finite_is_no_metric():
    steps = {"rate": [(1, 1_000, 70.0), (2, 2_000, math.inf)]}
    points = metric_points({"auc": 0.7, "ece": math.nan}, steps)
    assert [(m.key, m.value, m.step) for m in points] == [("auc", 0.7, 0), ("rate", 70.0, 1)]
    assert points[1].timestamp == 1_000

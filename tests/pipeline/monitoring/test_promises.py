"""Who the customers are and who has said no: what a night must not lose, though every row still reads and joins."""

import datetime as dt

import pandas as pd
import pytest

from pipeline.monitoring.promises import refusals, still_known, still_refused, unrecorded
from pipeline.outcomes import ledger
from pipeline.sources.opening import open_sources
from tests.pipeline.sources.in_databases import to_sqlite

LAST, NIGHT = dt.date(2024, 6, 1), dt.date(2024, 6, 2)
IDS = [f"c{k:03d}" for k in range(200)]


def bought(ids=IDS):
    return pd.DataFrame({"customer_id": ids, "occurred_at": pd.Timestamp("2024-05-05")})


def recorded(folder, ids=IDS):
    columns = dict.fromkeys(("eligible", "chosen", "control", "usual", "trial"), False)
    rows = pd.DataFrame({"customer_id": ids, "churn_probability": 0.5, **columns, "model_version": "1"})
    for name in ledger.SCHEMA.names:
        if name not in rows and name != "as_of":
            rows[name] = None
    ledger.append(folder, LAST, rows)
    return folder


def known(tiny, folder, ids, uri=None, night=NIGHT):
    settings = {"transactions": {"uri": uri}} if uri else None
    config = tiny(transactions=bought(ids), settings=settings)
    return list(still_known(recorded(folder / "ledger"), open_sources(config, night), night))


@pytest.mark.parametrize(
    ("ids", "found", "outside"),
    [
        (IDS, 1.0, False),
        ([*IDS[10:], "new"], 0.95, False),  # a few are deleted
        (IDS[30:], 0.85, True),
        ([f"N{k}" for k in range(200)], 0.0, True),  # all were given new ids
    ],
)
def test_customers_of_the_last_night_are_known_tonight(tiny, tmp_path, ids, found, outside):
    (check,) = known(tiny, tmp_path, ids)
    assert (check.name, check.place, check.found, check.outside) == ("ids", "ledger", found, outside)


def test_a_database_is_asked_the_same_for_ids(tiny, tmp_path):
    to_sqlite(tmp_path / "shop.db", {"orders": bought(IDS[50:])})
    (check,) = known(tiny, tmp_path, IDS[50:], f"sqlite:///{tmp_path}/shop.db#orders")
    assert check.found == 0.75


def test_without_an_earlier_night_nothing_is_compared(tiny, tmp_path):
    assert known(tiny, tmp_path, IDS, night=LAST) == []


def test_published_nights_that_the_ledger_lost_are_said(tmp_path):
    for day in ("2024-04-01", "2024-05-30", "2024-05-31", "2024-06-01", "2024-06-02"):
        (tmp_path / "runs" / day).mkdir(parents=True)
    recorded(tmp_path / "ledger")
    afterwards = tmp_path / "ledger" / "as_of=2024-05-31" / ledger.NOT_DELIVERED
    afterwards.parent.mkdir()
    afterwards.write_bytes(b"")
    (line,) = unrecorded(tmp_path / "runs", tmp_path / "ledger", NIGHT)
    assert line.startswith("the ledger lacks 2024-05-30, which were published")
    (tmp_path / "runs" / "2024-05-30").rmdir()
    assert unrecorded(tmp_path / "runs", tmp_path / "ledger", NIGHT) == []


def config_of(tiny, folder, answers, listed=("c001",)):
    (folder / "stop.txt").write_text("\n".join(listed))
    people = pd.DataFrame({"customer_id": IDS, "stop": answers, "may": answers})
    sections = {
        "outreach": {"opt_out": {"all": "stop"}, "consent": {"email": "may"}, "do_not_contact": "stop.txt"}
    }
    settings = {"customers": {"facts": {"stop": "stop", "may": "may"}}}
    mapped = {"customers": {"customer_id": "customer_id"}}
    return tiny(customers=people, transactions=bought(), sections=sections, settings=settings, mapped=mapped)


def told(tiny, folder, answers, listed=("c001",)):
    config = config_of(tiny, folder, answers, listed)
    return refusals(open_sources(config, NIGHT), config)


TEN = ["yes"] * 20 + ["no"] * 180
MANY = tuple(IDS[:40])


def test_refusals_are_a_no_to_a_consent_and_a_yes_to_an_opt_out(tiny, tmp_path):
    assert told(tiny, tmp_path, TEN, MANY) == {"stop": 0.1, "may": 0.9, "outreach.do_not_contact": 40}


@pytest.mark.parametrize(
    ("answers", "listed", "places"),
    [
        (TEN, MANY, []),
        (["yes"] * 16 + ["no"] * 184, MANY[:30], []),  # some have changed their mind
        ([""] * 200, MANY, ["customers.stop no"]),  # emptied: everybody would be contacted
        (["no"] * 20 + ["yes"] * 180, MANY, ["customers.stop no", "customers.may no"]),  # turned around
        (TEN, MANY[:20], ["outreach.do_not_contact"]),
    ],
)
def test_refusals_that_are_gone_are_said(tiny, tmp_path, answers, listed, places):
    was = told(tiny, tmp_path, TEN, MANY)
    now = told(tiny, tmp_path, answers, listed)
    checks = list(still_refused(now, was, len(IDS)))
    assert [check.place for check in checks if check.outside] == places
    assert all(check.advice.endswith("who said no would be contacted") for check in checks if check.outside)


def test_few_refusals_and_champions_of_earlier_versions_are_not_compared():
    assert list(still_refused({"stop": 0.0}, {"stop": 0.02}, 200)) == []
    assert list(still_refused({"stop": 0.0}, None, 200)) == []
    assert list(still_refused({}, {"stop": 0.5}, 200)) == []

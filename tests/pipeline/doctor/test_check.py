"""The doctor: one fault each, told by the check that is responsible for it, with its mend."""

import datetime as dt

import pandas as pd
import pytest
from filelock import FileLock

from pipeline.doctor import system
from pipeline.doctor.check import check
from pipeline.doctor.findings import Finding, exit_code_of, shown_findings
from pipeline.layout import layout_of

AS_OF = dt.date(2024, 7, 1)


def purchases(customers=40, days=400):
    rows = [
        (f"{k:03d}", pd.Timestamp(AS_OF) - pd.Timedelta(days=days - d), 5.0)
        for k in range(customers)
        for d in range(k % 20, days - (100 if k % 3 == 0 else 0), 20)
    ]
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"])


def people(**more):
    return pd.DataFrame({"customer_id": [f"{k:03d}" for k in range(40)], "plan": ["a", "b"] * 20, **more})


def states(result):
    return {one["check"]: one["state"] for one in result.values["checks"]}


def test_a_sound_set_up_passes_all_checks(tiny):
    result = check(tiny(transactions=purchases()), AS_OF)
    assert set(states(result).values()) == {"ok"}
    assert result.exit_code == 0
    assert result.text.splitlines()[-1] == "13 of 13 checks passed"
    assert result.values["passed"] == 13


def broken(tiny, name):
    customers = {"mapped": {"customers": {"customer_id": "customer_id"}}}
    if name == "sources":
        return tiny(transactions="customer_id,occurred_at\n1,soon\n2,later\n"), AS_OF
    if name == "freshness":
        return tiny(transactions=purchases()), AS_OF + dt.timedelta(days=20)
    if name == "joins":
        half = people()[:10]
        return tiny(transactions=purchases(), customers=half, **customers), AS_OF
    if name == "ids":
        table = purchases()
        table.loc[::7, "customer_id"] = "X" + table["customer_id"]
        table.loc[::9, "customer_id"] = table["customer_id"].str.lower()
        return tiny(transactions=table), AS_OF
    if name == "attributes":
        table = people(status=["active", "cancelled"] * 20)
        settings = {"customers": {"attributes": ["status"]}}
        return tiny(transactions=purchases(), customers=table, settings=settings, **customers), AS_OF
    if name == "the list":
        outreach = {"opt_out": {"email": "plans"}, "value": {"segment": "plan"}}
        settings = {"customers": {"attributes": ["plan"]}}
        sections = {"outreach": outreach}
        return tiny(
            transactions=purchases(), customers=people(), settings=settings, sections=sections, **customers
        ), AS_OF
    if name == "permission":
        table = people(**{"E-Mail erlaubt": ["ja", "nein"] * 20})
        settings = {"customers": {"attributes": ["E-Mail erlaubt"]}}
        return tiny(transactions=purchases(), customers=table, settings=settings, **customers), AS_OF
    if name == "never":
        config = tiny(transactions=purchases(), sections={"outreach": {"do_not_contact": "stop.csv"}})
        (config.home / "stop.csv").write_text("ann@example.org\n")
        return config, AS_OF
    if name == "enough data":
        return tiny(transactions=purchases(), sections={"snapshots": {"min_history_days": 360}}), AS_OF
    if name == "tracking":
        config = tiny(transactions=purchases())
        (config.home / "mlflow.db").write_bytes(b"no database" * 100)
        return config, AS_OF
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("name", "state", "code", "told"),
    [
        ("sources", "fault", 1, "is not a date or time"),
        ("freshness", "look", 3, "write `as_of: 2024-07-01`"),
        ("joins", "look", 3, "min_known_share"),
        ("ids", "look", 3, "differ in their form only"),
        ("attributes", "look", 3, "features.exclude: [status]"),
        ("the list", "fault", 1, "no column 'plans'; did you mean 'plan'?"),
        ("never", "look", 3, "1 of 1 ids of `outreach.do_not_contact` matches no customer"),
        ("permission", "look", 3, "write `outreach.consent: {email: 'E-Mail erlaubt'}`"),
        ("enough data", "look", 3, "bring more history"),
        ("tracking", "fault", 1, "mlflow.db"),
    ],
)
def test_each_fault_is_told_first_by_its_own_check_with_the_mend(tiny, name, state, code, told):
    result = check(*broken(tiny, name))
    name = {"ids": "joins", "never": "the list", "permission": "the list"}.get(name, name)
    assert states(result)[name] == state
    assert result.text.startswith(state)
    first = next(one for one in result.values["checks"] if one["check"] == name)
    assert told in " ".join(first["lines"])
    assert result.exit_code == code
    hidden = {"not reached"} if name in ("sources", "tracking") else set()
    assert {s for n, s in states(result).items() if n != name} == {"ok", *hidden}


def test_a_fact_is_a_column_that_the_list_may_name(tiny):
    customers = people(name=[f"N{k}" for k in range(40)])
    settings = {"customers": {"attributes": ["plan"], "facts": ["name"]}}
    sections = {"outreach": {"columns": {"name": "name"}, "value": {"segment": "plan"}}}
    mapped = {"customers": {"customer_id": "customer_id"}}
    config = tiny(
        transactions=purchases(), customers=customers, settings=settings, sections=sections, mapped=mapped
    )
    assert states(check(config, AS_OF))["the list"] == "ok"


def test_where_every_row_went_is_told(tiny):
    table = purchases()
    late = table.assign(occurred_at=table["occurred_at"] + pd.Timedelta(days=900))[:7]
    result = check(tiny(transactions=pd.concat([table, late])), AS_OF)
    assert (
        f"{len(table) + 7:,} rows = {len(table):,} read + 7 left out by lying at or after 2024-07-01"
        in result.text
    )
    sources = next(one for one in result.values["checks"] if one["check"] == "sources")
    assert sources["rows"]["transactions"]["read"] == len(table)


def test_a_run_that_is_at_work_is_seen_and_left_alone(tiny):
    config = tiny(transactions=purchases())
    runs = layout_of(config).runs
    runs.mkdir(parents=True)
    with FileLock(runs / ".score.lock"):
        assert "churn score is at work" in system._lock(config).told
    assert system._lock(config).state == "ok"


def test_a_full_disk_is_a_look(tiny, monkeypatch):
    monkeypatch.setattr(
        system.shutil, "disk_usage", lambda path: system.shutil._ntuple_diskusage(9, 8, 10**8)
    )
    assert system._outputs(tiny(transactions=purchases())).state == "look"


def test_the_columns_and_the_advice_are_there_when_asked_for(tiny):
    result = check(tiny(transactions=purchases()), AS_OF, full=True)
    assert "another purchase follows within" in result.text
    assert {one["column"] for one in result.values["columns"]["transactions"]} >= {"customer_id", "amount"}
    assert result.values["advice"]["horizon_days"]


def test_the_worst_state_decides_the_exit_code():
    states = ("ok", "not reached", "look", "later", "fault")
    codes = [exit_code_of([Finding("a", "ok", ""), Finding("b", state, "")]) for state in states]
    assert codes == [0, 0, 3, 3, 1]
    assert (
        shown_findings([Finding("a", "ok", "x"), Finding("b", "fault", "y", ("z",))])
        .splitlines()[0]
        .startswith("fault")
    )


@pytest.fixture
def labelled(tiny):
    """A table of one row a customer; `status` tells of all but three of 80 who is gone, or of all."""

    def made(wrong, name="status", **more):
        gone = [k % 2 for k in range(80)]
        status = [("gone", "here")[(left + (k < wrong)) % 2 == 0] for k, left in enumerate(gone)]
        rows = {"id": [f"{k:02d}" for k in range(80)], "fee": [k * 7 % 80 for k in range(80)]}
        table = pd.DataFrame({**rows, name: status, "left": gone, **more})
        return tiny(
            kind="labelled",
            customers=table,
            mapped={"customers": {"customer_id": "id", "churned": "left"}},
            settings={"customers": {"attributes": ["fee", name]}},
            churn={"horizon_days": 30},
        )

    return made


def attributes_of(result):
    return next(one for one in result.values["checks"] if one["check"] == "attributes")


def test_a_table_whose_status_tells_who_is_gone_is_looked_at_wherever_it_is_asked(labelled):
    result = check(labelled(wrong=3), AS_OF, full=True)
    found = attributes_of(result)
    assert (found["state"], result.exit_code) == ("look", 3)
    assert "attribute status alone separates" in found["lines"][0]
    assert "written after the fact" not in result.text


def test_a_status_that_tells_everything_is_the_fault_that_a_training_would_refuse(labelled):
    found = attributes_of(check(labelled(wrong=0), AS_OF))
    assert found["state"] == "fault"
    assert "status" in found["lines"][0]
    assert "AUC 1.0000" in found["lines"][0]


def test_a_table_without_such_a_column_or_without_labels_says_so(labelled):
    assert attributes_of(check(labelled(wrong=40, name="plan"), AS_OF))["state"] == "ok"
    assert attributes_of(check(labelled(wrong=3, left=[""] * 80), AS_OF))["state"] == "not reached"

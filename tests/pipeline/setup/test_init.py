"""From a new user's files to a config that the check passes, without an edit."""

import datetime as dt
import sqlite3
import time

import pandas as pd
import pytest
from shapes import LAST, SHAPES, bought

from configs.errors import ConfigError, DataError
from configs.schema import load_config
from pipeline.doctor.check import check
from pipeline.result import Result
from pipeline.setup.init import init
from pipeline.setup.interview import Given

TODAY = dt.date(2024, 11, 1)
# Of the processor, from the files to the end of the check; a busy machine does not count.
MOST_SECONDS = 20
KIND = {"university": "contractual", "subscriptions": "contractual", "label": "labelled"}
ROLES = {
    "retail": {"transactions", "cancellations"},
    "fixed_width": {"transactions"},
    "shop": {"transactions", "cancellations"},
    "persian": {"transactions"},
    "university": {"customers", "usage"},
    "webshop": {"customers", "transactions"},
    "tickets": {"transactions", "contacts"},
    "label": {"customers"},
}


def checked(file, say):
    config = load_config(file, environ={"CHURN__MODEL__TREES": "5", "CHURN__MODEL__SEEDS": "1"})
    return check(config, config.as_of or TODAY, say=say)


def begin(files, out, given=None, ask=None, check=lambda out, say: Result("not checked", {})):
    return init(list(map(str, files)), out, given or Given(), ask, today=TODAY, check=check)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_config_passes_the_check_without_an_edit(shape, tmp_path):
    asked = []
    files, out = SHAPES[shape](tmp_path), tmp_path / "churn.yaml"
    start = time.process_time()
    result = begin(files, out, ask=lambda what, guess: asked.append(what) or guess, check=checked)
    assert time.process_time() - start < MOST_SECONDS
    config = load_config(tmp_path / "churn.yaml", environ={})
    assert result.exit_code == 0, result.text
    assert config.churn.kind == KIND.get(shape, "non_contractual")
    assert set(config.sources.given) == ROLES.get(shape, set(config.sources.given))
    assert len(asked) == (1 if shape == "label" else 0)
    if shape != "label":
        assert LAST <= config.as_of <= LAST + dt.timedelta(days=1)


REAL = {
    "online_retail/online_retail.parquet": ("non_contractual", dt.date(2011, 12, 10)),
    "cdnow/CDNOW_sample.txt": ("non_contractual", dt.date(1998, 7, 1)),
    "open_university": ("contractual", dt.date(2015, 5, 27)),
    "telco": ("labelled", None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_files_pass_the_check_without_an_edit(name, datasets, tmp_path):
    asked, start = [], time.process_time()
    out = tmp_path / "churn.yaml"
    result = begin([datasets / name], out, ask=lambda what, guess: asked.append(what) or guess, check=checked)
    assert time.process_time() - start < MOST_SECONDS
    config = load_config(out, environ={})
    assert result.exit_code == 0, result.text
    assert (config.churn.kind, config.as_of) == REAL[name]
    assert len(asked) == (config.churn.kind == "labelled")


@pytest.mark.parametrize("shape", ["retail", "shop", "webshop", "tickets"])
def test_every_purchase_is_read_with_its_amount(shape, tmp_path):
    files = SHAPES[shape](tmp_path)
    begin(files, tmp_path / "churn.yaml")
    from pipeline.sources.opening import open_sources

    opened = open_sources(load_config(tmp_path / "churn.yaml", environ={}), TODAY)
    frame = bought(seed={"retail": 0, "shop": 1, "webshop": 6, "tickets": 5}[shape])
    number = range(len(frame))
    if shape == "retail":
        kept = [(n + 536365) % 25 and (n + 536365) % 19 for n in number]
        expected = 2 * frame.amount[[bool(k) for k in kept]].sum()
    elif shape == "shop":
        expected = frame.amount[[n % 40 != 7 and n % 23 != 5 for n in number]].sum()
    elif shape == "webshop":
        kept = frame.amount[[n % 50 != 3 for n in number]]
        expected = kept.sum()
        assert opened.tables["transactions"].count().to_pyarrow().as_py() == len(kept)
    else:
        expected = frame.amount.sum()
    found = opened.tables["transactions"].amount.sum().to_pyarrow().as_py()
    assert found == pytest.approx(expected)


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "churn.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"is there already and stays as it is; give --config OTHER\.yaml"):
        begin(SHAPES["label"](tmp_path), tmp_path / "churn.yaml")
    assert (tmp_path / "churn.yaml").read_text() == "mine"


def test_without_a_person_the_guess_is_taken_and_said(tmp_path):
    result = begin(SHAPES["label"](tmp_path), tmp_path / "churn.yaml")
    assert "not sure  days that the label speaks of: took 30; --horizon-days says otherwise" in result.text
    assert result.values["questions"] == 0


def few(folder, name="id,when,paid", day="%d/%m/%Y"):
    """Purchases of the first six days of six months: day and month could be swapped."""
    lines = [name]
    for month in range(1, 7):
        lines += [f"{k % 7},{dt.date(2024, month, 1 + k % 6):{day}},{k}.5" for k in range(36)]
    (folder / "o.csv").write_text("\n".join(lines) + "\n")
    return [folder / "o.csv"]


@pytest.mark.parametrize(("dates", "form"), [("dmy", "%d/%m/%Y"), ("mdy", "%m/%d/%Y")])
def test_dates_that_read_both_ways_are_settled_by_a_flag_or_a_person(dates, form, tmp_path):
    files = few(tmp_path)
    asked = []

    def ask(what, guess):
        asked.append(what)
        return dates if "day or month first" in what else guess

    begin(files, tmp_path / "asked.yaml", ask=ask)
    begin(files, tmp_path / "flag.yaml", Given(dates=dates))
    for name in ("asked", "flag"):
        config = load_config(tmp_path / f"{name}.yaml", environ={})
        assert config.sources.transactions.columns.occurred_at.format == form
    assert len(asked) <= 3


def test_a_config_whose_check_fails_is_written_and_the_fault_is_told(tmp_path):
    lines = ["id,at,paid", *(f"{k % 8},2024-05-0{1 + k % 9},5.5" for k in range(40))]
    (tmp_path / "o.csv").write_text("\n".join(lines))
    result = begin([tmp_path / "o.csv"], tmp_path / "churn.yaml", check=checked)
    assert "9 days of purchases are too few to look at gaps" in result.text
    assert result.exit_code == 3
    assert (tmp_path / "churn.yaml").exists()


def test_two_words_of_a_label_are_told_apart(tmp_path):
    text = tmp_path / "t.csv"
    rows = [f"{k},{k % 5},{'Attrited Customer' if k % 4 == 0 else 'Existing Customer'}" for k in range(300)]
    text.write_text("\n".join(["CLIENTNUM,visits,Attrition_Flag", *rows]))
    begin([text], tmp_path / "churn.yaml")
    churn = load_config(tmp_path / "churn.yaml", environ={}).churn
    assert churn.churned_values == ["Attrited Customer"]


def test_examples_without_an_id_are_numbered(tmp_path):
    rows = [f"{k % 50},{k % 7},{('no', 'yes')[k % 3 == 0]}" for k in range(300)]
    (tmp_path / "t.csv").write_text("\n".join(["visits,complaints,churn", *rows]))
    begin([tmp_path / "t.csv"], tmp_path / "churn.yaml")
    customers = load_config(tmp_path / "churn.yaml", environ={}).sources.customers
    assert customers.columns.customer_id.row_number
    assert set(customers.attributes) == {"visits", "complaints"}


def test_several_contracts_a_customer_beside_a_table_of_customers(tmp_path):
    days = pd.date_range("2023-01-01", periods=300)
    account = [f"A{k % 60:02d}" for k in range(300)]
    end = [None if k % 4 else day + pd.Timedelta(days=90) for k, day in enumerate(days)]
    table = {"subscription_id": range(300), "account_id": account, "start_date": days, "end_date": end}
    pd.DataFrame({**table, "mrr": 20}).to_csv(tmp_path / "subscriptions.csv", index=False)
    people = pd.DataFrame({"account_id": sorted(set(account)), "signup_date": "2022-12-01"})
    people.assign(industry=["a", "b"] * 30).to_csv(tmp_path / "accounts.csv", index=False)
    begin([tmp_path], tmp_path / "churn.yaml")
    config = load_config(tmp_path / "churn.yaml", environ={})
    assert set(config.sources.given) == {"customers", "contracts"}
    assert config.sources.contracts.mapped["amount"].column == "mrr"
    assert set(config.sources.customers.mapped) == {"customer_id", "industry"}


def test_roles_are_given_by_a_flag_and_wrong_ones_are_refused(tmp_path):
    files = SHAPES["tickets"](tmp_path)
    begin(files, tmp_path / "a.yaml", Given(roles={"tickets": "none"}))
    assert set(load_config(tmp_path / "a.yaml", environ={}).sources.given) == {"transactions"}
    with pytest.raises(ConfigError, match="ticket, contact: give TABLE=ROLE; tables: orders, tickets"):
        begin(files, tmp_path / "b.yaml", Given(roles={"ticket": "contact"}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<!DOCTYPE html><html></html>", "is a web page, not a table"),
        ("", "is empty"),
        ("12,2024-01-01,7\n13,2024-01-02,8\n", "has no header"),
        ("colour,size\nred,1\nblue,2\n", "no column says who the customer is"),
    ],
)
def test_what_is_no_table_is_told_by_its_name(text, told, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=told) as caught:
        begin([tmp_path / "x.csv"], tmp_path / "churn.yaml")
    assert "x" in str(caught.value)
    assert not (tmp_path / "churn.yaml").exists()


def test_a_folder_of_daily_files_is_one_source(tmp_path):
    folder = tmp_path / "days"
    folder.mkdir()
    for month, rows in bought().groupby(bought()["at"].dt.strftime("%Y-%m")):
        rows[["customer", "at", "amount"]].to_csv(folder / f"{month}.csv", index=False)
    begin([folder], tmp_path / "churn.yaml")
    assert load_config(tmp_path / "churn.yaml", environ={}).sources.transactions.uri == "days/"


def test_the_tables_of_a_database(tmp_path):
    frame = bought(seed=7)
    with sqlite3.connect(tmp_path / "shop.db") as db:
        orders = frame.assign(order_id=range(len(frame)), at=frame["at"].astype(str))
        orders.rename(columns={"customer": "customer_id", "at": "ordered_at"}).drop(columns="day").to_sql(
            "orders", db, index=False
        )
    result = begin([f"sqlite:///{tmp_path}/shop.db"], tmp_path / "churn.yaml", check=checked)
    config = load_config(tmp_path / "churn.yaml", environ={})
    assert config.sources.transactions.uri == f"sqlite:///{tmp_path}/shop.db#orders"
    assert result.exit_code == 0, result.text


def test_a_permission_in_the_files_is_asked_from_the_first_config_on(tmp_path):
    begin(SHAPES["webshop"](tmp_path), tmp_path / "churn.yaml")
    config = load_config(tmp_path / "churn.yaml", environ={})
    assert config.outreach.consent == {"email": "consent_email"}
    assert config.sources.customers.facts["consent_email"].column == "Accepts Email Marketing"


def test_tables_whose_customers_never_meet_say_so(tmp_path):
    files = SHAPES["webshop"](tmp_path)
    people = pd.read_csv(files[1]).drop(columns="Email")
    people.to_csv(files[1], index=False)
    with pytest.raises(ConfigError) as told:
        begin(files, tmp_path / "churn.yaml")
    lines = [str(fault) for fault in told.value.faults]
    assert any("non_contractual needs sources.transactions" in line for line in lines)
    assert any("none of its" in line and "is known from" in line for line in lines)
    assert not (tmp_path / "churn.yaml").exists()

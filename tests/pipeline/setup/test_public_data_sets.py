"""Tables in the shapes of well-known public data sets, whose files may be called anything, through `churn init`."""

import sqlite3

import numpy as np
import pandas as pd
import pytest
from shapes import bought

from configs.errors import ChurnError
from configs.schema import load_config
from pipeline.result import Result
from pipeline.setup.init import init
from pipeline.setup.interview import Given

PURCHASES = bought(customers=120, seed=9).reset_index(drop=True)
NUMBER = np.arange(len(PURCHASES))
PERSON = PURCHASES.customer.to_numpy()
PEOPLE = np.unique(PERSON)
NAMES = np.array([f"q{k:04x}+/Zk=" for k in range(2000)], object)  # ids of a kind that no name tells


def streaming():
    """As of a music service: nobody calls the customer `msno`, and an age comes first that stands there again."""
    day = PURCHASES["at"].dt.strftime("%Y%m%d").astype(int)
    return {
        "members": {
            "msno": NAMES[PEOPLE],
            "bd": 20 + PEOPLE % 47,
            "gender": np.where(PEOPLE % 2, "male", "female"),
            "registration_init_time": 20230102,
        },
        "transactions": {
            "msno": NAMES[PERSON],
            "payment_plan_days": 30,
            "actual_amount_paid": PURCHASES.amount,
            "transaction_date": day,
        },
        "user_logs": {"msno": NAMES[PERSON], "date": day, "num_unq": NUMBER % 20, "total_secs": 1.5 * NUMBER},
    }


def clicks():
    """Views, carts and purchases in one log, each with a price."""
    kinds = np.where(NUMBER % 3 == 0, "purchase", np.where(NUMBER % 3 == 1, "view", "cart"))
    return {
        "2019-Oct": {
            "event_time": PURCHASES["at"].dt.strftime("%Y-%m-%d %H:%M:%S UTC"),
            "event_type": kinds,
            "product_id": NUMBER % 90,
            "price": PURCHASES.amount,
            "user_id": PERSON,
            "user_session": [f"s{n}" for n in NUMBER],
        }
    }


def behaviour():
    """A table that is called after customers and holds purchases, with a label on each row."""
    return {
        "ecommerce_customer_data": {
            "Customer ID": PERSON,
            "Purchase Date": PURCHASES["at"].dt.strftime("%Y-%m-%d %H:%M:%S"),
            "Product Price": 7,
            "Quantity": 2,
            "Total Purchase Amount": PURCHASES.amount,
            "Churn": PERSON % 2,
        }
    }


def fashion():
    """A price a row, and no word for a purchase."""
    return {
        "transactions_train": {
            "t_dat": PURCHASES["at"].dt.strftime("%Y-%m-%d"),
            "customer_id": NAMES[PERSON],
            "article_id": NUMBER % 70,
            "price": PURCHASES.amount,
        },
        "customers": {"customer_id": NAMES[PEOPLE], "age": 20 + PEOPLE % 47},
    }


SOLD = {"clicks": NUMBER % 3 == 0}
SETS = [streaming, clicks, behaviour, fashion]


def begun(folder, files):
    config = folder / "churn.yaml"
    result = init(
        [str(file) for file in files], config, Given(), None, check=lambda path, say: Result("", {}, 0)
    )
    return load_config(config, {}), result


@pytest.mark.parametrize("named", [True, False], ids=["named", "called x0, x1"])
@pytest.mark.parametrize("make", SETS)
def test_purchases_are_those_of_the_people_who_made_them(make, named, tmp_path):
    files = []
    for n, (name, columns) in enumerate(make().items()):
        files.append(tmp_path / f"{name if named else f'x{n}'}.csv")
        pd.DataFrame(columns).to_csv(files[-1], index=False)
    config, result = begun(tmp_path, files)
    from pipeline.sources.opening import open_sources

    opened = open_sources(config, config.as_of)
    sold = SOLD.get(make.__name__, np.ones(len(PERSON), bool))
    rows = opened.tables["transactions"]
    told = rows.aggregate(rows=rows.count(), people=rows.customer_id.nunique(), sum=rows.amount.sum())
    assert told.to_pyarrow().to_pylist() == [
        {
            "rows": sold.sum(),
            "people": len(np.unique(PERSON[sold])),
            "sum": pytest.approx(PURCHASES.amount[sold].sum()),
        }
    ], result.text
    assert not opened.look, result.text


def test_sheets_that_are_called_after_years_are_purchases(tmp_path):
    """Lines of invoices, half of them in each sheet."""
    lines = pd.DataFrame(
        {
            "Invoice": [str(489434 + n) for n in NUMBER],
            "StockCode": "85048",
            "Quantity": np.where(NUMBER % 25 == 0, -1, 1),
            "InvoiceDate": PURCHASES["at"],
            "Price": PURCHASES.amount,
            "Customer ID": PERSON,
        }
    )
    book, half = tmp_path / "online.xlsx", len(lines) // 2
    with pd.ExcelWriter(book) as writer:
        lines[:half].to_excel(writer, sheet_name="Year 2009-2010", index=False)
        lines[half:].to_excel(writer, sheet_name="Year 2010-2011", index=False)
    config, result = begun(tmp_path, [book])
    from pipeline.sources.opening import open_sources

    assert config.name == "online"
    tables = open_sources(config, config.as_of).tables
    found = {role: tables[role].count().to_pyarrow().as_py() for role in tables}
    assert found == {"transactions": (NUMBER % 25 != 0).sum(), "cancellations": (NUMBER % 25 == 0).sum()}, (
        result.text
    )


def test_small_numbers_of_other_things_are_nobody(tmp_path):
    """A database with invoices and their lines, customers and employees, all numbered from one."""
    base = tmp_path / "shop.sqlite"
    who = PERSON - 999
    with sqlite3.connect(base) as connection:
        for name, columns in {
            "Employee": {"EmployeeId": [1, 2, 3], "HireDate": "2020-01-01"},
            "Customer": {"CustomerId": PEOPLE - 999, "Country": np.where(PEOPLE % 2, "BR", "US")},
            "Invoice": {
                "InvoiceId": NUMBER + 1,
                "CustomerId": who,
                "InvoiceDate": PURCHASES["at"].dt.strftime("%Y-%m-%d %H:%M:%S"),
                "Total": PURCHASES.amount,
            },
            "InvoiceLine": {
                "InvoiceLineId": np.arange(2 * len(NUMBER)),
                "InvoiceId": np.repeat(NUMBER + 1, 2),
                "UnitPrice": 0.99,
                "Quantity": 1,
            },
        }.items():
            pd.DataFrame(columns).to_sql(name, connection, index=False)
    config, result = begun(tmp_path, [base])
    assert {role: source.uri.rpartition("#")[2] for role, source in config.sources.given.items()} == {
        "customers": "Customer",
        "transactions": "Invoice",
    }, result.text
    assert any(line.startswith("InvoiceLine: no column says who") for line in result.values["left_out"])


def test_a_label_may_have_a_third_word(tmp_path):
    """Stayed and Joined are both still there."""
    n = np.arange(400)
    file = tmp_path / "telecom.csv"
    status = np.where(n % 4 == 0, "Churned", np.where(n % 9 == 0, "Joined", "Stayed"))
    pd.DataFrame({"Customer ID": n, "Age": 20 + n % 50, "Customer Status": status}).to_csv(file, index=False)
    config, _ = begun(tmp_path, [file])
    assert (config.churn.kind, config.churn.churned_values) == ("labelled", ["Churned"])


def test_what_says_it_in_other_words_is_no_attribute(tmp_path):
    n = np.arange(400)
    file = tmp_path / "Customer-Churn-Records.csv"
    left = n % 4 == 0
    columns = {
        "CustomerID": n,
        "Tenure": n % 50,
        "Churn Label": np.where(left, "Yes", "No"),
        "Churn Value": left.astype(int),
        "Churn Score": n % 90 + 9 * left,
        "Churn Reason": np.where(left, "Competitor", ""),
    }
    pd.DataFrame(columns).to_csv(file, index=False)
    config, result = begun(tmp_path, [file])
    assert list(config.sources.given["customers"].attributes) == ["Tenure"]
    told = [line for line in result.values["left_out"] if "tells who has left" in line]
    assert len(told) == 3


def test_a_label_may_say_who_has_stayed(tmp_path):
    n = np.arange(400)
    file = tmp_path / "customers.csv"
    pd.DataFrame({"customer_id": n, "Age": 20 + n % 50, "Retained": (n % 4 > 0).astype(int)}).to_csv(
        file, index=False
    )
    config, result = begun(tmp_path, [file])
    assert (config.churn.kind, config.churn.churned_values) == ("labelled", ["0"])
    assert any("--churned-value" in line for line in result.values["not_sure"])


def test_a_short_history_has_a_short_horizon(tmp_path):
    """Two months of a log, as of a music service."""
    rng = np.random.default_rng(3)
    who = rng.integers(0, 90, 4000)
    at = pd.Timestamp("2024-05-01") + pd.to_timedelta(rng.uniform(0, 60, 4000), "D")
    file = tmp_path / "log.csv"
    pd.DataFrame({"userId": who, "ts": at.strftime("%Y-%m-%d %H:%M:%S"), "page": "NextSong"}).to_csv(
        file, index=False
    )
    config, _ = begun(tmp_path, [file])
    assert config.churn.horizon_days < 15


def test_what_tells_who_left_foretells_nothing(tmp_path):
    for name, columns in {
        "orders": {"customer_id": PERSON, "order_date": PURCHASES["at"], "amount": PURCHASES.amount},
        "churn_events": {"customer_id": PEOPLE, "churn_date": "2024-06-01", "reason_code": "price"},
    }.items():
        pd.DataFrame(columns).to_csv(tmp_path / f"{name}.csv", index=False)
    config, result = begun(tmp_path, [tmp_path / "orders.csv", tmp_path / "churn_events.csv"])
    assert list(config.sources.given) == ["transactions"]
    assert any("says who has left" in line for line in result.values["left_out"])


def test_a_first_row_of_values_is_no_header(tmp_path):
    file = tmp_path / "log.tsv"
    pd.DataFrame({"who": [f"user_{k}" for k in PERSON], "at": PURCHASES["at"], "song": "Deep Dish"}).to_csv(
        file, sep="\t", header=False, index=False
    )
    with pytest.raises(ChurnError) as told:
        begun(tmp_path, [file])
    assert "has no header" in " ".join(map(str, told.value.faults))


def test_who_brings_nothing_to_see_leaving_by_is_told_what_was_looked_at(tmp_path):
    file = tmp_path / "orders.csv"
    pd.DataFrame({"user_id": PERSON, "order_number": NUMBER, "days_since_prior_order": NUMBER % 30}).to_csv(
        file, index=False
    )
    with pytest.raises(ChurnError) as told:
        begun(tmp_path, [file])
    (fault,) = told.value.faults
    assert "no column of times" in fault.what
    assert "days_since_prior_order" in fault.what


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("DAY", 1 + NUMBER % 700),
        ("month", [f"2024-{1 + n % 12:02d}" for n in NUMBER]),
        ("date", 930101 + NUMBER % 9),
    ],
)
def test_what_is_no_date_is_named(name, values, tmp_path):
    """A month is no day: its sum is not known on its first."""
    file = tmp_path / "revenue.csv"
    pd.DataFrame({"client_id": PERSON, name: values, "revenue": PURCHASES.amount}).to_csv(file, index=False)
    with pytest.raises(ChurnError) as told:
        begun(tmp_path, [file])
    (fault,) = told.value.faults
    assert fault.fix.startswith(f"{name!r} holds '")

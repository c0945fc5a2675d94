"""The config as a file for a person: it reads back as what was meant, whatever the values are."""

import datetime as dt

import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.setup.writing import scalar, yaml_with_remarks

WORDS = st.text(st.sampled_from("aZ09 :#'\"-{}[],&*!|>%@`é۱\\"), min_size=1, max_size=8)
SCALARS = WORDS | st.integers() | st.booleans() | st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1))
RULES = WORDS | st.fixed_dictionaries({"column": WORDS, "format": st.lists(WORDS, min_size=1, max_size=3)})
SOURCE = st.fixed_dictionaries(
    {
        "uri": WORDS | st.lists(WORDS, min_size=2, max_size=20),
        "columns": st.dictionaries(
            st.sampled_from(["customer_id", "amount", "occurred_at"]), RULES, min_size=1
        ),
        "where": st.lists(
            st.fixed_dictionaries({"column": WORDS, "is_null": st.booleans()}), min_size=1, max_size=3
        ),
    }
)
CONFIG = st.fixed_dictionaries(
    {
        "name": WORDS,
        "churn": st.dictionaries(st.sampled_from(["kind", "horizon_days"]), SCALARS, min_size=1),
        "sources": st.dictionaries(st.sampled_from(["customers", "usage"]), SOURCE, min_size=1),
    }
)


@given(
    CONFIG, st.dictionaries(st.sampled_from(["churn.kind", "sources.usage", "sources.usage.where"]), WORDS)
)
def test_the_file_reads_back_as_what_was_meant(values, remarks):
    remarks = {key: text.strip() or "x" for key, text in remarks.items()}
    assert yaml.safe_load(yaml_with_remarks(values, remarks, ["Two", "lines"])) == values


@given(SCALARS | st.lists(SCALARS, max_size=4))
def test_a_value_stands_on_one_line(value):
    text = scalar(value)
    assert "\n" not in text
    assert yaml.safe_load(f"x: {text}") == {"x": value}


def test_remarks_stand_behind_their_keys_and_long_lists_below_them():
    uris = [f"orders of the year {year}.csv" for year in range(2018, 2025)]
    source = {"uri": uris, "columns": {"customer_id": "id"}, "where": [{"column": "sum", "above": 0}]}
    text = yaml_with_remarks(
        {"name": "shop", "as_of": dt.date(2024, 7, 1), "sources": {"transactions": source}},
        {
            "as_of": "stands in for today",
            "sources.transactions.uri": "seven files",
            "sources.transactions": "sold",
        },
        [],
    )
    assert text.splitlines() == [
        "",
        "name: shop",
        "as_of: 2024-07-01  # stands in for today",
        "",
        "sources:",
        "  transactions:  # sold",
        "    uri:  # seven files",
        *(f"      - orders of the year {year}.csv" for year in range(2018, 2025)),
        "    columns:",
        "      customer_id: id",
        "    where:",
        "      - {column: sum, above: 0}",
    ]

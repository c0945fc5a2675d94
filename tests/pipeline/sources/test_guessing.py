"""Advice is followed: the line that an error gives reads the value."""

import datetime as dt
import re

import pytest
import yaml

from configs.errors import DataError
from configs.schema import Config
from pipeline.sources.opening import open_sources

DAY = dt.datetime(2024, 11, 25)


def config_of(folder, values, column, rule, settings):
    name = "at" if column == "occurred_at" else "amount"
    other = "amount" if name == "at" else "at"
    rest = "1" if other == "amount" else "2024-11-25"
    rows = "\n".join(f'7;"{value}";{rest}' for value in values)
    (folder / "o.csv").write_text(f"id;{name};{other}\n{rows}\n")
    columns = {"customer_id": "id", "occurred_at": "at", "amount": "amount", column: rule or name}
    return Config.model_validate(
        {
            "name": "shop",
            "home": folder,
            "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
            "sources": {"transactions": {"uri": "o.csv", "columns": columns, **settings}},
        }
    )


def advised(folder, values, column):
    """What each advised line reads, after the first reading was refused."""
    with pytest.raises(DataError) as caught:
        open_sources(config_of(folder, values, column, None, {}), dt.date(2030, 1, 1))
    advice = str(caught.value.faults[0]).partition("; write ")[2]
    assert advice, caught.value
    read = []
    for line in re.split(
        r" or, as it is meant, ", re.sub(r" beside (the source's|sources\.\w+\.)\s?uri", "", advice)
    ):
        rule, settings = None, {}
        said = yaml.safe_load(re.sub(r" \([-0-9.]+\)$", "", line))
        for key, value in said.items():
            if key == column:
                rule = value
            else:
                settings[key] = value
        table = open_sources(config_of(folder, values, column, rule, settings), dt.date(2030, 1, 1)).tables[
            "transactions"
        ]
        read.append(sorted(table[column].to_pyarrow().to_pylist()))
    return read


@pytest.mark.parametrize(
    "text",
    [
        "11/25/2024", "25/11/2024", "25.11.2024", "25-11-2024", "20241125", "2024.11.25",
        "25.11.24", "25-Nov-2024", "25 November 2024", "Nov 25, 2024", "November 25 2024", "Mon, 25 Nov 2024",
        "2024-11-25 12:00 AM", "2024-11-25  12:00:00 AM", "11/25/2024 12:00 a.m.", "25.11.2024 00:00",
        "25/11/2024, 00:00:00", "11/25/2024 00:00:00 +0000", "Mon, 25 Nov 2024 00:00:00 +0000",
        "25.11.2024T00:00:00Z", "1732492800", "1732492800.0", "1732492800000", "1732492800000000",
        "45621", "45621.0", "1403/09/05", "۱۴۰۳/۰۹/۰۵", "۲۵/۱۱/۲۰۲۴",
        "Nov-25-2024", "25/Nov/2024", "25 Nov, 2024", "2024年11月25日", "2024-W48-1", "Mon Nov 25 00:00:00 2024",
        "25/Nov/2024:00:00:00 +0000",
    ],
)  # fmt: skip
def test_dates(tmp_path, text):
    assert [DAY] in advised(tmp_path, [text], "occurred_at")


def test_several_formats_in_one_column(tmp_path):
    values = ["2024-11-25", "25/11/2024", "25.11.2024", "November 25 2024"]
    assert advised(tmp_path, values, "occurred_at") == [[DAY] * 4]


def test_day_and_month_that_can_not_be_told_apart(tmp_path):
    assert advised(tmp_path, ["01/02/2024"], "occurred_at") == [
        [dt.datetime(2024, 1, 2)],
        [dt.datetime(2024, 2, 1)],
    ]


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["1,250"], [[1250.0], [1.25]]),
        (["1,250", "1,250.50"], [[1250.0, 1250.5]]),
        (["1,250", "7,5"], [[1.25, 7.5]]),
        (["1.250,50"], [[1250.5]]),
        (["€ 12,50"], [[12.5]]),
        (["1.250"], [[1.25], [1250.0]]),
    ],
)
def test_numbers(tmp_path, values, read):
    assert advised(tmp_path, values, "amount") == read

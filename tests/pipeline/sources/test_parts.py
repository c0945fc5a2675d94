"""What is kept of parts of a source's files adds up to what all of them say."""

import ibis
import pandas as pd
import pytest

from pipeline.sources.databases import arrow
from pipeline.sources.parts import Part, Parts, SeenFile, add_up, answers_of
from pipeline.sources.readers import connect_duckdb

ROWS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "a", None, "c", "b"],
        "amount": [1.5, float("nan"), -2.0, None, None, 7.25],
        "many": [1, 2, None, 4, 5, 6],
        "day": pd.to_datetime(["2024-01-03", None, "2024-01-01", None, None, None]),
    }
).astype({"many": "Int64"})


@pytest.fixture
def duck():
    return connect_duckdb(1)


@pytest.fixture
def parts(duck, tmp_path):
    """The rows in three files: two are kept as a part each, and one is not."""
    paths = [tmp_path / f"{number}.parquet" for number in range(3)]
    for number, path in enumerate(paths):
        ROWS.iloc[2 * number : 2 * number + 2].to_parquet(path, index=False)
    places = (tmp_path / "store" / "one", tmp_path / "store" / "other", None)
    raw = duck.read_parquet([str(path) for path in paths])
    made = [
        Part(duck.read_parquet(str(path)), place, [SeenFile.of(path)])
        for path, place in zip(paths, places, strict=True)
    ]
    return Parts(duck, "transactions", raw, raw, made)


def asked(table):
    """One of each aggregate that is asked of rows."""
    return {
        "rows": table.count(),
        "some": table.count(where=table.amount > 0),
        "ids": table.customer_id.count(),
        "total": table.many.sum(),
        "none": table.many.sum(where=table.many > 100),
        "negative": (table.amount < 0).sum(),
        "least": table.amount.min(),
        "most": table.amount.max(),
        "first": table.customer_id.min(),
        "newest": table.day.max(),
        "of few": table.day.min(where=table.many > 1),
    }


def test_answers_of_the_parts_are_those_of_all_rows(parts):
    table = parts.raw.mutate(many=parts.raw.many + 1)
    whole = arrow(table.aggregate(**asked(table))).to_pylist()[0]
    for _ in range(2):  # made, and found again
        assert repr(answers_of(parts, "look", table, asked(table))) == repr(whole)
    assert answers_of(None, "look", table, {"rows": table.count()}) == {"rows": 6}


def test_what_is_kept_is_not_asked_again_and_the_rest_is(parts):
    count = {"rows": parts.raw.count()}
    assert answers_of(parts, "look", parts.raw, count) == {"rows": 6}
    for part in parts.parts:
        ROWS.iloc[:1].to_parquet(
            part.files[0].path, index=False
        )  # nobody looks at the files once they are known
    assert answers_of(parts, "look", parts.raw, count) == {"rows": 2 + 2 + 1}


def test_a_file_that_is_written_while_it_is_read_is_not_kept(parts):
    ROWS.to_parquet(parts.parts[0].files[0].path, index=False)
    answers_of(parts, "look", parts.raw, {"rows": parts.raw.count()})
    assert not (parts.parts[0].folder / "look").exists()
    assert (parts.parts[1].folder / "look").exists()


def test_a_folder_that_cannot_be_written_keeps_nothing_and_stops_nobody(parts):
    parts.parts[0].folder.parent.write_text("a file")
    assert answers_of(parts, "look", parts.raw, {"rows": parts.raw.count()}) == {"rows": 6}


def test_customers_have_their_rows_of_all_parts(parts):
    for _ in range(2):
        found = arrow(parts.customers(parts.raw, "transactions")).to_pylist()
        assert {row["customer_id"]: row["transactions"] for row in found} == {"a": 2, "b": 2, "c": 1, None: 1}


def test_sums_of_floats_and_different_values_do_not_add_up(parts):
    table = parts.raw
    assert add_up(asked(table))
    assert not add_up({"total": table.amount.sum()})
    assert not add_up({"different": table.customer_id.nunique()})
    assert not add_up({"surplus": table.customer_id.count() - table.customer_id.nunique()})
    assert not add_up({"mean": table.many.mean()})
    assert not add_up({"text": table.customer_id.count().cast("string")})
    assert answers_of(parts, "look", table, {"different": table.customer_id.nunique()}) == {"different": 3}
    assert not any(part.folder is not None and part.folder.exists() for part in parts.parts)


def test_a_query_of_a_part_is_the_query_of_all_with_other_rows(parts):
    query = parts.raw.filter(ibis._.many > 1).group_by("customer_id").agg(n=ibis._.count())
    found = [arrow(parts.of(part, query))["n"].to_pylist() for part in parts.parts]
    assert [sum(counts) for counts in found] == [1, 1, 2]

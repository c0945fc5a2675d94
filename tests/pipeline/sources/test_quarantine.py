"""Bad rows are put aside with file, line, rule and values; the others are read as if the bad ones were not there."""

import datetime as dt

import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.errors import DataError
from pipeline.doctor.data import _joins, _sources
from pipeline.forgetting.rows import out_of_parquet
from pipeline.output_columns import OUTPUTS
from pipeline.sources.opening import open_sources
from pipeline.sources.quarantine import QUARANTINE_FILE

AS_OF = dt.date(2024, 7, 1)
HEAD = "customer_id,occurred_at,amount"
GOOD = [f"c{n % 9},2024-0{1 + n % 6}-1{n % 9},{n}.5" for n in range(60)]
# What is wrong, and the rule that it breaks.
BAD = {
    "no number": ("c1,2024-02-01,twelve", "amount is not a number"),
    "no date": ("c2,someday,3.0", "occurred_at is not a date or time of the years 1900 to 9999"),
    "no such day": ("c2,2024-02-31,3.0", "occurred_at is not a date or time of the years 1900 to 9999"),
    "empty date": ("c2,,3.0", "occurred_at is empty"),
    "empty id": (",2024-02-01,3.0", "customer_id is empty"),
    "negative": ("c3,2024-02-01,-3.0", "amount is negative"),
    "too long": ("c4,2024-02-01,3.0,more", "4 fields, 3 expected"),
    "too short": ("c5,2024-02-01", "2 fields, 3 expected"),
}
SHARE = {"on_bad_rows": "quarantine", "max_bad_share": 0.2}


def opened(tiny, lines, sections=SHARE, **more):
    return open_sources(tiny(transactions="\n".join([HEAD, *lines]) + "\n", sections=sections, **more), AS_OF)


def with_bad(*kinds, every=7):
    """The good rows, a bad one after each seventh; and line and rule of each bad one."""
    lines, where = list(GOOD), []
    for i, kind in enumerate(kinds):
        lines.insert((i + 1) * every, BAD[kind][0])
        where.append(((i + 1) * every + 2, BAD[kind][1]))
    return lines, where


def values_of(sources):
    rows = sources.tables["transactions"].to_pyarrow().to_pandas()
    return rows.sort_values(["customer_id", "occurred_at", "amount"], ignore_index=True)


def rows_of(sources):
    return [row for part in sources.quarantine.parts for row in part.rows.to_pylist()]


@pytest.mark.parametrize(
    "kinds", [[kind] for kind in BAD] + [list(BAD)[:6], list(BAD)[6:], list(BAD)], ids=" ".join
)
def test_the_others_are_read_as_if_the_bad_ones_were_not_there(tiny, tmp_path, kinds):
    clean = opened(tiny, GOOD)
    lines, where = with_bad(*kinds)
    found = opened(tiny, lines)
    pd.testing.assert_frame_equal(values_of(found), values_of(clean))
    assert found.fingerprints["transactions"]["digest"] == clean.fingerprints["transactions"]["digest"]
    rows = sorted(rows_of(found), key=lambda row: row["line"])
    assert [(row["line"], row["rules"]) for row in rows] == where
    assert {row["file"] for row in rows} == {"transactions.csv"}
    for kind, row in zip(kinds, rows, strict=True):
        said = [value or "" for _, value in row["values"]]
        assert said == BAD[kind][0].split(","), "what stands in the file, as it stands there"
    account = found.accounts["transactions"]
    assert account.adds_up
    assert account.in_source == len(lines)
    (line,) = found.quarantine.lines
    assert line in found.look
    assert line.startswith(
        f"transactions: {len(kinds)} of {len(lines)} rows are put aside (`on_bad_rows: quarantine`): "
    )
    assert found.quarantine.values["transactions"]["rows"] == len(kinds)


def test_more_than_the_share_stops_with_every_fault(tiny):
    lines, _ = with_bad("no number", "negative", "no number", "no date")
    for share, stops in ((0.05, True), (4 / 64, False)):
        sections = {"on_bad_rows": "quarantine", "max_bad_share": share}
        if not stops:
            assert opened(tiny, lines, sections).quarantine.values["transactions"]["rows"] == 4
            continue
        with pytest.raises(DataError) as told:
            opened(tiny, lines, sections)
        assert "column amount: is not a number in 2 of 64 rows (data row 8, 22)" in str(told.value)
        assert "4 of 64 rows are bad (" in str(told.value)
        assert "more than max_bad_share (0.05) lets be put aside" in str(told.value)


def test_it_stops_by_itself_where_nobody_has_asked_for_more(tiny):
    lines, _ = with_bad("empty id")
    with pytest.raises(DataError, match="customer_id: is empty in 1 of 61 rows"):
        opened(tiny, lines, {})


def test_several_files_are_told_apart(tiny, tmp_path):
    config = tiny(transactions="\n".join([HEAD, *GOOD]), sections=SHARE)
    (tmp_path / "more.csv").write_text(
        "\n".join([HEAD, GOOD[0], BAD["no date"][0], BAD["too long"][0]]) + "\n"
    )
    source = config.sources.transactions.model_copy(update={"uri": ["transactions.csv", "more.csv"]})
    roles = config.sources.model_copy(update={"transactions": source})
    found = open_sources(config.model_copy(update={"sources": roles}), AS_OF)
    rows = [(row["file"], row["line"], row["row"]) for row in rows_of(found)]
    assert rows == [("more.csv", 4, None), ("more.csv", 3, 2)]


def test_all_lines_of_a_purchase_that_is_negative_in_the_whole(tiny):
    head = "customer_id,occurred_at,amount,transaction_id"
    lines = [f"{line},t{n}" for n, line in enumerate(GOOD)]
    lines += ["c1,2024-02-01,5.0,x", "c1,2024-02-01,-9.0,x", "c1,2024-02-01,9.0,y", "c1,2024-02-01,-5.0,y"]
    found = open_sources(tiny(transactions="\n".join([head, *lines]), sections=SHARE), AS_OF)
    assert [(row["line"], row["rules"]) for row in rows_of(found)] == [
        (n, "amount is negative") for n in (62, 63)
    ]
    assert found.accounts["transactions"].adds_up
    assert found.fingerprints["transactions"]["rows"] == 61


def test_customers_who_stand_there_with_different_values(tiny):
    people = "customer_id,plan\n" + "".join(f"c{n},basic\n" for n in range(9)) + "c3,plus\nc4,basic\n"
    config = tiny(
        transactions="\n".join([HEAD, *GOOD]),
        customers=people,
        mapped={"customers": {"customer_id": "customer_id"}},
        settings={"customers": {"attributes": ["plan"]}},
        sections=SHARE,
    )
    found = open_sources(config, AS_OF)
    assert [(row["line"], row["customer_id"]) for row in rows_of(found)] == [(5, "c3"), (11, "c3")]
    assert {row["rules"] for row in rows_of(found)} == {"customer_id stands in rows that differ"}
    account = found.accounts["customers"]
    assert (account.in_source, account.read, account.adds_up) == (11, 8, True)


def test_rows_of_parquet_and_of_a_database(tiny, tmp_path):
    import sqlite3

    lines, _ = with_bad("no number", "empty id", "no date", "negative")
    frame = pd.DataFrame([line.split(",") for line in lines], columns=HEAD.split(",")).replace({"": None})
    found = open_sources(tiny(transactions=frame, sections=SHARE), AS_OF)
    rules = sorted(row["rules"] for row in rows_of(found))
    assert sorted((row["file"], row["line"], row["row"]) for row in rows_of(found)) == [
        ("transactions.parquet", None, n) for n in (8, 15, 22, 29)
    ]
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        frame.to_sql("orders", shop, index=False)
    config = tiny(transactions="\n".join([HEAD, *GOOD]), sections=SHARE)
    source = config.sources.transactions.model_copy(update={"uri": f"sqlite:///{tmp_path}/shop.db#orders"})
    roles = config.sources.model_copy(update={"transactions": source})
    there = open_sources(config.model_copy(update={"sources": roles}), AS_OF)
    assert sorted(row["rules"] for row in rows_of(there)) == rules
    assert {(row["file"], row["line"]) for row in rows_of(there)} == {(None, None)}
    pd.testing.assert_frame_equal(values_of(there), values_of(found), check_dtype=False)


def test_the_file_is_for_its_owner_alone_and_knows_how_to_forget(tiny, tmp_path):
    lines, _ = with_bad(*BAD)
    found = opened(tiny, lines)
    found.quarantine.write(tmp_path)
    path = tmp_path / QUARANTINE_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert pq.read_table(path).num_rows == len(BAD)
    assert pq.read_schema(path).names == list(OUTPUTS[QUARANTINE_FILE])
    for customer, count in (("c2", 3), ("c4", 1), ("c5", 1), ("c9", 0)):
        content, gone = out_of_parquet(path.read_bytes(), customer)
        assert len(gone) == count
        assert (customer.encode() in content) == (count == 0 and customer == "c9" and b"c9" in content)
        assert found.quarantine.of(customer, "transactions") == count


def test_without_bad_rows_there_is_no_file(tiny, tmp_path):
    opened(tiny, GOOD).quarantine.write(tmp_path)
    assert not (tmp_path / QUARANTINE_FILE).exists()


def test_the_check_tells_them_once(tiny):
    lines, _ = with_bad("no number")
    found = opened(tiny, lines)
    told = _sources(found)
    assert (told.state, told.told) == ("look", found.quarantine.lines[0])
    assert told.values["quarantine"] == {"transactions": {"rows": 1, "rules": {"amount is not a number": 1}}}
    assert _joins(found).state == "ok"


def test_text_that_cannot_be_parted_still_stops(tiny):
    with pytest.raises(DataError, match="never closed"):
        opened(tiny, [*GOOD, 'c1,2024-02-01,"3.0'])

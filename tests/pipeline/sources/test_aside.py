"""Bad rows taken out look by look; the whole way from a file is in `test_quarantine`."""

import ibis
import pandas as pd
import pytest

from configs.errors import Fault
from configs.roles import PurchaseColumns, RoleSource
from pipeline.languages.said import said
from pipeline.sources.accounts import Account
from pipeline.sources.aside import Putting, _rule
from pipeline.sources.contracts import checked_rows
from pipeline.sources.quarantine import RULE
from pipeline.sources.readers import Raw
from pipeline.sources.rows import look

ROWS = [("a", "2024-01-01", "5"), ("b", "2024-01-01", "-3"), ("c", "someday", "1"), ("a", "2024-01-02", "2")]


@pytest.fixture
def parts():
    raw = ibis.memtable(pd.DataFrame(ROWS, columns=["id", "day", "paid"], dtype="str"))
    columns = {"customer_id": "id", "occurred_at": "day", "amount": "paid"}
    source = RoleSource[PurchaseColumns].model_validate({"uri": "x.csv", "columns": columns})
    checked = checked_rows("transactions", source, raw)
    seen = look("transactions", source, raw, checked, None, aside=True)
    return Putting("transactions", source, Raw(raw, len(ROWS)), raw), seen, checked


def told(putting):
    return [(str(rule), n) for part in putting.parts for rule, n in part.rules.items()]


def test_rows_that_break_a_rule_of_their_own(parts):
    putting, seen, checked = parts
    putting.by_row(seen)
    assert told(putting) == [("occurred_at is not a date or time of the years 1900 to 9999", 1)]
    assert putting.count == 1
    assert sorted(seen.kept(checked).to_pandas().customer_id) == ["a", "a", "b"]


def test_rows_that_break_a_rule_of_whole_rows(parts):
    putting, seen, checked = parts
    putting.by_row(seen)
    kept = putting.by_whole_row(seen.kept(checked).select(*checked.columns))
    assert sorted(kept.to_pandas().amount) == [2.0, 5.0]
    assert told(putting)[1:] == [("amount is negative", 1)]
    account = putting.accounted(Account(4, 2))
    assert (account.left_out, account.adds_up) == ({RULE: 2}, True)


def test_good_rows_stay_the_same_table(parts):
    putting, _, checked = parts
    rows = checked.table.filter(checked.table.customer_id == "a").select(*checked.columns)
    assert putting.by_whole_row(rows) is rows
    assert putting.accounted(Account(2, 2)) == Account(2, 2)


def test_ids_whose_rows_differ_are_put_aside_and_equal_ones_count_once(parts):
    putting, seen, _ = parts
    putting.by_row(seen)
    rows = ibis.memtable({"customer_id": ["a", "a", "b", "b"], "x": [1, 2, 3, 3]})
    kept, surplus = putting.by_id(rows, "customer_id")
    assert (kept.to_pandas().to_numpy().tolist(), surplus) == ([["b", 3]], 1)
    assert told(putting)[-1] == ("customer_id stands in rows that differ", 2)


def test_a_rule_names_its_column():
    assert _rule("bad_occurred_at", Fault("x", said("is empty"))) == "occurred_at is empty"

"""A source's digest changes with any value of any column that is read, and with nothing else."""

import datetime as dt
import sqlite3

import pandas as pd
import pytest

from configs.roles import ROLES
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 6, 1)
DAYS = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])
VALUES = {
    "time": (list(DAYS), pd.Timestamp("2024-01-02 00:00:01")),
    "number": ([1.0, 2.0, 3.0], 2.5),
    "text": (["a", "b", "c"], "B"),
}


def values_of(role, name):
    declared = ROLES[role].column(name)
    if declared.one_of:
        words = [word for word in declared.one_of if word]
        return [words[0], words[-1], words[0]], words[0]
    return VALUES[declared.kind] if declared.kind in VALUES else VALUES["text"]


def frame_of(role):
    own = ["plan", "owner"] if role == "customers" else []
    names = [n for n in [*ROLES[role].columns, *own] if n != "churned"]
    return pd.DataFrame({name: values_of(role, name)[0] for name in names})


def digest_of(tiny, role, frame):
    """The digest of a role's frame; purchases or customers stand beside it where the kind of churn asks for them."""
    columns = {name: name for name in frame.columns if name in ROLES[role].columns}
    settings = {"customers": {"attributes": ["plan"], "facts": ["owner"]}} if role == "customers" else {}
    beside = {} if role == "transactions" else {"transactions": frame_of("transactions")}
    config = tiny(mapped={role: columns}, settings=settings, **{role: frame}, **beside)
    return open_sources(config, AS_OF).fingerprints[role]["digest"]


@pytest.mark.parametrize("role", ROLES)
def test_one_other_value_is_another_digest(tiny, role):
    frame = frame_of(role)
    digests = {"as it is": digest_of(tiny, role, frame)}
    for name in frame:
        other = frame.copy()
        other.loc[1, name] = values_of(role, name)[1]
        digests[name] = digest_of(tiny, role, other)
    assert [name for name in frame if list(digests.values()).count(digests[name]) > 1] == []


def test_order_of_rows_is_no_change_and_a_repeated_row_is_one(tiny):
    frame = frame_of("feedback")
    whole = digest_of(tiny, "feedback", frame)
    assert digest_of(tiny, "feedback", frame[::-1]) == whole
    pairs = [pd.concat([frame, frame.iloc[[row, row]]]) for row in (0, 1)]
    assert len({whole, *(digest_of(tiny, "feedback", pair) for pair in pairs)}) == 3


def test_what_is_not_known_yet_is_no_change(tiny):
    """An ending after the as-of date is not seen, so that a later export gives the same digest."""
    frame = frame_of("customers").assign(ended_at=pd.NaT, end_reason=None)
    later = frame.assign(ended_at=pd.Timestamp(AS_OF), end_reason="moved")
    assert digest_of(tiny, "customers", later) == digest_of(tiny, "customers", frame)
    late = pd.concat([frame, frame[:1].assign(customer_id="z", started_at=pd.Timestamp(AS_OF))])
    assert digest_of(tiny, "customers", late) == digest_of(tiny, "customers", frame)


def test_neighbouring_columns_can_not_trade_text(tmp_path, tiny):
    """On an engine that hashes texts 'a|b' beside 'c' is not 'a' beside 'b|c', and a tilde is not nothing."""
    found = set()
    for number, (plan, owner) in enumerate([("a|b", "c"), ("a", "b|c"), ("~", "c"), (None, "c")]):
        file = tmp_path / f"{number}.db"
        with sqlite3.connect(file) as database:
            database.execute("create table customers (customer_id text, plan text, owner text)")
            database.execute("insert into customers values ('1', ?, ?)", (plan, owner))
        table = {"uri": f"sqlite:///{file}#customers", "attributes": ["plan"], "facts": ["owner"]}
        config = tiny(
            customers="customer_id",
            transactions=frame_of("transactions").assign(customer_id="1"),
            settings={"customers": table},
        )
        found.add(open_sources(config, AS_OF).fingerprints["customers"]["digest"])
    assert len(found) == 4

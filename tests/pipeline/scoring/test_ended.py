"""Whose contract has ended lately, and may be won back."""

import datetime as dt

import pytest

from configs.playbook import load_playbook
from pipeline.dataset.matrix import build_matrix
from pipeline.scoring.ended import ended_lately
from pipeline.sources.opening import open_sources

DAY = dt.date(2026, 3, 1)
PEOPLE = "customer_id,started_at,ended_at,end_reason\n" + "".join(
    f"{row}\n"
    for row in (
        "stays,2025-01-01,,",
        "lately,2025-01-01,2026-02-20,price",
        "long_ago,2025-01-01,2025-06-01,price",
        "died,2025-01-01,2026-02-20,died",
        "tomorrow,2025-01-01,2026-03-02,price",
    )
)
BOUGHT = "customer_id,occurred_at,amount\n" + "".join(
    f"{who},2026-02-0{n},{10 * n}\n" for who in ("stays", "lately") for n in (1, 2)
)


def ended(config):
    return ended_lately(open_sources(config, DAY), config, load_playbook(), DAY)[0]


def test_who_left_lately_with_the_features_that_staying_customers_have(tiny):
    config = tiny(
        kind="contractual", customers=PEOPLE, transactions=BOUGHT, churn={"not_churn_reasons": ["died"]}
    )
    found = ended(config)
    assert found.matrix.frame["customer_id"].tolist() == ["lately"]
    assert [reason.sentence for reason in found.reasons] == ["the contract ended 9 days ago"]
    scored = build_matrix(open_sources(config, DAY), config, [DAY]).frame.set_index("customer_id")
    assert sorted(scored.index) == ["stays", "tomorrow"]
    row = found.matrix.frame.set_index("customer_id").loc["lately"]
    assert list(row.index) == list(scored.columns)
    assert row["purchase_count_30d"] == scored.loc["stays", "purchase_count_30d"] == 2


def test_of_several_contracts_the_last_one_counts_and_who_has_another_is_no_matter_of_winning_back(tiny):
    rows = "customer_id,started_at,ended_at\n"
    rows += "moved,2025-01-01,2026-02-01\nmoved,2026-02-10,\n"
    rows += "lately,2025-01-01,2025-12-01\nlately,2025-12-05,2026-02-20\n"
    rows += "graced,2025-01-01,2026-02-26\n"
    people = "customer_id\nmoved\nlately\ngraced\n"
    config = tiny(kind="contractual", customers=people, contracts=rows, churn={"grace_days": 7})
    found = ended(config)
    assert found.matrix.frame["customer_id"].tolist() == ["lately"]
    assert found.reasons[0].sentence == "the contract ended 9 days ago"


@pytest.mark.parametrize("outreach", [{"win_back_days": 0}, {"win_back_days": 9}, {"win_back_capacity": 0}])
def test_nobody_where_there_is_no_room_and_nobody_left_within_the_days(tiny, outreach):
    config = tiny(kind="contractual", customers=PEOPLE, sections={"outreach": outreach})
    left = ended(config)
    assert (left is None) == (outreach != {"win_back_days": 9})
    if left is not None:
        assert left.matrix.frame["customer_id"].tolist() == ["died", "lately"]


def test_without_contracts_nobody_has_ended_one(tiny):
    config = tiny(transactions=BOUGHT)
    assert ended(config) is None

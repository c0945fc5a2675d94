"""What a customer is worth: net of what was given back, by rows here and by sums on a cluster."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.outreach import Outreach
from models.statistics.credibility import expected_margin, history_parts
from pipeline.dataset.matrix import build_matrix
from pipeline.outreach.valuation import kept, purchase_history, valuation
from pipeline.scoring import score_table
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 7, 1)
OWN = Outreach.model_validate({"value": {"method": "own"}, "value_days": 90})

PURCHASES = """customer_id,occurred_at,amount
steady,2024-02-20,300
steady,2024-06-20,300
whale,2024-06-20,168469.6
late,2024-02-20,500
late,2024-06-20,80
"""
CANCELLED = """customer_id,occurred_at,known_at,amount
steady,2024-06-25,2024-06-25,60
whale,2024-06-20,2024-06-20,168469.6
late,2024-06-21,2024-06-21,700
steady,2024-06-26,2024-07-01,300
"""


@pytest.mark.parametrize("known", ["bought", "and given back"])
def test_the_value_is_net_of_what_was_given_back_and_known_by_then(tiny, known):
    roles = {"transactions": PURCHASES}
    if known == "and given back":
        roles["cancellations"] = CANCELLED
    config = tiny(churn={"active_days": 180}, sections={"features": {"windows_days": [30, 90]}}, **roles)
    frame = build_matrix(open_sources(config, AS_OF), config, [AS_OF]).frame
    worth = valuation(frame, OWN, margin=0.5)
    found = dict(zip(frame["customer_id"], worth.amount.round(2).tolist(), strict=True))
    days = 132  # since the first purchase of two of them; the whale's 168,469.60 came eleven days ago
    if known == "bought":
        assert found == pytest.approx(
            {
                "steady": 600 / days * 90 * 0.5,
                "late": 580 / days * 90 * 0.5,
                "whale": 168_469.6 / 11 * 90 * 0.5,
            },
            rel=1e-3,
        )
    else:
        assert found == pytest.approx({"steady": 540 / days * 90 * 0.5, "late": 0.0, "whale": 0.0}, rel=1e-3)


def test_who_gives_everything_back_is_worth_nothing_however_much_the_others_bring(tiny):
    others = "".join(f"c{i},2024-0{3 + i % 4}-10,{100 * (1 + i % 7)}\n" for i in range(40))
    config = tiny(transactions=PURCHASES + others, cancellations=CANCELLED, churn={"active_days": 180})
    frame = build_matrix(open_sources(config, AS_OF), config, [AS_OF]).frame
    worth = valuation(frame, Outreach(value_days=90), margin=1.0)
    assert worth.parameters["method"] == "credibility"
    value = dict(zip(frame["customer_id"], worth.amount, strict=True))
    assert value["whale"] == value["late"] == 0
    assert min(v for name, v in value.items() if name not in ("whale", "late")) > 10


def test_excluded_features_change_no_value(tiny):
    given = {"transactions": PURCHASES, "cancellations": CANCELLED, "churn": {"active_days": 180}}
    config = tiny(**given)
    less = tiny(**given, sections={"features": {"windows_days": [30, 90], "exclude": ["spend*", "cancel*"]}})
    every, few = (build_matrix(open_sources(c, AS_OF), c, [AS_OF]) for c in (config, less))
    assert not any(c.name.startswith(("spend", "cancel", "net_")) for c in few.columns)
    assert not any(c.name.startswith("net_") for c in every.columns)
    one, other = (valuation(matrix.frame, OWN, margin=1.0) for matrix in (every, few))
    assert one.amount.tolist() == other.amount.tolist()


def test_the_window_nearest_to_the_value_days_is_taken(tiny):
    for days, window in ((30, 30), (59, 30), (61, 90), (180, 90)):
        config = tiny(transactions=PURCHASES, sections={"outreach": {"value_days": days}})
        frame = build_matrix(open_sources(config, AS_OF), config, [AS_OF]).frame
        assert [name for name in frame if name.startswith("net_")] == [
            f"net_spend_{window}d",
            f"net_spend_before_{window}d",
        ]
        assert f"kept_spend_share_{window}d" in frame


def test_worth_is_concave_around_the_typical_amount():
    spend = [90.0, 180.0, 9e5]
    frame = pd.DataFrame({"net_spend_90d": spend, "net_spend_before_90d": spend, "kept_spend_share_90d": 1.0})
    worth = valuation(frame, OWN, margin=1.0)
    assert worth.amount.tolist() == [90, 180, 900_000]
    assert worth.typical == 180
    assert worth.worth.tolist() == pytest.approx([105.3, 180, 2212], rel=1e-3)
    assert worth.take(np.array([2, 0])).worth.tolist() == pytest.approx([2212, 105.3], rel=1e-3)


def shop(kind):
    rng = np.random.default_rng(3)
    n = 400
    spend = rng.gamma(1.5, 60, n) * rng.choice([0.3, 1.0, 4.0], n)
    before = spend * rng.uniform(0.5, 1.5, n)
    if kind == "constant":
        spend = before = np.full(n, 90.0)
    if kind == "refunds":
        spend = spend - rng.choice([0.0, 500.0], n)
    tenure = rng.uniform(1, 60 if kind == "newcomers" else 400, n).round()
    return pd.DataFrame(
        {
            "net_spend_90d": spend,
            "net_spend_before_90d": before,
            "kept_spend_share_90d": rng.choice([0.0, 0.4, 1.0], n),
            "tenure_days": tenure,
            "segment": rng.integers(0, 3, n),
        }
    )


@pytest.mark.parametrize("kind", ["usual", "newcomers", "constant", "refunds"])
def test_values_from_a_table_in_any_order_equal_those_from_rows(kind, monkeypatch):
    monkeypatch.setattr(score_table, "ROWS_AT_ONCE", 150)
    frame = shop(kind)
    spend, exposure = purchase_history(frame, 90)
    segment = frame["segment"].to_numpy(np.int64)
    expected = expected_margin(spend, exposure, days=180, margin=0.4, segment=segment, kept=kept(frame, 90))
    columns = {
        **history_parts(spend, exposure),
        score_table.NOT_RETURNED: kept(frame, 90),
        score_table.SEGMENT: frame["segment"].astype(str),
        "customer_id": [f"{i:03d}" for i in range(len(frame))],
    }
    mixed = pd.DataFrame(columns).sample(frac=1, random_state=5)
    portfolio, rows = score_table.portfolio_of(ibis.memtable(mixed))
    rate = portfolio.rate(rows["own_"], rows["weight_"], rows["middle_"], rows[score_table.NOT_RETURNED])
    found = rows.select("customer_id", value=rate * 180 * 0.4).order_by("customer_id").to_pandas()["value"]
    assert found.tolist() == expected.amount.tolist()
    assert (found >= 0).all()
    assert expected.parameters == {"days": 180, "margin": 0.4, **portfolio.parameters}

"""Values from sums over all customers are those of `models.statistics.credibility`, which sees every row."""

import numpy as np
import pandas as pd
import pytest

from models.statistics.credibility import expected_margin
from pipeline.outreach.crowd_value import Portfolio, means, parts
from pipeline.outreach.valuation import history


def shop(kind):
    rng = np.random.default_rng(3)
    n = 400
    spend = rng.gamma(1.5, 60, n) * rng.choice([0.3, 1.0, 4.0], n)
    before = spend * rng.uniform(0.5, 1.5, n)
    if kind == "constant":
        spend = before = np.full(n, 90.0)
    frame = pd.DataFrame(
        {
            "spend_sum_90d": spend,
            "spend_change_90d": spend - before,
            "tenure_days": rng.uniform(1, 400, n).round(),
            "segment": rng.integers(0, 3, n),
        }
    )
    if kind == "newcomers":
        frame["tenure_days"] = rng.uniform(1, 60, n)
    return frame


def by_sums(frame, days, margin):
    """The three steps, as a cluster makes them."""
    rows = frame.assign(**parts(frame, 90))
    w, own = rows["weight_"], rows["own_"]
    each = pd.DataFrame(
        {
            "squares": rows["squares_"],
            "freedom": rows["freedom_"],
            "weight": w,
            "weight_2": w**2,
            "own": w * own,
            "own_2": w * own**2,
            "exposed": w > 0,
        }
    )
    portfolio = Portfolio.of(each.groupby(rows["segment"]).sum())
    trust = portfolio.credibility(w)
    by = trust if trust.sum() > 0 else w
    segments = pd.DataFrame({"above": by * own, "below": by}).groupby(rows["segment"]).sum()
    middle = means(segments["above"].to_numpy(), segments["below"].to_numpy())[rows["segment"]]
    return ((trust * own + (1 - trust) * middle) * days * margin).to_numpy(), portfolio, trust


@pytest.mark.parametrize("kind", ["usual", "newcomers", "constant"])
def test_values_from_sums_equal_those_from_rows(kind):
    frame = shop(kind)
    spend, exposure = history(frame, 90)
    expected = expected_margin(
        spend, exposure, days=180, margin=0.4, segment=frame["segment"].to_numpy(np.int64)
    )
    found, portfolio, trust = by_sums(frame, 180, 0.4)
    np.testing.assert_allclose(found, expected.amount, rtol=1e-9)
    told = portfolio.parameters(3, float(trust.mean()))
    for name, value in told.items():
        assert value == expected.parameters[name] or value == pytest.approx(
            expected.parameters[name], rel=1e-9
        )

"""Risk ratios and p-values of groups against SciPy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from models.statistics.groups import compare_groups


def test_statistics_of_the_audit_equal_scipy():
    groups = pd.DataFrame(
        {"fact": "f", "value": ["big", "small", "none lost"], "customers": [40, 4, 10], "lost": [20, 3, 0]}
    )
    table = compare_groups(groups, everyone=100, lost=26).set_index("value")
    for row in table.itertuples():
        cells = [[row.lost, row.customers - row.lost], [row.others_lost, row.others - row.others_lost]]
        ratio = stats.contingency.relative_risk(row.lost, row.customers, row.others_lost, row.others)
        if row.lost:
            interval = ratio.confidence_interval(0.95)
            found = (row.risk_ratio, row.low, row.high)
            np.testing.assert_allclose(found, (ratio.relative_risk, interval.low, interval.high))
        if row.Index == "big":
            assert row.p_value == pytest.approx(stats.chi2_contingency(cells, correction=False).pvalue)
        else:
            assert row.p_value == pytest.approx(stats.fisher_exact(cells).pvalue)
    assert table.risk_ratio["none lost"] < 1
    np.testing.assert_allclose(table.p_adjusted, stats.false_discovery_control(table.p_value))

"""Mix and rate effects by hand."""

import pandas as pd
import pytest

from configs.errors import DataError
from models.statistics.kitagawa import mix_table


def test_a_segment_that_is_new_counts_as_mix():
    rows = [("p", "a", 10, 8), ("q", "a", 10, 8), ("q", "b", 10, 2)]
    table = pd.DataFrame(rows, columns=["period", "segment", "S", "kept"]).assign(complete=True)
    total = mix_table(table, "p", "q").iloc[-1]
    assert (total.mix_effect, total.rate_effect, total.change) == pytest.approx((-30.0, 0.0, -30.0))


def test_only_a_rate_that_moved_is_a_rate_effect():
    rows = [("p", "a", 50, 40), ("p", "b", 50, 20), ("q", "a", 80, 72), ("q", "b", 80, 40)]
    table = pd.DataFrame(rows, columns=["period", "segment", "S", "kept"]).assign(complete=True)
    found = mix_table(table, "p", "q").set_index("segment")
    assert found["mix_effect"].tolist() == pytest.approx([0.0, 0.0, 0.0])
    assert found["rate_effect"].tolist() == pytest.approx([5.0, 5.0, 10.0])


def test_a_period_that_is_not_over_is_refused_with_those_that_are():
    rows = [("p", "a", 5, 4, True), ("q", "a", 5, 4, True), ("r", "a", 5, 4, False)]
    table = pd.DataFrame(rows, columns=["period", "segment", "S", "kept", "complete"])
    with pytest.raises(
        DataError, match="period r is absent, not over or empty at its start; complete are: p, q"
    ):
        mix_table(table, "p", "r")

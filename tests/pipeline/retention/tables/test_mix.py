"""Mix and rate effects."""

import datetime as dt

import pytest

from configs.errors import ConfigError, DataError
from models.statistics.kitagawa import mix_table
from pipeline.retention.tables.rate import retention_table
from tests.oracle.retention_data import as_tables, shop
from tests.pipeline.shop import result

AS_OF = dt.date(2024, 2, 5)


def test_mix_and_rate_effect_add_up_to_the_change():
    frames, churn = shop(6, customers=200, purchases=1500)
    tables = as_tables(frames)
    parts = retention_table(tables, churn, AS_OF, periods=6, segment="plan")
    whole = retention_table(tables, churn, AS_OF, periods=6).set_index("period").rate
    table = mix_table(parts, "2023-09", "2024-01")
    total = table.iloc[-1]
    assert total.change == pytest.approx(whole["2024-01"] - whole["2023-09"])
    assert total.mix_effect + total.rate_effect == pytest.approx(total.change)
    with pytest.raises(DataError, match="complete are"):
        mix_table(parts, "2023-09", "2024-02")


def test_the_command_explains_the_change(shop):
    found = result("mix", shop(), own={"before": "2024-04", "after": "2024-06"})
    total = found.values["rows"][-1]
    assert total["segment"] == "(total)"
    assert total["change"] == pytest.approx(total["rate_after"] - total["rate_before"])
    # The line in words speaks of the total, and of no segment.
    assert f"{total['change']:+.1f} points: {total['mix_effect']:+.1f} from other shares" in found.text
    with pytest.raises(ConfigError, match="both periods"):
        result("mix", shop(), own={"before": "2024-06", "after": "2024-06"})
    with pytest.raises(ConfigError, match="give --segment"):
        result("mix", shop(segments=()))

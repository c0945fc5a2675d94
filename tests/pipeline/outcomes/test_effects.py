"""What the lists changed months later, in customers, days and money, and what the next list believes."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from configs.playbook import load_playbook
from models.effects.sequence import NOTHING, bounds
from pipeline.outcomes.effects import beliefs, lasting, outcome_groups, usual_of
from pipeline.outcomes.learned import read_learned
from pipeline.sources.opening import open_sources

NIGHT = dt.date(2024, 1, 1)
AS_OF = dt.date(2024, 8, 1)


def drawn(ids, chosen, night=NIGHT, **more):
    values = {"propensity": 0.5, "as_of": night, "chosen": chosen, "value": 100.0, "action": "call"}
    return pd.DataFrame({"customer_id": ids, **values, **more})


def test_the_share_kept_of_those_listed_and_of_those_left_alone():
    chosen = np.array([True, True, True, False, False, True])
    kept = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    # The last one was listed for certain: nothing is learned from it.
    rows = drawn(
        list("abcdef"), chosen, kept=kept, residual=kept - 0.5, contacted=chosen * 1.0, who=np.arange(6)
    )
    rows["propensity"] = [0.5] * 5 + [1.0]
    rows["action"] = ["call", "call", "mail", "call", "mail", "call"]
    effect = bounds(np.zeros(1), 1.0, np.zeros(1, np.int64), 1)
    whole, call, mail = outcome_groups(rows, {"all": effect, "mail": NOTHING, "call": NOTHING})
    assert (whole.name, whole.listed, whole.alone, whole.rate, whole.rate_alone) == ("all", 3, 2, 2 / 3, 0.5)
    assert whole.kept is effect
    assert (whole.contacted, whole.contacted_alone) == (1.0, 0.0)
    # Value kept: each a hundred, half of it by (listed - e) * residual, over e * (1 - e).
    assert whole.value.estimate == pytest.approx(100 * (0.25 + 0.25 - 0.25 + 0.25 - 0.25) / (5 * 0.25))
    assert (call.name, call.listed, call.alone) == ("call", 2, 1)
    assert (mail.name, mail.listed, mail.alone) == ("mail", 1, 1)
    assert usual_of(rows, None) is None


@pytest.fixture
def shop(tiny):
    """b and d buy until summer; a bought once after the list, c never again; e is of another night."""
    lines = ["customer_id,occurred_at,amount"]
    lines += [f"{c},2023-12-{day},10" for c in "abcde" for day in ("01", "31")]
    lines += ["a,2024-01-01,7", "a,2024-03-30,5", "a,2024-03-31,99"]  # the window of 90 days is half-open
    lines += [f"{c},2024-0{month}-15,20" for c in "bd" for month in range(1, 8)]
    config = tiny(churn={"horizon_days": 60}, transactions="\n".join(lines) + "\n")
    return config, open_sources(config, AS_OF)


def test_months_after_the_list_in_customers_days_and_money(shop):
    config, sources = shop
    rows = drawn(list("abcd"), np.array([True, True, False, False]))
    found = lasting(sources, config, rows, AS_OF).rows
    assert [(row.months, row.customers) for row in found] == [(3, 4), (6, 4)]
    three, six = found
    # After 90 days a (30 March), b and d have bought within the 60 days before; after 180 b and d alone.
    assert three.kept.estimate == pytest.approx((1 + 1) / 2 - (0 + 1) / 2)
    assert six.kept.estimate == pytest.approx(0)
    # Of those listed half a customer more was there at the end of each of the three months.
    assert three.days.estimate == pytest.approx(0.5 * 90)
    # a: 7 and 5; b and d: 15 January to 15 March; c: nothing.
    assert three.money.estimate == pytest.approx((12 + 60) / 2 - (0 + 60) / 2)
    assert six.money.estimate == pytest.approx((111 + 120) / 2 - (0 + 120) / 2)
    # Of the same four: at first half a customer more was kept, and nobody of that is left after six months.
    assert (three.soon.estimate, three.lasts.estimate) == (pytest.approx(0.5), pytest.approx(0.25))
    assert (six.soon.estimate, six.lasts.estimate) == (pytest.approx(0.5), pytest.approx(-0.25))
    assert lasting(sources, config, rows, NIGHT + dt.timedelta(days=89)).rows == ()
    assert lasting(sources, config, rows.iloc[:0], AS_OF).rows == ()


def test_lists_that_became_better_are_not_taken_for_a_delay(tiny):
    night, later, end = dt.date(2024, 1, 1), dt.date(2024, 4, 1), dt.date(2024, 7, 1)
    ids = {"old": [f"o{i}" for i in range(400)], "new": [f"n{i}" for i in range(400)]}
    chosen = np.arange(400) % 2 == 0
    # Of the first list every tenth was kept, for good; of the second one everybody.
    stays = {"old": ~chosen & (np.arange(400) % 3 == 0), "new": chosen}
    stays["old"] |= chosen & (np.arange(400) % 30 < 14)
    lines = ["customer_id,occurred_at"]
    for name, who in ids.items():
        bought = [c for c, stay in zip(who, stays[name], strict=True) if stay]
        lines += [f"{c},2023-12-01" for c in who]
        lines += [f"{c},2024-0{month}-20" for c in bought for month in range(1, 7)]
    config = tiny(churn={"horizon_days": 60}, transactions="\n".join(lines) + "\n")
    rows = pd.concat([drawn(ids["old"], chosen, night), drawn(ids["new"], chosen, later)], ignore_index=True)
    found = lasting(open_sources(config, end), config, rows, end)
    three, six = found.rows
    assert three.kept.estimate > 2 * six.kept.fixed_high
    assert "prevent" in str(found.verdict)


def test_without_amounts_there_is_no_money(tiny):
    config = tiny(
        churn={"horizon_days": 60}, transactions="customer_id,occurred_at\na,2024-01-05\nb,2024-07-31\n"
    )
    rows = drawn(["a", "b"], np.array([True, False]))
    (three, _) = lasting(open_sources(config, AS_OF), config, rows, AS_OF).rows
    assert three.money is None


def test_nothing_is_believed_of_actions_that_nobody_was_drawn_for(tmp_path):
    nothing_learned = read_learned(tmp_path, load_playbook(), AS_OF)
    assert beliefs(nothing_learned.effect, pd.DataFrame()) == []

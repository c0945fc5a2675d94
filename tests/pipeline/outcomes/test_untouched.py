"""Which rows of a matrix our own list has touched, and who stands for them."""

import datetime as dt

import numpy as np
import pandas as pd

from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.outcomes.untouched import notes_of_labels, untouched

NIGHT = dt.date(2026, 3, 10)
TRANSACTIONS = "customer_id,occurred_at\na,2026-01-01\n"


def write(config, night, **chosen):
    """A night of the ledger: customer = (listed, chance), or None for a customer who was not chosen."""
    nothing = [None] * len(chosen)
    frame = pd.DataFrame(dict.fromkeys(ledger.SCHEMA.names[1:], nothing))
    listed = [bool(c and c[0]) for c in chosen.values()]
    alone = [bool(c and not c[0]) for c in chosen.values()]
    rows = {"customer_id": list(chosen), "chosen": listed, "control": alone}
    chance = [c[1] if c else 0.0 for c in chosen.values()]
    ledger.append(layout_of(config).ledger, night, frame.assign(**rows, propensity=chance))


def rows(*pairs):
    frame = pd.DataFrame(pairs, columns=["customer_id", "snapshot"])
    return frame.astype({"customer_id": "str", "snapshot": "datetime64[s]"})


def test_a_choice_touches_the_labels_whose_window_it_falls_into(tiny):
    """The label looks at days 5 to 35 after a snapshot; what is listed in the gap can change it as well."""
    config = tiny(transactions=TRANSACTIONS, churn={"horizon_days": 30, "gap_days": 5})
    write(config, NIGHT, listed=(True, 0.5), alone=(False, 0.75), nobody=None)
    days = [NIGHT + dt.timedelta(days=d) for d in (-35, -34, 0, 1)]
    frame = rows(*[(who, day) for who in ("listed", "alone", "nobody", "never scored") for day in days])
    found = untouched(config, frame)
    assert found.weight.reshape(4, 4).tolist() == [
        [1, 0, 0, 1],
        [1, 4, 4, 1],
        [1, 1, 1, 1],
        [1, 1, 1, 1],
    ]
    assert (found.censored, found.weighted) == (2, 2)


def test_the_draws_of_several_nights_multiply_and_one_listing_censors(tiny):
    config = tiny(transactions=TRANSACTIONS)
    write(config, NIGHT, twice=(False, 0.5), later=(False, 0.5))
    write(config, NIGHT + dt.timedelta(days=9), twice=(False, 0.8), later=(True, 0.5))
    found = untouched(config, rows(("twice", NIGHT), ("later", NIGHT)))
    np.testing.assert_allclose(found.weight, [10, 0])


def test_without_a_list_nothing_is_weighed(tiny):
    config = tiny(transactions=TRANSACTIONS)
    assert untouched(config, rows(("a", NIGHT))) is None
    write(config, NIGHT, b=(True, 0.5))
    assert untouched(config, rows(("b", NIGHT + dt.timedelta(days=1)))) is None


def test_surely_listed_customers_are_told_with_what_mends_it(tiny):
    config = tiny(transactions=TRANSACTIONS)
    write(config, NIGHT, a=(True, 1.0), b=(False, 0.5))
    found = untouched(config, rows(("a", NIGHT), ("b", NIGHT), ("c", NIGHT)))
    assert found.weight.tolist() == [0, 2, 1]
    lines = notes_of_labels(found, 3)
    assert lines[0] == (
        "1 of 3 rows left out because our list was at work on their labels; 1 rows of customers left alone by "
        "chance stand for them"
    )
    assert "1 of these rows are of customers who were surely listed" in lines[1]
    assert "outreach.control.share above 0" in lines[1]

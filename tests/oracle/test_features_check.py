"""`churn features --check` finds what sees the future, and clears what does not."""

import datetime as dt

import pytest
from features_data import T, company, written

from configs.errors import ConfigError, HistoryError
from pipeline.dataset.leakage import check_features

HEAD = "import numpy as np\nfrom features.panel import Stat, Window\nfrom features.spec import feature\n"
LEAKS = {
    "reads_the_next_period": 'Window(at.panels["transactions"], at.members, None, at.edge + 1).count()',
    "reads_a_later_window": 'at.purchases.last(30, before=-30).sum("amount")',
    "reads_the_whole_panel": (
        'at.purchases.panel.added(Window(at.purchases.panel, at.members, None, 10**6), Stat("count"))'
    ),
    "reads_the_newest_row": 'Window(at.panels["contacts"], at.members, None, 10**6).last_at()',
}


def punctual():
    """A company whose rows are known when they occur: where some are late the panels are cut at every snapshot."""
    frames = company(1, 40)
    return {r: f.assign(known_at=f.occurred_at) if "known_at" in f else f for r, f in frames.items()}


PAST = {"reads_the_past": "Window(at.panels['usage'], at.members, None, at.edge - 1).count()"}


def extra(bodies):
    """A file of features of one's own, whose names and expressions these are."""
    return HEAD + "".join(
        f'@feature("transactions.amount", "contacts", "usage", unit="events", driver="d")\n'
        f"def {name}(at):\n    'Of one\\'s own.'\n    return {body}\n"
        for name, body in bodies.items()
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["non_contractual", "contractual"])
def test_the_features_of_the_product_see_no_future(kind):
    with written(company(1, 40), kind) as config:
        result = check_features(config, T, 1, lambda line: None)
    assert result.exit_code == 0
    assert result.values["leaks"] == []
    assert result.values["snapshots"] == ["2024-06-16", "2024-06-01", "2024-05-17"]
    assert result.values["rows"] > 20
    assert result.text.startswith("no feature sees the future: ")


def test_all_features_that_read_beyond_their_snapshot_are_named():
    with written(punctual(), "non_contractual", extra(LEAKS | PAST)) as config:
        result = check_features(config, T, 1, lambda line: None)
    assert result.exit_code == 1
    assert {leak["column"] for leak in result.values["leaks"]} == set(LEAKS)
    assert result.text.startswith("4 columns see the future (")
    assert all(name in result.text for name in LEAKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_a_feature_that_reads_beyond_its_snapshot_is_named(name):
    with written(punctual(), "contractual", extra({name: LEAKS[name]} | PAST)) as config:
        result = check_features(config, T, 1, lambda line: None)
    assert result.exit_code == 1
    assert {leak["column"] for leak in result.values["leaks"]} == {name}
    assert result.text.startswith("1 column sees the future (")
    assert name in result.text


@pytest.mark.slow
def test_a_feature_of_the_past_is_cleared():
    with written(punctual(), "contractual", extra(PAST)) as config:
        assert check_features(config, T, 2, lambda line: None).exit_code == 0


@pytest.mark.slow
def test_without_history_there_is_nothing_to_check():
    with (
        written(company(1, 40), "non_contractual") as config,
        pytest.raises(HistoryError, match="too short for the check"),
    ):
        check_features(config, dt.date(2023, 5, 20), 1, lambda line: None)


def test_where_nobody_is_a_customer_any_more_nothing_is_proven():
    with (
        written(company(1, 40), "non_contractual") as config,
        pytest.raises(HistoryError, match=r"nobody was a customer from 2033-.*give a date soon after it"),
    ):
        check_features(config, dt.date(2034, 1, 1), 1, lambda line: None)


def test_a_broken_feature_is_told_before_anything_is_built():
    with (
        written(company(1, 40), "non_contractual", "1 +") as config,
        pytest.raises(ConfigError, match="line 1"),
    ):
        check_features(config, T, 1, lambda line: None)

"""The champion stands against the challenger on rows that neither has seen, by the model of its two that has not."""

import numpy as np
import pytest

from models.backtest import tested as one_test
from models.backtest.recipe import Training
from models.backtest.split import fold_at
from models.backtest.tested import BASE_RATE
from models.prediction.boosted import Settings
from models.prediction.calibration import UNCALIBRATED
from models.prediction.classifier import FittedModel, fit_members
from models.statistics.metrics import row_log_loss
from models.tracking.registry import Champion
from pipeline.sources.opening import open_sources
from pipeline.tracking.champion import definition
from pipeline.training.comparison import compare
from tests.models.model_data import random_sample

SHARES = ({"boosted": 0.9, "linear": 0.1}, {"boosted": 0.1, "linear": 0.9})


@pytest.fixture(scope="module")
def trained():
    """A sample, its newest fold, two models that differ, and a challenger tested on the fold."""
    sample = random_sample(customers=120)
    fold = fold_at(sample, sample.snapshots[0], 0, 30)
    parts = fit_members(sample.rows(fold.train_rows), Settings(horizon_days=30, trees=3), seeds=1)
    model, holdout = (FittedModel.assemble(parts, shares, UNCALIBRATED) for shares in SHARES)
    rows = sample.rows(fold.test_rows)
    said = {"model": 0.02 + 0.96 * rows.churned, BASE_RATE: np.full(len(rows), rows.churned.mean())}
    tested = one_test.Tested(fold, rows.churned, rows.customer, said, {"boosted": 1.0}, "none")
    return (
        sample,
        rows,
        Training(model, {"holdout": holdout}, (tested,), "none", len(fold.train_rows), (), parts),
    )


@pytest.fixture
def shop(tiny):
    config = tiny(transactions="customer_id,occurred_at\na,2024-01-01\n")
    return config, open_sources(config, config.as_of or np.datetime64("2024-02-01").astype(object))


def champion_of(training, config, **known):
    metadata = {"definition": definition(config), "recipe": "another", **known}
    return Champion(training.deployed, training.held, metadata, 3, "run", "digest", {})


def verdict(trained, shop, **known):
    sample, _, training = trained
    config, sources = shop
    champion = champion_of(training, config, **known)
    return compare(config, lambda: champion, training, sample, sources)


@pytest.mark.parametrize(
    ("late", "held_late", "compared"), [(0, 0, "model"), (1, 0, "holdout"), (1, 1, None)]
)
def test_the_model_that_has_not_seen_the_labels_is_compared(trained, shop, late, held_late, compared):
    _, rows, training = trained
    test = training.tested[0].fold.test
    found, champion = verdict(
        trained, shop, labels_until=str(test + late), holdout_labels_until=str(test + held_late)
    )
    assert champion.version == 3
    if compared is None:
        assert found.failed
        assert not found.promote
        assert f"the champion has seen labels after {test}" in found.reason
        return
    model = training.deployed if compared == "model" else training.holdout
    losses = (
        row_log_loss(rows.churned, p)
        for p in (training.tested[0].probability["model"], model.probability(rows.X))
    )
    mine, its = (float(loss.mean()) for loss in losses)
    assert found.difference.log_loss == pytest.approx(mine - its)
    assert found.promote


def test_a_champion_of_another_definition_is_replaced_by_what_beats_the_simple_rules(trained, shop):
    sample, _, training = trained
    config, sources = shop
    old = config.model_copy(update={"churn": config.churn.model_copy(update={"horizon_days": 77})})
    champion = champion_of(training, old, labels_until="2020-01-01", holdout_labels_until="2020-01-01")
    found, _ = compare(config, lambda: champion, training, sample, sources)
    assert found.promote
    assert "what churn means has changed since the champion, version 3" in found.unfit


def test_without_a_champion_nothing_is_read(trained, shop):
    sample, _, training = trained
    found, champion = compare(shop[0], None, training, sample, shop[1])
    assert champion is None
    assert found.promote
    assert found.difference is None

"""The champion is read, and stands against the new model on rows that neither has seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from configs.arrays import Floats
from configs.errors import ModelError
from configs.schema import Config
from models.backtest.compare import Verdict, judge
from models.backtest.recipe import Training
from models.backtest.split import Fold
from models.backtest.undated import out_of_fold
from models.prediction.sample import Sample
from models.tracking.registry import Champion
from pipeline.sources.opening import Sources
from pipeline.tracking.champion import recipe_of, require_same_definition
from pipeline.training.trained import newest_label, spend_of


def compare(
    config: Config,
    load: Callable[[], Champion] | None,
    training: Training,
    sample: Sample,
    sources: Sources,
) -> tuple[Verdict, Champion | None]:
    """Champion against challenger on the newest mature rows, which neither has seen; and the champion, if it was read.

    Without a champion that can be used the challenger stands against the simple rules on all test snapshots, each
    predicted by what was known at it: one snapshot may hold few churners. `sample` has all columns of the matrix: the
    champion may read some that the challenger left out. `load` reads the champion; None where there is none.
    """
    if load is None:
        return _judged(config, training, sample), None
    newest = training.tested[0]
    rows = sample.rows(newest.fold.test_rows)
    read: list[Champion] = []

    def champion() -> Floats:
        read.append(load())
        return _champion_probability(config, read[0], rows, newest.fold)

    def refit() -> bool:
        was, now = read[0].metadata, newest_label(config, sources, sample)
        newer = was["table"] != now if "table" in was else was["labels_until"] < now
        return newer and was.get("recipe") == recipe_of(config)

    verdict = _judged(config, training, sample, champion, refit=refit)
    if verdict.unfit is not None:
        verdict = _judged(config, training, sample, unfit=verdict.unfit)
    return verdict, read[0] if read else None


def _judged(
    config: Config,
    training: Training,
    sample: Sample,
    champion: Callable[[], Floats] | None = None,
    unfit: str | None = None,
    refit: Callable[[], bool] = lambda: False,
) -> Verdict:
    newest = training.tested[0]
    judged = training.tested if champion is None else training.tested[:1]
    said = {
        n: np.concatenate([t.probability[n] for t in judged])
        for n in newest.probability
        if all(n in t.probability for t in judged)
    }
    return judge(
        y=np.concatenate([t.y for t in judged]),
        challenger=said["model"],
        champion=champion,
        customer=np.concatenate([t.customer for t in judged]),
        rules=said,
        min_gain=config.model.min_gain,
        seed=config.seed,
        weight=_joined([t.weight for t in judged]),
        unfit=unfit,
        list_size=config.outreach.capacity,
        value=None if champion is None else spend_of(sample.X.iloc[newest.fold.test_rows]),
        refit=refit,
    )


def _joined(weights: list[Floats | None]) -> Floats | None:
    """Of several tests; all rows of a training are weighed, or none."""
    given = [weight for weight in weights if weight is not None]
    return np.concatenate(given) if given else None


def _champion_probability(config: Config, champion: Champion, rows: Sample, newest: Fold) -> Floats:
    require_same_definition(champion, config)
    if newest.crossed:
        champion.model.check_columns(list(rows.X.columns))
        return out_of_fold(champion.held, rows.X, rows.customer)
    for model, seen in ((champion.model, "labels_until"), (champion.holdout, "holdout_labels_until")):
        if np.datetime64(champion.metadata[seen], "D") <= newest.test:
            model.check_columns(list(rows.X.columns))
            return model.probability(rows.X)
    raise ModelError(f"the champion has seen labels after {newest.test}; train with a later --as-of")

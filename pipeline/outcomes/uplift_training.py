"""`churn train --uplift`: learn from the randomised history whom a contact keeps, and say whether to trust it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from configs.schema import Config
from models.effects.qini import Trial, curve
from models.effects.uplift import PROBABILITY, Contender, Uplift, fit_uplift
from pipeline.outcomes import ledger, save_rates
from pipeline.outcomes.drawn import ledger_folder, randomised
from pipeline.publish import only_run
from pipeline.result import Result, table
from pipeline.sources.opening import open_sources

Say = Callable[[str], None]


def train_uplift(config: Config, as_of: dt.date, say: Say = lambda line: None) -> Result:
    """Fit, judge, and keep the model of the effect beside the ledger; scoring uses it only when it is proven.

    Raises
    ------
    DataError
        A source breaks its contract.
    ChurnError
        The ledger is damaged.
    """
    folder = ledger_folder(config)
    if not ledger.dates(folder):
        text = "uplift: the ledger is empty, the playbook's save rates are used; run `churn score` first"
        return Result(text, {"used": False, "rows": 0, "reason": text})
    trial = randomised(open_sources(config, as_of), config, as_of)
    say(f"randomised history: {len(trial):,} customers")
    model = fit_uplift(trial, config.seed)
    with only_run(folder, "outcomes"):
        save_rates.write_uplift(folder, model, as_of)
    risk = _risk(trial) if model.contenders else None
    values = asdict(model) | {"as_of": as_of.isoformat(), "risk": risk and {"q": risk.q, "top": risk.top}}
    return Result(_text(model, risk), {k: v for k, v in values.items() if k != "spec"})


def _risk(trial: Trial) -> Contender:
    """How targeting those most likely to leave does on the same rows."""
    by_depth = curve(trial.X[PROBABILITY].to_numpy(np.float64), trial)
    ten, twenty, thirty = (float(by_depth.top(depth)[0]) for depth in (0.1, 0.2, 0.3))
    return Contender(float(by_depth.q[0]), float("nan"), (ten, twenty, thirty))


def _text(model: Uplift, risk: Contender | None) -> str:
    head = f"uplift {model.reason}"
    if risk is None:
        return f"{head}\nthe playbook's save rates are used"
    rows = [
        [name, f"{c.q:+.1f}", *(f"{100 * effect:+.1f}" for effect in c.top), f"{c.slope:.2f}"]
        for name, c in sorted(model.contenders.items(), key=lambda item: -item[1].q)
    ]
    rows.append(["risk", f"{risk.q:+.1f}", *(f"{100 * effect:+.1f}" for effect in risk.top), ""])
    shown = table(["ranking", "Q", "top 10%, points", "top 20%", "top 30%", "slope"], rows)
    then = "the next list uses it" if model.used else "the playbook's save rates are used"
    return f"{head}\n{shown}\n{then}"

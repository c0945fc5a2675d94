"""The newest forecast of the rate, and what came of the past ones."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import pandas as pd
import typer

from configs.errors import ConfigError
from pipeline.languages import N_
from pipeline.languages.said import said
from pipeline.layout import layout_of
from pipeline.retention.forecast.came import check_forecasts
from pipeline.retention.forecast.store import stored
from pipeline.retention.forecast.track_record import track_record
from pipeline.retention.rendering import percent, show_table
from pipeline.retention.table import Question, Shown, Table


def show(
    question: Question,
    periods: Annotated[int | None, typer.Option(min=1, help="How many past forecasts.")] = None,
) -> Shown:
    """The newest forecast of the rate, and what came of the past ones."""
    config, as_of, churn = question.config, question.as_of, question.config.churn
    folder = layout_of(config).forecasts
    every = stored(folder)
    every = every[(every["as_of"] <= as_of).to_numpy(bool)]
    if every.empty:
        raise ConfigError(f"no forecast in {folder} up to {as_of}; `churn score` makes one every night")
    newest = every[every["as_of"] == every["as_of"].max()]
    past = track_record(folder, question.tables, churn, as_of, periods or question.scope.periods)
    due = (newest["end"] > as_of).to_numpy(bool)
    ahead = check_forecasts(newest[due], question.tables, churn, as_of)
    frame = pd.concat([part for part in (past, ahead) if len(part)] or [past], ignore_index=True)
    headers = {
        "as_of": N_("as of"),
        "measure": N_("measure"),
        "start": N_("from"),
        "end": N_("to"),
        "customers": "S",
    }
    headers |= {
        "expected_lost": N_("lost"),
        "rate": N_("rate"),
        "low": N_("95 % from"),
        "high": N_("to "),
        "came": N_("came"),
    }
    interval = {
        name: frame[name].map(partial(percent, language=question.language)) for name in ("low", "high")
    }
    text = show_table(
        frame.assign(**interval), headers | {"error": N_("error"), "inside": N_("inside")}, question.language
    )
    known = frame["inside"].dropna()
    rules = [
        said(
            "rate: still customers at the end; window: not churned in the label window, as the model is trained"
        ),
        said(
            "{n} of {all} past forecasts held what came in their 95 % interval",
            n=int(known.sum()),
            all=len(known),
        )
        if len(known)
        else said("no forecast has come due yet"),
    ]
    return Shown(frame, text, rules)


def nightly(question: Question) -> pd.DataFrame:
    """Tonight's forecasts below the past ones."""
    if question.ahead is None:
        return pd.DataFrame()
    made, past = pd.DataFrame(map(vars, question.ahead.made)), question.ahead.past
    today = check_forecasts(made, question.tables, question.config.churn, question.as_of)
    return pd.concat([past, today], ignore_index=True) if len(past) else today


TABLE = Table(show, span=False, segment=False, nightly=nightly)

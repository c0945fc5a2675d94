"""A night in its order: first learn from the lists whose outcome is known, then score with what was learned.

Scoring itself can't reach the labels; this module, above both, lets the one follow the other.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from configs.schema import Config
from pipeline.commit import settle_when_free
from pipeline.layout import layout_of
from pipeline.log import Say
from pipeline.result import Result


def learn_and_score(config: Config, as_of: dt.date, out: Path | None, *, dry_run: bool, say: Say) -> Result:
    """Learn what the ledger can teach by now, unless nothing is to be written, then decide and publish.

    Raises
    ------
    ChurnError
        As `pipeline.outcomes.learning.learn` and `pipeline.scoring.score.score` do.
    """
    from pipeline.outcomes.learning import has_news, learn
    from pipeline.scoring.score import score
    from pipeline.sources.opening import read_sources

    layout, sources = layout_of(config, out), None
    folder = layout.ledger
    for line in settle_when_free(layout) if not dry_run else ():
        say(line)
    if not dry_run and config.churn.kind != "labelled" and has_news(folder, config, as_of):
        sources = read_sources(config, as_of, say)
        learn(sources, config, folder, as_of, say)
    return score(config, as_of, out, dry_run=dry_run, say=say, sources=sources)

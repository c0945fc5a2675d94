"""The classic rate by period and by each of the config's segments, every night."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from pipeline.retention.table import Question, Table
from pipeline.retention.tables.rate import by_period


def nightly(question: Question) -> pd.DataFrame:
    """The rate of each segment of the config, with the name of its attribute; no rows without segments."""
    parts = []
    for name in question.config.retention.segments:
        part = by_period(replace(question, scope=replace(question.scope, segment=name)))
        part.insert(0, "attribute", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


TABLE = Table(None, nightly=nightly)

"""Figures that people quote, with source and year: dated context, neither goals nor promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pandas as pd
import typer

from pipeline.languages.said import said
from pipeline.retention.rendering import show_table
from pipeline.retention.table import Question, Shown, Table


@dataclass(frozen=True)
class Benchmark:
    """A figure that people quote: dated context, neither a goal nor a promise."""

    subject: str
    industry: str
    figure: str
    source: str
    year: int | None


_HBR = "Harvard Business Review"
_BAIN = "Bain & Company with Earl Sasser, Harvard Business School"
_MIXPANEL = "Mixpanel product benchmarks"
BENCHMARKS = (
    Benchmark("eight-week product retention", "most industries", "below 20 %", _MIXPANEL, 2017),
    Benchmark(
        "eight-week product retention", "media, finance", "above 25 % counts as elite", _MIXPANEL, 2017
    ),
    Benchmark(
        "eight-week product retention", "SaaS, e-commerce", "above 35 % counts as elite", _MIXPANEL, 2017
    ),
    Benchmark("product-market fit", "any", "40 % or more very disappointed without it", "Sean Ellis", None),
    Benchmark("cost of winning a customer", "any", "5 to 25 times that of keeping one", _HBR, None),
    Benchmark("profit from 5 % more retention", "any", "25 % to 95 % more", _BAIN, None),
    Benchmark(
        "chance to sell", "any", "60-70 % to a customer, 5-20 % to others", "often quoted, no source", None
    ),
)


def benchmark_table(industry: str | None = None) -> pd.DataFrame:
    """Quoted figures with their source and year; those of one industry and of any when it is named.

    Examples
    --------
    >>> benchmark_table("SaaS")["figure"].tolist()[0]
    'above 35 % counts as elite'
    """
    known = [
        b
        for b in BENCHMARKS
        if industry is None or b.industry in ("any",) or industry.lower() in b.industry.lower()
    ]
    rows = [
        (b.subject, b.industry, b.figure, b.source, "undated" if b.year is None else str(b.year))
        for b in known
    ]
    return pd.DataFrame(rows, columns=["subject", "industry", "figure", "source", "dated"])


def show(
    question: Question,
    industry: Annotated[str | None, typer.Option(help="Only of this industry, and of any.")] = None,
) -> Shown:
    """Figures that people quote, with source and year: context, not goals."""
    frame = benchmark_table(industry or question.config.retention.industry)
    rule = said("quoted context, dated as shown: neither a goal nor a promise, and seldom on your definition")
    return Shown(frame, show_table(frame, list(frame.columns), question.language), [rule])


TABLE = Table(show, span=False, segment=False)

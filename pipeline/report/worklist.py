"""The list as people work through it: its columns, what it can be filtered by, and each customer's chance over time."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Sequence
from typing import Any

from pipeline.report.templates.language import Language
from pipeline.report.view import ListRow

MOST_VALUES = 40
WIDTH, HEIGHT, EDGE = 180, 44, 4


def columns_of(
    rows: Sequence[ListRow], language: Language, *, valued: bool, gains: bool
) -> list[tuple[str, str]]:
    """Key and header of each column that has something to show, as the list has them.

    Examples
    --------
    >>> row = ListRow(1, "7", 0.5, 10.0, ("Late",), owner="Eva")
    >>> [key for key, _ in columns_of([row], Language("en"), valued=True, gains=False)]
    ['rank', 'customer', 'chance', 'value', 'owner']
    """
    there = {
        "value": valued,
        "gain": gains,
        **{name: any(getattr(row, name) for row in rows) for name in ("action", "channel", "owner", "due")},
    }
    words = {"chance": "probability"}
    names = ["rank", "customer", "chance", *(name for name, some in there.items() if some)]
    return [(name, language.text(words.get(name, name))) for name in names]


def choices_of(rows: Sequence[ListRow]) -> dict[str, Any]:
    """What the list can be filtered by: the values of owner, channel and action, and those of each segment.

    Attributes with more than `MOST_VALUES` values are no choice, but found by the search.
    """
    segments: dict[str, set[str]] = {}
    for row in rows:
        for attribute, value in row.segments:
            segments.setdefault(attribute, set()).add(value)
    return {
        **{
            name: sorted({value for row in rows if (value := getattr(row, name))})
            for name in ("owner", "channel", "action")
        },
        "segments": [
            (name, sorted(values)) for name, values in segments.items() if 1 < len(values) <= MOST_VALUES
        ],
    }


def spark(history: Sequence[tuple[dt.date, float]], language: Language) -> str:
    """The chance night by night, from 0 to 1, as a small drawing with its ends in words.

    Examples
    --------
    >>> drawn = spark([(dt.date(2026, 6, 1), 0.2), (dt.date(2026, 7, 1), 0.7)], Language("en"))
    >>> 'points="4,32.8 176,14.8"' in drawn, "20% on 1 Jun 2026" in drawn
    (True, True)
    """
    (start, first), (end, last) = history[0], history[-1]
    days = max((end - start).days, 1)
    places = [
        f"{EDGE + (WIDTH - 2 * EDGE) * (day - start).days / days:.4g},"
        f"{HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * chance:.4g}"
        for day, chance in history
    ]
    said = html.escape(
        language.text(
            "history_ends",
            first=language.chance(first),
            start=language.day(start, "medium"),
            last=language.chance(last),
            end=language.day(end, "medium"),
        )
    )
    x, _, y = places[-1].partition(",")
    return (
        f'<svg class="spark" aria-hidden="true" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<polyline points="{" ".join(places)}"/><circle cx="{x}" cy="{y}" r="3"/></svg><p>{said}</p>'
    )

"""The list as people work through it: its columns, what it can be filtered by, and each customer's chance over time."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Sequence
from typing import Any

from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.languages.names import name
from pipeline.report.view import ListRow

MOST_VALUES = 40
_RANGE = re.compile(r"\d+: (?:below (.+)|(.+) to below (.+)|(.+) and above)")
HEADERS = {
    "rank": N_("Rank"),
    "customer": N_("Customer"),
    "chance": N_("Chance of leaving"),
    "value": N_("Value"),
    "gain": N_("Expected gain"),
    "action": N_("What to do"),
    "channel": N_("Channel"),
    "owner": N_("Owner"),
    "due": N_("Due"),
}
# The style sheet puts the circle at the right edge, 176.
WIDTH, HEIGHT, EDGE = 180, 44, 4


def worklist_columns(
    rows: Sequence[ListRow], language: Language, *, valued: bool, gains: bool
) -> list[tuple[str, str]]:
    """Key and header of each column that has something to show, as the list has them.

    Examples
    --------
    >>> row = ListRow(1, "7", 0.5, 10.0, ("Late",), owner="Eva")
    >>> [key for key, _ in worklist_columns([row], Language("en"), valued=True, gains=False)]
    ['rank', 'customer', 'chance', 'value', 'owner']
    """
    there = {
        "value": valued,
        "gain": gains,
        **{key: any(getattr(row, key) for row in rows) for key in ("action", "channel", "owner", "due")},
    }
    names = ["rank", "customer", "chance", *(key for key, some in there.items() if some)]
    return [(key, language.word(HEADERS[key])) for key in names]


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
        f"{EDGE + (WIDTH - 2 * EDGE) * (day - start).days / days:.0f},"
        f"{HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * chance:.3g}"
        for day, chance in history
    ]
    said = html.escape(
        language.text(
            "{first} on {start}, {last} on {end}",
            first=language.chance(first),
            start=language.day(start, "medium"),
            last=language.chance(last),
            end=language.day(end, "medium"),
        )
    )
    y = places[-1].partition(",")[2]
    return (
        f'<svg class="spark" aria-hidden="true" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<polyline points="{" ".join(places)}"/><circle cy="{y}"/></svg><p>{said}</p>'
    )


def goal_in_words(language: Language, goal: str) -> str:
    """A goal, such as `at least 65` or `up every month`, in the language.

    Examples
    --------
    >>> goal_in_words(Language("fa"), "at least 65.5"), goal_in_words(Language("en"), "up every quarter")
    ('دست‌کم ۶۵٫۵', 'up every quarter')
    """
    kind, _, of = goal.rpartition(" ")
    if kind == "up every":
        return language.text("up every {unit}", unit=name(language, "units", of))
    if kind == "down every":
        return language.text("down every {unit}", unit=name(language, "units", of))
    try:
        number = language.number(float(of), 2, 0)
    except ValueError:
        return goal
    if kind == "at least":
        return language.text("at least {number}", number=number)
    return language.text("at most {number}", number=number)


def group_name(language: Language, value: str) -> str:
    """A value of a fact or an attribute: as it is, but for ranges of numbers, which are ours.

    Examples
    --------
    >>> [group_name(Language("en"), text) for text in ("1: below 12", "2: 12 to below 30", "3: 30 and above", "pro")]
    ['below 12', '12 to below 30', '30 and above', 'pro']
    """
    if not (found := _RANGE.fullmatch(value)):
        return language.word(value)
    first, low, high, last = (text and language.digits(text) for text in found.groups())
    if first:
        return language.text("below {number}", number=first)
    if last:
        return language.text("{number} and above", number=last)
    return language.text("{low} to below {high}", low=low, high=high)

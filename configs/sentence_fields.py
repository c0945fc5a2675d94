"""Sentences with numbers: what may stand in braces.

`{recency_days}` is a whole number, `{wait_days:1}` has up to one digit after the point, `{share:%}` is a percentage,
`{recency_days:day}` brings its noun along ("1 day", "9 days", "no days"), `{children:child|children}` in forms of its
own for one and for more, as other languages need them, and a minus before any of these turns the
sign round: `{purchase_count_change_90d:-}` of -5 is told as 5.
"""

from __future__ import annotations

import re
import string

MAX_DIGITS = 3
_FORM = re.compile(rf"-?([0-{MAX_DIGITS}]|%|[^\W\d_][^\d{{}}%+.:!]*)?")


def fields_of(sentence: str) -> list[tuple[str, str, str]]:
    """The pieces of a sentence: text, name of the column that follows, and the form of its number.

    Raises
    ------
    ValueError
        When a field is more than a column's name and a form.

    Examples
    --------
    >>> fields_of("quiet for {recency_days:day}, {recency_ratio:1} gaps")
    [('quiet for ', 'recency_days', 'day'), (', ', 'recency_ratio', '1'), (' gaps', '', '')]
    """
    pieces = []
    for text, name, form, conversion in string.Formatter().parse(sentence):
        if name is not None and (not name.isidentifier() or conversion):
            raise ValueError(f"field {{{name}}} in {sentence!r}: expected the name of a column")
        if form and not _FORM.fullmatch(form):
            raise ValueError(
                f"field {{{name}:{form}}}: expected 0 to {MAX_DIGITS} digits, as in {{{name}:1}}, % or a noun, "
                f"as in {{{name}:day}}"
            )
        pieces.append((text, name or "", form or ""))
    return pieces


def plural(noun: str) -> str:
    """The regular English plural.

    Examples
    --------
    >>> [plural(noun) for noun in ("day", "delivery", "box", "loyalty point")]
    ['days', 'deliveries', 'boxes', 'loyalty points']
    """
    if re.search("[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search("(s|x|z|ch|sh)$", noun) else "s")

"""Columns of a contact log that are told by their values: which way a contact went, and by which channel."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from pipeline.setup.tables import GivenTable
from pipeline.sources.profiles import Profile

INBOUND, OUTBOUND = "inbound", "outbound"
# Words of exports for the two sides, in lower case.
_IN = (
    "in, inbound, incoming, inbound call, incoming call, incoming email, received, from customer, eingehend, eingang, "
    "entrant, reçu, entrante, recibido, recibida, ورودی, دریافتی, आवक, येणारे, आने वाला"
)
_OUT = (
    "out, outbound, outgoing, outbound call, outgoing call, outgoing email, sent, to customer, ausgehend, ausgang, "
    "sortant, envoyé, saliente, enviado, enviada, خروجی, ارسالی, जावक, जाणारे, जाने वाला"
)
SIDES: Mapping[str, str] = {
    word: side for text, side in ((_IN, INBOUND), (_OUT, OUTBOUND)) for word in text.split(", ")
}
_CHANNEL = re.compile(
    r"phone|\bcall|telefon|anruf|e-?mail|\bmail|chat|\bsms\b|whatsapp|letter|\bpost\b|brief|visit|besuch|meeting|"
    r"zoom|teams|video|in person|web ?form|appel|courriel|téléphone|llamada|correo|visita|تلفن|تماس|ایمیل|فون|फोन|ईमेल",
    re.I,
)
_FEW_CHANNELS = 12


def direction_of(table: GivenTable, used: Collection[str]) -> tuple[Profile, Any] | None:
    """The column whose values all say which way a contact went, with the rule that reads it; None without one.

    The values tell it, whatever its name is; both sides must occur.
    """
    for column in _told_by_few(table, used, 2 * len(SIDES)):
        sides = {value: SIDES.get(value.strip().casefold(), "") for value in column.samples}
        if set(sides.values()) == {INBOUND, OUTBOUND}:
            others = {
                value: side for value, side in sorted(sides.items()) if value.strip().casefold() != side
            }
            return column, {"column": column.name, "rename": others} if others else column.name
    return None


def channel_of(table: GivenTable, used: Collection[str]) -> Profile | None:
    """The column whose values are all ways to get in touch, such as a `type` of phone calls and mails."""
    some = _told_by_few(table, used, _FEW_CHANNELS)
    return next((column for column in some if all(map(_CHANNEL.search, column.samples))), None)


def _told_by_few(table: GivenTable, used: Collection[str], most: int) -> list[Profile]:
    """Columns of text whose values are few, and all known."""
    return [
        column
        for column in table.columns
        if column.name not in used
        and column.kind in ("text", "flag")
        and 1 < column.different <= min(most, len(column.samples))
    ]

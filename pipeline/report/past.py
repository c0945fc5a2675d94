"""The picture of past nights whose outcome is known: chance stated and share that left, and the lift."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.legend import Legend

from pipeline.report.charts import ACCENT, INK, LINE, MUTED, SURFACE, Printed, drawing, round_places, svg_of

_STATED: dict[str, Any] = {
    "color": MUTED,
    "lw": 1.6,
    "ls": (0, (4, 3)),
    "marker": "D",
    "ms": 5,
    "mfc": SURFACE,
}
_CAME: dict[str, Any] = {"color": ACCENT, "lw": 2, "marker": "o", "ms": 5}


def outcomes_chart(
    nights: Sequence[str],
    shares: tuple[Sequence[float], Sequence[float]],
    lifts: Sequence[float],
    formats: tuple[Printed, Printed],
    names: tuple[str, ...],
    label: str,
) -> str:
    """Past nights: above, the chance stated beside the share that left; below, the lift, where 1 is chance.

    Parameters
    ----------
    nights
        Names, oldest first.
    shares
        Stated and left, 0..1, by night.
    lifts
        Of the top tenth, NaN where unknown.
    formats
        Write a percentage, and a lift.
    names
        Of stated, left and lift.
    label
        What a screen reader says instead of the picture.

    Examples
    --------
    >>> names = ("stated", "left", "lift")
    >>> chart = outcomes_chart(["Aug", "Sep"], ([0.1, 0.2], [0.2, 0.1]), [2.0, 3.0], (str, str), names, "Past")
    >>> chart[:31]
    '<svg class="chart" role="img" a'
    """
    width, height = 400, 300
    with drawing("outcomes"):
        figure = Figure(figsize=(width / 72, height / 72))
        frame = (46 / width, 1 - 62 / width)
        above = figure.add_axes((frame[0], 136 / height, frame[1], 130 / height))
        below = figure.add_axes((frame[0], 28 / height, frame[1], 62 / height))
        places = round_places(0.0, 100 * max([*shares[0], *shares[1], 0.05]))
        for values, name, style in zip(shares, names, (_STATED, _CAME), strict=False):
            above.plot([100 * v for v in values], label=name, **style)
        above.set(ylim=(0, places[-1]), xticks=[])
        above.set_yticks(places, [formats[0](p) for p in places])
        below.plot(lifts, label=names[2], **_CAME)
        below.axhline(1, color=MUTED, lw=1.2, ls=(0, (4, 3)))
        top = math.ceil(max([v for v in lifts if math.isfinite(v)], default=1.0) + 0.5)
        below.set(ylim=(0, top))
        below.set_yticks([1, top], [formats[1](v) for v in (1, top)])
        every = math.ceil(len(nights) / 5)
        at = [i for i in range(len(nights)) if (len(nights) - 1 - i) % every == 0]
        below.set_xticks(at, [nights[i] for i in at])
        for axes in (above, below):
            axes.set_xlim(-0.4, len(nights) - 0.6)
            axes.grid(axis="y", color=LINE, lw=0.8)
            # Each at a place of its own: how wide a word of another script will be is not known here.
            for line, x in zip(list(axes.lines)[:2], (-0.02, 0.48), strict=False):
                if (name := str(line.get_label())) in names:
                    place = (x, 0.98)
                    legend = Legend(axes, [line], [name], loc="lower left", bbox_to_anchor=place)
                    legend.set_frame_on(False)
                    legend.get_texts()[0].set_color(INK)
                    axes.add_artist(legend)
        return svg_of(figure, label)

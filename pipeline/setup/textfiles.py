"""What a text file's source has to say besides its columns: encoding, and the fields of fixed width."""

from __future__ import annotations

import codecs
import csv
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.setup.words import is_known
from pipeline.sources.looks import SEPARATORS, encoding_of, head_of, opened

ENDINGS = (".csv", ".tsv", ".txt")
_CHUNK = 1 << 20
_FEWEST_LINES = 3
_MIXED = 0.2


def is_text(name: str) -> bool:
    """Whether a file's name is that of text, packed or not.

    Examples
    --------
    >>> is_text("orders.CSV"), is_text("orders.csv.gz"), is_text("orders.xlsx")
    (True, True, False)
    """
    return name.lower().removesuffix(".gz").endswith(ENDINGS)


def start_of(file: Path) -> str:
    """The first lines of a text file, decoded; empty where it can't be opened."""
    try:
        head = head_of(file)
    except (OSError, EOFError):
        return ""
    return head.decode(encoding_of(head, code_of(file)), errors="replace").removeprefix("\ufeff")


def known_of(head: str) -> list[str]:
    """The known names of columns in that of the first lines which has most: a header may stand below a title."""
    lines = head.splitlines()[:20]
    rows = [row for sign in SEPARATORS for row in csv.reader(lines, delimiter=sign)]
    known = [sorted({cell.strip() for cell in row if cell.strip() and is_known(cell)}) for row in rows]
    best = max(range(len(rows)), key=lambda i: len(known[i]), default=None)
    if best is None:
        return []
    # A name that stands there twice gets its place added, and is no column as it is written.
    return [name for name in known[best] if [cell.strip() for cell in rows[best]].count(name) == 1]


def text_settings(file: Path) -> dict[str, Any]:
    """What a text file's source has to say besides its columns; nothing for other files."""
    if not is_text(file.name):
        return {}
    head = start_of(file)
    encoding = code_of(file)
    found: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    if fields := fixed_widths(head):
        return {**found, "format": "fixed_width", "fields": fields}
    return found


def code_of(file: Path) -> str:
    """UTF-8, or the Windows code page that its letters speak of: they stand together in Persian and Russian words."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    text = b""
    try:
        head = head_of(file)
        if encoding_of(head, "") != "":
            return "utf-8"  # its mark says what it is, and is heard by who reads it
        with opened(file) as stream:
            while chunk := stream.read(_CHUNK):
                # What a chunk cuts in two is whole with the next one.
                text = decoder.getstate()[0] + chunk
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _code_page(text)
    except (OSError, EOFError):
        pass
    return "utf-8"


def _code_page(text: bytes) -> str:
    r"""The code page of a text that is not UTF-8.

    Examples
    --------
    >>> _code_page("مشتري خوب".encode("cp1256")), _code_page("Café Müller, Zoë".encode("cp1252"))
    ('cp1256', 'cp1252')
    >>> _code_page("Клиент,Дата заказа\nКолтун,Тверь".encode("cp1251"))
    'cp1251'
    """
    words = re.findall(r"[^\W\d_]{3,}", text.decode("cp1256", errors="replace"))
    mixed = sum(bool(re.search("[À-ÿ]", word) and re.search("[\u0600-\u06ff]", word)) for word in words)
    if mixed > _MIXED * len(words):
        return "cp1251"  # of Cyrillic letters half would be Arabic ones, and half Latin ones
    runs = re.findall(rb"[\x80-\xff]+", text)
    together = sum(len(run) for run in runs if len(run) > 1)
    return "cp1256" if together > sum(map(len, runs)) / 2 else "cp1252"


def fixed_widths(head: str) -> dict[str, tuple[int, int]] | None:
    r"""First and last character of each column of fixed width; None for any other text.

    Examples
    --------
    >>> fixed_widths(" 01 19970101  1\n 02 19970112 12\n 02 19970113  5\n 03")
    {'field_1': (2, 3), 'field_2': (5, 12), 'field_3': (14, 15)}
    >>> fixed_widths("id,at\n1,2\n3,4\n")
    """
    lines = [line.rstrip("\r\n") for line in head.splitlines()[:-1]]
    if len(lines) < _FEWEST_LINES or len({len(line) for line in lines}) > 1:
        return None
    if any(sign in line for line in lines for sign in SEPARATORS):
        return None
    blank = [all(line[i] == " " for line in lines) for i in range(len(lines[0]))]
    edges = [True, *blank, True]
    starts = [i + 1 for i, (a, b) in enumerate(pairwise(edges)) if a and not b]
    ends = [i for i, (a, b) in enumerate(pairwise(edges)) if not a and b]
    if len(starts) < 2:
        return None
    return {f"field_{n}": span for n, span in enumerate(zip(starts, ends, strict=True), 1)}

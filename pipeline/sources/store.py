"""Files of the store of rows: Arrow tables one after another, whole or not trusted, for their owner alone.

A file holds its tables as Arrow streams, then what is told beside them as JSON, the length of that, and a checksum of
all of it. Tables are mapped from the file, not copied.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from configs.errors import TryAgainError

# No run takes so long: what none has used since then, none is using.
HOURS_UNUSED = 12
_ALIGNED = 64
_TAIL = 12  # bytes of the length and the checksum
_CHUNK = 1 << 22


@dataclass(frozen=True)
class Entry:
    """A file of the store that has been checked.

    Parameters
    ----------
    told
        What was written beside the tables.
    places
        Where each table begins and ends.
    """

    path: Path
    told: Mapping[str, Any]
    places: tuple[tuple[int, int], ...]

    def table(self, number: int) -> pa.Table:
        """One of the tables, mapped from the file.

        Raises
        ------
        TryAgainError
            When the file has been deleted meanwhile.
        """
        begin, end = self.places[number]
        try:
            with pa.memory_map(str(self.path)) as file:
                file.seek(begin)
                return pa.ipc.open_stream(file.read_buffer(end - begin)).read_all()
        except FileNotFoundError as error:
            raise TryAgainError(f"{self.path}: was deleted while a run read it; run again") from error


def write_entry(path: Path, tables: Iterable[pa.Table], told: Mapping[str, Any]) -> None:
    """Write an entry beside its place and move it there, so that nobody sees a part of it.

    Raises
    ------
    OSError
        The disk is full, or the folder can't be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            file, places = _Summed(raw), []
            for table in tables:
                file.write(b"\0" * (-file.count % _ALIGNED))
                begin = file.count
                with pa.PythonFile(file, "w") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
                    stream.write_table(table.combine_chunks())
                places.append((begin, file.count))
            words = json.dumps({"told": told, "places": places}).encode()
            file.write(words + len(words).to_bytes(8, "little"))
            raw.write(file.sum.to_bytes(4, "little"))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


class _Summed:
    """A file that knows how many bytes were written to it, and their checksum."""

    closed = False

    def __init__(self, raw: Any) -> None:
        self._raw, self.count, self.sum = raw, 0, 0

    def write(self, content: Any) -> int:
        self.sum = zlib.crc32(content, self.sum)
        self.count += memoryview(content).nbytes
        self._raw.write(content)
        return memoryview(content).nbytes

    def flush(self) -> None:
        """Nothing: the file is flushed when it is closed."""

    def close(self) -> None:
        """Nothing: one stream ends, and the next one begins."""


def open_entry(path: Path) -> Entry | None:
    """The entry of that name; None where there is none, or one that is not whole."""
    try:
        with path.open("rb") as file:
            size, found = os.fstat(file.fileno()).st_size, 0
            left = size - 4
            while left > 0 and (chunk := file.read(min(left, _CHUNK))):
                found, left = zlib.crc32(chunk, found), left - len(chunk)
            if size < _TAIL or int.from_bytes(file.read(4), "little") != found:
                return None
            file.seek(size - _TAIL)
            length = int.from_bytes(file.read(8), "little")
            file.seek(size - _TAIL - length)
            words = json.loads(file.read(length))
    except OSError:
        return None
    return Entry(path, words["told"], tuple((begin, end) for begin, end in words["places"]))


def used(path: Path) -> None:
    """Say that a file or folder of the store is in use; nobody minds when it is gone, or can't be written."""
    try:
        os.utime(path)
    except OSError:
        return


def sweep(folder: Path, pattern: str) -> None:
    """Delete what no run has used for half a day, of the files and folders of a folder that a pattern names."""
    for path in folder.glob(pattern):
        try:
            if path.stat().st_mtime > time.time() - HOURS_UNUSED * 3_600:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError:  # another run has been quicker, or the disk may only be read
            continue

"""Random draws that last: the same key and customer give the same number, on every machine and every night."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from configs.errors import ChurnError

KEY_BYTES = 32


def control_key(
    folder: Path, file_name: str, variable: str, environ: Mapping[str, str], *, create: bool = True
) -> bytes:
    """The secret of the draws: from the variable, else from the file, which is made at the first use.

    Who knows it can tell who is in the control group, so it is never logged; `key_id` names it.

    Parameters
    ----------
    folder, file_name
        The folder and the file in it, readable by its owner only.
    variable
        Name of the environment variable.
    create
        False, for a run that must write nothing: a key that is not there yet is one that nothing was drawn with.

    Raises
    ------
    ChurnError
        When the file can't be made or is empty.
    """
    if given := environ.get(variable, "").strip():
        return hashlib.blake2b(given.encode(), digest_size=KEY_BYTES).digest()
    path = folder / file_name
    try:
        if not path.exists():
            if not create:
                return bytes(KEY_BYTES)
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ChurnError(
            f"{path}: the key of the control group can't be read or made: {error}; set {variable} instead"
        ) from error
    if not text:
        raise ChurnError(f"{path}: the key of the control group is empty; restore it, or set {variable}")
    return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).digest()


def _make(path: Path) -> None:
    """Write a new key, whole or not at all; of two runs at once, one key wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
    finally:
        beside.unlink(missing_ok=True)


def key_id(key: bytes) -> str:
    """Eight hexadecimal digits that tell keys apart and give none away.

    Examples
    --------
    >>> len(key_id(b"secret"))
    8
    """
    return hashlib.blake2b(b"id of the key", key=key, digest_size=4).hexdigest()


def draw(key: bytes, purpose: str, names: Iterable[str]) -> NDArray[np.float64]:
    """A number in [0, 1) for each name, independent between names and purposes.

    Examples
    --------
    >>> first = draw(b"key", "control 1", ["7", "8"])
    >>> bool((first == draw(b"key", "control 1", ["7", "8"])).all())
    True
    >>> bool((first == draw(b"key", "control 2", ["7", "8"])).any())
    False
    """
    prefix = hashlib.blake2b(purpose.encode(), key=key, digest_size=32).digest()
    digests = b"".join(
        hashlib.blake2b(name.encode("utf-8", "surrogatepass"), key=prefix, digest_size=8).digest()
        for name in names
    )
    # 53 bits, so that the largest number stays below 1 as a float.
    return (np.frombuffer(digests, dtype=">u8") >> np.uint64(11)).astype(np.float64) / 2.0**53

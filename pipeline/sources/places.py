"""From a source's URIs to files on this machine: globs, folders, archives, and copies of what lies elsewhere."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from configs.base import redacted
from configs.errors import Fault, TryAgainError
from configs.schema import Config
from configs.sources import Source
from pipeline.sources.connections import Connections, beside_file, names_in
from pipeline.sources.drivers import UnreadableError, first_line

STORES = ("s3", "s3a", "https", "http", "gs", "abfs", "abfss")
TABLES = (
    ".parquet",
    ".pq",
    ".csv",
    ".tsv",
    ".txt",
    ".json",
    ".jsonl",
    ".ndjson",
    ".xlsx",
    ".xls",
    ".xlsb",
    ".ods",
)
PACKED = (".gz", ".zip")
_SECONDS = 60
_NAMES = 5


@dataclass(frozen=True)
class Found:
    """A file to read.

    Parameters
    ----------
    path
        On this machine; perhaps a copy.
    shown
        What messages call it: its name, in a glob with what tells it from the others.
    sheet
        Of an Excel workbook, when the URI names one behind `#`.
    """

    path: Path
    shown: str
    sheet: str | None = None


class Copies:
    """A folder for copies of files, which goes when its owner goes."""

    def __init__(self, owner: object) -> None:
        self._owner = owner
        self._folder: Path | None = None
        self._count = 0

    def new(self, ending: str = ".csv") -> Path:
        """A path for the next copy."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="churn-copies-"))
            weakref.finalize(self._owner, shutil.rmtree, self._folder, ignore_errors=True)
        self._count += 1
        return self._folder / f"{self._count}{ending}"


def copies_of(owner: object, others: Connections) -> Copies:
    """The folder of copies that the sources of one run share."""
    return others.setdefault("copies", Copies(owner))


def is_url(uri: str) -> bool:
    """Whether a source's URI is a URL, perhaps one from the environment, and not a path.

    Examples
    --------
    >>> is_url("postgresql://shop#orders"), is_url("${SHOP_URL}#orders"), is_url("data/orders.csv")
    (True, True, False)
    """
    return "://" in uri or uri.startswith("${")


def is_table(uri: str) -> bool:
    """Whether a URI names a table of a database, whose rows have neither numbers nor an order.

    Examples
    --------
    >>> is_table("sqlite:///shop.db#orders"), is_table("https://shop/orders.csv"), is_table("book.xlsx#orders")
    (True, False, False)
    """
    return is_url(uri) and not is_store(uri)


def is_store(uri: str) -> bool:
    """Whether a URI names files of an object store or a web server.

    Examples
    --------
    >>> is_store("s3://shop/orders.csv"), is_store("postgresql://shop#orders"), is_store("orders.csv")
    (True, False, False)
    """
    return urlsplit(uri).scheme in STORES and "://" in uri


def files_of(role: str, source: Source, config: Config, copies: Copies) -> list[Found]:
    """The files that the URIs of a source name, in order.

    Raises
    ------
    UnreadableError
        A URI names no file.
    TryAgainError
        An object store or web server does not answer.
    """
    found: list[Found] = []
    for uri in source.uris:
        place = f"sources.{role}.uri"
        here = _fetched(uri, place, copies) if is_store(uri) else _local(uri, place, config.path(uri))
        found += [file for one in here for file in _unpacked(one, copies)]
    return found


def local_files(given: str, folder: Path) -> list[Path]:
    """The tables that a path, a glob or the name of a folder stands for, counted from a folder.

    Raises
    ------
    UnreadableError
        There is none.
    """
    return [file.path for file in _local(given, given, folder / Path(given).expanduser())]


def _local(uri: str, place: str, path: Path) -> list[Found]:
    bare, _, sheet = uri.partition("#")
    if sheet and not path.exists() and Path(bare).suffix.lower().startswith((".xls", ".ods")):
        whole = Path(str(path).removesuffix(f"#{sheet}"))
        return [Found(file.path, file.shown, sheet) for file in _local(bare, place, whole)]
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.is_file() and _is_table(p.name))
        if files:
            return [Found(file, f"{uri.rstrip('/')}/{file.name}") for file in files]
        held = ", ".join(names_in(path)[:_NAMES]) or "no file"
        raise UnreadableError(Fault(place, f"no table in the folder {path}", f"it holds {held}"))
    matches = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    if matches:
        alone = len(matches) == 1
        return [Found(file, uri if alone else file.name) for file in matches]
    raise UnreadableError(Fault(place, f"no file at {path}", beside_file(path)))


def _is_table(name: str) -> bool:
    path = Path(name.lower())
    return path.suffix in TABLES or (path.suffix in PACKED and not name.startswith("."))


def _unpacked(file: Found, copies: Copies) -> Iterator[Found]:
    """The file itself, or the one table in a zip archive; a workbook is an archive too and stays."""
    with file.path.open("rb") as raw:
        is_zip = raw.read(4) == b"PK\x03\x04"
    if not is_zip or not zipfile.is_zipfile(file.path):
        yield file
        return
    with zipfile.ZipFile(file.path) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX/")]
        if "[Content_Types].xml" in names or "mimetype" in names:
            yield file
            return
        if len(names) != 1:
            what = f"holds {len(names)} files: {', '.join(names[:5])}"
            raise UnreadableError(Fault(file.shown, what, "unpack it and name the folder, or zip one file"))
        copy = copies.new(Path(names[0]).suffix)
        with archive.open(names[0]) as packed, copy.open("wb") as out:
            shutil.copyfileobj(packed, out)
    yield Found(copy, f"{file.shown} ({names[0]})", file.sheet)


def _fetched(uri: str, place: str, copies: Copies) -> list[Found]:
    bare, _, sheet = uri.partition("#")
    with _answering(uri, place):
        system, path = _system(bare)
        paths = _matching(system, path)
        found = []
        for remote in paths:
            name = remote.rstrip("/").rsplit("/", 1)[-1].partition("?")[0]
            copy = copies.new("".join(Path(name).suffixes[-2:]))
            system.get_file(remote, str(copy))
            found.append(Found(copy, redacted(bare) if len(paths) == 1 else name, sheet or None))
    if not found:
        raise UnreadableError(Fault(place, f"no file at {redacted(uri)}", "look at the bucket and the path"))
    return found


def _system(uri: str) -> tuple[Any, str]:
    """The file system of a URI and the path in it; keys come from where the store's own tools look for them."""
    scheme = urlsplit(uri).scheme
    if scheme in ("http", "https"):
        import aiohttp
        from fsspec.implementations.http import HTTPFileSystem

        return HTTPFileSystem(
            client_kwargs={"timeout": aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_SECONDS)}
        ), uri
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow import fs

    if scheme in ("s3", "s3a"):
        path = uri.partition("://")[2]
        where = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        store = fs.S3FileSystem(
            endpoint_override=where or None,
            region=region or ("us-east-1" if where else fs.resolve_s3_region(path.partition("/")[0])),
            connect_timeout=10,
            request_timeout=_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
        )
        return ArrowFSWrapper(store), path
    store, path = fs.FileSystem.from_uri(uri)
    return ArrowFSWrapper(store), path


def _matching(system: Any, path: str) -> list[str]:
    if path.startswith(("http://", "https://")):
        return [path]
    if any(sign in path for sign in "*?["):
        return sorted(system.glob(path))
    if system.isdir(path):
        return sorted(p for p in system.ls(path, detail=False) if _is_table(p.rsplit("/", 1)[-1]))
    return [path]


@contextmanager
def _answering(uri: str, place: str) -> Iterator[None]:
    """Turn what file systems raise into faults, and into 'try again' where nobody answers."""
    shown = redacted(uri)
    try:
        yield
    except FileNotFoundError:
        raise UnreadableError(
            Fault(place, f"no file at {shown}", "look at the address, the bucket and the path")
        ) from None
    except (OSError, ValueError, ImportError) as error:
        raise _told(error, shown, place) from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "aiohttp":
            raise
        raise _told(error, shown, place) from None


def _told(error: Exception, shown: str, place: str) -> UnreadableError | TryAgainError:
    text = redacted(first_line(error)) or type(error).__name__
    status = getattr(error, "status", None)
    refused = status in (401, 403) or any(
        word in text for word in ("ACCESS_DENIED", "Access Denied", "403", "401")
    )
    if refused:
        step = "give the keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or see who may read the file"
        return UnreadableError(Fault(place, f"{shown} is not open to us: {text}", step))
    if isinstance(error, ValueError | ImportError) or (status is not None and status < 500):
        return UnreadableError(Fault(place, f"can't read {shown}: {text}", "look at the address"))
    return TryAgainError(f"{place}: {shown} does not answer: {text}; see that it is up, then try again")

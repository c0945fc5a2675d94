"""What the store holds is whole, or it is not there."""

import os
import resource
import signal
import stat
import time

import pyarrow as pa
import pytest

from configs.errors import TryAgainError
from pipeline.sources.store import HOURS_UNUSED, open_entry, sweep, used, write_entry

TABLES = [
    pa.table({"customer_id": ["a", None, "c"], "at": pa.array([1, 2, 3], pa.timestamp("us"))}),
    pa.table({"customer_id": pa.array([], pa.string()), "at": pa.array([], pa.timestamp("us"))}),
    pa.table({"customer_id": ["d"], "at": pa.array([None], pa.timestamp("us"))}),
]


@pytest.fixture
def entry(tmp_path):
    """The path of an entry."""
    path = tmp_path / "store" / "role" / "part" / "rows"
    write_entry(path, TABLES, {"files": ["a", "b"]})
    return path


def test_tables_come_out_as_they_went_in(entry):
    found = open_entry(entry)
    assert found.told == {"files": ["a", "b"]}
    assert [found.table(number) for number in range(3)] == TABLES
    assert [found.table(number) for number in (2, 0)] == [TABLES[2], TABLES[0]]


def test_an_entry_without_tables_tells_its_words(tmp_path):
    write_entry(tmp_path / "files", [], {"newest": 1.5})
    assert open_entry(tmp_path / "files").told == {"newest": 1.5}


def test_only_the_owner_may_read_it(entry):
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.parent.stat().st_mode) == 0o700


def test_no_byte_may_differ_and_none_may_be_missing(entry):
    content = entry.read_bytes()
    for place in range(0, len(content), 7):
        entry.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        assert open_entry(entry) is None, place
        entry.write_bytes(content[:place])
        assert open_entry(entry) is None, place
    entry.write_bytes(content)
    assert open_entry(entry) is not None
    entry.unlink()
    assert open_entry(entry) is None


def test_a_write_that_breaks_off_leaves_what_was_there(entry):
    def tables():
        yield TABLES[0]
        raise OSError(28, "No space left on device")

    before = entry.read_bytes()
    with pytest.raises(OSError, match="No space"):
        write_entry(entry, tables(), {})
    assert entry.read_bytes() == before
    assert list(entry.parent.iterdir()) == [entry]


def test_a_disk_without_room_leaves_what_was_there(entry):
    before = entry.read_bytes()
    limits, signalled = (
        resource.getrlimit(resource.RLIMIT_FSIZE),
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_entry(entry, [pa.table({"at": list(range(5_000))})] * 2, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, signalled)
    assert entry.read_bytes() == before
    assert list(entry.parent.iterdir()) == [entry]


def test_tables_that_are_mapped_outlive_the_file_and_later_ones_are_missed(entry):
    found = open_entry(entry)
    table = found.table(0)
    entry.unlink()
    assert table == TABLES[0]
    with pytest.raises(TryAgainError, match="was deleted while a run read it; run again"):
        found.table(2)


def test_what_nobody_has_used_for_half_a_day_goes(tmp_path):
    old = time.time() - (HOURS_UNUSED + 0.1) * 3_600
    for name in ("one", "other", "young"):
        write_entry(tmp_path / "role" / name / "files", [], {})
        os.utime(tmp_path / "role" / name, (old, old) if name != "young" else None)
    (tmp_path / "role" / "note").write_text("x")
    os.utime(tmp_path / "role" / "note", (old, old))
    used(tmp_path / "role" / "one")
    used(tmp_path / "role" / "nowhere")
    sweep(tmp_path, "*/*")
    assert sorted(path.name for path in (tmp_path / "role").iterdir()) == ["one", "young"]
    sweep(tmp_path / "nowhere", "*/*")

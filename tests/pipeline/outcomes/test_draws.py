import os
import stat

import numpy as np
import pytest

from configs.errors import ChurnError
from pipeline.outcomes.draws import control_key, draw, key_id


def test_the_key_is_made_once_and_kept_from_others(tmp_path):
    first = control_key(tmp_path / "data", "control.key", "KEY", {})
    assert control_key(tmp_path / "data", "control.key", "KEY", {}) == first
    file = tmp_path / "data" / "control.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["control.key"]
    assert key_id(first) not in file.read_text()
    assert control_key(tmp_path / "other", "control.key", "KEY", {}) != first


def test_the_variable_comes_before_the_file(tmp_path):
    given = control_key(tmp_path, "control.key", "KEY", {"KEY": "secret"})
    assert given == control_key(tmp_path / "elsewhere", "control.key", "KEY", {"KEY": " secret\n"})
    assert not (tmp_path / "control.key").exists()


def test_a_dry_run_makes_no_key(tmp_path):
    assert len(control_key(tmp_path / "data", "control.key", "KEY", {}, create=False)) == 32
    assert not (tmp_path / "data").exists()


def test_a_lost_key_is_an_error_not_a_new_draw(tmp_path):
    (tmp_path / "control.key").write_text("\n")
    with pytest.raises(ChurnError, match="is empty; restore it, or set KEY"):
        control_key(tmp_path, "control.key", "KEY", {})
    (tmp_path / "control.key").unlink()
    (tmp_path / "control.key").mkdir()
    with pytest.raises(ChurnError, match="can't be read or made"):
        control_key(tmp_path, "control.key", "KEY", {})


def test_draws_are_uniform_and_independent_of_each_other():
    names = [str(i) for i in range(50_000)]
    one, two = draw(b"k", "control 1", names), draw(b"k", "control 2", names)
    assert ((one >= 0) & (one < 1)).all()
    assert np.histogram(one, 10, (0, 1))[0] == pytest.approx(5_000, rel=0.05)
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.02
    assert len(np.unique(one)) == len(names)


def test_a_known_draw_never_changes():
    """The control group would change with it, on every machine that updates."""
    assert draw(b"key", "control 1", ["0001", "سارا"]).tolist() == [0.3293544913578753, 0.7754542542507221]


@pytest.mark.parametrize("text", ["secret", "secret\n", "  secret "])
def test_a_key_of_somebody_s_own_is_taken_from_the_file_without_its_blanks(tmp_path, text):
    (tmp_path / "control.key").write_text(text)
    assert control_key(tmp_path, "control.key", "KEY", {"KEY": " "}) == control_key(
        tmp_path, "control.key", "KEY", {"KEY": "secret"}
    )


def test_a_file_of_another_alphabet_is_no_key(tmp_path):
    (tmp_path / "control.key").write_bytes(b"\xff\xfe")
    with pytest.raises(ChurnError, match="can't be read or made"):
        control_key(tmp_path, "control.key", "KEY", {})


def test_of_two_runs_at_once_one_key_wins(tmp_path, monkeypatch):
    """The other run makes its key while ours is being written."""
    link = os.link

    def late(source, target):
        target.write_text("theirs\n")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    ours = control_key(tmp_path, "control.key", "KEY", {})
    assert ours == control_key(tmp_path, "control.key", "KEY", {"KEY": "theirs"})
    assert [p.name for p in tmp_path.iterdir()] == ["control.key"]


def test_names_that_differ_in_anything_draw_differently():
    names = ["7", "07", "7 ", "", "٧", "\udc80"]
    found = draw(b"key", "control 1", names)
    assert len(set(found)) == len(names)
    assert draw(b"key", "control 1", []).shape == (0,)
    assert key_id(b"key") == key_id(b"key") != key_id(b"kez")
    assert set(draw(b"other", "control 1", names)).isdisjoint(found)

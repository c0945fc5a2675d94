import os
import tempfile

import pytest

from models.tracking.leftovers import scratch

DEAD = 2**22 - 1


def test_temporary_copies_of_killed_processes_go(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in (f"churn-model-{DEAD}-x", f"churn-model-{os.getpid()}-x", "churn-model-mine", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text("{}")
    with scratch() as place:
        assert place.name.startswith(f"churn-model-{os.getpid()}-")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"churn-model-{os.getpid()}-x",
        "churn-model-mine",
        "other",
    ]


def test_an_error_within_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def stopped():
        with scratch() as place:
            (place / "a").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not list(tmp_path.iterdir())

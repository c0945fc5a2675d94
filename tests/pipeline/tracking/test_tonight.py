"""A night beside a tracking store that is away: the champion that is kept, and files that wait to be sent."""

import json
import math

import pytest

from configs.errors import ModelError, StoreError, TryAgainError
from models.prediction.classifier import FittedModel, digest_of
from models.tracking import registry
from models.tracking.bundle import champion_of, packed
from pipeline.tracking import tonight
from pipeline.tracking.tonight import LOAD_SECONDS, ONLY_SECONDS, champion_tonight, send_nights, to_be_sent


@pytest.fixture
def config(tiny):
    return tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n")


def answers(monkeypatch, answer):
    """The store's answer to the question for its champion; returns the seconds that it was given."""
    waited = []

    def within(seconds, work, what):
        waited.append(seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(tonight.registry, "within", within)
    return waited


def test_a_store_that_answers_is_believed(config, tmp_path, monkeypatch):
    waited = answers(monkeypatch, "champion")
    assert champion_tonight(config, tmp_path / "champion.json", print) == ("champion", ())
    assert waited == [ONLY_SECONDS]


def test_where_one_is_kept_the_store_gets_less_time(config, tmp_path, monkeypatch):
    (tmp_path / "champion.json").write_text("{}")
    waited = answers(monkeypatch, "champion")
    champion_tonight(config, tmp_path / "champion.json", print)
    assert waited == [LOAD_SECONDS]


@pytest.mark.parametrize("error", [TryAgainError("busy"), StoreError("refuses")])
def test_without_a_store_and_without_one_that_is_kept_there_is_no_list(config, tmp_path, monkeypatch, error):
    answers(monkeypatch, error)
    with pytest.raises(type(error), match=str(error)):
        champion_tonight(config, tmp_path / "champion.json", print)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TryAgainError("busy"), "the tracking store does not answer: version 3, which scored last, was used"),
        (
            StoreError("refuses"),
            "the tracking store gives no champion: version 3, which scored last, was used",
        ),
    ],
)
def test_the_one_that_scored_last_stands_in_and_it_is_said(config, tmp_path, monkeypatch, error, told):
    kept, lines = tmp_path / "champion.json", []
    spec = {"columns": [], "boosters": [], "members": [], "calibrator": {"kind": "none"}}
    files = {f"model/{name}": text.encode() for name, text in FittedModel(spec, ()).files().items()}
    files["metadata.json"] = b'{"as_of": "2026-06-01"}'
    kept.write_text(packed(champion_of(files, 3, "run", digest_of(files))))
    answers(monkeypatch, error)
    champion, look = champion_tonight(config, kept, lines.append)
    assert champion.version == 3
    assert lines == [str(error)]
    assert len(look) == 1
    assert look[0].startswith(told)
    assert "is sent by the next run that reaches the store" in look[0]


def test_a_damaged_one_is_not_used(config, tmp_path, monkeypatch):
    (tmp_path / "champion.json").write_text("{}")
    answers(monkeypatch, TryAgainError("busy"))
    with pytest.raises(ModelError):
        champion_tonight(config, tmp_path / "champion.json", print)


def test_what_waits_has_no_number_that_is_none_and_five_digits():
    text = to_be_sent(
        "26-07-01 tiny",
        {"a": 0.123456789, "b": math.nan, "c": math.inf},
        {"as_of": "2026-07-01"},
        {"rate": [(0, 1_000, 1.0), (1, 2_000, math.nan)]},
        "a night",
        {"retention.csv": "x"},
    )
    assert json.loads(text) == {
        "run_name": "26-07-01 tiny",
        "metrics": {"a": 0.12346},
        "tags": {"as_of": "2026-07-01"},
        "steps": {"rate": [[0, 1_000, 1.0]]},
        "description": "a night",
        "files": {"retention.csv": "x"},
    }


def waiting(folder, *days, **more):
    folder.mkdir(exist_ok=True)
    for day in days:
        content = {"run_name": day, "metrics": {}, "tags": {"as_of": day}, "steps": {}, **more}
        (folder / f"{day}.json").write_text(json.dumps(content))
    return folder


def sent_to(monkeypatch, fails_at=None, error=None):
    """The names of the runs that reach the store, which fails at one of them."""
    sent = []

    def log(tracking, run_name, **more):
        if run_name == fails_at:
            raise error
        sent.append(run_name)

    monkeypatch.setattr(registry, "close_runs", lambda tracking: None)
    monkeypatch.setattr(registry, "log_scoring", log)
    return sent


def test_nights_are_sent_oldest_first_and_are_gone_then(config, tmp_path, monkeypatch):
    folder, sent = waiting(tmp_path / "unsent", "2026-07-02", "2026-07-01"), sent_to(monkeypatch)
    assert send_nights(config, folder) == ()
    assert sent == ["2026-07-01", "2026-07-02"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("fails_at", "left"), [("2026-07-01", 3), ("2026-07-02", 2), ("2026-07-03", 1)])
def test_what_can_not_be_sent_stays_and_is_counted(config, tmp_path, monkeypatch, fails_at, left):
    folder = waiting(tmp_path / "unsent", "2026-07-01", "2026-07-02", "2026-07-03")
    sent_to(monkeypatch, fails_at, TryAgainError("the store is busy"))
    (look,) = send_nights(config, folder)
    assert len(list(folder.iterdir())) == left
    assert look.endswith("is not in the tracking store yet, the next run sends it: the store is busy")
    assert look.startswith("what the night logged" if left == 1 else f"what {left} nights logged")


@pytest.mark.parametrize("text", ["", "[]", '{"run_name": "x"}', "\x00"])
def test_a_file_that_can_not_be_read_is_named(config, tmp_path, monkeypatch, text):
    folder = waiting(tmp_path / "unsent")
    (folder / "2026-07-01.json").write_text(text)
    sent_to(monkeypatch)
    (look,) = send_nights(config, folder)
    assert f"{folder / '2026-07-01.json'}: not readable (" in look
    assert look.endswith("; delete it")


def test_nothing_waits_where_nothing_was_kept(config, tmp_path):
    assert send_nights(config, tmp_path / "unsent") == ()
    assert send_nights(config, waiting(tmp_path / "unsent")) == ()
    assert not (config.home / "mlflow.db").exists()

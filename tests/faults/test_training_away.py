"""The tracking store is away while a training runs: nothing is lost, and what is sent later is the same model."""

import base64
import json
import shutil

import pytest

from configs.errors import TryAgainError
from models.tracking import registry
from models.tracking.session import spoken_to
from pipeline.layout import layout_of
from pipeline.scoring.score import score
from pipeline.tracking import delivery
from pipeline.tracking.champion import tracking_of
from pipeline.training.train import train
from tests.faults.conftest import YESTERDAY, dt, quiet, shop

TONIGHT = YESTERDAY + dt.timedelta(1)
AWAY = {"tracking": {"uri": "http://me:s3cret@127.0.0.1:9"}}


@pytest.fixture(scope="module")
def away(trained, tmp_path_factory):
    """A training of tonight that could not be sent: its result, and the text that is kept."""
    place = tmp_path_factory.mktemp("away") / "home"
    shutil.copytree(trained, place, symlinks=True, ignore=shutil.ignore_patterns("mlartifacts"))
    result = train(shop(place, **AWAY), TONIGHT)
    (file,) = layout_of(shop(place)).untold.iterdir()
    assert f"look: the training is kept in {file}" in result.text
    return result, file.read_text()


@pytest.fixture
def kept(away, layout):
    """The same in this test's home: the file that is kept."""
    layout.untold.mkdir(parents=True)
    file = layout.untold / f"{TONIGHT}.json"
    file.write_text(away[1])
    return file


def versions(config):
    with spoken_to(tracking_of(config)) as client:
        return sorted(int(v.version) for v in client.search_model_versions("name='shop'"))


def tags_of(config, version):
    with spoken_to(tracking_of(config)) as client:
        return client.get_model_version("shop", str(version)).tags


@pytest.mark.slow
def test_it_is_kept_without_secrets_and_sent_as_the_same_model(home, layout, away, kept):
    config, (result, text) = shop(home), away
    assert result.exit_code == 3
    inside = json.loads(json.loads(text)["training"])
    files = b"".join(base64.b64decode(content) for content in inside["files"].values())
    assert "s3cret" not in text + result.text + files.decode(errors="replace")
    assert versions(config) == [1]
    told = []
    assert delivery.send_trainings(config, layout.untold, told.append) == ()
    assert told[0].startswith(f"the training as of {TONIGHT} is in the tracking store now, version 2")
    assert not list(layout.untold.iterdir())
    sent = registry.load_version(tracking_of(config), 2)
    now = train(config, TONIGHT)  # the same training, with the store there
    direct = registry.load_version(tracking_of(config), 3)
    assert now.exit_code in (0, 3)
    assert (sent.digest, sent.model.digest) == (direct.digest, direct.model.digest)


@pytest.mark.slow
def test_the_night_sends_it_and_a_second_try_is_no_second_version(home, layout, kept):
    config, text = shop(home), kept.read_text()
    assert score(config, TONIGHT, None, dry_run=False, say=quiet).exit_code == 0
    assert versions(config) == [1, 2]
    kept.write_text(text)  # as where the process was killed after it had been sent
    told = []
    assert delivery.send_trainings(config, layout.untold, told.append) == ()
    assert versions(config) == [1, 2]
    assert "version 2" in told[0]


@pytest.mark.parametrize(("moved", "promoted"), [(False, True), (True, False)])
def test_it_is_champion_only_if_the_one_it_was_proven_against_still_is(home, layout, kept, moved, promoted):
    config, parcel = shop(home), registry.unpacked_training(kept.read_text(), "kept")
    assert parcel.against == 1
    better = delivery.Parcel(parcel.record, parcel.models, True, "proven", 2 if moved else 1)
    delivery.keep_unsent(layout.untold, better)
    look = delivery.send_trainings(config, layout.untold, quiet)
    assert registry.champion_version(tracking_of(config)) == (2 if promoted else 1)
    assert bool(look) == moved
    verdict = tags_of(config, 2)["verdict"]
    assert verdict == ("promoted" if promoted else "not promoted")
    assert all("was proven against version 2, and version 1 is champion now" in line for line in look)


def test_what_was_changed_or_can_not_be_sent_stays(home, layout, kept):
    text = kept.read_text()
    (away,) = delivery.send_trainings(shop(home, **AWAY), layout.untold, quiet)
    assert f"the training as of {TONIGHT} is not in the tracking store yet" in away
    assert kept.read_text() == text
    for damaged in (text[:-30], text.replace("tree", "eert", 1), "[]", "{}"):
        kept.write_text(damaged)
        (line,) = delivery.send_trainings(shop(home), layout.untold, quiet)
        assert "not readable as a training" in line
    assert versions(shop(home)) == [1]


def test_the_store_goes_away_before_the_log(home, layout, monkeypatch):
    def away(*arguments, **given):
        raise TryAgainError("tracking store does not answer: gone")

    monkeypatch.setattr(registry, "log_training", away)
    result = train(shop(home), TONIGHT)
    assert result.exit_code == 3
    assert [file.name for file in layout.untold.iterdir()] == [f"{TONIGHT}.json"]
    assert result.values["version"] is None

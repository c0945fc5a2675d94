"""What a night was made by: a digest a section, so that a change is told by its place."""

from types import SimpleNamespace

import pytest

from configs.playbook import load_playbook
from pipeline.outcomes.learned import belief
from pipeline.scoring import made_by

SALES = "customer_id,occurred_at\n1,2024-01-01\n"


def night_of(config, book=None, nights=(), marks=()):
    book = book or load_playbook()
    evidence = SimpleNamespace(nights=nights)
    context = SimpleNamespace(playbook=book, effect=belief(book), evidence=evidence)
    return SimpleNamespace(
        config=config, prepared=SimpleNamespace(context=context), sources=SimpleNamespace(marks=marks)
    )


def digests(*given, **more):
    return made_by.made_by(night_of(*given, **more))


@pytest.fixture
def config(tiny):
    return tiny(transactions=SALES)


def differ(one, other):
    """Places at which two nights differ."""
    return {
        f"{part}.{name}"
        for part in ("config", "beside")
        for name in one[part]
        if one[part][name] != other[part][name]
    }


def test_the_same_is_the_same(config):
    assert digests(config) == digests(config)


def test_a_change_of_the_config_is_told_by_its_section(config):
    outreach = config.outreach.model_copy(update={"capacity": 3})
    other = config.model_copy(update={"outreach": outreach, "seed": 99})
    assert differ(digests(config), digests(other)) == {"config.outreach", "config.seed"}


def test_the_order_of_keys_in_the_file_is_no_change(config):
    one, other = ({"phone": 3, "email": 9}, {"email": 9, "phone": 3})
    found = [
        config.model_copy(update={"outreach": config.outreach.model_copy(update={"channel_capacity": caps})})
        for caps in (one, other)
    ]
    assert digests(found[0]) == digests(found[1])


def test_what_stands_beside_the_sources_is_told_apart(config):
    book = load_playbook()
    first = next(iter(book.actions))
    shorter = book.model_copy(update={"actions": {first: book.actions[first]}})
    assert differ(digests(config), digests(config, shorter)) == {
        "beside.playbook",
        "beside.belief of what contacts change",
    }
    assert differ(digests(config), digests(config, nights=("2026-07-01",))) == {"beside.earlier lists"}
    assert differ(digests(config), digests(config, marks=("mark",))) == {"beside.marked contacts"}


def test_digests_are_short_and_hold_no_value(config):
    found = digests(config)
    every = [found["code"], *found["config"].values(), *found["beside"].values()]
    assert {len(one) for one in every} == {16}
    assert all(set(one) <= set("0123456789abcdef") for one in every)

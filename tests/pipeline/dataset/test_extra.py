"""Features of a user's own: they join the catalogue, and what is wrong with them is told in a line."""

import datetime as dt

import pandas as pd
import pytest

from configs.errors import ConfigError
from configs.schema import Config
from pipeline.dataset.extra import load_extra
from pipeline.dataset.matrix import build_matrix
from pipeline.sources.opening import open_sources

T = dt.date(2024, 3, 1)
PURCHASES = """customer_id,occurred_at,amount
a,2024-01-05,10
a,2024-02-20,30
b,2024-02-01,7
"""
GOOD = '''
from configs.base import Range
from features.panel import ratio
from features.recency import recency_days
from features.spec import feature
from features.worse import Worse

less = Worse(range=Range(below=0.1), says="{spend_recent_share_{days}d:%} of the spend fell into the last {days} days")


@feature("transactions.amount", unit="share", driver="generosity", null="has spent nothing", windows=True,
         worse=less)
def spend_recent_share(at, days):
    """Share of the spend that fell into the last {days} days."""
    return ratio(at.purchases.last(days).sum("amount"), at.purchases.sum("amount"))


@feature("usage", unit="days", driver="usage")
def of_a_source_that_is_absent(at):
    """Nothing here."""
    return at.usage.last_at()
'''


@pytest.fixture
def config(tiny, tmp_path):
    """Make a config whose `features.extra` names a file with a text."""

    def make(text, extra="mine.py"):
        if text is not None:
            (tmp_path / "mine.py").write_text(text, encoding="utf-8")
        sections = {"features": {"windows_days": [30, 90], "extra": extra}}
        return tiny(transactions=PURCHASES, sections=sections)

    return make


def built(config):
    return build_matrix(open_sources(config, T), config, [T])


def declaring(body, name="mine", sources='"transactions"', worse=None):
    return (
        "from configs.base import Range\n"
        "from features.spec import feature\n"
        "from features.worse import Worse\n"
        f"@feature({sources}, unit='days', driver='d', worse={worse})\n"
        f"def {name}(at):\n    'Label.'\n    {body}\n"
    )


def test_a_feature_of_ones_own_joins_the_catalogue(config):
    matrix = built(config(GOOD))
    frame = matrix.frame.set_index("customer_id")
    assert frame.loc["a", "spend_recent_share_30d"] == pytest.approx(0.75)
    assert frame.loc["b", "spend_recent_share_30d"] == 1.0
    mine = {c.name: c for c in matrix.columns}["spend_recent_share_90d"]
    assert mine.label == "Share of the spend that fell into the last 90 days"
    assert mine.worse.says == "{spend_recent_share_90d:%} of the spend fell into the last 90 days"
    assert not any("absent" in name for name in frame)
    assert list(frame).count("recency_days") == 1  # imported, not declared, by the file


def test_the_rest_of_the_matrix_stays_as_it_was(config):
    with_mine, without = built(config(GOOD)), built(config(None, extra=[]))
    pd.testing.assert_frame_equal(with_mine.frame[without.frame.columns], without.frame)


def test_the_catalogue_hash_changes_with_the_code(config):
    hashes = [built(config(GOOD + text)).catalogue_hash for text in ("", "", "\n# other code\n")]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_file_is_read_as_it_is_now_and_leaves_nothing_beside_it(config, tmp_path):
    assert [f.name for f in load_extra(config(declaring("return at.t", "one"))).features] == ["one"]
    assert [f.name for f in load_extra(config(declaring("return at.t", "two"))).features] == ["two"]
    assert not (tmp_path / "__pycache__").exists()


def test_a_list_of_files(config, tmp_path):
    (tmp_path / "more.py").write_text(declaring("return at.purchases.count()", "other"), encoding="utf-8")
    names = [c.name for c in built(config(GOOD, extra=["mine.py", "more.py"])).columns]
    assert names[-3:] == ["spend_recent_share_30d", "spend_recent_share_90d", "other"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, r"can't read .*mine\.py: No such file or directory; paths count from the config's home"),
        ("x = 1\ndef (:\n", r"mine\.py: line 2: invalid syntax"),
        ("import nowhere_to_be_found\n", r"mine\.py: line 1: ModuleNotFoundError: No module named 'nowhere"),
        ("from features.recency import recency_days\n", r"mine\.py: declares no feature; put @feature"),
        ("from features.spec import feature\n@feature(unit='', driver='')\ndef f(at): pass\n", "needs a docstring"),
        (declaring("return at.t", "recency_days"), r"recency_days: the name recency_days is taken: a feature"),
        (declaring("return at.t", "churned"), "churned is taken: a key of the matrix"),
        (declaring("return at.t", sources='"transaction"'), "'transaction'; did you mean 'transactions'"),
        (declaring("return at.t", sources='"feedback.lo"'), r"'feedback\.lo'; did you mean 'feedback\.low'"),
        (declaring("return at.t", worse="'for {mine} days'"),
         "worse is 'for {mine} days'; say which numbers are worse"),
        (declaring("return at.t", worse="Worse(range=Range(above=1), says='for {mine:.0f} days')"),
         r"line 4: ValidationError.* field {mine:\.0f}: expected 0 to 3 digits"),
        (declaring("return at.t", worse="Worse(range=Range(above=1), says='for {recensy_days}')"),
         "worse names recensy_days, which is no column; did you mean 'recency_days'"),
    ],
)  # fmt: skip
def test_what_a_file_does_wrong(config, text, says):
    with pytest.raises(ConfigError, match=says):
        load_extra(config(text))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return at.feedback.count()", r"mine: fails when there is no customer: line 7: KeyError: 'feedback'"),
        ("return at.purchases.last_at() - float('x')", "line 7: ValueError: could not convert"),
        ("return at.t", "mine: returns a single number for 0 customers; return one number for each"),
        ("return at.purchases.panel.start", "mine: returns 1 for 0 customers"),
        ("return at.purchases.sum('profit')", r"mine: reads transactions\.profit, which the source does not have"),
        ("return at.purchases.count(where='redeemed')", r"mine: reads transactions\.points, which"),
        ("return at.purchases.count(where='gold')", r"mine: reads transactions\.gold, which"),
        ("return 1 / (at.purchases.count() - 1)", "mine: returns infinite values; divide with features.panel.ratio"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_a_feature_does_wrong(config, body, says):
    with pytest.raises(ConfigError, match=says):
        built(config(declaring(body)))


def test_two_files_with_the_same_feature(config, tmp_path):
    (tmp_path / "more.py").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigError, match="the name spend_recent_share_30d is taken: mine"):
        load_extra(config(GOOD, extra=["mine.py", "more.py"]))


def test_a_bare_name_stands_for_a_list():
    assert Config.model_fields["features"].annotation(extra="a.py").extra == ["a.py"]

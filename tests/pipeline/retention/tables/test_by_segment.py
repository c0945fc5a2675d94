"""The rate of each segment adds up to that of everybody, and names are no segment."""

import pytest

from configs.errors import ConfigError
from pipeline.retention.definition.at_hand import Seen
from pipeline.retention.results import asked
from pipeline.retention.tables import by_segment, rate
from pipeline.sources.opening import open_sources
from tests.pipeline.shop import AS_OF, result


def test_segments_add_up_and_names_are_no_segment(shop):
    config = shop()
    whole = rate.by_period(asked(rate.TABLE, config, AS_OF))
    parts = by_segment.nightly(asked(by_segment.TABLE, config, AS_OF))
    assert parts["attribute"].unique().tolist() == ["plan"]
    counts = ["S", "N", "E", "lost"]
    assert parts.groupby("period")[counts].sum().values.tolist() == whole[counts].values.tolist()
    sources = open_sources(config, AS_OF)
    assert "mail" in sources.tables["customers"].columns
    assert "mail" not in Seen(sources, {})["customers"].columns
    with pytest.raises(ConfigError, match="known: plan"):
        result("rate", config, segment="mail")
    audit = result("audit", config, own={"rows": 50}).values
    assert {row["fact"] for row in audit["rows"]} <= {"plan", "tenure_days", "purchases", "spend"}


def test_without_segments_there_is_no_table(shop):
    assert by_segment.nightly(asked(by_segment.TABLE, shop(segments=()), AS_OF)).empty

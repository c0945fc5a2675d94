"""The section of the monitoring: every check that it names is made somewhere."""

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

from configs.monitoring import CHECKS, Monitoring

CODE = Path(__file__).parents[2] / "pipeline" / "monitoring"


def test_every_check_is_made_by_the_monitoring():
    """A check that nothing makes could be ignored or stopped by, and never would be."""
    words = {
        node.value
        for file in CODE.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(CHECKS) <= words
    assert len(set(CHECKS)) == len(CHECKS)


def test_only_known_checks_stop_a_night():
    assert Monitoring(stop_when=["volume", "ids"]).stop_when == ["volume", "ids"]
    with pytest.raises(ValidationError, match=r"stop_when\.0"):
        Monitoring(stop_when=["volumes"])


@pytest.mark.parametrize("width", [0, -1, 101, float("inf")])
def test_a_band_has_some_width(width):
    with pytest.raises(ValidationError, match="width"):
        Monitoring(width=width)

"""Pictures of a training: what they draw, read from the axes before they become PNG bytes."""

import numpy as np
import pytest

from models.statistics.metrics import calibration_bins
from models.tracking import plots

Y = np.array([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
SURE = np.linspace(0.9, 0.1, 10)


@pytest.fixture
def drawn(monkeypatch):
    """The figures whose bytes were asked for."""
    figures, write = [], plots._png

    def keep(figure):
        figures.append(figure)
        return write(figure)

    monkeypatch.setattr(plots, "_png", keep)
    return figures


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].lines}


def test_calibration_draws_the_bins_of_each_contender_and_the_diagonal(drawn):
    weight = np.arange(1.0, 11)
    data = plots.calibration(Y, {"model": SURE, "champion": 1 - SURE}, "t", weight)
    assert data.startswith(b"\x89PNG")
    found = lines(drawn[0])
    assert set(found) >= {"model", "champion"}
    np.testing.assert_allclose(
        np.transpose(found["model"].get_data()), calibration_bins(Y, SURE, weight)[:, :2]
    )
    assert drawn[0].axes[0].lines[0].get_xydata().tolist() == [[0, 0], [1, 1]]


def test_the_gain_is_the_share_of_churners_found_and_its_lift(drawn):
    plots.gain(Y, {"model": SURE}, "t")
    (name,) = (label for label in lines(drawn[0]) if label.startswith("model"))
    assert name == "model (lift in the top tenth 5.00)"
    share, found = lines(drawn[0])[name].get_data()
    assert share.tolist() == pytest.approx(np.arange(1, 11) / 10)
    assert found.tolist() == pytest.approx([0.5, 0.5, *[1.0] * 8])


def test_the_gain_counts_rows_by_their_weight(drawn):
    plots.gain(Y, {"model": SURE}, "t", np.array([3.0, 1, 1, 1, 1, 1, 1, 1, 1, 9]))
    (line,) = (line for label, line in lines(drawn[0]).items() if label.startswith("model"))
    assert line.get_xdata()[0] == 3 / 20
    assert line.get_ydata()[0] == 3 / 4


def test_a_gain_without_churners_is_drawn(drawn):
    assert plots.gain(np.zeros(3), {"model": np.array([0.3, 0.2, 0.1])}, "t").startswith(b"\x89PNG")


def test_bars_show_the_largest_the_first_on_top(drawn):
    plots.bars({f"c{i}": float(i) for i in range(plots.BARS + 3)}, "t")
    names = [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]
    assert names[-1] == f"c{plots.BARS + 2}"
    assert names[0] == "c3"
    assert [bar.get_width() for bar in drawn[0].axes[0].patches][-1] == plots.BARS + 2


def test_one_line_a_contender_over_time(drawn):
    plots.over_time(["2024-01", "2024-02"], {"model": [0.5, 0.4], "rule": [0.6, 0.6]}, "t")
    found = lines(drawn[0])
    assert found["model"].get_ydata().tolist() == [0.5, 0.4]
    assert found["rule"].get_xdata().tolist() == ["2024-01", "2024-02"]


def test_the_same_picture_has_the_same_bytes():
    assert plots.bars({"a": 1.0}, "t") == plots.bars({"a": 1.0}, "t")

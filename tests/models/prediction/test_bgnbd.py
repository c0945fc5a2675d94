import numpy as np
import pandas as pd
import pytest

from models.prediction import bgnbd
from models.prediction.bgnbd import BgNbd
from models.prediction.scoring import bgnbd_log_odds

PUBLISHED = BgNbd(0.243, 4.414, 0.793, 2.426)


@pytest.fixture(scope="module")
def calibration(datasets):
    """Repeat purchases, recency and age in weeks after 39 weeks (Fader, Hardie and Lee 2005, section 4)."""
    rows = pd.read_csv(
        datasets / "cdnow" / "CDNOW_sample.txt",
        sep=r"\s+",
        header=None,
        names=["m", "id", "date", "cds", "dollars"],
    )
    rows["day"] = pd.to_datetime(rows["date"].astype(str))
    first = rows.groupby("id")["day"].min()
    end = pd.Timestamp("1997-09-30")
    days = rows.loc[rows["day"] <= end].drop_duplicates(["id", "day"]).groupby("id")["day"]
    x = (days.size() - 1).to_numpy(float)
    t_x = ((days.max() - first).dt.days / 7).to_numpy(float)
    T = ((end - first).dt.days / 7).to_numpy(float)
    return x, t_x, T


def test_the_published_parameters_come_out(calibration):
    x, t_x, T = calibration
    assert len(x) == 2_357
    found = bgnbd.fit_bgnbd(x, t_x, T)
    assert found.r == pytest.approx(0.243, abs=0.002)
    assert found.alpha == pytest.approx(4.414, abs=0.03)
    assert found.a == pytest.approx(0.793, abs=0.02)
    assert found.b == pytest.approx(2.426, abs=0.07)


def test_the_published_log_likelihood_comes_out(calibration):
    assert bgnbd.log_likelihood(PUBLISHED, *calibration).sum() == pytest.approx(-9582.4, abs=0.5)


def test_the_probability_of_silence_agrees_with_a_simulation():
    rng = np.random.default_rng(0)
    n, T, horizon = 400_000, 30.0, 10.0
    rate = rng.gamma(PUBLISHED.r, 1 / PUBLISHED.alpha, n)
    leave = rng.beta(PUBLISHED.a, PUBLISHED.b, n)
    now, last, x = np.zeros(n), np.zeros(n), np.zeros(n)
    alive, later = np.ones(n, bool), np.zeros(n, bool)
    for _ in range(200):
        now = np.where(alive, now + rng.exponential(1 / np.maximum(rate, 1e-12)), np.inf)
        early = alive & (now <= T)
        later |= alive & (now > T) & (now <= T + horizon)
        x, last = x + early, np.where(early, now, last)
        alive &= early & (rng.random(n) >= leave)
    member = {"unit": 1.0, "horizon": horizon, "fill": [1, 1, 1], **vars(PUBLISHED)}
    for purchases in (0, 1, 3):
        rows = x == purchases
        X = np.column_stack([1 + x[rows], np.full(rows.sum(), T), T - last[rows]])
        said = 1 / (1 + np.exp(-bgnbd_log_odds(member, X)))
        assert said.mean() == pytest.approx(1 - later[rows].mean(), abs=0.01)

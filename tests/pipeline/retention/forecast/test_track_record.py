"""Past forecasts: which of them count, and what they say of the next one."""

import datetime as dt

import numpy as np
import pandas as pd

from configs.schema import Churn
from pipeline.retention.forecast.expected import forecast_period, forecast_rate
from pipeline.retention.forecast.store import keep_forecasts, stored
from pipeline.retention.forecast.track_record import apart, model_errors, track_record
from tests.oracle.retention_data import as_tables

AS_OF = dt.date(2023, 9, 1)
NOW = pd.Timestamp(AS_OF)
BUYERS = Churn(kind="non_contractual", horizon_days=60, active_days=90)


def buyers(seed, n=800):
    """Customers at AS_OF with a Poisson rate each; what they buy afterwards is drawn from it."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"{k:05d}" for k in range(n)])
    rate = rng.gamma(1.2, 1 / 60, n)
    last = NOW - pd.to_timedelta(rng.uniform(0.01, 89.9, n), "D")
    later = [NOW + pd.to_timedelta(rng.uniform(0, 200, k), "D") for k in rng.poisson(200 * rate)]
    frame = pd.DataFrame(
        {
            "customer_id": np.concatenate([ids, np.repeat(ids, [len(x) for x in later])]),
            "occurred_at": np.concatenate([last.to_numpy(), *[x.to_numpy() for x in later]]),
        }
    )
    return ids, np.exp(-60 * rate), frame.assign(occurred_at=frame.occurred_at.dt.floor("s"))


def test_the_record_keeps_every_night_and_widens_by_what_was_missed(tmp_path):
    ids, p, frame = buyers(1)
    tables = as_tables({"transactions": frame})
    biased = np.clip(p + 0.15, 0, 1)
    for k in range(4):
        day = AS_OF + dt.timedelta(days=31 * k)
        forecasts = [
            forecast_rate(biased, day, BUYERS),
            forecast_period(biased, np.zeros(len(ids), bool), day, BUYERS),
        ]
        file = keep_forecasts(tmp_path, forecasts, "7")
        content = file.read_bytes()
        assert keep_forecasts(tmp_path, forecasts, "7").read_bytes() == content
    assert min(f.name for f in tmp_path.iterdir()) == "2023-09-01.parquet"
    assert len(stored(tmp_path)) == 8
    assert len(stored(tmp_path, before=AS_OF)) == 0
    checked = track_record(tmp_path, tables, BUYERS, dt.date(2024, 3, 1))
    assert checked.measure.tolist() == ["rate"] * 4 + ["window"] * 2
    assert (checked.error > 0).all()
    assert not checked.inside.any()
    errors = model_errors(checked)
    assert set(errors) == {"rate"}
    narrow, wide = (forecast_rate(p, AS_OF, BUYERS, error=e) for e in (0.0, errors["rate"]))
    assert wide.high - wide.low > narrow.high - narrow.low
    assert len(track_record(tmp_path, tables, BUYERS, AS_OF + dt.timedelta(days=1))) == 0


def test_overlapping_nights_count_once():
    days = [AS_OF + dt.timedelta(days=k) for k in range(90)]
    rows = pd.DataFrame(
        {"as_of": days, "start": days, "end": [d + dt.timedelta(30) for d in days], "measure": "rate"}
    )
    chosen = apart(rows)
    assert [(d - AS_OF).days for d in chosen.start] == [29, 59, 89]
    assert len(apart(rows, newest=2)) == 2

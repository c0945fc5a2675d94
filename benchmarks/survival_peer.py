"""SurvivalBoost in its own environment: reads a folder, fits, writes survival by day and seconds. No project import.

    PYTHON benchmarks/survival_peer.py FOLDER

FOLDER holds train.parquet (features, `event`, `duration`), test.parquet (features) and days.npy; `survival.npy`
(rows, days) and `seconds.txt` are written beside them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from hazardous import SurvivalBoost


def main() -> None:
    """Fit and write."""
    place = Path(sys.argv[1])
    train, test = pd.read_parquet(place / "train.parquet"), pd.read_parquet(place / "test.parquet")
    start = time.perf_counter()
    model = SurvivalBoost(random_state=7, show_progressbar=False)
    model.fit(train[test.columns], train[["event", "duration"]])
    survival = model.predict_survival_function(test, times=np.load(place / "days.npy"))
    (place / "seconds.txt").write_text(f"{time.perf_counter() - start:.1f}")
    np.save(place / "survival.npy", np.asarray(survival, dtype=np.float64))


if __name__ == "__main__":
    main()

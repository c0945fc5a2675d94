"""The purchases of one small company, for exports in the ways of many systems, and what `churn init` makes of them."""

import datetime as dt

import numpy as np
import pandas as pd
from shapes import bought

from configs.schema import load_config
from pipeline.result import Result
from pipeline.setup.init import init
from pipeline.setup.interview import Given

PURCHASES = bought(customers=120, seed=9).reset_index(drop=True)
NUMBER = np.arange(len(PURCHASES))
PERSON = PURCHASES.customer.to_numpy()
MAIL = np.array([f"u{k}@example.org" for k in PERSON], object)
PEOPLE = np.unique(PERSON)
OFF = NUMBER % 30 == 7  # cancelled, or lost


def begun(make, folder):
    """The config and the sources that `churn init` makes of an export."""
    from pipeline.sources.opening import open_sources

    files = []
    for name, columns in make().items():
        files.append(folder / f"{name}.csv")
        pd.DataFrame(columns).to_csv(files[-1], index=False)
    today = dt.date(2024, 7, 2)
    result = init(
        [str(file) for file in files],
        folder / "churn.yaml",
        Given(),
        None,
        today=today,
        check=lambda out, say: Result("not checked", {}),
    )
    config = load_config(folder / "churn.yaml", environ={})
    return config, open_sources(config, config.as_of or today), result

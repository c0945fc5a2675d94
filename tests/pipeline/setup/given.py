"""Tables as `churn init` looks at them, from values that stand in the test."""

import ibis
import pandas as pd

from pipeline.setup.tables import GivenTable
from pipeline.sources.profiles import profiles_of
from pipeline.sources.readers import connect_duckdb


def given_table(name, values, **settings):
    """Columns of values, a list each, as a table that was looked at."""
    connection = connect_duckdb(1)
    rows = connection.create_table("looked_at", ibis.memtable(pd.DataFrame(values)), temp=True)
    return GivenTable((f"{name}.csv",), name, profiles_of(connection, rows), rows, settings)

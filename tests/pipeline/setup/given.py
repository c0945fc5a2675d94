"""Tables as `churn init` looks at them, from values that stand in the test."""

import ibis
import pandas as pd

from pipeline.setup.tables import GivenTable
from pipeline.sources.profiles import profiles_of
from pipeline.sources.readers import connect_duckdb

DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]


def given_table(name, values, **settings):
    """Columns of values, a list each, as a table that was looked at."""
    connection = connect_duckdb(1)
    rows = connection.create_table("looked_at", ibis.memtable(pd.DataFrame(values)), temp=True)
    return GivenTable((f"{name}.csv",), name, profiles_of(connection, rows), rows, settings)


def part(make, name, values, *more):
    """The part that a table plays, whose first column says who the customer is."""
    table = given_table(name, values)
    return make(table, table.columns[0], *more, [])


def orders(**more):
    """Columns of four purchases, and more."""
    return {"customer_id": [1, 2, 2, 3], "order_date": DAYS, **more}

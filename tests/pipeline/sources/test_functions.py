"""Functions of a text are asked only for what the engine can't read itself."""

import datetime as dt

from pipeline.sources import functions
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 4, 1)


def asked_for(monkeypatch, config):
    """The texts that any function is asked for, nulls aside, and the amounts that come out."""
    told, read = set(), functions._read

    def remembered(function, settings, text):
        told.add(text)
        return read(function, settings, text)

    monkeypatch.setattr(functions, "_read", remembered)
    amounts = open_sources(config, AS_OF).tables["transactions"].amount.to_pyarrow().to_pylist()
    return told - {None}, sorted(amounts)


def test_the_engine_reads_what_it_can(tiny, monkeypatch):
    rows = "customer_id,occurred_at,amount\n1,2024-01-05 10:00:00,10\n2,2024-02-04,20.5\n"
    assert asked_for(monkeypatch, tiny(transactions=rows)) == (set(), [10.0, 20.5])


def test_a_function_reads_the_rest(tiny, monkeypatch):
    rows = 'customer_id,occurred_at,amount\n1,2024-01-05 10:00:00,10\n2,2024-02-04  7:05,"1,250.50"\n'
    told, amounts = asked_for(monkeypatch, tiny(transactions=rows))
    assert "1,250.50" in told
    assert not {"10", "2024-01-05 10:00:00"} & told
    assert amounts == [10.0, 1250.5]

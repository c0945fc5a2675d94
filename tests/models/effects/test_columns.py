"""How columns become terms."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.effects.columns import LIMIT, TermsOf, from_json, learn_terms, terms_of

FRAME = pd.DataFrame(
    {
        "amount": np.r_[np.geomspace(1, 1e6, 99), np.nan],
        "flag": np.r_[np.zeros(50), np.ones(50)],
        "same": np.ones(100),
        "unknown": np.full(100, np.nan),
        "half": np.r_[np.full(50, np.nan), np.arange(50.0)],
    }
)


def test_columns_that_do_not_differ_are_left_out():
    assert [c.name for c in learn_terms(FRAME)] == ["amount", "flag", "half"]


def test_each_term_has_a_name():
    for column in learn_terms(FRAME):
        assert column.terms(FRAME[column.name].to_numpy()).shape == (100, len(column.names))
    assert learn_terms(FRAME)[1].names == ["flag", "flag above 0.5"]
    assert learn_terms(FRAME)[2].names[-1] == "half unknown"


@given(arrays(float, 20, elements=st.floats(allow_nan=True, allow_infinity=False)))
def test_terms_are_numbers_within_bounds_whatever_comes(values):
    for column in learn_terms(FRAME):
        found = column.terms(values)
        assert np.isfinite(found).all()
        assert np.abs(found).max() <= LIMIT


def test_a_missing_column_counts_as_unknown():
    columns = learn_terms(FRAME)
    gone = terms_of(columns, FRAME.drop(columns="half"))
    unknown = terms_of(columns, FRAME.assign(half=np.nan))
    assert (gone == unknown).all()


def test_kept_as_plain_numbers_and_read_again():
    for column in learn_terms(FRAME):
        assert from_json({**vars(column), "cuts": list(column.cuts)}) == column
    assert TermsOf.of("same", np.ones(5)) is None

"""How columns become terms."""

import numpy as np
import pandas as pd
import pytest
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


def test_a_number_is_cut_at_its_thirds_and_clipped_at_its_ends():
    found = TermsOf.of("days", np.arange(101.0))
    assert (found.low, found.high, found.fill, found.flagged) == (1.0, 99.0, 50.0, False)
    assert found.cuts == pytest.approx((100 / 3, 200 / 3))
    terms = found.terms(np.array([0.0, 1.0, 33.0, 34.0, 66.0, 67.0, 99.0, 1e9, np.nan]))
    assert terms[:, 1].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 0]
    assert terms[:, 2].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 0]
    assert terms[0, 0] == terms[1, 0]
    assert terms[6, 0] == terms[7, 0]
    assert terms[8, 0] == found.terms(np.array([50.0]))[0, 0]  # the unknown is taken for the median
    assert found.names == ["days", "days above 33.3333", "days above 66.6667"]


def test_the_number_is_standardised_after_its_signed_logarithm():
    values = np.r_[-np.geomspace(1, 1e4, 500), np.geomspace(1, 1e4, 500)]
    found = TermsOf.of("balance", values)
    z = found.terms(values)[:, 0]
    assert z.mean() == pytest.approx(0, abs=1e-9)
    assert z.std() == pytest.approx(1)
    assert np.log1p(found.high) - found.mean == pytest.approx(z.max() * found.scale)
    assert z[:500] == pytest.approx(-z[500:])


@pytest.mark.parametrize(
    ("unknown", "ones", "flagged", "cuts"),
    [
        (1, 50, False, (0.5,)),
        (3, 50, True, (0.5,)),
        (0, 1, False, ()),  # too few are above
        (0, 99, False, ()),  # too few are below
        (0, 3, False, (0.5,)),
    ],
)
def test_what_is_rare_is_no_term(unknown, ones, flagged, cuts):
    values = np.r_[np.full(unknown, np.nan), np.ones(ones), np.zeros(100 - unknown - ones)]
    found = TermsOf.of("flag", values)
    assert (found.flagged, found.cuts) == (flagged, cuts)
    assert found.terms(values).shape == (100, 1 + len(cuts) + flagged)

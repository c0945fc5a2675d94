"""How long ago, how often and by whom customers were contacted."""

import numpy as np
import pytest
from literal import at, features_of, table_of

IN, OUT = "inbound", "outbound"


@pytest.fixture(scope="module")
def found():
    rows = [
        at("a", "2024-04-02", direction=OUT, complaint=False, resolved_at=None),
        at("a", "2024-05-02", direction=IN, complaint=True, resolved_at="2024-05-12"),
        at("a", "2024-06-01", direction=IN, complaint=True, resolved_at=None),
        at(
            "a", "2024-06-11", direction=OUT, complaint=False, resolved_at="2024-06-12"
        ),  # ours: no issue of theirs
        at("b", "2024-06-30", direction=None, complaint=False, resolved_at=None),
        at("c", "2024-06-29", direction=IN, complaint=False, resolved_at="2024-07-03"),  # resolved after T
    ]
    return features_of({"contacts": table_of(rows)})


def test_gaps_and_the_usual_gap(found):
    np.testing.assert_allclose(found.contact_gap_days, [20, 1, 2])
    np.testing.assert_allclose(found.contact_gap_mean_days, [70 / 3, np.nan, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found.contact_gap_ratio, [20 / (70 / 3), np.nan, np.nan], rtol=1e-6)


def test_who_began(found):
    assert found.contact_count_90d.tolist() == [4, 1, 1]
    assert found.contact_inbound_count_90d.tolist() == [2, 0, 1]
    assert found.contact_outbound_count_90d.tolist() == [2, 0, 0]
    np.testing.assert_allclose(found.contact_outbound_gap_days, [20, np.nan, np.nan])
    np.testing.assert_allclose(found.contact_inbound_gap_days, [30, np.nan, 2])


def test_an_issue_is_open_until_it_is_resolved(found):
    assert found.open_issue_count.tolist() == [1, 0, 1]
    np.testing.assert_allclose(found.resolve_wait_mean_days, [10, np.nan, np.nan])


def test_complaints_are_those_that_the_config_calls_so():
    rows = [
        at("a", "2024-06-01", topic="angry", complaint=True),
        at("a", "2024-06-02", topic="Complaint", complaint=False),  # the mark counts, not the text
    ]
    found = features_of({"contacts": table_of(rows)})
    assert found.complaint_count_30d.tolist() == [1]


def test_people_are_counted_once_each():
    rows = [at("a", f"2024-0{month}-01", agent=name) for month, name in ((2, "Ada"), (3, "Bo"), (5, "Ada"))]
    found = features_of({"contacts": table_of([*rows, at("b", "2024-05-01", agent=None)])})
    assert found.contact_people_count.tolist() == [2, 0]
    np.testing.assert_allclose(found.contact_new_person_days, [122, np.nan])  # since Bo, on 1 March

"""What the label window shows of a contact's effect."""

import pytest

from benchmarks.policy import company_of
from benchmarks.policy_company import NOBODY
from benchmarks.policy_signal import grown, windows


@pytest.fixture(scope="module")
def null():
    company = company_of("null", 0, 20, 300)
    return company, grown(company)


def test_a_contact_that_changes_nothing_shows_nothing_in_either_window(null):
    assert (windows(*null, 0) == windows(*null, NOBODY)).all()


def test_a_contact_that_drives_away_shows_rather_in_the_second_window():
    company = company_of("market", 20, 26, 2_000)
    state = grown(company)
    first, second = windows(company, state, 0) - windows(company, state, NOBODY)
    assert second < 2 * first < 0

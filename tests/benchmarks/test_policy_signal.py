"""What the label shows of a contact's effect, and what is seen of who is still a customer later."""

from benchmarks.policy import company_of
from benchmarks.policy_company import NOBODY
from benchmarks.policy_signal import grown, kept_by_outcome


def test_a_contact_that_changes_nothing_shows_nothing_by_any_outcome():
    company = company_of("null", 0, 20, 300)
    state, rate = grown(company)
    assert (kept_by_outcome(company, state, rate, 0) == kept_by_outcome(company, state, rate, NOBODY)).all()


def test_a_contact_that_drives_away_is_seen_sooner_by_silence_than_by_the_label():
    company = company_of("market", 20, 26, 2_000)
    state, rate = grown(company)
    alone = kept_by_outcome(company, state, rate, NOBODY)
    label, two, three = (kept_by_outcome(company, state, rate, 0) - alone).mean(axis=1) / alone.std(axis=1)
    assert three < two < 2 * label < 0

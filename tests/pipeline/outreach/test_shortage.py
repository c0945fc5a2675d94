"""Why nobody, or hardly anybody, is on a list."""

import pandas as pd
import pytest

from pipeline.languages.language import Language
from pipeline.languages.said import spoken
from pipeline.outreach.eligibility import Rule
from pipeline.outreach.shortage import why_short

EMPTY = "nobody is on the list: '{rule}' holds for {n} of 10 customers"
PLAYBOOK = (
    "an action fits what its `when` asks for: copy the playbook, let it ask for columns or segments of your data, and "
    "name it in `outreach.playbook`"
)
MAILINGS = (
    "'{rule}' holds for {n} of 10 customers: leave mailings to everybody out of `sources.contacts` by `where`"
)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([Rule.NO_ACTION] * 7 + [Rule.QUIET] * 3, [EMPTY.format(rule=Rule.NO_ACTION, n=7), PLAYBOOK]),
        ([Rule.NO_ACTION] * 9, []),  # who is listed has an action that fits
        (
            [f"{Rule.QUIET}; {Rule.TOO_MANY}"] * 8 + [Rule.TOO_MANY] * 2,
            [EMPTY.format(rule=Rule.TOO_MANY, n=10), MAILINGS.format(rule=Rule.TOO_MANY, n=10)],
        ),
        # Half of the customers were spoken to lately: that can be so.
        ([Rule.QUIET] * 5 + [Rule.NO_GAIN] * 4, []),
        ([Rule.QUIET] * 6 + [Rule.NO_GAIN] * 3, [MAILINGS.format(rule=Rule.QUIET, n=6)]),
    ],
)
def test_the_rule_that_holds_for_most_is_told(rules, told):
    frame = pd.DataFrame({"rules": [str(rule) for rule in rules]})
    assert [str(line) for line in why_short(frame, 10 - len(rules))] == told


def test_without_customers_there_is_nothing_to_say():
    assert why_short(pd.DataFrame({"rules": pd.Series(dtype="str")}), 0) == ()


@pytest.mark.parametrize("language", ["fa", "mr"])
def test_it_is_told_in_the_language_of_the_reader(language):
    frame = pd.DataFrame({"rules": [str(Rule.QUIET)] * 3})
    assert not any("list" in spoken(line, Language(language)) for line in why_short(frame, 0))

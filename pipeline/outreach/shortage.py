"""Why a list is short: the rule that stands against most customers, for a person who finds nobody on it."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from pipeline.languages.said import Said, said, said_again
from pipeline.outreach.eligibility import SEVERAL_RULES, Rule

# Contacts of ours that so many customers have had lately were mailings, and no talks.
RESTING = 0.5


def why_short(suppressed: pd.DataFrame, listed: int) -> tuple[Said, ...]:
    """What a person should know of the rules, a line each.

    Parameters
    ----------
    suppressed
        Of `Decision`: `rules` of everybody who is not on the list.
    listed
        How many are.

    Examples
    --------
    >>> rules = ["quiet time after a contact; contacted often enough lately"] * 9 + ["no action of the playbook fits"]
    >>> for line in why_short(pd.DataFrame({"rules": rules}), listed=0): print(line)
    nobody is on the list: 'quiet time after a contact' holds for 9 of 10 customers
    'quiet time after a contact' holds for 9 of 10 customers: leave mailings to everybody out of `sources.contacts` by \
`where`
    """
    against: Counter[str] = Counter()
    for rules, customers in suppressed["rules"].value_counts().items():
        for rule in str(rules).split(SEVERAL_RULES):
            against[rule] += int(customers)
    if not against:
        return ()
    everybody = len(suppressed) + listed
    most, customers = against.most_common(1)[0]
    told = []
    if not listed:
        told.append(
            said(
                "nobody is on the list: '{rule}' holds for {n} of {customers} customers",
                rule=said_again(most),
                n=customers,
                customers=everybody,
            )
        )
    if not listed and most == str(Rule.NO_ACTION):
        told.append(
            said(
                "an action fits what its `when` asks for: copy the playbook, let it ask for columns or segments of "
                "your data, and name it in `outreach.playbook`"
            )
        )
    resting = max((Rule.QUIET, Rule.TOO_MANY), key=lambda rule: against[rule])
    if against[resting] > RESTING * everybody:
        told.append(
            said(
                "'{rule}' holds for {n} of {customers} customers: leave mailings to everybody out of "
                "`sources.contacts` by `where`",
                rule=said_again(str(resting)),
                n=against[resting],
                customers=everybody,
            )
        )
    return tuple(told)

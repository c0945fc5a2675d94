"""Findings of `churn check` as lines and as an exit code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.doctor.findings import Finding, exit_code_of, shown_findings

STATES = ("fault", "later", "look", "not reached", "ok")
ONE = st.builds(
    Finding, st.text("abc", min_size=1, max_size=9), st.sampled_from(STATES), st.text("xyz", max_size=9)
)
FINDINGS = st.lists(ONE, min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((), 0),
        (("ok", "not reached"), 0),
        (("ok", "look"), 3),
        (("later",), 3),
        (("look", "fault"), 1),
        (("fault", "later", "ok"), 1),
    ],
)
def test_one_exit_code_for_all(states, code):
    assert exit_code_of([Finding("x", state, "") for state in states]) == code


@settings(max_examples=30, deadline=None)
@given(FINDINGS)
def test_every_finding_is_a_line_the_worst_first_in_columns(findings):
    *lines, last = shown_findings(findings).splitlines()
    assert len(lines) == len(findings)
    order = [next(i for i, state in enumerate(STATES) if line.startswith(state)) for line in lines]
    assert order == sorted(order)
    assert last == f"{sum(f.state == 'ok' for f in findings)} of {len(findings)} checks passed"


def test_further_lines_stand_below_the_first():
    shown = shown_findings([Finding("disk", "ok", "free"), Finding("joins", "fault", "one", ("two",))])
    assert shown.splitlines() == [
        "fault  joins  one",
        "              two",
        "ok     disk   free",
        "1 of 2 checks passed",
    ]


def test_values_for_machines():
    assert Finding("disk", "ok", "one", ("two",), {"free_gb": 8}).as_values == {
        "check": "disk", "state": "ok", "lines": ["one", "two"], "free_gb": 8
    }  # fmt: skip

"""Reasons to leave: a customer's numbers in, the sentences of an account manager out."""

import re

import numpy as np
import pandas as pd
import pytest

from configs.base import Range
from features.matrix import declared
from features.spec import FeatureColumn, columns_of
from features.worse import STORIES, Worse
from pipeline.languages.language import Language
from pipeline.outreach.reasons import Reason, reasons_of, shown_reasons, with_trouble

COLUMNS = [column for column, _ in columns_of(declared(), [30, 90])]
NAMES = [column.name for column in COLUMNS]

# What most customers are like: nothing about them is a reason.
USUAL = {
    "recency_days": 20, "recency_ratio": 0.8, "recency_share": 0.05, "purchase_gap_mean_days": 25,
    "purchase_count_30d": 1, "purchase_count_90d": 4, "purchase_count_change_30d": 0,
    "purchase_count_change_90d": 0, "purchase_count_ever": 16, "purchase_rate": 14,
    "purchase_count_year_ago_30d": 1, "purchase_count_year_ago_90d": 4, "purchase_tenure_days": 420,
    "spend_sum_30d": 50, "spend_sum_90d": 200, "spend_change_30d": 0, "spend_change_90d": 0,
    "cancellation_count_30d": 0, "cancellation_count_90d": 1, "cancellation_share": 0.05,
    "cancellation_spend_share": 0.04, "cancellation_recency_days": 60,
    "feedback_score_last": 8, "feedback_score_mean_ever": 8.1, "feedback_score_trend": -0.1,
    "feedback_low_share": 0.1, "feedback_unanswered_count_30d": 0, "feedback_unanswered_count_90d": 1,
    "feedback_silence_days": 40, "feedback_asked_gap_days": 40,
    "contact_gap_days": 25, "contact_gap_mean_days": 30, "contact_gap_ratio": 0.83,
    "contact_outbound_gap_days": 40, "contact_inbound_gap_days": 30, "contact_people_count": 2,
    "contact_customer_people_count": 2,
    "contact_new_person_days": 300, "complaint_count_30d": 0, "complaint_count_90d": 0,
    "open_issue_count": 0, "resolve_wait_mean_days": 2, "points_balance": 100, "points_redeemed_gap_days": 50,
    "usage_recency_days": 2, "usage_recency_ratio": 1, "usage_active_share": 0.4,
    "usage_active_days_30d": 12, "usage_active_days_90d": 36, "usage_active_days_change_30d": 0,
    "usage_active_days_change_90d": 0, "usage_rate_ratio_30d": 1, "usage_rate_ratio_90d": 1,
    "usage_kinds_30d": 4, "usage_kinds_90d": 5, "usage_breadth": 6, "tenure_days": 430,
}  # fmt: skip


def told(changes, pushes=1.0):
    """Sentences of a customer like most, but for some numbers; every number raises the risk alike."""
    rows = pd.DataFrame([USUAL | changes], columns=NAMES, dtype=float)
    given = pushes if isinstance(pushes, dict) else dict.fromkeys(NAMES, pushes)
    contributions = pd.DataFrame([given], columns=NAMES, dtype=float).fillna(0.0)
    return [reason.sentence for reason in reasons_of(contributions, rows, USUAL, COLUMNS)[0]]


def test_who_is_like_most_customers_has_no_reason():
    assert told({}) == []
    assert shown_reasons(()) == ["Nothing in the records points to a reason for leaving.", "", ""]


GROWTH = {
    "recency_days": 1, "recency_ratio": 0.1, "recency_share": 0, "purchase_count_30d": 9,
    "purchase_count_90d": 20, "purchase_count_change_30d": 8, "purchase_count_change_90d": 18,
    "purchase_rate": 60, "spend_change_30d": 900, "spend_change_90d": 1900, "spend_sum_30d": 1000,
    "cancellation_recency_days": np.nan, "cancellation_share": 0, "cancellation_spend_share": 0,
    "cancellation_count_90d": 0, "feedback_score_last": 10, "feedback_score_trend": 1.9,
    "feedback_low_share": 0, "feedback_unanswered_count_90d": 0, "contact_gap_days": 2,
    "contact_gap_ratio": 0.1, "contact_people_count": 5, "contact_customer_people_count": 4,
    "usage_active_days_change_30d": 15, "usage_rate_ratio_30d": 3, "usage_kinds_30d": 9, "usage_breadth": 9,
    "tenure_days": 1077, "purchase_tenure_days": 1070, "resolve_wait_mean_days": 0.2, "points_balance": 0,
}  # fmt: skip


def test_growth_praise_and_a_long_stay_are_no_reasons():
    assert told(GROWTH) == []
    for name, number in GROWTH.items():
        assert told({name: number}) == []


def test_what_never_happened_is_no_reason():
    assert told(dict.fromkeys(NAMES, np.nan)) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"recency_days": 40, "recency_ratio": 1.6},
         "no purchase for 40 days, before that one about every 25 days"),
        ({"recency_days": 40, "recency_ratio": 4.0, "purchase_gap_mean_days": 0.2},
         "no purchase for 40 days"),
        ({"recency_days": 40, "recency_share": 0.8, "purchase_count_ever": 2, "purchase_gap_mean_days": 10},
         "only two purchases so far, the last one 40 days ago"),
        ({"second_purchase_wait_days": 31, "purchase_count_ever": 1}, "only one purchase so far, 31 days ago"),
        ({"purchase_count_90d": 1, "purchase_count_change_90d": -6, "purchase_count_year_ago_90d": 1},
         "1 purchase in the last 90 days, 6 fewer than in the 90 days before"),
        ({"purchase_count_90d": 0, "purchase_count_year_ago_90d": 4},
         "no purchases in the last 90 days, 4 in the same days a year before"),
        ({"spend_sum_90d": 80, "spend_change_90d": -120},
         "spends less per purchase: 80 in the last 90 days, 120 less than in the 90 days before"),
        ({"cancellation_count_90d": 3, "cancellation_share": 0.3},
         "3 purchases cancelled or returned in the last 90 days"),
        ({"cancellation_spend_share": 0.64}, "64% of the money spent was cancelled or returned"),
        ({"cancellation_recency_days": 1.2, "cancellation_share": 0.5}, "cancelled or returned a purchase 1 day ago"),
        ({"feedback_score_last": 4}, "gave a score of 4 in the last survey, most customers give about 8"),
        ({"feedback_score_last": 6.5, "feedback_score_trend": -1.75},
         "gave a score of 6.5 in the last survey, 1.8 less than usual"),
        ({"feedback_low_share": 0.6}, "gave mostly low scores in surveys so far"),
        ({"feedback_unanswered_count_90d": 3}, "did not answer 3 surveys in the last 90 days"),
        ({"feedback_silence_days": 95}, "has answered no survey for 95 days, though asked"),
        ({"feedback_asked_gap_days": 200}, "nobody has asked for feedback for 200 days"),
        ({"contact_gap_days": 60, "contact_gap_ratio": 2},
         "no contact for 60 days, before that one about every 30 days"),
        ({"contact_gap_days": 130, "contact_gap_ratio": np.nan}, "no contact for 130 days"),
        ({"contact_outbound_gap_days": 130, "contact_gap_ratio": np.nan}, "we last called or wrote 130 days ago"),
        ({"contact_people_count": 1}, "knows only one person of ours"),
        ({"contact_customer_people_count": 1}, "we know only one person on the customer's side"),
        ({"contact_new_person_days": 12, "contact_outbound_gap_days": 12},
         "another person of ours took over 12 days ago"),
        ({"complaint_count_30d": 1}, "1 complaint in the last 30 days"),
        ({"open_issue_count": 2}, "2 requests still open"),
        ({"resolve_wait_mean_days": 5.6}, "had to wait about 6 days for a solution"),
        ({"points_balance": 1500}, "1,500 loyalty points not used"),
        ({"points_redeemed_gap_days": 200}, "last used loyalty points 200 days ago"),
        ({"usage_recency_days": 9, "usage_recency_ratio": 4.5},
         "has not used the product for 9 days, a much longer break than usual"),
        ({"usage_recency_days": 30, "usage_recency_ratio": np.nan}, "has not used the product for 30 days"),
        ({"usage_active_days_30d": 1, "usage_active_days_change_30d": -8},
         "used the product on 1 day of the last 30, 8 fewer than in the 30 days before"),
        ({"usage_active_share": 0.1}, "uses the product on about 10% of the days, most customers on about 40%"),
        ({"usage_rate_ratio_30d": 0.4}, "used the product less than half as much in the last 30 days as usual"),
        ({"usage_breadth": 2}, "has used only 2 functions of the product so far, most customers about 6"),
        ({"usage_kinds_30d": 1}, "used 1 function of the product in the last 30 days, 6 before"),
        ({"tenure_days": 20}, "a new customer, with us for 20 days"),
        ({"tenure_days": np.nan, "purchase_tenure_days": 20}, "a new customer, first purchase 20 days ago"),
        ({"first_use_wait_days": 12}, "with us for 12 days and has not used the product yet"),
    ],
)  # fmt: skip
def test_what_a_change_for_the_worse_says(changes, sentence):
    assert told(changes) == [sentence]


@pytest.mark.parametrize(
    "changes",
    [
        {"recency_days": 9, "recency_ratio": 1.9},  # a weekly buyer after nine days
        {"recency_days": 40, "recency_ratio": 1.2, "purchase_gap_mean_days": 33},  # a monthly payer
        {"second_purchase_wait_days": 2, "purchase_count_ever": 1},
        {
            "purchase_rate": 1.2
        },  # who pays by the year, or always bought seldom, has not changed for the worse
        {"purchase_count_change_90d": -1},
        {"cancellation_count_90d": 2, "cancellation_share": 0.05},  # two of forty
        {"cancellation_spend_share": 3.0},  # more than was ever bought: the data begin in between
        {"feedback_score_last": 2, "feedback_silence_days": 185, "feedback_asked_gap_days": 100},
        {"contact_gap_days": 130, "contact_gap_ratio": 1.1},
        {"usage_breadth": 1, "tenure_days": 5, "recency_days": 40},
        # Long ago: nobody calls about it any more.
        {"complaint_count_90d": 1, "contact_inbound_gap_days": 91},
        {"resolve_wait_mean_days": 11, "contact_inbound_gap_days": 709},
        {"resolve_wait_mean_days": 11, "contact_gap_days": 95},
        {"open_issue_count": 1, "contact_inbound_gap_days": 400},
        {"cancellation_count_90d": 3, "cancellation_share": 0.3, "cancellation_recency_days": 181},
        # The service desk answered; nobody of ours has called since the newcomer appeared.
        {"contact_new_person_days": 12, "contact_outbound_gap_days": 40},
        {"contact_new_person_days": 12, "contact_outbound_gap_days": np.nan},
    ],
)
def test_what_is_not_worth_a_word(changes):
    assert told(changes) == []


BAD = {
    "recency_days": 90, "recency_ratio": 4, "purchase_count_90d": 1, "purchase_count_change_90d": -6,
    "purchase_rate": 2, "usage_recency_days": 50, "usage_recency_ratio": 9, "usage_active_share": 0.1,
    "complaint_count_30d": 2, "feedback_score_last": 2, "feedback_score_trend": -4,
}  # fmt: skip


def test_three_at_most_and_no_story_twice():
    pushes = {"recency_ratio": 0.9, "purchase_count_change_90d": 0.8, "usage_recency_ratio": 0.5,
              "usage_active_share": 0.45, "complaint_count_30d": 0.2, "feedback_score_last": 0.1}  # fmt: skip
    assert told(BAD, pushes) == [
        "no purchase for 90 days, before that one about every 25 days",
        "has not used the product for 50 days, a much longer break than usual",
        "2 complaints in the last 30 days",
    ]


def test_a_driver_that_lowers_the_risk_gives_no_reason():
    pushes = {"complaint_count_30d": 0.2, "complaint_count_90d": -0.3, "feedback_score_last": 0.1}
    assert told(BAD, pushes) == ["gave a score of 2 in the last survey, most customers give about 8"]


def test_of_several_numbers_the_one_that_adds_most_speaks():
    both = {"complaint_count_30d": 1, "complaint_count_90d": 3}
    assert told(both, {"complaint_count_30d": 0.2, "complaint_count_90d": 0.1}) == [
        "1 complaint in the last 30 days"
    ]
    assert told(both, {"complaint_count_30d": 0.1, "complaint_count_90d": 0.2}) == [
        "3 complaints in the last 90 days"
    ]


NOUNS = {
    form.lstrip("-")
    for column in COLUMNS
    if column.worse
    for form in re.findall(r"{\w+:(-?[a-z ]+)}", column.worse.says)
}
STATISTICS = r"median|mean|average|half-life|ratio|usual gap|deviation"
UNKNOWN = r"nan|none|\binf|[{}]|(?<!score of )-\d|(?<!of )\b0\b|\bno (days?|functions)\b"
PLURAL = rf"\b1 (?!less)\w+s\b|\b([2-9]|\d[\d,]+) ({'|'.join(NOUNS)})\b"
WRONG = re.compile(f"{STATISTICS}|{UNKNOWN}|{PLURAL}", re.IGNORECASE)
ODD = [np.nan, np.inf, -np.inf, 0, 0.01, 0.3, 0.5, 1, 1.4, 2, 5, 14.5, 31, 95, 400, 12_345]
COUNTS = {
    "purchases",
    "cancellations",
    "surveys",
    "contacts",
    "complaints",
    "issues",
    "people",
    "points",
    "kinds",
}


def odd_numbers(rng, column, n):
    """Numbers that the column could have, and unknown ones; counts are whole."""
    found = rng.choice(ODD, n)
    if column.unit in COUNTS or column.name.startswith("usage_active_days"):
        found = np.floor(found)
    signed = "change" in column.name or "trend" in column.name or "score" in column.name
    return found * rng.choice([-1, 1], n) if signed else found


@pytest.mark.parametrize("place", [i for i, column in enumerate(COLUMNS) if column.worse])
def test_every_sentence_is_one_that_can_be_said_aloud(place):
    rng = np.random.default_rng(place)
    values = np.column_stack([odd_numbers(rng, column, 3_000) for column in COLUMNS])
    usual = {name: float(rng.choice([0.3, 1, 2, 7, 40])) for name in NAMES}
    one = np.zeros_like(values)
    one[:, place] = 1.0
    pushes, rows = (pd.DataFrame(numbers, columns=NAMES) for numbers in (one, values))
    found = [reason.sentence for row in reasons_of(pushes, rows, usual, [COLUMNS[place]]) for reason in row]
    wrong = [sentence for sentence in found if WRONG.search(sentence) or not sentence]
    assert wrong == []
    if getattr(COLUMNS[place].worse.range, "of", None) == "usual":
        at_usual = rows.assign(**{NAMES[place]: usual[NAMES[place]]})
        assert not any(reasons_of(pushes, at_usual, usual, [COLUMNS[place]]))


def test_attributes_say_nothing_beside_declared_features():
    plan = FeatureColumn("plan", "Plan", "", "unknown", "profile", "customers", False)
    seen = FeatureColumn("gap", "Gap", "days", "never", "silence", "usage", True,
                         Worse(range=Range(above=5), says="quiet for {gap:day}"))  # fmt: skip
    rows = pd.DataFrame({"plan": pd.Categorical(["premium"]), "gap": [1.0]})
    contributions = pd.DataFrame({"plan": [0.9], "gap": [0.9]})
    assert reasons_of(contributions, rows, {}, [plan, seen]) == [()]


def test_a_table_that_nobody_declared_tells_what_is_not_as_usual():
    columns = [
        FeatureColumn(name, label, "", "unknown", "profile", "customers", False)
        for name, label in [
            ("charges", "Charges"),
            ("contract", "Contract"),
            ("tenure", "Tenure"),
            ("x", "X"),
        ]
    ]
    rows = pd.DataFrame({"charges": [99.65], "contract": ["Monthly"], "tenure": [12.0], "x": [np.nan]})
    contributions = pd.DataFrame({"charges": [0.4], "contract": [0.6], "tenure": [0.9], "x": [0.8]})
    usual = {"charges": 70.3, "tenure": 12.0, "x": 1.0}
    found = reasons_of(contributions, rows, usual, columns)[0]
    assert [reason.sentence for reason in found] == ["Contract: Monthly", "Charges: 99.65, usually 70.3"]


def test_every_story_has_a_feature():
    assert {driver for story in STORIES for driver in story} <= {column.driver for column in COLUMNS}


COMPLAINED, OPEN = "1 complaint in the last 30 days", "1 request still open"
QUIET, SLOW = Reason("silence", "no order lately", 0.9), Reason("slow answers", "had to wait", 0.5)
FEWER, KNOWN = Reason("spend", "spends less", 0.3), Reason("complaints", "2 complaints", 0.2)


@pytest.mark.parametrize(
    ("reasons", "fresh", "changes", "sentences"),
    [
        ((), 1.0, {"complaint_count_30d": 1}, [COMPLAINED]),
        (
            (QUIET,),
            0.3,
            {"complaint_count_30d": 1, "open_issue_count": 1},
            [COMPLAINED, OPEN, "no order lately"],
        ),
        (
            (QUIET, SLOW, FEWER),
            1.0,
            {"complaint_count_30d": 1},
            [COMPLAINED, "no order lately", "had to wait"],
        ),
        ((SLOW,), 1.0, {"open_issue_count": 1}, ["had to wait"]),
        (
            (QUIET, KNOWN),
            1.0,
            {"complaint_count_30d": 1, "complaint_count_90d": 2},
            [COMPLAINED, "no order lately"],
        ),
        # Answered, or long ago; and a complaint of more than a month ago is not told as a new one.
        ((QUIET,), 0.0, {"complaint_count_30d": 1}, ["no order lately"]),
        ((QUIET,), 0.2, {"complaint_count_90d": 1}, ["no order lately"]),
        ((), 0.3, {"complaint_count_30d": 0, "complaint_count_90d": 1}, []),
    ],
)
def test_who_is_listed_for_trouble_that_nobody_answered_is_told_so(reasons, fresh, changes, sentences):
    rows = pd.DataFrame([USUAL, USUAL | changes], columns=NAMES, dtype=float)
    calm, found = with_trouble([(), reasons], np.array([0.0, fresh]), rows, COLUMNS)
    assert (calm, [reason.sentence for reason in found]) == ((), sentences)


def test_trouble_is_told_in_the_language_of_who_calls():
    rows = pd.DataFrame([USUAL | {"complaint_count_30d": 1}], columns=NAMES, dtype=float)
    ((reason,),) = with_trouble([()], np.ones(1), rows, COLUMNS)
    assert reason.driver == "complaints"
    assert reason.told(Language("fa")) != reason.told(Language("en")) == COMPLAINED

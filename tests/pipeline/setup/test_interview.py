"""Questions of a first hour: an option answers, else a person, at most three times, else the guess that is said."""

import pytest

from pipeline.setup.interview import MOST_QUESTIONS, Interview

DOUBT = "days: took 30; --horizon-days says otherwise"


def person(*answers):
    """Whoever answers in this order, and what was asked."""
    asked, left = [], list(answers)

    def ask(what, guess):
        asked.append((what, guess))
        return left.pop(0)

    return ask, asked


def test_an_option_answers_without_a_question():
    ask, asked = person()
    found = Interview(ask)
    assert found.settle("days", "30", "--horizon-days", "60") == "60"
    assert (asked, found.doubts, found.asked) == ([], [], 0)


@pytest.mark.parametrize(("answer", "taken"), [("60", "60"), ("  60 ", "60"), ("", "30"), ("   ", "30")])
def test_a_person_answers_or_takes_the_guess(answer, taken):
    ask, asked = person(answer)
    found = Interview(ask)
    assert found.settle("days", "30", "--horizon-days", None) == taken
    assert asked == [("days", "30")]
    assert found.doubts == []


def test_after_three_questions_nobody_is_asked_any_more():
    ask, asked = person(*["x"] * MOST_QUESTIONS)
    found = Interview(ask)
    answers = [found.settle("days", "30", "--horizon-days", None) for _ in range(MOST_QUESTIONS + 1)]
    assert answers == ["x", "x", "x", "30"]
    assert len(asked) == found.asked == 3
    assert found.doubts == [DOUBT]


def test_where_nobody_can_be_asked_the_guess_is_taken_and_said_with_the_option():
    found = Interview(None)
    assert found.settle("days", "30", "--horizon-days", None) == "30"
    assert found.doubts == [DOUBT]


def test_two_interviews_do_not_share_their_doubts():
    one, other = Interview(None), Interview(None)
    one.doubt("x", "--y")
    assert (one.doubts, other.doubts) == (["x; --y says otherwise"], [])

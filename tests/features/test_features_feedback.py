"""What customers said when asked, and whether they still answer."""

import numpy as np
import pytest
from literal import at, features_of, table_of


@pytest.fixture(scope="module")
def found():
    rows = [
        *(at("a", day, score=score) for day, score in (("2024-03-01", 9.0), ("2024-06-11", 3.0))),
        at("a", "2024-06-21", score=None),  # asked, no answer
        at("b", "2024-06-29", score=None),
        at("c", "2024-07-01", score=1.0),
    ]
    table = table_of(rows)
    return features_of({"feedback": table.mutate(low=table.score <= 4)})


def test_the_last_score_the_mean_and_what_fell(found):
    np.testing.assert_allclose(found.feedback_score_last, [3, np.nan, np.nan])
    np.testing.assert_allclose(found.feedback_score_mean_ever, [6, np.nan, np.nan])
    np.testing.assert_allclose(found.feedback_score_mean_30d, [3, np.nan, np.nan])
    np.testing.assert_allclose(found.feedback_score_trend, [-3, np.nan, np.nan])


def test_low_scores_are_a_share_of_the_answers(found):
    np.testing.assert_allclose(found.feedback_low_share, [0.5, np.nan, np.nan])


def test_who_was_asked_and_who_answered(found):
    assert found.feedback_asked_count_30d.tolist() == [2, 1, 0]
    assert found.feedback_unanswered_count_30d.tolist() == [1, 1, 0]
    np.testing.assert_allclose(found.feedback_answered_share, [2 / 3, 0, np.nan], rtol=1e-6)


def test_silence_counts_from_the_last_answer_and_asking_from_the_last_question(found):
    np.testing.assert_allclose(found.feedback_silence_days, [20, np.nan, np.nan])
    np.testing.assert_allclose(found.feedback_asked_gap_days, [10, 2, np.nan])


def test_feedback_without_scores_is_counted_and_has_no_score():
    table = table_of([at("a", "2024-06-11"), at("a", "2024-01-01")]).mutate(unscored=True)
    found = features_of({"feedback": table})
    assert found.feedback_given_count_30d.tolist() == [1]
    assert found.feedback_given_gap_days.tolist() == [20]
    assert not [name for name in found if "score" in name or "asked" in name]

"""What the customer said when asked, and whether the customer still answers."""

from __future__ import annotations

from features.panel import Floats, ratio
from features.spec import At, feature


@feature(
    "feedback",
    unit="points",
    driver="low feedback",
    null="has never answered",
    reason="last feedback score {feedback_score_last:.0f}; own mean {feedback_score_mean_ever:.1f}",
)
def feedback_score_last(at: At) -> Floats:
    """Last feedback score."""
    return at.feedback.last_value("score")


@feature("feedback", unit="points", driver="low feedback", null="has never answered")
def feedback_score_mean_ever(at: At) -> Floats:
    """Mean feedback score so far."""
    return at.feedback.mean("score")


@feature("feedback", unit="points", driver="low feedback", null="no answer in the window", windows=True)
def feedback_score_mean(at: At, days: int) -> Floats:
    """Mean feedback score of the last {days} days."""
    return at.feedback.last(days).mean("score")


@feature(
    "feedback",
    unit="points",
    driver="falling feedback",
    null="has never answered",
    reason="last feedback score {feedback_score_last:.0f}, {feedback_score_trend:+.1f} against the own mean",
)
def feedback_score_trend(at: At) -> Floats:
    """Last feedback score, less the own mean so far."""
    return at.feedback.last_value("score") - at.feedback.mean("score")


@feature(
    "feedback.low",
    unit="share",
    driver="low feedback",
    null="has never answered",
    reason="{feedback_low_share:.0%} of the scores are low",
)
def feedback_low_share(at: At) -> Floats:
    """Share of low scores among the answers."""
    return ratio(at.feedback.count(where="low"), at.feedback.count("score"))


@feature("feedback", unit="surveys", driver="unanswered feedback", windows=True)
def feedback_asked_count(at: At, days: int) -> Floats:
    """Times asked for feedback in the last {days} days."""
    return at.feedback.last(days).count()


@feature(
    "feedback",
    unit="surveys",
    driver="unanswered feedback",
    windows=True,
    reason="requests for feedback without an answer in the last {days} days: "
    "{feedback_unanswered_count_{days}d:.0f}",
)
def feedback_unanswered_count(at: At, days: int) -> Floats:
    """Requests for feedback in the last {days} days without an answer."""
    window = at.feedback.last(days)
    return window.count() - window.count("score")


@feature(
    "feedback",
    unit="share",
    driver="unanswered feedback",
    null="has never been asked",
    reason="answered {feedback_answered_share:.0%} of requests for feedback",
)
def feedback_answered_share(at: At) -> Floats:
    """Share of requests for feedback that were answered."""
    return ratio(at.feedback.count("score"), at.feedback.count())


@feature(
    "feedback",
    unit="days",
    driver="unanswered feedback",
    null="has never answered",
    reason="no feedback for {feedback_silence_days:.0f} days",
)
def feedback_silence_days(at: At) -> Floats:
    """Days since the last answered feedback."""
    return at.t - at.feedback.last_at("score")


@feature(
    "feedback",
    unit="days",
    driver="unanswered feedback",
    null="has never been asked",
    reason="not asked for feedback for {feedback_asked_gap_days:.0f} days",
)
def feedback_asked_gap_days(at: At) -> Floats:
    """Days since feedback was last asked for."""
    return at.t - at.feedback.last_at()

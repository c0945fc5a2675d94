"""What the customer said when asked, and whether the customer still answers."""

from __future__ import annotations

from configs.arrays import Floats
from configs.base import Range
from features.panel import ratio
from features.spec import At, feature
from features.worse import USUAL, Times, Worse

_RECENT_DAYS = 180


@feature(
    "feedback.score",
    unit="points",
    driver="low feedback",
    null="has never answered",
    worse=Worse(
        range=Times(below=0.75, of=USUAL),
        says="gave a score of {feedback_score_last:1} in the last survey, most customers give about {usual:1}",
        when={"feedback_silence_days": Range(below=_RECENT_DAYS)},
    ),
)
def feedback_score_last(at: At) -> Floats:
    """Last feedback score."""
    return at.feedback.last_value("score")


@feature("feedback.score", unit="points", driver="low feedback", null="has never answered")
def feedback_score_mean_ever(at: At) -> Floats:
    """Mean feedback score so far."""
    return at.feedback.mean("score")


@feature("feedback.score", unit="points", driver="low feedback", null="no answer in the window", windows=True)
def feedback_score_mean(at: At, days: int) -> Floats:
    """Mean feedback score of the last {days} days."""
    return at.feedback.last(days).mean("score")


@feature(
    "feedback.score",
    unit="points",
    driver="falling feedback",
    null="has never answered",
    worse=Worse(
        range=Times(below=-0.2, of="feedback_score_mean_ever"),
        says="gave a score of {feedback_score_last:1} in the last survey, {feedback_score_trend:-1} less than usual",
        when={"feedback_score_trend": Range(below=-0.05), "feedback_silence_days": Range(below=_RECENT_DAYS)},
    ),
)
def feedback_score_trend(at: At) -> Floats:
    """Last feedback score, less the own mean so far."""
    return at.feedback.last_value("score") - at.feedback.mean("score")


@feature(
    "feedback.low",
    unit="share",
    driver="low feedback",
    null="has never answered",
    worse=Worse(
        range=Range(above=0.5),
        says="gave mostly low scores in surveys so far",
        when={"feedback_silence_days": Range(below=_RECENT_DAYS)},
    ),
)
def feedback_low_share(at: At) -> Floats:
    """Share of low scores among the answers."""
    return ratio(at.feedback.count(where="low"), at.feedback.count("score"))


@feature("feedback.score", unit="surveys", driver="unanswered feedback", windows=True)
def feedback_asked_count(at: At, days: int) -> Floats:
    """Times asked for feedback in the last {days} days."""
    return at.feedback.last(days).count()


@feature(
    "feedback.score",
    unit="surveys",
    driver="unanswered feedback",
    windows=True,
    worse=Worse(
        range=Times(above=1.5, of=USUAL),
        when={"feedback_unanswered_count_{days}d": Range(above=1.5)},
        says="did not answer {feedback_unanswered_count_{days}d:survey} in the last {days} days",
    ),
)
def feedback_unanswered_count(at: At, days: int) -> Floats:
    """Requests for feedback in the last {days} days without an answer."""
    window = at.feedback.last(days)
    return window.count() - window.count("score")


@feature(
    "feedback.score",
    unit="share",
    driver="unanswered feedback",
    null="has never been asked",
)
def feedback_answered_share(at: At) -> Floats:
    """Share of requests for feedback that were answered."""
    return ratio(at.feedback.count("score"), at.feedback.count())


@feature(
    "feedback.score",
    unit="days",
    driver="unanswered feedback",
    null="has never answered",
    worse=Worse(
        range=Range(above=90),
        says="has answered no survey for {feedback_silence_days:day}, though asked",
        when={"feedback_asked_gap_days": Range(below=90)},
    ),
)
def feedback_silence_days(at: At) -> Floats:
    """Days since the last answered feedback."""
    return at.t - at.feedback.last_at("score")


@feature(
    "feedback.score",
    unit="days",
    driver="unanswered feedback",
    null="has never been asked",
    worse=Worse(
        range=Range(above=180), says="nobody has asked for feedback for {feedback_asked_gap_days:day}"
    ),
)
def feedback_asked_gap_days(at: At) -> Floats:
    """Days since feedback was last asked for."""
    return at.t - at.feedback.last_at()


@feature(
    "feedback.unscored",
    unit="messages",
    driver="inbound contacts",
    windows=True,
)
def feedback_given_count(at: At, days: int) -> Floats:
    """Feedback without a score given in the last {days} days."""
    return at.feedback.last(days).count()


@feature(
    "feedback.unscored",
    unit="days",
    driver="inbound contacts",
    null="has never given any",
)
def feedback_given_gap_days(at: At) -> Floats:
    """Days since the last feedback without a score."""
    return at.t - at.feedback.last_at()

"""What a night sends to the tracking store: figures, a summary in words, and tables that name no customer."""

from __future__ import annotations

from pipeline.csv_text import csv_text
from pipeline.monitoring.checks import frame_of
from pipeline.scoring.night import Night
from pipeline.tracking.champion import age_days
from pipeline.tracking.tonight import to_be_sent


def logged(night: Night) -> str:
    """The text of the file that waits for the tracking store."""
    champion = night.champion
    return to_be_sent(
        f"{night.as_of:%y-%m-%d} {night.config.name}",
        night.metrics,
        {
            "as_of": str(night.as_of),
            "run_id": night.run_id,
            "model_version": str(champion.version),
            "model_age_days": str(age_days(champion, night.as_of)),
            "to_look_at": str(len(night.look)),
            "config_digest": night.config.digest,
            **({} if night.delivered else {"delivered": "no"}),
        },
        night.rates.steps,
        _description(night),
        {"retention.csv": csv_text(night.rates.table), **_checks(night)},
    )


def _description(night: Night) -> str:
    """The night in a few lines of Markdown; what could name a customer stays in the manifest."""
    everybody, chosen, champion = night.everybody, night.decision.chosen, night.champion
    newest = night.rates.table.dropna(subset="rate").tail(1)
    lines = [
        f"**{everybody.customers:,} customers**, {everybody.expected_to_leave:,.0f} expected to leave in "
        f"{night.config.churn.horizon_days} days",
        f"List: {len(chosen):,} customers, expected gain {chosen['expected_gain'].sum():,.2f}",
        *(f"Retention {r.period}: {r.rate:.1f} % (S={r.S}, N={r.N}, E={r.E})" for r in newest.itertuples()),
        f"Scored by version {champion.version} of `{night.config.name}`, trained as of {champion.metadata['as_of']}",
        *([night.watched.summary.capitalize()] if night.watched.checks else []),
        f"For a person to look at: {len(night.look)}; `manifest.json` of the night's folder has them in words",
    ]
    return "\n\n".join(lines)


def _checks(night: Night) -> dict[str, str]:
    """The checks without their advice, which may quote values."""
    checks = night.watched.checks
    return {"monitoring.csv": csv_text(frame_of(checks).drop(columns="advice"))} if checks else {}

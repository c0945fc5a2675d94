"""Every feature straight from the events, written from its docstring: per customer, per snapshot, in plain Python."""

import math

import pandas as pd

NAN = float("nan")
DAY = pd.Timedelta(days=1)


def period_days(snapshots, windows, step, active):
    """The coarsest period whose edges meet every snapshot and every window start."""
    newest = max(snapshots)
    lengths = [*windows, step, *((newest - s).days for s in snapshots), *([active] if active else [])]
    return math.gcd(*lengths)


def past(frame, customer, t):
    """The rows of a customer that occurred and were known before t, oldest first."""
    rows = frame[(frame.customer_id == customer) & (frame.occurred_at < t) & (frame.known_at < t)]
    return rows.sort_values("occurred_at").to_dict("records")


def days(delta):
    return delta / DAY


def within(rows, t, length, before=0):
    start, end = t - (length + before) * DAY, t - before * DAY
    return [r for r in rows if start <= r["occurred_at"] < end]


def values(rows, column):
    return [r[column] for r in rows if not pd.isna(r[column])]


def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else NAN


def gap(rows, t):
    """Days since the last event."""
    return days(t - max(r["occurred_at"] for r in rows)) if rows else NAN


def since_first(rows, t):
    return days(t - min(r["occurred_at"] for r in rows)) if rows else NAN


def mean_gap(rows):
    at = [r["occurred_at"] for r in rows]
    return days(max(at) - min(at)) / (len(at) - 1) if len(at) > 1 else NAN


def own_gaps(rows, t):
    usual = mean_gap(rows)
    return gap(rows, t) / max(usual, 1.0) if not math.isnan(usual) else NAN


def last_value(rows, column):
    """The newest value; of several at one moment the largest."""
    known = [(r["occurred_at"], r[column]) for r in rows if not pd.isna(r[column])]
    return max(known)[1] if known else NAN


def active_days(rows):
    return len({r["occurred_at"].date() for r in rows})


def age_in_periods(row, t, period):
    """0 for an event in the last period before t, 1 in the one before, ..."""
    return math.ceil(days(t - row["occurred_at"]) / period) - 1


def periods_in_a_row(rows, t, period):
    ages = {age_in_periods(r, t, period) for r in rows}
    return next(n for n in range(len(ages) + 1) if n not in ages)


def year_in_periods(period):
    """The days of the whole number of periods nearest to 365."""
    return min((n * period for n in range(1, 400)), key=lambda days: (abs(days - 365), days))


def between(rows, t, start, end):
    """How many rows lie in [t - start, t - end) days; not known for who has none before its end."""
    if not any(r["occurred_at"] < t - end * DAY for r in rows):
        return NAN
    return sum(t - start * DAY <= r["occurred_at"] < t - end * DAY for r in rows)


def moment_known(row):
    return max(row["occurred_at"], row["known_at"])


def first_known(rows, column):
    """When each person was first known to be in contact, newest last."""
    people = {r[column] for r in rows if not pd.isna(r[column])}
    return sorted(min(moment_known(r) for r in rows if r[column] == person) for person in people)


def purchase_features(bought, t, windows, period):
    year = year_in_periods(period)
    redeemed = [r for r in bought if r["points"] < 0]
    spent = values(bought, "amount")
    average = mean(spent)
    first = since_first(bought, t)
    ages = {age_in_periods(r, t, period) for r in bought}
    result = {
        "recency_days": gap(bought, t),
        "purchase_gap_mean_days": mean_gap(bought),
        "recency_ratio": own_gaps(bought, t),
        "recency_share": gap(bought, t) / first,
        "purchase_count_ever": len(bought),
        "purchase_rate": len(bought) * 365.25 / first if bought else NAN,
        "purchase_regularity": len(ages) / math.ceil(first / period) if bought else 0,
        "purchase_tenure_days": first,
        "spend_sum_ever": sum(spent),
        "spend_mean": average,
        "spend_max": max(spent, default=NAN),
        "second_purchase_wait_days": gap(bought, t) if len(bought) == 1 else NAN,
        "points_balance": sum(values(bought, "points")),
        "points_redeemed_gap_days": gap(redeemed, t),
    }
    for w in windows:
        now, then = within(bought, t, w), within(bought, t, w, before=w)
        spend, spend_then = sum(values(now, "amount")), sum(values(then, "amount"))
        result |= {
            f"purchase_count_{w}d": len(now),
            f"purchase_count_change_{w}d": len(now) - len(then),
            f"purchase_intensity_{w}d": sum(
                0.5 ** (age_in_periods(r, t, period) * period / w) for r in bought
            ),
            f"spend_sum_{w}d": spend,
            f"spend_change_{w}d": spend - spend_then,
        }
        if w <= 183:
            result[f"purchase_count_year_ago_{w}d"] = between(bought, t, year + w, year)
            result[f"purchase_count_season_{w}d"] = between(bought, t, year, year - w)
    return result


def cancellation_features(cancelled, bought, t, windows):
    spent, back = sum(values(bought, "amount")), sum(values(cancelled, "amount"))
    return {
        "cancellation_spend_share": back / spent if spent else NAN,
        **{f"cancellation_sum_{w}d": sum(values(within(cancelled, t, w), "amount")) for w in windows},
        "cancellation_share": len(cancelled) / len(bought) if bought else NAN,
        "cancellation_recency_days": gap(cancelled, t),
        **{f"cancellation_count_{w}d": len(within(cancelled, t, w)) for w in windows},
    }


def feedback_features(asked, t, windows, low_score):
    answered = [r for r in asked if not pd.isna(r["score"])]
    scores = values(asked, "score")
    result = {
        "feedback_score_last": last_value(asked, "score"),
        "feedback_score_mean_ever": mean(scores),
        "feedback_score_trend": last_value(asked, "score") - mean(scores),
        "feedback_low_share": mean([float(s <= low_score) for s in scores]),
        "feedback_answered_share": len(answered) / len(asked) if asked else NAN,
        "feedback_silence_days": gap(answered, t),
        "feedback_asked_gap_days": gap(asked, t),
    }
    for w in windows:
        rows = within(asked, t, w)
        result[f"feedback_score_mean_{w}d"] = mean(values(rows, "score"))
        result[f"feedback_asked_count_{w}d"] = len(rows)
        result[f"feedback_unanswered_count_{w}d"] = sum(pd.isna(r["score"]) for r in rows)
    return result


def text(row, column):
    return "" if pd.isna(row[column]) else row[column].lower()


def contact_features(talked, t, windows):
    inbound = [r for r in talked if text(r, "direction") == "inbound"]
    outbound = [r for r in talked if text(r, "direction") == "outbound"]
    solved = [r for r in inbound if not pd.isna(r["resolved_at"]) and r["resolved_at"] < t]
    ours = first_known(talked, "agent")
    waits = [max(days(r["resolved_at"] - r["occurred_at"]), 0.0) for r in solved]
    result = {
        "contact_gap_days": gap(talked, t),
        "contact_gap_mean_days": mean_gap(talked),
        "contact_gap_ratio": own_gaps(talked, t),
        "contact_outbound_gap_days": gap(outbound, t),
        "contact_inbound_gap_days": gap(inbound, t),
        "contact_people_count": len(set(values(talked, "agent"))),
        "contact_customer_people_count": len(set(values(talked, "contact_person"))),
        "contact_new_person_days": days(t - ours[-1]) if len(ours) > 1 else NAN,
        "open_issue_count": len(inbound) - len(solved),
        "resolve_wait_mean_days": mean(waits),
    }
    for w in windows:
        rows = within(talked, t, w)
        result |= {
            f"contact_count_{w}d": len(rows),
            f"contact_inbound_count_{w}d": len(within(inbound, t, w)),
            f"contact_outbound_count_{w}d": len(within(outbound, t, w)),
            f"complaint_count_{w}d": sum(
                "complain" in text(r, "topic") and text(r, "direction") != "outbound" for r in rows
            ),
        }
    return result


def usage_features(used, row, t, windows, period):
    started = row is not None and row["started_at"] < t
    first_day = min(r["occurred_at"] for r in used).floor("D") if used else None
    result = {
        "first_use_wait_days": days(t - row["started_at"]) if started and not used else NAN,
        "usage_active_share": active_days(used) / days(t - first_day) if used else NAN,
        "usage_streak_days": periods_in_a_row(used, t, period) * period,
        "usage_recency_days": gap(used, t),
        "usage_recency_ratio": own_gaps(used, t),
        "usage_breadth": len(set(values(used, "event"))),
    }
    for w in windows:
        now, then = within(used, t, w), within(used, t, w, before=w)
        usual = len(used) / since_first(used, t) if used else NAN
        result |= {
            f"usage_rate_ratio_{w}d": len(now) / min(w, since_first(used, t)) / usual,
            f"usage_kinds_{w}d": len(set(values(now, "event"))),
            f"usage_count_{w}d": len(now),
            f"usage_active_days_{w}d": active_days(now),
            f"usage_active_days_change_{w}d": active_days(now) - active_days(then),
            f"usage_value_sum_{w}d": sum(values(now, "value")),
        }
    return result


def customer_features(row, t):
    """What the customers source tells; nothing of who starts at t or later."""
    if row is None or not row["started_at"] < t:
        return {"tenure_days": NAN, "anniversary_days": NAN, "plan": None, "size": NAN}
    tenure = days(t - row["started_at"])
    return {
        "tenure_days": tenure,
        "anniversary_days": min(tenure % 365.25, 365.25 - tenure % 365.25),
        "plan": row["plan"],
        "size": row["size"],
    }


def payment_features(failed, t, windows):
    paid = [r for r in failed if not pd.isna(r["recovered_at"]) and r["recovered_at"] < t]
    waits = [max(days(r["recovered_at"] - r["occurred_at"]), 0.0) for r in paid]
    result = {
        "open_failed_payment_count": len(failed) - len(paid),
        "failed_payment_gap_days": gap(failed, t),
        "recovery_wait_mean_days": mean(waits),
    }
    for w in windows:
        rows = within(failed, t, w)
        result |= {
            f"failed_payment_count_{w}d": len(rows),
            f"failed_payment_sum_{w}d": sum(values(rows, "amount")),
        }
    return result


def is_customer(customer, row, bought, t, active):
    if active:
        return bool(within(bought, t, active))
    return row is not None and row["started_at"] < t and not row["ended_at"] < t


def matrix(frames, snapshots, windows, step, active, low_score):
    """(snapshot, customer) -> column -> value; `active` is None for contractual churn."""
    period = period_days(snapshots, windows, step, active)
    people = {r["customer_id"]: r for r in frames["customers"].to_dict("records")}
    everybody = set(people) | set(frames["transactions"].customer_id)
    result = {}
    for day in snapshots:
        t = pd.Timestamp(day)
        for customer in everybody:
            rows = {role: past(f, customer, t) for role, f in frames.items() if role != "customers"}
            bought, row = rows["transactions"], people.get(customer)
            if is_customer(customer, row, bought, t, active):
                result[t, customer] = {
                    **purchase_features(bought, t, windows, period),
                    **cancellation_features(rows["cancellations"], bought, t, windows),
                    **feedback_features(rows["feedback"], t, windows, low_score),
                    **contact_features(rows["contacts"], t, windows),
                    **usage_features(rows["usage"], row, t, windows, period),
                    **payment_features(rows["failed_payments"], t, windows),
                    **customer_features(row, t),
                }
    return result

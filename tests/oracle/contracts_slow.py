"""What follows from contracts, in plain Python loops over the rules as docs/contracts.md states them."""

import numpy as np
import pandas as pd

DAY = pd.Timedelta(days=1)
TRIALS = {"trialing", "in_trial"}
NEVER = {"incomplete", "pending"}


def company(seed, customers=60):
    """Contracts as a billing system exports them, many of them at the same moments, side by side and in a row."""
    rng = np.random.default_rng(seed)
    rows = []
    for who in range(customers):
        day = int(rng.integers(0, 200))
        for _ in range(int(rng.integers(1, 6))):
            length = int(rng.choice([0, 5, 30, 60, 200]))
            start = (
                pd.Timestamp("2024-01-01") + day * DAY + pd.Timedelta(seconds=int(rng.choice([0, 0, 43_200])))
            )
            end = start + length * DAY if rng.random() < 0.8 else pd.NaT
            pause = start + int(rng.integers(1, 40)) * DAY if rng.random() < 0.2 else pd.NaT
            rows.append(
                {
                    "customer_id": f"c{who}",
                    "started_at": start,
                    "ended_at": end,
                    "end_reason": rng.choice(["left", "died", "upgrade"]) if end is not pd.NaT else None,
                    "amount": float(rng.choice([0.0, 10.1, 10.1, 20.2, 30.0])),
                    "plan": rng.choice(["basic", "Pro"]),
                    "status": rng.choice(["active", "active", "active", "Trialing", "incomplete"]),
                    "trial": rng.choice(["no", "no", "no", "yes"]),
                    "trial_ends_at": start + 14 * DAY if rng.random() < 0.2 else pd.NaT,
                    "term_ends_at": start + 90 * DAY if rng.random() < 0.5 else pd.NaT,
                    "paused_at": pause,
                    "resumed_at": pause + 10 * DAY if rng.random() < 0.5 else pd.NaT,
                }
            )
            day += int(rng.choice([0, length, length + 3, length + 8, length + 60, length + 90]))
    return pd.DataFrame(rows)


def running(contracts):
    """The contracts that ever run, each with the time from which it does."""
    found = []
    for row in contracts.to_dict("records"):
        whole = row["trial"] == "yes" or row["status"].lower() in TRIALS
        paid = None if whole else row["started_at"]
        if not pd.isna(row["trial_ends_at"]):
            paid = max(row["started_at"], row["trial_ends_at"])
        if row["status"] in NEVER or paid is None or row["ended_at"] <= paid:
            continue
        found.append({**row, "paid_at": paid})
    return found


def of_each(rows):
    people = {}
    for row in rows:
        people.setdefault(row["customer_id"], []).append(row)
    return people


def is_customer(rows, t, grace):
    """A contract has started before t and not ended by then, or not longer ago than the days of grace."""
    return any(
        r["paid_at"] < t and (pd.isna(r["ended_at"]) or r["ended_at"] + grace * DAY >= t) for r in rows
    )


def customers_at(contracts, t, grace):
    return {who for who, rows in of_each(running(contracts)).items() if is_customer(rows, t, grace)}


def losses(rows, grace):
    """The moments at which the customer is lost, each with the reasons of the contracts that ended last."""
    found = {}
    for r in rows:
        if pd.isna(r["ended_at"]):
            continue
        over = r["ended_at"] + grace * DAY
        if not is_customer(rows, over + pd.Timedelta("1us"), grace):
            found.setdefault(over, []).append(r["end_reason"])
    return {over: max(reasons) for over, reasons in found.items()}


def status_of(rows, start, end, grace, excused):
    """What a period made of a customer."""
    at_start, at_end = is_customer(rows, start, grace), is_customer(rows, end, grace)
    first = min(r["paid_at"] for r in rows)
    if at_start and at_end:
        return "kept"
    if at_start:
        last = max(over for over in losses(rows, grace) if over < end)
        return "not_churn" if losses(rows, grace)[last] in excused else "lost"
    if at_end:
        return "new" if first >= start else "returned"
    return None


def label(rows, start, end, grace, excused):
    """1 lost in `[start, end)` and still so at its end, 0 a customer at its end, None where it is not known."""
    if is_customer(rows, end, grace):
        return 0
    last = max(over for over in losses(rows, grace) if over < end)
    if last < start or losses(rows, grace)[last] in excused:
        return None
    return 1


def changes(rows, grace):
    """Day and change of the customer's level, from the levels at the ends of days, across bridged gaps."""
    found, before, gone = [], None, None
    edges = {r[c].floor("D") for r in rows for c in ("paid_at", "ended_at") if not pd.isna(r[c])}
    for day in sorted(edges):
        next_day = day + DAY
        here = [
            r
            for r in rows
            if r["paid_at"] < next_day and (pd.isna(r["ended_at"]) or r["ended_at"] >= next_day)
        ]
        if not here:
            gone = gone if gone is not None else day
            continue
        level = sum(r["amount"] for r in here)
        bridged = before is not None and (gone is None or day - gone <= grace * DAY)
        if bridged and abs(level - before) > 1e-6:
            found.append((day, level - before))
        before, gone = level, None
    return found


def features(contracts, who, t, windows, grace):
    """The features of contracts, of one customer at t."""
    mine = contracts[contracts.customer_id == who]
    rows = [r for r in running(mine) if r["paid_at"] < t]
    moved = [(day, change) for day, change in changes(running(mine), grace) if day < t]
    paused = [r for r in running(mine) if r["paused_at"] < t]
    over = [r for r in paused if r["resumed_at"] < t or max(r["ended_at"], r["paused_at"]) < t]
    trials = [
        r
        for r in mine.to_dict("records")
        if r["started_at"] < t
        and r["status"] not in NEVER
        and (r["trial"] == "yes" or r["status"].lower() in TRIALS or r["trial_ends_at"] > r["started_at"])
    ]
    terms = [(r["paid_at"], r["term_ends_at"]) for r in rows if not pd.isna(r["term_ends_at"])]
    left = (max(terms)[1] - t) / DAY if terms else np.nan
    found = {
        "running_contract_count": sum(1 for r in rows if not r["ended_at"] < t),
        "contract_count_ever": len(rows),
        "trial_count_ever": len(trials),
        "contract_change_gap_days": (t - moved[-1][0]) / DAY if moved else np.nan,
        "paused_contract_count": len(paused) - len(over),
        "term_left_days": left if left >= 0 else np.nan,
    }
    for days in windows:
        recent = [change for day, change in moved if day >= t - days * DAY]
        found[f"upgrade_count_{days}d"] = sum(1 for change in recent if change > 0)
        found[f"downgrade_count_{days}d"] = sum(1 for change in recent if change < 0)
    return found


def spending(contracts, who, t, days):
    """What the contracts of one customer brought in the last window and in the one before, paid day by day."""
    rows = running(contracts[contracts.customer_id == who])
    tenure = (t - min(r["paid_at"] for r in rows)) / DAY
    found = []
    for before in (0, days):
        then = t - before * DAY
        level = sum(r["amount"] for r in rows if r["paid_at"] < then and not r["ended_at"] < then)
        found.append(level / (365.25 / 12) * min(max(tenure - before, 0), days))
    return found

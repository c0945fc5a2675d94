"""A small company as its billing system exports it: subscriptions, failed payments, use."""

import numpy as np
import pandas as pd
import yaml

AS_OF = "2024-07-01"
PRICES = {"basic": 10, "pro": 25, "team": 60}


def export(folder, customers=260, seed=0):
    """Write `subs.csv` (cents, several rows a customer), `failed.csv`, `use.csv` and the config that maps them.

    A payment fails now and then; some are never paid, and the billing system ends the subscription three weeks later.
    """
    rng = np.random.default_rng(seed)
    subs, failed, use = [], [], []
    as_of = pd.Timestamp(AS_OF)
    for number in range(customers):
        who, day = (
            f"cus_{number:04}",
            pd.Timestamp("2022-06-01") + pd.Timedelta(days=int(rng.integers(0, 620))),
        )
        plan = str(rng.choice([*PRICES]))
        if rng.random() < 0.3:
            subs.append((who, "trial", day, day + pd.Timedelta(days=14), "trialing", 0, ""))
            if rng.random() < 0.3:
                continue
            day += pd.Timedelta(days=14)
        while day < as_of:
            length, unpaid = int(rng.exponential(240)) + 30, False
            end = day + pd.Timedelta(days=length)
            for month in pd.date_range(day, min(end, as_of), freq="30D")[1:]:
                if rng.random() < 0.06:
                    unpaid = rng.random() < 0.4
                    paid = pd.NaT if unpaid else month + pd.Timedelta(days=4)
                    failed.append((who, month, PRICES[plan] * 100, paid))
                    if unpaid:
                        end = min(end, month + pd.Timedelta(days=21))
                        break
            days = pd.date_range(day, min(end, as_of), freq="5D")
            quiet = rng.random() < 0.7
            use += [(who, at) for at in days if not (quiet and (end - at).days < 40 and not unpaid)]
            if end >= as_of:
                subs.append((who, plan, day, pd.NaT, "active", PRICES[plan] * 100, ""))
                break
            change = (
                "" if unpaid else str(rng.choice(["plan change", "too expensive", ""], p=[0.4, 0.3, 0.3]))
            )
            subs.append((who, plan, day, end, "canceled", PRICES[plan] * 100, change))
            if change == "plan change":
                plan, day = str(rng.choice([*PRICES])), end
            elif rng.random() < 0.25:
                day = end + pd.Timedelta(days=int(rng.choice([4, 60, 120])))
            else:
                break
    columns = [
        "Customer",
        "Plan",
        "Created (UTC)",
        "Ended At (UTC)",
        "Status",
        "Amount",
        "Cancellation Reason",
    ]
    table = pd.DataFrame(subs, columns=columns)
    table.insert(0, "id", [f"sub_{n}" for n in range(len(table))])
    table.to_csv(folder / "subs.csv", index=False)
    payments = pd.DataFrame(failed, columns=["Customer", "Failed At", "Amount", "Paid At"])
    payments[payments["Failed At"] < as_of].to_csv(folder / "failed.csv", index=False)
    pd.DataFrame(use, columns=["user", "at"]).to_csv(folder / "use.csv", index=False)
    (folder / "saas.yaml").write_text(yaml.safe_dump(config(), sort_keys=False), encoding="utf-8")


def config():
    """The config of the export."""
    cents = {"column": "Amount", "scale": 0.01}
    return {
        "name": "saas",
        "as_of": AS_OF,
        "churn": {"kind": "contractual", "horizon_days": 45, "grace_days": 7},
        "sources": {
            "contracts": {
                "uri": "subs.csv",
                "columns": {
                    "customer_id": "Customer",
                    "contract_id": "id",
                    "started_at": "Created (UTC)",
                    "ended_at": "Ended At (UTC)",
                    "end_reason": "Cancellation Reason",
                    "plan": "Plan",
                    "amount": cents,
                    "status": "Status",
                },
            },
            "failed_payments": {
                "uri": "failed.csv",
                "columns": {
                    "customer_id": "Customer",
                    "occurred_at": "Failed At",
                    "recovered_at": "Paid At",
                    "amount": cents,
                },
            },
            "usage": {"uri": "use.csv", "columns": {"customer_id": "user", "occurred_at": "at"}},
        },
        "features": {"windows_days": [30, 90]},
        "retention": {"reasons": {"codes": {"too expensive": "unhappy"}}},
        "outreach": {"start": "full"},
    }

"""Small files in the shapes of exports that people have: own numbers, others' ways of writing."""

import datetime as dt

import numpy as np
import pandas as pd

LAST = dt.date(2024, 6, 30)


def bought(customers=150, days=420, seed=0):
    """Customer, day and amount of purchases; some customers stop."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(customers):
        at = np.cumsum(rng.exponential(25, 60)) + rng.integers(0, 90)
        stop = days if k % 3 else rng.integers(60, days)
        rows += [(1000 + k, int(d), round(float(rng.gamma(2, 20)) + 1, 2)) for d in at if d < stop]
    rows.append((1000, days - 1, 5.0))
    frame = pd.DataFrame(rows, columns=["customer", "day", "amount"]).sort_values("day", kind="stable")
    start = pd.Timestamp(LAST) - pd.Timedelta(days=days - 1)
    return frame.assign(at=start + pd.to_timedelta(frame.day, unit="D") + pd.Timedelta(hours=9, minutes=30))


def retail(folder):
    """Lines of invoices with quantity and unit price, guests without an id, and cancelled invoices."""
    frame = bought()
    number = np.arange(len(frame)) + 536365
    cancelled = number % 25 == 0
    lines = pd.DataFrame(
        {
            "InvoiceNo": np.where(cancelled, "C", "") + number.astype(str).astype(object),
            "StockCode": [f"S{n % 90}" for n in number],
            "Quantity": np.where(cancelled, -2, 2),
            "InvoiceDate": frame["at"].to_numpy(),
            "UnitPrice": frame["amount"].to_numpy(),
            "CustomerID": np.where(number % 19 == 0, np.nan, frame["customer"].to_numpy()),
        }
    )
    lines.to_parquet(folder / "retail.parquet")
    return [folder / "retail.parquet"]


def fixed_width(folder):
    """No header, no separator: id, day, number of discs, dollars."""
    lines = [
        f" {row.customer:05d} {row.at:%Y%m%d} {1 + row.day % 12:2d} {row.amount:7.2f}"
        for row in bought().itertuples()
    ]
    (folder / "MASTER.txt").write_text("\r\n".join(lines) + "\r\n")
    return [folder / "MASTER.txt"]


def shop(folder):
    """A European export: marks, semicolons, quotes, day first, decimal commas, euros, empty ids, refunds."""
    frame = bought(seed=1)
    lines = ['"Order No";"Order date";"Customer ID";"Line total"']
    for n, row in enumerate(frame.itertuples()):
        whole = f"{row.amount:,.2f}".translate(str.maketrans(",.", ".,"))
        refund, guest = ("-" if n % 40 == 7 else ""), n % 23 == 5
        who = "" if guest else row.customer
        lines.append(f'"{5000 + n}";"{row.at:%d/%m/%Y %H:%M}";"{who}";"{refund}€ {whole}"')
    (folder / "bestellungen.csv").write_bytes(("\ufeff" + "\n".join(lines) + "\n").encode())
    return [folder / "bestellungen.csv"]


def persian(folder):
    """Persian names, dates of the Persian calendar, Persian digits."""
    import jdatetime

    digits = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    lines = ["شماره فاکتور,تاریخ صدور,کد مشتری,مبلغ فاکتور (ریال)"]
    for n, row in enumerate(bought(seed=2).itertuples()):
        day = jdatetime.date.fromgregorian(date=row.at.date())
        lines.append(f"{n},{day:%Y/%m/%d},{row.customer},{round(row.amount * 1e4)}".translate(digits))
    (folder / "فاکتورها.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [folder / "فاکتورها.csv"]


def spells(customers=400, seed=3):
    """Customer, start, end and reason of contracts; empty while they run."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp(LAST) - pd.to_timedelta(rng.integers(1, 500, customers), unit="D")
    end = start + pd.to_timedelta(rng.exponential(300, customers).astype(int) + 5, unit="D")
    runs = end > pd.Timestamp(LAST)
    return pd.DataFrame(
        {
            "id": [f"m{k:04d}" for k in range(customers)],
            "start": start,
            "end": end.where(~runs),
            "reason": np.where(runs, None, rng.choice(["withdrawn", "completed"], customers, p=[0.7, 0.3])),
            "region": rng.choice(["north", "south"], customers),
        }
    )


def university(folder):
    """Enrolments with an end and a reason, and clicks."""
    people = spells().rename(
        columns={"id": "enrolment_id", "start": "registered_at", "end": "ended_at", "reason": "end_reason"}
    )
    people.to_parquet(folder / "enrolments.parquet")
    clicks = people.loc[people.index.repeat(4), ["enrolment_id", "registered_at"]].reset_index(drop=True)
    late = pd.to_timedelta(np.arange(len(clicks)) % 4, unit="D")
    pd.DataFrame(
        {
            "enrolment_id": clicks.enrolment_id,
            "clicked_at": np.minimum(clicks.registered_at + late, pd.Timestamp(LAST)),
            "activity_type": "page",
            "clicks": 1 + np.arange(len(clicks)) % 7,
        }
    ).to_parquet(folder / "activity.parquet")
    return [folder]


def subscriptions(folder):
    """A billing system's export: one subscription each, times without seconds, words in brackets."""
    frame = spells(seed=4)
    pd.DataFrame(
        {
            "id": "sub_" + frame.id,
            "Customer ID": "cus_" + frame.id,
            "Plan": np.where(frame.region == "north", "pro", "basic"),
            "Status": np.where(frame.end.isna(), "active", "canceled"),
            "Created (UTC)": frame.start.dt.strftime("%Y-%m-%d %H:%M"),
            "Current Period End (UTC)": "2024-07-31 00:00",
            "Canceled At (UTC)": None,
            "Ended At (UTC)": frame.end.dt.strftime("%Y-%m-%d %H:%M"),
            "Cancellation Reason": frame.reason,
        }
    ).to_csv(folder / "subscriptions.csv", index=False)
    return [folder / "subscriptions.csv"]


def webshop(folder):
    """A shop system's export: lines of orders, the sum and the status on the first; customers by mail and a long id."""
    lines = []
    for n, row in enumerate(bought(seed=6).itertuples()):
        at, first = f"{row.at:%Y-%m-%d %H:%M:%S} +0200", "voided" if n % 50 == 3 else "paid"
        order = {"Name": f"#{1001 + n}", "Email": f"{row.customer}@example.org", "Created at": at}
        sums = {"Financial Status": first, "Currency": "EUR", "Subtotal": row.amount, "Id": 10**12 + n}
        lines.append(order | sums | {"Lineitem quantity": 1, "Lineitem name": "A", "Lineitem price": 1.5})
        lines += [order | {"Lineitem quantity": 2, "Lineitem name": "B", "Lineitem price": 2.5}] * (n % 3)
    pd.DataFrame(lines).iloc[::-1].to_csv(folder / "orders_export.csv", index=False)
    who = bought(seed=6).customer.unique()
    people = pd.DataFrame(
        {
            "Customer ID": [f"'7{k:012d}" for k in who],
            "First Name": [f"F{k}" for k in who],
            "Email": [f"{k}@example.org" for k in who],
            "Accepts Email Marketing": np.where(who % 4 == 0, "no", "yes"),
            "Default Address City": [f"City {k % 9}" for k in who],
            "Total Spent": bought(seed=6).groupby("customer").amount.sum().loc[who].to_numpy(),
        }
    )
    people.to_csv(folder / "customers_export.csv", index=False)
    return [folder / "orders_export.csv", folder / "customers_export.csv"]


def tickets(folder):
    """Orders and tickets of a help desk, in a Windows code page, day first with dashes."""
    frame = bought(seed=5)
    orders = frame.rename(columns={"customer": "Caller", "at": "Order date", "amount": "Total"})
    orders[["Caller", "Order date", "Total"]].to_csv(folder / "orders.csv", index=False)
    some = frame[::4]
    lines = ["Number;Caller;Opened;Resolved;Channel;Category"]
    for n, row in enumerate(some.itertuples()):
        done = row.at + pd.Timedelta(hours=30)
        lines.append(
            f"INC{n:05d};{row.customer};{row.at:%d-%m-%Y %H:%M};{done:%d-%m-%Y %H:%M};phone;Störung – Café"
        )
    (folder / "tickets.csv").write_bytes(("\n".join(lines) + "\n").encode("cp1252"))
    return [folder / "orders.csv", folder / "tickets.csv"]


def label(folder):
    """One row a customer, a label, no dates, a blank where a number should be."""
    rng = np.random.default_rng(6)
    tenure = rng.integers(0, 72, 500)
    left = rng.random(500) < 0.5 * np.exp(-tenure / 30)
    pd.DataFrame(
        {
            "customerID": [f"{k:04d}-XY" for k in range(500)],
            "gender": rng.choice(["Female", "Male"], 500),
            "tenure": tenure,
            "Contract": rng.choice(["Month-to-month", "One year"], 500),
            "TotalCharges": [" " if t == 0 else f"{t * 20.5:.2f}" for t in tenure],
            "Churn": np.where(left, "Yes", "No"),
        }
    ).to_csv(folder / "telco.csv", index=False)
    return [folder / "telco.csv"]


SHAPES = {
    one.__name__: one
    for one in (retail, fixed_width, shop, persian, university, subscriptions, webshop, tickets, label)
}

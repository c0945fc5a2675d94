"""Files that were damaged at random are read with every row accounted for, or refused in clear words."""

import csv
import datetime as dt
import io
import random

import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.errors import ChurnError
from configs.schema import Config
from pipeline.sources import readers
from pipeline.sources.drivers import asking
from pipeline.sources.opening import open_sources

FILES, BATCH = 500, 25
AS_OF = dt.date(2030, 1, 1)
COLUMNS = {"customer_id": "id", "occurred_at": "at", "amount": "amount", "transaction_id": "order"}
DATES = ("2024-02-30", "01/02/2024", "-infinity", "", "1403/01/10", "45621", "soon", "2024-01-05 10:00 -0500")
NUMBERS = ("1,250", "1.250,50", "$5", "(7)", "nan", "N/A", "1e400", "۱۲", "-", "12 coins", "", "1.250")
SIGNS = (b'"', b",", b";", b"\n", b"\r", b"\r\n", b"\x00", b"\\", b"'", b"#", b"\xff", b"\xe9", b" ", b'""')


def company(random_):
    return [
        [f"{random_.randrange(30):03d}", f"2024-{random_.randrange(1, 13):02d}-{random_.randrange(1, 29):02d}",
         f"{random_.randrange(1, 9_999) / 100}", f"t{i}", random_.choice(["a", "b, c", 'say "hi"', "two\nlines", ""])]
        for i in range(60)
    ]  # fmt: skip


def mutated_csv(random_):
    rows = company(random_)
    for _ in range(random_.randrange(3)):
        row = random_.choice(rows)
        place = random_.choice([1, 2])
        row[place] = random_.choice(DATES if place == 1 else NUMBERS)
    out = io.StringIO()
    separator = random_.choice([",", ",", ";", "\t", "|"])
    csv.writer(out, delimiter=separator, lineterminator=random_.choice(["\n", "\r\n"])).writerows(
        [["id", "at", "amount", "order", "note"], *rows]
    )
    data = out.getvalue().encode(random_.choice(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    for _ in range(random_.randrange(3)):
        place = random_.randrange(len(data))
        end = place + random_.choice([0, 0, 1, 40])
        data = data[:place] + random_.choice(SIGNS) + data[end:]
    return data, separator


def mutated_parquet(random_):
    frame = pd.DataFrame(company(random_), columns=["id", "at", "amount", "order", "note"])
    if random_.random() < 0.5:
        frame["amount"] = frame["amount"].astype(float)
    out = io.BytesIO()
    frame.to_parquet(out)
    data = bytearray(out.getvalue())
    for _ in range(random_.randrange(3)):
        data[random_.randrange(len(data))] = random_.randrange(256)
    return bytes(data[: random_.choice([len(data)] * 4 + [random_.randrange(len(data))])])


def records(data, separator):
    """Rows below the header, by Python's own reader; None where it can't tell."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if row
        ]
    except (UnicodeError, csv.Error):
        return None
    return len(rows) - 1


def rows_of(file, kind, data, separator):
    return pq.ParquetFile(file).metadata.num_rows if kind == "parquet" else records(data, separator)


def config_of(home, file):
    return Config.model_validate(
        {
            "name": "shop",
            "home": home,
            "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
            "sources": {"transactions": {"uri": file.name, "columns": COLUMNS}},
        }
    )


def damaged(folder, seed):
    """A file, and its rows as Python's own readers count them; None where they can't tell."""
    random_ = random.Random(seed)
    kind = "parquet" if seed % 4 == 3 else "csv"
    data, separator = (mutated_parquet(random_), "") if kind == "parquet" else mutated_csv(random_)
    file = folder / f"{seed}.{kind}"
    file.write_bytes(data)
    return file, lambda: rows_of(file, kind, data, separator)


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(FILES // BATCH))
def test_a_damaged_file_is_read_whole_or_refused(tmp_path, batch):
    """Every file through the reader; of five, one through all that looks at its values, which takes longer."""
    connection = readers.connect_duckdb(threads=1)
    read = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        file, count = damaged(tmp_path, seed)
        config = config_of(tmp_path, file)
        try:
            raw = readers.read_source(connection, {}, "transactions", config.sources.transactions, config)
            with asking(config.sources.transactions), raw.reading():
                given = raw.table.count().to_pyarrow().as_py()
                raw.table.to_pyarrow()
            if seed % 5 == 0:
                account = open_sources(config, AS_OF).accounts["transactions"]
                assert account.adds_up, (seed, account)
                assert account.in_source == given, (seed, account, given)
        except ChurnError:
            continue
        read += 1
        expected = count()
        assert expected is None or given + raw.beside == expected, (seed, given, raw.beside, expected)
    assert read >= BATCH // 10

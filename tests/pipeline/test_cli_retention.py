"""`churn retention` as a user runs it, on the real data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from configs.schema import load_config
from pipeline.cli import app

ROOT = Path(__file__).parents[2]
CHURN = Path(sys.executable).with_name("churn")


@pytest.fixture
def churn(datasets, tmp_path):
    """Run `churn retention ...` with a shipped config on the real data; outputs are looked for in an empty folder."""

    def run(name, *words, code=0):
        file = ROOT / "configs" / f"{name}.yaml"
        environ = {
            f"CHURN__SOURCES__{role.upper()}__URI": str(datasets.joinpath(*Path(source.uri).parts[-2:]))
            for role, source in load_config(file, environ={}).sources.given.items()
        }
        environ["CHURN__OUTPUTS__FOLDER"] = str(tmp_path)
        words = list(words)
        at = 0 if words and words[0].startswith("-") else 1
        given = ["retention", *words[:at], "--config", str(file), *words[at:]]
        result = CliRunner().invoke(app, given, env=environ)
        assert result.exit_code == code, result.output
        return result

    return run


def rows(result):
    return json.loads(result.stdout)["rows"]


def cdnow(datasets):
    names = ["id", "day", "cds", "dollars"]
    file = datasets / "cdnow" / "CDNOW_master.txt"
    frame = pd.read_csv(file, sep=r"\s+", names=names, dtype={"id": str, "day": str})
    return frame.assign(day=pd.to_datetime(frame.day, format="%Y%m%d"))


@pytest.mark.slow
def test_the_worked_examples_from_the_shell():
    for numbers, shown in (((44, 12, 43), "70.45 %"), ((20, 5, 24), "95.00 %")):
        options = [f"--{name}={n}" for name, n in zip(("start", "new", "end"), numbers, strict=True)]
        told = subprocess.run(
            [CHURN, "retention", "rate", *options], capture_output=True, text=True, check=True
        )
        assert told.stdout.strip() == shown


@pytest.mark.parametrize(
    ("numbers", "said"), [((0, 0, 0), "S (start): is 0"), ((10, 5, 3), "below N"), ((10, -1, 3), "is -1")]
)
def test_what_is_no_rate_is_refused(numbers, said):
    options = [f"--{name}={n}" for name, n in zip(("start", "new", "end"), numbers, strict=True)]
    result = CliRunner().invoke(app, ["retention", "rate", *options])
    assert result.exit_code == 1
    assert said in result.stderr


def test_options_before_the_subcommand_are_not_lost_silently():
    result = CliRunner().invoke(app, ["retention", "--json", "rate", "--start=44", "--new=12", "--end=43"])
    assert result.exit_code == 2
    assert "options come after the subcommand" in result.stderr


def test_help_is_quick_and_names_every_command():
    told = CliRunner().invoke(app, ["retention", "--help"]).stdout
    names = "rate mix cohorts survival second revenue audit reasons feedback goals benchmarks value forecast"
    assert all(f"  {name} " in told for name in names.split())
    code = "import sys, pipeline.cli; print([m for m in ('pandas', 'ibis', 'scipy', 'matplotlib') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("unit", ["month", "week"])
def test_the_rate_of_cdnow_equals_sets_of_buyers(churn, datasets, unit):
    bought = cdnow(datasets)

    def customers(moment):
        end = pd.Timestamp(moment)
        inside = (bought.day >= end - pd.Timedelta(days=180)) & (bought.day < end)
        return set(bought.id[inside])

    found = rows(churn("cdnow", "--json", "--unit", unit, "--periods", "6"))
    assert len(found) == 6
    for row in found:
        start, end = customers(row["start"]), customers(row["end"])
        assert (row["S"], row["E"], row["lost"]) == (len(start), len(end), len(start - end))
        assert row["N"] == len(end - start)
        assert row["rate"] == pytest.approx(100 * len(start & end) / len(start))


def test_options_stand_before_the_config(churn):
    rolling = rows(churn("cdnow", "--json", "--rolling", "--periods", "2", "--as-of", "1998-06-15"))
    assert [row["start"][:10] for row in rolling] == ["1998-04-15", "1998-05-15"]
    tehran = rows(churn("cdnow", "--json", "--periods", "1", "--time-zone", "Asia/Tehran"))
    assert tehran[0]["start"] == "1998-05-31T19:30:00"
    sunday = rows(churn("cdnow", "--json", "--unit", "week", "--first-weekday", "6", "--periods", "1"))
    assert sunday[0]["period"] == "1998-06-21"
    running = churn("cdnow", "--running", "--as-of", "1998-06-15", "--periods", "1")
    assert "1998-06 (running)" in running.stdout
    assert "is not over" in running.stdout


SHOWN = [
    ("cdnow", ["cohorts", "--periods", "18"], "1997-02  8,476"),
    ("cdnow", ["cohorts", "--measure", "purchase", "--periods", "18"], "with a purchase in the k-th month"),
    ("cdnow", ["survival"], "37.5 %"),
    ("cdnow", ["second"], "11,516"),
    ("cdnow", ["revenue", "--periods", "3"], "108,970"),
    ("cdnow", ["audit", "--period", "1998-06"], "a difference is no cause"),
    ("cdnow", ["goals"], "at least 65"),
    ("cdnow", ["value"], "5,360 customers today"),
    ("cdnow", ["benchmarks", "--industry", "SaaS"], "above 35 %"),
    ("online_retail", [], "2010-12 *"),
    ("online_retail", ["audit", "--period", "2011-09", "--rows", "3"], "lost in 2011-09"),
    ("online_retail", ["second"], "2,841"),
    ("open_university", ["--as-of", "2014-06-01"], "93.8 %"),
    (
        "open_university",
        ["mix", "--before", "2013-10", "--after", "2013-11", "--segment", "age_band"],
        "Kitagawa",
    ),
    ("open_university", ["survival", "--segment", "module"], "log-rank z"),
    ("open_university", ["reasons", "--as-of", "2014-06-01"], "another reason"),
    ("open_university", ["goals", "--as-of", "2014-06-01"], "at least 90"),
]


@pytest.mark.parametrize(
    ("name", "words", "shown"), SHOWN, ids=[f"{n} {' '.join(w[:1])}" for n, w, _ in SHOWN]
)
def test_every_command_on_real_data(churn, name, words, shown):
    result = churn(name, *words)
    assert shown in result.stdout
    assert result.stderr == ""
    assert max(map(len, result.stdout.splitlines())) < 200


def test_the_table_goes_to_a_file_and_the_curves_to_a_picture(churn, tmp_path):
    file, picture = tmp_path / "cohorts.parquet", tmp_path / "cohorts.svg"
    words = ["--periods", "18", "--out", str(file), "--picture", str(picture), "--json"]
    found = rows(churn("cdnow", "cohorts", *words))
    assert len(pd.read_parquet(file)) == len(found) == 18 + 17 + 16
    text = picture.read_text()
    assert text.startswith("<svg")
    assert text.endswith("</svg>\n")
    assert "Jan 1997" in text


REFUSED = [
    (["--unit", "fortnight"], 2, "use week, month, quarter or year"),
    (["--segment", "plan"], 2, "no attribute of the customers"),
    (["--time-zone", "Mars"], 2, "time zone 'Mars'"),
    (["audit", "--period", "1998-07"], 2, "begins after the as-of date"),
    (["audit", "--period", "1998-06", "--as-of", "1998-06-15"], 1, "not over"),
    (["mix"], 2, "give --segment"),
    (["cohorts", "--measure", "spend"], 2, "use customer or purchase"),
    (["reasons"], 2, "need sources.customers"),
    (["feedback"], 2, "need sources.feedback"),
    (["feedback", "--table", "all"], 2, "use measures, trend, customers or stopped"),
    (["forecast"], 2, "churn score"),
    (["goals", "--out", "goals.xlsx"], 2, ".csv or a .parquet"),
]


@pytest.mark.parametrize(("words", "code", "said"), REFUSED, ids=[" ".join(w) for w, _, _ in REFUSED])
def test_what_cannot_be_told_is_refused_in_one_line(churn, words, code, said):
    result = churn("cdnow", *words, code=code)
    assert said in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_json_of_an_error_is_json(churn):
    result = churn("cdnow", "reasons", "--json", code=2)
    assert json.loads(result.stdout)["exit_code"] == 2


def test_the_shell_reads_the_config_from_the_environment(datasets):
    file = datasets / "cdnow" / "CDNOW_sample.txt"
    fields = "{id: [2, 6], date: [13, 20], cds: [22, 23], dollars: [25, 31]}"
    environ = {
        "CHURN_CONFIG": str(ROOT / "configs" / "cdnow.yaml"),
        "CHURN__SOURCES__TRANSACTIONS__URI": str(file),
        "CHURN__SOURCES__TRANSACTIONS__FIELDS": fields,
        "CHURN__RETENTION__UNIT": "quarter",
        "CHURN__RETENTION__PERIODS": "2",
    }
    told = subprocess.run(
        [CHURN, "retention", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    assert told.returncode == 0, told.stderr
    assert [row["period"] for row in json.loads(told.stdout)["rows"]] == ["1998-Q1", "1998-Q2"]

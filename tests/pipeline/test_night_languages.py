"""What a whole night says to its operator: nothing in English where another language is set, and JSON in English."""

import datetime as dt
import re

import pandas as pd
import pytest

from pipeline.scoring.score import score
from tests.faults.conftest import YESTERDAY, prepared_shop, shop

pytestmark = pytest.mark.slow
LATE = YESTERDAY + dt.timedelta(days=25)
# What is the same in every language: names of the company and of the letters of the rate.
SAME = {"shop", "S", "N", "E"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    found = prepared_shop(tmp_path_factory.mktemp("languages") / "home")
    rows = pd.read_parquet(found / "transactions.parquet")
    odd = rows.tail(2).assign(occurred_at=pd.Timestamp(LATE) + pd.Timedelta(days=5))
    pd.concat([rows, odd]).to_parquet(found / "transactions.parquet")
    (found / "stop.txt").write_text("nobody-1\nnobody-2\n", encoding="utf-8")
    return found


@pytest.mark.parametrize(("language", "letters"), [("fa", r"[؀-ۿ]"), ("mr", r"[ऀ-ॿ]")])
def test_no_english_is_left_in_what_a_night_prints(home, tmp_path, language, letters):
    outreach = {"do_not_contact": "stop.txt"}
    config = shop(home, language=language, outreach=outreach)
    result = score(config, LATE, tmp_path, dry_run=False, say=lambda line: None)
    folder = tmp_path / str(LATE)
    notes = [line for line in result.text.splitlines() if re.match(r"(یادداشت|بررسی کنید|टीप|पाहा):", line)]
    assert len(notes) == len(result.values["notes"]) + len(result.values["warnings"]) >= 5
    for line in result.text.replace(str(folder), "").splitlines():
        said = re.sub(
            r"`[^`]*`|'[^']*'|\bc?\d+\b|\w+_\w+", "", line
        )  # what is copied, ids, keys of the playbook
        assert set(re.findall("[A-Za-z]+", said)) <= SAME, line
    values = [*result.values["notes"], *result.values["look"]]
    assert not re.search(letters, " ".join(values))
    assert set(result.values["in_words"]) == set(result.values["look"])
    rules = pd.read_csv(folder / "suppressed.csv", dtype=str)["rules"]
    told = re.search(
        r'<section class="banner".*?</section>', (folder / "report.html").read_text(), re.DOTALL
    )[0]
    for said in [*rules.unique(), *re.findall(r"<li><bdi>(.*?)</bdi></li>", told)]:
        assert re.search(letters, said), said
        assert not re.search("[A-Za-z]", re.sub(r"`[^`]*`|&#39;.*?&#39;|\w+_\w+", "", said)), said
    assert not re.search(letters, " ".join(pd.read_parquet(folder / "suppressed.parquet")["rules"]))

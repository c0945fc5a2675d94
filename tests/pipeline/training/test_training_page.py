"""What is shown of a training: its verdict first, figures with their intervals, and nothing that is markup."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from models.backtest.compare import Verdict
from models.tracking.registry import Champion, Logged
from pipeline.training.page import (
    TITLES,
    age_line,
    description,
    overview,
    pictures,
    top_lines,
    training_summary,
    verdict_of,
    worth_lines,
)

LOGGED = Logged("run-1", 7, None)
CHAMPION = Champion(None, {}, {"as_of": "2025-11-01"}, 4, "run", "digest")


def told(trained, logged=LOGGED, **changes):
    return training_summary(replace(trained, **changes), None, logged)


def test_the_summary_tells_rows_figures_and_the_verdict(trained):
    text, values = told(trained)
    lines = text.splitlines()
    rows, snapshots = len(trained.sample), len(trained.sample.snapshots)
    share = trained.sample.churned.mean()
    assert lines[0] == f"shop as of 2025-12-01: {rows:,} rows, {snapshots} snapshots, {share:.1%} churned"
    assert lines[1] == str(trained.training.tested[0].fold)
    assert "Promoted (version 7): no champion yet" in lines
    assert lines[-1] == "the run and its pictures: `churn ui`"
    assert (values["version"], values["run_id"], values["url"]) == (7, "run-1", None)
    assert values["promoted"] is True
    assert values["champion_age_days"] == 0


def test_every_contender_and_every_test_snapshot_has_a_line(trained):
    text, values = told(trained)
    for name, figures in trained.tests[0].items():
        assert re.search(rf"^{re.escape(name)} +{figures['auc']:.4f} ", text, re.MULTILINE)
    for tested in trained.training.tested:
        start = rf"^{tested.fold.test} +{len(tested.y):,} +{tested.y.mean():.3f} "
        assert re.search(start, text, re.MULTILINE)
    assert list(values["backtest"]) == [str(tested.fold.test) for tested in trained.training.tested]
    assert all(title in text for title in TITLES.values())


def test_rows_that_are_not_known_yet_are_told(trained):
    assert "censored" not in told(trained)[0]
    assert told(trained, censored=1_234)[0].splitlines()[0].endswith(" churned, 1,234 censored")


def test_columns_outside_of_the_model_are_named(trained):
    report = replace(trained.report, constant=("one",), empty=("none",), identifying=("name",))
    text, values = told(trained, report=report)
    assert "outside the model: one, none, name" in text.splitlines()
    assert values["notes"][0] == "outside the model: one, none, name"
    plain = replace(trained.report, constant=(), empty=(), identifying=())
    assert "outside the model" not in told(trained, report=plain)[0]


def test_a_training_that_was_not_sent_has_no_version(trained):
    text, values = told(trained, logged=None)
    assert "Promoted (not sent yet): no champion yet" in text
    assert (values["version"], values["run_id"], values["url"]) == (None, None, None)


def test_where_a_server_serves_the_run_its_address_is_told(trained):
    assert told(trained, Logged("r", 1, "https://mlflow/run/r"))[0].splitlines()[-1] == "https://mlflow/run/r"


def test_the_champion_that_stays_is_told_with_its_age(trained):
    lost = replace(trained, verdict=Verdict(False, "not proven better"), champion=CHAMPION)
    assert age_line(lost) == ["the champion stays: version 4, trained as of 2025-11-01, 30 days old"]
    text, values = training_summary(lost, None, LOGGED)
    assert "Not promoted (version 7): not proven better" in text
    assert (values["promoted"], values["champion_age_days"]) == (False, 30)
    assert "churn promote" not in text
    assert age_line(replace(lost, champion=None)) == []
    assert age_line(replace(lost, verdict=Verdict(True, "proven"))) == []


def test_where_nothing_can_score_the_way_out_is_told(trained):
    vacant = Verdict(False, "below a simple rule", vacant=True)
    text, _ = told(trained, verdict=vacant)
    assert "use this version by `churn promote 7 --reason WHY`, or train again with more history" in text
    assert "churn promote" not in told(trained, logged=None, verdict=vacant)[0]


def test_a_model_that_waits_is_not_promoted_yet(trained):
    model = trained.config.model.model_copy(update={"canary_nights": 5})
    config = trained.config.model_copy(update={"model": model})
    text, values = told(trained, config=config, champion=CHAMPION)
    assert "Proven, and beside the champion for 5 nights first (version 7): no champion yet" in text
    assert (values["promoted"], values["waits"]) == (False, True)


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (Verdict(True, ""), "to be promoted"),
        (Verdict(False, ""), "not promoted"),
        (Verdict(False, "", failed=True), "comparison failed"),
    ],
)
def test_the_verdict_in_a_word(trained, verdict, word):
    assert verdict_of(replace(trained, verdict=verdict)) == word


def test_the_top_of_the_ranking_is_told_with_its_intervals(trained):
    tenth, listed = top_lines(trained)
    figures, inside = trained.tests[0]["model"], trained.intervals
    assert tenth.startswith(
        f"top tenth: lift {figures['lift_top_tenth']:.2f} "
        f"[{inside['lift_top_tenth'][0]:.2f}, {inside['lift_top_tenth'][1]:.2f}], predicted less came "
    )
    assert listed.startswith(f"first 50, as many as the list holds: lift {figures['lift_at_list']:.2f} [")
    assert f"of the churners' value {figures['value_at_list']:.1%} [" in listed


def left_out(name, columns, loss, verdict):
    return SimpleNamespace(
        name=name, columns=columns, loss=loss, low=loss - 0.01, high=loss + 0.01, verdict=verdict
    )


def test_what_a_source_is_worth_is_a_line_each(trained):
    found = replace(trained, left_out=(left_out("transactions", 12, 0.0512, "needed"),))
    (_, shown, *idle) = worth_lines(found)
    rows = trained.sources.fingerprints["transactions"]["rows"]
    assert re.search(rf"transactions +{rows:,} +12 +\+0\.0512 +\[\+0\.0412, \+0\.0612\] +needed", shown)
    assert idle == [
        f"{len(trained.idle)} columns that the model makes nothing of: {', '.join(trained.idle)}"
    ] * bool(trained.idle)


def test_the_description_begins_with_the_verdict(trained):
    lost = replace(trained, verdict=Verdict(False, "no better"), champion=CHAMPION)
    first, fold, model, *rest = description(lost).split("\n\n")
    assert "no better" in first
    assert fold == str(trained.training.tested[0].fold)
    assert model == f"Model: {trained.weights}; calibrator {trained.training.calibrator}."
    assert any(line.startswith("the champion stays: version 4") for line in rest)
    assert any(line.startswith("Worst segment: plan=") for line in rest)


def test_the_page_is_one_file_in_which_no_text_is_markup(trained):
    verdict = Verdict(True, "<script>alert(1)</script> & more")
    page = overview(replace(trained, verdict=verdict), {"gain.png": b"\x89PNG"}).decode()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    assert 'src="data:image/png;base64,iVBORw=="' in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "<h1>shop 2025-12-01: promoted</h1>" in page
    assert page.count("<table>") == 2


def test_there_are_five_pictures_of_the_newest_test(trained):
    found = pictures(trained)
    assert sorted(found) == ["backtest.png", "calibration.png", "drivers.png", "gain.png", "importance.png"]
    assert all(content.startswith(b"\x89PNG") for content in found.values())


def test_no_customer_is_named_in_any_text(trained):
    page = overview(trained, {}).decode()
    text, values = told(trained)
    ids = set(np.unique(trained.sample.customer))
    assert not ids & set(re.findall(r"id\d{5}", page + text + repr(values) + description(trained)))

"""The config file: what it may say, what the environment changes, and every fault at once."""

import datetime as dt
from pathlib import Path

import pytest
from pydantic import ValidationError

from configs.errors import ConfigError
from configs.schema import load_config

ROOT = Path(__file__).parents[2]
SHOP = """
name: shop
churn: {kind: non_contractual, horizon_days: 60}
sources:
  transactions:
    uri: sales.csv
    columns: {customer_id: id, occurred_at: {column: day, format: "%d.%m.%Y"}}
"""


def load(folder, text=SHOP, environ=None):
    file = folder / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file, environ=environ or {})


def faults(folder, text, environ=None):
    with pytest.raises(ConfigError) as caught:
        load(folder, text, environ)
    assert caught.value.exit_code == 2
    return [str(f) for f in caught.value.faults]


def test_a_small_config(tmp_path):
    config = load(tmp_path)
    columns = config.sources.transactions.columns
    assert (columns.customer_id.column, columns.occurred_at.format) == ("id", "%d.%m.%Y")
    assert (config.churn.horizon_days, config.churn.gap_days, config.seed) == (60, 0, 7)
    assert list(config.sources.given) == ["transactions"]


SHIPPED = sorted(f for f in (ROOT / "configs").glob("*.yaml") if f.stem != "playbook")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.stem)
def test_shipped_configs_load(file):
    assert load_config(file, environ={}).home == ROOT


def test_it_is_frozen(tmp_path):
    with pytest.raises(ValidationError, match="frozen"):
        load(tmp_path).churn.gap_days = 3


def test_paths_count_from_the_home(tmp_path, monkeypatch):
    """The folder of the config, or its parent where the folder is called configs; never the working directory."""
    monkeypatch.chdir("/")
    (tmp_path / "configs").mkdir()
    for folder in (tmp_path, tmp_path / "configs"):
        config = load(folder)
        assert config.home == tmp_path
        assert config.path("data/x.csv") == tmp_path / "data" / "x.csv"
        assert config.path("/srv/x.csv") == Path("/srv/x.csv")
        assert config.tracking_uri == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert (
        load(tmp_path, SHOP + "tracking: {uri: 'sqlite:///a/b.db'}").tracking_uri
        == f"sqlite:///{tmp_path}/a/b.db"
    )
    assert load(tmp_path, SHOP + "tracking: {uri: 'http://mlflow:5000'}").tracking_uri == "http://mlflow:5000"


def test_variables_override_the_file(tmp_path):
    config = load(
        tmp_path,
        environ={
            "CHURN__CHURN__HORIZON_DAYS": "90",
            "CHURN__SEED": "11",
            "CHURN__AS_OF": "2024-05-01",
            "CHURN__SOURCES__TRANSACTIONS__URI": "/srv/sales-*.parquet",
            "CHURN__FEATURES__WINDOWS_DAYS": "[7, 14]",
            "CHURN__TRACKING__EXPERIMENT": "night",
            "CHURN_CONFIG": "not read here",
            "OTHER": "x",
        },
    )
    assert (config.churn.horizon_days, config.seed, config.as_of) == (90, 11, dt.date(2024, 5, 1))
    assert config.sources.transactions.uri == "/srv/sales-*.parquet"
    assert config.features.windows_days == [7, 14]
    assert config.tracking.experiment == "night"


def test_a_fault_names_the_variable_that_it_comes_from(tmp_path):
    environ = {"CHURN__CHURN__HORIZON_DAYS": "soon", "CHURN__CHURN__HORIZON": "9"}
    found = faults(tmp_path, SHOP, environ)
    assert len(found) == 2
    assert found[0].startswith("churn.horizon_days (from CHURN__CHURN__HORIZON_DAYS): is 'soon': ")
    assert found[1] == "churn.horizon (from CHURN__CHURN__HORIZON): unknown key; did you mean 'horizon_days'?"


def test_every_fault_at_once(tmp_path):
    text = """
name: Shop 1
churn: {kind: rental, horizon_days: -1, gap_dys: 3}
source: {}
sources:
  transactions:
    uri: sales.csv
    columns: {customer_id: id, occured_at: day, amount: {column: a, product: [b, c]}}
    where: [{column: kind, equals: x, above: 3}]
  feedback: {uri: f.csv, low_scor: 3, columns: {customer_id: id, occurred_at: day, score: s}}
model: {threads: 0, learning_rate: .nan}
"""
    found = faults(tmp_path, text)
    beginnings = [
        "name: is 'Shop 1'",
        "churn.kind: is 'rental'",
        "churn.horizon_days: is -1: input should be greater than 0",
        "churn.gap_dys: unknown key; did you mean 'gap_days'?",
        "source: unknown key; did you mean 'sources'?",
        "sources.transactions.columns.occurred_at: is missing",
        "sources.transactions.columns.occured_at: unknown key; did you mean 'occurred_at'?",
        "sources.transactions.columns.amount: needs exactly one of column, product, join, constant",
        "sources.transactions.where.0: needs exactly one test beside 'column'; has ['above', 'equals']",
        "sources.feedback.low_scor: unknown key; did you mean 'low_score'?",
        "model.threads: is 0",
        "model.learning_rate: is nan",
    ]
    assert [b for b in beginnings if not any(f.startswith(b) for f in found)] == []
    assert len(found) == len(beginnings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "name: shop\nchurn: {kind: non_contractual, horizon_days: 9}\nsources: {}",
            "needs sources.transactions",
        ),
        (
            "name: shop\nchurn: {kind: contractual, horizon_days: 9}\nsources: {}",
            "needs sources.customers with",
        ),
        (
            "name: shop\nchurn: {kind: contractual, horizon_days: 9, not_churn_reasons: [died]}\nsources: {customers: "
            "{uri: c.csv, columns: {customer_id: a, started_at: b, ended_at: c}}}",
            "not_churn_reasons needs the column end_reason",
        ),
        (SHOP + "    format: fixed_width\n", "'fields' and 'format: fixed_width' go together"),
    ],
)
def test_what_the_kind_of_churn_needs(tmp_path, text, says):
    found = faults(tmp_path, text)
    assert len(found) == 1
    assert says in found[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2]", "expected sections such as 'churn:' and 'sources:', found list"),
        ("", "found NoneType"),
        ("name: [shop", "not readable as YAML"),
    ],
)
def test_not_a_config(tmp_path, text, says):
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, text)


def test_a_missing_config_names_what_is_there(tmp_path):
    load(tmp_path)
    with pytest.raises(ConfigError, match=r"sop.yaml: no such config file; found there: .*shop.yaml"):
        load_config(tmp_path / "sop.yaml", environ={})


def test_what_the_rate_may_say(tmp_path):
    retention = load(tmp_path).retention
    assert (retention.unit, retention.periods, retention.time_zone) == ("month", 12, "UTC")
    assert [g.metric for g in retention.goals] == ["adjusted_rate", "engagement", "lifetime_value"]
    wrong = """
retention:
  time_zone: Mars/North
  unit: fortnight
  reasons: {codes: {too dear: price}}
  surveys: {nps: {measure: nps, top: 9}, csat: {measure: csat, top: 4, bottom: 1}}
  goals: [{metric: rate, at_least: 65, change: rising}, {metric: rate}]
"""
    found = "\n".join(faults(tmp_path, SHOP + wrong))
    for part in (
        "retention.time_zone: time zone 'Mars/North' is unknown",
        "retention.unit: is 'fortnight'",
        "retention.reasons.codes.too dear: is 'price'",
        "retention.surveys.nps: nps needs exactly ['bottom', 'top']; has ['top']",
        "retention.surveys.csat: csat needs exactly ['top']; has ['bottom', 'top']",
        "retention.goals.0: needs exactly one of",
        "retention.goals.1: needs exactly one of at_least, at_most, change; has none",
    ):
        assert part in found
    (line,) = faults(tmp_path, SHOP + "retention: {segments: [plan]}")
    assert "retention.segments ['plan'] are no attributes of sources.customers; known: none" in line


def test_the_two_earlier_margins_are_refused_with_the_one_that_took_their_place(tmp_path):
    earlier = SHOP + "outreach: {value: {margin: 0.4}}\n"
    found = faults(tmp_path, earlier, {"CHURN__RETENTION__MARGIN": "0.8"})
    advice = "write 'margin: {}' at the top level (or CHURN__MARGIN): one margin for list and retention"
    assert found == [
        f"outreach.value.margin: is no key any more; {advice.format(0.4)}",
        f"retention.margin (from CHURN__RETENTION__MARGIN): is no key any more; {advice.format(0.8)}",
    ]
    assert load(tmp_path, SHOP + "margin: 0.4").margin == 0.4
    assert load(tmp_path, SHOP, {"CHURN__MARGIN": "0.8"}).margin == 0.8

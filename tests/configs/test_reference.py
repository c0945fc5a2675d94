"""Every key has a meaning, the schema accepts what the loader accepts, and the pages are those of today."""

import json
from pathlib import Path

import pytest
import yaml

from configs.playbook import Playbook
from configs.reference import SCHEMAS, held_by, keys_of, schema_of
from configs.schema import Config, load_config
from configs.sources import Column
from pipeline.output_columns import OUTPUTS
from pipeline.outreach.calendar import COLUMNS as CALENDAR
from pipeline.outreach.decision import LIST_COLUMNS
from pipeline.reference import pages, values_of

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(p for p in (ROOT / "configs").glob("*.yaml") if p.name != "playbook.yaml")


@pytest.mark.parametrize("section", [Config, Playbook, Column])
def test_every_key_has_a_type_and_a_meaning(section):
    keys = list(keys_of(section))
    assert keys
    assert [key.path for key in keys if not key.meaning or not key.kind] == []
    paths = [key.path for key in keys]
    assert len(set(paths)) == len(paths)


def test_every_value_of_a_shipped_config_stands_in_the_reference():
    for file in CONFIGS:
        values = values_of(load_config(file, environ={})).values
        own = (".attributes.", ".facts.", ".columns.", "retention.surveys", "outreach.")
        unknown = [v["key"] for v in values if not v["meaning"] and not any(sign in v["key"] for sign in own)]
        assert unknown == []


def test_where_a_value_comes_from():
    environ = {"CHURN__CHURN__HORIZON_DAYS": "77"}
    config = load_config(ROOT / "configs" / "demo.yaml", environ=environ)
    held = {one.path: (one.value, one.origin) for one in held_by(config, environ)}
    assert held["churn.horizon_days"] == ("77", "CHURN__CHURN__HORIZON_DAYS")
    assert held["churn.kind"] == ("non_contractual", "file")
    assert held["churn.gap_days"] == ("0", "file")
    assert held["model.trees"][1] == "default"


def test_a_password_is_not_printed(tmp_path):
    text = (ROOT / "configs" / "demo.yaml").read_text() + "\ntracking: {uri: 'http://me:S3CRET@host/'}\n"
    (tmp_path / "c.yaml").write_text(text)
    shown = values_of(load_config(tmp_path / "c.yaml", environ={}))
    assert "S3CRET" not in shown.text + json.dumps(shown.values)


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.name)
def test_the_schema_accepts_the_shipped_configs_and_refuses_an_unknown_key(file):
    jsonschema = pytest.importorskip("jsonschema")
    values = json.loads(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")), default=str))
    jsonschema.validate(values, schema_of("config"))
    with pytest.raises(jsonschema.ValidationError, match="horizont"):
        jsonschema.validate({**values, "churn": {**values["churn"], "horizont": 1}}, schema_of("config"))


def test_the_schema_of_the_playbook_accepts_the_shipped_one():
    jsonschema = pytest.importorskip("jsonschema")
    values = yaml.safe_load((ROOT / "configs" / "playbook.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(values, schema_of("playbook"))
    assert set(SCHEMAS) == {"config", "playbook"}


def test_the_pages_of_the_documentation_are_those_of_today():
    for name, text in pages().items():
        told = "run churn config --docs docs"
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, told


def test_the_columns_of_the_list_and_of_the_calendar_are_all_explained():
    assert set(OUTPUTS["outreach.csv"]) == set(LIST_COLUMNS)
    assert list(OUTPUTS["contact_calendar.csv"]) == CALENDAR

"""The groups of a protected attribute or fact, read from real sources; a name that is none is refused."""

import datetime as dt
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from configs.schema import Config
from pipeline.sources.opening import open_sources
from pipeline.training.fairness import fairness_of, groups_of, protected_names

AS_OF = dt.date(2026, 1, 1)


def company(home, protected):
    ids = [f"c{n:03}" for n in range(400)]
    frame = pd.DataFrame({"id": ids, "sex": ["f", "m"] * 200, "born": np.arange(400) % 90 + 1920})
    frame.to_csv(home / "customers.csv", index=False)
    days = pd.date_range("2025-01-01", periods=300, freq="D").strftime("%Y-%m-%d")
    pd.DataFrame({"id": np.repeat(ids, 3), "at": np.resize(days, 1_200)}).to_csv(home / "t.csv", index=False)
    return Config.model_validate(
        {
            "name": "shop",
            "home": home,
            "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
            "model": {"protected": protected},
            "sources": {
                "transactions": {"uri": "t.csv", "columns": {"customer_id": "id", "occurred_at": "at"}},
                "customers": {
                    "uri": "customers.csv",
                    "columns": {"customer_id": "id"},
                    "attributes": {"born": "born"},
                    "facts": {"sex": "sex"},
                },
            },
        }
    )


def test_an_attribute_and_a_fact_are_told_by_their_groups(tmp_path):
    config = company(tmp_path, ["sex", "born"])
    sources = open_sources(config, AS_OF)
    customer = np.array([f"c{n:03}" for n in range(400)] + ["gone"], dtype=np.str_)
    y = np.r_[np.tile([1.0, 1.0, 0.0, 0.0], 100), 0.0]
    p = np.r_[np.tile([0.1, 0.5, 0.1, 0.5], 100), 0.1]
    tested = SimpleNamespace(customer=customer, y=y, probability={"model": p}, weight=None)
    mixed = np.random.default_rng(1).random(401)
    frame = pd.DataFrame({"height": np.r_[np.tile([0.0, 1.0], 200), 0.0] + 0.6 * mixed, "noise": mixed})
    found = fairness_of(config, sources, tested, frame)
    groups = found.groups
    assert len(groups) == 8
    by_name = {one.name: one for one in groups}
    assert (by_name["sex=f"].rows, by_name["sex=unknown"].rows) == (200, 1)
    assert by_name["sex=f"].predicted == pytest.approx(0.1)
    assert sum(name.startswith("born=") for name in by_name) == 5
    assert [line for line in found.looks if "sex=f: 10.0% predicted, 50.0% churned" in line]
    assert {(column, group) for column, group, _ in found.proxies} == {
        ("height", "sex=f"),
        ("height", "sex=m"),
    }
    assert "stands in for sex=m: height (AUC 1.00)" in "\n".join(found.lines)
    json.dumps(found.values, allow_nan=False)
    none = fairness_of(company(tmp_path, []), sources, tested, frame)
    assert none.groups == ()
    assert "model.protected can name one" in none.lines[0]


def test_without_a_name_the_columns_that_say_so_are_looked_at(tmp_path):
    assert protected_names(company(tmp_path, None)) == ["born", "sex"]
    assert protected_names(company(tmp_path, ["sex"])) == ["sex"]
    assert protected_names(company(tmp_path, [])) == []


def test_a_real_table_is_looked_at_by_what_it_holds(shipped):
    names = protected_names(shipped("telco"))
    assert names == ["gender", "SeniorCitizen", "Partner", "Dependents"]


def test_a_name_that_is_none_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(
        ValueError, match=r"model.protected \['gender'\] are no attributes or facts.*born.*sex"
    ):
        company(tmp_path, ["gender", "sex"])


def test_rare_values_stand_together_and_the_unknown_alone():
    found = groups_of(pd.Series([f"v{n % 40}" for n in range(400)] + [None, float("nan")]))
    assert len(set(found)) == 14
    assert (found == "unknown").sum() == 2
    assert (found == "others").sum() == 280
    assert set(groups_of(pd.Series([True, False, None]))) == {"True", "False", "unknown"}

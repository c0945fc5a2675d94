"""Who started a run: a name, or in a container the number of the account."""

import getpass
import os

import pytest

from models.tracking.origin import origin


@pytest.mark.parametrize("error", [KeyError("uid"), OSError("no entry")])
def test_an_account_without_a_name_is_told_by_its_number(monkeypatch, error):
    def nobody():
        raise error

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert origin("churn score")["mlflow.user"] == f"uid {os.getuid()}"


def test_the_tags_are_those_that_the_pages_show(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert origin("churn train") == {
        "mlflow.user": "ada", "mlflow.source.name": "churn train", "mlflow.source.type": "LOCAL"
    }  # fmt: skip

"""The examples in the documentation strings run."""

import doctest
import importlib
import pkgutil

import pytest

import configs
import features
import models
import pipeline

MODULES = [
    module.name
    for package in (configs, features, models, pipeline)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0

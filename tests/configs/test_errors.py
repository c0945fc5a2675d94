"""The tree of errors is the one that its docstring draws, and a message lists every fault."""

import re

import pytest

from configs import errors
from configs.errors import ChurnError, ConfigError, Fault

DRAWN = [
    (len(m[1]) // 4, m[2], int(m[3]))
    for m in re.finditer(r"^    ([│├└─ ]*?)(\w+Error)\s+exit (\d+)", errors.__doc__, re.MULTILINE)
]


def test_the_tree_is_drawn_as_it_is():
    classes = {k: v for k, v in vars(errors).items() if isinstance(v, type) and issubclass(v, ChurnError)}
    assert {name for _, name, _ in DRAWN} == set(classes)
    above = []
    for depth, name, code in DRAWN:
        above = [*above[:depth], name]
        assert classes[name].exit_code == code
        assert [c.__name__ for c in classes[name].__mro__ if c.__name__ in classes] == above[::-1]


@pytest.mark.parametrize("code", sorted({code for _, _, code in DRAWN}))
def test_codes_of_errors_are_none_of_those_for_what_went_well(code):
    assert code in (1, 2, 75)


def test_every_fault_has_a_line_of_its_own():
    faults = [Fault("a.csv", "is empty"), Fault("name", "is 'x'", "write another")]
    error = ConfigError("2 faults", faults)
    assert str(error) == "2 faults\n  - a.csv: is empty\n  - name: is 'x'; write another"
    assert error.faults == tuple(faults)
    assert str(ConfigError("alone")) == "alone"

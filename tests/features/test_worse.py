import numpy as np
import pytest
from pydantic import ValidationError

from configs.base import Range
from features.matrix import declared
from features.spec import columns_of
from features.worse import STORIES, USUAL, Times, Worse, inside

COLUMNS = {column.name: column for column, _ in columns_of(declared(), [30, 90])}


def test_a_window_takes_the_place_of_days_everywhere():
    fewer = Worse(
        range=Times(below=-1, of="visits_{days}d"),
        says="{visits_{days}d:visit} in {days} days",
        when={"visits_{days}d": Range(above=0)},
        unless={"gap_{days}d": Range(below=1)},
    ).over(30)
    assert fewer.range == Times(below=-1, of="visits_30d")
    assert fewer.says == "{visits_30d:visit} in 30 days"
    assert (set(fewer.when), set(fewer.unless)) == ({"visits_30d"}, {"gap_30d"})
    assert fewer.columns() == {"visits_30d", "gap_30d"}


def test_the_bounds_themselves_and_the_unknown_lie_outside():
    numbers = np.array([1.0, 2.0, 3.0, np.nan, np.inf])
    assert inside(numbers, Range(above=1, below=3)).tolist() == [False, True, False, False, False]
    assert inside(numbers, Range(above=2)).tolist() == [False, False, True, False, False]


def test_bounds_are_multiples_of_what_is_given():
    own = np.array([10.0, 10.0, np.nan])
    assert inside(np.array([4.0, 6.0, 4.0]), Times(below=0.5, of="own"), own).tolist() == [True, False, False]
    assert inside(np.array([-3.0]), Times(below=0.75, of="own"), np.array([-2.0])).tolist() == [False]


def test_a_sentence_that_cannot_be_filled_is_refused():
    with pytest.raises(ValidationError, match=r"field {gap:\.0f}: expected 0 to 3 digits"):
        Worse(range=Range(above=1), says="quiet for {gap:.0f} days")


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if column.worse])
def test_what_a_declaration_reads_is_declared(name):
    worse = COLUMNS[name].worse
    assert worse.columns() <= set(COLUMNS)
    compares = any(
        isinstance(part, Times) and part.of == USUAL for part in (worse.range, *worse.when.values())
    )
    assert (USUAL not in worse.told()) or compares


def test_stories_share_no_driver_and_name_only_known_ones():
    names = [driver for story in STORIES for driver in story]
    assert len(names) == len(set(names))
    assert set(names) <= {column.driver for column in COLUMNS.values()}

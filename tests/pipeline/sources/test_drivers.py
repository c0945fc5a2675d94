"""Errors of databases' drivers: a fault with the next step, or 'try again', and never a password."""

import sqlite3

import pytest

from configs.errors import Fault, TryAgainError
from configs.sources import Source
from pipeline.sources.drivers import (
    UnreadableError,
    asking,
    driver_errors,
    first_line,
    server_is_away,
    without_password,
)

URL = "postgresql://me:s3cret%21@host/shop#orders"
SOURCE = Source(uri=URL)


class OperationalError(Exception):
    """Called as drivers call theirs."""


class RefusedError(OperationalError):
    pass


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ConnectionRefusedError(111, "refused"), True),
        (TimeoutError(), True),
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.OperationalError("no such table: orders"), False),
        (OperationalError("server closed the connection unexpectedly"), True),
        (RefusedError("canceling statement due to statement timeout"), True),
        (OperationalError('password authentication failed for user "me"'), False),
        (OperationalError('database "shop" does not exist'), False),
        (RefusedError("SELECT command denied to user"), False),
        (Exception("IO Error: Could not set lock on file"), True),
        (Exception("Cannot call methods on a stopped SparkContext."), True),
        (ValueError("no such column"), False),
        (FileNotFoundError(2, "no file"), False),
    ],
)
def test_what_a_later_try_may_mend(error, away):
    assert server_is_away(error) is away


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (sqlite3.OperationalError("no such column: x"), "check the table's columns and their types"),
        (sqlite3.DatabaseError("permission denied for table orders"), "grant the user SELECT on the table"),
        (sqlite3.DatabaseError("authentication failed"), r"check user, database and password \(\$\{NAME\}"),
    ],
)
def test_an_error_becomes_a_fault_with_the_next_step(error, step):
    with pytest.raises(UnreadableError, match=step) as caught, asking(SOURCE):
        raise error
    assert caught.value.faults[0].where == "postgresql://me:***@host/shop#orders"
    assert caught.value.exit_code == 1


def test_what_is_away_is_tried_again():
    with pytest.raises(TryAgainError, match="the database is away: database is locked") as caught, asking():
        raise sqlite3.OperationalError("database is locked")
    assert caught.value.exit_code == 75


def test_an_error_that_quotes_the_url_is_cut_off_with_its_cause():
    with pytest.raises(UnreadableError) as caught, asking(SOURCE, URL):
        raise sqlite3.DatabaseError(f"can't open {URL}: bad s3cret! here")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_errors_of_the_house_and_of_python_pass():
    with pytest.raises(KeyError), asking(SOURCE):
        raise KeyError("x")
    with pytest.raises(UnreadableError, match="2 faults in the data"), asking(SOURCE):
        raise UnreadableError(Fault("a", "b"), Fault("c", "d"))


def test_drivers_count_once_they_are_loaded():
    assert {sqlite3.Error, OSError} <= set(driver_errors())
    assert all(issubclass(kind, Exception) for kind in driver_errors())


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("  one\ntwo"), "one"),
        (ValueError(), "ValueError"),
        (ValueError(1146, "no such table\nmore"), "no such table"),  # as MySQL's driver tells it
        (ValueError("a", "b"), "('a', 'b')"),
        (OSError(2, "no file"), "[Errno 2] no file"),
    ],
)
def test_the_first_line_of_an_error(error, line):
    assert first_line(error) == line


def test_a_password_goes_in_both_of_its_spellings():
    assert without_password("s3cret%21 and s3cret!", URL) == "*** and ***"
    assert without_password("nothing to hide", "sqlite:///shop.db") == "nothing to hide"

"""From what databases say to one sentence with advice: one line, no secret, no phone number, the thing to do."""

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from syncd.source.faults import Faults, secrets_of

URL = make_url("mysql://reader:p%40ss@db.internal/crm")
FAULTS = Faults("crm", 300.0, URL, secrets_of(URL))


class DriverError(Exception):
    """What a driver raises: all that is looked at are its arguments."""


def told(*words: object, reading: bool = True) -> str:
    original = DriverError(*words)
    return FAULTS.explain(
        OperationalError("SELECT secret FROM calls", {"x": "+447700900123"}, original), reading=reading
    ).sentence()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ('relation "calls" does not exist\nLINE 1: SELECT * FROM calls\n    ^',),
            'source crm: the query failed: relation "calls" does not exist; check the name of the table, '
            "the database in the URL and that the user may see the table",
        ),
        (
            (1146, "Table 'crm.calls' doesn't exist"),
            "source crm: the query failed: Table 'crm.calls' doesn't exist (error 1146); check the name of the table, "
            "the database in the URL and that the user may see the table",
        ),
        (
            ("permission denied for table calls",),
            "source crm: the query failed: permission denied for table calls; "
            "grant SELECT on it to the user of the source",
        ),
        (
            (1142, "SELECT command denied to user 'reader'@'h' for table 'calls'"),
            "source crm: the query failed: SELECT command denied to user 'reader'@'h' for table 'calls' (error 1142); "
            "grant SELECT on it to the user of the source",
        ),
        (("",), "source crm: the query failed: DriverError"),
    ],
)
def test_the_first_line_of_what_the_database_says_is_told_with_advice(words: tuple[object, ...], sentence: str) -> None:
    assert told(*words) == sentence


@pytest.mark.parametrize(
    "words",
    [
        ("canceling statement due to statement timeout",),
        (1969, "Query execution was interrupted (max_statement_time exceeded)"),
        (3024, "Query execution was interrupted, maximum statement execution time exceeded"),
        ("DPY-4024: call timeout of 300000 ms exceeded",),
        (2013, "Lost connection to MySQL server during query (timed out)"),
    ],
)
def test_a_database_that_gives_up_by_itself_is_told_like_our_own_limit(words: tuple[object, ...]) -> None:
    assert told(*words) == FAULTS.late().sentence()
    assert "not read to its end within 300 s" in told(*words)


def test_no_secret_and_no_user_of_a_url_is_told() -> None:
    words = "cannot connect to mysql://reader:p%40ss@db.internal/crm with p@ss and p%40ss"
    assert told(words, reading=False) == (
        "source crm: no connection: cannot connect to mysql://db.internal/crm with *** and ***"
    )
    assert "p@ss" not in repr(FAULTS)


def test_a_password_among_the_options_of_a_url_is_a_secret_too() -> None:
    assert secrets_of(make_url("mysql://h/d?passwd=hunter2")) == ("hunter2",)


def test_a_phone_number_is_hidden_and_an_address_is_told() -> None:
    assert "######" in told('invalid input syntax for type bigint: "07700 900123"')
    assert "192.168.100.200" in told('connection to server at "192.168.100.200" failed', reading=False)


def test_a_long_text_is_cut_to_one_sane_line() -> None:
    sentence = told("broken " * 200)
    assert len(sentence) < 350
    assert sentence.endswith("...")
    assert "\n" not in told("one\ntwo")


def test_an_error_of_python_itself_is_told_too() -> None:
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    assert "can't decode byte 0xff" in FAULTS.explain(error, reading=True).sentence()


def test_the_statement_and_its_parameters_are_not_told() -> None:
    error = ProgrammingError("SELECT secret", {"x": 1}, DriverError("wrong"))
    assert FAULTS.explain(error, reading=True).sentence() == "source crm: the query failed: wrong"


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("mysql://h/d", "the driver of mysql is not installed; pip install 'syncd[mysql]'"),
        ("mariadb+pymysql://h/d", "the driver of mariadb+pymysql is not installed; pip install 'syncd[mysql]'"),
        ("mssql://h/d", "the driver of mssql is not installed; pip install 'syncd[mssql]'"),
        ("oracle+oracledb://h/d", "the driver of oracle+oracledb is not installed; pip install 'syncd[oracle]'"),
        (
            "mssql+pyodbc://h/d",
            "the driver of mssql+pyodbc is not installed; install it, or write mssql+mssqlpython:// "
            "and pip install 'syncd[mssql]'",
        ),
        (
            "firebird://h/d",
            "the driver of firebird is not installed; check the part of the url before ://, or install its driver",
        ),
    ],
)
def test_a_driver_that_is_missing_is_named_with_the_way_to_install_it(url: str, advice: str) -> None:
    faults = Faults("crm", 300.0, make_url(url))
    assert faults.explain(ModuleNotFoundError("No module"), reading=False).sentence() == f"source crm: {advice}"

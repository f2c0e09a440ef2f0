"""Logs: who reads them, what is in them, and what never is."""

import io
import json
import logging
import os
import sys
from pathlib import Path

import pytest
import structlog

from syncd import logs
from syncd.cli.screen import complain
from syncd.config import LogFormat, LogLevel, Secret

pytestmark = pytest.mark.usefixtures("logs_as_before")


def logged(form: LogFormat, *, level: LogLevel = LogLevel.INFO, secrets: tuple[Secret, ...] = ()) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level=level, form=form, secrets=secrets, stream=stream)
    return stream


def test_json_has_one_line_an_event_with_time_level_and_fields() -> None:
    stream = logged(LogFormat.AUTO)
    structlog.get_logger("syncd.test").warning("pass ended", campaign="renewals", added=3)
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "pass ended",
        "campaign": "renewals",
        "added": 3,
        "level": "warning",
        "logger": "syncd.test",
    }


def test_the_console_form_is_for_reading() -> None:
    stream = logged(LogFormat.CONSOLE)
    structlog.get_logger("syncd.test").info("pass ended", campaign="renewals")
    assert "pass ended" in stream.getvalue()
    assert "campaign=renewals" in stream.getvalue()


def test_libraries_log_through_the_same_lines_and_keep_their_small_talk() -> None:
    stream = logged(LogFormat.JSON, level=LogLevel.DEBUG)
    logging.getLogger("httpx").info("HTTP Request: GET https://...")
    logging.getLogger("some.library").warning("slow: %s", "disk")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["logger"]) == ("slow: disk", "warning", "some.library")


def test_what_is_below_the_level_is_not_logged() -> None:
    stream = logged(LogFormat.JSON, level=LogLevel.WARNING)
    structlog.get_logger("syncd.test").info("nothing")
    logging.getLogger("some.library").info("nothing")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("form", list(LogFormat))
def test_no_secret_gets_into_a_line_wherever_it_stands(form: LogFormat) -> None:
    stream = logged(form, secrets=(Secret('tok"en-12345'), Secret("abc")))
    log = structlog.get_logger("syncd.test")
    log.warning('answered tok"en-12345', answer={"headers": ['Basic tok"en-12345']}, path=Path('/tok"en-12345'))
    try:
        raise ValueError('tok"en-12345')
    except ValueError:
        log.exception("failed")
        logging.getLogger("some.library").exception("failed with %s", 'tok"en-12345')
    log.warning("short", value="abc", other="abcdef")
    assert "en-12345" not in stream.getvalue()
    assert "***" in stream.getvalue()
    assert "abcdef" in stream.getvalue()
    assert "'abc'" not in stream.getvalue().replace('"abc"', "'abc'")


def test_tracebacks_show_no_values_of_variables() -> None:
    stream = logged(LogFormat.CONSOLE)
    phone = "".join(["555", "1234567"])
    try:
        raise ValueError(str(len(phone)))
    except ValueError:
        structlog.get_logger("syncd.test").exception("failed")
    assert "Traceback" in stream.getvalue()
    assert phone not in stream.getvalue()


@pytest.mark.parametrize("form", list(LogFormat))
def test_an_error_that_quotes_a_phone_number_is_logged_without_it(form: LogFormat) -> None:
    stream = logged(form)
    phone = "".join(["+44 7946", " 018273"])
    try:
        raise ValueError(f"cannot read {phone}")
    except ValueError:
        structlog.get_logger("syncd.test").exception("failed")
    assert "cannot read +## #### ######" in stream.getvalue()
    assert "Traceback" in stream.getvalue()


def test_in_the_journal_each_line_begins_with_its_priority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        logs.configure(level=LogLevel.INFO, form=LogFormat.AUTO, stream=stream)
        log = structlog.get_logger("syncd.test")
        for method in (log.info, log.warning, log.error):
            method("something")
        stream.seek(0)
        lines = stream.read().splitlines()
    assert [line[:3] for line in lines] == ["<6>", "<4>", "<3>"]
    assert all(json.loads(line[3:])["event"] == "something" for line in lines)


def test_a_stream_that_is_not_the_journal_gets_no_priorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    with (tmp_path / "file").open("w") as stream:
        assert not logs.is_journal(stream)
    assert not logs.is_journal(io.StringIO())


def test_a_complaint_is_an_error_in_the_journal_and_plain_elsewhere(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    complain("the file is empty")
    status = os.fstat(sys.stderr.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    complain("the file is empty")
    assert capfd.readouterr().err == "syncd: the file is empty\n<3>syncd: the file is empty\n"

"""Secrets: read from elsewhere, and shown nowhere."""

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from pathlib import Path

import pytest

import syncd
from syncd.config import Secret
from syncd.errors import ConfigError

MARK = "geheim-7f3a"
PACKAGE = str(Path(syncd.__file__).parent)


@pytest.fixture
def credentials(file):
    folder = file.folder / "credentials"
    folder.mkdir()
    file.environ["CREDENTIALS_DIRECTORY"] = str(folder)
    return folder


def token_problem(file) -> str:
    [told] = file.problems()
    return told.removeprefix(f"{file.line_of('tenants.acme', 'action_token')}: tenants.acme.action_token: ")


def token(file) -> Secret:
    return file.load().tenants["acme"].action_token


def test_a_secret_comes_from_a_credential_a_file_or_the_environment(file, credentials) -> None:
    (credentials / "acme").write_text(f"{MARK}1\n")
    (file.folder / "token").write_text(f"{MARK}2\r\n")
    file.environ["TOKEN"] = f"{MARK}3"
    for reference, value in (
        ("credential:acme", f"{MARK}1"),
        ("file:token", f"{MARK}2"),
        (f"file:{file.folder}/token", f"{MARK}2"),
        ("env:TOKEN", f"{MARK}3"),
    ):
        file.set("tenants.acme", action_token=f'"{reference}"')
        assert token(file).reveal() == value


def test_a_home_directory_begins_a_path(file, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(file.folder))
    (file.folder / "token").write_text(MARK)
    file.set("tenants.acme", action_token='"file:~/token"')
    assert token(file).reveal() == MARK


def test_only_the_line_end_is_no_part_of_a_secret(file) -> None:
    (file.folder / "token").write_text(f" {MARK} \n\n")
    file.set("tenants.acme", action_token='"file:token"')
    assert token(file).reveal() == f" {MARK} "


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (
            "credential:none",
            "the file {credentials}/none cannot be read (No such file or directory); "
            "make it readable for the user syncd runs as",
        ),
        ("credential:empty", "the file {credentials}/empty is empty; put the secret there"),
        (
            "file:none",
            "the file {folder}/none cannot be read (No such file or directory); "
            "make it readable for the user syncd runs as",
        ),
        ("file:binary", "the file {folder}/binary is not UTF-8 text; save the secret as plain text"),
        ("file:/dev/zero", "the file /dev/zero is too large for a secret; point to a file that holds it alone"),
        (
            "file:~nobody-of-that-name/x",
            "the home directory in ~nobody-of-that-name/x is not known; write the path in full",
        ),
        ("env:NONE", "the environment variable NONE is empty or not set; put the secret there"),
        ("env:EMPTY", "the environment variable EMPTY is empty or not set; put the secret there"),
    ],
)
def test_a_secret_that_is_not_there_is_told_with_where_it_should_be(file, credentials, reference, sentence) -> None:
    (credentials / "empty").write_text("\n")
    (file.folder / "binary").write_bytes(b"\xff\xfe")
    file.environ["EMPTY"] = " "
    file.set("tenants.acme", action_token=f'"{reference}"')
    assert token_problem(file) == sentence.format(credentials=credentials, folder=file.folder)


def test_a_credential_outside_systemd_is_told_with_the_line_of_the_unit(file) -> None:
    file.set("tenants.acme", action_token='"credential:acme"')
    assert token_problem(file) == (
        "the credential acme cannot be read outside systemd: $CREDENTIALS_DIRECTORY is not set; "
        "add LoadCredential=acme:PATH to the unit, or use file: or env:"
    )


def test_without_secrets_their_form_is_checked_and_nothing_is_read(file) -> None:
    file.set("tenants.acme", action_token='"credential:acme"', data_token='"file:not-there"')
    tenant = file.load(secrets=False).tenants["acme"]
    for unread in (tenant.action_token, tenant.data_token):
        with pytest.raises(RuntimeError, match="loaded without its secrets"):
            unread.reveal()
    file.set("tenants.acme", data_token=f'"{MARK}"')
    [told] = file.problems(secrets=False)
    assert "is a secret written into the file" in told


def test_a_rotated_secret_is_read_anew_from_its_file(file) -> None:
    (file.folder / "token").write_text("old")
    file.set("tenants.acme", action_token='"file:token"')
    secret = token(file)
    assert not secret.reread()
    (file.folder / "token").write_text("new\n")
    assert secret.reread()
    assert secret.reveal() == "new"
    assert not secret.reread()


def test_a_secret_that_cannot_be_read_anew_stays_as_it_was(file) -> None:
    (file.folder / "token").write_text("old")
    file.set("tenants.acme", action_token='"file:token"')
    secret = token(file)
    for spoil in (lambda path: path.write_text(""), lambda path: path.unlink()):
        spoil(file.folder / "token")
        assert not secret.reread()
        assert secret.reveal() == "old"


def test_only_a_file_can_be_read_anew(file) -> None:
    secret = token(file)
    file.environ["ACTION"] = "new"
    assert not secret.reread()
    assert secret.reveal() == "action-token"


def test_a_secret_is_shown_by_nothing(caplog) -> None:
    secret = Secret(MARK)
    logging.getLogger(__name__).warning("%s %r %s", secret, secret, {"key": [secret]})
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!s:>40}", repr([secret]), caplog.text]
    assert MARK not in "".join(shown)
    assert "***" in caplog.text


def test_a_secret_cannot_leave_the_process_by_accident() -> None:
    secret = Secret(MARK)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars, hash):
        with pytest.raises(TypeError) as caught:
            leave(secret)
        assert MARK not in str(caught.value)


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret(MARK) == Secret(MARK)
    assert Secret(MARK) != Secret("another")
    assert Secret(MARK) != MARK


def test_no_setting_shows_a_secret(file) -> None:
    file.environ |= {"ACTION": MARK, "DATA": MARK}
    file.set("state", url='"postgresql://h/d"', password='"env:DATA"')
    file.set("notify", urls=f'["slack://{MARK}"]', heartbeat=f'"https://ping/{MARK}"')
    file.set("campaigns.renewals", heartbeat=f'"https://ping/{MARK}"')
    config = file.load()
    assert config.notify.urls[0].reveal() == f"slack://{MARK}"
    assert MARK not in f"{config} {config!r}"
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        dataclasses.asdict(config.tenants["acme"])


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("state", "url", f'"postgresql://u:{MARK}@h/d"'),
        ("state", "url", f'"postgresql://u:{MARK}@@h:x/d"'),
        ("state", "url", f'"postgresql://u:{MARK}"'),
        ("state", "url", f'"mysql://u:{MARK}@h/d"'),
        ("state", "password", f'"{MARK}"'),
        ("sources.crm", "url", f'"mysql+pymysql://u:{MARK}@h/d"'),
        ("sources.crm", "url", f'"mysql+pymysql://u:{MARK}/@h:port/d"'),
        ("sources.crm", "url", f'"mysql+pymysql://h/d?passwd={MARK}"'),
        ("sources.crm", "url", f'"{MARK}"'),
        ("sources.crm", "password", f'"{MARK}"'),
        ("tenants.acme", "base_url", f'"https://u:{MARK}@h"'),
        ("tenants.acme", "base_url", f'"https://u:{MARK}@h:port"'),
        ("tenants.acme", "username", f'"acme:{MARK}"'),
        ("tenants.acme", "platform", f'"{MARK}"'),
        ("tenants.acme", "action_token", f'"{MARK}"'),
        ("tenants.acme", "action_token", f'"credential {MARK}"'),
        ("tenants.acme", "action_token", f'"{MARK}\\u0000"'),
        ("tenants.acme", "action_token", f'["{MARK}"]'),
        ("tenants.acme", "action_token", f'{{ value = "{MARK}" }}'),
        ("tenants.acme", "action_token", MARK),
        ("tenants.acme", "action_token", f'"{MARK}'),
        ("tenants.acme", "action_token", f"'{MARK}\\'x'"),
        ("tenants.acme", "add_token", f'"{MARK}"'),
        ("notify", "urls", f'["{MARK}"]'),
        ("notify", "urls", f'"slack://{MARK}"'),
        ("notify", "heartbeat", f'"{MARK}"'),
        ("notify", "heartbeat", f'"https://[{MARK}"'),
        ("campaigns.renewals", "heartbeat", f'"gopher://{MARK}"'),
    ],
)
def test_a_secret_in_the_wrong_place_is_in_no_error_and_no_traceback(file, section, key, value) -> None:
    file.set(section, **{key: value})
    with pytest.raises(ConfigError) as caught:
        file.load()
    error = caught.value
    told = [str(error), repr(error), error.sentence(), repr(error.problems), *traceback.format_exception(error)]
    assert MARK not in "".join(told)
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert MARK not in "".join(
        line for frame in frames.stack if frame.filename.startswith(PACKAGE) for line in frame_text(frame)
    )


def frame_text(frame: traceback.FrameSummary) -> list[str]:
    """Return the local variables of a frame, as a careless traceback prints them."""
    return list((frame.locals or {}).values())

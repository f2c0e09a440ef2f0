"""From a right file to its settings."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncd.config import (
    CampaignSettings,
    GuardSettings,
    LogFormat,
    LogLevel,
    MatchOn,
    Mode,
    NotifySettings,
    PastSchedule,
    RecallWhen,
    Removes,
    Secret,
    ServiceSettings,
    SourceSettings,
    StateSettings,
    TenantSettings,
    Vanished,
    find_config,
    load_config,
)
from syncd.config import load as load_module
from syncd.errors import ConfigError
from syncd.words import Exit


def test_what_is_left_out_has_its_default(file) -> None:
    config = file.load()
    assert config.path == file.path
    assert config.state == StateSettings(directory=Path("/var/lib/syncd"))
    assert config.service == ServiceSettings()
    assert config.notify == NotifySettings()
    assert config.tenants == {
        "acme": TenantSettings(
            name="acme",
            base_url="https://vcc-na12.8x8.com",
            username="acmecorp01",
            action_token=Secret("action-token"),
            data_token=Secret("data-token"),
        )
    }
    assert config.sources == {"crm": SourceSettings(name="crm", url="sqlite:///crm.db")}
    assert config.campaigns == {
        "renewals": CampaignSettings(
            name="renewals", id=125, tenant="acme", source="crm", query="SELECT 1 AS customer_id"
        )
    }
    assert config.campaigns["renewals"].every == timedelta(minutes=5)
    assert config.campaigns["renewals"].suppress_source == "crm"


def test_what_is_written_is_what_is_set(file) -> None:
    (file.folder / "token").write_text("from a file\n")
    file.set(
        "state",
        url='"postgresql+psycopg://syncd@db.internal/syncd"',
        password='"env:DATA"',
        directory='"state"',
        schema='"other"',
        keep='"30d"',
        keep_suppressions='"7y"',
    )
    file.set("service", listen='"[::1]:80"', log_level='"debug"', log_format='"json"')
    file.set("notify", urls='["mailto://x", "env:DATA"]', after='"0s"', remind='"1d"', heartbeat='"https://ping/x"')
    file.set("tenants.acme", action_token='"file:token"', add_token='"data"', delete_token='"action"')
    file.set("tenants.acme", concurrency="2", requests_per_second="0.5", timeout='"10s"', do_not_call="[2001]")
    file.set("tenants.acme.dispositions", **{"2001": '"Never again"'})
    file.set("sources.crm", password='"env:DATA"', timezone='"Europe/London"', timeout='"1m"')
    file.set("sources.dnc", url='"sqlite:///dnc.db"')
    file.set(
        "campaigns.renewals",
        suppress='"SELECT 2 AS customer_id"',
        suppress_source='"dnc"',
        cron='"0 9 * * mon-fri"',
        timezone='"Europe/London"',
        list_every='"1h"',
        mode='"add-only"',
        vanished='"leave"',
        match_on='"phone"',
        batch_size="50",
        past_schedule='"skip"',
        schedule_tolerance='"0s"',
        max_adds_per_week="1",
        recall='"on-version"',
        park_days="7",
        heartbeat='"http://ping/y"',
        enabled="false",
    )
    file.set("campaigns.renewals.guard", max_growth_percent="1000", max_shrink_percent="0", few="0")
    config = file.load()
    assert config.state == StateSettings(
        url="postgresql+psycopg://syncd@db.internal/syncd",
        password=Secret("data-token"),
        directory=file.folder / "state",
        schema_name="other",
        keep=timedelta(days=30),
        keep_suppressions=timedelta(days=7 * 365),
    )
    assert config.service == ServiceSettings(listen="[::1]:80", log_level=LogLevel.DEBUG, log_format=LogFormat.JSON)
    assert config.notify == NotifySettings(
        urls=(Secret("mailto://x"), Secret("data-token")),
        after=timedelta(0),
        remind=timedelta(days=1),
        heartbeat="https://ping/x",
    )
    tenant = config.tenants["acme"]
    assert tenant.action_token.reveal() == "from a file"
    assert (tenant.add_token, tenant.delete_token, tenant.concurrency) == ("data", "action", 2)
    assert (tenant.requests_per_second, tenant.timeout) == (0.5, timedelta(seconds=10))
    assert (tenant.do_not_call, tenant.dispositions) == ((2001,), {2001: "Never again"})
    assert config.sources["crm"] == SourceSettings(
        name="crm",
        url="sqlite:///crm.db",
        password=Secret("data-token"),
        timezone=ZoneInfo("Europe/London"),
        timeout=timedelta(minutes=1),
    )
    assert config.campaigns["renewals"] == CampaignSettings(
        name="renewals",
        id=125,
        tenant="acme",
        source="crm",
        query="SELECT 1 AS customer_id",
        suppress="SELECT 2 AS customer_id",
        suppress_source="dnc",
        every=None,
        cron="0 9 * * mon-fri",
        timezone=ZoneInfo("Europe/London"),
        list_every=timedelta(hours=1),
        mode=Mode.ADD_ONLY,
        removes=Removes.OWNED,
        vanished=Vanished.LEAVE,
        match_on=MatchOn.PHONE,
        batch_size=50,
        past_schedule=PastSchedule.SKIP,
        schedule_tolerance=timedelta(0),
        max_adds_per_week=1,
        recall=RecallWhen.ON_VERSION,
        park_days=7,
        heartbeat="http://ping/y",
        enabled=False,
        guard=GuardSettings(max_growth_percent=1000, max_shrink_percent=0, few=0),
    )


def test_a_campaign_takes_from_the_defaults_what_it_does_not_set(file) -> None:
    file.set("defaults", tenant='"acme"', source='"crm"', batch_size="50", mode='"add-only"')
    file.set("campaigns.renewals", tenant=None, source=None, mode='"mirror"')
    campaign = file.load().campaigns["renewals"]
    assert (campaign.tenant, campaign.source, campaign.batch_size, campaign.mode) == ("acme", "crm", 50, Mode.MIRROR)


def test_the_guard_is_merged_with_the_default_one_key_by_key(file) -> None:
    file.set("defaults.guard", max_removals="7", few="3")
    file.set("campaigns.renewals.guard", few="4")
    assert file.load().campaigns["renewals"].guard == GuardSettings(max_removals=7, few=4)


@pytest.mark.parametrize(
    ("default", "own", "every", "cron"),
    [
        ({"every": '"1h"'}, {}, timedelta(hours=1), None),
        ({"every": '"1h"'}, {"cron": '"0 9 * * *"'}, None, "0 9 * * *"),
        ({"cron": '"0 9 * * *"'}, {"every": '"1h"'}, timedelta(hours=1), None),
        ({"cron": '"0 9 * * *"'}, {}, None, "0 9 * * *"),
        ({}, {}, timedelta(minutes=5), None),
    ],
)
def test_a_schedule_of_its_own_replaces_a_default_one_of_either_kind(file, default, own, every, cron) -> None:
    campaign = file.set("defaults", **default).set("campaigns.renewals", **own).load().campaigns["renewals"]
    assert (campaign.every, campaign.cron) == (every, cron)


def test_false_sets_a_default_suppression_query_aside(file) -> None:
    file.set("defaults", suppress='"SELECT 2 AS customer_id"')
    assert file.load().campaigns["renewals"].suppress == "SELECT 2 AS customer_id"
    file.set("campaigns.renewals", suppress="false")
    assert file.load().campaigns["renewals"].suppress is None


def test_a_query_may_have_many_lines(file) -> None:
    file.set("campaigns.renewals", query='"""\nSELECT 1\n\tAS customer_id\n"""')
    assert file.load().campaigns["renewals"].query == "SELECT 1\n\tAS customer_id\n"


def test_a_query_file_lies_beside_the_configuration(file, monkeypatch, tmp_path_factory) -> None:
    (file.folder / "due.sql").write_text("SELECT 3 AS customer_id\n")
    file.set("campaigns.renewals", query=None, query_file='"due.sql"')
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert file.load().campaigns["renewals"].query == "SELECT 3 AS customer_id\n"


@pytest.mark.parametrize(
    ("written", "base_url"),
    [
        ("https://odcc2.bell.ca", "https://odcc2.bell.ca"),
        ("https://ODCC2.bell.ca:443/", "https://odcc2.bell.ca"),
        ("https://host:8443", "https://host:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_base_url_is_brought_to_one_form(file, written, base_url) -> None:
    file.set("tenants.acme", platform=None, base_url=f'"{written}"')
    assert file.load().tenants["acme"].base_url == base_url


def test_an_empty_text_turns_off_what_listens_and_what_is_pinged(file) -> None:
    file.set("service", listen='""').set("notify", heartbeat='""').set("campaigns.renewals", heartbeat='""')
    config = file.load()
    assert (config.service.listen, config.notify.heartbeat, config.campaigns["renewals"].heartbeat) == ("", "", "")


def test_the_state_goes_where_systemd_says_else_to_the_home_directory(file, monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    file.set("state", directory=None)
    assert file.load().state.directory == Path("/home/somebody/.local/state/syncd")
    file.environ["STATE_DIRECTORY"] = "/var/lib/syncd:/var/lib/other"
    assert file.load().state.directory == Path("/var/lib/syncd")


def test_a_file_of_another_editor_is_read_alike(file) -> None:
    expected = file.load()
    file.path.write_bytes(b"\xef\xbb\xbf" + file.text().replace("\n", "\r\n").encode())
    assert load_config(file.path, environ=file.environ) == expected


def test_settings_cannot_be_changed(file) -> None:
    config = file.load()
    with pytest.raises(AttributeError):
        config.state.keep = timedelta(0)
    with pytest.raises(TypeError):
        config.campaigns["other"] = config.campaigns["renewals"]
    with pytest.raises(TypeError):
        config.tenants["acme"].dispositions[1] = "x"


def test_a_file_that_cannot_be_read_is_one_problem(tmp_path) -> None:
    for path, why in (
        (tmp_path / "none.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert str(caught.value) == (
            f"{path}: cannot be read ({why}); name a readable file with --config or $SYNCD_CONFIG"
        )
        assert caught.value.exit_status is Exit.BAD_CONFIG


def test_a_file_that_is_not_utf_8_is_one_problem_with_its_line(tmp_path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"[state]\n# caf\xe9\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == f"{path}:2: is not UTF-8 text; save the file as UTF-8"


def test_the_configuration_is_looked_for_in_four_places(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(load_module, "SYSTEM_CONFIG", tmp_path / "etc.toml")
    with pytest.raises(ConfigError) as caught:
        find_config(None, {})
    assert str(caught.value) == (
        f"{tmp_path}/etc.toml: there is no such file, nor config.toml in this folder; "
        "copy config.example.toml and edit it"
    )
    (tmp_path / "etc.toml").touch()
    assert find_config(None, {"SYNCD_CONFIG": ""}) == tmp_path / "etc.toml"
    (tmp_path / "config.toml").touch()
    assert find_config(None, {}) == Path("config.toml")
    assert find_config(None, {"SYNCD_CONFIG": "/named"}) == Path("/named")
    assert find_config(Path("/explicit"), {"SYNCD_CONFIG": "/named"}) == Path("/explicit")

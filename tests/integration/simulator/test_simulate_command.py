"""``syncd simulate`` as a person starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tomllib

import httpx
import pytest
from click.testing import CliRunner

from syncd.clock import SystemClock
from syncd.errors import ConfigError, SyncdError
from syncd.simulator import Call, Dialect
from syncd.simulator.command import simulate
from syncd.simulator.scenario import parse_customers, read_scenario
from syncd.vendor import CampaignState

SCENARIO = """
seed = 3
username = "rehearsal"
customers = "1-50"

[manner]
page_from = 0
no_records = "rotate"

[[campaigns]]
id = 125
name = "Renewals"
records = "1-60"
state = 8
closes = 2027-05-01T00:00:00

[[faults]]
kind = "answer"
calls = ["status"]
status = 503
"""


def started(*options, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", "from syncd.simulator.command import simulate; simulate()", "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def introduction(process):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("# [campaigns"):
            return "".join(lines)
    pytest.fail("the simulator ended before it said where it is")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_what_a_config_needs_and_stops_when_told(number):
    process = started("--campaign", "126", "--records", "11-40", "--customers", "100", "--token-delete", "action")
    try:
        said = introduction(process)
        tenant = tomllib.loads(said)["tenants"]["simulated"]
        assert tenant["action_token"] == "env:SIMULATED_ACTION_TOKEN"
        token = re.search(r"SIMULATED_DATA_TOKEN=(\S+)", said)[1]
        with httpx.Client(base_url=tenant["base_url"], auth=(tenant["username"], token), trust_env=False) as client:
            assert client.get("/api/stats/campaigns/126.json").json()["campaign"]["no-of-records"] == 30
            assert client.delete("/api/tstats/campaigns/126/customers/11").status_code == 401
        process.send_signal(number)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def test_tokens_of_the_environment_are_used_and_not_shown():
    process = started(SIMULATED_ACTION_TOKEN="hush-action", SIMULATED_DATA_TOKEN="hush-data")
    try:
        said = introduction(process)
        assert "hush" not in said
        url = tomllib.loads(said)["tenants"]["simulated"]["base_url"]
        auth = ("acmecorp01", "hush-data")
        assert httpx.get(f"{url}/api/stats/campaigns/125.json", auth=auth, trust_env=False).status_code == 200
    finally:
        process.kill()
        process.communicate()


def test_a_scenario_file_sets_the_whole_stage(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO)
    tenant = read_scenario(path).tenant(clock=SystemClock(), action_token="a", data_token="d")
    campaign = tenant.campaigns[125]
    assert (campaign.properties.name, campaign.properties.state, len(campaign)) == (
        "Renewals",
        CampaignState.MANUAL_PAUSED,
        60,
    )
    assert campaign.properties.closes.isoformat() == "2027-05-01T00:00:00+00:00"
    assert (50 in tenant.crm, 51 in tenant.crm) == (True, False)
    assert (tenant.username, tenant.manner.page_from, len(tenant.faults.armed)) == ("rehearsal", 0, 1)


def test_everything_that_is_wrong_in_a_scenario_is_said_at_once(tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_text('sed = 3\n[manner]\npage_size = "many"\n')
    with pytest.raises(ConfigError) as raised:
        read_scenario(path)
    assert [problem.key for problem in raised.value.problems] == ["manner.page_size", "sed"]
    with pytest.raises(ConfigError, match="No such file"):
        read_scenario(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("value", "customers"),
    [(3, [1, 2, 3]), ("7", [7]), ("1-3,9", [1, 2, 3, 9]), ([4, 5], [4, 5]), ("", [])],
)
def test_customers_are_a_number_a_range_or_a_list(value, customers):
    assert list(parse_customers(value)) == customers


@pytest.mark.parametrize("options", [["--customers", "x"], ["--token-add", "none"], ["--error-rate", "2"]])
def test_an_option_that_makes_no_sense_is_bad_usage(options):
    result = CliRunner().invoke(simulate, options)
    assert result.exit_code == 2
    assert options[0] in result.output


def test_a_port_that_is_taken_is_said_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(simulate, ["--port", str(port)])
    assert isinstance(result.exception, SyncdError)
    assert result.exception.sentence().startswith(f"port {port}: ")


def test_options_override_a_scenario_file(tmp_path, monkeypatch):
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO)
    served = []
    monkeypatch.setattr("syncd.simulator.command.simulate_command", lambda scenario, port: served.append(scenario))
    options = ["--scenario", str(path), "--customers", "7-9", "--page-from", "1", "--dialect", "older", "--seed", "5"]
    options += ["--error-rate", "1", "--calls-per-minute", "30", "--all-at-once", "--records", "0"]
    assert CliRunner().invoke(simulate, options, catch_exceptions=False).exit_code == 0
    (scenario,) = served
    assert (list(scenario.customers), scenario.seed, scenario.username) == ([7, 8, 9], 5, "rehearsal")
    assert (scenario.manner.page_from, scenario.manner.all_at_once) == (1, True)
    assert scenario.manner.dialect is Dialect.OLDER
    (campaign,) = scenario.campaigns
    assert (campaign.name, list(campaign.records), campaign.calls_per_minute) == ("Renewals", [], 30)
    tenant = scenario.tenant(clock=SystemClock(), action_token="a", data_token="d")
    tenant.faults.armed.pop(0)
    assert all(tenant.faults.strike(Call.LIST, 125, frozenset()).fault for _ in range(50))

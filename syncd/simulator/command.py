"""``syncd simulate``: a stand-in tenant on loopback, for rehearsing a config."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import click

from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.simulator.faults import Fault, FaultKind
from syncd.simulator.manner import Dialect, Manner, Token
from syncd.simulator.scenario import Scenario, ScenarioCampaign, parse_customers, read_scenario
from syncd.simulator.server import serve

ACTION_TOKEN_VARIABLE: Final = "SIMULATED_ACTION_TOKEN"  # noqa: S105 - the name of a variable
DATA_TOKEN_VARIABLE: Final = "SIMULATED_DATA_TOKEN"  # noqa: S105
_KEEP_LOG: Final = 10_000


def _choice(kind: type[StrEnum]) -> click.Choice[str]:
    """Offer the values; click itself would offer the names."""
    return click.Choice([each.value for each in kind])


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8818, show_default=True, help="0 takes any free port.")
@click.option("--scenario", "path", type=click.Path(path_type=Path), help="TOML file; options override it.")
@click.option("--campaign", "campaigns", type=click.IntRange(1), multiple=True, help="Vendor id; repeatable. [125]")
@click.option("--customers", help="Who is in the CRM: how many, or A-B. [1000]")
@click.option("--records", help="Records that others have uploaded to each campaign: how many, or A-B. [0]")
@click.option("--calls-per-minute", type=click.FloatRange(0), help="The dialer calls by itself. [0]")
@click.option("--latency", type=click.FloatRange(0), help="Seconds before each answer. [0]")
@click.option("--error-rate", type=click.FloatRange(0, 1), help="Share of calls answered 500, 503 or not at all. [0]")
@click.option("--page-from", type=click.Choice(["0", "1"]), help="What n calls the first record. [1]")
@click.option("--all-at-once", is_flag=True, help="The listing comes as one page.")
@click.option("--token-add", type=_choice(Token), help="The token that adding takes. [action]")
@click.option("--token-delete", type=_choice(Token), help="The token that deleting takes. [data]")
@click.option("--dialect", type=_choice(Dialect), help="Whose texts the answers use. [guide]")
@click.option("--seed", type=int, help="The same seed makes the same chance. [0]")
def simulate(
    *,
    port: int,
    path: Path | None,
    campaigns: tuple[int, ...],
    customers: str | None,
    records: str | None,
    calls_per_minute: float | None,
    latency: float | None,
    error_rate: float | None,
    page_from: str | None,
    all_at_once: bool,
    token_add: str | None,
    token_delete: str | None,
    dialect: str | None,
    seed: int | None,
) -> None:
    """Run a stand-in 8x8 tenant on loopback until told to stop.

    It prints its address and what a config needs to use it. Under /-/ on the same port it can be told to fail, to
    dial, or to change: see `GET /-/state`.
    """
    scenario = read_scenario(path) if path is not None else Scenario()
    if campaigns:
        scenario = replace(scenario, campaigns=tuple(ScenarioCampaign(id=number) for number in campaigns))
    if customers is not None:
        scenario = replace(scenario, customers=_customers("--customers", customers))
    if seed is not None:
        scenario = replace(scenario, seed=seed)
    changes: dict[str, Any] = {}
    if records is not None:
        changes["records"] = _customers("--records", records)
    if calls_per_minute is not None:
        changes["calls_per_minute"] = calls_per_minute
    changed = (replace(campaign, **changes) for campaign in scenario.campaigns)
    scenario = replace(scenario, campaigns=tuple(changed))
    manner = {
        "latency": latency,
        "page_from": None if page_from is None else int(page_from),
        "all_at_once": all_at_once or None,
        "add_token": token_add and Token(token_add),
        "delete_token": token_delete and Token(token_delete),
        "dialect": dialect and Dialect(dialect),
    }
    _apply(scenario.manner, manner)
    if error_rate:
        scenario = replace(scenario, faults=scenario.faults + _random_faults(error_rate))
    simulate_command(scenario, port)


def simulate_command(scenario: Scenario, port: int) -> None:
    """Serve the scenario's tenant until SIGINT or SIGTERM, then return. Raise SyncdError without a port."""
    try:
        asyncio.run(_run(scenario, port))
    except OSError as error:
        raise SyncdError(
            f"port {port}: {error.strerror}; name another with --port, 0 takes any that is free"
        ) from error


async def _run(scenario: Scenario, port: int) -> None:
    action_token = os.environ.get(ACTION_TOKEN_VARIABLE)
    data_token = os.environ.get(DATA_TOKEN_VARIABLE)
    tenant = scenario.tenant(
        clock=SystemClock(),
        action_token=action_token or "simulated-action",
        data_token=data_token or "simulated-data",
        keep_log=_KEEP_LOG,
    )
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    async with serve(tenant, port=port) as url:
        click.echo(_introduction(scenario, url, own_tokens=action_token is None and data_token is None))
        await told.wait()


def _introduction(scenario: Scenario, url: str, *, own_tokens: bool) -> str:
    lines = [f"# A simulated tenant answers on {url}, its controls on {url}/-/state. Ctrl-C ends it."]
    if own_tokens:
        lines.append("# Before syncd is started:")
        lines.append(f"#   export {ACTION_TOKEN_VARIABLE}=simulated-action {DATA_TOKEN_VARIABLE}=simulated-data")
    lines += [
        "",
        "[tenants.simulated]",
        f'base_url = "{url}"',
        f'username = "{scenario.username}"',
        f'action_token = "env:{ACTION_TOKEN_VARIABLE}"',
        f'data_token = "env:{DATA_TOKEN_VARIABLE}"',
    ]
    for campaign in scenario.campaigns:
        lines.append("")
        lines.append(f'# [campaigns.NAME] with: id = {campaign.id}, tenant = "simulated"')
    return "\n".join(lines)


def _customers(option: str, value: str) -> object:
    try:
        return parse_customers(int(value) if value.isdigit() else value)
    except ValueError as error:
        raise click.BadParameter("give how many, or A-B", param_hint=option) from error


def _apply(manner: Manner, changes: Mapping[str, object]) -> None:
    for name, value in changes.items():
        if value is not None:
            setattr(manner, name, value)


def _random_faults(rate: float) -> tuple[Fault, ...]:
    """Return faults that together strike this share of all calls."""
    kinds = (
        Fault(kind=FaultKind.ANSWER, status=500),
        Fault(kind=FaultKind.ANSWER, status=503, text="<h1>Unavailable</h1>", html=True),
        Fault(kind=FaultKind.RESET),
        Fault(kind=FaultKind.RESET, deed=True),
    )
    share = rate / len(kinds)
    # Each has its chance only where those before it did not strike.
    return tuple(
        replace(fault, count=None, probability=share / (1 - before * share)) for before, fault in enumerate(kinds)
    )

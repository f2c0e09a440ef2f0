"""``syncd check``: does everything that the configuration names answer as a pass needs it?"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

import click

from syncd.cli.application import Application
from syncd.cli.check.findings import Finding, Mark
from syncd.cli.check.receivers import check_receivers
from syncd.cli.check.sources import check_drivers, check_source
from syncd.cli.check.state import check_state
from syncd.cli.check.tenants import check_tenant
from syncd.cli.progress import shown
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, on_terminal, say, show_document, show_table
from syncd.config import Config
from syncd.words import Exit


@click.command(short_help="Look whether all that the configuration names answers.")
@click.option(
    "--offline", is_flag=True, help="The configuration, its receivers of notices and the drivers of its sources alone."
)
@JSON_OPTION
@click.pass_obj
def check(application: Application, offline: bool, as_json: bool) -> int:
    """Look at the configuration, the state, each source and query, and each tenant's tokens and campaigns.

    All are looked at even when one fails. Nothing is changed: the action token is tried by adding nobody.
    Exit status: 0 all is well, 78 the configuration is wrong, 1 something cannot be reached or is refused.
    """
    config = application.config()
    findings = [_loaded(config), *check_receivers(config.notify.urls)]
    findings += check_drivers(config) if offline else run(_look_at_all(config))
    status = Exit.FAILED if any(finding.mark is Mark.WRONG for finding in findings) else Exit.GOOD
    if as_json:
        show_document({"checks": [finding.document() for finding in findings], "exit_status": int(status)})
    elif on_terminal():
        show_table(("", "", ""), [(one.mark.tick, one.subject, one.sentence) for one in findings])
    else:
        for finding in findings:
            say(f"{finding.mark.value}: {finding.subject}: {finding.sentence}")
    return status


async def _look_at_all(config: Config) -> Sequence[Finding]:
    """Look at everything side by side: what does not answer costs its time limit only once."""
    with shown("checking") as progress:
        groups = list(_groups(config))
        done = 0

        async def counted(group: Coroutine[Any, Any, Sequence[Finding]]) -> Sequence[Finding]:
            nonlocal done
            found = await group
            done += 1
            progress.step("state, sources, tenants", done, len(groups))
            return found

        found = await asyncio.gather(*map(counted, groups))
    return [finding for findings in found for finding in findings]


def _groups(config: Config) -> Iterator[Coroutine[Any, Any, Sequence[Finding]]]:
    yield check_state(config.state)
    for source in config.sources:
        yield check_source(config, source)
    for tenant in config.tenants:
        yield check_tenant(config, tenant)


def _loaded(config: Config) -> Finding:
    disabled = sum(not campaign.enabled for campaign in config.campaigns.values())
    what = ", ".join(
        f"{len(sections)} {name}{'' if len(sections) == 1 else 's'}"
        for name, sections in (("tenant", config.tenants), ("source", config.sources), ("campaign", config.campaigns))
    )
    return Finding(f"config {config.path}", Mark.GOOD, what + (f", {disabled} of these disabled" if disabled else ""))

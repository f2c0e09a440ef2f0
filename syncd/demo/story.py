"""The story that the demo tells: what changes at the source, what syncd says to it, what the tenant has then."""

import textwrap
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from syncd.clock import SystemClock
from syncd.demo.crm import CUSTOMERS, DO_NOT_CALL, DUE, FIRST, Crm
from syncd.errors import SyncdError
from syncd.simulator import SimulatedRecord, SimulatedTenant, serve
from syncd.sync import PassReport
from syncd.vendor import RecordStatus
from syncd.words import Exit

CAMPAIGN: Final = 125
NAME: Final = "renewals"
USERNAME: Final = "acmecorp01"
ACTION_TOKEN: Final = "simulated-action"  # noqa: S105 - opens nothing but the stand-in
DATA_TOKEN: Final = "simulated-data"  # noqa: S105

CONFIG: Final = """\
# The configuration of the demo. config.example.toml shows every key.

[state]
directory = "state"    # no url: syncd runs its own PostgreSQL here

[service]
listen = ""

[tenants.simulated]
base_url = "{url}"
username = "{username}"
action_token = "file:action-token"
data_token = "file:data-token"
requests_per_second = 200

[sources.crm]
url = "sqlite:///{crm}"

[campaigns.{name}]
id = {campaign}
tenant = "simulated"
source = "crm"
query = "SELECT account_num AS customer_id, call_at AS schedule_at FROM calls_due"
suppress = "SELECT account_num AS customer_id FROM do_not_call"
"""

Say = Callable[[str], None]
Once = Callable[[Path], Awaitable[PassReport]]
"""Runs ``syncd once`` over a configuration file."""


class DemoWentWrong(SyncdError):
    """The tenant has not what it should have."""


async def tell_story(directory: Path, say: Say, once: Once) -> int:
    """Set the stage in an empty directory and play the story; return the port that the tenant had.

    What a person needs to go on with the same stage is left in the directory. Raise DemoWentWrong, and what ``once``
    raises.
    """
    crm = Crm(directory / "crm.sqlite")
    crm.fill()
    tenant = SimulatedTenant(clock=SystemClock(), username=USERNAME, action_token=ACTION_TOKEN, data_token=DATA_TOKEN)
    tenant.add_customers(range(FIRST, FIRST + CUSTOMERS))
    tenant.add_campaign(CAMPAIGN, name="Renewals")
    async with serve(tenant) as url:
        config = _write_config(directory, url, crm)
        say(f"A customer database, a simulated 8x8 tenant, and syncd between them, in\n{directory}")
        await _Story(crm, tenant, config, say, once).play()
        _write_scenario(directory, tenant)
    return int(url.rpartition(":")[2])


class _Story:
    """The steps. Each changes something, has syncd run a pass, and asks the tenant what came of it."""

    def __init__(self, crm: Crm, tenant: SimulatedTenant, config: Path, say: Say, once: Once) -> None:
        self._crm, self._tenant, self._config, self._say, self._once = crm, tenant, config, say, once
        self._steps = 0

    async def play(self) -> None:
        """Play all steps."""
        await self._first_fill()
        await self._nothing_new()
        await self._one_comes_one_goes()
        await self._never_again()
        await self._another_time()
        await self._called()
        await self._emptied()

    async def _first_fill(self) -> None:
        self._title("The campaign is empty. Who needs a call comes in.")
        self._tell("source", f"{CUSTOMERS:,} customers, the contracts of {DUE:,} end soon")
        self._tell("", f"{DO_NOT_CALL} of these are on the do-not-call list")
        await self._pass()
        self._in_step()

    async def _nothing_new(self) -> None:
        self._title("Nothing has changed. Nothing is sent.")
        await self._pass()
        self._holds(not self._tenant.writes, "no call that changes anything came")
        self._in_step()

    async def _one_comes_one_goes(self) -> None:
        self._title("One customer renews, the contract of another is about to end.")
        gone, new = FIRST + 6, FIRST + 2000
        self._crm.renew(gone)
        self._crm.ends_soon(new)
        self._tell("source", f"{gone} has renewed, {new} is due")
        await self._pass()
        self._holds(self._record(gone) is None and self._record(new) is not None, f"{gone} is out, {new} is in")
        self._in_step()

    async def _never_again(self) -> None:
        self._title("A customer asks never to be called again, and is taken out before all else.")
        customer = FIRST + 10
        self._crm.never_call(customer)
        self._tell("source", f"{customer} is on the do-not-call list, and still in the query")
        await self._pass()
        self._holds(self._record(customer) is None, f"{customer} is out")
        self._in_step()

    async def _another_time(self) -> None:
        self._title("A customer wants to be called at another time.")
        customer = FIRST + 20
        moment = (datetime.now(UTC) + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        self._crm.call_at(customer, moment)
        self._tell("source", f"call {customer} at {moment:%Y-%m-%d %H:%M} UTC")
        await self._pass()
        record = self._record(customer)
        self._holds(
            record is not None and record.call_at == moment, f"{customer} is scheduled for {moment:%Y-%m-%d %H:%M} UTC"
        )
        self._in_step()

    async def _called(self) -> None:
        self._title("An agent talks to a customer, whom the source goes on to list.")
        customer = FIRST + 30
        self._tenant.set_record(CAMPAIGN, customer, status=RecordStatus.COMPLETED)
        self._tell("tenant", f"the call to {customer} is completed")
        await self._pass()
        self._holds(
            not self._tenant.writes, f"no call that changes anything came: {customer} is not rung twice unasked"
        )

    async def _emptied(self) -> None:
        self._title("A nightly job breaks off, and the query finds nobody. syncd waits for you.")
        self._crm.lose_ends()
        self._tell("source", "nobody needs a call")
        await self._pass(Exit.HELD)
        self._holds(not self._tenant.writes, "no call that changes anything came")
        self._tell("you", "`syncd held` shows whom it concerns, `syncd approve` lets it through")
        self._crm.find_ends()
        self._tell("source", "the job has run again")
        await self._pass()
        self._holds(not self._tenant.writes, "no call that changes anything came")

    async def _pass(self, expected: Exit = Exit.GOOD) -> None:
        self._tenant.log.clear()
        report = await self._once(self._config)
        for number, line in enumerate(textwrap.wrap(report.sentence(), 80 - 11)):
            self._tell("" if number else "syncd", line)
        if report.exit_status is not expected:
            raise DemoWentWrong(f"the demo went wrong in step {self._steps}: {report.sentence()}")

    def _in_step(self) -> None:
        """Hold the tenant against the source."""
        listed = {record.customer for record in self._tenant.campaigns[CAMPAIGN]}
        self._holds(listed == self._crm.to_call(), f"{len(listed):,} records, just those who need a call")

    def _holds(self, true: bool, what: str) -> None:
        if not true:
            raise DemoWentWrong(f"the demo went wrong in step {self._steps}: the tenant was to show: {what}")
        self._tell("tenant", what)

    def _record(self, customer: int) -> SimulatedRecord | None:
        return self._tenant.campaigns[CAMPAIGN].record(customer)

    def _title(self, text: str) -> None:
        self._steps += 1
        self._say(f"\n{self._steps}. {text}")

    def _tell(self, who: str, what: str) -> None:
        self._say(f"   {who:8}{what}")


def _write_config(directory: Path, url: str, crm: Crm) -> Path:
    path = directory / "config.toml"
    path.write_text(CONFIG.format(url=url, username=USERNAME, crm=crm.path, name=NAME, campaign=CAMPAIGN))
    (directory / "action-token").write_text(ACTION_TOKEN)
    (directory / "data-token").write_text(DATA_TOKEN)
    return path


def _write_scenario(directory: Path, tenant: SimulatedTenant) -> None:
    """Write what `syncd simulate` needs to be this tenant again; a completed record has left its list by then."""
    records = sorted(
        record.customer for record in tenant.campaigns[CAMPAIGN] if record.status != RecordStatus.COMPLETED
    )
    (directory / "tenant.toml").write_text(
        f'username = "{USERNAME}"\n'
        f'customers = "{FIRST}-{FIRST + CUSTOMERS - 1}"\n'
        "[[campaigns]]\n"
        f'id = {CAMPAIGN}\nname = "Renewals"\nrecords = {records}\n'
    )

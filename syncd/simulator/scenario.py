"""A scenario: what a simulated tenant is made of, read from TOML or given by options."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from syncd.clock import Clock
from syncd.errors import ConfigError, ConfigProblem
from syncd.simulator.faults import Fault
from syncd.simulator.manner import Manner
from syncd.simulator.tenant import SimulatedTenant
from syncd.vendor import CampaignState

_STRICT = ConfigDict(extra="forbid")


def parse_customers(value: object) -> Iterable[int]:
    """Return the customers of ``5000`` (as many, from 1), ``"7"``, ``"1-500,700"`` or a list. Raise ValueError."""
    if isinstance(value, int):
        return range(1, value + 1)
    if isinstance(value, list):
        return [int(str(customer)) for customer in value]
    if not isinstance(value, str):
        raise ValueError("customers are a number of them, a range A-B or a list")
    ranges = []
    for part in filter(None, value.split(",")):
        first, _, last = part.partition("-")
        ranges.append(range(int(first), int(last or first) + 1))
    return ranges[0] if len(ranges) == 1 else list(chain.from_iterable(ranges))


def _aware(value: object) -> object:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


Customers = Annotated[Any, BeforeValidator(parse_customers)]
Time = Annotated[datetime | None, BeforeValidator(_aware)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioCampaign:
    """One campaign at the start; times without an offset are UTC."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: int = 125
    name: str = "Simulated"
    records: Customers = ()
    """Records that others uploaded before."""
    state: CampaignState = CampaignState.MANUAL_RUNNING
    enabled: bool = True
    dynamic: bool = True
    opens: Time = None
    closes: Time = None
    retry_interval: int = 30
    max_retry: int = 1
    calls_per_minute: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The whole tenant at the start."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    seed: int = 0
    username: str = "acmecorp01"
    customers: Customers = range(1, 1001)
    campaigns: tuple[ScenarioCampaign, ...] = (ScenarioCampaign(),)
    manner: Manner = field(default_factory=Manner)
    faults: tuple[Fault, ...] = ()

    def tenant(
        self, *, clock: Clock, action_token: str, data_token: str, keep_log: int | None = None
    ) -> SimulatedTenant:
        """Return the tenant. Records whose customers the CRM does not have are uploaded all the same."""
        tenant = SimulatedTenant(
            clock=clock,
            seed=self.seed,
            username=self.username,
            action_token=action_token,
            data_token=data_token,
            manner=self.manner,
            keep_log=keep_log,
        )
        tenant.add_customers(self.customers)
        for campaign in self.campaigns:
            tenant.add_campaign(
                campaign.id,
                name=campaign.name,
                state=campaign.state,
                enabled=campaign.enabled,
                dynamic=campaign.dynamic,
                opens=campaign.opens,
                closes=campaign.closes,
                retry_interval=campaign.retry_interval,
                max_retry=campaign.max_retry,
                calls_per_minute=campaign.calls_per_minute,
            )
            tenant.add_records(campaign.id, campaign.records)
        for fault in self.faults:
            tenant.faults.add(fault)
        return tenant


_ADAPTER = TypeAdapter(Scenario)


def read_scenario(path: Path) -> Scenario:
    """Return the scenario of a TOML file. Raise ConfigError with everything that is wrong in it."""
    try:
        return _ADAPTER.validate_python(tomllib.loads(path.read_text()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(ConfigProblem(str(path), None, "", str(error), "")) from error
    except ValidationError as error:
        problems = (
            ConfigProblem(str(path), None, ".".join(map(str, wrong["loc"])), wrong["msg"], "")
            for wrong in error.errors(include_url=False, include_input=False)
        )
        raise ConfigError(*problems) from error

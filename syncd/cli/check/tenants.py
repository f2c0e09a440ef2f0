"""The tenants: are both tokens taken, do the campaigns take changes, how long does a listing take?"""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from syncd.cli.check.findings import Finding, Mark
from syncd.clock import SystemClock
from syncd.config import CampaignSettings, Config, TenantSettings
from syncd.dialer.api import CampaignStatus
from syncd.dialer.client import CampaignClient, Tenant
from syncd.errors import SyncdError
from syncd.report.words import duration
from syncd.vendor import PAGE_SIZE

_SPANS: Final = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240, 480, 1440))
"""Values of ``list_every`` to advise."""

_ENDS_SOON: Final = timedelta(days=1)


async def check_tenant(config: Config, name: str) -> Sequence[Finding]:
    """Return what is to be said of a tenant and of its campaigns."""
    settings, subject = config.tenants[name], f"tenant {name}"
    campaigns = [campaign for campaign in config.campaigns.values() if campaign.tenant == name]
    if not campaigns:
        return [Finding(subject, Mark.ADVICE, "no campaign uses it, so that its tokens cannot be tried")]
    tenant = Tenant(settings, clock=SystemClock())
    async with tenant.campaign(campaigns[0].name, campaigns[0].id) as client:
        data, action = await client.check_tokens()
    findings = [Finding(subject, Mark.GOOD if token.ok else Mark.WRONG, token.sentence) for token in (data, action)]
    findings += _dispositions(settings)
    for campaign in campaigns:
        if data.ok:
            async with tenant.campaign(campaign.name, campaign.id) as client:
                findings.append(await _campaign(client, settings, campaign))
        else:
            # A login that is refused again and again gets locked.
            findings.append(Finding(f"campaign {campaign.name}", Mark.WRONG, "not asked for: no data token works"))
    return findings


async def _campaign(client: CampaignClient, tenant: TenantSettings, campaign: CampaignSettings) -> Finding:
    subject = f"campaign {campaign.name}"
    try:
        status = await client.status()
    except SyncdError as error:
        return Finding.of_error(subject, error)
    if status.blocked:
        return Finding(subject, Mark.WRONG, status.blocked)
    what = f"{status.name!r} takes changes, {_records(status)}"
    took = listing_time(status.records or 0, tenant.requests_per_second)
    if took >= timedelta(seconds=1):
        what += f", whose listing takes {duration(took)} at {tenant.requests_per_second:g} requests a second"
    if status.ends_at is not None and status.ends_at - SystemClock().now() < _ENDS_SOON:
        return Finding(subject, Mark.ADVICE, what, f"it ends for good at {status.ends_at:%Y-%m-%d %H:%M} UTC")
    advice = listing_advice(campaign, took)
    return Finding(subject, Mark.ADVICE if advice else Mark.GOOD, what, advice)


def listing_time(records: int, requests_per_second: float) -> timedelta:
    """Return how long it takes to list so many records at this rate, a page a request."""
    return timedelta(seconds=math.ceil(records / PAGE_SIZE) / requests_per_second)


def listing_advice(campaign: CampaignSettings, took: timedelta) -> str:
    """Return what to set where a listing takes longer than there is time for it; empty where all is well."""
    room = campaign.list_every or campaign.every
    if room is None or took <= room:
        return ""
    span = next((span for span in _SPANS if span >= 2 * took), _SPANS[-1])
    why = "that is longer than list_every" if campaign.list_every else "that is longer than every"
    return f'{why}: set list_every = "{duration(span)}", or a higher requests_per_second if the vendor allows it'


def _records(status: CampaignStatus) -> str:
    return "does not tell its records" if status.records is None else f"{status.records:,} records"


def _dispositions(tenant: TenantSettings) -> Iterator[Finding]:
    unnamed = [str(number) for number in tenant.do_not_call if number not in tenant.dispositions]
    if unnamed and tenant.dispositions:
        yield Finding(
            f"tenant {tenant.name}",
            Mark.ADVICE,
            f"do_not_call has {', '.join(unnamed)}, which [tenants.{tenant.name}.dispositions] does not name",
            "check the number",
        )

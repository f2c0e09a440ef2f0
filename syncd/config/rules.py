"""Rules that hold between keys and between sections."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from syncd.config.problems import Problems, shown
from syncd.config.sections import Section, did_you_mean
from syncd.config.settings import MatchOn, Mode, Removes

Sections = Mapping[str, Section]


def check_state(state: Section, problems: Problems) -> None:
    """A password without a URL would leave the state in a database that nobody meant."""
    if "password" in state.written and "url" not in state.written:
        problems.add(state.where("password"), "is of no use without url", "add url, or leave the password out")


def check_tenant(tenant: Section, problems: Problems) -> None:
    """A tenant has a platform or a base URL."""
    _one_of(tenant, "platform", "base_url", 'write platform = "na12", or base_url = "https://..."', problems)


ACCOUNT_WIDE: Final[Mapping[str, Callable[[Any], object]]] = {"dispositions": dict, "do_not_call": frozenset}
"""What is said of a whole account, and what of it two sections have to agree in."""


def check_accounts(tenants: Sections, problems: Problems) -> None:
    """Sections of one account say alike what is the account's.

    The state has one set of words for an account: a pass would keep those of its own section, and the next pass of the
    other section undo that. And an agent's "never again" is meant whichever campaign the customer is in.
    """
    for key, compared in ACCOUNT_WIDE.items():
        first: dict[str, Section] = {}
        for tenant in tenants.values():
            unreadable = key in tenant.written and key not in tenant.values
            if unreadable or "username" not in tenant.values:
                continue
            earlier = first.setdefault(tenant.values["username"], tenant)
            if compared(tenant.values.get(key, ())) != compared(earlier.values.get(key, ())):
                problems.add(
                    tenant.where(key),
                    f"is not as in [{shown(earlier.path)}], which is the same account by its username",
                    "name the same dispositions in both, or keep one section for each account",
                )


def check_campaign(campaign: Section, problems: Problems) -> None:
    """A campaign has one query, at most one schedule, and removes only what it can and may."""
    _one_of(campaign, "query", "query_file", "write the query, or query_file with the name of a file", problems)
    if "every" in campaign.written and "cron" in campaign.written:
        problems.add(campaign.where("cron"), "stands beside every", "keep one of the two")
    if campaign.values.get("removes") is Removes.ALL:
        if campaign.values.get("mode") is Mode.ADD_ONLY:
            _conflict(campaign, "mode", 'removes = "all" cannot go with mode = "add-only"', problems)
        if campaign.values.get("match_on") is MatchOn.PHONE:
            # A number that two customers share fits none of them: with "all" their records would go.
            _conflict(campaign, "match_on", 'removes = "all" cannot go with match_on = "phone"', problems)


def check_references(campaign: Section, tenants: Sections, sources: Sections, problems: Problems) -> None:
    """A campaign names a tenant and sources that the file has."""
    for key, kind, sections in (
        ("tenant", "tenants", tenants),
        ("source", "sources", sources),
        ("suppress_source", "sources", sources),
    ):
        name = campaign.values.get(key)
        if name is not None and name not in sections:
            right = did_you_mean(name, sections) or f"add a section [{kind}.NAME], or name one that is there"
            problems.add(campaign.where(key), f"names a section of [{kind}] that is not there", right)


def check_identities(campaigns: Sections, tenants: Sections, problems: Problems) -> None:
    """No two sections are one campaign: what one adds the other would remove.

    The identity is the tenant's user name and the vendor's id, as in the state database.
    """
    first: dict[tuple[str, int], str] = {}
    for name, campaign in campaigns.items():
        tenant = tenants.get(campaign.values.get("tenant", ""))
        username = tenant.values.get("username") if tenant else None
        if username is None or "id" not in campaign.values:
            continue
        earlier = first.setdefault((username, campaign.values["id"]), name)
        if earlier != name:
            problems.add(
                campaign.where("id"),
                f"is the same campaign as [campaigns.{earlier}]",
                "keep one section for each campaign",
            )


def _one_of(section: Section, one: str, other: str, right: str, problems: Problems) -> None:
    if one in section.written and other in section.written:
        problems.add(section.where(other), f"stands beside {one}", "keep one of the two")
    elif one not in section.written and other not in section.written:
        problems.add(section.where(one), "is missing", right)


def _conflict(campaign: Section, other: str, wrong: str, problems: Problems) -> None:
    problems.add(campaign.where("removes", other), wrong, "change one of the two")

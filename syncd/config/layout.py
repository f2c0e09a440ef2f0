"""Which keys each section has, how each is read, and what a right value looks like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

from syncd.config.readers import (
    Reader,
    choice,
    crontab,
    disposition,
    disposition_names,
    duration,
    flag,
    identifier,
    list_of,
    number,
    percent,
    query,
    suppression_query,
    table,
    text,
    timezone,
    user_name,
    whole,
)
from syncd.config.settings import (
    LogFormat,
    LogLevel,
    MatchOn,
    Mode,
    PastSchedule,
    RecallWhen,
    Removes,
    TokenChoice,
    Vanished,
)
from syncd.config.surroundings import Surroundings
from syncd.config.urls import base_url, database_url, listen_address, platform_url, state_url, web_url


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section; ``example`` is a right value as TOML."""

    read: Reader
    example: str
    required: bool = False


Keys: TypeAlias = Mapping[str, Key]

SECTIONS: Final = ("state", "service", "notify", "tenants", "sources", "defaults", "campaigns")
"""What stands at the top of the file."""
DEFAULTS: Final = "defaults"
GUARD: Final = "guard"
NOT_BY_DEFAULT: Final = ("id", "query", "query_file")
"""Keys that each campaign has of its own."""


def layout(at: Surroundings) -> Mapping[str, Keys]:
    """Return the keys of each kind of section, and of a campaign's guard."""
    return {
        "state": _state(at),
        "service": _SERVICE,
        "notify": _notify(at),
        "tenants": _tenant(at),
        "sources": _source(at),
        "campaigns": _campaign(at),
        GUARD: _GUARD,
    }


def _state(at: Surroundings) -> Keys:
    return {
        "url": Key(state_url, '"postgresql://syncd@db.internal/syncd"'),
        "password": Key(at.secret, '"credential:state-password"'),
        "directory": Key(at.path, '"/var/lib/syncd"'),
        "schema": Key(identifier, '"syncd"'),
        # Shorter would forget what the weekly limits count.
        "keep": Key(duration("8d"), '"90d"'),
        "keep_suppressions": Key(duration("8d"), '"6y"'),
    }


_SERVICE: Final[Keys] = {
    "listen": Key(listen_address, '"127.0.0.1:9464"'),
    "log_level": Key(choice(LogLevel), '"info"'),
    "log_format": Key(choice(LogFormat), '"auto"'),
}


def _notify(at: Surroundings) -> Keys:
    return {
        "urls": Key(list_of(at.notify_url), '["mailto://...", "credential:syncd-slack"]'),
        "after": Key(duration("0s"), '"15m"'),
        "remind": Key(duration("1m"), '"24h"'),
        "heartbeat": Key(web_url, '"https://..."'),
    }


def _tenant(at: Surroundings) -> Keys:
    return {
        "platform": Key(platform_url, '"na12"'),
        "base_url": Key(base_url, '"https://vcc-na12.8x8.com"'),
        "username": Key(user_name, '"acmecorp01"', required=True),
        "action_token": Key(at.secret, '"credential:acme-action-token"', required=True),
        "data_token": Key(at.secret, '"credential:acme-data-token"', required=True),
        "add_token": Key(choice(get_args(TokenChoice)), '"auto"'),
        "delete_token": Key(choice(get_args(TokenChoice)), '"auto"'),
        "concurrency": Key(whole(1), "8"),
        "requests_per_second": Key(number(0.01, 100_000), "10"),
        "timeout": Key(duration(), '"30s"'),
        "do_not_call": Key(list_of(disposition), "[2004, 2005]"),
        "dispositions": Key(disposition_names, '{ 2001 = "Promise to pay" }'),
    }


def _source(at: Surroundings) -> Keys:
    return {
        "url": Key(database_url, '"mysql+pymysql://reader@crm.internal/crm"', required=True),
        "password": Key(at.secret, '"env:CRM_PASSWORD"'),
        "timezone": Key(timezone, '"Europe/London"'),
        "timeout": Key(duration(), '"5m"'),
    }


def _campaign(at: Surroundings) -> Keys:
    return {
        "id": Key(whole(1), "125", required=True),
        "tenant": Key(text, '"acme"', required=True),
        "source": Key(text, '"crm"', required=True),
        "query": Key(query, '"SELECT account_num AS customer_id FROM calls_due"'),
        "query_file": Key(at.query_file, '"renewals.sql"'),
        "suppress": Key(suppression_query, '"SELECT account_num AS customer_id FROM do_not_call"'),
        "suppress_source": Key(text, '"crm"'),
        "every": Key(duration(), '"5m"'),
        "cron": Key(crontab, '"*/5 8-20 * * mon-fri"'),
        "timezone": Key(timezone, '"Europe/London"'),
        "list_every": Key(duration(), '"1h"'),
        "mode": Key(choice(Mode), '"mirror"'),
        "removes": Key(choice(Removes), '"owned"'),
        "vanished": Key(choice(Vanished), '"add"'),
        "match_on": Key(choice(MatchOn), '"record-id"'),
        "batch_size": Key(whole(1), "200"),
        "past_schedule": Key(choice(PastSchedule), '"now"'),
        "schedule_tolerance": Key(duration("0s"), '"1m"'),
        "max_adds_per_week": Key(whole(1), "3"),
        "recall": Key(choice(RecallWhen), '"never"'),
        "park_days": Key(whole(1, 3650), "28"),
        "heartbeat": Key(web_url, '"https://..."'),
        "enabled": Key(flag, "true"),
        GUARD: Key(table, "{ max_removals = 500 }"),
    }


_GUARD: Final[Keys] = {
    "min_rows": Key(whole(0), "1"),
    "max_invalid_percent": Key(percent, "5"),
    "max_shrink_percent": Key(percent, "50"),
    "max_removal_percent": Key(percent, "30"),
    "max_removals": Key(whole(0), "500"),
    "max_removals_per_day": Key(whole(0), "2000"),
    "max_growth_percent": Key(number(0, 1_000_000), "400"),
    "max_vanished_percent": Key(percent, "30"),
    "max_new_query_additions": Key(whole(0), "1000"),
    "max_suppress_shrink_percent": Key(percent, "20"),
    "few": Key(whole(0), "10"),
}

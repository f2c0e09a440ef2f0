"""What stands behind a command: campaigns, customers, times."""

from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

import click

from syncd.clock import SystemClock
from syncd.config import Config
from syncd.config.durations import parse_duration
from syncd.source.rows import MAX_CUSTOMER


class Customer(click.ParamType[int]):
    """A customer: a positive whole number that fits Postgres' bigint."""

    name = "customer"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        digits = text.lstrip("0")
        in_reach = text.isascii() and text.isdigit() and 0 < len(digits) <= len(str(MAX_CUSTOMER))
        if not in_reach or int(digits) > MAX_CUSTOMER:
            self.fail(f"{text[:40]!r} is no customer: give a whole number from 1 to {MAX_CUSTOMER}", param, ctx)
        return int(digits)


CUSTOMER = Customer()


class PastTime(click.ParamType[datetime]):
    """A time: a duration back from now, or an ISO date or date-time, in UTC where it names no offset."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        text = str(value)
        try:
            return SystemClock().now() - parse_duration(text)
        except ValueError:
            pass
        try:
            time = datetime.fromisoformat(text)
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(
                f'{text[:40]!r} is no time: give a duration back from now, as "2h", or an ISO time, as'
                ' "2026-11-24T08:00Z"',
                param,
                ctx,
            )


PAST_TIME = PastTime()


def chosen(config: Config, names: Sequence[str]) -> list[str]:
    """Return the campaigns that were named, in the order of the file; all enabled ones where none was.

    Raise click.UsageError for a name that the file does not have.
    """
    for name in names:
        if name not in config.campaigns:
            raise click.UsageError(f"there is no campaign {name!r} in {config.path}{_instead(name, config)}")
    return [name for name, campaign in config.campaigns.items() if (name in names if names else campaign.enabled)]


def left_out(config: Config, names: Sequence[str]) -> list[str]:
    """Return the campaigns that are left out because the file disables them and nobody named one."""
    return [] if names else [name for name, campaign in config.campaigns.items() if not campaign.enabled]


def _instead(name: str, config: Config) -> str:
    close = get_close_matches(name, config.campaigns, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; it has {', '.join(config.campaigns)}" if config.campaigns else "; it has none"

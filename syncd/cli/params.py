"""What stands behind a command: campaigns, customers."""

from collections.abc import Sequence
from difflib import get_close_matches

import click

from syncd.config import Config
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

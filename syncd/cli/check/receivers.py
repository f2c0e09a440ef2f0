"""Receivers of notices: can Apprise read their addresses? Nothing is sent to them."""

from collections.abc import Sequence

from syncd.cli.check.findings import Finding, Mark
from syncd.config import Secret
from syncd.report.post import installed, unknown_addresses

SUBJECT = "notify"


def check_receivers(urls: Sequence[Secret]) -> Sequence[Finding]:
    """Return what is to be said of the addresses; nothing where there are none."""
    if not urls:
        return []
    if not installed():
        return [
            Finding(SUBJECT, Mark.WRONG, "urls need Apprise, which is not installed", "pip install 'syncd[notify]'")
        ]
    unknown = unknown_addresses(urls)
    if not unknown:
        return [
            Finding(SUBJECT, Mark.GOOD, f"{len(urls)} address{'' if len(urls) == 1 else 'es'} that Apprise can read")
        ]
    return [
        Finding(SUBJECT, Mark.WRONG, f"number {place} of urls is no address that Apprise can read", "see its manual")
        for place in unknown
    ]

"""Post: one notice to one receiver, through Apprise, an extra of syncd.

A receiver that hangs costs a thread that nobody waits for, and keeps neither a pass nor the end of the process.
"""

import importlib.util
import logging
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from syncd.config import Secret
from syncd.report.notice_words import Text
from syncd.source.worker import Worker, settled

MISSING: Final = "Apprise, which sends notifications, is not installed: pip install 'syncd[notify]'"

MOST_UNDER_WAY: Final = 50
"""Notices on their way to one receiver, beyond which it gets no more before some are through."""


class Post:
    """Sends notices. One for each process, since it knows what is still under way."""

    def __init__(self) -> None:
        self._under_way: dict[str, list[Future[str | None]]] = defaultdict(list)

    async def send(self, url: Secret, urgency: str, text: Text, *, seconds: float) -> str | None:
        """Send a notice and return why it was not taken, without the address; None: it was. Nothing is raised."""
        if not installed():
            return MISSING
        if seconds <= 0:
            return "the others took all the time"
        address = url.reveal()
        waiting = [sending for sending in self._under_way[address] if not sending.done()]
        self._under_way[address] = waiting
        if len(waiting) >= MOST_UNDER_WAY:
            return f"{len(waiting)} notices before it are still on their way"
        worker = Worker("notice")
        sending = worker.submit(lambda: _send(address, urgency, text))
        worker.stop()
        waiting.append(sending)
        await settled(sending, timeout=seconds)
        if not sending.done():
            return f"it was not taken within {seconds:.0f} s"
        error = sending.exception()
        return f"{type(error).__name__} in Apprise" if error else sending.result()


def installed() -> bool:
    """Return whether Apprise is there."""
    return importlib.util.find_spec("apprise") is not None


def unknown_addresses(urls: Sequence[Secret]) -> list[int]:
    """Return the places, from 1, of the addresses that Apprise cannot read. It has to be installed."""
    import apprise

    _quiet()
    return [place for place, url in enumerate(urls, 1) if apprise.Apprise.instantiate(url.reveal()) is None]


def _send(address: str, urgency: str, text: Text) -> str | None:
    import apprise

    _quiet()
    # Without a limit of Apprise's own nothing is handed to its pool, whose threads keep the process from ending.
    asset = apprise.AppriseAsset(app_id="syncd", app_desc="syncd", async_mode=False, service_timeout=0)
    receiver = apprise.Apprise(asset=asset)
    if not receiver.add(address):
        return "it is no address that Apprise knows"
    taken = receiver.notify(text.body, text.title, apprise.NotifyType(urgency), body_format=apprise.NotifyFormat.TEXT)
    return None if taken else "the receiver refused it or did not answer"


def _quiet() -> None:
    """Keep Apprise from logging by itself: hosts, and parts of addresses that are secrets."""
    logging.getLogger("apprise").disabled = True

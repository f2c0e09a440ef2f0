"""The client of a tenant's campaigns: what the rest of syncd holds in its hands."""

import random as chance
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from syncd.clock import Clock
from syncd.config import TenantSettings
from syncd.dialer import verdicts, wire
from syncd.dialer.adding import Adder
from syncd.dialer.api import Addition, CampaignStatus, Verdict
from syncd.dialer.calls import Caller, NoReplyError, allowed, as_it_came
from syncd.dialer.pace import Pace
from syncd.dialer.paging import Listing
from syncd.dialer.tokens import Call, Token, Tokens
from syncd.dialer.transport import Answer, Request, TryError, open_exchange, trust
from syncd.dialer.verdicts import Block
from syncd.dialer.wire import Page
from syncd.errors import CampaignBlocked, DialerUnavailable
from syncd.words import Lane

_LARGEST_PAGE: Final = 64 * 1024 * 1024
"""Bytes of a page of the listing at most; a tenant may answer everything at once."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """What came of trying one of the tokens."""

    token: Token
    ok: bool
    sentence: str
    refused: bool = False
    """The login itself was refused; otherwise a token that is not ok could not be tried."""


class Tenant:
    """One 8x8 account. Lives as long as the process: pace and tokens are shared by all campaigns of the tenant."""

    def __init__(self, settings: TenantSettings, *, clock: Clock, random: Callable[[], float] = chance.random) -> None:
        """Take the settings, the clock that rates and waits go by, and a source of numbers from 0 to 1 for back-off."""
        self.name = settings.name
        self.pace = Pace(
            settings.name, ceiling=settings.requests_per_second, concurrency=settings.concurrency, clock=clock
        )
        self.calls: Counter[tuple[Call, int | None]] = Counter()
        """Requests sent since the process began, by kind of call and HTTP status; None: no answer came."""
        self.settings, self._clock, self._random = settings, clock, random
        self._tokens = Tokens(settings)
        self._tls = trust()

    @asynccontextmanager
    async def campaign(
        self, name: str, vendor_id: int, *, may_write: Callable[[Sequence[int]], Awaitable[None]] = allowed
    ) -> AsyncIterator["CampaignClient"]:
        """Open a client for one pass over one campaign; its connections are closed at exit.

        ``may_write`` is told before each try of a writing call whom it adds: what it raises keeps the try from being
        sent, NamedMeanwhile only for those whom it names.
        """
        settings = self.settings
        async with open_exchange(
            settings.base_url,
            connections=settings.concurrency,
            timeout=settings.timeout.total_seconds(),
            tls=self._tls,
        ) as exchange:
            caller = Caller(
                settings.name,
                name,
                exchange=exchange,
                tokens=self._tokens,
                pace=self.pace,
                clock=self._clock,
                random=self._random,
                count=self._count,
                may_write=may_write,
            )
            client = CampaignClient(settings, name, vendor_id, caller=caller, tokens=self._tokens)
            try:
                yield client
            finally:
                await client.close_listings()

    def _count(self, call: Call, status: int | None) -> None:
        self.calls[call, status] += 1


class CampaignClient:
    """One pass over one campaign: the four calls of the API. A :class:`syncd.dialer.api.CampaignWriter`."""

    def __init__(self, settings: TenantSettings, name: str, vendor_id: int, *, caller: Caller, tokens: Tokens) -> None:
        self._settings, self._name, self._vendor_id = settings, name, vendor_id
        self._caller, self._tokens = caller, tokens
        self._reads = f"/api/stats/campaigns/{vendor_id}"
        self._customers = f"/api/tstats/campaigns/{vendor_id}/customers"
        self._adder = Adder(settings.name, name, vendor_id, caller, tokens)
        self._blocked: CampaignBlocked | None = None
        self._listings: list[Listing] = []

    async def status(self) -> CampaignStatus:
        """Ask for the campaign's status.

        Raise CampaignBlocked where the tenant does not know the campaign (any 404), AuthRefused, DialerUnavailable.
        """
        request = Request(Call.STATUS, "GET", f"{self._reads}.json")
        return await self._read(request, Lane.SUPPRESSION, lambda body: wire.read_status(body, self._vendor_id))

    def listing(self, expected: int | None) -> Listing:
        """Return the pages of the listing as :meth:`syncd.dialer.api.CampaignReader.listing` says."""
        listing = Listing(self._settings.name, self._page, expected=expected, width=self._settings.concurrency)
        self._listings.append(listing)
        return listing

    async def add(self, batch: Sequence[Addition], lane: Lane) -> list[Verdict]:
        """Add customers; return a verdict for each, in the order of the batch.

        Raise CampaignBlocked, AuthRefused, RequestRefused, DialerUnavailable, each only where nothing of the batch was
        answered or may have been carried out; otherwise what was answered is returned and the next call raises.
        """
        return await self._adder.add(batch, lane)

    async def delete(self, customer: int, lane: Lane) -> Verdict:
        """Delete one customer's record; return what became of it.

        Raise CampaignBlocked, AuthRefused, DialerUnavailable (where the tenant asks to wait too long, redirects, or has
        failed several calls in a row).
        """
        if self._blocked is not None:
            raise self._blocked.with_traceback(None)
        request = Request(Call.DELETE, "DELETE", f"{self._customers}/{customer}")
        try:
            reply = await self._caller.call(request, lane, as_it_came)
        except NoReplyError as lost:
            ruling = verdicts.UNANSWERED if lost.perhaps_done else verdicts.NOT_SENT
            return Verdict(customer, ruling.outcome, ruling.reason, lost.http_status, lost.error.what)
        text = wire.read_text(reply.value.body)
        judged = verdicts.judge_delete(reply.value.status, text)
        if isinstance(judged, Block):
            self._blocked = CampaignBlocked(self._name, judged.why, judged.advice)
            raise self._blocked
        message = self._tokens.mask(text)
        status = reply.value.status
        return Verdict(customer, judged.outcome, judged.reason, status, message, resent=reply.resent)

    async def check_tokens(self) -> tuple[TokenCheck, TokenCheck]:
        """Try both tokens without changing anything: the data token by the status, the action token by adding ``[]``.

        Both are tried even where one fails; nothing is raised. A tenant that takes adds with the data token, as an
        older page of the vendor says, refuses the action token here, and that is no fault.
        """
        status = Request(Call.STATUS, "GET", f"{self._reads}.json")
        nobody = Request(Call.ADD, "POST", self._customers, wire.write_batch([]))
        data, action = await self._check(status, Token.DATA), await self._check(nobody, Token.ACTION)
        if action.refused and data.ok and self._settings.add_token in ("auto", "data"):
            adding = await self._check(nobody, Token.DATA)
            if adding.ok:
                sentence = "the action token is refused for adding, and the data token is taken in its place"
                action = TokenCheck(Token.ACTION, True, sentence, refused=True)
        return data, action

    async def close_listings(self) -> None:
        """End the listings that were not read to their end."""
        for listing in self._listings:
            await listing.aclose()

    async def _check(self, request: Request, token: Token) -> TokenCheck:
        try:
            answer = await self._caller.probe(request, token)
        except TryError as failed:
            return TokenCheck(token, False, f"the {token} token could not be tried: {failed.what}")
        except DialerUnavailable as unavailable:
            return TokenCheck(token, False, f"the {token} token could not be tried: {unavailable.what}")
        if answer.status in (401, 403):
            sentence = f"the {token} token is refused (HTTP {answer.status}); check username and {token}_token"
            return TokenCheck(token, False, sentence, refused=True)
        if answer.status == 429 or answer.status >= 500:
            return TokenCheck(token, False, f"the {token} token could not be tried: {answer.describe()}")
        return TokenCheck(token, True, f"the {token} token is accepted")

    async def _page(self, offset: int | None) -> Page:
        query = "" if offset is None else f"?n={offset}"
        request = Request(Call.LIST, "GET", f"{self._reads}/records.json{query}", limit=_LARGEST_PAGE)
        return await self._read(request, Lane.PAGE, lambda body: wire.read_page(body, self._vendor_id))

    async def _read(self, request: Request, lane: Lane, read: Callable[[bytes], T]) -> T:
        try:
            reply = await self._caller.call(request, lane, lambda answer: read(self._content(request, answer)))
        except NoReplyError as lost:
            raise lost.error from None
        return reply.value

    def _content(self, request: Request, answer: Answer) -> bytes:
        """Return the body of a success. A 206 is a body that the tenant did not finish."""
        if answer.status == 206:
            raise wire.UnreadableError("an unfinished answer")
        if answer.status < 400:
            return answer.body
        block = verdicts.judge_delete(answer.status, wire.read_text(answer.body))
        if isinstance(block, Block):
            raise CampaignBlocked(self._name, block.why, block.advice)
        if answer.status == 404 and request.call is Call.STATUS:
            raise CampaignBlocked(self._name, verdicts.NOT_FOUND.why, verdicts.NOT_FOUND.advice)
        raise DialerUnavailable(self._settings.name, f"the {request.call} call is refused: {answer.describe()}")

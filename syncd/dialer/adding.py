"""Adding a batch of customers: one request, or as many as it takes to find the customer that spoils it."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from syncd.dialer import verdicts, wire
from syncd.dialer.api import Addition, NamedMeanwhile, Verdict
from syncd.dialer.calls import Caller, NoReplyError, as_it_came
from syncd.dialer.tokens import Call, Tokens
from syncd.dialer.transport import Answer, Request
from syncd.dialer.verdicts import Block, Ruling
from syncd.errors import AuthRefused, CampaignBlocked, DialerUnavailable, RequestRefused
from syncd.words import Lane, Reason

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A request that was refused as a whole, with a text that may be about one customer of it."""

    ruling: Ruling
    http_status: int
    message: str
    resent: bool

    def alike(self, other: "_Refusal | None") -> bool:
        """Both say the same in words that are not known, so that neither may be about a customer."""
        if other is None or self.ruling.known or other.ruling.known:
            return False
        return verdicts.telling_words(self.message) == verdicts.telling_words(other.message)

    def verdict(self, addition: Addition) -> Verdict:
        """Return what the refusal makes of a customer whom it is about."""
        return _verdict(addition, self.ruling, self.http_status, self.message, resent=self.resent)


class Adder:
    """Adds to one campaign during one pass, and remembers for its length what the tenant does not take."""

    def __init__(self, tenant: str, campaign: str, vendor_id: int, caller: Caller, tokens: Tokens) -> None:
        self._tenant, self._campaign, self._caller, self._tokens = tenant, campaign, caller, tokens
        self._path = f"/api/tstats/campaigns/{vendor_id}/customers"
        self._over: CampaignBlocked | RequestRefused | None = None
        self._limit: int | None = None
        self._largest = 0
        self._alone: _Refusal | None = None

    async def add(self, batch: Sequence[Addition], lane: Lane) -> list[Verdict]:
        """Add a batch; return a verdict for each of it, in its order.

        Raise CampaignBlocked, RequestRefused, AuthRefused, DialerUnavailable, each only where nothing of the batch was
        answered or may have been carried out. What came to pass before such an error is returned in its place, and the
        error raised by the next call.
        """
        if self._over is not None:
            raise self._over.with_traceback(None)
        found: dict[int, Verdict] = {}
        try:
            await self._send_all(batch, lane, found)
        except (CampaignBlocked, RequestRefused) as error:
            self._over = error
            if not found:
                raise
        except (AuthRefused, DialerUnavailable):
            if not found:
                raise
        return [found.get(addition.customer) or _verdict(addition, verdicts.NOT_SENT) for addition in batch]

    async def _send_all(self, batch: Sequence[Addition], lane: Lane, found: dict[int, Verdict]) -> None:
        """Send a batch in requests as large as the tenant is known to take."""
        while batch:
            size = self._limit or len(batch)
            piece, batch = batch[:size], batch[size:]
            refusal = await self._post(piece, lane, found)
            if refusal is not None:
                await self._narrow(piece, refusal, lane, found, about_customers=False)

    async def _narrow(
        self,
        piece: Sequence[Addition],
        refusal: _Refusal,
        lane: Lane,
        found: dict[int, Verdict],
        *,
        about_customers: bool,
    ) -> None:
        """Find out what a refusal of a whole request is about."""
        timed = [addition for addition in piece if addition.call_at is not None]
        if refusal.ruling.reason is Reason.SCHEDULE_LIMIT and timed:
            found.update({addition.customer: refusal.verdict(addition) for addition in timed})
            await self._send_all([addition for addition in piece if addition.call_at is None], lane, found)
        elif refusal.http_status == 413 and len(piece) > 1:
            await self._send_all(piece, lane, found)
        elif len(piece) > 1:
            await self._halve(piece, lane, found, about_customers=about_customers)
        elif about_customers or refusal.ruling.known:
            found[piece[0].customer] = refusal.verdict(piece[0])
        elif refusal.http_status == 413 or refusal.alike(self._alone):
            raise self._refused(refusal)
        else:
            self._alone = refusal
            found[piece[0].customer] = refusal.verdict(piece[0])

    async def _halve(
        self, piece: Sequence[Addition], lane: Lane, found: dict[int, Verdict], *, about_customers: bool
    ) -> None:
        """Try both halves. Refused alike in words that nobody knows, with nothing accepted: not about a customer."""
        middle = (len(piece) + 1) // 2
        halves = piece[:middle], piece[middle:]
        first, second = [await self._post(half, lane, found) for half in halves]
        if first is None and second is None and middle <= self._largest < len(piece):
            self._learn(middle)
        about_customers = about_customers or first is None or second is None
        if first is not None and first.alike(second) and not about_customers:
            raise self._refused(first)
        for half, refusal in zip(halves, (first, second), strict=True):
            if refusal is not None:
                await self._narrow(half, refusal, lane, found, about_customers=about_customers)

    async def _post(
        self, piece: Sequence[Addition], lane: Lane, found: dict[int, Verdict], *, resent: bool = False
    ) -> _Refusal | None:
        """Send one request. Return its refusal, None where the verdicts of the piece are found.

        ``resent``: it went out before, with others who are not to be added any more.
        """
        customers = [addition.customer for addition in piece]
        request = Request(Call.ADD, "POST", self._path, wire.write_batch(piece), customers=customers)
        try:
            reply = await self._caller.call(request, lane, as_it_came)
        except NamedMeanwhile as named:
            resent = resent or named.perhaps_done
            left = _withhold(piece, named.customers, found, perhaps_done=resent)
            return await self._post(left, lane, found, resent=resent) if left else None
        except NoReplyError as lost:
            unknown = verdicts.UNANSWERED if lost.perhaps_done or resent else verdicts.NOT_SENT
            said = lost.error.what
            found.update({each.customer: _verdict(each, unknown, lost.http_status, said) for each in piece})
            return None
        except (AuthRefused, DialerUnavailable) as over:
            if not resent:
                raise
            found.update({each.customer: _verdict(each, verdicts.UNANSWERED, None, over.what) for each in piece})
            return None
        answer, resent = reply.value, reply.resent or resent
        if answer.status < 400:
            self._take(piece, answer, found, resent=resent)
            return None
        if answer.status == 413:
            self._learn(max(1, len(piece) // 2))
        text = wire.read_text(answer.body)
        ruling = verdicts.judge_add(answer.status, text)
        if isinstance(ruling, Block):
            raise CampaignBlocked(self._campaign, ruling.why, ruling.advice)
        return _Refusal(ruling, answer.status, self._tokens.mask(text), resent)

    def _take(self, piece: Sequence[Addition], answer: Answer, found: dict[int, Verdict], *, resent: bool) -> None:
        """Take the verdicts out of a 207. Any other success, as a 206, tells nothing unless it lists customers too."""
        try:
            entries = wire.read_entries(answer.body) if answer.status in (200, 201, 207) else {}
        except wire.UnreadableError:
            entries = {}
        if entries:
            self._largest, self._alone = max(self._largest, len(piece)), None
        # One text says it of most customers.
        messages = {text: self._tokens.mask(text) for text in {entry.message for entry in entries.values()}}
        block: Block | None = None
        for addition in piece:
            entry = entries.get(addition.customer)
            if entry is None or entry.http_status is None:
                found[addition.customer] = _verdict(addition, verdicts.UNANSWERED, answer.status, resent=resent)
                continue
            ruling = verdicts.judge_entry(entry.http_status, entry.message)
            if isinstance(ruling, Block):
                block = ruling
            else:
                found[addition.customer] = _verdict(
                    addition, ruling, entry.http_status, messages[entry.message], resent=resent
                )
        if block is not None:
            raise CampaignBlocked(self._campaign, block.why, block.advice)

    def _learn(self, limit: int) -> None:
        self._limit = min(limit, self._limit or limit)
        _log.info("dialer.batch_limit_learned", tenant=self._tenant, campaign=self._campaign, customers=self._limit)

    def _refused(self, refusal: _Refusal) -> RequestRefused:
        said = f'"{refusal.message}"' if refusal.message else "without a text"
        what = f"campaign {self._campaign}: adding is refused as a whole, {said} (HTTP {refusal.http_status})"
        return RequestRefused(self._tenant, what, "nobody was parked; ask the vendor what it means")


def _withhold(
    piece: Sequence[Addition], named: frozenset[int], found: dict[int, Verdict], *, perhaps_done: bool
) -> Sequence[Addition]:
    """Give those who are not to be added any more their verdicts; return the others."""
    ruling = verdicts.UNANSWERED if perhaps_done else verdicts.NOT_SENT
    for addition in piece:
        if addition.customer in named:
            found[addition.customer] = _verdict(addition, ruling)._replace(withheld=not perhaps_done)
    return [addition for addition in piece if addition.customer not in named]


def _verdict(
    addition: Addition, ruling: Ruling, http_status: int | None = None, message: str = "", *, resent: bool = False
) -> Verdict:
    retry_at = verdicts.opens_at(message) if ruling.reason is Reason.OUTSIDE_SCHEDULE else None
    return Verdict(addition.customer, ruling.outcome, ruling.reason, http_status, message, retry_at, resent)

"""One call of one pass: as many tries as are safe, in the tenant's pace, with the right token.

Every call of this API may be sent again: what was added answers "Duplicate customer", what was deleted "not found".
A pass ends here too: after a refused login, a ``Retry-After`` that is too long to wait for, a redirect, or a row of
calls that failed in every try, each further call fails at once without being sent.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Generic, TypeVar

import structlog

from syncd.clock import Clock
from syncd.dialer import wire
from syncd.dialer.api import NamedMeanwhile
from syncd.dialer.endurance import PATIENCE, TRIES, Endurance
from syncd.dialer.pace import Pace
from syncd.dialer.tokens import Call, Token, Tokens
from syncd.dialer.transport import Answer, Exchange, Request, TryError
from syncd.dialer.wire import UnreadableError
from syncd.errors import AuthRefused, DialerUnavailable
from syncd.words import Lane

_FIRST_WAIT: Final = 0.5
"""Seconds before the second try; doubled before each further one."""

_LONGEST_ORDER: Final = 86_400.0
"""Seconds: a tenant that asks to be left alone for longer is asked again after a day."""

_REFUSED_LOGIN: Final = (401, 403)
_PUSHED_BACK: Final = (429, 503)

_log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """The answer to a call, as it was read."""

    value: T
    resent: bool
    """An earlier try, whose answer was lost, may have been carried out."""


class NoReplyError(Exception):
    """A call got no answer in all its tries."""

    def __init__(self, error: DialerUnavailable | AuthRefused, *, perhaps_done: bool, http_status: int | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.perhaps_done = perhaps_done
        """One of the tries may have been carried out."""
        self.http_status = http_status
        """Of the last try, where it had one."""


async def allowed(adding: Sequence[int]) -> None:
    """Let every writing call be made."""


class Caller:
    """Sends the calls of one pass over one campaign."""

    def __init__(
        self,
        tenant: str,
        campaign: str,
        *,
        exchange: Exchange,
        tokens: Tokens,
        pace: Pace,
        clock: Clock,
        random: Callable[[], float],
        count: Callable[[Call, int | None], None] = lambda call, status: None,
        may_write: Callable[[Sequence[int]], Awaitable[None]] = allowed,
    ) -> None:
        """Take what a call needs. ``count`` is told each request that was sent and its HTTP status, None without.

        ``may_write`` is told before each try of a writing call, however long that has waited, whom it adds; what it
        raises is raised, NamedMeanwhile for those who are not to be added any more.
        """
        self._tenant, self._campaign = tenant, campaign
        self._exchange, self._tokens, self._pace, self._clock, self._random = exchange, tokens, pace, clock, random
        self._count, self._may_write = count, may_write
        self._over: AuthRefused | DialerUnavailable | None = None
        self._let_in: set[Call] = set()
        self._first: defaultdict[Call, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._endurance = Endurance(clock)

    async def call(self, request: Request, lane: Lane, read: Callable[[Answer], T]) -> Reply[T]:
        """Send a request until ``read`` takes its answer; it raises UnreadableError to have it sent again.

        Raise NoReplyError after the last try. Raise AuthRefused or DialerUnavailable where the pass is over and nothing
        of this call can have been carried out. While nobody knows whether the login is good for this kind of call, one
        call goes alone and the others wait: a refused login costs one request, not as many as go side by side.
        """
        if request.call in self._let_in:
            return await self._call(request, lane, read)
        async with self._first[request.call]:
            if request.call not in self._let_in:
                return await self._call(request, lane, read)
        return await self._call(request, lane, read)

    async def probe(self, request: Request, token: Token) -> Answer:
        """Send a request once with this token, whatever is known of it. Raise TryError, DialerUnavailable."""
        async with self._pace.turn(Lane.SUPPRESSION, self._campaign):
            return await self._exchange.send(request, self._tokens.authorization(token))

    async def _call(self, request: Request, lane: Lane, read: Callable[[Answer], T]) -> Reply[T]:
        began, waited, perhaps_done = self._clock.monotonic(), 0.0, False
        for number in range(TRIES):
            try:
                return Reply(await self._try(request, lane, read), resent=perhaps_done)
            except TryError as failure:
                failed = failure
            except (AuthRefused, DialerUnavailable) as over:
                if perhaps_done:
                    raise NoReplyError(over, perhaps_done=True, http_status=None) from None
                raise
            except NamedMeanwhile as named:
                named.perhaps_done = perhaps_done
                raise
            perhaps_done = perhaps_done or failed.sent
            self._end_if_hopeless(request, failed, waited, perhaps_done=perhaps_done)
            if number + 1 < TRIES:
                waited += await self._wait(number, failed, PATIENCE - waited)
        error = self._unavailable(request, failed)
        if self._endurance.call_failed(began, pushed_back=failed.http_status in _PUSHED_BACK):
            self._end(error)
        self._let_in.add(request.call)
        raise NoReplyError(error, perhaps_done=perhaps_done, http_status=failed.http_status)

    async def _try(self, request: Request, lane: Lane, read: Callable[[Answer], T]) -> T:
        answer = await self._send(request, lane)
        self._raise_if_lost(answer)
        try:
            return read(answer)
        except UnreadableError as unreadable:
            what = f"{answer.describe()}: {unreadable}"
            raise TryError(what, sent=True, http_status=answer.status) from None

    async def _wait(self, number: int, failed: TryError, patience: float) -> float:
        """Wait before another try, as long as the tenant asks; return the seconds."""
        backoff = _FIRST_WAIT * (1 << number) * (0.75 + self._random() / 2)
        seconds = min(patience, max(failed.retry_after, backoff))
        self._pace.pause(failed.retry_after)
        await self._clock.sleep(seconds)
        return seconds

    def _end_if_hopeless(self, request: Request, failed: TryError, waited: float, *, perhaps_done: bool) -> None:
        """End the pass where another try would be in vain, or would have to wait too long."""
        given_up = self._endurance.try_failed()
        error = self._unavailable(request, failed)
        if failed.retry_after > PATIENCE:
            error = self._pace.close(failed.retry_after)
        elif failed.again and waited + failed.retry_after <= PATIENCE and not given_up:
            return
        self._end(error)
        if perhaps_done:
            raise NoReplyError(error, perhaps_done=True, http_status=failed.http_status)
        raise error

    async def _send(self, request: Request, lane: Lane) -> Answer:
        """Send a request once, with another token or a newer one where a login is refused. Raise AuthRefused."""
        for token in self._tokens.candidates(request.call):
            authorization, renewed = self._tokens.authorization(token), False
            while True:
                answer = await self._send_once(request, lane, authorization)
                if answer.status not in _REFUSED_LOGIN:
                    if _settles(answer.status):
                        self._tokens.worked(request.call, token)
                        self._let_in.add(request.call)
                    return answer
                if renewed or not self._tokens.renewed(token, authorization):
                    break
                authorization, renewed = self._tokens.authorization(token), True
        what = f"the login is refused for the {request.call} call (HTTP {answer.status}, {token} token)"
        raise self._end(AuthRefused(self._tenant, what, "check username and tokens with syncd check"))

    async def _send_once(self, request: Request, lane: Lane, authorization: str) -> Answer:
        self._raise_if_over()
        writes = request.call in (Call.ADD, Call.DELETE)
        if writes:
            # Before as well: what may take its time is not to hold a turn that another campaign waits for.
            await self._may_write(request.customers)
        async with self._pace.turn(lane, self._campaign) as given_at:
            self._raise_if_over()
            if writes:
                await self._may_write(request.customers)
            try:
                answer = await self._exchange.send(request, authorization)
            except TryError:
                self._count(request.call, None)
                raise
            self._count(request.call, answer.status)
            if answer.status in _PUSHED_BACK:
                self._pace.push_back(given_at)
        if _settles(answer.status):
            self._endurance.answered()
        return answer

    def _raise_if_over(self) -> None:
        """Raise what ended the pass, if anything did."""
        if self._over is not None:
            raise self._over.with_traceback(None)

    def _raise_if_lost(self, answer: Answer) -> None:
        """Raise TryError for an answer that settles nothing; a 429 was refused before it was looked at."""
        status = answer.status
        if _settles(status):
            return
        text = self._tokens.mask(wire.read_text(answer.body))
        what = f"HTTP {status}: {text}" if text else answer.describe()
        raise TryError(what, sent=status != 429, http_status=status, retry_after=self._retry_after(answer))

    def _retry_after(self, answer: Answer) -> float:
        """Return the seconds of ``Retry-After``, which come as such or as a date; 0 without one, a day at most."""
        value = answer.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value[:9]), _LONGEST_ORDER)
        date, own = _http_date(value), _http_date(answer.headers.get("date", ""))
        seconds = (date - (own or self._clock.now())).total_seconds() if date else 0.0
        return min(max(0.0, seconds), _LONGEST_ORDER)

    def _unavailable(self, request: Request, failed: TryError) -> DialerUnavailable:
        what = f"the {request.call} call failed: {failed.what}"
        return DialerUnavailable(self._tenant, what, failed.advice, retry_after=failed.retry_after or None)

    def _end(self, error: AuthRefused | DialerUnavailable) -> AuthRefused | DialerUnavailable:
        """End the pass: whoever calls from now on, or waits for a turn, is told this error."""
        self._over = error
        self._pace.dismiss(self._campaign, error)
        return error


def as_it_came(answer: Answer) -> Answer:
    """Read an answer for its status and text alone."""
    return answer


def _settles(status: int) -> bool:
    """Say whether an answer with this status shows that the request was looked at and done with."""
    return status < 500 and status not in (408, 429)


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date

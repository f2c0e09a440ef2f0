"""What the daemon answers over HTTP: ``/healthz``, ``/readyz``, ``/metrics``, and the status page at ``/``.

GET alone. Nothing that is answered changes anything, and nothing has a secret or a phone number in it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Protocol

from syncd.errors import StateUnavailable
from syncd.report import page
from syncd.report.metrics import CONTENT_TYPE, Metrics
from syncd.report.server import Asgi, Receive, Send
from syncd.report.shown import Shown

PATIENCE: Final = 5.0
"""Seconds that the state has to answer; a scrape of Prometheus waits ten."""


class View(Protocol):
    """What the daemon shows of itself."""

    @property
    def metrics(self) -> Metrics: ...

    def loop_turns(self) -> bool:
        """Return whether the daemon makes progress."""
        ...

    def now(self) -> datetime:
        """Return the time of day, aware, in UTC."""
        ...

    async def overviews(self) -> Sequence[Shown]:
        """Return how each campaign of the configuration stands, in its order. Raise StateUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    body: str | bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def application(view: View) -> Asgi:
    """Return the ASGI application that shows a daemon."""
    return _Site(view)


class _Site:
    """An ASGI application: what stands at which path."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._paths: Mapping[str, Callable[[], Awaitable[Answer]]] = {
            "/": self._page,
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        answer = await self._answer(scope["method"], scope["path"])
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **answer.headers,
        }
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": int(answer.status), "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, method: str, path: str) -> Answer:
        if path not in self._paths:
            return Answer("There is nothing here.\n", HTTPStatus.NOT_FOUND)
        if method != "GET":
            return Answer("Only GET is answered.\n", HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
        return await self._paths[path]()

    async def _health(self) -> Answer:
        if self._view.loop_turns():
            return Answer("ok\n")
        return Answer("the daemon makes no progress\n", HTTPStatus.SERVICE_UNAVAILABLE)

    async def _readiness(self) -> Answer:
        now = self._view.now()
        try:
            reasons = [reason for one in await self._overviews() if (reason := one.unready(now))]
        except StateUnavailable:
            # What libpq says of it names hosts and users: the page and the log tell it.
            reasons = ["the state database is out of reach; `syncd check` looks at it"]
        if not reasons:
            return Answer("ready\n")
        return Answer("".join(f"{reason}\n" for reason in reasons), HTTPStatus.SERVICE_UNAVAILABLE)

    async def _metrics(self) -> Answer:
        metrics = self._view.metrics
        try:
            metrics.refresh(await self._overviews(), self._view.now())
        except StateUnavailable:
            metrics.state_lost()
        return Answer(metrics.render(), content_type=CONTENT_TYPE)

    async def _page(self) -> Answer:
        try:
            html = page.render(await self._overviews(), self._view.now())
        except StateUnavailable as error:
            html = page.render_without_state(error, self._view.now())
        return Answer(html, content_type="text/html; charset=utf-8", headers=page.HEADERS)

    async def _overviews(self) -> Sequence[Shown]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._view.overviews()
        except TimeoutError:
            raise StateUnavailable(f"did not answer within {PATIENCE:.0f} s", "`syncd check` looks at it") from None

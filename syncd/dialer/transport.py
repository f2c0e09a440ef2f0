"""One request, one answer: the only module of syncd that opens a connection to a tenant.

A deadline around the whole exchange, a limit on the size of what comes back, certificates checked against the
system's trust store. A redirect is never followed: it would carry the credentials to another host. A proxy named in
the environment (``HTTPS_PROXY``, ``NO_PROXY``) is used.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
import truststore
from httpx_aiohttp import AiohttpTransport

from syncd import __version__
from syncd.dialer.tokens import Call

_CONNECT_TIMEOUT: Final = 10.0
"""Seconds to connect: a request that found no connection has certainly not been carried out."""

_KEEPALIVE: Final = 15.0
"""Seconds that an idle connection is kept."""

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"syncd/{__version__}",
}

_EXTENSIONS: Final = {"timeout": {"connect": _CONNECT_TIMEOUT}}
"""What a transport of httpx is told of time; the rest of an exchange has its deadline here."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, without its credentials."""

    call: Call
    method: str
    path: str
    content: bytes | None = None
    limit: int = 16 * 1024 * 1024
    """Bytes of an answer at most."""
    customers: Sequence[int] = ()
    """Whom it adds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: httpx.Headers
    body: bytes

    def describe(self) -> str:
        """Return what came, in words, without repeating any of it: it may hold people's numbers."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip()[:60] or "no content type"
        return f"HTTP {self.status} with {len(self.body):,} bytes of {kind if kind.isprintable() else 'junk'}"


class TryError(Exception):
    """A request got no answer that can be used."""

    def __init__(
        self,
        what: str,
        *,
        sent: bool,
        again: bool = True,
        advice: str = "",
        http_status: int | None = None,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(what)
        self.what, self.advice = what, advice
        self.http_status = http_status
        self.retry_after = retry_after
        """Seconds that the tenant asks to be left alone for."""
        self.sent = sent
        """It may have been carried out."""
        self.again = again
        """Sending it again may help."""


class Exchange:
    """The connections of one pass, thrown away with it.

    It stands on a transport, with no client above it: redirects, cookies and logins are what syncd wants none of, and
    looking for them takes a client as long as the rest of a request.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, base_url: httpx.URL, timeout: float) -> None:
        self._transport, self._base_url, self._timeout = transport, base_url, timeout
        self._host, self._base = base_url.host, str(base_url).rstrip("/")

    async def send(self, request: Request, authorization: str) -> Answer:
        """Send one request and read its answer, whatever its status but a redirect. Raise TryError."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(request, authorization)
        except TimeoutError:
            raise TryError(f"no answer from {self._host} within {self._timeout:g} s", sent=True) from None
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            raise self._failed(error) from None

    async def _exchange(self, request: Request, authorization: str) -> Answer:
        headers = {**_HEADERS, "Authorization": authorization}
        if request.content is not None:
            headers["Content-Type"] = "application/json"
        sent = httpx.Request(
            request.method, self._base + request.path, content=request.content, headers=headers, extensions=_EXTENSIONS
        )
        response = await self._transport.handle_async_request(sent)
        try:
            if 300 <= response.status_code < 400:
                raise self._redirected(response)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > request.limit:
                    what = f"{self._host} answers with more than {request.limit // 1024**2} MiB"
                    raise TryError(what, sent=True)
            return Answer(response.status_code, response.headers, bytes(body))
        finally:
            await response.aclose()

    def _redirected(self, response: httpx.Response) -> TryError:
        try:
            target = self._base_url.join(response.headers.get("location", "")).host
        except httpx.InvalidURL:
            target = "an address that cannot be read"
        what = f"{self._host} answers with a redirect to {target[:100]} (HTTP {response.status_code})"
        advice = "it was not followed, since the tokens would go along: check platform or base_url"
        return TryError(what, sent=False, again=False, advice=advice)

    def _failed(self, error: Exception) -> TryError:
        """Explain a failure by its cause: httpx-aiohttp calls every lost connection a ConnectTimeout."""
        cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
        match cause:
            case aiohttp.ClientConnectorCertificateError():
                reason = getattr(cause.certificate_error, "verify_message", "") or "it cannot be verified"
                what = f"the certificate of {self._host} is not trusted: {reason}"
                advice = "add the authority that signed it to the system's trust store, or check base_url"
                return TryError(what, sent=False, again=False, advice=advice)
            case aiohttp.ClientConnectorDNSError():
                return TryError(f"the name {self._host} cannot be looked up", sent=False)
            case aiohttp.ClientConnectorError():
                reason = cause.strerror or type(cause).__name__
                return TryError(f"no connection to {self._host}: {reason}", sent=False)
            case aiohttp.ConnectionTimeoutError():
                return TryError(f"no connection to {self._host} within {_CONNECT_TIMEOUT:g} s", sent=False)
            case aiohttp.ClientHttpProxyError():
                return TryError(f"the proxy refuses to connect to {self._host} (HTTP {cause.status})", sent=False)
            case aiohttp.ClientResponseError() | httpx.DecodingError():
                return TryError(f"{self._host} answers with what is not HTTP", sent=True)
        return TryError(f"the connection to {self._host} was lost before the answer was whole", sent=True)


def trust() -> ssl.SSLContext:
    """Return a TLS context that trusts what the operating system trusts."""
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@asynccontextmanager
async def open_exchange(
    base_url: str, *, connections: int, timeout: float, tls: ssl.SSLContext
) -> AsyncIterator[Exchange]:
    """Open the way to a tenant; its connections are closed at exit. ``timeout`` is in seconds."""
    url = httpx.URL(base_url)
    async with AiohttpTransport(client=_session(connections, tls), verify=tls, proxy=_proxy(url)) as transport:
        yield Exchange(transport, url, timeout)


def _session(connections: int, tls: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=_KEEPALIVE, ssl=tls)
    # A session cookie would let the tenant take one token for the other.
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    # aiohttp would send a GET or DELETE again by itself on a connection that was closed under it; every try is ours
    # to count, because the one before may have been carried out.
    session._retry_connection = False
    return session


def _proxy(url: httpx.URL) -> httpx.Proxy | None:
    """Return the environment's proxy for a URL; aiohttp's own look-up would read ~/.netrc for each request as well.

    Plain http is for loopback alone, which needs none.
    """
    proxy = getproxies().get("https")
    return httpx.Proxy(proxy) if proxy and url.scheme == "https" and not proxy_bypass(url.host) else None

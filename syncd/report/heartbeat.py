"""Heartbeats: an address that is pinged while all is well, so that whoever watches it learns of a silence."""

import asyncio
import ssl
from typing import Final

import httpx
import structlog
import truststore

from syncd import __version__

LOG = structlog.get_logger(__name__)

SECONDS: Final = 10.0
"""How long one ping may take, all in."""


async def ping(address: str, **whose: str) -> bool:
    """Ping an address with a GET and return whether it was taken. What goes wrong is logged, never raised.

    The address is logged nowhere: whoever knows it can ping it. A redirect is not followed.
    """
    why = await _refusal(address)
    if why is not None:
        LOG.warning("the heartbeat was not taken", why=why, **whose)
    return why is None


async def _refusal(address: str) -> str | None:
    try:
        async with asyncio.timeout(SECONDS), _client() as client, client.stream("GET", address) as response:
            if response.is_redirect:
                return f"it answers with a redirect (HTTP {response.status_code}): write the address that it leads to"
            return None if response.is_success else f"it answers HTTP {response.status_code}"
    except TimeoutError:
        return f"no answer within {SECONDS:g} s"
    except httpx.ConnectError:
        return "no connection"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__


def _client() -> httpx.AsyncClient:
    tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(verify=tls, timeout=SECONDS, headers={"User-Agent": f"syncd/{__version__}"})

"""Readers of addresses: of tenants, databases, heartbeats, and the one that the daemon listens on."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from syncd.config.problems import Fault, SettingError
from syncd.config.readers import text

_PASSWORD_PARAMETERS: Final = {"password", "passwd", "pwd", "sslpassword"}
_PASSWORD_INSIDE = re.compile(r"\b(?:password|pwd)\s*=", re.IGNORECASE)  # a whole ODBC string as a parameter
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def platform_url(value: object) -> str:
    """Given a platform like "na12", return the base URL of its API."""
    platform = text(value)
    if re.fullmatch(r"[a-z]{2}[0-9]{1,4}b", platform):
        raise SettingError(Fault("is the platform as browsers show it", f'write platform = "{platform[:-1]}"'))
    if not re.fullmatch(r"[a-z]{2}[0-9]{1,4}", platform):
        raise SettingError(Fault("is not a platform: two small letters and a number"))
    return f"https://vcc-{platform}.8x8.com"


def base_url(value: object) -> str:
    """Return the scheme, host and port of a tenant's API: https, or http on loopback."""
    parts = _split(text(value))
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise SettingError(Fault("is not an https:// address"))
    if "@" in parts.netloc:
        raise SettingError(Fault("has a user name or password in it", "write them as username and tokens"))
    if parts.path.rstrip("/") or parts.query or parts.fragment:
        raise SettingError(Fault("has a path or more after the host", "write the scheme and the host alone"))
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise SettingError(Fault("would send tokens in clear: http:// is taken on loopback only", "write https://"))
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = parts.port in (None, _DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" + ("" if default else f":{parts.port}")


def web_url(value: object) -> str:
    """Return an http or https address to ping; empty is off."""
    if value == "":
        return ""
    address = text(value)
    parts = _split(address)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or re.search(r"\s", address):
        raise SettingError(Fault("is not an http:// or https:// address"))
    return address


def listen_address(value: object) -> str:
    """Return ``host:port``; empty is off."""
    if value == "":
        return ""
    address = text(value)
    try:
        parts = urlsplit(f"//{address}")
        complete = parts.netloc == address and bool(parts.hostname) and parts.port is not None
    except ValueError:
        complete = False
    if not complete or "@" in address or re.search(r"\s", address):
        raise SettingError(Fault("is not a host and a port"))
    return address


def state_url(value: object) -> str:
    """Return the URL of the state database, which is PostgreSQL."""
    url = database_url(value)
    if make_url(url).drivername not in ("postgresql", "postgresql+psycopg"):
        raise SettingError(Fault("is not a postgresql:// address"))
    return url


def database_url(value: object) -> str:
    """Return a SQLAlchemy URL that has no password in it."""
    url = text(value)
    if (parsed := _parsed(url)) is None:
        raise SettingError(Fault("is not a database URL"))
    if parsed.password is not None or any(map(_is_password, parsed.query, parsed.query.values())):
        raise SettingError(
            Fault(
                "has a password written into it",
                'leave it out and add password = "credential:NAME", "file:PATH" or "env:NAME"',
            )
        )
    return url


def _parsed(url: str) -> URL | None:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        return None


def _is_password(parameter: str, value: str | tuple[str, ...]) -> bool:
    values = (value,) if isinstance(value, str) else value
    return parameter.lower() in _PASSWORD_PARAMETERS or any(_PASSWORD_INSIDE.search(one) for one in values)


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port  # a port that is no number shows only when it is asked for
    except ValueError:
        raise SettingError(Fault("is not an address")) from None
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

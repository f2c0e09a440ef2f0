"""Logs: structured lines on the standard error, without secrets, for a person or for the journal."""

import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from syncd.config import Config, LogFormat, LogLevel, Secret
from syncd.phone import hide_numbers

QUIET: Final = ("httpx", "httpcore", "aiohttp", "alembic", "asyncio", "urllib3")
"""Libraries whose small talk, full addresses in it, is nobody's business."""

_PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""syslog's numbers, which the journal reads from the beginning of a line."""

_SHORTEST_INSIDE: Final = 6
"""A secret shorter than this is masked where it stands alone: as a part of words it would mask half of the log."""


def configure(
    *, level: LogLevel, form: LogFormat, secrets: Iterable[Secret] = (), stream: TextIO | None = None
) -> None:
    """Set up structlog and the standard library's logging, for the whole process. May be called again.

    ``auto`` is console on a terminal, JSON otherwise. On the standard error that is the journal each line begins with
    its priority.
    """
    stream = stream or sys.stderr
    console = form is LogFormat.CONSOLE or (form is LogFormat.AUTO and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # a plain traceback: no values of variables
                _hide_numbers_of_errors,
                Mask(secrets),
                _console(stream) if console else structlog.processors.JSONRenderer(default=str),
                *([Priority(console)] if is_journal(stream) else []),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.value.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns of what follows from an error that it raises as well: a lost connection is told of once.
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def secrets_of(config: Config) -> Iterator[Secret]:
    """Yield every secret of a configuration."""
    for tenant in config.tenants.values():
        yield from (tenant.action_token, tenant.data_token)
    yield from (source.password for source in config.sources.values() if source.password is not None)
    if config.state.password is not None:
        yield config.state.password
    yield from config.notify.urls


def is_journal(stream: TextIO) -> bool:
    """Return whether a stream goes to systemd's journal, as $JOURNAL_STREAM says."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))


def _hide_numbers_of_errors(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Hide the phone numbers of the row that a bug stumbled over: an error that nobody foresaw may quote it."""
    if "exception" in event:
        event["exception"] = hide_numbers(str(event["exception"]))
    return event


class Mask:
    """A processor that puts ``***`` where a secret stands; a secret that was read anew is masked from then on."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._secrets = tuple(secrets)

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        words = [secret.reveal() for secret in self._secrets]
        return {key: _masked(value, words) for key, value in event.items()} if words else event


def _masked(value: Any, words: list[str]) -> Any:
    match value:
        case str():
            for word in words:
                if len(word) >= _SHORTEST_INSIDE:
                    value = value.replace(word, "***")
                elif value == word:
                    return "***"
            return value
        case Mapping():
            return {key: _masked(inner, words) for key, inner in value.items()}
        case list() | tuple():
            return [_masked(inner, words) for inner in value]
        case None | bool() | int() | float():
            return value
        case _:
            return _masked(str(value), words)


class Priority:
    """A processor that begins each line with the number by which the journal knows its level."""

    def __init__(self, console: bool) -> None:
        self._split = console

    def __call__(self, logger: WrappedLogger, method: str, line: Any) -> str:
        prefix = f"<{_PRIORITIES.get(method, 6)}>"
        lines = str(line).splitlines() if self._split else [str(line)]
        return "\n".join(prefix + one for one in lines)


def _console(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty() and "NO_COLOR" not in os.environ,
        exception_formatter=structlog.dev.plain_traceback,
    )

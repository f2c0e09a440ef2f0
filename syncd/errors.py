"""The tree of errors. Each carries fields; :func:`SyncdError.sentence` is what a person reads.

A sentence says what, where and what to do. None holds a secret, a token, a phone number or a query parameter:
whoever raises an error passes only names, counts and the vendor's own texts.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from syncd.words import Exit, command


class SyncdError(Exception):
    """Anything that syncd knows how to explain."""

    exit_status: ClassVar[Exit] = Exit.FAILED

    def sentence(self) -> str:
        """Return one line: what, where, what to do."""
        return str(self)


E = TypeVar("E", bound=SyncdError)


def first_of(group: BaseExceptionGroup[E]) -> E:
    """Return the first error of a group: what went wrong side by side mostly went wrong for one reason."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong with the configuration file."""

    file: str
    line: int | None
    key: str
    wrong: str
    right: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        return f"{where}:{key} {self.wrong}; {self.right}" if self.right else f"{where}:{key} {self.wrong}"


class ConfigError(SyncdError):
    """The configuration cannot be used. Every problem is reported at once."""

    exit_status = Exit.BAD_CONFIG

    def __init__(self, *problems: ConfigProblem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class SourceError(SyncdError):
    """The source database did not give what was asked of it."""

    def __init__(self, source: str, what: str, advice: str = "") -> None:
        super().__init__(f"source {source}: {what}" + (f"; {advice}" if advice else ""))
        self.source, self.what, self.advice = source, what, advice


class StateUnavailable(SyncdError):
    """Postgres is out of reach. Without it nothing is sent."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(f"state database: {what}" + (f"; {advice}" if advice else ""))
        self.what, self.advice = what, advice


class ListenRefused(SyncdError):
    """The address on which the daemon is to answer cannot be had."""

    def __init__(self, listen: str, why: str) -> None:
        super().__init__(
            f"[service] listen: {listen} cannot be had: {why}; is another syncd running? "
            'Name a free port, or "" to answer on none'
        )
        self.listen, self.why = listen, why


class LockHeld(SyncdError):
    """Another pass over this campaign is running, here or on another host."""

    exit_status = Exit.LOCKED

    def __init__(self, campaign: str) -> None:
        super().__init__(f"campaign {campaign}: another pass is running; wait for it with --wait")
        self.campaign = campaign


class PassCrashed(SyncdError):
    """A pass ended in a way that nobody foresaw."""

    def __init__(self, campaign: str) -> None:
        super().__init__(f"campaign {campaign}: the pass ended in a way that is a bug; report what the log shows of it")
        self.campaign = campaign


class DialerError(SyncdError):
    """The tenant's API did not do what was asked of it."""

    def __init__(self, tenant: str, what: str, advice: str = "") -> None:
        super().__init__(f"tenant {tenant}: {what}" + (f"; {advice}" if advice else ""))
        self.tenant, self.what, self.advice = tenant, what, advice


class AuthRefused(DialerError):
    """The tenant refused the login. Never retried within a pass: accounts get locked."""


class DialerUnavailable(DialerError):
    """The tenant did not answer, or answered what cannot be used, after every try that is safe.

    ``retry_after`` is in seconds when the tenant named a time that was too long to wait for.
    """

    def __init__(self, tenant: str, what: str, advice: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(tenant, what, advice)
        self.retry_after = retry_after


class RequestRefused(DialerError):
    """The tenant refused a whole request with a text that is not about one customer."""


class CampaignBlocked(SyncdError):
    """The campaign takes no changes: stopped, not started, not dynamic, not enabled, purged, or not there."""

    exit_status = Exit.BLOCKED

    def __init__(self, campaign: str, why: str, advice: str = "") -> None:
        super().__init__(f"campaign {campaign}: {why}" + (f"; {advice}" if advice else ""))
        self.campaign, self.why, self.advice = campaign, why, advice


class WrongMatchKey(SyncdError):
    """A whole listing knows none of the customers that syncd added: the records are matched by the wrong key."""

    def __init__(self, campaign: str, match_on: str) -> None:
        super().__init__(
            f"campaign {campaign}: none of the customers that syncd added is in the listing under "
            f'match_on = "{match_on}"; nothing was changed: try another match_on '
            '("record-id", "phone" or "ext-trans-data")'
        )
        self.campaign, self.match_on = campaign, match_on


class ApprovalRefused(SyncdError):
    """The digest is not that of a plan that waits for approval."""

    def __init__(self, campaign: str, digest: str, why: str) -> None:
        super().__init__(f"campaign {campaign}: {digest} cannot be approved: {why}; see `{command('held', campaign)}`")
        self.campaign, self.digest, self.why = campaign, digest, why

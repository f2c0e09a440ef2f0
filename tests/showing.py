"""Campaigns in every condition, as the daemon would show them: a desk at night, told without a state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.config import CampaignSettings
from syncd.errors import StateUnavailable
from syncd.report.metrics import Metrics
from syncd.report.shown import Shown
from syncd.state.campaigns import Result
from syncd.state.held import HeldPlan
from syncd.state.overview import Counts, Overview, Paused, RecentPass, UnendedPass, Waiting
from syncd.state.passes import PastPass
from syncd.words import Condition

NOW = datetime(2026, 11, 24, 2, 41, 7, tzinfo=UTC)


@dataclass
class Desk:
    """A daemon's view that can be told what to show."""

    shown: list[Shown] = field(default_factory=list)
    turning: bool = True
    trouble: StateUnavailable | None = None
    metrics: Metrics = field(default_factory=Metrics)
    time: datetime = NOW

    def loop_turns(self) -> bool:
        return self.turning

    def now(self) -> datetime:
        return self.time

    async def overviews(self) -> list[Shown]:
        if self.trouble is not None:
            raise self.trouble
        return self.shown


def ago(**span: float) -> datetime:
    """Return a time before now."""
    return NOW - timedelta(**span)


def settings(name: str, **changes: Any) -> CampaignSettings:
    given: Mapping[str, Any] = {"id": 125, "tenant": "acme", "source": "crm", "query": "SELECT 1"}
    return CampaignSettings(name=name, **{**given, **changes})


def last_pass(result: Result, sentence: str, *, minutes: float = 3, passes: int = 1, **counts: Any) -> PastPass:
    began = ago(minutes=minutes + 1)
    return PastPass(71, 1, "run", began, ago(minutes=minutes), "dialer-1", passes, True, result, sentence, counts)


def counts(
    desired: int, listed: int, *, foreign: int = 0, completed: int = 0, suppressed: int = 0, added: int = 0
) -> Counts:
    return Counts(desired, listed, listed - foreign, foreign, completed, suppressed, added, 0, ago(minutes=3))


def recent(*results: Result, every: float = 5) -> tuple[RecentPass, ...]:
    """Return past passes, the oldest first, the last of which ended three minutes ago."""
    ends = [ago(minutes=3 + every * place) for place in reversed(range(len(results)))]
    return tuple(
        RecentPass(end - timedelta(seconds=20), end, result, 1) for end, result in zip(ends, results, strict=True)
    )


def campaign(name: str, condition: Condition, **known: Any) -> Shown:
    """Return a campaign that is looked after every five minutes."""
    changes = known.pop("settings", {})
    stands = Overview(name, "acmecorp01", 125, campaign=1, condition=condition, since=ago(hours=9))
    known = {"due_at": NOW + timedelta(minutes=2), "listed_at": ago(minutes=22), "last_good_at": ago(minutes=3)} | known
    return Shown(settings(name, **changes), replace(stands, **known))


def good(name: str, desired: int = 18_204) -> Shown:
    return campaign(
        name,
        Condition.OK,
        since=ago(minutes=83),
        counts=counts(desired, desired - 37, foreign=12, completed=5_120, suppressed=931),
        last_pass=last_pass(Result.GOOD, f"{desired:,} desired; in step, nothing to do", passes=9),
        recent=recent(*[Result.GOOD] * 31, Result.FAILED, Result.FAILED, *[Result.GOOD] * 17),
    )


def held(name: str) -> Shown:
    plan = HeldPlan(
        1,
        "3f9c1e27ab04",
        ago(minutes=96),
        (
            "5,412 removals are more than max_removals = 500",
            "62 % of the open records would go; max_shrink_percent = 50",
        ),
        5_412,
        0,
    )
    return campaign(
        name,
        Condition.HELD,
        since=ago(minutes=96),
        held=plan,
        counts=counts(3_316, 8_730, foreign=4, completed=1_204, suppressed=88),
        last_pass=last_pass(Result.HELD, "3,316 desired; removals held"),
        last_good_at=ago(minutes=101),
        parked={"not-in-crm": 14, "invalid-value": 3, "vendor-dnc": 121},
        deferred=Waiting(2, ago(minutes=31)),
        recent=recent(*[Result.GOOD] * 30, *[Result.HELD] * 20),
    )


def failing(name: str, sentence: str = "tenant acme: refused the login; make a new data token") -> Shown:
    return campaign(
        name,
        Condition.FAILING,
        since=ago(minutes=48),
        counts=counts(1_480, 1_500, completed=310, suppressed=20),
        last_pass=last_pass(Result.FAILED, sentence),
        last_good_at=ago(minutes=53),
        suppressed_in=Waiting(1, ago(minutes=74)),
        open_claims=3,
        recent=recent(*[Result.GOOD] * 12, *[Result.FAILED] * 10),
    )


def desk_at_night() -> Desk:
    """Return a desk with a campaign in each condition."""
    return Desk(
        [
            good("renewals"),
            held("win-back"),
            failing("collections"),
            campaign(
                "surveys",
                Condition.BLOCKED,
                since=ago(hours=2),
                last_pass=last_pass(
                    Result.BLOCKED, "campaign surveys: it is stopped; a stopped campaign is final, make another"
                ),
                recent=recent(*[Result.GOOD] * 24, *[Result.BLOCKED] * 24),
            ),
            campaign(
                "reminders",
                Condition.PARTIAL,
                since=ago(minutes=8),
                counts=counts(640, 637, completed=90, suppressed=7, added=18),
                last_pass=last_pass(Result.PARTIAL, "640 desired; 18 added, 3 without a known outcome"),
                running=UnendedPass(ago(seconds=20), "dialer-2"),
                recent=recent(*[Result.GOOD] * 48, *[Result.PARTIAL] * 2),
            ),
            good("welcome-calls", 412),
            campaign(
                "upsell",
                Condition.PAUSED,
                paused=Paused(ago(hours=14), "ann", "training day"),
                counts=counts(2_011, 2_011, completed=77, suppressed=54),
                last_pass=last_pass(Result.PAUSED, "nothing was read; paused"),
                recent=recent(*[Result.GOOD] * 20, *[Result.PAUSED] * 30),
            ),
            campaign("pilot", Condition.NEW, since=None, listed_at=None, last_good_at=None),
            campaign("archive", Condition.OK, settings={"enabled": False}, since=ago(days=40)),
        ]
    )

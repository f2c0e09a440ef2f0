"""Status: how a campaign stands, in words, and what to do next. Pure code over its overview and its settings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from syncd.config import CampaignSettings
from syncd.report.words import PARKED, ago, ahead, counted, duration, moment, plain
from syncd.state import suppressed
from syncd.state.overview import GIVEN_UP, Counts, Overview, UnendedPass, Waiting
from syncd.state.passes import PastPass
from syncd.words import Condition, Reason, command

CALM: Final = frozenset({Condition.NEW, Condition.OK, Condition.PAUSED})
"""The conditions that a campaign may be in for as long as its passes come when they should."""

MENDABLE: Final = frozenset(
    {
        Reason.NOT_IN_CRM,
        Reason.INVALID_VALUE,
        Reason.UNKNOWN_TEXT,
        Reason.NOT_LISTED,
        Reason.FLICKERING_TIME,
        Reason.RECALL_DUPLICATE,
        GIVEN_UP,
    }
)
"""Reasons to be parked that somebody may do something about; the others pass, or are as they should be."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next."""

    what: str
    commands: tuple[str, ...] = ()
    """To be typed, one after another as far as it needs."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known of a campaign."""

    label: str
    text: str


def healthy(overview: Overview, settings: CampaignSettings, now: datetime) -> bool:
    """Return whether nobody has to look at a campaign.

    A pause is somebody's will, and what is disabled nobody's concern. Not well is also one that nothing has ever run or
    planned, and one with a suppression that is late, whatever its condition.
    """
    if not settings.enabled:
        return True
    well = overview.condition in CALM and overview.campaign is not None and not late(overview, now)
    return well and not overdue(overview, settings, now)


def overdue(overview: Overview, settings: CampaignSettings, now: datetime) -> bool:
    """Return whether a pass should have run by now; of a campaign that is disabled none is expected."""
    return settings.enabled and overview.standing.overdue(settings, now)


def late(overview: Overview, now: datetime) -> bool:
    """Return whether a suppressed customer has not been taken out for longer than is usual."""
    waiting = overview.suppressed_in
    return waiting is not None and now - waiting.since > suppressed.LATE


def heading(overview: Overview, settings: CampaignSettings, now: datetime) -> str:
    """Return the condition and since when: ``held since 2026-11-24 09:05 UTC (3 h ago)``."""
    condition = overview.condition.value if settings.enabled else f"disabled; {overview.condition}"
    if overview.condition is Condition.NEW or overview.since is None:
        return f"{condition}, no pass {'has come to its end' if overview.last_pass else 'has run'} yet"
    return f"{condition} since {moment(overview.since)} ({ago(overview.since, now)})"


def next_pass(overview: Overview, settings: CampaignSettings, now: datetime) -> str:
    """Return when the next pass comes, in two or three words: ``in 3 min``, ``overdue``."""
    if not settings.enabled:
        return "none"
    if overview.running:
        return "runs now"
    if overdue(overview, settings, now):
        return "overdue"
    return ahead(overview.due_at, now) if overview.due_at else "not planned"


def facts(overview: Overview, settings: CampaignSettings, now: datetime) -> list[Fact]:
    """Return what is known of a campaign, line by line; what is as it should be and says nothing is left out."""
    told = {
        "last pass": _last_pass(overview.last_pass, now, brief=overview.held is not None),
        "last good": _last_good(overview, now),
        "listing": f"read whole {ago(overview.listed_at, now)}" if overview.listed_at else "not read whole yet",
        "counts": _counts(overview, now),
        "died": _died(overview.died, now),
        "paused": _paused(overview, now),
        "held": _held(overview, now),
        "approved": _approved(overview, now),
        "parked": ", ".join(f"{customers:,} {PARKED[reason]}" for reason, customers in overview.parked.items()),
        "deferred": _waiting(overview.deferred, now, "wait to be removed until an agent lets go of the record"),
        "suppressed": _waiting(overview.suppressed_in, now, "must not be called, and are not known to be out"),
        "unanswered": _unanswered(overview.open_claims),
        "next pass": _next_pass(overview, settings, now),
    }
    return [Fact(label, text) for label, text in told.items() if text]


def next_steps(overview: Overview, settings: CampaignSettings, now: datetime) -> list[Step]:
    """Return what to do about a campaign, the most urgent first; empty where it needs nobody."""
    return list(_steps(overview, settings, now))


def document(overview: Overview, settings: CampaignSettings, now: datetime) -> Mapping[str, Any]:
    """Return how a campaign stands for ``--json``."""
    counts = overview.counts
    return {
        "campaign": overview.name,
        "account": overview.account,
        "vendor_id": overview.vendor_id,
        "enabled": settings.enabled,
        "condition": overview.condition.value,
        "since": overview.since,
        "healthy": healthy(overview, settings, now),
        "desired": counts.desired if counts else None,
        "listed": counts.listed if counts else None,
        "ours": counts.ours if counts else None,
        "foreign": counts.foreign if counts else None,
        "completed": counts.completed if counts else None,
        "suppressed": counts.suppressed if counts else None,
        "counted_at": counts.as_of if counts else None,
        "held": {
            "digest": overview.held.digest,
            "since": overview.held.since,
            "why": list(overview.held.sentences),
            "removals": overview.held.removals,
            "additions": overview.held.additions,
        }
        if overview.held
        else None,
        "approved": overview.approved,
        "parked": overview.parked,
        "deferred": overview.deferred,
        "suppressed_in": overview.suppressed_in,
        "open_claims": overview.open_claims,
        "paused": overview.paused,
        "running": overview.running,
        "died": overview.died,
        "last_pass": past_pass(overview.last_pass) if overview.last_pass else None,
        "last_good": overview.last_good_at,
        "last_listing": overview.listed_at,
        "next_pass": overview.due_at,
        "overdue": overdue(overview, settings, now),
        "next_steps": [
            {"what": step.what, "commands": list(step.commands)} for step in next_steps(overview, settings, now)
        ],
    }


def past_pass(one: PastPass) -> Mapping[str, Any]:
    """Return a past pass for ``--json``, without what it counted."""
    return {
        "pass": one.id,
        "kind": one.kind,
        "began": one.began,
        "ended": one.ended,
        "host": one.host,
        "passes": one.passes,
        "observed": one.observed,
        "result": one.result,
        "sentence": one.sentence,
    }


def without_news(one: PastPass, now: datetime) -> str:
    """Return that a row stands for several passes: ``, the last of 12 without news since 2 h ago``; else nothing."""
    return f", the last of {one.passes:,} without news since {ago(one.began, now)}" if one.passes > 1 else ""


def _steps(overview: Overview, settings: CampaignSettings, now: datetime) -> Iterator[Step]:
    name = overview.name
    if not settings.enabled:
        yield Step("Nothing runs, not even suppressions, before the file has enabled = true.")
        return
    if late(overview, now):
        yield Step("Have the agents end the calls of the suppressed customers: each pass tries to take them out.")
    if overdue(overview, settings, now) and overview.campaign is not None:
        yield Step(
            "No pass came when one should have: see that the daemon or the timer runs.", (command("once", name),)
        )
    if overview.held:
        yield Step(
            "Look whom it concerns. Mend the source if it is at fault; if the changes are meant, approve them.",
            (command("held", name), command("approve", name, overview.held.digest)),
        )
    yield from _of_condition(overview)
    if MENDABLE & overview.parked.keys():
        yield Step(
            "See who is parked. They are tried again by themselves; once the cause is mended, they can be tried now.",
            (command("parked", name), command("retry", name)),
        )


def _of_condition(overview: Overview) -> Iterator[Step]:
    once = command("once", overview.name)
    match overview.condition:
        case Condition.NEW:
            yield Step("Look at what a pass would do, then run one.", (command("plan", overview.name), once))
        case Condition.PARTIAL:
            yield Step("Nothing at first: the next passes finish the work. If it stays, look at the tenant.", (once,))
        case Condition.HELD if overview.held is None:
            yield Step("It was approved or dropped since: the next pass goes on.", (once,))
        case Condition.BLOCKED:
            yield Step(
                "Do what the last pass says: at the vendor, start, enable or resume the campaign. One that was stopped"
                " or has ended is final: make another, and change `id`.",
                ("syncd check", once),
            )
        case Condition.FAILING:
            yield Step(
                "Do what the last pass says. Passes go on, and the first good one finishes the work.",
                ("syncd check", once),
            )
        case Condition.PAUSED if overview.paused:
            yield Step("When it may go on:", (command("resume", overview.name),))
        case Condition.PAUSED:
            yield Step("It was resumed: the next pass goes on.", (once,))
        case _:
            return


def _next_pass(overview: Overview, settings: CampaignSettings, now: datetime) -> str:
    told = next_pass(overview, settings, now)
    if not settings.enabled:
        return f"{told}: it is disabled"
    if overview.running:
        return f"{told}{_begun(overview.running, now)}"
    if overview.due_at is None:
        every = f", expected every {duration(settings.every)}" if settings.every else ""
        return f"{told}: `syncd run` plans it, `syncd once` runs one now{every}"
    return f"{told} ({moment(overview.due_at)})"


def _last_pass(last: PastPass | None, now: datetime, *, brief: bool) -> str:
    """Return when the last pass was and what it says; the sentence of one that is told elsewhere is left out."""
    if last is None:
        return ""
    if last.ended is None:
        return f"began {ago(last.began, now)} on {last.host} and died"
    sentence = "" if brief and last.result == Condition.HELD else f": {plain(last.sentence)}"
    return f"{ago(last.ended, now)}, {last.result}{without_news(last, now)}{sentence}"


def _last_good(overview: Overview, now: datetime) -> str:
    if overview.last_pass is None or overview.last_pass.result == "good":
        return ""
    return ago(overview.last_good_at, now) if overview.last_good_at else "no pass has been good yet"


def _counts(overview: Overview, now: datetime) -> str:
    counts = overview.counts
    if counts is None:
        return ""
    told = (
        f"{counts.desired:,} desired, {counts.suppressed:,} suppressed; {counts.listed:,} in the campaign"
        f" ({counts.ours:,} ours, {counts.foreign:,} foreign; {counts.completed:,} completed){_sent(counts)}"
    )
    last = overview.last_pass
    return told if last and last.ended == counts.as_of else f"{told}, as of {ago(counts.as_of, now)}"


def _sent(counts: Counts) -> str:
    """Return what the pass sent after it had counted."""
    sent = ((counts.added, "added"), (counts.removed, "removed"))
    told = " and ".join(f"{number:,} {word}" for number, word in sent if number)
    return f", then {told}" if told else ""


def _died(died: UnendedPass | None, now: datetime) -> str:
    return f"a pass never ended{_begun(died, now)}; the next one settles what it left" if died else ""


def _begun(begun: UnendedPass, now: datetime) -> str:
    return f", begun {ago(begun.since, now)} on {begun.host}" if begun.since else ""


def _paused(overview: Overview, now: datetime) -> str:
    paused = overview.paused
    if paused is None:
        return ""
    reason = f": {plain(paused.reason)}" if paused.reason else ""
    return f"{ago(paused.at, now)} by {plain(paused.by)}{reason}; suppressions go on"


def _held(overview: Overview, now: datetime) -> str:
    held = overview.held
    if held is None:
        return ""
    what = f"{counted(held.removals, 'removal')} and {counted(held.additions, 'addition')} since {ago(held.since, now)}"
    return f"{what} ({held.digest}): {plain('; '.join(held.sentences))}"


def _approved(overview: Overview, now: datetime) -> str:
    approved = overview.approved
    if approved is None:
        return ""
    return (
        f"{approved.digest} by {plain(approved.by)} {ago(approved.at, now)}; what is left of it goes out with the next"
        f" passes, until {moment(approved.until)}"
    )


def _waiting(waiting: Waiting | None, now: datetime, what: str) -> str:
    if waiting is None:
        return ""
    if waiting.customers == 1:
        what = what.replace("wait ", "waits ").replace(" are ", " is ")
    return f"{counted(waiting.customers, 'customer')} {what}, since {ago(waiting.since, now)}"


def _unanswered(customers: int) -> str:
    if not customers:
        return ""
    return f"a call got no answer for {counted(customers, 'customer')}; the listing settles it"

"""What the next pass does for a customer and why, in one sentence."""

from typing import Final

from syncd.config import CampaignSettings, Mode, Vanished
from syncd.errors import CampaignBlocked
from syncd.report.explain.chapter import Chapter
from syncd.report.words import PARKED, RULES, moment, plain
from syncd.state.foretold import Decision
from syncd.state.overview import Overview
from syncd.state.parking import Parked
from syncd.sync.explaining import Look
from syncd.words import Kind, Rule, command

ADDING: Final = frozenset({Kind.ADD, Kind.ADOPT, Kind.RESCHEDULE, Kind.RECALL})
"""What is held with additions."""

REMOVING: Final = frozenset({Kind.REMOVE, Kind.RESCHEDULE, Kind.RECALL})
"""What is held with removals."""

DOES: Final = {
    Kind.ADD: "adds the customer",
    Kind.REMOVE: "removes the record",
    Kind.RESCHEDULE: "removes the record and adds the customer at the new time",
    Kind.RECALL: "removes the record and adds the customer to be called again",
    Kind.ADOPT: "takes the record for syncd's own",
    Kind.RELEASE: "takes the record for syncd's own no more",
    Kind.PARK: "parks the customer",
    Kind.CALLED: "takes the customer for called",
}


def foretell(chapter: Chapter) -> str:
    """Return the sentence."""
    settings, look = chapter.settings, chapter.look
    if settings is None or look is None:
        return "No pass comes: the configuration has this campaign no more."
    if not settings.enabled:
        return "No pass comes by itself: the campaign is disabled in the configuration."
    obstacle = _obstacle(chapter.overview, look)
    if obstacle:
        return obstacle
    decision = look.next
    told = f"The next pass {_does(decision)}{_because(decision, chapter, settings)}"
    told += _with_listing(chapter, look, settings)
    return f"{told}.{_hindrances(decision, chapter, look)}"


def _obstacle(overview: Overview, look: Look) -> str:
    """Return what keeps the next pass from doing anything; the suppressed are taken out all the same."""
    urgent = look.next.urgent
    if isinstance(look.dialer_error, CampaignBlocked):
        tries = " The next pass tries all the same to remove the record of a suppressed customer." if urgent else ""
        return f"Nothing while the campaign is blocked: {look.dialer_error.why}.{tries}"
    if urgent:
        return ""
    if overview.paused:
        reason = f": {plain(overview.paused.reason)}" if overview.paused.reason else ""
        return f"Nothing while the campaign is paused{reason}; `{command('resume', overview.name)}` lets it go on."
    if look.source_error:
        return "Nothing while the source cannot be read: the next pass fails, and the one after it tries again."
    return ""


def _does(decision: Decision) -> str:
    if decision.kind is None:
        return "does nothing"
    kind = Kind(decision.kind)
    if kind is Kind.ADD:
        when = f"at {moment(decision.send_at)}" if decision.send_at else "as soon as possible"
        return f"{DOES[kind]}, to be called {when}"
    return DOES[kind]


def _because(decision: Decision, chapter: Chapter, settings: CampaignSettings) -> str:
    """Return why: the row of the decision table, and what else keeps it from more."""
    told = f", because it {RULES[Rule(decision.rule)]}"
    if decision.kind == Kind.PARK or (decision.kind is None and decision.park_reason):
        until = f"; next try at {moment(decision.park_until)}" if decision.park_until else ""
        return f"{told}: {PARKED[decision.park_reason or '']}{until}"
    if decision.rule == Rule.PARKED and chapter.story.parked:
        return f"{told}: {parked(chapter.story.parked)}"
    if decision.rule == Rule.VANISHED and settings.vanished is Vanished.LEAVE:
        return f"{told}, which the campaign leaves so"
    if decision.rule in (Rule.DROPPED, Rule.DROPPED_BUSY) and settings.mode is Mode.ADD_ONLY:
        return f"{told}; but the campaign is add-only"
    return told


def parked(one: Parked) -> str:
    """Return why a customer is parked and until when."""
    why = PARKED[one.reason] + (f" ({plain(one.message)})" if one.message else "")
    if one.given_up:
        return f"{why}; given up, until its row changes or `syncd retry`"
    if one.next_try is None:
        return f"{why}; until its row changes"
    return f"{why}; next try at {moment(one.next_try)}, or when its row changes"


def _with_listing(chapter: Chapter, look: Look, settings: CampaignSettings) -> str:
    """Return what waits for a pass that reads the listing, and what is said of a listing that was not read now."""
    if look.observes:
        if look.listed is None and look.next.kind is not None and not look.next.urgent:
            return ", if the listing shows then what it showed the last time"
        return ""
    later = look.with_listing
    if (later.kind, later.rule) == (look.next.kind, look.next.rule) or later.kind is None:
        return ""
    due = ""
    if chapter.listed_at and settings.list_every:
        due = f", due at {moment(chapter.listed_at + settings.list_every)},"
    return f"; the next one that reads the listing{due} {_does(later)}{_because(later, chapter, settings)}"


def _hindrances(decision: Decision, chapter: Chapter, look: Look) -> str:
    """Return what of the guard, or of a suppression list that cannot be read, stands before it."""
    if decision.kind is None or decision.urgent or decision.rule == Rule.OWED:
        return ""
    kind, plan = Kind(decision.kind), chapter.overview.held
    if kind in ADDING and look.list_error is not None:
        return " But nobody is added while the suppression list cannot be read."
    mine = [held for held in chapter.story.held if held.kind == kind]
    if mine and plan:
        approve = command("approve", chapter.overview.name, plan.digest)
        return f" But the guard holds it: `{approve}` lets it through."
    if plan and ((kind in ADDING and plan.additions) or (kind in REMOVING and plan.removals)):
        return f" But the guard holds such changes ({plan.digest}), and may hold this one too."
    return ""

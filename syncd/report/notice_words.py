"""What the notices say: which campaign, what, since when, what to do. No phone number and no secret is in them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from syncd.report.words import counted, duration, moment
from syncd.state.held import HeldPlan
from syncd.state.notices import Situation, Told
from syncd.words import Condition, command

LONGEST: Final = 1000
"""Characters that are told of what a pass says of itself: some receivers take no more than a few thousand."""

_SAYS: Final = {
    Condition.PARTIAL: "is done in part",
    Condition.HELD: "is held",
    Condition.BLOCKED: "is blocked",
    Condition.FAILING: "is failing",
}

_TO_DO: Final = {
    Condition.PARTIAL: ("`{once}` reads the listing and finishes what it can; `syncd status` shows what is left."),
    Condition.HELD: "It was approved or dropped since: the next pass goes on, with `{once}` at once.",
    Condition.BLOCKED: (
        "At the vendor, start or enable the campaign; one that has ended is final, and needs a new one. "
        "`syncd check` shows how it is. The next pass finishes the work."
    ),
    Condition.FAILING: (
        "`syncd check` shows what does not answer. Passes go on, and the first good one finishes the work."
    ),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A notice as people read it, in plain text."""

    title: str
    body: str


def trouble(campaign: str, situation: Situation, now: datetime, *, still: bool = False) -> Text:
    """Return what is told of a condition that is trouble."""
    condition = situation.condition
    says = _SAYS[condition].replace("is ", "is still ", 1) if still else _SAYS[condition]
    since = _since(situation.since, now)
    if condition is Condition.HELD and situation.held:
        return _text(campaign, says, _held(situation.held), since, _how_to_approve(campaign, situation.held))
    return _text(campaign, says, situation.sentence, since, _TO_DO[condition].format(once=command("once", campaign)))


def recovered(campaign: str, situation: Situation, told: Told) -> Text:
    """Return what is told when a campaign is good again."""
    was = " and ".join(Condition(word).value for word in told.what)
    return _text(
        campaign,
        "is good again",
        f"The last pass was good; it was told to be {was} before.",
        f"Since {moment(situation.since)}.",
        "Nothing is to be done.",
    )


def late_suppression(campaign: str, situation: Situation, now: datetime, *, still: bool) -> Text:
    """Return what is told of suppressed customers who cannot be taken out."""
    who, once = counted(situation.late, "customer"), command("once", campaign)
    return _text(
        campaign,
        f"{'still ' if still else ''}has {who} who must not be called",
        f"{who} of the suppression list {'is' if situation.late == 1 else 'are'} not known to be out of the campaign: "
        "the vendor refuses while a record is with an agent, or does not answer. Each pass tries again.",
        _since(situation.late_since or now, now),
        f"Have the agents end these calls. `syncd status` and `{once}` tell why it cannot be done.",
    )


def suppressed_at_last(campaign: str) -> Text:
    """Return what is told when no suppressed customer waits any more."""
    return _text(
        campaign,
        "has no late suppression any more",
        "Whoever must not be called is out of the campaign, or is not waited for any longer than is usual.",
        "Nothing is to be done.",
    )


def many_suppressions(campaign: str, customers: int, at: datetime) -> Text:
    """Return what is told when the suppression list names many customers of the campaign at once."""
    return _text(
        campaign,
        f"loses {counted(customers, 'customer')} to the suppression list",
        f"One reading of the suppression list named {counted(customers, 'customer')} of the campaign. They are taken "
        "out, since suppressions are never held.",
        f"At {moment(at)}.",
        "If the list is right nothing is to be done. If it is not, correct it: the next pass adds them again.",
    )


def end(campaign: str, ends_at: datetime, now: datetime) -> Text:
    """Return what is told of a campaign's end-time."""
    return _text(
        campaign,
        f"ends at {moment(ends_at)}",
        f"Its end-time at the vendor comes in {duration(ends_at - now)}; a campaign that has reached it is final.",
        "If it is to go on, set a later end-time at the vendor.",
    )


def state_lost(why: str, since: datetime, now: datetime, *, still: bool) -> Text:
    """Return what is told of a state that is out of reach."""
    return Text(
        f"syncd: the state database is {'still ' if still else ''}out of reach",
        _lines(
            why, _since(since, now), "Nothing is sent without it, suppressions included. `syncd check` looks at it."
        ),
    )


def state_found() -> Text:
    """Return what is told when the state is back."""
    return Text("syncd: the state database is back", "Passes go on. Nothing is to be done.")


def _held(plan: HeldPlan) -> str:
    changes = f"{counted(plan.removals, 'removal')} and {counted(plan.additions, 'addition')}"
    return f"{changes} wait for a person, or until the source is back within the limits: {'; '.join(plan.sentences)}."


def _how_to_approve(campaign: str, plan: HeldPlan) -> str:
    look, approve = command("held", campaign), command("approve", campaign, plan.digest)
    return f"`{look}` shows whom it concerns, `{approve}` lets it through."


def _text(campaign: str, says: str, *lines: str) -> Text:
    return Text(f"syncd: campaign {campaign} {says}", _lines(*lines))


def _lines(*lines: str) -> str:
    return "\n".join(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for line in lines if line)


def _since(then: datetime, now: datetime) -> str:
    return f"Since {moment(then)}, for {duration(now - then)}."

"""Notices: which of them are due to one receiver. Pure code over the state of a campaign and what was told before.

:func:`due` is asked after each pass and may be asked at any time in between: what it answers is due until it was told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from syncd.config import NotifySettings
from syncd.report import notice_words as words
from syncd.report.notice_words import Text
from syncd.state.notices import Situation, Subject, Told
from syncd.words import Condition

AHEAD: Final = timedelta(days=1)
"""How long before its end-time a campaign's end is told."""

GRAVITY: Final = (Condition.PARTIAL, Condition.HELD, Condition.BLOCKED, Condition.FAILING)
"""The conditions that are trouble, the gravest last. A campaign that a person paused is as it should be."""

AT_ONCE: Final = frozenset({Condition.HELD, Condition.BLOCKED})
"""Conditions that wait for a person; the others often pass by themselves."""


class Urgency(StrEnum):
    """How a receiver may show a notice."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


URGENCY: Final = {Condition.PARTIAL: Urgency.WARNING, Condition.HELD: Urgency.WARNING}
"""Of conditions; the others are failures."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message."""

    subject: Subject
    urgency: Urgency
    text: Text
    what: tuple[str, ...] | None
    """What its receiver has then been told of the subject; None: that it is over."""


def due(
    campaign: str,
    situation: Situation,
    told: Mapping[Subject, Told],
    settings: NotifySettings,
    now: datetime,
    *,
    ends_at: datetime | None = None,
) -> list[Notice]:
    """Return what a receiver is to be told of a campaign now, given what it was told before; the gravest first.

    ``ends_at`` is the campaign's end-time, where the vendor was asked for it.
    """
    notices = (
        _late_suppression(campaign, situation, told.get(Subject.LATE_SUPPRESSION), settings, now),
        _many_suppressions(campaign, situation, told.get(Subject.MANY_SUPPRESSIONS)),
        _trouble(campaign, situation, told.get(Subject.TROUBLE), settings, now),
        _end(campaign, ends_at, told.get(Subject.END), now),
    )
    return [notice for notice in notices if notice is not None]


def _trouble(
    campaign: str, situation: Situation, told: Told | None, settings: NotifySettings, now: datetime
) -> Notice | None:
    """Tell once of each condition that is worse than those told before, or that waits for a person; then of the end.

    A condition that is less bad than one told before is no news, so that a campaign that goes back and forth is told
    of once, and then when it has recovered.
    """
    condition = situation.condition
    if condition is Condition.OK and told:
        return Notice(Subject.TROUBLE, Urgency.SUCCESS, words.recovered(campaign, situation, told), None)
    if condition not in GRAVITY or _told_as_late_suppression(situation):
        return None
    before = told.what if told else ()
    news = condition.value not in before and (condition in AT_ONCE or _worse(condition, before))
    if news and _lasted(situation, told, settings, now):
        text = words.trouble(campaign, situation, now)
    elif told and now - told.at >= settings.remind:
        text = words.trouble(campaign, situation, now, still=True)
    else:
        return None
    what = tuple(c.value for c in GRAVITY if c is condition or c.value in before)
    return Notice(Subject.TROUBLE, URGENCY.get(condition, Urgency.FAILURE), text, what)


def _told_as_late_suppression(situation: Situation) -> bool:
    """Return whether the campaign is partial for what has a notice of its own."""
    return situation.condition is Condition.PARTIAL and situation.late > 0


def _worse(condition: Condition, before: tuple[str, ...]) -> bool:
    return all(GRAVITY.index(condition) > GRAVITY.index(Condition(word)) for word in before)


def _lasted(situation: Situation, told: Told | None, settings: NotifySettings, now: datetime) -> bool:
    """Return whether a condition is to be told by now.

    Where nothing was told yet the time counts from the beginning of the trouble: a campaign that is failing and partial
    by turns is in trouble all the time.
    """
    if situation.condition in AT_ONCE:
        return True
    began = situation.since if told else min(situation.since, situation.trouble_since or situation.since)
    return now - began >= settings.after


def _late_suppression(
    campaign: str, situation: Situation, told: Told | None, settings: NotifySettings, now: datetime
) -> Notice | None:
    subject = Subject.LATE_SUPPRESSION
    if not situation.late:
        return Notice(subject, Urgency.SUCCESS, words.suppressed_at_last(campaign), None) if told else None
    if told and now - told.at < settings.remind:
        return None
    text = words.late_suppression(campaign, situation, now, still=told is not None)
    return Notice(subject, Urgency.FAILURE, text, ())


def _many_suppressions(campaign: str, situation: Situation, told: Told | None) -> Notice | None:
    """Tell once of each reading of the list that names many. It is not held, so that nothing ends it."""
    if situation.many_at is None:
        return None
    what = (situation.many_at.isoformat(),)
    if told and told.what == what:
        return None
    text = words.many_suppressions(campaign, situation.many, situation.many_at)
    return Notice(Subject.MANY_SUPPRESSIONS, Urgency.WARNING, text, what)


def _end(campaign: str, ends_at: datetime | None, told: Told | None, now: datetime) -> Notice | None:
    if ends_at is None or not now < ends_at <= now + AHEAD:
        return None
    what = (ends_at.astimezone(UTC).isoformat(),)
    if told and told.what == what:
        return None
    return Notice(Subject.END, Urgency.WARNING, words.end(campaign, ends_at, now), what)

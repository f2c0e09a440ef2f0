"""The status page: one server-rendered document, without a script and without anything from elsewhere.

What is in it comes from configuration, source and vendor, and is escaped; the policy that goes with it lets nothing run
or load but its own style sheet.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from syncd import __version__
from syncd.errors import StateUnavailable
from syncd.report import status
from syncd.report.chart import chart
from syncd.report.shown import Shown
from syncd.report.status import Fact
from syncd.report.words import PARKED, ago, counted, moment, plain
from syncd.state.overview import Overview
from syncd.words import Condition

RELOAD: Final = 60
"""Seconds after which a page that is left open asks anew."""

_TONES: Final = {
    Condition.OK: "good",
    Condition.PARTIAL: "warn",
    Condition.HELD: "warn",
    Condition.BLOCKED: "bad",
    Condition.FAILING: "bad",
}
"""The colour of a condition; of the others nobody has to take notice."""

_ORDER: Final = ("bad", "warn", "good", "rest")

_LONGEST: Final = 2000
"""Characters that are shown of what source or vendor said."""

_TOLD_OTHERWISE: Final = frozenset({"last pass", "counts", "held", "parked"})
"""Facts of the status that stand in a form of their own on the page."""

_environment = Environment(
    loader=PackageLoader("syncd.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _style_hash() -> str:
    style = _environment.get_template("page.css").render()
    return b64encode(sha256(style.encode()).digest()).decode()


HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_style_hash()}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
"""What the page is sent with."""


def render(shown: Sequence[Shown], now: datetime) -> str:
    """Return the page: what needs somebody first, among equals in the order of the configuration."""
    cards = [_Card(one, now) for one in shown]
    cards.sort(key=lambda card: (card.healthy, _ORDER.index(card.tone)))
    return _render(now, cards=cards, trouble=None)


def render_without_state(error: StateUnavailable, now: datetime) -> str:
    """Return the page while the state is out of reach: that it is, why, and what to do."""
    return _render(now, cards=[], trouble=_said(error.sentence()))


def _render(now: datetime, *, cards: Sequence["_Card"], trouble: str | None) -> str:
    needing = [card for card in cards if not card.healthy]
    return _environment.get_template("page.html").render(
        cards=cards,
        trouble=trouble,
        tone="bad" if trouble else needing[0].tone if needing else "good",
        needing=len(needing),
        now=now,
        shown_now=f"{now:%Y-%m-%d %H:%M:%S} UTC",
        reload=RELOAD,
        version=__version__,
    )


@dataclass(frozen=True, slots=True)
class _Number:
    """A count and its word."""

    word: str
    count: int


class _Card:
    """One campaign, as the template asks for it."""

    def __init__(self, shown: Shown, now: datetime) -> None:
        stands, settings = shown.overview, shown.settings
        late, overdue = status.late(stands, now), shown.overdue(now)
        self.name = shown.name
        self.condition = stands.condition.value
        self.healthy = status.healthy(stands, settings, now)
        self.tone = _tone(shown, late=late, overdue=overdue)
        self.marks = [
            mark
            for mark, holds in (
                ("late suppression", late),
                ("overdue", overdue),
                ("runs now", stands.running is not None),
                ("disabled", not settings.enabled),
            )
            if holds
        ]
        self.since = _since(stands, now)
        self.next_pass = status.next_pass(stands, settings, now)
        self.brief = _brief(stands)
        self.chart = chart(stands.recent, now)
        self.steps = status.next_steps(stands, settings, now)
        self.why = _why(stands)
        self.held = stands.held
        self.held_what = _held(stands, now)
        self.numbers = _numbers(stands)
        self.parked = [(PARKED.get(reason, reason), customers) for reason, customers in stands.parked.items()]
        self.facts = _facts(shown, now)


def _tone(shown: Shown, *, late: bool, overdue: bool) -> str:
    if not shown.settings.enabled:
        return "rest"
    tone = "bad" if late else _TONES.get(shown.overview.condition, "rest")
    return "warn" if overdue and tone != "bad" else tone


def _since(stands: Overview, now: datetime) -> str:
    if stands.condition is Condition.NEW or stands.since is None:
        return "no pass yet"
    return f"since {moment(stands.since)} ({ago(stands.since, now)})"


def _why(stands: Overview) -> list[str]:
    """Return what made the campaign what it is: the limits that hold its plan, else what its last pass says."""
    if stands.held:
        return [_said(sentence) for sentence in stands.held.sentences]
    return [_said(stands.last_pass.sentence)] if stands.last_pass else []


def _said(text: str) -> str:
    return plain(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _held(stands: Overview, now: datetime) -> str:
    held = stands.held
    if held is None:
        return ""
    changes = ((held.removals, "removal"), (held.additions, "addition"))
    what = " and ".join(counted(number, noun) for number, noun in changes if number)
    return f"{what} held since {moment(held.since)} ({ago(held.since, now)})"


def _brief(stands: Overview) -> str:
    """Return the counts that a campaign is told by while nobody looks closer."""
    counts = stands.counts
    return f"{counts.desired:,} desired, {counts.listed:,} in the campaign" if counts else ""


def _numbers(stands: Overview) -> list[_Number]:
    counts = stands.counts
    if counts is None:
        return []
    sent = (_Number("then added", counts.added), _Number("then removed", counts.removed))
    return [
        _Number("desired", counts.desired),
        _Number("in campaign", counts.listed),
        _Number("ours", counts.ours),
        _Number("foreign", counts.foreign),
        _Number("completed", counts.completed),
        _Number("suppressed", counts.suppressed),
        *(number for number in sent if number.count),
    ]


def _facts(shown: Shown, now: datetime) -> list[Fact]:
    """Return what else is known, line by line."""
    stands = shown.overview
    told = [fact for fact in status.facts(stands, shown.settings, now) if fact.label not in _TOLD_OTHERWISE]
    last = stands.last_pass
    if last is None:
        return told
    ended = f"{ago(last.ended, now)}, {last.result}{status.without_news(last, now)}" if last.ended else "died"
    return [Fact("last pass", ended), *told]

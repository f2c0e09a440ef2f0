"""The sentence that says what the next pass does for a customer, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.config import CampaignSettings, Mode, Vanished
from syncd.errors import CampaignBlocked, DialerUnavailable, SourceError
from syncd.report import vendor_words
from syncd.report.explain import Chapter
from syncd.report.explain.foretelling import foretell
from syncd.report.words import RULES
from syncd.state.foretold import Decision
from syncd.state.held import HeldPlan
from syncd.state.overview import Overview, Paused
from syncd.state.parking import Parked
from syncd.state.story import HeldBack, Story
from syncd.sync.explaining import ListedNow, Look
from syncd.words import Kind, Rule

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)

ADD = Decision("add", "new", None, None, None)
REMOVE = Decision("remove", "dropped", None, None, None)
SUPPRESS = Decision("remove", "suppressed-open", None, None, None)
NOTHING = Decision(None, "in-step", None, None, None)


def look(decision: Decision, **found: Any) -> Look:
    """Return what was found where source and dialer answer and the next pass reads the listing."""
    plain = Look(
        row=None,
        source_error=None,
        on_the_list=False,
        list_error=None,
        dialer_error=None,
        records=20,
        listed=ListedNow(None, whole=True),
        observes=True,
        without_listing=decision,
        with_listing=decision,
    )
    return replace(plain, **found)


def sentence(decision: Decision, *, story: Story | None = None, overview: Any = None, **found: Any) -> str:
    settings = found.pop("settings", {})
    return foretell(
        Chapter(
            overview=replace(Overview("renewals", "acmecorp01", 125), **(overview or {})),
            story=story or Story(),
            settings=CampaignSettings(name="renewals", id=125, tenant="acme", source="crm", query="", **settings),
            look=look(decision, **found),
        )
    )


def held(removals: int, additions: int) -> dict[str, object]:
    return {"held": HeldPlan(1, "abc", NOW, ("why",), removals, additions)}


@pytest.mark.parametrize("rule", Rule)
def test_whatever_the_rule_the_sentence_says_why(rule: Rule) -> None:
    told = sentence(Decision(None, rule.value, None, None, None))
    assert told == f"The next pass does nothing, because it {RULES[rule]}."


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_change_is_told_by_what_it_does(kind: Kind) -> None:
    told = sentence(Decision(kind.value, "new", "too-far-ahead" if kind is Kind.PARK else None, None, None))
    assert told.startswith("The next pass ")
    assert "does nothing" not in told


def test_a_call_at_a_time_is_told_with_it() -> None:
    assert "to be called at 2026-11-24 11:00 UTC, because" in sentence(replace(ADD, send_at=LATER))


def test_what_the_settings_leave_alone_is_told() -> None:
    vanished = Decision(None, "vanished", None, None, None)
    told = sentence(vanished, settings={"vanished": Vanished.LEAVE})
    assert told.endswith("left the campaign without syncd's doing, which the campaign leaves so.")
    dropped = Decision(None, "dropped", None, None, None)
    told = sentence(dropped, settings={"mode": Mode.ADD_ONLY})
    assert told.endswith("needs no call any more; but the campaign is add-only.")


def test_a_reschedule_beyond_the_week_is_not_begun_and_says_so() -> None:
    told = sentence(Decision(None, "time-changed", "weekly-limit", None, None))
    assert told.endswith(" because it needs a call at another time: added as often as allowed in a week.")


@pytest.mark.parametrize(
    ("next_try", "given_up", "until"),
    [
        (LATER, False, "; next try at 2026-11-24 11:00 UTC, or when its row changes."),
        (None, False, "; until its row changes."),
        (None, True, "; given up, until its row changes or `syncd retry`."),
    ],
)
def test_a_parked_customer_is_told_with_the_vendors_words(
    next_try: datetime | None, given_up: bool, until: str
) -> None:
    parked = Parked(7, "vendor-dnc", "In DNC\x07 list.", NOW, NOW, 1, next_try, given_up)
    told = sentence(Decision(None, "parked", None, None, None), story=Story(parked=parked))
    assert told.endswith(f"is parked: on the vendor's own do-not-call list (In DNC list.){until}")


def test_what_waits_for_a_listing_is_told_with_when_it_is_due() -> None:
    waiting = replace(REMOVE, kind=None)
    told = sentence(
        waiting,
        observes=False,
        with_listing=REMOVE,
        overview={"listed_at": NOW},
        settings={"list_every": timedelta(hours=2)},
    )
    assert told == (
        "The next pass does nothing, because it needs no call any more; the next one that reads the listing, due at"
        " 2026-11-24 11:00 UTC, removes the record, because it needs no call any more."
    )


def test_what_depends_on_a_listing_that_was_not_read_says_so() -> None:
    assert sentence(REMOVE, listed=None).endswith(", if the listing shows then what it showed the last time.")
    assert "if the listing" not in sentence(SUPPRESS, listed=None)
    assert "if the listing" not in sentence(NOTHING, listed=None)


def test_a_pause_a_block_and_a_failing_source_stop_all_but_suppressions() -> None:
    paused = {"paused": Paused(NOW, "somebody", "strike")}
    blocked = CampaignBlocked("renewals", "it is stopped")
    failing = SourceError("crm", "it is gone")
    assert sentence(ADD, overview=paused).startswith("Nothing while the campaign is paused: strike; ")
    assert sentence(ADD, dialer_error=blocked) == "Nothing while the campaign is blocked: it is stopped."
    assert sentence(ADD, source_error=failing).startswith("Nothing while the source cannot be read")
    for found in ({"overview": paused}, {"source_error": failing}):
        assert sentence(SUPPRESS, **found).startswith("The next pass removes the record")
    assert "tries all the same to remove the record" in sentence(SUPPRESS, dialer_error=blocked)


def test_a_tenant_that_does_not_answer_just_now_changes_nothing_of_what_is_planned() -> None:
    told = sentence(ADD, listed=None, dialer_error=DialerUnavailable("acme", "it does not answer"))
    assert told.startswith("The next pass adds the customer")


def test_what_is_held_is_told_with_the_command_and_what_may_be_with_the_digest() -> None:
    mine = Story(held=(HeldBack("abc", "add", "new", NOW),))
    assert sentence(ADD, story=mine, overview=held(0, 1)).endswith(
        " But the guard holds it: `syncd approve renewals abc` lets it through."
    )
    assert sentence(ADD, overview=held(0, 1)).endswith(
        " But the guard holds such changes (abc), and may hold this one too."
    )
    assert "guard" not in sentence(ADD, overview=held(1, 0))
    assert "guard" in sentence(REMOVE, overview=held(1, 0))
    assert "guard" not in sentence(SUPPRESS, overview=held(1, 1))


def test_nobody_is_added_without_a_suppression_list_but_removals_go_on() -> None:
    failing = SourceError("crm", "it is gone")
    assert sentence(ADD, list_error=failing).endswith(" But nobody is added while the suppression list cannot be read.")
    assert "nobody is added" not in sentence(REMOVE, list_error=failing)


def test_no_pass_comes_over_a_campaign_that_is_disabled_or_gone() -> None:
    assert sentence(ADD, settings={"enabled": False}).startswith("No pass comes by itself: the campaign is disabled")
    gone = Chapter(overview=Overview("old", "acmecorp01", 7), story=Story())
    assert foretell(gone).startswith("No pass comes: ")


def test_a_record_is_told_without_what_every_record_begins_with() -> None:
    assert vendor_words.record(0, 0, 1000, {}) == "new"
    assert vendor_words.record(3, 1, 2001, {2001: "Promise"}) == "completed, max attempts reached; disposition: Promise"
    assert vendor_words.record(9, 9, 4711, {}) == "9, 9; disposition: 4711"
    assert vendor_words.record(None, None, None, {}) == "in an unknown status"

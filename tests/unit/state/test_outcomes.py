"""What each outcome makes of a ledger row, and what a listing proves of a call that nobody answered."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from syncd.state import outcomes
from syncd.state.claims import Settlement, Unanswered, settlement
from syncd.state.ledger import PARK
from syncd.state.outcomes import Again, Effect, Parking, Presence, Subject, Trust, effect_of
from syncd.words import Kind, Outcome, Reason

NEW = Subject(presence=None, stand="open", called=False, unlisted=True, observed=False)
OPEN = Subject(presence=Presence.IN, stand="open", called=False, unlisted=False, observed=True)
WITH_AGENT = Subject(presence=Presence.IN, stand="agent", called=False, unlisted=False, observed=True)
UNKNOWN_STATUS = Subject(presence=Presence.IN, stand="unknown", called=False, unlisted=False, observed=True)
OWED = Subject(presence=Presence.OWED, stand="open", called=False, unlisted=False, observed=True)
OWED_RECALL = Subject(presence=Presence.OWED, stand="completed", called=True, unlisted=False, observed=True)
CALLED = Subject(presence=Presence.GONE, stand="completed", called=True, unlisted=False, observed=True)
DELETES = (Kind.REMOVE, Kind.RESCHEDULE, Kind.RECALL)


def add(outcome: Outcome, reason: Reason | None = None, subject: Subject = NEW, *, time_named: bool = False) -> Effect:
    return effect_of(Kind.ADD, outcome, reason, subject, time_named=time_named)


def delete(kind: Kind, outcome: Outcome, reason: Reason | None = None, subject: Subject = OPEN) -> Effect:
    return effect_of(kind, outcome, reason, subject)


def test_an_add_makes_the_record_ours_and_counts_for_the_week() -> None:
    effect = add(Outcome.DONE)
    assert (effect.presence, effect.ours, effect.called) == (Presence.IN, True, False)
    assert effect.added and effect.counted and effect.taken and effect.forget_status  # noqa: PT018
    assert effect.trust is Trust.CONFIRM
    assert not effect.rescheduled
    assert not effect.recalled
    assert effect.settled


def test_the_second_half_of_a_reschedule_is_counted_as_one_and_that_of_a_recall_as_a_recall() -> None:
    assert add(Outcome.DONE, subject=OWED).rescheduled
    assert not add(Outcome.DONE, subject=OWED).recalled
    assert add(Outcome.DONE, subject=OWED_RECALL).recalled
    assert not add(Outcome.DONE, subject=OWED_RECALL).rescheduled
    assert add(Outcome.DONE, subject=OWED_RECALL).called is False, "until the new record's call is seen"


def test_a_duplicate_is_adopted_and_counts_for_no_week() -> None:
    effect = add(Outcome.ALREADY, Reason.DUPLICATE)
    assert (effect.presence, effect.ours, effect.trust) == (Presence.IN, True, Trust.END)
    assert not effect.counted
    assert effect.parking is None
    assert effect.unforeseen


def test_a_duplicate_that_a_listing_of_this_pass_does_not_show_is_parked() -> None:
    subject = Subject(presence=None, stand="open", called=False, unlisted=True, observed=True)
    effect = add(Outcome.ALREADY, Reason.DUPLICATE, subject)
    assert effect.parking == Parking(Reason.NOT_LISTED, Again.BACK_OFF)
    assert effect.presence is Presence.IN, "the suppression lane has to find it"


def test_a_duplicate_after_the_delete_of_a_reschedule_is_unknown() -> None:
    assert not add(Outcome.ALREADY, Reason.DUPLICATE, OWED).settled


def test_a_recall_that_meets_its_own_old_record_waits() -> None:
    effect = add(Outcome.ALREADY, Reason.DUPLICATE, OWED_RECALL)
    assert effect.parking == Parking(Reason.RECALL_DUPLICATE, Again.ROW_CHANGE)
    assert effect.presence is Presence.IN
    assert effect.settled


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        (Reason.NOT_IN_CRM, Again.BACK_OFF),
        (Reason.UNKNOWN_TEXT, Again.BACK_OFF),
        (Reason.INVALID_VALUE, Again.ROW_CHANGE),
        (Reason.VENDOR_DNC, Again.ROW_CHANGE),
        (Reason.OUTSIDE_SCHEDULE, Again.ROW_CHANGE),
        (Reason.TOO_FAR_AHEAD, Again.BACK_OFF),
        (Reason.SCHEDULE_LIMIT, Again.SOON),
    ],
)
def test_a_refused_customer_is_parked_until_the_reason_can_have_passed(reason: Reason, again: Again) -> None:
    for outcome in (Outcome.REFUSED, Outcome.DEFERRED):
        assert add(outcome, reason).parking == Parking(reason, again)
        assert add(outcome, reason).presence is None
        assert add(outcome, reason, OWED).presence is Presence.REMOVED, "nothing is owed to whom the vendor refuses"
    assert add(Outcome.REFUSED, reason, time_named=True).parking == Parking(reason, Again.AT)


def test_a_time_that_passed_on_its_way_parks_nobody() -> None:
    assert add(Outcome.REFUSED, Reason.IN_THE_PAST) == add(Outcome.DEFERRED, Reason.IN_THE_PAST) == Effect()


def test_a_delete_takes_the_record_out_or_leaves_an_add_owed() -> None:
    for kind, presence in (
        (Kind.REMOVE, Presence.REMOVED),
        (Kind.RESCHEDULE, Presence.OWED),
        (Kind.RECALL, Presence.OWED),
    ):
        effect = delete(kind, Outcome.DONE)
        assert (effect.presence, effect.trust) == (presence, Trust.CONFIRM)
        assert effect.settles_older
        assert effect.ours is None, "ours until two whole listings do not show it"


def test_a_record_found_gone_was_not_taken_out_by_us() -> None:
    assert delete(Kind.REMOVE, Outcome.ALREADY, Reason.NOT_FOUND).presence is Presence.GONE
    assert delete(Kind.RESCHEDULE, Outcome.ALREADY, Reason.NOT_FOUND).presence is Presence.OWED


@pytest.mark.parametrize("subject", [WITH_AGENT, UNKNOWN_STATUS])
@pytest.mark.parametrize("kind", DELETES)
def test_a_record_found_gone_after_an_agent_had_it_owes_no_add(kind: Kind, subject: Subject) -> None:
    assert delete(kind, Outcome.ALREADY, Reason.NOT_FOUND, subject).presence is Presence.GONE


@pytest.mark.parametrize("kind", [Kind.REMOVE, Kind.RESCHEDULE])
def test_a_delete_refused_as_completed_makes_the_customer_called(kind: Kind) -> None:
    effect = delete(kind, Outcome.ALREADY, Reason.COMPLETED)
    assert (effect.presence, effect.called, effect.status, effect.tried) == (Presence.IN, True, 3, True)


def test_a_recall_goes_on_although_its_old_record_cannot_be_deleted() -> None:
    assert delete(Kind.RECALL, Outcome.ALREADY, Reason.COMPLETED).presence is Presence.OWED


@pytest.mark.parametrize("kind", DELETES)
def test_a_delete_refused_because_of_an_agent_makes_the_record_be_with_one(kind: Kind) -> None:
    effect = delete(kind, Outcome.DEFERRED, Reason.WITH_AGENT)
    assert (effect.presence, effect.status, effect.called) == (Presence.IN, 2, None)
    assert effect.unforeseen
    assert not delete(kind, Outcome.DEFERRED, Reason.WITH_AGENT, WITH_AGENT).unforeseen


@pytest.mark.parametrize("kind", [*DELETES, Kind.ADD])
def test_what_nobody_answered_stays_claimed_and_changes_nothing(kind: Kind) -> None:
    effect = effect_of(kind, Outcome.UNKNOWN, Reason.NO_ANSWER, OPEN)
    assert effect == Effect(settled=False, unforeseen=True)


@pytest.mark.parametrize("kind", [*DELETES, Kind.ADD])
def test_what_was_not_carried_out_voids_its_claim_and_changes_nothing(kind: Kind) -> None:
    assert effect_of(kind, Outcome.FAILED, Reason.NOT_SENT, OPEN) == Effect()


def test_a_delete_of_a_completed_record_that_is_answered_without_a_word_that_tells_was_tried() -> None:
    completed = Subject(presence=Presence.IN, stand="completed", called=True, unlisted=False, observed=True)
    told_nothing = delete(Kind.REMOVE, Outcome.UNKNOWN, Reason.UNKNOWN_TEXT, completed)
    assert told_nothing == Effect(settled=False, unforeseen=True, tried=True)
    waits = delete(Kind.RECALL, Outcome.UNKNOWN, Reason.UNKNOWN_TEXT, completed)
    assert waits == Effect(
        settled=False, unforeseen=True, parking=Parking(Reason.RECALL_DUPLICATE, Again.ROW_CHANGE)
    ), "a recall waits until the record is gone, or the row changes"
    assert not delete(Kind.REMOVE, Outcome.UNKNOWN, Reason.NO_ANSWER, completed).tried
    assert not delete(Kind.REMOVE, Outcome.UNKNOWN, Reason.UNKNOWN_TEXT, OPEN).tried
    assert delete(Kind.RECALL, Outcome.UNKNOWN, Reason.UNKNOWN_TEXT, OPEN).parking is None


def test_nobody_becomes_uncalled_but_by_an_add() -> None:
    for kind, outcome, subject in product(DELETES, Outcome, (NEW, OPEN, WITH_AGENT, OWED, OWED_RECALL)):
        for reason in (None, *Reason):
            assert effect_of(kind, outcome, reason, subject).called is not False


def test_an_effect_that_says_nothing_settles_the_claim_and_touches_nothing_else() -> None:
    said = asdict(Effect())
    assert said.pop("settled")
    assert said.pop("trust") is Trust.KEEP
    assert not any(said.values())
    assert {name: value for name, value in said.items() if value is not False} == dict.fromkeys(
        ("presence", "ours", "called", "status", "parking")
    ), "None leaves a column as it is, where False would write it"


WHOLE: dict[str, tuple[Effect, Effect]] = {
    "an add that was taken": (
        add(Outcome.DONE),
        Effect(
            presence=Presence.IN, ours=True, called=False, forget_status=True, trust=Trust.CONFIRM, taken=True,
            added=True, counted=True,
        ),
    ),
    "a Duplicate": (
        add(Outcome.ALREADY, Reason.DUPLICATE),
        Effect(presence=Presence.IN, ours=True, trust=Trust.END, taken=True, unforeseen=True),
    ),
    "a Duplicate that an older listing does not show": (
        add(Outcome.ALREADY, Reason.DUPLICATE, NEW),
        Effect(presence=Presence.IN, ours=True, trust=Trust.END, taken=True, unforeseen=True),
    ),
    "a Duplicate that this listing shows": (
        add(Outcome.ALREADY, Reason.DUPLICATE, OPEN),
        Effect(presence=Presence.IN, ours=True, trust=Trust.END, taken=True, unforeseen=True),
    ),
    "a Duplicate of a called customer whose old record had left": (
        add(Outcome.ALREADY, Reason.DUPLICATE, CALLED),
        Effect(presence=Presence.IN, ours=True, trust=Trust.END, taken=True, unforeseen=True),
    ),
    "a refusal for which the vendor names no time": (
        effect_of(Kind.ADD, Outcome.REFUSED, Reason.NOT_IN_CRM, NEW),
        Effect(parking=Parking(Reason.NOT_IN_CRM, Again.BACK_OFF)),
    ),
    "a recall that met its own old record": (
        add(Outcome.ALREADY, Reason.DUPLICATE, OWED_RECALL),
        Effect(
            presence=Presence.IN, trust=Trust.END, parking=Parking(Reason.RECALL_DUPLICATE, Again.ROW_CHANGE),
            unforeseen=True,
        ),
    ),
    "a Duplicate after the delete of a reschedule": (
        add(Outcome.ALREADY, Reason.DUPLICATE, OWED), Effect(settled=False, unforeseen=True),
    ),
    "a refusal without a reason": (
        add(Outcome.REFUSED), Effect(parking=Parking(Reason.UNKNOWN_TEXT, Again.BACK_OFF)),
    ),
    "a delete that was carried out": (
        delete(Kind.REMOVE, Outcome.DONE),
        Effect(presence=Presence.REMOVED, trust=Trust.CONFIRM, settles_older=True),
    ),
    "a delete of a completed record": (
        delete(Kind.REMOVE, Outcome.ALREADY, Reason.COMPLETED),
        Effect(
            presence=Presence.IN, called=True, status=3, trust=Trust.END, tried=True, settles_older=True,
            unforeseen=True,
        ),
    ),
    "the delete of a recall": (
        delete(Kind.RECALL, Outcome.ALREADY, Reason.COMPLETED),
        Effect(presence=Presence.OWED, trust=Trust.CONFIRM, settles_older=True),
    ),
    "a delete of what an agent had and is gone": (
        delete(Kind.REMOVE, Outcome.ALREADY, Reason.NOT_FOUND, WITH_AGENT),
        Effect(presence=Presence.GONE, trust=Trust.CONFIRM, settles_older=True, unforeseen=True),
    ),
    "a delete of what is gone": (
        delete(Kind.REMOVE, Outcome.ALREADY, Reason.NOT_FOUND),
        Effect(presence=Presence.GONE, trust=Trust.CONFIRM, settles_older=True, unforeseen=True),
    ),
    "a delete of what an agent has": (
        delete(Kind.REMOVE, Outcome.DEFERRED, Reason.WITH_AGENT),
        Effect(presence=Presence.IN, status=2, trust=Trust.END, settles_older=True, unforeseen=True),
    ),
    "a delete that is put off in other words": (
        delete(Kind.REMOVE, Outcome.DEFERRED, Reason.UNKNOWN_TEXT), Effect(settles_older=True),
    ),
    "a delete that is refused": (delete(Kind.REMOVE, Outcome.REFUSED, Reason.UNKNOWN_TEXT), Effect(settles_older=True)),
    "an adoption": (outcomes.ADOPT, Effect(ours=True, taken=True)),
    "a release": (outcomes.RELEASE, Effect(ours=False)),
    "who is taken for called": (outcomes.TAKEN_FOR_CALLED, Effect(called=True)),
}  # fmt: skip


@pytest.mark.parametrize("what", WHOLE)
def test_nothing_becomes_of_a_row_but_what_is_said(what: str) -> None:
    found, said = WHOLE[what]
    assert found == said


def test_the_words_of_the_ledger_are_those_that_peoples_own_sql_reads() -> None:
    assert [word.value for word in Presence] == ["in", "removed", "owed", "gone"]


def test_when_a_parked_customer_is_tried_again_is_said_in_the_words_that_parking_asks_for() -> None:
    asked = [again for again in Again if f"'{again}'" in PARK]
    assert asked == [Again.BACK_OFF, Again.SOON, Again.AT], "anything else waits for another row"


def test_a_back_off_begins_with_a_quarter_of_an_hour_and_grows_to_a_day() -> None:
    assert timedelta(minutes=15) == outcomes.BACK_OFF_FIRST
    assert timedelta(hours=24) == outcomes.BACK_OFF_MOST


def unanswered(
    kind: Kind,
    *,
    before: bool | None,
    now: bool,
    now_completed: bool = False,
    presence: str | None = None,
    confirmed: bool = False,
    recognised: bool = True,
) -> Unanswered:
    return Unanswered(
        id=1,
        pass_=1,
        kind=kind,
        sent_at=datetime(2026, 11, 24, tzinfo=UTC),
        customer=7,
        wanted_at=None,
        version=None,
        before=before,
        now=now,
        now_completed=now_completed,
        presence=presence,
        recognised=recognised,
        confirmed=confirmed,
        called=False,
        stand="open",
    )


@pytest.mark.parametrize("whole", [False, True])
def test_an_add_is_proved_by_being_shown_in_any_listing(whole: bool) -> None:
    assert settlement(unanswered(Kind.ADD, before=None, now=True), whole=whole, this_pass=2) is Settlement.DONE


def test_an_add_is_void_when_two_whole_listings_do_not_show_it() -> None:
    first, second = (unanswered(Kind.ADD, before=before, now=False) for before in (None, False))
    assert settlement(first, whole=True, this_pass=2) is Settlement.WAIT
    assert settlement(second, whole=False, this_pass=3) is Settlement.WAIT
    assert settlement(second, whole=True, this_pass=3) is Settlement.VOID


def test_an_add_that_no_listing_could_show_is_taken_for_done_rather_than_forgotten() -> None:
    first, second = (unanswered(Kind.ADD, before=before, now=False, recognised=False) for before in (None, False))
    assert settlement(first, whole=True, this_pass=2) is Settlement.WAIT
    assert settlement(second, whole=False, this_pass=3) is Settlement.WAIT
    assert settlement(second, whole=True, this_pass=3) is Settlement.DONE


def test_a_deleted_record_that_is_still_shown_proves_no_add() -> None:
    shown = unanswered(Kind.ADD, before=None, now=True, presence="owed", confirmed=True)
    assert settlement(shown, whole=True, this_pass=2) is not Settlement.DONE


def test_a_completed_record_serves_a_recall_that_nobody_answered() -> None:
    made = unanswered(Kind.ADD, before=None, now=True, now_completed=True, presence="owed", confirmed=True)
    assert settlement(made, whole=True, this_pass=2) is Settlement.DONE, "better one recall lost than one rung twice"


@pytest.mark.parametrize("kind", DELETES)
def test_a_delete_is_settled_by_two_whole_listings_in_a_row_that_agree(kind: Kind) -> None:
    for before, now in product((None, False, True), (False, True)):
        claim = unanswered(kind, before=before, now=now, presence="in")
        settled = (Settlement.VOID if now else Settlement.ALREADY) if before is now else Settlement.WAIT
        assert settlement(claim, whole=True, this_pass=2) is settled
        assert settlement(claim, whole=False, this_pass=2) is Settlement.WAIT
        assert settlement(claim, whole=True, this_pass=1) is Settlement.WAIT, "a listing of the same pass may be older"

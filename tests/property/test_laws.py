"""The laws themselves: each notices what it forbids, and lets be what the design allows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.config import CampaignSettings, GuardSettings, RecallWhen, Removes
from syncd.simulator import Call, Entry
from tests.property import laws
from tests.property.observer import Claim, Good, Journaled, LedgerRow, Memory, PassSeen, State
from tests.property.town import Row
from tests.property.virtual_clock import BEGIN
from tests.property.wire import Carried

SETTINGS = CampaignSettings(name="renewals", id=125, tenant="acme", source="crm", query="SELECT * FROM due")
OUT = LedgerRow(1, "removed", True, False, None, None, None, None)
OURS = LedgerRow(1, "in", True, False, 0, None, None, None)
FOREIGN = replace(OURS, ours=False)
CALLED = replace(OURS, called=True, status=3)
ASAP = Row(None, "b")


def state(*rows: LedgerRow, claims: tuple[Claim, ...] = (), good: tuple[Good, ...] = ()) -> State:
    numbered = {customer: replace(row, customer=customer) for customer, row in enumerate(rows, start=1)}
    return State(numbered, list(claims), {}, frozenset(), list(good), running=7)


def call(kind: Call, *customers: int, done: bool = True) -> Carried:
    entry = Entry(number=1, at=BEGIN, moment=0.0, call=kind, campaign=125, status=207, delivered=True)
    entry.asked = tuple((customer, None) for customer in customers)
    entry.done = customers if done else ()
    return Carried(entry, frozenset(customers))


def line(customer: int, kind: str, outcome: str = "done") -> Journaled:
    return Journaled(BEGIN, customer, kind, "new", outcome, None, approved=False)


def seen(*carried: Carried, before: State | None = None, **facts: object) -> PassSeen:
    known = before or state()
    return PassSeen(
        **{  # type: ignore[arg-type]
            "settings": SETTINGS,
            "list_fails": False,
            "judged_at": BEGIN,
            "before": known,
            "planned": known,
            "after": known,
            "ended": True,
            "carried": list(carried),
            **facts,
        }
    )


def breaks(law: object, *given: object) -> None:
    with pytest.raises(AssertionError):
        law(*given)  # type: ignore[operator]


def test_adding_who_is_suppressed_is_noticed() -> None:
    one = frozenset({1})
    breaks(laws.nobody_suppressed_is_added, seen(call(Call.ADD, 1), suppressed_at_read=one, suppressed_at_end=one))
    laws.nobody_suppressed_is_added(seen(call(Call.ADD, 1), suppressed_at_end=one))


def test_adding_anybody_without_the_suppression_list_is_noticed() -> None:
    breaks(laws.nobody_suppressed_is_added, seen(call(Call.ADD, 1), list_fails=True))


def test_another_change_before_a_suppressed_record_is_asked_out_is_noticed() -> None:
    one = frozenset({1})
    facts = {"suppressed_at_start": one, "suppressed_ever": one, "suppressed_at_end": one, "before": state(OURS)}
    breaks(laws.the_suppressed_go_first, seen(call(Call.ADD, 2), call(Call.DELETE, 1), **facts))
    laws.the_suppressed_go_first(seen(call(Call.DELETE, 1), call(Call.ADD, 2), **facts))


def test_deleting_a_foreign_record_is_noticed() -> None:
    breaks(laws.only_ours_is_deleted, seen(call(Call.DELETE, 1), before=state(FOREIGN)))
    laws.only_ours_is_deleted(seen(call(Call.DELETE, 1), before=state(OURS)))
    everything = replace(SETTINGS, removes=Removes.ALL)
    laws.only_ours_is_deleted(seen(call(Call.DELETE, 1), before=state(FOREIGN), settings=everything))
    breaks(
        laws.only_ours_is_deleted,
        seen(call(Call.DELETE, 1), before=state(FOREIGN), settings=everything, due={1: ASAP}),
    )


@pytest.mark.parametrize(
    "limit",
    [
        {"max_removals": 1},
        {"max_removals_per_day": 2},
        {"max_removal_percent": 50, "few": 0},
        {"max_shrink_percent": 50, "few": 0},
        {"min_rows": 1, "few": 0},
    ],
)
def test_more_removals_than_a_limit_allows_are_noticed(limit: dict[str, int]) -> None:
    off = GuardSettings(min_rows=0, max_removal_percent=0, max_shrink_percent=0)
    memory = Memory(removals=[(BEGIN - timedelta(hours=5), 9)])
    facts = {"before": state(OURS, OURS, OURS)}
    sent = (call(Call.DELETE, 1), call(Call.DELETE, 2))
    laws.no_limit_is_passed(seen(*sent, settings=replace(SETTINGS, guard=off), **facts), memory)
    guard = replace(off, **limit)
    breaks(laws.no_limit_is_passed, seen(*sent, settings=replace(SETTINGS, guard=guard), **facts), memory)


@pytest.mark.parametrize(
    "limit",
    [
        {"max_new_query_additions": 1},
        {"max_growth_percent": 50, "few": 0},
        {"max_suppress_shrink_percent": 20},
        {"max_invalid_percent": 5},
        {"max_vanished_percent": 30, "few": 0},
    ],
)
def test_more_additions_than_a_limit_allows_are_noticed(limit: dict[str, int]) -> None:
    off = GuardSettings(
        max_growth_percent=0, max_suppress_shrink_percent=0, max_invalid_percent=0, max_vanished_percent=0
    )
    gone = replace(OURS, presence="gone")
    good = Good(BEGIN.date(), "another query", 1, 10, BEGIN)
    facts = {"due": {1: ASAP, 2: ASAP}, "junk": 1, "suppressed_rows": 3, "before": state(gone, gone, good=(good,))}
    laws.no_limit_is_passed(seen(call(Call.ADD, 1, 2), settings=replace(SETTINGS, guard=off), **facts), Memory())
    guard = replace(off, **limit)
    breaks(
        laws.no_limit_is_passed, seen(call(Call.ADD, 1, 2), settings=replace(SETTINGS, guard=guard), **facts), Memory()
    )


def test_adding_who_is_in_or_may_be_in_is_noticed() -> None:
    breaks(laws.nobody_is_added_twice, seen(call(Call.ADD, 1), before=state(OURS)))
    laws.nobody_is_added_twice(seen(call(Call.DELETE, 1), call(Call.ADD, 1), before=state(OURS)))
    claimed = state(OUT, claims=(Claim("add", frozenset({1})),))
    breaks(laws.nobody_is_added_twice, seen(call(Call.ADD, 1), before=claimed))
    laws.nobody_is_added_twice(seen(call(Call.ADD, 1), before=state(OUT)))


def test_adding_who_was_called_is_noticed_but_for_a_recall() -> None:
    facts = {"before": state(CALLED), "due": {1: ASAP}}
    breaks(laws.nobody_called_is_called_again, seen(call(Call.ADD, 1), **facts), Memory())
    breaks(laws.nobody_called_is_called_again, seen(call(Call.ADD, 1), due={1: ASAP}), Memory(called={1}))
    recalling = replace(SETTINGS, recall=RecallWhen.ON_VERSION)
    memory = Memory(called={1})
    memory.versions[1] = {"b"}
    breaks(laws.nobody_called_is_called_again, seen(call(Call.ADD, 1), settings=recalling, **facts), memory)
    memory.versions[1] = {"a", "b"}
    laws.nobody_called_is_called_again(seen(call(Call.ADD, 1), settings=recalling, **facts), memory)


def test_adding_somebody_more_often_than_a_week_allows_is_noticed() -> None:
    memory = Memory()
    memory.adds[1] = [BEGIN - timedelta(days=day) for day in (1, 2)]
    laws.nobody_is_rung_for_ever(seen(call(Call.ADD, 1)), memory)
    memory.adds[1].append(BEGIN - timedelta(days=6))
    breaks(laws.nobody_is_rung_for_ever, seen(call(Call.ADD, 1)), memory)


def test_what_stands_neither_in_the_journal_nor_in_a_claim_is_noticed() -> None:
    breaks(laws.what_was_done_is_on_record, seen(call(Call.ADD, 1)))
    breaks(laws.what_was_done_is_on_record, seen(call(Call.ADD, 1), ended=False))
    breaks(laws.what_was_done_is_on_record, seen(call(Call.ADD, 1), journal=[line(1, "add", "refused")]))
    breaks(laws.what_was_done_is_on_record, seen(call(Call.ADD, 1), journal=[line(1, "add", "unknown")]))
    laws.what_was_done_is_on_record(seen(call(Call.ADD, 1), journal=[line(1, "add")]))
    claimed = state(OUT, claims=(Claim("add", frozenset({1})),))
    laws.what_was_done_is_on_record(seen(call(Call.ADD, 1), ended=False, after=claimed))


def test_a_call_that_is_forgotten_is_noticed() -> None:
    breaks(laws.nothing_confirmed_is_forgotten, seen(after=state(OURS)), Memory(called={1}))
    laws.nothing_confirmed_is_forgotten(seen(after=state(CALLED)), Memory(called={1}))


def test_a_record_that_is_ours_no_more_without_a_release_is_noticed() -> None:
    breaks(laws.nothing_confirmed_is_forgotten, seen(before=state(OURS), after=state(FOREIGN)), Memory())
    breaks(laws.nothing_confirmed_is_forgotten, seen(before=state(OURS), after=state()), Memory())
    released = seen(before=state(OURS), after=state(FOREIGN), journal=[line(1, "release")])
    laws.nothing_confirmed_is_forgotten(released, Memory())


def test_a_writing_call_of_a_pass_at_rest_is_noticed() -> None:
    breaks(laws.nothing_is_written, seen(call(Call.DELETE, 1)))
    laws.nothing_is_written(seen(call(Call.LIST)))

"""The laws, each a function that holds what the observer saw of a pass, or of the end of a schedule, against it.

None of them knows how syncd decides. Where a law has an exception, the exception is the design's and says so.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from syncd.config import Mode, RecallWhen, Removes, Vanished
from syncd.simulator import Call, SimulatedRecord
from syncd.vendor import SCHEDULE_AHEAD_DAYS, RecordStatus
from tests.property.observer import Good, LedgerRow, Memory, PassSeen, State
from tests.property.town import CUSTOMERS, OPEN, Town

DELETES: Final = ("remove", "reschedule", "recall")
ADDS: Final = ("add", "adopt", "reschedule", "recall")
DAY: Final = timedelta(hours=23, minutes=59)
HOUR: Final = timedelta(minutes=59)
WEEK: Final = timedelta(days=7) - timedelta(minutes=1)
"""Spans as the observer counts: a little shorter than syncd does, for it counts from the answer."""


# --- L1: nobody suppressed is called ---------------------------------------------------------------------------------


def nobody_suppressed_is_added(seen: PassSeen) -> None:
    """Who is suppressed when the source is read, and stays so, is in no add; without the list nobody is."""
    added = seen.asked(Call.ADD)
    assert not added & seen.suppressed_at_read & seen.suppressed_at_end
    assert not (seen.list_fails and added), "the suppression list could not be read"


def the_suppressed_go_first(seen: PassSeen) -> None:
    """No other change is sent before every suppressed customer with an open record was asked to be taken out."""
    if seen.list_fails:
        return
    for suppressed, state in ((seen.suppressed_at_start, seen.before), (seen.suppressed_at_read, seen.planned)):
        if state is None:
            continue
        waiting = {c for c in suppressed & seen.suppressed_at_end if c in state.ledger and state.ledger[c].open}
        for carried in seen.carried:
            if carried.writes and carried.customers - seen.suppressed_ever:
                assert not waiting, f"{waiting} wait while {set(carried.customers)} are sent"
            elif carried.entry.call is Call.DELETE:
                waiting -= carried.customers


# --- L2: what is not ours stays --------------------------------------------------------------------------------------


def only_ours_is_deleted(seen: PassSeen) -> None:
    """Who is deleted is ours, suppressed, not wanted where all are ours to remove, or was called and is recalled."""
    for customer in seen.asked(Call.DELETE) - seen.suppressed_ever:
        known = [state.ledger[customer] for state in (seen.before, seen.planned) if state and customer in state.ledger]
        ours = any(row.ours for row in known)
        all_of_them = seen.settings.removes is Removes.ALL and customer not in seen.due
        recalled = _recalls(seen) and customer in seen.due and any(row.called for row in known)
        assert ours or all_of_them or recalled, f"{customer} is not ours"


def ours_is_what_was_added_or_wanted(seen: PassSeen, memory: Memory) -> None:
    """Whoever becomes ours was asked to be added by syncd, or was adopted because the source wants the customer."""
    assert seen.after
    before = seen.before.ledger if seen.before else {}
    adopted = {line.customer for line in seen.journal if line.kind == "adopt"}
    added = memory.tries.keys() | seen.asked(Call.ADD) | seen.about_to_add()
    assert adopted <= seen.due.keys()
    for customer, row in seen.after.ledger.items():
        if row.ours and not (customer in before and before[customer].ours):
            assert customer in adopted | added, f"{customer} was never ours"


# --- L3: no more than the guard allows -------------------------------------------------------------------------------


def no_limit_is_passed(seen: PassSeen, memory: Memory) -> None:
    """What goes out unapproved is within each limit of the guard, counted anew."""
    if seen.planned is None or seen.judged_at is None:
        return
    limits = seen.settings.guard
    removed, added, vanished = _unapproved(seen)
    moved = removed & seen.due.keys()
    last_hour = memory.recent(memory.removals, seen.judged_at, HOUR)
    few_removals = len(removed) + last_hour <= limits.few
    few_additions = len(added) + memory.recent(memory.additions, seen.judged_at, HOUR) <= limits.few
    ledger = seen.planned.ledger.values()
    ours = sum(row.ours and row.presence == "in" for row in ledger)
    removable = sum(row.open and (row.ours or seen.settings.removes is Removes.ALL) for row in ledger)
    recalled = sum(1 for customer in moved if seen.planned.ledger[customer].status == 3)
    rows = len(seen.due) + seen.junk

    if limits.max_removals:
        assert len(removed) <= limits.max_removals
    if limits.max_removals_per_day and removed:
        assert len(removed) + memory.recent(memory.removals, seen.judged_at, DAY) <= limits.max_removals_per_day
    if not few_removals:
        _within(len(removed), removable + recalled, limits.max_removal_percent, "max_removal_percent")
        _within(len(removed - moved), removable, limits.max_shrink_percent, "max_shrink_percent")
    if rows < limits.min_rows:
        assert few_removals or not removed, "min_rows"
        assert few_additions or not added, "min_rows"
    if limits.max_invalid_percent and 100 * seen.junk > limits.max_invalid_percent * rows:
        assert not removed, "max_invalid_percent"
        assert not added, "max_invalid_percent"
    if added and not few_additions:
        _within(vanished, ours + vanished, limits.max_vanished_percent, "max_vanished_percent")
        if largest := _largest(seen.planned.good, seen.judged_at):
            _within(len(seen.due) - largest, largest, limits.max_growth_percent, "max_growth_percent")
    query = hashlib.sha256(seen.settings.query.encode()).hexdigest()[:16]
    if limits.max_new_query_additions and not any(g.query == query and g.largest for g in seen.planned.good):
        assert len(added) <= limits.max_new_query_additions
    if added and (listed := _last_list(seen.planned.good)):
        _within(listed - seen.suppressed_rows, listed, limits.max_suppress_shrink_percent, "max_suppress_shrink")


def _unapproved(seen: PassSeen) -> tuple[frozenset[int], frozenset[int], int]:
    """Return who is removed, who is added or adopted, and how many of those had vanished, approved changes left out.

    What an earlier pass's delete obliges is left out: its removal was judged with it.
    """
    assert seen.planned
    ledger, approved = seen.planned.ledger, seen.planned.approved
    freed_to_go = {customer for customer, kind in approved if kind in DELETES}
    freed_to_come = {customer for customer, kind in approved if kind in ADDS}
    owed = {customer for customer, row in ledger.items() if row.presence == "owed"}
    adopted = {line.customer for line in seen.journal if line.kind == "adopt"}
    removed = seen.asked(Call.DELETE) - seen.suppressed_ever - freed_to_go
    added = (seen.asked(Call.ADD) | adopted) - owed - freed_to_come
    # Whose call was made has not vanished: that add is a recall.
    gone = [ledger[customer] for customer in added if customer in ledger and ledger[customer].presence == "gone"]
    vanished = sum(row.ours and not row.called for row in gone)
    return removed, added, vanished


def _within(part: int, whole: int, percent: float, limit: str) -> None:
    assert not percent or part <= 0 or 100 * part <= percent * whole, f"{limit}: {part} of {whole}"


def _largest(good: Iterable[Good], now: datetime) -> int | None:
    rows = [row for row in good if row.largest]
    lately = [row.largest for row in rows if row.day >= (now - timedelta(days=7)).date()]
    return max(lately, default=None) or (max(rows, key=lambda row: row.read_at).largest if rows else None)


def _last_list(good: list[Good]) -> int | None:
    return max(good, key=lambda row: row.read_at).suppressed_rows if good else None


def an_approval_lets_each_change_through_once(seen: PassSeen) -> None:
    """What was approved and is answered as done cannot be sent again on the same approval."""
    assert seen.after
    for line in seen.journal:
        if line.approved and line.outcome in ("done", "already") and line.rule != "owed":
            assert (line.customer, line.kind) not in seen.after.approved, f"{line.customer} can be sent again"


# --- L6: nobody is rung twice ----------------------------------------------------------------------------------------


def nobody_is_added_twice(seen: PassSeen) -> None:
    """Who is in the campaign, or may be, is added only after an answered delete of the same pass."""
    if seen.planned is None:
        return
    taken_out: set[int] = set()
    for carried in seen.carried:
        if carried.entry.call is Call.DELETE and carried.entry.delivered and _answers(carried.entry.status):
            taken_out |= carried.customers
        if carried.entry.call is Call.ADD:
            for customer in carried.customers - taken_out:
                row = seen.planned.ledger.get(customer)
                assert row is None or row.presence != "in", f"{customer} is in"
                assert customer not in seen.planned.claimed("add", *DELETES), f"{customer} may be in"


def _answers(status: int | None) -> bool:
    return status is not None and status < 500 and status not in (206, 408, 429)


def nobody_called_is_called_again(seen: PassSeen, memory: Memory) -> None:
    """Whose call was seen is added only where recall applies and the row's version changed."""
    if seen.planned is None:
        return
    called = memory.called | {customer for customer, row in seen.planned.ledger.items() if row.called}
    for customer in seen.asked(Call.ADD) & called:
        row = seen.planned.ledger.get(customer)
        if row is not None and row.presence == "owed" and customer in memory.recalled:
            continue  # the delete of the recall was answered in an earlier pass
        assert _recalls(seen), f"{customer} was called"
        version = seen.due[customer].version
        assert version is not None, f"{customer} was called"
        assert memory.versions[customer] - {version}, f"{customer} was called for this version"


def _recalls(seen: PassSeen) -> bool:
    return seen.settings.recall is RecallWhen.ON_VERSION


def nobody_is_rung_for_ever(seen: PassSeen, memory: Memory) -> None:
    """The tenant adds nobody for syncd more often in seven days than is allowed, nor recalls anybody twice in a day."""
    allowed = seen.settings.max_adds_per_week
    for carried in seen.carried:
        if carried.entry.call is Call.ADD:
            for customer in carried.entry.done:
                lately = [at for at in memory.adds[customer] if at > carried.entry.at - WEEK]
                assert not allowed or len(lately) < allowed, f"{customer} was added {len(lately)} times before"
                if customer in memory.called and customer in memory.recalls:
                    assert carried.entry.at - memory.recalls[customer] >= DAY, f"{customer} is recalled twice in a day"


# --- L7: what was done stands in the journal, and nothing confirmed is forgotten --------------------------------------


def what_was_done_is_on_record(seen: PassSeen) -> None:
    """What the tenant did for a pass stands in the journal, or in a claim that waits for the listing."""
    assert seen.after
    for carried in seen.carried:
        kinds = ("add",) if carried.entry.call is Call.ADD else DELETES
        for customer in carried.entry.done:
            lines = [line for line in seen.journal if line.customer == customer and line.kind in kinds]
            claimed = customer in seen.after.claimed(*kinds)
            assert lines or claimed, f"{carried.entry.call} {customer} is not on record"
            if seen.ended:
                assert lines, f"{carried.entry.call} {customer} is not in the journal"
                # A suppressed record that a lagging listing still shows is deleted twice, and the second may fail.
                outcomes = {line.outcome for line in lines}
                assert outcomes & {"done", "already", "unknown"}, f"{customer}: {lines}"
                assert claimed or outcomes & {"done", "already"}, f"{customer} is unknown and nobody settles it"


def nothing_confirmed_is_forgotten(seen: PassSeen, memory: Memory) -> None:
    """Who was called stays called, no row leaves the ledger, and ours ends with a release alone."""
    assert seen.after
    ledger = seen.after.ledger
    for customer in memory.called:
        assert ledger[customer].called, f"the call of {customer} is forgotten"
    released = {line.customer for line in seen.journal if line.kind == "release"}
    for customer, row in (seen.before.ledger if seen.before else {}).items():
        assert customer in ledger, f"{customer} left the ledger"
        assert ledger[customer].ours or not row.ours or customer in released, f"{customer} was ours"


def who_is_taken_for_called_was_rung(seen: PassSeen, town: Town) -> None:
    """Nobody is taken for called whose record was never with an agent, completed or in a strange status."""
    assert seen.after
    called = {customer for customer, row in seen.after.ledger.items() if row.called}
    assert called <= town.rung, f"nobody rang {called - town.rung}"


# --- L4 and L5: it converges -----------------------------------------------------------------------------------------


def the_campaign_is_what_the_source_says(town: Town, seen: PassSeen, memory: Memory, now: datetime) -> None:
    """The open records are those of the source, each at its time, and the ledger agrees about every customer."""
    assert seen.after
    state, suppressed = seen.after, town.suppressed()
    for customer in CUSTOMERS:
        record, row, wish = town.campaign.record(customer), state.ledger.get(customer), town.due.get(customer)
        told = f"{customer}: {record}, {row}, {wish}, parked {state.parked.get(customer)}"
        assert (record is not None) == (row is not None and row.presence == "in"), f"the ledger is wrong about {told}"
        if record is not None and row is not None:
            just_added = row.status is None and record.status in OPEN
            assert row.status == record.status or just_added, f"the ledger is wrong about {told}"
        if record is None or record.status not in OPEN:
            assert (
                customer in suppressed or wish is None or _is_excused(customer, record, state, seen, memory, town, now)
            ), f"lost: {told}"
        elif customer in suppressed:
            raise AssertionError(f"a suppressed record is open, {told}")
        elif wish is None:
            assert _may_stay(row, seen), f"nobody wants {told}"
        elif (
            record.status != RecordStatus.QUEUED and record.serial not in town.foreign and customer not in state.parked
        ):
            # Of a record that was adopted nobody tells the time, and one that is queued rings now.
            on_time = _same_time(wish.at, record.call_at, now) or _week_is_full(customer, seen, memory, now)
            assert on_time, f"at the wrong time: {told}"


def _may_stay(row: LedgerRow | None, seen: PassSeen) -> bool:
    return seen.settings.mode is Mode.ADD_ONLY or bool(row and not row.ours and seen.settings.removes is Removes.OWNED)


def _is_excused(
    customer: int,
    record: SimulatedRecord | None,
    state: State,
    seen: PassSeen,
    memory: Memory,
    town: Town,
    now: datetime,
) -> bool:
    """Return whether the design lets a customer wait who needs a call and has no open record."""
    wish, row = town.due[customer], state.ledger.get(customer)
    if row is not None and row.called:
        return customer in town.rung
    if record is not None:
        return False
    if row is not None and row.presence == "gone" and row.ours and seen.settings.vanished is Vanished.LEAVE:
        return True
    match state.parked.get(customer):
        case "weekly-limit":
            return _week_is_full(customer, seen, memory, now)
        case "too-far-ahead":
            return wish.at is not None and wish.at > now + timedelta(days=SCHEDULE_AHEAD_DAYS)
        case "in-the-past":
            return wish.at is not None and wish.at <= now
    return False


def _week_is_full(customer: int, seen: PassSeen, memory: Memory, now: datetime) -> bool:
    allowed = seen.settings.max_adds_per_week
    lately = [at for at in memory.tries[customer] if at > now - timedelta(days=7)]
    return bool(allowed) and len(lately) >= allowed


def _same_time(wanted: datetime | None, call_at: datetime | None, now: datetime) -> bool:
    if wanted is not None and wanted <= now:
        return True
    if wanted is None or call_at is None:
        return wanted is None and (call_at is None or call_at <= now)
    return abs(wanted - call_at) <= timedelta(minutes=1, seconds=1)


def the_key_may_be_wrong(town: Town) -> None:
    """A key is called wrong only where no record of syncd's is in the campaign: then nobody can tell."""
    assert all(record.serial in town.foreign for record in town.campaign)


def nothing_is_written(seen: PassSeen) -> None:
    """A pass over a campaign that is in step makes no writing call."""
    assert not [carried.entry for carried in seen.carried if carried.writes]

"""The laws, held against what the tenant saw and what the state says, once the faults are over."""

from datetime import datetime, timedelta

from syncd.simulator import Call, Entry
from syncd.words import Exit
from tests.faults.company import Company


def hold(company: Company) -> None:
    """Let syncd find its way back, and hold it to the laws: two passes that observe mend all, a third does nothing."""
    mending = company.passes(2)
    reports = [report.sentence() for report in mending]
    assert mending[-1].exit_status is Exit.GOOD, reports
    the_campaign_is_what_the_source_says(company)
    before = company.tenant.log.total
    (idle,) = company.passes(1)
    assert idle.exit_status is Exit.GOOD, [*reports, idle.sentence()]
    assert [entry for entry in company.tenant.writes if entry.number > before] == [], reports
    nobody_suppressed_was_added(company)
    nothing_foreign_was_deleted(company)
    nobody_was_added_twice(company)
    the_ledger_agrees(company)
    what_was_done_is_in_the_journal(company)
    nothing_is_left_over(company)


def the_campaign_is_what_the_source_says(company: Company) -> None:
    """Whom the dialer will call is whom the source wants called, at the time that it says, and whom others put in."""
    wanted = company.due.keys() - company.suppressed.keys() - company.rung
    others = company.foreign - company.suppressed.keys() - company.rung
    assert company.ringing == wanted | others
    for customer in wanted - company.foreign:
        assert _same_time(company.due[customer], company.records[customer].call_at), customer


def _same_time(wanted: datetime | None, call_at: datetime | None) -> bool:
    if wanted is None or call_at is None:
        return wanted is call_at
    return abs(wanted - call_at) <= timedelta(minutes=1)


def nobody_suppressed_was_added(company: Company) -> None:
    """No pass that could know of it added a suppressed customer. A pass begins by asking for the status."""
    for entry in company.tenant.log.of(Call.ADD):
        for customer in company.suppressed.keys() & set(customers(entry)):
            assert not _passes(company, company.suppressed[customer], entry.number), f"{customer} was added by {entry}"


def nothing_foreign_was_deleted(company: Company) -> None:
    """What others put in stays, unless the customer must not be called."""
    for entry in company.tenant.log.of(Call.DELETE):
        not_ours = company.foreign - company.due.keys() - company.suppressed.keys()
        assert not not_ours & set(customers(entry)), entry


def nobody_was_added_twice(company: Company) -> None:
    """No pass asks for a customer whom an earlier one has put in. One that got no answer may ask again by itself."""
    there: dict[int, int] = {}
    for entry in company.tenant.writes:
        if entry.call is Call.ADD:
            for customer, verdict in zip(customers(entry), entry.verdicts, strict=False):
                again = verdict == "DUPLICATE" and _passes(company, there.get(customer, 0), entry.number)
                assert not again, f"{customer} was in the campaign when {entry} came"
            there |= dict.fromkeys(entry.done, entry.number)
        else:
            for customer in entry.done:
                there.pop(customer, None)


def _passes(company: Company, since: int, until: int) -> int:
    """Return how many passes began between two requests."""
    return sum(since < entry.number < until for entry in company.tenant.log.of(Call.STATUS))


def the_ledger_agrees(company: Company) -> None:
    """The ledger knows who is in the campaign, and that who was added is ours."""
    rows = company.ask("SELECT customer, ours FROM ledger WHERE presence = 'in'")
    assert {customer for customer, _ in rows} == company.records.keys()
    assert {customer for customer, ours in rows if ours} >= company.ringing - company.foreign


def what_was_done_is_in_the_journal(company: Company) -> None:
    """Each add and each delete that the tenant carried out stands in the journal."""
    added = _count(company, "kind = 'add'")
    deleted = _count(company, "kind IN ('remove', 'reschedule', 'recall')")
    for entry in company.tenant.writes:
        told = added if entry.call is Call.ADD else deleted
        for customer in entry.done:
            told[customer] = told.get(customer, 0) - 1
            assert told[customer] >= 0, f"{entry.call} {customer} is not in the journal"


def _count(company: Company, which: str) -> dict[int, int]:
    told = f"SELECT customer, count(*) FROM change WHERE {which} AND outcome IN ('done', 'already') GROUP BY customer"
    return dict(company.ask(told))


def nothing_is_left_over(company: Company) -> None:
    """No call waits to be settled, and no pass counts as running."""
    assert company.ask("SELECT * FROM claim") == []
    assert company.ask("SELECT * FROM campaign WHERE running IS NOT NULL") == []


def customers(entry: Entry) -> list[int]:
    """Return whom a request names, in its order."""
    return [int(str(customer)) for customer, _ in entry.asked]

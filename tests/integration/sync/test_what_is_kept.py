"""What a pass reads and what it keeps: rows cleaned, nothing rewritten without news, no phone number anywhere."""

from datetime import timedelta

import pytest
from pass_story import complete, good_pass, near, record, upload, writes

from syncd import sync
from syncd.config import MatchOn
from syncd.simulator import CustomerIn
from syncd.sync import applying
from syncd.words import Exit
from tests.stage import Stage

QUIET_TABLES = ("ledger", "parked", "claim", "change", "sighting", "suppression", "suppressed_record", "held_plan")


async def test_a_pass_without_news_rewrites_no_row_of_what_is_kept_about_customers(stage: Stage) -> None:
    stage.tenant.crm.remove([9])
    upload(stage, 50)
    stage.crm.want(*range(1, 10), version=1)
    stage.crm.suppress(3)
    for _ in range(3):
        await good_pass(stage)
    complete(stage, 4)
    for _ in range(2):
        await good_pass(stage)
    before = {table: written(stage, table) for table in QUIET_TABLES}
    passes = stage.rows("SELECT id FROM pass")
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    assert {table: written(stage, table) for table in QUIET_TABLES} == before
    assert len(stage.rows("SELECT id FROM pass")) <= len(passes) + 1


def written(stage: Stage, table: str) -> list[tuple[object, ...]]:
    """Return which transaction wrote each row of a table."""
    return stage.rows(f"SELECT xmin::text, t::text FROM {table} t ORDER BY 2")


async def test_no_phone_number_is_kept_in_the_state(stage: Stage) -> None:
    stage.tenant.manner.customer_in = CustomerIn.PHONE
    stage.settings(match_on=MatchOn.PHONE, suppress="SELECT customer_id, phone FROM do_not_call")
    phones = {customer: stage.tenant.crm.phone(customer) for customer in range(1, 21)}
    stage.crm.run("INSERT INTO due VALUES (?, NULL, NULL, ?)", list(phones.items()))
    stage.crm.run("INSERT INTO do_not_call VALUES (?, ?)", [(1, phones[1])])
    upload(stage, 1)
    await good_pass(stage)
    await good_pass(stage)
    assert stage.listed == set(range(2, 21))
    text = "\n".join(
        str(row)
        for (table,) in stage.rows(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')"
            # A session that has just ended takes its temporary tables along while they are read.
            " AND relpersistence <> 't'"
        )
        for row in stage.rows(f"SELECT t::text FROM {table} t")
    )
    assert "renewals" in text
    for phone in phones.values():
        assert phone not in text
        assert phone[-9:] not in text


async def test_of_two_rows_for_one_customer_the_earliest_counts_with_its_version_and_they_are_counted(
    stage: Stage,
) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, at=soon + timedelta(hours=1), version="late")
    stage.crm.want(1, at=soon, version="early")
    stage.crm.want(2, at=soon, version="timed")
    stage.crm.want(2, version="at once")
    report = await good_pass(stage)
    assert near(record(stage, 1).call_at, soon)
    assert record(stage, 2).call_at is None
    assert stage.ledger(1)["version"] == "early"
    assert stage.ledger(2)["version"] == "at once"
    assert report.reading.doubles == 2
    assert report.reading.customers == 2
    await good_pass(stage)
    assert writes(stage) == []


async def test_rows_without_a_usable_customer_are_counted_shown_and_never_sent(stage: Stage) -> None:
    stage.crm.want(*range(1, 101))
    stage.crm.want(None, "abc", -5, "12 34")
    report = await good_pass(stage)
    assert stage.listed == set(range(1, 101))
    assert report.reading.invalid == 4
    assert "'abc'" in report.reading.samples


async def test_ids_are_one_customer_however_the_source_writes_them(stage: Stage) -> None:
    stage.crm.want("  7", 7, "+7", 7.0, "007")
    report = await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert report.reading.doubles == 4


async def test_additions_beyond_what_the_vendor_takes_are_not_sent_and_are_reported(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sync, applying):
        monkeypatch.setattr(module, "MAX_RECORDS", 10)
    stage.settings(batch_size=3)
    upload(stage, 91, 92)
    stage.crm.want(*range(1, 13))
    report = await good_pass(stage)
    assert len(stage.listed) == 10
    assert report.beyond == 4
    assert "4 beyond" in report.sentence()
    report = await good_pass(stage)
    assert writes(stage) == []
    assert report.beyond == 4
    stage.crm.drop(1, 2)
    await stage.once()
    await good_pass(stage)
    assert stage.listed == {91, 92, *sorted(set(range(3, 13)) & stage.listed)}
    assert len(stage.listed) == 10


async def test_a_renamed_section_loses_nothing(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.settings(name="renewals-uk")
    stage.crm.drop(1)
    report = await good_pass(stage)
    assert report.exit_status is Exit.GOOD
    assert writes(stage) == ["delete 1"]
    assert stage.rows("SELECT name FROM campaign") == [("renewals-uk",)]

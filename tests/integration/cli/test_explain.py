"""``syncd explain``: everything known of one customer, and what comes next."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine, query_state
from test_terminal import on_a_terminal

from syncd.simulator import Call, FaultKind
from syncd.simulator.manner import CustomerIn
from syncd.sync import explaining
from syncd.vendor import CampaignState, RecordStatus
from tests.stage import CAMPAIGN

DISPOSITIONS = '[tenants.acme.dispositions]\n2001 = "Promise to pay"\n'
PHONE = "+44 20 7946 0958"
REMOVED = "The next pass removes the record, because it must not be called, and is in the campaign."


@pytest.fixture
def filled(desk: CommandLine) -> CommandLine:
    """A desk after a good pass over 20 customers."""
    desk.crm.want(*range(1, 21))
    assert desk.run("once").status == 0
    return desk


def explain(desk: CommandLine, customer: int, *options: str) -> dict[str, list[str]]:
    """Explain a customer whom something knows; return the facts by their labels."""
    finished = desk.run("explain", customer, *options)
    assert (finished.status, finished.err) == (0, ""), finished
    assert desk.writes == []
    found: dict[str, list[str]] = {}
    for line in finished.out.splitlines():
        if line.startswith("  "):
            found.setdefault(line[2:13].strip(), []).append(line[13:])
    return found


def coming(desk: CommandLine, customer: int, *options: str) -> str:
    """Return what the next pass is said to do."""
    [sentence] = explain(desk, customer, *options)["next"]
    return sentence


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def test_the_story_goes_from_the_source_to_the_disposition(filled: CommandLine) -> None:
    filled.more = DISPOSITIONS
    filled.tenant.set_record(CAMPAIGN, 7, status=RecordStatus.COMPLETED, disposition=2001)
    assert filled.run("once").status == 0
    story = explain(filled, 7)
    assert list(story) == ["source", "suppressed", "ledger", "listed", "listed now", "seen", "change", "next"]
    assert story["source"] == ["needs a call as soon as possible"]
    assert story["suppressed"] == ["no"]
    [ledger] = story["ledger"]
    assert ledger.startswith(f"in the campaign; ours; added {today()}")
    assert ledger.endswith("; called")
    [listed] = story["listed"]
    assert listed.startswith("record 7, completed; disposition: Promise to pay; the last whole listing is from ")
    assert story["listed now"] == ["record 7, completed; disposition: Promise to pay"]
    [seen] = story["seen"]
    assert seen.endswith(" UTC: completed; disposition: Promise to pay")
    [change] = story["change"]
    assert change.endswith(" UTC: add done (HTTP 200) in pass 1, because it needs a call, and is not in the campaign")
    assert story["next"] == ["The next pass does nothing, because it is completed."]


def test_the_record_is_told_as_it_was_last_listed_and_as_it_is_now(filled: CommandLine) -> None:
    assert filled.run("once").status == 0
    filled.tenant.set_record(CAMPAIGN, 7, status=RecordStatus.QUEUED, disposition=4711)
    story = explain(filled, 7)
    assert story["listed"][0].startswith("record 7, new; the last whole listing is from")
    assert story["listed now"] == ["record 7, queued; disposition: 4711"]
    filled.tenant.campaigns[CAMPAIGN].drop([7])
    story = explain(filled, 7)
    assert story["listed now"] == ["no"]
    assert story["next"] == [
        "The next pass adds the customer, to be called as soon as possible, because it needs a call, and left the"
        " campaign without syncd's doing."
    ]


def test_the_sentence_is_what_the_pass_then_does(filled: CommandLine, database: str) -> None:
    filled.crm.drop(1)
    filled.crm.suppress(2)
    filled.crm.want(31, at=datetime.now(UTC) + timedelta(days=30))
    filled.crm.want(32, at=datetime.now(UTC) + timedelta(days=1))
    filled.crm.update(4, at=datetime.now(UTC) + timedelta(hours=3))
    filled.tenant.add_records(CAMPAIGN, [41])
    said = {customer: coming(filled, customer) for customer in (1, 2, 4, 31, 32, 41)}
    assert filled.run("once").status == 0
    did = query_state(
        database,
        "SELECT DISTINCT ON (customer) customer, kind FROM change WHERE pass = 2 ORDER BY customer, at",
    )
    assert did == [(1, "remove"), (2, "remove"), (4, "reschedule"), (31, "park"), (32, "add")]
    assert said[1] == "The next pass removes the record, because it needs no call any more."
    assert said[2] == REMOVED
    assert said[4] == (
        "The next pass removes the record and adds the customer at the new time, because it needs a call at another"
        " time."
    )
    assert said[31].startswith(
        "The next pass parks the customer, because it needs a call, and is not in the campaign: with a time more than"
        " 7 days ahead; next try at "
    )
    assert said[32].startswith("The next pass adds the customer, to be called at ")
    assert said[41] == ("The next pass does nothing, because it needs no call; somebody else's record, left alone.")


def test_why_a_customer_is_suppressed_is_told_with_who_and_since_when(filled: CommandLine) -> None:
    filled.more = DISPOSITIONS
    filled.crm.suppress(2)
    filled.run("suppress", 2, "--reason", "asked on\x1b[31m the phone")
    first, second = explain(filled, 2)["suppressed"]
    assert first == "by the suppression query"
    assert second.startswith("by `syncd suppress`: asked on [31m the phone; since ")
    assert filled.run("once").status == 0
    *_, proof = explain(filled, 2)["suppressed"]
    assert proof.startswith(f"was in the campaign when the list first showed it, {today()}")
    assert "; out " in proof


def test_a_disposition_that_says_never_again_is_heeded_as_the_pass_will(filled: CommandLine) -> None:
    config = filled.config.read_text()
    filled.tenant.set_record(CAMPAIGN, 7, status=RecordStatus.QUEUED, disposition=2004)
    filled.write_config()
    filled.config.write_text(config.replace("\n[sources", "do_not_call = [2004]\n\n[sources", 1))
    finished = filled.run_as_it_is("explain", 7)
    assert REMOVED in finished.out
    assert filled.run_as_it_is("once").status == 0
    [told] = explain(filled, 7)["suppressed"][:1]
    assert told.startswith(f"by how an agent ended a call: disposition: 2004; since {today()}")
    filled.more = DISPOSITIONS.replace("2001", "2004").replace("Promise to pay", "Never again")
    [told] = explain(filled, 7)["suppressed"][:1]
    assert told.startswith(f"by how an agent ended a call: disposition: Never again; since {today()}")
    [by] = filled.run("explain", 7, "--json").document["campaigns"][0]["suppressed"]["by"]
    assert (by["origin"], by["reason"]) == ("disposition", "disposition: Never again")


def test_whom_nobody_knows_is_1_and_says_where_was_looked(filled: CommandLine) -> None:
    finished = filled.run("explain", 999)
    assert finished.status == 1
    assert finished.out.splitlines() == [
        "Nobody knows customer 999. These were looked through:",
        "  renewals   the query in source crm; the state; the listing, read now",
    ]
    document = filled.run("explain", 999, "--json").document
    assert (document["known"], document["campaigns"][0]["known"]) == (False, False)


def test_a_campaign_that_no_pass_ran_over_is_explained_too(desk: CommandLine) -> None:
    desk.crm.want(5)
    story = explain(desk, 5)
    assert story["ledger"] == ["syncd never had the customer in this campaign"]
    assert story["listed"] == ["never: no listing has been read whole yet"]
    assert story["next"][0].startswith("The next pass adds the customer")


def another(source: str, number: int = 126) -> str:
    return (
        f'[sources.other]\nurl = "sqlite:///{source}"\n[campaigns.late]\nid = {number}\ntenant = "acme"\n'
        'source = "other"\nquery = "SELECT * FROM due"\n'
    )


def test_a_source_that_fails_is_told_in_its_place_and_the_rest_goes_on(filled: CommandLine, tmp_path: Path) -> None:
    filled.tenant.add_campaign(126)
    filled.more = another(str(tmp_path / "missing.sqlite"))
    finished = filled.run("explain", 7)
    assert finished.status == 0
    renewals, late = finished.out.split("\nlate: ")
    assert "needs a call as soon as possible" in renewals
    assert "  source     source other: " in late
    assert "Nothing while the source cannot be read" in late


def test_nobody_of_a_source_that_fails_is_still_1_and_says_so(desk: CommandLine) -> None:
    desk.query = "SELECT * FROM nowhere"
    finished = desk.run("explain", 7)
    assert finished.status == 1
    assert "source crm: " in finished.out


def test_a_suppressed_customer_is_foretold_though_the_source_fails(filled: CommandLine) -> None:
    filled.run("suppress", 7, "--reason", "asked")
    filled.query = "SELECT * FROM nowhere"
    assert (
        coming(filled, 7) == "The next pass removes the record, because it must not be called, and is in the campaign."
    )


def test_a_suppression_list_that_fails_adds_nobody(filled: CommandLine) -> None:
    filled.crm.run("DROP TABLE do_not_call")
    filled.crm.want(30)
    story = explain(filled, 30)
    assert story["suppressed"][0].startswith("not known: source crm: ")
    assert story["next"][0].endswith(" But nobody is added while the suppression list cannot be read.")


def test_a_tenant_that_cannot_be_asked_is_told_in_its_place(filled: CommandLine) -> None:
    filled.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_STOPPED)
    story = explain(filled, 7)
    assert story["listed now"][0].startswith("not known: campaign renewals: ")
    assert story["next"][0].startswith("Nothing while the campaign is blocked: ")
    filled.strike(FaultKind.ANSWER, Call.STATUS, status=401)
    story = explain(filled, 7)
    assert story["listed now"][0].startswith("not known: tenant acme: ")
    assert story["next"] == ["The next pass does nothing, because it needs a call, and is in the campaign."]


def test_a_pause_and_a_disabled_campaign_are_told(filled: CommandLine) -> None:
    filled.crm.drop(7)
    filled.run("pause", "renewals", "--reason", "strike")
    assert coming(filled, 7) == ("Nothing while the campaign is paused: strike; `syncd resume renewals` lets it go on.")
    filled.more = "enabled = false"
    assert coming(filled, 7) == "No pass comes by itself: the campaign is disabled in the configuration."


def test_what_is_held_names_the_command_that_lets_it_through(filled: CommandLine) -> None:
    filled.crm.drop(*range(1, 19))
    assert filled.run("once").status == 3
    [(digest,)] = query_state(filled.state.split('"')[1], "SELECT digest FROM held_plan")
    story = explain(filled, 7)
    assert story["held"][0].startswith(f"remove ({digest}) since {today()}")
    assert story["next"] == [
        "The next pass removes the record, because it needs no call any more. But the guard holds it:"
        f" `syncd approve renewals {digest}` lets it through."
    ]
    assert filled.run("approve", "renewals", digest).status == 0
    story = explain(filled, 7)
    assert story["approved"][0].startswith(f"remove ({digest}) by ")
    assert story["next"] == ["The next pass removes the record, because it needs no call any more."]


def test_who_is_parked_is_told_with_reason_and_next_try(filled: CommandLine) -> None:
    filled.tenant.crm.remove([60])
    filled.crm.want(60)
    assert filled.run("once").status == 0
    story = explain(filled, 60)
    assert story["parked"][0].startswith("not in the vendor's CRM (The customer-id has not been found.); next try at ")
    assert "add refused (not-in-crm, HTTP 404) in pass 2" in story["change"][0]
    assert "because it needs a call, and is parked: not in the vendor's CRM" in story["next"][0]


def test_a_call_without_an_answer_is_told(filled: CommandLine) -> None:
    filled.strike(FaultKind.ANSWER, Call.ADD, status=206, text="The response timed out.", count=1)
    filled.crm.want(30)
    assert filled.run("once").status == 4
    story = explain(filled, 30)
    assert story["unanswered"][0].startswith(f"add, sent at {today()}")
    assert story["listed now"] == ["no"]
    assert story["next"] == [
        "The next pass does nothing, because it needs a call; one to the dialer got no answer yet."
    ]


def test_what_waits_for_the_listing_says_so(filled: CommandLine) -> None:
    filled.more = 'list_every = "1h"'
    filled.crm.drop(7)
    sentence = coming(filled, 7)
    assert sentence.startswith(
        "The next pass does nothing, because it needs no call any more; the next one that reads the listing, due at "
    )
    assert sentence.endswith(", removes the record, because it needs no call any more.")


def test_the_listing_of_a_large_campaign_is_read_when_it_is_asked_for(
    filled: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "SMALL", 10)
    filled.crm.drop(7)
    story = explain(filled, 7)
    assert filled.tenant.log.of(Call.LIST) == []
    assert story["listed now"] == ["not read, for the campaign has 20 records, 1 request; --listing reads it"]
    assert story["next"] == [
        "The next pass removes the record, because it needs no call any more, if the listing shows then what it"
        " showed the last time."
    ]
    assert explain(filled, 7, "--listing")["listed now"] == ["record 7, new"]


def test_a_campaign_that_the_file_has_no_more_is_explained_from_the_state(filled: CommandLine) -> None:
    filled.write_config()
    filled.tenant.add_campaign(126)
    filled.config.write_text(filled.config.read_text().replace("id = 125", "id = 126").replace("renewals", "other"))
    finished = filled.run_as_it_is("explain", 7)
    other, renewals = finished.out.split("\nrenewals: ")
    assert "needs a call as soon as possible" in other
    assert "add done (HTTP 200) in pass 1" in renewals
    assert "No pass comes: the configuration has this campaign no more." in renewals


def test_a_phone_number_is_shown_only_when_it_is_asked_for(filled: CommandLine) -> None:
    filled.crm.run("UPDATE due SET phone = ? WHERE customer_id = 7", [(PHONE,)])
    for options in ((), ("--json",)):
        finished = filled.run("explain", 7, *options)
        assert finished.status == 0
        assert "7946" not in finished.out + finished.err
    assert explain(filled, 7, "--show-phone")["phone"] == [PHONE]
    assert explain(filled, 8, "--show-phone")["phone"] == ["the query has none of the customer"]
    [campaign] = filled.run("explain", 7, "--show-phone", "--json").document["campaigns"]
    assert campaign["source"]["phone"] == [PHONE]


def test_a_record_is_found_by_its_phone_number_unless_two_customers_have_it(desk: CommandLine) -> None:
    desk.more = 'match_on = "phone"'
    desk.tenant.manner.customer_in = CustomerIn.PHONE
    desk.tenant.add_records(CAMPAIGN, [7])
    number = desk.tenant.crm.phone(7)
    desk.crm.run("INSERT INTO due VALUES (7, NULL, NULL, ?)", [(number,)])
    story = explain(desk, 7)
    assert story["listed now"][0].endswith(", new")
    assert story["next"][0].startswith("The next pass takes the record for syncd's own, because it ")
    desk.crm.run("INSERT INTO due VALUES (8, NULL, NULL, ?)", [(number,)])
    story = explain(desk, 7)
    assert story["listed now"] == ["no"]
    assert story["next"][0].startswith("The next pass adds the customer, ")
    assert number not in str(story)


def test_on_a_terminal_its_lines_fold_within_80_columns(filled: CommandLine) -> None:
    status, sent = on_a_terminal(filled, "explain", "7")
    assert status == 0
    assert max(map(len, sent.splitlines())) <= 80
    assert re.search(r"^  next       The next pass does nothing,", sent, re.MULTILINE)


def test_nothing_is_written_into_the_state(filled: CommandLine, database: str) -> None:
    filled.crm.drop(7)
    filled.tenant.set_record(CAMPAIGN, 8, status=RecordStatus.COMPLETED, disposition=2001)
    tables = ("campaign", "ledger_1", "pass", "change", "sighting", "claim", "parked", "disposition", "suppression")
    queries = [f"SELECT xmin::text, t::text FROM {table} t ORDER BY 2" for table in tables]
    before = [query_state(database, query) for query in queries]
    for customer in (7, 8):
        explain(filled, customer)
    assert [query_state(database, query) for query in queries] == before


def test_json_has_the_keys_that_the_readme_names(filled: CommandLine) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    named = dict(re.findall(r"^\| (top|each campaign) \| (.*) \|$", readme, re.MULTILINE))
    document = filled.run("explain", 7, "--json").document
    assert list(document) == re.findall(r"`(\w+)`", named["top"])
    [campaign] = document["campaigns"]
    assert list(campaign) == re.findall(r"`(\w+)`", named["each campaign"])
    assert campaign["next"] == {
        "sentence": "The next pass does nothing, because it needs a call, and is in the campaign.",
        "kind": None,
        "rule": "in-step",
        "reads_listing": True,
        "next_pass": None,
    }
    assert campaign["changes"][0]["why"] == "needs a call, and is not in the campaign"


def test_a_fault_in_somebody_elses_row_is_told_after_a_pass_that_failed_of_it(filled: CommandLine) -> None:
    filled.query = "SELECT customer_id, CASE customer_id WHEN 9 THEN abs(-9223372036854775808) END AS version FROM due"
    assert explain(filled, 7)["source"] == ["needs a call as soon as possible"], "the source is asked for 7 alone"
    assert filled.run("once").status == 1
    [told] = explain(filled, 7)["source"]
    assert told.startswith("source crm: the query failed: integer overflow")

"""The shapes that the vendor answers in, and the one that is sent."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.dialer import wire
from syncd.dialer.api import Addition

CAMPAIGN = {
    "campaign-name": "My Callbacks",
    "campaign-id": 6561,
    "enabled": "Y",
    "status": 3,
    "no-of-records": 18,
    "start-time": "",
    "end-time": "",
    "daily-start-time": "",
    "retry-interval": 30,
    "timezone": "EST5EST",
    "dynamic-campaign": "Y",
}
RECORD = {
    "campaign-name": "BOC Admin Demo",
    "campaign-id": 1,
    "record-id": 10000000,
    "phone-list": "*Phone Number|5551234567",
    "status": 3,
    "status-code": 0,
    "ext-trans-data": "",
    "disposition-code": 1002,
}


def status(**changes: object):
    return wire.read_status(orjson.dumps({"campaign": CAMPAIGN | changes}), 6561)


def page(content: object):
    return wire.read_page(orjson.dumps(content), 1)


def test_times_are_sent_in_utc_with_milliseconds_and_none_where_none_is_asked_for() -> None:
    at = datetime(2022, 7, 14, 5, 0, 0, 123999, tzinfo=timezone(timedelta(hours=-4)))
    assert orjson.loads(wire.write_batch([Addition(10003629, at), Addition(10003621, None)])) == [
        {"customer-id": 10003629, "schedule-date-time": "2022-07-14T09:00:00.123Z"},
        {"customer-id": 10003621},
    ]
    assert wire.write_batch([]) == b"[]"


def test_the_status_of_the_guides_example_is_read_as_it_stands() -> None:
    read = status()
    assert (read.vendor_id, read.name, read.records) == (6561, "My Callbacks", 18)
    assert (read.blocked, read.purged, read.ends_at) == (None, False, None)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 8, 9, "3", 12, 99, "", None])
def test_a_running_paused_or_unheard_of_status_blocks_nothing(number: object) -> None:
    assert status(status=number).blocked is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": 0}, "not been started"),
        ({"status": "0"}, "not been started"),
        ({"status": 5}, "final"),
        ({"status": 6}, "final"),
        ({"status": 7}, "final"),
        ({"status": 10}, "resume"),
        ({"status": "11"}, "resume"),
        ({"enabled": "N"}, "not enabled"),
        ({"enabled": ""}, "not enabled"),
        ({"dynamic-campaign": "N"}, "not a dynamic campaign"),
        ({"dynamic-campaign": ""}, "not a dynamic campaign"),
    ],
)
def test_a_campaign_that_takes_no_changes_says_why_and_what_to_do(changes: dict, words: str) -> None:
    blocked = status(**changes).blocked
    assert blocked is not None
    assert words in blocked
    assert ";" in blocked


def test_only_a_purged_campaign_is_purged() -> None:
    assert [number for number in range(13) if status(status=number).purged] == [10, 11]


@pytest.mark.parametrize(("records", "read"), [(18, 18), ("18", 18), ("", None), (None, None), ("many", None)])
def test_the_number_of_records_is_known_or_none(records: object, read: int | None) -> None:
    assert status(**{"no-of-records": records}).records == read


@pytest.mark.parametrize(
    ("end", "zone", "read"),
    [
        ("2026-12-24T18:00:00Z", "EST5EST", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("2026-12-24 18:00:00", "Europe/London", datetime(2026, 12, 24, 18, tzinfo=ZoneInfo("Europe/London"))),
        ("2026-12-24 18:00:00", "EST5EST", None),
        ("2026-12-24 18:00:00", "", None),
        ("2026-12-24 18:00:00", "../../etc/passwd", None),
        ("soon", "Europe/London", None),
        ("", "Europe/London", None),
        (None, "Europe/London", None),
    ],
)
def test_the_end_of_a_campaign_is_aware_or_unknown(end: object, zone: str, read: datetime | None) -> None:
    assert status(**{"end-time": end, "timezone": zone}).ends_at == read


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"campaign": {}}', b'{"campaign": ""}', b"null", b"7"]
)
def test_what_is_no_status_is_unreadable_and_not_quoted(body: bytes) -> None:
    with pytest.raises(wire.UnreadableError):
        wire.read_status(body, 6561)


def test_the_status_of_another_campaign_is_not_taken_for_ours() -> None:
    with pytest.raises(wire.UnreadableError, match="another campaign"):
        status(**{"campaign-id": 6562})


def test_one_record_may_come_as_an_object_in_place_of_a_list() -> None:
    for content in ({"records": {"record": RECORD}}, {"records": {"record": [RECORD]}}, {"records": [RECORD]}):
        read = page(content)
        assert [record.record_id for record in read.records] == [10000000]
        assert read.size == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"null",
        b'""',
        b"{}",
        b'{"records": {}}',
        b'{"records": ""}',
        b'{"records": null}',
        b'{"records": []}',
        b'{"records": {"record": []}}',
        b'{"records": {"record": ""}}',
        b'{"records": {"record": null}}',
        b'{"records": {"record": {}}}',
    ],
)
def test_no_records_come_in_many_shapes(body: bytes) -> None:
    assert wire.read_page(body, 1).size == 0


@pytest.mark.parametrize(
    "body",
    [
        b"<html>down</html>",
        b'{"records": {"record": [',
        b'{"message": "no"}',
        b'{"records": 7}',
        b'{"records": {"rows": []}}',
        b'{"records": {"record": "x"}}',
        b"7",
        b"[1]",
    ],
)
def test_garbage_is_never_taken_for_an_empty_page(body: bytes) -> None:
    with pytest.raises(wire.UnreadableError):
        wire.read_page(body, 1)


def test_a_record_is_read_whole_with_numbers_as_strings_or_not() -> None:
    as_text = {key: str(value) for key, value in RECORD.items()}
    for shape in (RECORD, as_text):
        (record,) = page({"records": {"record": shape}}).records
        assert (record.record_id, record.status, record.status_code, record.disposition) == (10000000, 3, 0, 1002)
        assert record.phones == ("5551234567",)
        assert record.ext_trans_data == ""


def test_records_of_another_campaign_and_without_an_id_are_counted_and_left_out() -> None:
    others = [RECORD | {"campaign-id": 2}, RECORD | {"record-id": "x"}, RECORD | {"record-id": 0}, 7, None]
    read = page({"records": {"record": [RECORD, *others]}})
    assert len(read.records) == 1
    assert (read.size, read.foreign, read.unusable) == (6, 1, 4)


def test_unknown_numbers_are_kept_and_unset_ones_are_none() -> None:
    (record,) = page(
        {"records": {"record": RECORD | {"status": 77, "status-code": "", "disposition-code": 2001}}}
    ).records
    assert (record.status, record.status_code, record.disposition) == (77, None, 2001)


@pytest.mark.parametrize(
    ("phones", "read"),
    [
        ("*Phone Number|5551234567", ("5551234567",)),
        ("*Phone 2|+1 (555) 123-4567", ("15551234567",)),
        ("*Home|5551234567,Mobile 1|5557654321", ("5551234567", "5557654321")),
        ("*Home|5551234567*Mobile|5557654321", ("5551234567", "5557654321")),
        ("5551234567", ("5551234567",)),
        (5551234567, ("5551234567",)),
        (["*A|5551234567", "B|5557654321"], ("5551234567", "5557654321")),
        ("*Phone Number|", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_phone_lists_give_their_digits_and_no_labels(phones: object, read: tuple[str, ...]) -> None:
    assert wire.read_phones(phones) == read


def test_entries_come_in_any_order_as_numbers_or_strings_and_disagreeing_ones_do_not_count() -> None:
    body = orjson.dumps(
        [
            {"customer-id": "2", "http-status": "400", "message": "Duplicate customer"},
            {"customer-id": 1, "http-status": 200},
            {"customer-id": 3, "http-status": 200},
            {"customer-id": 3, "http-status": 404},
            {"http-status": 200},
            "nonsense",
        ]
    )
    entries = wire.read_entries(body)
    assert sorted(entries) == [1, 2]
    assert (entries[2].http_status, entries[2].message) == (400, "Duplicate customer")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"message": "Customer not found."}', "Customer not found."),
        (b'"Customer deleted."', "Customer deleted."),
        (b"Customer deleted.", "Customer deleted."),
        (b"<html><body>Customer not found.</body></html>", ""),
        (b'{"message": 7}', ""),
        (b'{"message": "cut', ""),
        (b"", ""),
        (b'{"message": "a\\u0000b\\nc\\u001b[31m"}', "a b c [31m"),
        (orjson.dumps({"message": "x" * 5000}), "x" * 300),
        (b"\xff\xfe", "��"),
    ],
)
def test_a_text_of_the_vendor_is_one_short_line(body: bytes, text: str) -> None:
    assert wire.read_text(body) == text


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "records",
                        "record",
                        "campaign",
                        "record-id",
                        "campaign-id",
                        "customer-id",
                        "http-status",
                        "message",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    ).map(orjson.dumps)
)
def test_whatever_comes_is_read_or_unreadable_and_nothing_else(body: bytes) -> None:
    for read in (lambda: wire.read_page(body, 1), lambda: wire.read_status(body, 1), lambda: wire.read_entries(body)):
        try:
            read()
        except wire.UnreadableError:
            continue
    assert len(wire.read_text(body)) <= 300

"""What every value that a database may return becomes, and that none of them can do harm."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.phone import hide_numbers, phone_key
from syncd.source.rows import (
    MAX_CUSTOMER,
    Cleaner,
    SourceRow,
    clean_customer,
    clean_phone,
    clean_time,
    clean_version,
    show,
)

LONDON = ZoneInfo("Europe/London")

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    st.from_regex(r"\s*[+-]?[0-9]{1,25}(\.[0-9]+)?\s*", fullmatch=True),
    st.binary(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.timedeltas(),
    st.lists(st.integers()),
    st.uuids(),
)


@pytest.mark.parametrize(
    "value",
    [
        10003629,
        10003629.0,
        Decimal(10003629),
        Decimal("10003629.00"),
        Decimal("1.0003629E+7"),
        "10003629",
        " 10003629\t\n",
        "+10003629",
        "0010003629",
        "10003629.0",
        "10003629.00",
        b"10003629",
        bytearray(b" 10003629 "),
        memoryview(b"10003629"),
    ],
)
def test_a_customer_is_read_however_it_is_written(value: object) -> None:
    assert clean_customer(value) == 10003629


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -1, 0.0, 1.5, float("nan"), float("inf"), -2.0, Decimal("NaN"), Decimal("sNaN")),
        *(Decimal("Infinity"), Decimal("1.5"), Decimal(-1), Decimal("1E+400"), Decimal(0)),
        *(
            "",
            " ",
            "0",
            "-1",
            "1.5",
            "1.",
            ".0",
            "1e3",
            "1,000",
            "1 000",
            "0x10",
            "12a",
            "\u0661\u0662",
            "\uff11\uff12",
            "1_000",
            "NULL",
        ),
        *(b"", b"\xff", b"1\x00", date(2024, 7, 1), [1], (1,), {"a": 1}, MAX_CUSTOMER + 1, str(MAX_CUSTOMER + 1)),
        *("9" * 10_000, 10**500, 2.0**63),
    ],
)
def test_what_is_no_customer_is_never_taken_for_one(value: object) -> None:
    assert clean_customer(value) is None


def test_the_largest_customer_is_the_largest_bigint() -> None:
    assert clean_customer(2**63 - 1) == clean_customer(str(2**63 - 1)) == clean_customer("0" * 5000 + str(2**63 - 1))


def test_a_float_beyond_which_neighbours_are_one_is_not_taken_for_a_customer() -> None:
    assert clean_customer(float(2**53)) == 2**53
    assert clean_customer(float(2**53 + 2)) is None


@given(st.integers(1, MAX_CUSTOMER))
def test_every_customer_survives_as_number_text_decimal_and_bytes(customer: int) -> None:
    spellings = [customer, str(customer), f" 00{customer}.0 ", Decimal(customer), str(customer).encode()]
    assert {clean_customer(spelling) for spelling in spellings} == {customer}


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-07-01 09:00", (2024, 7, 1, 8)),
        ("2024-07-01T09:00:00", (2024, 7, 1, 8)),
        ("2024-01-01T09:00:00", (2024, 1, 1, 9)),
        ("2024-07-01T09:00:00Z", (2024, 7, 1, 9)),
        ("2024-07-01t09:00:00z", (2024, 7, 1, 9)),
        (" 2024-07-01 09:00:00.123456+02:00 ", (2024, 7, 1, 7, 0, 0, 123456)),
        ("2024-07-01 09:00:00.1234567 +02:00", (2024, 7, 1, 7, 0, 0, 123456)),
        ("2024-07-01 09:00:00,5+0200", (2024, 7, 1, 7, 0, 0, 500000)),
        ("2024-07-01 09:00:00-05", (2024, 7, 1, 14)),
        ("20240701T090000Z", (2024, 7, 1, 9)),
        ("2024-07-01", (2024, 6, 30, 23)),
        (date(2024, 7, 1), (2024, 6, 30, 23)),
        (datetime(2024, 7, 1, 9, 0, 0, 1), (2024, 7, 1, 8, 0, 0, 1)),
        (datetime(2024, 7, 1, 9, tzinfo=timezone(timedelta(hours=-3))), (2024, 7, 1, 12)),
        # The hour that comes twice when summer time ends is its first; the one that never comes moves on by an hour.
        ("2024-10-27 01:30", (2024, 10, 27, 0, 30)),
        (datetime(2024, 10, 27, 1, 30, fold=1), (2024, 10, 27, 0, 30)),
        ("2024-03-31 01:30", (2024, 3, 31, 1, 30)),
    ],
)
def test_a_time_is_read_in_the_zone_of_the_source_unless_it_has_an_offset(
    value: object, moment: tuple[int, ...]
) -> None:
    assert clean_time(value, LONDON) == datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize("value", [None, "", "  \t"])
def test_no_time_is_as_soon_as_possible(value: object) -> None:
    assert clean_time(value, LONDON) is None


@pytest.mark.parametrize(
    "value",
    [
        *("soon", "NULL", "infinity", "2024-13-01", "2024-07-01 25:00", "0000-00-00 00:00:00", "01/07/2024", "09:00"),
        *("1719824400", "1719824400000", "20240701", "2024-W27-1", "2024-07-01T09", "10000-01-01 00:00:00"),
        *(
            "0044-03-15 BC",
            "\u0662\u0660\u0662\u0664-\u0660\u0667-\u0660\u0661",
            0,
            1719824400,
            1.5,
            True,
            False,
            b"2024-07-01",
            timedelta(hours=9),
            [],
            Decimal(1),
        ),
        *(
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
        ),
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_what_is_no_time_is_a_problem_and_never_as_soon_as_possible(value: object) -> None:
    cleaner = Cleaner({"customer_id": 0, "schedule_at": 1}, LONDON)
    [row] = cleaner.clean([(1, value)], 5).rows
    assert row == SourceRow(1, None, None, None, "schedule_at is not a date-time")


@given(
    st.datetimes(
        min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.timezones(), allow_imaginary=False
    ).map(lambda moment: moment.astimezone(UTC))
)
def test_every_moment_survives_as_value_and_as_text(moment: datetime) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(minutes=-210)))
    assert clean_time(elsewhere, LONDON) == moment
    assert clean_time(elsewhere.isoformat(" "), LONDON) == moment


@pytest.mark.parametrize(
    ("value", "version"),
    [
        (None, None),
        ("", ""),
        ("v\x00 1", "v 1"),
        ("\ud800", "\\ud800"),
        (3, "3"),
        (Decimal("5.00"), "5"),
        (Decimal("5E+1"), "50"),
        (Decimal("0.00"), "0"),
        (Decimal("1234567890123456789012345678901.5"), "1234567890123456789012345678901.5"),
        (b"\x00\xff", "00ff"),
        (memoryview(b"\x01"), "01"),
        (datetime(2024, 7, 1, 9, tzinfo=LONDON), "2024-07-01T08:00:00+00:00"),
        (datetime(2024, 7, 1, 9), "2024-07-01T09:00:00"),
        (date(2024, 7, 1), "2024-07-01"),
        ("x" * 200, "x" * 200),
    ],
)
def test_a_version_is_a_text(value: object, version: str | None) -> None:
    assert clean_version(value) == version


def test_a_long_version_is_told_by_its_fingerprint() -> None:
    first, second = clean_version("x" * 201), clean_version("x" * 200 + "y")
    assert first is not None
    assert first.startswith("sha256:")
    assert len(first) == 71
    assert first != second


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("+44 20 7946 0123", "079460123"),
        ("(020) 7946-0123", "079460123"),
        ("020 7946 0123", "079460123"),
        ("123456", "123456"),
        ("12345", None),
        ("", None),
        ("\u0660" * 11, None),
        (442079460123, "079460123"),
        (442079460123.0, "079460123"),
        (Decimal("442079460123.0"), "079460123"),
        (b"02079460123", "079460123"),
        (None, None),
        (True, None),
        (float("nan"), None),
    ],
)
def test_a_phone_number_is_known_by_its_last_nine_digits(value: object, key: str | None) -> None:
    assert clean_phone(value) == key


@given(st.text())
def test_a_phone_key_has_six_to_nine_ascii_digits_or_is_none(text: str) -> None:
    key = phone_key(text)
    assert key is None or (6 <= len(key) <= 9 and key.isascii() and key.isdigit())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +44 7700 900123 now", "call +## #### ###### now"),
        ("07700900123", "###########"),
        ("555.123.4567", "###.###.####"),
        ("customer 10003629x", "customer 10003629x"),
        ("port 5432, error 1045", "port 5432, error 1045"),
        ("from 2026-11-24 08:00 to 2026-11-24 20:00", "from 2026-11-24 08:00 to 2026-11-24 20:00"),
    ],
)
def test_what_may_be_a_phone_number_is_not_shown(text: str, shown: str) -> None:
    assert hide_numbers(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        ("", "''"),
        ("abc\n\x1b[31m", r"'abc\n\x1b[31m'"),
        (-5, "-5"),
        ("+44 7700 900123", "'+## #### ######'"),
    ],
)
def test_a_sample_can_be_printed_and_tells_no_phone_number(value: object, shown: str) -> None:
    assert show(value) == shown


@given(ANYTHING)
def test_a_sample_is_short_and_printable_whatever_it_was(value: object) -> None:
    shown = show(value)
    assert len(shown) <= 40
    assert shown.isprintable()
    assert shown.isascii()


@given(st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING, ANYTHING), max_size=20))
def test_whatever_a_database_returns_each_row_is_clean_or_counted(raw: list[tuple[object, ...]]) -> None:
    cleaner = Cleaner({"phone": 0, "customer_id": 1, "version": 2, "schedule_at": 3}, LONDON)
    batch = cleaner.clean(raw, samples=5)
    assert batch.seen == len(raw) == len(batch.rows) + batch.invalid
    assert len(batch.samples) == min(batch.invalid, 5)
    for row in batch.rows:
        assert 0 < row.customer < 2**63
        assert row.call_at is None or (row.call_at.tzinfo is UTC and row.problem is None)
        assert row.version is None or ("\0" not in row.version and len(row.version.encode()) <= 2000)


def test_columns_that_a_query_does_not_have_are_none() -> None:
    [row] = Cleaner({"customer_id": 0}, LONDON).clean([(5,)], 5).rows
    assert row == SourceRow(5, None, None, None, None)

"""The API's wire without a socket: logins, texts, and JSON that was made from XML."""

from base64 import b64encode
from datetime import timedelta

import orjson
import pytest

from syncd.simulator import CustomerIn, Dialect, Fault, FaultKind, Ids, Mark, NoRecords, Token
from syncd.simulator.api import JSON, Api, Request, read
from syncd.simulator.campaign import format_time
from syncd.simulator.log import Call
from syncd.vendor import CampaignState, RecordStatus

RECORDS = "/api/stats/campaigns/125/records.json"
CUSTOMERS = "/api/tstats/campaigns/125/customers"


def login(token):
    return "Basic " + b64encode(f"acmecorp01:{token}".encode()).decode()


@pytest.fixture
def call(tenant):
    """Make a call with the guide's token for it; ``token`` is another."""
    api = Api(tenant)

    def make(method, path, body=None, *, token=None, fault=None, query="", content_type=JSON):
        token = token or ("simulated-action" if method == "POST" else "simulated-data")
        headers = {"authorization": login(token), "content-type": content_type}
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        request = Request(method, path, query, headers, raw)
        ask = read(request)
        return api.answer(request, ask, tenant.log.open(ask.call, ask.campaign), fault)

    return make


def add(call, *customers, **more):
    answer = call("POST", CUSTOMERS, [{"customer-id": customer} for customer in customers], **more)
    return orjson.loads(answer.body)


def test_the_status_has_the_fields_of_the_guide_and_unset_ones_are_empty_texts(tenant, call):
    tenant.add_records(125, [1, 2])
    answer = call("GET", "/api/stats/campaigns/125.json")
    campaign = orjson.loads(answer.body)["campaign"]
    assert campaign["no-of-records"] == 2
    assert (campaign["enabled"], campaign["dynamic-campaign"], campaign["status"]) == ("Y", "Y", 3)
    assert campaign["end-time"] == ""
    tenant.manner.tells_count = False
    assert b"no-of-records" not in call("GET", "/api/stats/campaigns/125.json").body
    assert call("GET", "/api/stats/campaigns/9.json").status == 404


def test_reads_take_the_data_token_and_writes_the_one_that_was_set(tenant, call):
    assert call("GET", RECORDS, token="simulated-action").status == 401
    assert call("POST", CUSTOMERS, [], token="simulated-data").status == 401
    assert call("DELETE", f"{CUSTOMERS}/1", token="simulated-action").status == 401
    tenant.manner.wrong_token_status = 403
    tenant.manner.delete_token = Token.ACTION
    tenant.manner.add_token = Token.EITHER
    assert call("DELETE", f"{CUSTOMERS}/1", token="simulated-data").status == 403
    assert call("DELETE", f"{CUSTOMERS}/1", token="simulated-action").status == 404
    assert call("POST", CUSTOMERS, [{"customer-id": 1}], token="simulated-data").status == 207
    assert call("GET", RECORDS, token="nonsense").status == 401
    assert [entry.login for entry in tenant.log][-2:] == ["data", "wrong"]


def test_a_rotated_token_is_worth_nothing(tenant, call):
    tenant.rotate(action_token="new-action", data_token="new-data")
    assert call("GET", RECORDS).status == 401
    assert call("GET", RECORDS, token="new-data").status == 200


def test_a_path_with_the_wrong_t_is_not_found(call):
    assert call("POST", "/api/stats/campaigns/125/customers", []).status == 404
    assert call("GET", "/api/tstats/campaigns/125/records.json").status == 404


def test_adding_answers_207_with_one_entry_a_customer_in_the_words_of_the_guide(tenant, call, clock):
    tenant.crm.mark(Mark.DO_NOT_CALL, [3])
    past = format_time(clock.now() - timedelta(days=1))
    body = [
        {"customer-id": 1},
        {"customer-id": 1},
        {"customer-id": 2, "schedule-date-time": past},
        {"customer-id": 3},
        {"customer-id": 5000},
    ]
    answer = call("POST", CUSTOMERS, body)
    assert answer.status == 207
    assert orjson.loads(answer.body) == [
        {"customer-id": 1, "http-status": 200},
        {"customer-id": 1, "http-status": 400, "message": "Duplicate customer"},
        {
            "customer-id": 2,
            "schedule-date-time": past,
            "http-status": 400,
            "message": "The subject schedule-date-time is in the past.",
        },
        {
            "customer-id": 3,
            "http-status": 400,
            "message": "Invalid customer provided, customer is wrong or in DNC list.",
        },
        {"customer-id": 5000, "http-status": 404, "message": "The customer-id has not been found."},
    ]


def test_the_older_page_says_it_in_other_words(tenant, call):
    tenant.manner.dialect = Dialect.OLDER
    assert [entry["message"] for entry in add(call, 1, 1, 5000)] == [
        "Campaign customer added.",
        "Duplicated customer.",
        "Customer not found.",
    ]
    answer = call("DELETE", f"{CUSTOMERS}/1")
    assert (answer.status, answer.body) == (200, b'{"message":"Customer deleted."}')


def test_a_time_outside_the_schedule_is_refused_with_both_its_ends(tenant, call, clock):
    properties = tenant.campaigns[125].properties
    properties.opens, properties.closes = clock.now() + timedelta(hours=2), clock.now() + timedelta(hours=4)
    body = [{"customer-id": 1, "schedule-date-time": format_time(clock.now() + timedelta(hours=1))}]
    (entry,) = orjson.loads(call("POST", CUSTOMERS, body).body)
    assert entry["message"] == (
        "The subject schedule-date-time is outside the campaign schedule "
        "from 2027-03-01T11:00:00.000Z to 2027-03-01T13:00:00.000Z."
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[1]", b'[{"id":1}]', b'[{"customer-id":1,"more":2}]', b"[]"])
def test_a_body_that_is_no_list_of_customers_is_refused_whole(tenant, call, body):
    answer = call("POST", CUSTOMERS, body)
    assert (answer.status, answer.body) == (400, b'{"message":"The provided customer list is invalid."}')
    assert len(tenant.campaigns[125]) == 0


def test_a_body_must_say_that_it_is_json(call):
    assert call("POST", CUSTOMERS, [{"customer-id": 1}], content_type="text/plain").status == 415


@pytest.mark.parametrize(("status", "text"), [(413, b"too large"), (400, b"list is invalid")])
def test_a_batch_beyond_the_limit_is_refused_whole(tenant, call, status, text):
    tenant.manner.batch_limit, tenant.manner.batch_limit_status = 2, status
    answer = call("POST", CUSTOMERS, [{"customer-id": customer} for customer in (1, 2, 3)])
    assert answer.status == status
    assert text in answer.body
    assert len(add(call, 1, 2)) == 2


def test_a_stopped_campaign_refuses_whole_or_customer_by_customer(tenant, call):
    tenant.campaigns[125].set_state(CampaignState.MANUAL_STOPPED)
    answer = call("POST", CUSTOMERS, [{"customer-id": 1}])
    assert (answer.status, answer.body) == (
        400,
        b'{"message":"The campaign has stopped. No additional customers can be added."}',
    )
    assert (
        call("DELETE", f"{CUSTOMERS}/1").body == b'{"message":"The campaign has stopped. No customers can be deleted."}'
    )
    tenant.manner.refuses_in_207, tenant.manner.dialect = True, Dialect.OLDER
    text = "Campaign is already stopped or completed. No operation is allowed."
    assert add(call, 1) == [{"customer-id": 1, "http-status": 400, "message": text}]


def test_deleting_answers_in_the_words_of_the_guide(tenant, call):
    tenant.add_records(125, [1, 2, 3])
    tenant.set_record(125, 2, status=RecordStatus.ACCEPTED)
    tenant.set_record(125, 3, status=RecordStatus.COMPLETED)
    answers = {customer: call("DELETE", f"{CUSTOMERS}/{customer}") for customer in (1, 2, 3, 4)}
    assert (answers[1].status, answers[1].body) == (204, b"")
    assert b"because an agent has connected to the phone line." in answers[2].body
    assert b"because the record is marked as completed." in answers[3].body
    assert answers[4].body == b'{"message":"Customer not found."}'
    assert b"because the record is deleted already." in call("DELETE", f"{CUSTOMERS}/1").body
    assert {answers[customer].status for customer in (2, 3, 4)} == {404}
    tenant.manner.unavailable_status, tenant.manner.terse_deletes = 400, False
    assert call("DELETE", f"{CUSTOMERS}/2").status == 400
    tenant.manner.terse_deletes = True
    assert call("DELETE", f"{CUSTOMERS}/2").body == b'{"message":"Customer not available for deletion."}'


def test_one_record_comes_as_an_object_and_several_as_a_list(tenant, call):
    tenant.add_records(125, [7])
    one = orjson.loads(call("GET", RECORDS).body)["records"]["record"]
    assert one == {
        "campaign-name": "Simulated",
        "campaign-id": 125,
        "record-id": 7,
        "phone-list": "*Phone Number|5550000007",
        "status": 0,
        "status-code": 0,
        "ext-trans-data": "",
        "disposition-code": 1000,
    }
    tenant.add_records(125, [8])
    assert [record["record-id"] for record in orjson.loads(call("GET", RECORDS).body)["records"]["record"]] == [7, 8]


def test_no_records_come_in_every_shape_in_turn(tenant, call):
    tenant.manner.no_records = NoRecords.ROTATE
    shapes = [call("GET", RECORDS).body for _ in range(7)]
    assert set(shapes) == {b'{"records":{}}', b'{"records":""}', b'{"records":null}', b"{}", b"null", b""}
    assert shapes[0] == shapes[6]


def test_the_customer_may_stand_elsewhere_than_in_the_record_id(tenant, call):
    tenant.add_records(125, [7])

    def record():
        return orjson.loads(call("GET", RECORDS).body)["records"]["record"]

    tenant.manner.customer_in = CustomerIn.EXT_TRANS_DATA
    assert (record()["record-id"], record()["ext-trans-data"]) == (10_000_000, "7")
    tenant.manner.customer_in = CustomerIn.PHONE
    tenant.crm.set_phone(7, "5551234567")
    assert (record()["record-id"], record()["ext-trans-data"], record()["phone-list"]) == (
        10_000_000,
        "",
        "*Phone Number|5551234567",
    )


def test_ids_come_as_digits_or_mixed(tenant, call):
    tenant.manner.ids = Ids.STRING
    assert add(call, 1) == [{"customer-id": "1", "http-status": "200"}]
    tenant.manner.ids = Ids.MIXED
    assert [entry["customer-id"] for entry in add(call, 3, 4)] == ["3", 4]


def test_entries_may_come_in_another_order_and_some_not_at_all(tenant, call):
    tenant.manner.shuffle = True
    entries = [entry["customer-id"] for entry in add(call, *range(1, 31))]
    assert entries != sorted(entries)
    assert sorted(entries) == list(range(1, 31))
    missing = Fault(kind=FaultKind.MISSING_ENTRIES, share=0.25)
    assert len(add(call, *range(31, 51), fault=missing)) == 15
    assert len(tenant.campaigns[125]) == 50


def test_a_short_listing_leaves_out_the_same_records_each_time_and_the_count_is_right(tenant, call):
    tenant.add_records(125, range(1, 51))
    short = Fault(kind=FaultKind.SHORT_LISTING, share=0.2)
    seen = [orjson.loads(call("GET", RECORDS, fault=short).body)["records"]["record"] for _ in range(2)]
    assert seen[0] == seen[1]
    assert len(seen[0]) == 40
    assert tenant.count(125) == 50


@pytest.mark.parametrize("query", ["n=", "n=-1", "n=x", "m=1", "n=%D9%A3"])
def test_a_parameter_that_is_not_understood_is_refused(call, query):
    assert call("GET", RECORDS, query=query).status == 400


def test_reading_a_request_does_not_look_at_who_asks(tenant):
    ask = read(Request("DELETE", f"{CUSTOMERS}/12"))
    assert (ask.call, ask.campaign, ask.customers()) == (Call.DELETE, 125, frozenset({12}))

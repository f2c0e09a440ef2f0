"""Marked secrets: every error path, and no token, password, address or phone number anywhere."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest
from command_line import CommandLine, Finished
from daemon_process import daemon

from syncd.simulator import Call, FaultKind
from tests.receiving import Receiver, receiving

PHONE = "447946018273"
MARKS = {
    "action token": "mark-action-5f21",
    "data token": "mark-data-77ab",
    "state password": "mark-state-91cd",
    "source password": "mark-source-3e0d",
    "notice": "mark-notice-c4f0",
    "heartbeat": "mark-beat-0b1e",
    "phone number": PHONE[2:],
    "value of a row": "mark-value-6a6a",
}
LOGINS = {
    f"{name} as it is sent": base64.b64encode(f"acmecorp01:{MARKS[name]}".encode()).decode()
    for name in ("action token", "data token")
}

MORE = """
every = "1s"
heartbeat = "{beat}"

[notify]
urls = ["{notice}"]
heartbeat = "{beat}"
after = "0s"

[sources.strict]
url = "{strict}"
password = "env:SOURCE_PASSWORD"

[sources.silent]
url = "postgresql://reader@127.0.0.1:1/crm"
password = "env:SOURCE_PASSWORD"

[campaigns.by-phone]
id = 126
tenant = "acme"
source = "crm"
query = "SELECT customer_id, phone FROM due"
suppress = "SELECT customer_id, phone FROM do_not_call"
match_on = "phone"
every = "1s"

[campaigns.no-ids]
id = 127
tenant = "acme"
source = "crm"
query = "SELECT phone || 'x' AS customer_id, phone AS schedule_at, version FROM due"
every = "1s"

[campaigns.wrong-type]
id = 128
tenant = "acme"
source = "strict"
query = "SELECT phone::int AS customer_id FROM (VALUES ('+{phone}')) AS due (phone)"
every = "1s"

[campaigns.wrong-name]
id = 129
tenant = "acme"
source = "strict"
query = "SELECT customer_id FROM nowhere WHERE phone = '+{phone}'"
every = "1s"

[campaigns.out-of-reach]
id = 130
tenant = "acme"
source = "silent"
query = "SELECT 1 AS customer_id"
every = "1s"
"""

STRUCK = """
[campaigns.struck-{number}]
id = {number}
tenant = "acme"
source = "crm"
query = "SELECT * FROM due"
every = "1s"
"""

COMMANDS = (
    "once",
    "once --json",
    "--debug once renewals wrong-type wrong-name struck-131 struck-134",
    "plan",
    "plan --csv renewals",
    "check",
    "check --json",
    "status",
    "status --json",
    "history --json",
    "changes --since 1d --json",
    "explain 7 --json",
    "parked --json",
    "held --json",
)


@dataclass
class Marked:
    """A desk whose every secret is marked, and all that was seen of it."""

    desk: CommandLine
    receiver: Receiver
    database: str
    seen: dict[str, str] = field(default_factory=dict)

    def run(self, command: str) -> Finished:
        finished = self.desk.run(*command.split())
        self.seen[f"{command} #{len(self.seen)}"] = finished.out + finished.err
        return finished

    def look_into_the_state(self) -> None:
        """Take in every row of every table."""
        with psycopg.connect(self.database, options="-c search_path=syncd") as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'syncd'").fetchall()
            for (table,) in tables:
                rows = connection.execute(f"SELECT row_to_json(t)::text FROM {table} t".encode()).fetchall()
                self.seen[f"table {table}"] = "\n".join(str(row) for (row,) in rows)
        assert "change" in {table for (table,) in tables}

    def look_at_notices(self) -> None:
        self.seen["notices"] = json.dumps(self.receiver.bodies)

    def was_driven_there(self) -> None:
        """See that the troubles came about."""
        everything = "\n".join(self.seen.values())
        for proof in ("HTTP 500", "HTTP 401", "not JSON", "source strict", "source silent", "no-ids", "is failing"):
            assert proof in everything, proof

    def shows_no_mark(self) -> None:
        for where, text in self.seen.items():
            for name, mark in (MARKS | LOGINS).items():
                assert mark not in text, f"{name} in {where}: {text[max(0, text.index(mark) - 300) :][:600]}"

    def trouble(self) -> None:
        """Have a campaign for each thing that can go wrong with the tenant."""
        login = LOGINS["action token as it is sent"]
        echo = f"Nothing for {MARKS['action token']}, {MARKS['data token']}, Basic {login}"
        self.desk.strike(FaultKind.ANSWER, Call.ADD, campaign=131, status=400, text=f"{echo}: no call to +{PHONE}")
        # No more than the tries of one call, which take their time.
        self.desk.strike(FaultKind.ANSWER, Call.STATUS, campaign=132, status=500, text=echo, count=4)
        page = f"<html>{echo} +{PHONE}"
        self.desk.strike(FaultKind.ANSWER, Call.LIST, campaign=133, status=200, text=page, html=True, count=4)
        self.desk.strike(FaultKind.ANSWER, campaign=134, status=401, text=echo)


@pytest.fixture
def marked(desk: CommandLine, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Marked]:
    desk.tokens = {
        "ACTION_TOKEN": MARKS["action token"],
        "DATA_TOKEN": MARKS["data token"],
        "STATE_PASSWORD": MARKS["state password"],
        "SOURCE_PASSWORD": MARKS["source password"],
        "STATE_DIRECTORY": str(desk.directory),
    }
    for name, value in desk.tokens.items():
        monkeypatch.setenv(name, value)
    desk.tenant.rotate(action_token=MARKS["action token"], data_token=MARKS["data token"])
    for number in range(126, 135):
        desk.tenant.add_campaign(number, name=f"Number {number}")
    desk.crm.run("ALTER TABLE due ADD COLUMN remark")
    rows = [(customer, f"+{PHONE}{customer}", MARKS["value of a row"]) for customer in (7, 9)]
    desk.crm.run("INSERT INTO due VALUES (?, NULL, NULL, ?, ?)", rows)
    desk.crm.suppress(9)
    desk.state += '\npassword = "env:STATE_PASSWORD"'
    with receiving() as receiver:
        desk.more = MORE.format(
            beat=receiver.address(f"/{MARKS['heartbeat']}"),
            notice=receiver.notices(f"/{MARKS['notice']}?+token={MARKS['notice']}"),
            strict=database.replace("postgresql://", "postgresql+psycopg://"),
            phone=PHONE,
        ) + "".join(STRUCK.format(number=number) for number in range(131, 135))
        yield Marked(desk, receiver, database)


@contextmanager
def without_state(desk: CommandLine) -> Iterator[None]:
    """Lead the configuration to a state that is not there."""
    before = desk.state
    desk.state = 'url = "postgresql://syncd@127.0.0.1:1/syncd"\npassword = "env:STATE_PASSWORD"'
    yield
    desk.state = before


def test_no_command_shows_a_secret_or_a_phone_number_whatever_goes_wrong(marked: Marked) -> None:
    marked.trouble()
    for command in COMMANDS:
        marked.run(command)
    marked.receiver.down()
    marked.run("once renewals struck-134")
    with without_state(marked.desk):
        for command in ("once", "status", "--debug check"):
            assert marked.run(command).status == 1
    marked.look_into_the_state()
    marked.look_at_notices()
    marked.was_driven_there()
    marked.shows_no_mark()


def test_the_daemon_shows_no_secret_and_no_phone_number_whatever_goes_wrong(marked: Marked) -> None:
    marked.trouble()
    marked.desk.listen = "127.0.0.1:0"
    with daemon(marked.desk) as running:
        running.until(lambda: len({line["campaign"] for line in running.lines if "campaign" in line}) == 10)
        running.until(lambda: len(marked.receiver.bodies) >= 6)
        for path in ("/", "/readyz", "/metrics"):
            try:
                with urlopen(running.lines[0]["page"] + path, timeout=60) as answer:  # noqa: S310 - loopback
                    marked.seen[path] = answer.read().decode()
            except HTTPError as error:
                with error:
                    marked.seen[path] = error.read().decode()
        marked.receiver.down()
        running.until(lambda: any("heartbeat was not taken" in sentence for sentence in running.sentences))
        assert running.stop() == 0
    marked.seen["log"] = running.log.read_text()
    marked.look_into_the_state()
    marked.look_at_notices()
    marked.was_driven_there()
    marked.shows_no_mark()

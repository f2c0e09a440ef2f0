"""The state: what syncd did in each campaign and why.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CAMPAIGN = """
CREATE TABLE campaign (
    id             smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account        text NOT NULL,              -- the tenant's user name
    vendor_id      bigint NOT NULL,
    name           text NOT NULL,              -- the section's name when it last ran
    condition      text NOT NULL DEFAULT 'new',
    since          timestamptz NOT NULL DEFAULT now(),
    due_at         timestamptz,                -- when the next pass is due, whichever host runs it
    listed_at      timestamptz,                -- the last whole listing
    list_tried_at  timestamptz,                -- the last listing, whole or not
    observe_due    boolean NOT NULL DEFAULT false,  -- an answer came that the ledger did not foresee
    short_listings smallint NOT NULL DEFAULT 0,     -- listings in a row that were not whole
    running        bigint,                     -- the pass under way; one that stays set died
    running_since  timestamptz,
    running_host   text,
    paused_at      timestamptz,
    paused_by      text,
    pause_reason   text,
    UNIQUE (account, vendor_id)
)
"""

LEDGER = """
CREATE TABLE ledger (
    customer       bigint NOT NULL,            -- the vendor's ACCOUNTNUM
    record_id      bigint,                     -- as last listed
    added_at       timestamptz,                -- syncd's last confirmed add
    wanted_at      timestamptz,                -- the row's time when it was added or adopted
    recalled_at    timestamptz,                -- the last confirmed recall
    confirmed_pass bigint,                     -- the pass whose call confirmed `presence`, until a later listing spoke
    disposition    integer,
    campaign       smallint NOT NULL,
    status         smallint,                   -- as last listed or answered; null: never seen
    status_code    smallint,
    absent         smallint,                   -- whole listings in a row without it, 2 and more alike; null: none since
                                               -- syncd's last call on it
    rescheduled    smallint NOT NULL DEFAULT 0,-- passes in a row that rescheduled it
    presence       text NOT NULL CHECK (presence IN ('in', 'removed', 'owed', 'gone')),
    ours           boolean NOT NULL,           -- syncd added or adopted it; else foreign, or released
    called         boolean NOT NULL DEFAULT false,
    reopened       boolean NOT NULL DEFAULT false, -- completed, yet the last listing showed it open
    tried          boolean NOT NULL DEFAULT false, -- its removal was tried in the completed state last seen
    version        text,                       -- the row's version as last read while the record was open
    called_version text,                       -- the one read before a listing that still showed the record open
    added_times    timestamptz[],              -- adds of the last seven days, confirmed and unknown
    PRIMARY KEY (campaign, customer)
) PARTITION BY LIST (campaign)
"""

PARKED = """
CREATE TABLE parked (
    campaign  smallint NOT NULL,
    customer  bigint NOT NULL,
    reason    text NOT NULL,
    message   text NOT NULL DEFAULT '',        -- the vendor's own words
    since     timestamptz NOT NULL,
    last_try  timestamptz NOT NULL,
    attempts  integer NOT NULL DEFAULT 1,
    next_try  timestamptz,                     -- null: not before the source row changes
    row_hash  bigint,
    given_up  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (campaign, customer)
)
"""

CLAIM = """
CREATE TABLE claim (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign  smallint NOT NULL,
    pass      bigint NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('add', 'remove', 'reschedule', 'recall')),
    customers bigint[] NOT NULL,
    times     timestamptz[] NOT NULL,
    versions  text[] NOT NULL,
    shown     boolean[] NOT NULL,              -- what the last whole listing since said of each; null: none yet
    sent_at   timestamptz NOT NULL
)
"""

RUN_RECORD = """
CREATE TABLE pass (
    id        bigint NOT NULL PRIMARY KEY,
    campaign  smallint NOT NULL,
    kind      text NOT NULL,                   -- what started it: once, run
    began     timestamptz NOT NULL,
    ended     timestamptz,                     -- null: it died
    host      text NOT NULL,
    passes    integer NOT NULL DEFAULT 1,      -- how many passes without news this row stands for
    observed  boolean NOT NULL,
    result    text NOT NULL,
    sentence  text NOT NULL,                   -- what the pass decided, in one sentence
    counts    jsonb NOT NULL
)
"""

CHANGE = """
CREATE TABLE change (
    at          timestamptz NOT NULL,
    pass        bigint NOT NULL,
    customer    bigint NOT NULL,
    campaign    smallint NOT NULL,
    http_status smallint,
    kind        text NOT NULL,
    rule        text NOT NULL,                 -- the row of the decision table
    outcome     text NOT NULL,
    reason      text,
    message     text NOT NULL DEFAULT '',
    approved    boolean NOT NULL DEFAULT false, -- let through by a person
    delay       interval                       -- of a suppression: from the read that first showed it to the answer
) PARTITION BY RANGE (at)
"""

SIGHTING = """
CREATE TABLE sighting (
    seen_at     timestamptz NOT NULL,
    customer    bigint NOT NULL,
    disposition integer,
    campaign    smallint NOT NULL,
    status      smallint,
    status_code smallint
) PARTITION BY RANGE (seen_at)
"""

SUPPRESSION = """
CREATE TABLE suppression (
    account    text NOT NULL DEFAULT '',       -- '' is every tenant
    customer   bigint NOT NULL,
    origin     text NOT NULL CHECK (origin IN ('operator', 'disposition')),
    reason     text NOT NULL,
    since      timestamptz NOT NULL,
    by         text NOT NULL,
    PRIMARY KEY (account, customer, origin)
)
"""

SUPPRESSED_RECORD = """
CREATE TABLE suppressed_record (
    campaign   smallint NOT NULL,
    customer   bigint NOT NULL,
    shown_at   timestamptz NOT NULL,           -- the read that first showed both suppressed and in
    removed_at timestamptz,                    -- the answer of the dialer that it is out
    left_at    timestamptz,                    -- gone or called without a removal of ours, or suppressed no more
    PRIMARY KEY (campaign, customer, shown_at)
)
"""

READING = """
CREATE TABLE reading (                         -- what good passes read: the guard's baseline
    campaign        smallint NOT NULL,
    day             date NOT NULL,
    query           text NOT NULL,             -- a digest of the query's text
    largest         integer NOT NULL,          -- customers of the day's largest reading
    columns         text[] NOT NULL,
    suppressed_rows integer,
    read_at         timestamptz NOT NULL,
    PRIMARY KEY (campaign, day, query)
)
"""

HELD_PLAN = """
CREATE TABLE held_plan (                       -- what waits for a person; one a campaign
    campaign  smallint NOT NULL PRIMARY KEY,
    digest    text NOT NULL,
    pass      bigint NOT NULL,
    since     timestamptz NOT NULL,
    seen_at   timestamptz NOT NULL,
    sentences text[] NOT NULL,
    figures   jsonb NOT NULL,                  -- what becomes the baseline when it is approved
    removals  integer NOT NULL,
    additions integer NOT NULL
)
"""

HELD_CHANGE = """
CREATE TABLE held_change (
    campaign  smallint NOT NULL,
    customer  bigint NOT NULL,
    wanted_at timestamptz,
    kind      text NOT NULL,
    rule      text NOT NULL,
    PRIMARY KEY (campaign, customer, kind)
)
"""

APPROVAL = """
CREATE TABLE approval (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign   smallint NOT NULL,
    digest     text NOT NULL,
    by         text NOT NULL,
    at         timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
)
"""

APPROVED_CHANGE = """
CREATE TABLE approved_change (
    campaign smallint NOT NULL,
    customer bigint NOT NULL,
    approval bigint NOT NULL REFERENCES approval ON DELETE CASCADE,
    used_at  timestamptz,
    kind     text NOT NULL,
    PRIMARY KEY (campaign, customer, kind, approval)
)
"""

NOTICE = """
CREATE TABLE notice (                          -- what people were told that is not over
    campaign smallint NOT NULL,
    receiver smallint NOT NULL,                -- its place in the configuration's list, from 1
    subject  text NOT NULL,
    told     text[] NOT NULL,                  -- which conditions, which end-time, which reading of the list
    told_at  timestamptz NOT NULL,
    PRIMARY KEY (campaign, receiver, subject)
)
"""


def upgrade() -> None:
    for statement in (
        CAMPAIGN,
        LEDGER,
        PARKED,
        CLAIM,
        "CREATE INDEX claim_campaign ON claim (campaign)",
        "CREATE SEQUENCE pass_id",
        RUN_RECORD,
        "CREATE INDEX pass_campaign ON pass (campaign, id)",
        "CREATE INDEX pass_result ON pass (campaign, result, id)",
        CHANGE,
        "CREATE INDEX change_customer ON change (campaign, customer, at)",
        "CREATE INDEX change_pass ON change (pass)",
        "CREATE INDEX change_at ON change USING brin (at)",
        "CREATE INDEX change_deferred ON change (pass) WHERE outcome = 'deferred' AND kind <> 'add'",
        SIGHTING,
        "CREATE INDEX sighting_customer ON sighting (campaign, customer, seen_at)",
        SUPPRESSION,
        SUPPRESSED_RECORD,
        "CREATE INDEX suppressed_record_open ON suppressed_record (campaign, shown_at)"
        " WHERE removed_at IS NULL AND left_at IS NULL",
        READING,
        HELD_PLAN,
        HELD_CHANGE,
        APPROVAL,
        APPROVED_CHANGE,
        NOTICE,
    ):
        op.execute(statement)


def downgrade() -> None:
    for name in (
        "notice",
        "approved_change",
        "approval",
        "held_change",
        "held_plan",
        "reading",
        "suppressed_record",
        "suppression",
        "sighting",
        "change",
        "pass",
        "claim",
        "parked",
        "ledger",
        "campaign",
    ):
        op.execute(f"DROP TABLE {name}")
    op.execute("DROP SEQUENCE pass_id")

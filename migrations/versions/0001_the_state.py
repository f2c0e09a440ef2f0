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
    taken_over     bigint,                     -- the pass that died and was made up for before the next was due
    failures       smallint NOT NULL DEFAULT 0,-- failed passes in a row
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
    seen_at         timestamptz NOT NULL,
    customer        bigint NOT NULL,
    disposition     integer,
    was_disposition integer,
    campaign        smallint NOT NULL,
    status          smallint,
    status_code     smallint,
    was_status      smallint                   -- before it; null: of this record nothing was known
) PARTITION BY RANGE (seen_at)
"""

DISPOSITION = """
CREATE TABLE disposition (                     -- the tenants' own words, as the configuration has them
    account text NOT NULL,
    code    integer NOT NULL,
    words   text NOT NULL,
    PRIMARY KEY (account, code)
)
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

STATUS_WORDS = """
CREATE FUNCTION status_words(status smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE status WHEN 0 THEN 'new' WHEN 1 THEN 'queued' WHEN 2 THEN 'with an agent' WHEN 3 THEN 'completed'
                WHEN 4 THEN 'scheduled' ELSE status::text END
"""

STATUS_CODE_WORDS = """
CREATE FUNCTION status_code_words(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE code WHEN 0 THEN 'default' WHEN 1 THEN 'max attempts reached' WHEN 2 THEN 'skipped'
              WHEN 3 THEN 'no phone number' WHEN 4 THEN 'invalid phone number' ELSE code::text END
"""

DISPOSITION_WORDS = """
CREATE FUNCTION disposition_words(code integer, tenants_words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    coalesce(tenants_words,
             CASE code WHEN 0 THEN 'none' WHEN 1000 THEN 'none' WHEN 1001 THEN 'try again'
                       WHEN 1002 THEN 'scheduled call back' ELSE code::text END)
"""

HAS_DISPOSITION = """
CREATE FUNCTION has_disposition(code integer) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    coalesce(code, 1000) NOT IN (0, 1000)
"""

CALL_OUTCOME = """
CREATE VIEW call_outcome AS
SELECT s.seen_at, c.name AS campaign, c.account, c.vendor_id, s.customer, status_words(s.status) AS status,
       status_code_words(s.status_code) AS status_code,
       coalesce(disposition_words(coalesce(later.disposition, s.disposition), d.words), 'none') AS disposition,
       coalesce(later.disposition, s.disposition) AS disposition_number
FROM sighting s
JOIN campaign c ON c.id = s.campaign
-- A call is first seen as completed, its disposition in a listing after that: it is one call. Within a week, so that no
-- more than two partitions are looked into.
LEFT JOIN LATERAL (
    SELECT n.disposition FROM sighting n
    WHERE s.status = 3 AND NOT has_disposition(s.disposition)
      AND n.campaign = s.campaign AND n.customer = s.customer
      AND n.seen_at > s.seen_at AND n.seen_at < s.seen_at + interval '7 days'
      AND n.status = 3 AND n.was_status = 3 AND has_disposition(n.disposition)
      -- of this call, and not of one that came after it
      AND NOT EXISTS (SELECT FROM sighting o
                      WHERE o.campaign = s.campaign AND o.customer = s.customer AND o.seen_at > s.seen_at
                        AND o.seen_at < n.seen_at AND o.was_status IS DISTINCT FROM 3)
    ORDER BY n.seen_at LIMIT 1) later ON true
LEFT JOIN disposition d ON d.account = c.account AND d.code = coalesce(later.disposition, s.disposition)
WHERE CASE
      -- It was completed.
      WHEN s.status = 3 AND s.was_status IS DISTINCT FROM 3 THEN true
      -- While an agent has the call it is not over, whatever disposition is chosen already.
      WHEN s.status = 2 THEN false
      -- The disposition of the call that was seen as completed before it.
      WHEN s.status = 3 AND NOT has_disposition(s.was_disposition) THEN false
      -- It was called, and waits in the campaign for another try, or was tried again since.
      ELSE has_disposition(s.disposition) AND s.disposition IS DISTINCT FROM s.was_disposition
      END
"""

CUSTOMER_STATUS = """
CREATE VIEW customer_status AS
SELECT c.name AS campaign, c.account, c.vendor_id, k.customer,
       CASE k.presence WHEN 'in' THEN 'in the campaign' WHEN 'removed' THEN 'removed'
                       WHEN 'owed' THEN 'removed, to be added again' WHEN 'gone' THEN 'gone'
                       ELSE 'never added' END AS presence,
       k.ours, k.called, status_words(k.status) AS status, status_code_words(k.status_code) AS status_code,
       disposition_words(k.disposition, d.words) AS disposition, k.disposition AS disposition_number,
       k.added_at, k.wanted_at, p.reason AS parked,
       -- As columns of their own, so that they cost nothing where they are not asked for.
       (SELECT max(s.seen_at) FROM sighting s WHERE s.campaign = k.campaign AND s.customer = k.customer) AS seen_at,
       (SELECT max(j.at) FROM change j WHERE j.campaign = k.campaign AND j.customer = k.customer) AS changed_at
FROM (
    SELECT campaign, customer, presence, ours, called, status, status_code, disposition, added_at, wanted_at FROM ledger
    UNION ALL
    -- Refused ever since they were first asked for.
    SELECT campaign, customer, NULL, false, false, NULL, NULL, NULL, NULL, NULL FROM parked n
    WHERE NOT EXISTS (SELECT FROM ledger l WHERE l.campaign = n.campaign AND l.customer = n.customer)
) k
JOIN campaign c ON c.id = k.campaign
LEFT JOIN disposition d ON d.account = c.account AND d.code = k.disposition
LEFT JOIN parked p ON p.campaign = k.campaign AND p.customer = k.customer
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
        "CREATE INDEX change_deferred ON change (pass) WHERE outcome = 'deferred' AND kind = 'remove'",
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
        DISPOSITION,
        STATUS_WORDS,
        STATUS_CODE_WORDS,
        DISPOSITION_WORDS,
        HAS_DISPOSITION,
        CALL_OUTCOME,
        CUSTOMER_STATUS,
    ):
        op.execute(statement)


def downgrade() -> None:
    for view in ("customer_status", "call_outcome"):
        op.execute(f"DROP VIEW {view}")
    for function in ("has_disposition", "disposition_words", "status_code_words", "status_words"):
        op.execute(f"DROP FUNCTION {function}")
    for name in (
        "disposition",
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

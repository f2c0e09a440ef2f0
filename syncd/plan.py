"""The comparison: desired x suppressed x ledger, one statement that decides.

:data:`DECIDE` reads the staged tables (``desired``, ``suppressed``) and the state's ``ledger``, ``claim`` and
``parked``, and fills ``planned`` with what would turn the campaign into what is desired. The first branch of its CASE
that holds is the row of the decision table; its name, a :class:`~syncd.words.Rule`, goes into the journal. A dry run
runs the same statement over temporary copies of the same tables.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg import AsyncCursor
from psycopg.rows import class_row

from syncd.config import CampaignSettings
from syncd.state.database import Connection
from syncd.vendor import SCHEDULE_AHEAD_DAYS
from syncd.words import Kind, Rule

RECALL_PAUSE = timedelta(hours=24)
"""A customer is recalled once in this time at most."""

FLICKERING_PASSES = 3
"""A customer rescheduled in so many passes running is parked, and rescheduled once at each next try."""


DECIDE = """
WITH
gone AS (       -- what is being applied stays: a protection in mid-pass plans its own lane anew
    DELETE FROM planned WHERE queue = 0 OR NOT %(suppressed_only)s
),
claimed AS (    -- customers with a call that nobody answered yet
    SELECT DISTINCT unnest(customers) AS customer FROM claim WHERE campaign = %(campaign)s
),
known AS (      -- the suppression lane looks up its own: it is walked anew, in mid-pass, while the ledger is long
    SELECT * FROM ledger WHERE campaign = %(campaign)s AND NOT %(suppressed_only)s
    UNION ALL
    SELECT l.* FROM suppressed JOIN ledger l USING (customer) WHERE l.campaign = %(campaign)s AND %(suppressed_only)s
),
wanted AS (
    SELECT * FROM desired WHERE NOT %(suppressed_only)s
),
joined AS (
    SELECT customer,
           d.customer IS NOT NULL AS desired, d.wanted_at AS row_at, d.version AS row_version, d.problem,
           c.customer IS NOT NULL AS claimed,
           l.presence, l.absent, l.status, l.disposition, l.wanted_at, l.version, l.called_version,
           l.recalled_at, l.added_times, l.rescheduled, l.ours, l.tried, l.reopened,
           coalesce(l.called, false) AS called
    FROM wanted d
    FULL JOIN known l USING (customer)
    FULL JOIN claimed c USING (customer)
),
facts AS (
    SELECT j.*,
           s.customer IS NOT NULL AS suppressed,
           coalesce(j.presence = 'in', false) AS present,
           -- A record that we deleted and a lagging listing still shows: nothing for anyone but the suppressed.
           coalesce(j.presence = 'in' OR j.absent = 0, false) AS shown,
           CASE WHEN j.status IS NULL OR j.status IN (0, 1, 4) THEN 'open'
                WHEN j.status = 2 THEN 'agent'
                WHEN j.status = 3 THEN 'completed'
                ELSE 'unknown' END AS stand,
           p.reason AS park_reason,
           -- A changed row is tried at once, but for one that changes in every pass.
           coalesce(
               (p.next_try IS NULL OR p.next_try > %(now)s)
               AND (p.reason = 'flickering-time' OR p.row_hash = hashtextextended(
                       concat_ws('|', extract(epoch FROM j.row_at), j.row_version, j.problem), 0)),
               false) AS waiting,
           coalesce(j.row_version <> j.called_version, false)
               AND %(recall)s = 'on-version'
               AND (j.recalled_at IS NULL OR j.recalled_at <= %(now)s - %(recall_pause)s::interval) AS recall,
           -- A row's time that has come moves nobody; two times are the same within the tolerance, come or not.
           CASE WHEN j.row_at <= %(now)s THEN false
                WHEN j.row_at IS NULL THEN coalesce(j.wanted_at > %(now)s, false)
                WHEN j.wanted_at IS NULL THEN true
                ELSE abs(extract(epoch FROM j.row_at - j.wanted_at)) > %(tolerance)s
           END AS moved
    FROM joined j
    LEFT JOIN suppressed s USING (customer)
    LEFT JOIN (SELECT * FROM parked WHERE campaign = %(campaign)s) p USING (customer)
    -- In step to the letter, with nothing to remember. In most passes that is nearly everyone.
    WHERE (NOT %(everyone)s
           AND j.desired AND s.customer IS NULL AND j.presence = 'in' AND j.ours AND NOT j.called AND j.rescheduled = 0
           AND j.row_at IS NOT DISTINCT FROM j.wanted_at AND j.row_version IS NOT DISTINCT FROM j.version) IS NOT TRUE
    OFFSET 0    -- a fence: else each step's expressions are computed anew wherever the next one names them
),
ruled AS (
    SELECT f.*,
        CASE
        -- Suppressed: out, whatever else is true of the customer.
        WHEN suppressed AND shown AND stand IN ('open', 'unknown')      THEN 'suppressed-open'
        --   completed, yet last listed as open: others wait for a second listing to say so
        WHEN suppressed AND shown AND stand = 'completed' AND reopened AND NOT tried
                                                                        THEN 'suppressed-open'
        WHEN suppressed AND shown AND stand = 'agent'                   THEN 'suppressed-with-agent'
        --   completed as Try Again or Scheduled Call Back: it may ring again; once for each state seen
        WHEN suppressed AND shown AND stand = 'completed' AND disposition IN (1001, 1002) AND NOT tried
                                                                        THEN 'suppressed-may-ring-again'
        --   a record that we deleted, shown by a lagging listing, says nothing of the one that a claim may have added
        WHEN suppressed AND present AND stand = 'completed'             THEN 'suppressed-completed'
        WHEN suppressed AND claimed                                     THEN 'suppressed-claim-open'
        WHEN suppressed                                                 THEN 'suppressed'

        -- Desired and not in the campaign.
        WHEN desired AND NOT present AND claimed                        THEN 'claim-open'
        --   a recall that met its own old record waits only while that record is listed
        WHEN desired AND NOT present AND waiting AND park_reason <> 'recall-duplicate'
                                                                        THEN 'parked'
        --   the add that the claim of a reschedule or recall obliges
        WHEN desired AND NOT present AND presence = 'owed'              THEN 'owed'
        WHEN desired AND NOT present AND called AND recall              THEN 'called-recall'
        WHEN desired AND NOT present AND called                         THEN 'called'
        WHEN desired AND presence = 'gone' AND ours AND stand = 'open'  THEN 'vanished'
        --   the call was made, or was being made, when it left
        WHEN desired AND presence = 'gone' AND stand IN ('agent', 'unknown')
                                                                        THEN 'gone-after-agent'
        WHEN desired AND NOT present                                    THEN 'new'

        -- Desired and in the campaign.
        WHEN desired AND stand = 'completed' AND recall AND NOT waiting THEN 'completed-recall'
        WHEN desired AND stand = 'completed'                            THEN 'completed'
        WHEN desired AND NOT ours AND stand IN ('open', 'agent')        THEN 'adopt'
        WHEN desired AND NOT ours                                       THEN 'foreign-unknown'
        --   a called customer's record that opened again is the vendor's to ring: a new one would be a call unasked
        WHEN desired AND stand = 'open' AND moved AND NOT waiting AND NOT called
                                                                        THEN 'time-changed'
        WHEN desired AND stand = 'open'                                 THEN 'in-step'
        WHEN desired                                                    THEN 'busy'

        -- Not desired.
        WHEN present AND stand = 'open' AND ours                        THEN 'dropped'
        WHEN present AND stand = 'open' AND %(removes)s = 'all'         THEN 'foreign-dropped'
        WHEN present AND stand = 'open'                                 THEN 'foreign'
        WHEN present AND stand IN ('agent', 'unknown') AND NOT ours     THEN 'busy-foreign'
        WHEN present AND stand IN ('agent', 'unknown')                  THEN 'dropped-busy'
        WHEN present                                                    THEN 'dropped-completed'
        WHEN ours AND absent >= 2 AND NOT claimed                       THEN 'release'
        ELSE                                                                 'absent'
        END AS rule
    FROM facts f
    OFFSET 0
),
hindered AS (
    SELECT r.*,
        -- What keeps a row from being sent now, looked at only where a call would follow.
        CASE WHEN rule NOT IN ('owed', 'called-recall', 'vanished', 'new', 'completed-recall', 'time-changed') THEN NULL
             WHEN problem IS NOT NULL                                     THEN 'invalid-value'
             WHEN row_at > %(now)s + %(ahead)s::interval                  THEN 'too-far-ahead'
             WHEN row_at <= %(now)s AND %(past_schedule)s = 'skip'        THEN 'in-the-past'
             --   before the week, which such a row soon fills; each next try is a try, so that a mended query is met
             WHEN rule = 'time-changed' AND rescheduled >= %(flickering)s
                  AND park_reason IS DISTINCT FROM 'flickering-time'      THEN 'flickering-time'
             --   the second half of what was begun is not counted against the week a second time
             WHEN rule <> 'owed' AND %(max_adds)s > 0
                  AND (SELECT count(*) FROM unnest(added_times) t WHERE t > %(now)s - interval '7 days') >= %(max_adds)s
                                                                          THEN 'weekly-limit'
        END AS hindrance
    FROM ruled r
    OFFSET 0
),
decided AS (
    SELECT h.*,
        CASE
        WHEN rule IN ('suppressed-open', 'suppressed-with-agent', 'suppressed-may-ring-again', 'suppressed-claim-open')
                                                                        THEN 'remove'
        -- What the ledger says may be older than the call that was made: these wait for a pass that observed.
        WHEN rule IN ('vanished', 'gone-after-agent', 'completed-recall', 'adopt', 'time-changed', 'dropped',
                      'foreign-dropped', 'dropped-busy', 'release') AND NOT %(observed)s
                                                                        THEN NULL
        WHEN rule = 'vanished' AND %(vanished)s = 'leave'               THEN NULL
        WHEN rule IN ('owed', 'called-recall', 'vanished', 'new') AND hindrance IS NULL
                                                                        THEN 'add'
        WHEN rule IN ('owed', 'called-recall', 'vanished', 'new')       THEN 'park'
        WHEN rule = 'gone-after-agent'                                  THEN 'called'
        WHEN rule = 'completed-recall' AND hindrance IS NULL            THEN 'recall'
        WHEN rule = 'adopt'                                             THEN 'adopt'
        WHEN rule = 'time-changed' AND hindrance IS NULL                THEN 'reschedule'
        --   beyond reach: the open record would ring at the old time, so it goes first and the row is parked then
        WHEN rule = 'time-changed' AND hindrance = 'too-far-ahead'      THEN 'remove'
        WHEN rule = 'time-changed' AND hindrance = 'flickering-time'    THEN 'park'
        WHEN rule IN ('dropped', 'foreign-dropped', 'dropped-busy') AND %(mode)s = 'mirror'
                                                                        THEN 'remove'
        WHEN rule = 'release'                                           THEN 'release'
        END AS kind,
        (   -- the version of this reading, while the record can still be called for it
            desired AND present AND stand <> 'completed' AND row_version IS DISTINCT FROM version
            -- an unknown version is remembered, not recalled
            OR called AND called_version IS NULL AND row_version IS NOT NULL
            -- a time that stood still for a pass
            OR rule = 'in-step' AND rescheduled > 0 AND NOT moved
            -- what was owed to a customer who is suppressed or dropped by now
            OR coalesce(presence = 'owed', false) AND (suppressed OR NOT desired)
        ) AND NOT %(suppressed_only)s AS note
    FROM hindered h
    OFFSET 0
),
fresh AS (
    INSERT INTO planned
    SELECT customer, row_at, CASE WHEN row_at > %(now)s THEN row_at END,
           CASE WHEN kind = 'park' THEN
               CASE hindrance
               WHEN 'too-far-ahead'   THEN row_at - %(ahead)s::interval
               WHEN 'weekly-limit'    THEN interval '7 days' + (SELECT min(t) FROM unnest(added_times) t
                                                                WHERE t > %(now)s - interval '7 days')
               WHEN 'flickering-time' THEN %(now)s + interval '24 hours'
               END
           END,
           CASE WHEN kind IN ('add', 'park', 'recall', 'reschedule')
                THEN hashtextextended(concat_ws('|', extract(epoch FROM row_at), row_version, problem), 0) END,
           CASE WHEN suppressed                         THEN 0
                WHEN kind = 'remove'                    THEN 1
                WHEN kind = 'add'                       THEN 2
                WHEN kind = 'reschedule'                THEN 3
                WHEN kind = 'recall'                    THEN 4
                ELSE                                         5 END,
           kind, rule, hindrance, row_version, presence, stand, called, coalesce(absent >= 1, true), note
    FROM decided
    WHERE kind IS NOT NULL OR note OR rule = 'vanished'
          -- who would be removed after a listing, for the guard
          OR rule IN ('dropped', 'foreign-dropped') AND %(mode)s = 'mirror'
          OR %(everyone)s
    RETURNING kind, rule
)
SELECT kind, rule, count(*) FROM fresh GROUP BY kind, rule
"""

LEFT_TO_JUDGE = """
SELECT kind, rule, count(*) FROM planned WHERE NOT freed GROUP BY kind, rule
"""

TOO_FAR_AHEAD = """
SELECT count(*) FROM desired WHERE customer IN (
    SELECT customer FROM planned WHERE kind = 'park' AND park_reason = 'too-far-ahead'
    UNION ALL
    SELECT customer FROM parked WHERE campaign = %(campaign)s AND reason = 'too-far-ahead' AND next_try > %(now)s)
"""

TOTALS = """
SELECT count(*) FILTER (WHERE presence = 'in')                                   AS listed,
       count(*) FILTER (WHERE presence = 'in' AND ours)                          AS ours,
       count(*) FILTER (WHERE presence = 'in' AND NOT ours)                      AS "foreign",
       count(*) FILTER (WHERE presence = 'in' AND ours AND open)                 AS open_ours,
       count(*) FILTER (WHERE presence = 'in' AND NOT ours AND open)             AS open_foreign,
       count(*) FILTER (WHERE presence = 'in' AND status = 3)                    AS completed
FROM (SELECT *, status IS NULL OR status IN (0, 1, 4) AS open FROM ledger WHERE campaign = %(campaign)s) l
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many records the ledger has in the campaign, and whose they are."""

    listed: int
    ours: int
    foreign: int
    open_ours: int
    open_foreign: int
    completed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pass would do, in counts; the customers stand in ``planned``."""

    counts: dict[tuple[Kind | None, Rule], int] = field(default_factory=dict)

    def of(self, *kinds: Kind, urgent: bool | None = None) -> int:
        """Return how many changes of these kinds are planned; ``urgent`` picks the suppressions or leaves them out."""
        return sum(
            customers
            for (kind, rule), customers in self.counts.items()
            if kind in kinds and (urgent is None or rule.startswith("suppressed") == urgent)
        )

    def by_rule(self, rule: Rule) -> int:
        """Return how many customers this row of the table decided."""
        return sum(customers for (_, by), customers in self.counts.items() if by is rule)

    def of_rule(self, rule: Rule, kind: Kind) -> int:
        """Return how many changes of this kind a row of the table planned."""
        return self.counts.get((kind, rule), 0)

    @property
    def suppressions(self) -> int:
        return self.of(Kind.REMOVE, urgent=True)

    @property
    def removals(self) -> int:
        """Removals outside the suppression lane, without those of a reschedule or recall."""
        return self.of(Kind.REMOVE, urgent=False)

    @property
    def changes(self) -> int:
        """Return how many changes would be made, in the dialer or in the ledger alone; parking is none."""
        return self.of(Kind.ADD, Kind.REMOVE, Kind.RESCHEDULE, Kind.RECALL, Kind.ADOPT, Kind.RELEASE, Kind.CALLED)

    @property
    def notes(self) -> int:
        """Return how many changes the ledger or the list of the parked learns of, and the dialer does not."""
        return self.of(Kind.ADOPT, Kind.RELEASE, Kind.CALLED, Kind.PARK)

    @property
    def calls(self) -> int:
        """Return how many changes call the dialer."""
        return self.of(Kind.ADD, Kind.REMOVE, Kind.RESCHEDULE, Kind.RECALL)


async def decide(
    connection: Connection,
    campaign: int,
    settings: CampaignSettings,
    now: datetime,
    *,
    observed: bool,
    suppressed_only: bool = False,
    everyone: bool = False,
) -> Plan:
    """Compare and fill ``planned`` anew; return its counts.

    ``observed`` says that this pass has a whole listing. ``suppressed_only`` decides the suppression lane alone, for
    which ``desired`` need not have been read. ``everyone`` keeps whom nothing is to be done about as well, with the row
    of the table that says so. Raise StateUnavailable.
    """
    cursor = await connection.execute(
        DECIDE,
        {
            "campaign": campaign,
            "now": now,
            "observed": observed,
            "suppressed_only": suppressed_only,
            "everyone": everyone,
            "mode": settings.mode.value,
            "removes": settings.removes.value,
            "vanished": settings.vanished.value,
            "recall": settings.recall.value,
            "recall_pause": RECALL_PAUSE,
            "past_schedule": settings.past_schedule.value,
            "tolerance": settings.schedule_tolerance.total_seconds(),
            "max_adds": settings.max_adds_per_week,
            "ahead": timedelta(days=SCHEDULE_AHEAD_DAYS),
            "flickering": FLICKERING_PASSES,
        },
    )
    return await _counts(cursor)


async def too_far_ahead(connection: Connection, campaign: int, now: datetime) -> int:
    """Return how many desired customers wait for their time to come within the vendor's reach, or are to wait now."""
    cursor = await connection.execute(TOO_FAR_AHEAD, {"campaign": campaign, "now": now})
    row = await cursor.fetchone()
    return int(str(row[0])) if row else 0


async def left_to_judge(connection: Connection) -> Plan:
    """Return the counts of what stands in ``planned`` without what a person has approved."""
    return await _counts(await connection.execute(LEFT_TO_JUDGE))


async def _counts(cursor: AsyncCursor[tuple[object, ...]]) -> Plan:
    return Plan(
        {
            (Kind(str(kind)) if kind is not None else None, Rule(str(rule))): int(str(customers))
            for kind, rule, customers in await cursor.fetchall()
        }
    )


async def totals(connection: Connection, campaign: int) -> Totals:
    """Return what the ledger has in the campaign. Raise StateUnavailable."""
    async with connection.cursor(row_factory=class_row(Totals)) as cursor:
        await cursor.execute(TOTALS, {"campaign": campaign})
        row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers one row
    return row

"""What may happen in a random schedule, and how often: strategies for Hypothesis."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st

from syncd.config import GuardSettings, Mode, PastSchedule, RecallWhen, Removes, Vanished
from syncd.simulator import Call, Dialect, Fault, FaultKind, Ids, NoRecords
from syncd.vendor import CampaignState, Disposition
from tests.property.town import CUSTOMERS, NEVER_AGAIN, Happening

CUSTOMER = st.sampled_from(CUSTOMERS)
HOURS = st.sampled_from([None, None, None, -1.0, 2.0, 5.0, 30.0, 24.0 * 9])
"""From now to the time of a row: as soon as possible, past, within reach, beyond it."""
VERSION = st.sampled_from([None, "a", "a", "b", "c"])
DISPOSITION = st.sampled_from([*Disposition, NEVER_AGAIN])
STATES = st.sampled_from(
    [CampaignState.MANUAL_RUNNING] * 4
    + [CampaignState.NEW, CampaignState.MANUAL_PAUSED, CampaignState.MANUAL_PURGED, CampaignState.MANUAL_STOPPED]
)


def _verb(name: str, *about: st.SearchStrategy[Any]) -> st.SearchStrategy[Happening]:
    return st.tuples(st.just(name), st.tuples(*about))


def _often(times: int, name: str, *about: st.SearchStrategy[Any]) -> list[st.SearchStrategy[Happening]]:
    return [_verb(name, *about) for _ in range(times)]


HAPPENINGS: Final[st.SearchStrategy[Happening]] = st.one_of(
    *_often(10, "wants", CUSTOMER, HOURS, VERSION),
    *_often(3, "drops", CUSTOMER),
    _verb("is_emptied"),
    _verb("grows_junk"),
    *_often(3, "suppresses", CUSTOMER),
    _verb("unsuppresses", CUSTOMER),
    *_often(2, "is_told_never_to_call", CUSTOMER),
    _verb("may_call_again", CUSTOMER),
    _verb("pauses"),
    _verb("resumes"),
    *_often(3, "dials"),
    *_often(3, "connects", CUSTOMER),
    *_often(4, "completes", CUSTOMER, DISPOSITION),
    *_often(2, "requeues", CUSTOMER),
    _verb("turns_strange", CUSTOMER),
    *_often(2, "uploads", CUSTOMER),
    *_often(2, "takes_out", CUSTOMER),
    _verb("empties"),
    _verb("sets_state", STATES),
    _verb("is_disabled"),
    _verb("is_enabled"),
    _verb("forgets", CUSTOMER),
    _verb("knows", CUSTOMER),
    _verb("marks", CUSTOMER),
    *_often(2, "lags", st.sampled_from([0, 0, 1, 2])),
    *_often(4, "waits", st.sampled_from([0.1, 0.3, 1.0, 7.0, 25.0, 24.0 * 4])),
)

CALLS = st.sampled_from([None, *(frozenset({call}) for call in (Call.STATUS, Call.LIST, Call.ADD, Call.DELETE))])
ANSWERS = st.sampled_from(
    [
        {"status": 206, "text": "The request was sent but the response timed out."},
        {"status": 204, "text": None},
        {"status": 400, "text": "Something that nobody has read before."},
        {"status": 401},
        {"status": 403},
        {"status": 404, "text": None},
        {"status": 413},
        {"status": 429},
        {"status": 429, "retry_after": 5},
        {"status": 429, "retry_after": 600},
        {"status": 500},
        {"status": 502, "text": "<html>Bad gateway</html>", "html": True},
        {"status": 200, "text": "<html>Please log in</html>", "html": True},
        {"status": 503, "retry_after": 2},
    ]
)
TIMES: dict[str, st.SearchStrategy[Any]] = {"skip": st.integers(0, 3), "count": st.sampled_from([1, 1, 2, 4, None])}


def _answer(answer: dict[str, Any], *, deed: bool, **rest: Any) -> Fault:
    """Return a fault in which the tenant answers so; who refuses has done nothing."""
    return Fault(kind=FaultKind.ANSWER, deed=deed and not 400 <= answer["status"] < 500, **answer, **rest)


FAULTS: Final = st.one_of(
    st.builds(_answer, ANSWERS, calls=CALLS, deed=st.booleans(), **TIMES),
    st.builds(
        Fault,
        kind=st.sampled_from([FaultKind.RESET, FaultKind.HANG, FaultKind.TRUNCATED]),
        calls=CALLS,
        deed=st.booleans(),
        **TIMES,
    ),
    st.builds(Fault, kind=st.just(FaultKind.LATENCY), calls=CALLS, seconds=st.sampled_from([2.0, 400.0]), **TIMES),
    st.builds(
        Fault,
        kind=st.sampled_from([FaultKind.MISSING_ENTRIES, FaultKind.SHORT_LISTING]),
        share=st.sampled_from([0.3, 0.6]),
        **TIMES,
    ),
)

POINTS: Final = ("lock", "preflight", "protect", "observe", "read", "plan", "guard", "apply", "tell")
MOMENTS = st.one_of(
    st.sampled_from(POINTS),
    st.builds("{} {}".format, st.sampled_from(["request", "answer"]), st.integers(1, 8)),
    st.builds("{} {}".format, st.sampled_from(["write", "written"]), st.integers(1, 4)),
)
"""A point of a pass, or one of its requests on its way there or back."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One pass, and what befalls it."""

    observes: bool = True
    source: str = "well"
    """well, down, list down (the suppression query fails) or query fails (the other one)."""
    faults: tuple[Fault, ...] = ()
    interruptions: tuple[tuple[str, str | Happening], ...] = ()
    """Moments, and what happens then: kill, stop, state lost, network gone, or anything that may happen in town."""


ENDS = st.sampled_from(["kill", "kill", "kill", "stop", "state lost", "network gone"])
INTERRUPTIONS = st.tuples(MOMENTS, ENDS) | st.tuples(MOMENTS, HAPPENINGS)

ERRANDS: Final = st.builds(
    Errand,
    observes=st.booleans(),
    source=st.sampled_from(["well"] * 7 + ["down", "list down", "query fails"]),
    faults=st.lists(FAULTS, max_size=2).map(tuple),
    interruptions=st.lists(INTERRUPTIONS, max_size=2).map(tuple),
)

WIDE = GuardSettings()
TIGHT = GuardSettings(
    max_shrink_percent=60,
    max_removal_percent=50,
    max_removals=2,
    max_removals_per_day=4,
    max_growth_percent=50,
    max_vanished_percent=40,
    max_new_query_additions=4,
    few=1,
)
NARROW = GuardSettings(min_rows=3, max_removals=3, max_growth_percent=100, few=2)
GUARDS = st.sampled_from([WIDE, TIGHT, NARROW])
QUERIES = st.sampled_from(
    [
        "SELECT * FROM due",
        "SELECT * FROM due WHERE true",
        "SELECT customer_id, schedule_at FROM due",
    ]
)


def _one_of_these(**settings: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(*(st.fixed_dictionaries({name: value}) for name, value in settings.items()))


SETTINGS: Final = _one_of_these(
    guard=GUARDS,
    query=QUERIES,
    mode=st.sampled_from(Mode),
    removes=st.sampled_from(Removes),
    vanished=st.sampled_from(Vanished),
    recall=st.sampled_from(RecallWhen),
    past_schedule=st.sampled_from(PastSchedule),
)

MANNERS: Final = _one_of_these(
    dialect=st.sampled_from(Dialect),
    page_size=st.sampled_from([2, 3, 50]),
    page_from=st.sampled_from([0, 1]),
    all_at_once=st.booleans(),
    tells_count=st.booleans(),
    ids=st.sampled_from(Ids),
    one_record_as_object=st.booleans(),
    no_records=st.sampled_from(NoRecords),
    shuffle=st.booleans(),
    batch_limit=st.sampled_from([None, 1, 2]),
    batch_limit_status=st.sampled_from([413, 400]),
    max_scheduled=st.sampled_from([None, 0, 2]),
    refuses_in_207=st.booleans(),
    unavailable_status=st.sampled_from([404, 400]),
    terse_deletes=st.booleans(),
    deletes_completed=st.booleans(),
    latency=st.sampled_from([0.0, 0.4, 45.0]),
)


@dataclass(frozen=True, slots=True)
class Start:
    """How a schedule begins, and how it ends."""

    settings: dict[str, Any] = field(default_factory=dict)
    happenings: tuple[Happening, ...] = ()
    rest_hours: float = 2.0
    """How long the town is at rest before the last passes."""
    guarded_end: bool = False
    """The guard's limits hold to the end, and the operator approves what is held."""


STARTS: Final = st.builds(
    Start,
    settings=st.fixed_dictionaries(
        {
            "guard": GUARDS,
            "recall": st.sampled_from(RecallWhen),
            "vanished": st.sampled_from([Vanished.ADD, Vanished.ADD, Vanished.LEAVE]),
            "removes": st.sampled_from([Removes.OWNED, Removes.OWNED, Removes.ALL]),
            "past_schedule": st.sampled_from(PastSchedule),
            "max_adds_per_week": st.sampled_from([3, 3, 2, 0]),
            "batch_size": st.sampled_from([200, 2]),
            "list_every": st.sampled_from([None, timedelta(hours=1), timedelta(days=1)]),
        }
    ),
    happenings=st.lists(
        st.one_of(*_often(4, "wants", CUSTOMER, HOURS, VERSION), _verb("uploads", CUSTOMER)), min_size=3, max_size=12
    ).map(tuple),
    rest_hours=st.sampled_from([2.0, 26.0, 24.0 * 8]),
    guarded_end=st.booleans(),
)

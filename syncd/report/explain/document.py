"""What is known of a customer in one campaign, for ``--json``."""

from collections.abc import Mapping
from typing import Any

from syncd.errors import SyncdError
from syncd.report import journal_words
from syncd.report.explain.chapter import Chapter
from syncd.report.explain.foretelling import foretell
from syncd.report.vendor_words import disposition, status, status_code, why_suppressed
from syncd.state.foretold import ListedRecord
from syncd.state.story import LedgerRow, Sighting
from syncd.sync.explaining import Look


def document(chapter: Chapter) -> Mapping[str, Any]:
    """Return the story of a customer in one campaign; what the state does not know is null or an empty list."""
    story, overview, own = chapter.story, chapter.overview, chapter.dispositions
    ledger, look = story.ledger, chapter.look
    return {
        "campaign": overview.name,
        "account": overview.account,
        "vendor_id": overview.vendor_id,
        "configured": chapter.settings is not None,
        "enabled": bool(chapter.settings and chapter.settings.enabled),
        "known": chapter.known,
        "source": _source(chapter, look) if look else None,
        "suppressed": _suppressed(chapter, look),
        "suppressed_records": story.suppressed,
        "ledger": None
        if ledger is None
        else {
            "presence": ledger.presence,
            "ours": ledger.ours,
            "called": ledger.called,
            "added_at": ledger.added_at,
            "wanted_at": ledger.wanted_at,
            "recalled_at": ledger.recalled_at,
            "version": ledger.version,
            "called_version": ledger.called_version,
        },
        "last_listing": overview.listed_at,
        "last_listed": _record(ledger, own) if ledger and ledger.status is not None else None,
        "listed_now": _listed_now(look, own) if look else None,
        "parked": story.parked,
        "held": story.held,
        "approved": story.approved,
        "open_claims": [{"kind": one.kind, "pass": one.pass_id, "sent_at": one.sent_at} for one in story.claims],
        "seen": [{"seen_at": one.seen_at, **_shown(one, own)} for one in story.sightings],
        "changes": [journal_words.document(one) for one in story.changes],
        "next": _next(chapter, look),
    }


def _source(chapter: Chapter, look: Look) -> Mapping[str, Any]:
    row, numbers = look.row, chapter.numbers
    told = {
        "error": _error(look.source_error),
        "row": {"schedule_at": row.call_at, "version": row.version, "problem": row.problem} if row else None,
    }
    return told if numbers is None else {**told, "phone": numbers.found, "phone_error": _error(numbers.error)}


def _suppressed(chapter: Chapter, look: Look | None) -> Mapping[str, Any]:
    by = [{"origin": "query", "reason": None, "since": None, "by": None}] if look and look.on_the_list else []
    return {
        "by": by
        + [
            {
                "origin": one.origin,
                "reason": why_suppressed(one, chapter.dispositions),
                "since": one.since,
                "by": one.by,
            }
            for one in chapter.suppressions
        ],
        "error": _error(look.list_error) if look else None,
    }


def _record(one: LedgerRow | ListedRecord, own: Mapping[int, str]) -> Mapping[str, Any]:
    return {"record_id": one.record_id, **_shown(one, own)}


def _shown(one: LedgerRow | ListedRecord | Sighting, own: Mapping[int, str]) -> Mapping[str, Any]:
    return {
        "status": status(one.status),
        "status_code": status_code(one.status_code),
        "disposition": disposition(one.disposition, own),
        "disposition_number": one.disposition,
    }


def _listed_now(look: Look, own: Mapping[int, str]) -> Mapping[str, Any]:
    listed = look.listed
    return {
        "read": listed is not None,
        "whole": listed.whole if listed else None,
        "record": _record(listed.record, own) if listed and listed.record else None,
        "records": look.records,
        "error": _error(look.dialer_error),
    }


def _next(chapter: Chapter, look: Look | None) -> Mapping[str, Any]:
    decision = look.next if look and chapter.settings and chapter.settings.enabled else None
    return {
        "sentence": foretell(chapter),
        "kind": decision.kind if decision else None,
        "rule": decision.rule if decision else None,
        "reads_listing": look.observes if look and decision else None,
        "next_pass": chapter.overview.due_at,
    }


def _error(error: SyncdError | None) -> str | None:
    return error.sentence() if error else None

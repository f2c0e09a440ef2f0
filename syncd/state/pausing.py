"""Pausing a campaign: held in the state, so that every host obeys before its next batch. Suppressions go on."""

from datetime import datetime

from syncd.state.database import Connection


async def pause(connection: Connection, campaign: int, by: str, reason: str, now: datetime) -> bool:
    """Pause a campaign; return False where it was paused already, which keeps who did it first and why."""
    cursor = await connection.execute(
        "UPDATE campaign SET paused_at = %s, paused_by = %s, pause_reason = %s WHERE id = %s AND paused_at IS NULL",
        (now, by, reason, campaign),
    )
    return cursor.rowcount > 0


async def resume(connection: Connection, campaign: int) -> bool:
    """Let a campaign go on; return False where it was not paused."""
    cursor = await connection.execute(
        "UPDATE campaign SET paused_at = NULL, paused_by = NULL, pause_reason = NULL"
        " WHERE id = %s AND paused_at IS NOT NULL",
        (campaign,),
    )
    return cursor.rowcount > 0

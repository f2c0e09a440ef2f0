"""``syncd reload``: the daemon takes the file over as it is now."""

import os
import time
from collections.abc import Sequence
from typing import Final

import click

from syncd.cli.application import Application
from syncd.cli.screen import complain, say
from syncd.daemon.control import Found, find
from syncd.words import Exit

WAIT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.05


@click.command(short_help="Have the daemon take the file over.")
@click.option("--wait", is_flag=True, help="Wait until the daemon has read it, and fail if it was not taken over.")
@click.pass_obj
def reload(application: Application, wait: bool) -> int:
    """Validate the configuration and have the daemon take it over; passes under way keep their settings.

    Secrets are left for the daemon to read: only it may see those that systemd keeps for it. Exit status: 0, 78 bad
    configuration, 1 no daemon runs with this file, or it did not answer.
    """
    config = application.config_without_secrets()
    daemons = find(config, os.environ)
    if not daemons:
        complain(f"no daemon that this user can see runs with {config.path}; a daemon reads it when it starts")
        return Exit.FAILED
    for daemon in daemons:
        try:
            daemon.signal()
        except OSError as error:
            complain(f"process {daemon.told.pid} cannot be told ({error.strerror}); ask as the user it runs as")
            return Exit.FAILED
    return _answers(daemons) if wait else Exit.GOOD


def _answers(daemons: Sequence[Found]) -> Exit:
    """Wait until each has read its file, and say what came of it."""
    limit = time.monotonic() + WAIT_SECONDS
    status = Exit.GOOD
    for daemon in daemons:
        try:
            while (told := daemon.answer()) is None and time.monotonic() < limit:
                time.sleep(POLL_SECONDS)
        except ProcessLookupError:
            complain(f"process {daemon.told.pid} ended before it had read the file")
            return Exit.FAILED
        if told is None:
            complain(f"process {daemon.told.pid} did not answer within {WAIT_SECONDS:g} s; look at its log")
            return Exit.FAILED
        for problem in told.problem.splitlines():
            complain(f"not taken over: {problem}")
        status = Exit.BAD_CONFIG if told.problem else status
    if status is Exit.GOOD:
        say("taken over")
    return status

"""``syncd run``: the daemon."""

import asyncio
import os
import signal

import click
import structlog

from syncd.cli.application import Application
from syncd.cli.running import stopping
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.daemon.service import Daemon
from syncd.daemon.systemd import ServiceManager
from syncd.words import Exit

LOG = structlog.get_logger(__name__)


@click.command(short_help="Keep the campaigns in step: the daemon.")
@click.pass_obj
def run(application: Application) -> int:
    """Keep the campaigns in step, each as its schedule says, until told to stop.

    SIGHUP, or `syncd reload`, has the file read anew; SIGTERM and SIGINT end what is in flight and stop, a second one
    ends at once. Exit status: 0 stopped, 1 it cannot start here, 78 bad configuration.
    """
    manager = ServiceManager.from_environ(os.environ)
    asyncio.run(_run(application.service_config(), manager))
    return Exit.GOOD


async def _run(config: Config, manager: ServiceManager) -> None:
    daemon = Daemon(config, SystemClock(), os.environ, manager)
    with stopping(daemon.stop, say=LOG.info):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, daemon.reload.set)
        await daemon.run()

"""``syncd demo``: see it work, on sample data, in a minute."""

import asyncio
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from syncd.cli.passes import run_passes
from syncd.cli.running import run
from syncd.cli.screen import say
from syncd.config import load_config
from syncd.demo import tell_story
from syncd.errors import SyncdError
from syncd.state.opening import open_migrated_state
from syncd.state.workplace import Workplaces
from syncd.sync import PassReport
from syncd.sync.worlds import Worlds

LONGEST: Final = 45.0
"""Seconds after which the demo gives up."""


@click.command(short_help="See the whole thing work on sample data.")
@click.option("--keep", is_flag=True, help="Leave everything where it is, to go on with.")
def demo(keep: bool) -> None:
    """Show the whole thing on sample data: a SQLite CRM, a simulated tenant, syncd with its own PostgreSQL.

    It needs no configuration, ends by itself and leaves nothing behind.
    """
    with _directory(keep=keep) as directory:
        try:
            port = run(_within_limit(directory))
        except TimeoutError:
            raise SyncdError(f"the demo did not end within {LONGEST:.0f} s: this machine is too busy") from None
        say("\nThat is all: every pass compares anew, and does only what is left to do.")
        say(_how_to_go_on(directory, port) if keep else _FAREWELL)


_FAREWELL: Final = """\
Nothing of it is left; `syncd demo --keep` leaves all of it, to be gone on with.
A configuration of your own begins as a copy of config.example.toml."""


async def _within_limit(directory: Path) -> int:
    async with asyncio.timeout(LONGEST):
        return await tell_story(directory, say, _once)


async def _once(path: Path) -> PassReport:
    config = load_config(path)
    async with open_migrated_state(config.state) as database:
        [report] = [report async for report in run_passes(Worlds(config, Workplaces(database)), list(config.campaigns))]
    return report


@contextmanager
def _directory(*, keep: bool) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="syncd-demo-"))
    if os.geteuid() == 0:
        directory.chmod(0o711)  # PostgreSQL does not run as root: its user has to pass
    try:
        yield directory
    finally:
        if not keep:
            shutil.rmtree(directory)


def _how_to_go_on(directory: Path, port: int) -> str:
    where = shlex.quote(str(directory))
    return f"""\
It is left in {directory}. To go on, have the tenant run in one terminal
  syncd simulate --scenario {where}/tenant.toml --port {port}
and in another one
  syncd --config {where}/config.toml plan
  syncd --config {where}/config.toml once
after each change of {where}/crm.sqlite. Remove the directory when you are done."""

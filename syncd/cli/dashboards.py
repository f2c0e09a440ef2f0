"""``syncd dashboards``: what Grafana and Prometheus need to watch the daemon."""

from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from syncd.cli.screen import say
from syncd.errors import SyncdError

FILES: Final = {
    "syncd-dashboard.json": "a Grafana dashboard, to be imported",
    "syncd-alerts.yml": "alert rules, for Prometheus' rule_files",
    "syncd-alerts.test.yml": "their tests, for promtool test rules",
}


@click.command(short_help="Write a Grafana dashboard and Prometheus alert rules.")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def dashboards(directory: Path, force: bool) -> None:
    """Write a Grafana dashboard, Prometheus alert rules and the tests of the rules into DIRECTORY."""
    there = [name for name in FILES if (directory / name).exists()]
    if there and not force:
        raise SyncdError(
            f"{directory} has {', '.join(there)} already; overwrite with --force, or name another directory"
        )
    shipped = files("syncd.report") / "dashboards"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (directory / name).write_bytes((shipped / name).read_bytes())
    except OSError as error:
        raise SyncdError(f"{error.filename or directory} cannot be written: {error.strerror}") from None
    for name, what in FILES.items():
        say(f"{directory / name}: {what}")

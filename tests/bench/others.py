"""The same work by others: a script that a user might write, and drt-core, a general reverse-ETL tool, where it can."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from tests.bench.removals import LATENCY, expect
from tests.bench.scene import Bench, Scene
from tests.bench.table import Line, seconds

CUSTOMERS = 100_000
REMOVED = 500
FEW = 20_000

DRT = os.environ.get("DRT", "")
"""The program ``drt``, which is no part of what syncd is developed with: ``pip install drt-core``, best elsewhere."""

PROFILE = """
default:
  type: sqlite
  database: {database}
"""

SYNC = """
name: add
model: SELECT customer_id FROM due
destination:
  type: rest_api
  url: {address}/api/tstats/campaigns/125/customers
  method: POST
  headers: {{Content-Type: application/json}}
  auth: {{type: basic, username_env: TENANT_USER, password_env: TENANT_TOKEN}}
  body_mode: batch
  max_records_per_request: 200
  batch_template: |
    [{{% for row in rows %}}{{"customer-id": {{{{ row.customer_id }}}}}}
    {{{{ "," if not loop.last }}}}{{% endfor %}}]
  rate_limit: {{requests_per_second: 100000}}
sync: {{mode: full, batch_size: 2000}}
"""


def run(bench: Bench) -> Iterator[Line]:
    """Have both do what they can."""
    yield from by_script(bench)
    yield from by_drt(bench)


def by_script(bench: Bench) -> Iterator[Line]:
    """Compare a no-op and some removals."""
    with bench.scene("script", known=CUSTOMERS) as scene:
        scene.want(1, CUSTOMERS)
        scene.run_pass()
        scene.run_pass()
        its = _spent([sys.executable, "-m", "tests.bench.script", scene.source, scene.address])
        ours = scene.run_pass()
        yield _line(f"no-op over {CUSTOMERS:,}", ours.seconds, "a 60-line script", its)
        scene.steer("manner", latency=LATENCY)
        scene.drop(1, REMOVED)
        ours = scene.run_pass()
        expect(ours.sentence, f"{REMOVED:,} removed")
        scene.drop(REMOVED + 1, 2 * REMOVED)
        its = _spent([sys.executable, "-m", "tests.bench.script", scene.source, scene.address])
        what = f"{REMOVED:,} removals from {CUSTOMERS:,} at {1000 * LATENCY:.0f} ms, listing and all"
        yield _line(what, ours.seconds, "the script", its)


def by_drt(bench: Bench) -> Iterator[Line]:
    """Compare additions: it cannot read the listing, remove anybody, or see who was refused."""
    if not DRT:
        yield Line("drt-core", "not measured", "DRT names no program")
        return
    with bench.scene("drt", known=FEW) as scene, tempfile.TemporaryDirectory() as home:
        scene.want(1, FEW)
        ours = scene.run_pass()
        expect(ours.sentence, f"{FEW:,} added")
        again = scene.run_pass()
        with bench.scene("drt_own", known=FEW) as its_scene:
            run_it = _prepare_drt(Path(home), its_scene)
            its = run_it()
            yield _line(f"{FEW:,} additions to an empty campaign", ours.seconds, "drt-core", its)
            its = run_it()
            whose = f"drt-core, which sends all {FEW:,} anew,"
            yield _line("the same again, nothing changed", again.seconds, whose, its)


def _prepare_drt(home: Path, scene: Scene) -> "Drt":
    database = home / "crm.sqlite"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE due (customer_id integer)")
        connection.executemany("INSERT INTO due VALUES (?)", [(customer,) for customer in range(1, FEW + 1)])
    (home / ".drt").mkdir()
    (home / "syncs").mkdir()
    (home / ".drt" / "profiles.yml").write_text(PROFILE.format(database=database))
    (home / "syncs" / "add.yml").write_text(SYNC.format(address=scene.address))
    (home / "drt_project.yml").write_text("name: bench\nprofile: default\n")
    return Drt(home)


class Drt:
    """A project of drt with one sync."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __call__(self) -> float:
        """Run it; return the seconds."""
        login = {"TENANT_USER": "acmecorp01", "TENANT_TOKEN": "simulated-action", "DRT_TELEMETRY": "0"}
        return _spent([DRT, "run"], cwd=self._home, env={**os.environ, **login, "HOME": str(self._home)})


def _spent(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> float:
    began = time.monotonic()
    subprocess.run(command, cwd=cwd, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _line(what: str, ours: float, who: str, its: float) -> Line:
    return Line(what, seconds(ours), f"{who} {seconds(its)}", ours / its)

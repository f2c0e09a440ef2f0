"""Reports over a large ledger: what a person waits for who asks."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.scene import Bench, Scene, finish, start
from tests.bench.table import Line, seconds

TRIES = 3

CONFIG = """
[state]
url = "{state}"
[tenants.acme]
base_url = "{address}"
username = "acmecorp01"
action_token = "file:{folder}/token"
data_token = "file:{folder}/token"
[sources.crm]
url = "{source}"
[campaigns.bench]
id = 125
tenant = "acme"
source = "crm"
query = "SELECT customer_id, schedule_at, version FROM due"
"""

REPORTS = (("status",), ("history",), ("changes", "--pass", "2"), ("explain", "77"), ("held",), ("parked",))

AGAINST = "the start of Python not counted"


def run(bench: Bench) -> Iterator[Line]:
    """Ask each report of the large campaign."""
    filled = bench.filled()
    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as made:
        config = _write(Path(made), filled.scene)
        took = json.loads(finish(start("tests.bench.asked", str(config), str(TRIES), json.dumps(REPORTS))))
    for report, its in zip(REPORTS, took, strict=True):
        yield Line(f"`syncd {' '.join(report)}` over {bench.customers:,}", seconds(its), AGAINST, goal="< 1 s")


def _write(folder: Path, scene: Scene) -> Path:
    token = folder / "token"
    token.write_text("simulated-data")
    token.chmod(0o600)
    config = folder / "config.toml"
    config.write_text(CONFIG.format(state=scene.state, address=scene.address, source=scene.source, folder=folder))
    return config

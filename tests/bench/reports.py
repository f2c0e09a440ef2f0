"""Reports over a large ledger: what a person waits for who asks."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.scene import Bench, Scene
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
query = "SELECT customer_id, schedule_at, version FROM due WHERE customer_id < 100"
"""

REPORTS = (
    ("status",),
    ("history",),
    ("changes", "--pass", "1000000"),
    ("explain", "77"),
    ("held",),
    ("parked",),
)


def run(bench: Bench) -> Iterator[Line]:
    """Ask each report of the large campaign."""
    filled = bench.filled()
    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as made:
        config = _write(Path(made), filled.scene)
        starting = _asked(config, "--version")
        for report in REPORTS:
            took = _asked(config, *report)
            yield Line(
                f"`syncd {' '.join(report)}` at {bench.customers:,}",
                seconds(took - starting),
                f"{seconds(took)}, less the start of Python {seconds(starting)}",
                goal="< 1 s",
            )


def _write(folder: Path, scene: Scene) -> Path:
    token = folder / "token"
    token.write_text("simulated-data")
    token.chmod(0o600)
    config = folder / "config.toml"
    config.write_text(CONFIG.format(state=scene.state, address=scene.address, source=scene.source, folder=folder))
    return config


def _asked(config: Path, *command: str) -> float:
    """Return the seconds that a command takes, the fewest of some tries: the first one warms PostgreSQL up."""
    return min(_took([sys.executable, "-m", "syncd", "--config", str(config), *command]) for _ in range(TRIES))


def _took(command: list[str]) -> float:
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return time.monotonic() - began

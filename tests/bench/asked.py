"""Commands asked in one process, so that the start of Python is not counted: prints the seconds of each as JSON.

``CONFIG TRIES COMMANDS``, these a JSON list of lists. Of each command the fewest seconds of some tries are told, for
the first one warms PostgreSQL up.
"""

import json
import os
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from syncd.cli import main as syncd


def asked(config: str, command: list[str]) -> float:
    """Return the seconds that a command takes. Raise SystemExit where it fails."""
    began = time.monotonic()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        status = syncd(["--config", config, *command])
    if status not in (0, 1):
        raise SystemExit(f"syncd {' '.join(command)} ended with {status}")
    return time.monotonic() - began


def main(config: str, tries: str, commands: str) -> list[float]:
    return [min(asked(config, command) for _ in range(int(tries))) for command in json.loads(commands)]


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))

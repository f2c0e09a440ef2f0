"""Headless Chromium, Debian's package, with a new profile and without a word to anybody but the page it is shown."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@dataclass(frozen=True)
class Browser:
    """Chromium with its profile in a folder."""

    folder: Path

    def dom(self, url: str, *options: str) -> str:
        """Return the document as it is once it is loaded and its scripts, if any run, have run."""
        return self._run(url, "--dump-dom", *options)

    def picture(self, url: str, path: Path, *, width: int, height: int) -> None:
        """Write what is seen of a page as PNG."""
        self._run(url, f"--screenshot={path}", f"--window-size={width},{height}")

    def _run(self, url: str, *options: str) -> str:
        program = shutil.which("chromium")
        assert program, "chromium is not installed; it is Debian's package of this name"
        command = [program, *QUIET, f"--user-data-dir={self.folder / 'profile'}", *options, url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

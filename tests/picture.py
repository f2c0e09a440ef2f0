"""Takes the picture of the status page that the README shows: ``python -m tests.picture``."""

import tempfile
from dataclasses import replace
from pathlib import Path

from syncd.report import page
from tests.browser import Browser
from tests.showing import NOW, good, held

PICTURE = Path(__file__).parent / "integration" / "web" / "status-page.png"


def main() -> None:
    """Write the picture: a night in which one query has lost most of its rows."""
    one = held("renewals")
    stands = replace(one.overview, parked={"not-in-crm": 14}, deferred=None)
    shown = [replace(one, overview=stands), good("win-back"), good("welcome-calls", 412)]
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "page.html"
        document.write_text(page.render(shown, NOW))
        Browser(Path(folder)).picture(document.as_uri(), PICTURE, width=860, height=1180)


if __name__ == "__main__":
    main()

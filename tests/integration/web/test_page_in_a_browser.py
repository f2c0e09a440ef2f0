"""The page in headless Chromium: it is laid out, fits a phone, is dark where that is asked for, and runs nothing."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from syncd.report import web
from syncd.report.server import Asgi, serve
from tests.browser import Browser
from tests.showing import Desk, desk_at_night, failing, good

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"

MEASURE = """<!doctype html><title>measuring</title><iframe width="{width}" height="800" src="/"></iframe><script>
document.querySelector("iframe").onload = event => {{
  const page = event.target.contentDocument, root = page.documentElement, body = getComputedStyle(page.body);
  document.title = JSON.stringify({{
    width: root.clientWidth, wide: root.scrollWidth, paper: body.backgroundColor, ink: body.color,
    open: page.querySelectorAll("details[open]").length, columns: getComputedStyle(
      page.querySelector("summary")).gridTemplateColumns.split(" ").length,
  }});
}};
</script>"""


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


class Around:
    """The site, but for a page around it that measures it, which it lets frame it."""

    def __init__(self, site: Asgi, width: int = 0, slipped_in: str = "") -> None:
        self._site, self._width, self._slipped_in = site, width, slipped_in

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == "/measure":
            headers = [(b"content-type", b"text/html")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": MEASURE.format(width=self._width).encode()})
            return

        async def altered(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name, value.replace(b"frame-ancestors 'none'", b"frame-ancestors 'self'"))
                    for name, value in message["headers"]
                    if name not in (b"x-frame-options", b"content-length")
                ]
                await send({**message, "headers": headers})
            else:
                await send({**message, "body": message["body"] + self._slipped_in.encode()})

        await self._site(scope, receive, altered)


@asynccontextmanager
async def served(application: Asgi) -> AsyncIterator[str]:
    async with serve(application, "127.0.0.1:0") as url:
        assert url is not None
        yield url


async def measured(browser: Browser, desk: Desk, width: int, *options: str) -> dict[str, Any]:
    async with served(Around(web.application(desk), width)) as url:
        dom = await asyncio.to_thread(browser.dom, f"{url}/measure", *options)
    title = re.search("<title>(.*?)</title>", dom)
    assert title
    assert title[1] != "measuring", "the page was not loaded"
    return dict(json.loads(unescape(title[1])))


def with_long_words() -> Desk:
    desk = desk_at_night()
    desk.shown += [good("a" * 120), failing("b-" + "c" * 90, "refused " + "x" * 400)]
    return desk


@pytest.mark.parametrize(("width", "columns"), [(320, 1), (390, 1), (1000, 2)])
async def test_it_needs_no_scrolling_sideways_however_long_the_words(
    browser: Browser, width: int, columns: int
) -> None:
    found = await measured(browser, with_long_words(), width)
    assert found["wide"] <= found["width"] <= width
    assert found["columns"] == columns, "the style sheet is not in force"
    assert found["open"] == 5


async def test_it_is_light_or_dark_as_the_reader_has_it(browser: Browser) -> None:
    light = await measured(browser, desk_at_night(), 390)
    dark = await measured(browser, desk_at_night(), 390, "--blink-settings=preferredColorScheme=0")
    assert (light["paper"], light["ink"]) == ("rgb(244, 245, 247)", "rgb(28, 37, 48)")
    assert (dark["paper"], dark["ink"]) == ("rgb(16, 21, 27)", "rgb(228, 233, 239)")


async def test_hostile_names_and_messages_run_nothing(browser: Browser) -> None:
    one = failing("collections", SCRIPT)
    desk = Desk([replace(one, settings=replace(one.settings, name=SCRIPT))])
    async with served(web.application(desk)) as url:
        dom = await asyncio.to_thread(browser.dom, f"{url}/")
    assert "<title>syncd: 1 of 1 need you</title>" in dom
    assert "&lt;script&gt;document.title='owned'" in dom
    assert "<script" not in dom
    assert "<img" not in dom


async def test_what_slipped_into_the_page_would_not_run_either(browser: Browser) -> None:
    desk = Desk([good("renewals")])
    async with served(Around(web.application(desk), slipped_in=SCRIPT)) as url:
        dom = await asyncio.to_thread(browser.dom, f"{url}/")
        # The same words in a page of another kind do run, so that the policy is what keeps them from it.
        control = await asyncio.to_thread(browser.dom, f"data:text/html,<title>a</title>{SCRIPT}")
    assert "<script>" in dom
    assert "<title>syncd: all is well</title>" in dom
    assert "<title>owned</title>" in control

"""The page in headless Chromium: it is laid out, fits a phone, is dark where that is asked for, and runs nothing."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from syncd.report import web
from syncd.report.server import Asgi, serve
from tests.browser import Browser
from tests.showing import Desk, desk_at_night, failing, good

WIDTHS = (320, 390, 1000)

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"

MEASURE = """<!doctype html><title>measuring</title>
<iframe width="320" src="/"></iframe><iframe width="390" src="/"></iframe><iframe width="1000" src="/"></iframe>
<script>
onload = () => {
  document.title = JSON.stringify([...document.querySelectorAll("iframe")].map(({contentDocument: page}) => {
    const root = page.documentElement, body = getComputedStyle(page.body);
    const columns = getComputedStyle(page.querySelector("summary")).gridTemplateColumns.split(" ").length;
    const open = page.querySelectorAll("details[open]").length;
    const {backgroundColor: paper, color: ink} = body;
    return {width: root.clientWidth, wide: root.scrollWidth, paper, ink, columns, open};
  }));
};
</script>"""


class Around:
    """The site, but for a page that frames it at several widths and measures it, and for what slips into its own."""

    def __init__(self, desk: Desk, slipped_in: str = "") -> None:
        self._site: Asgi = web.application(desk)
        self._slipped_in = slipped_in

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == "/measure":
            headers = [(b"content-type", b"text/html")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": MEASURE.encode()})
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


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path)


async def dom(browser: Browser, application: Asgi, path: str, *options: str) -> str:
    """Return what the browser makes of a path."""
    async with serve(application, "127.0.0.1:0") as url:
        return await asyncio.to_thread(browser.dom, f"{url}{path}", *options)


async def measured(browser: Browser, desk: Desk, *options: str) -> list[dict[str, Any]]:
    """Return what the page is like at each width. That it is told proves also that this browser runs scripts."""
    title = re.search("<title>(.*?)</title>", await dom(browser, Around(desk), "/measure", *options))
    assert title
    assert title[1] != "measuring", "the page was not loaded"
    return list(json.loads(unescape(title[1])))


def with_long_words() -> Desk:
    desk = desk_at_night()
    desk.shown += [good("a" * 120), failing("b-" + "c" * 90, "refused " + "x" * 400)]
    return desk


async def test_it_fits_a_phone_and_a_desk_and_is_light_by_day(browser: Browser) -> None:
    found = await measured(browser, with_long_words())
    for width, page in zip(WIDTHS, found, strict=True):
        assert page["wide"] <= page["width"] <= width, "it has to be scrolled sideways"
        assert page["columns"] == (1 if width < 500 else 2), "the style sheet is not in force"
        assert page["open"] == 5
        assert (page["paper"], page["ink"]) == ("rgb(244, 245, 247)", "rgb(28, 37, 48)")


async def test_it_is_dark_for_a_reader_who_has_it_dark(browser: Browser) -> None:
    for page in await measured(browser, desk_at_night(), "--blink-settings=preferredColorScheme=0"):
        assert (page["paper"], page["ink"]) == ("rgb(16, 21, 27)", "rgb(228, 233, 239)")


async def test_hostile_names_and_messages_run_nothing(browser: Browser) -> None:
    one = failing("collections", SCRIPT)
    desk = Desk([replace(one, settings=replace(one.settings, name=SCRIPT))])
    document = await dom(browser, web.application(desk), "/")
    assert "<title>syncd: 1 of 1 need you</title>" in document
    assert "&lt;script&gt;document.title='owned'" in document
    assert "<script" not in document
    assert "<img" not in document


async def test_what_slipped_into_the_page_would_not_run_either(browser: Browser) -> None:
    document = await dom(browser, Around(Desk([good("renewals")]), slipped_in=SCRIPT), "/")
    assert "<script>" in document
    assert "<title>syncd: all is well</title>" in document

"""The page as a document: what is on it, in which order, and that nobody's words become part of it."""

from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from shlex import split

import pytest

from syncd.errors import StateUnavailable
from syncd.report import page
from syncd.report.shown import Shown
from syncd.state.campaigns import Result
from syncd.state.overview import RECENT
from syncd.words import Condition
from tests.showing import NOW, Desk, campaign, counts, desk_at_night, failing, good, held, last_pass, recent

HOSTILE = "</bdi><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'`{{7*7}}\u202e&amp;"


class Document(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def attributes(self) -> Iterator[tuple[str, str | None]]:
        for _, attributes in self.elements:
            yield from attributes.items()


def render(*shown: Shown) -> Document:
    return Document(page.render(shown, NOW))


def hostile() -> Shown:
    one = held(HOSTILE)
    stands = one.overview
    assert stands.held is not None
    assert stands.last_pass is not None
    return replace(
        one,
        overview=replace(
            stands,
            held=replace(stands.held, sentences=(HOSTILE,)),
            last_pass=replace(stands.last_pass, sentence=HOSTILE, host=HOSTILE),
            parked={"not-in-crm": 1},
            recent=recent(*[Result.GOOD] * RECENT),
        ),
    )


def test_a_desk_at_night_is_well_formed_and_every_campaign_is_on_it() -> None:
    desk = desk_at_night()
    shown = render(*desk.shown)
    assert shown.open == []
    for one in desk.shown:
        assert one.name in shown.text
        assert one.overview.condition.value in shown.text


def test_hostile_words_of_configuration_source_and_vendor_stay_words() -> None:
    plain, struck = render(held("win-back")), render(hostile())
    assert struck.open == []
    assert struck.tags <= plain.tags | {"code"}
    assert "script" not in struck.tags
    assert "img" not in struck.tags
    assert {name for name, _ in struck.attributes()} == {name for name, _ in plain.attributes()}
    assert (
        struck.text.count("<script>document.title='owned'</script>") == 2
    )  # as a name and as a reason; quoted in commands
    assert "{{7*7}}" in struck.text


def test_a_state_that_is_lost_in_hostile_words_is_told_in_words() -> None:
    shown = Document(page.render_without_state(StateUnavailable(HOSTILE), NOW))
    assert "script" not in shown.tags
    assert "The state database is out of reach." in shown.text
    assert "<script>" in shown.text
    assert "syncd check" in shown.text


def test_nothing_is_fetched_from_anywhere_and_nothing_runs() -> None:
    shown = render(*desk_at_night().shown)
    assert not shown.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    names = {name for name, _ in shown.attributes()}
    assert not {name for name in names if name.startswith("on")} | names & {"style", "src", "srcset"}
    assert {value for name, value in shown.attributes() if name == "href"} == {"/metrics", "/readyz", "/healthz"}


def test_the_command_that_approves_can_be_typed_whatever_the_campaign_is_called() -> None:
    name = "it's; rm -rf ~"
    one = held(name)
    commands = render(replace(one, settings=replace(one.settings, name=name))).text
    line = next(part for part in commands.split("syncd approve ")[1:])
    assert split(line)[:2] == [name, "3f9c1e27ab04"]


def test_a_held_plan_is_told_with_why_and_whom_to_look_at() -> None:
    text = render(held("win-back")).text
    assert "5,412 removals held since 2026-11-24 01:05 UTC (1 h ago):" in text
    assert "5,412 removals are more than max_removals = 500" in text
    assert "syncd held win-back" in text
    assert "syncd approve win-back 3f9c1e27ab04" in text
    assert "14 not in the vendor's CRM" in text


def test_a_failing_campaign_says_what_its_last_pass_said_and_that_a_suppression_is_late() -> None:
    text = render(failing("collections")).text
    assert "tenant acme: refused the login; make a new data token" in text
    assert "late suppression" in text
    assert "1 customer must not be called" in text


def test_what_needs_nobody_is_folded_up_and_what_needs_somebody_is_open() -> None:
    shown = render(good("renewals"), held("win-back"))
    folded = {str(attributes["class"]): "open" in attributes for tag, attributes in shown.elements if tag == "details"}
    assert folded == {"card warn": True, "card good": False}


@pytest.mark.parametrize(
    ("shown", "heading", "title"),
    [
        ([], "There is no campaign yet.", "all is well"),
        ([good("a")], "Nothing needs you.", "all is well"),
        ([good("a"), held("b")], "1 of 2 campaigns needs you.", "1 of 2 need you"),
        ([held("a"), held("b")], "2 of 2 campaigns need you.", "2 of 2 need you"),
    ],
)
def test_the_heading_and_the_title_say_how_many_need_somebody(shown: list[Shown], heading: str, title: str) -> None:
    document = render(*shown)
    assert heading in document.text
    assert document.text.startswith(f"syncd: {title}")


def test_the_chart_has_a_bar_for_each_pass_and_says_in_words_what_it_shows() -> None:
    one = campaign("renewals", Condition.OK, recent=recent(Result.GOOD, Result.FAILED, Result.GOOD))
    shown = render(one)
    bars = [attributes["class"] for tag, attributes in shown.elements if tag == "rect"]
    assert bars == ["good", "bad", "good"]
    assert dict(shown.elements)["svg"]["aria-label"] == "2 good, 1 failed"
    assert "failed, 8 min ago" in shown.text


def test_a_campaign_without_any_pass_is_shown_all_the_same() -> None:
    text = render(campaign("pilot", Condition.NEW, since=None, due_at=None, listed_at=None, last_good_at=None)).text
    assert "pilot new" in text
    assert "no pass yet" in text


def test_what_a_pass_sent_after_it_had_counted_stands_beside_the_counts() -> None:
    one = campaign("a", Condition.OK, counts=counts(640, 637, added=18), last_pass=last_pass(Result.GOOD, "in step"))
    assert "then added 18" in render(one).text
    assert "then removed" not in render(one).text


def test_fifty_campaigns_with_full_charts_are_a_page_of_no_great_size() -> None:
    desk = Desk([good(f"campaign-{number}") for number in range(50)])
    assert len(page.render(desk.shown, NOW)) < 600_000


def test_of_a_message_without_end_the_beginning_is_shown() -> None:
    assert len(page.render([failing("collections", "x" * 10_000_000)], NOW)) < 30_000

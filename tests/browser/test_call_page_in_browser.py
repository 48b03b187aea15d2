"""A call page in a real browser: quiet, hears from a line on, searches, gives ratings that landing takes, axe."""

from __future__ import annotations

import re
import sys
import time
from datetime import date
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "unit" / "reports")]

import chromium  # noqa: E402
from example_calls import SAID, Example, make  # noqa: E402
from example_publication import EVIL  # noqa: E402

from pipelines.contracts.landing import REVIEWS  # noqa: E402
from pipelines.landing import Landing, LandingOptions  # noqa: E402
from pipelines.reports.calls import FOLDER, render_call, render_calls  # noqa: E402
from pipelines.reports.parts import page_name  # noqa: E402
from pipelines.settings import Settings  # noqa: E402

pytestmark = pytest.mark.skipif(
    chromium.find() is None, reason="no Chromium here; install chromium, or name it in the variable CHROMIUM"
)


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> Example:
    made = make(tmp_path_factory.mktemp("calls"))
    render_calls(made.generation, made.sound())
    return made


@pytest.fixture(scope="module")
def published(example) -> Path:
    return example.generation / FOLDER / page_name(example.heard)


@pytest.fixture(scope="module")
def whole(example) -> Path:
    """The page made on demand, with the whole call's sound."""
    return render_call(example.generation, example.heard, example.generation.parent / "page.html", example.sound())


@pytest.fixture(scope="module")
def browser():
    with chromium.tab() as opened:
        yield opened


@pytest.fixture
def opened(browser, whole):
    browser.show_as()
    browser.open(whole)
    return browser


def until(tab: chromium.Tab, expression: str, timeout_s: float = 10) -> bool:
    deadline = time.monotonic() + timeout_s
    while not tab.ask(expression):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def click(tab: chromium.Tab, selector: str) -> None:
    """A real click of the mouse: a browser plays no sound before its user did something."""
    x, y = tab.ask(
        f"(() => {{ const e = document.querySelector('{selector}'); e.scrollIntoView({{block: 'center', behavior:"
        " 'instant'}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def test_a_page_asks_for_its_own_sound_and_for_nothing_else(browser, published):
    browser.show_as()
    browser.open(published)
    assert until(browser, "document.querySelector('audio').readyState >= 1")
    files = [url for url in browser.requests if not url.startswith("data:")]
    assert files[0] == published.resolve().as_uri()
    assert files[1:]
    assert all(url.startswith(f"{published.parent.resolve().as_uri()}/clips/") for url in files[1:])
    assert browser.console == []


def test_a_click_on_a_line_plays_the_call_from_there(opened):
    opened.ask("document.querySelector('audio').muted = true")
    assert until(opened, "document.querySelector('audio').readyState >= 1")
    assert opened.ask("document.querySelector('audio').duration") == pytest.approx(40, abs=0.1)
    click(opened, "#u4 .at")
    assert until(opened, "document.querySelector('audio').currentTime > 30.1")
    assert opened.ask("document.querySelector('.playing').id") == "u4"
    assert opened.ask("document.querySelector('audio').currentTime") < 35
    assert opened.ask("document.querySelector('audio').paused") is False
    opened.ask("document.querySelector('audio').pause()")


def test_a_click_on_a_line_inside_of_a_clip_plays_the_clip_from_there(browser, published):
    browser.show_as()
    browser.open(published)
    assert until(browser, "document.querySelector('audio').readyState >= 1")
    browser.ask("document.querySelector('audio').muted = true")
    click(browser, "#u2 .at")
    # The line begins at 11.0 s, the clip at 8.0 s.
    assert until(browser, "document.querySelector('audio').currentTime > 3.1")
    assert browser.ask("document.querySelector('audio').currentTime") < 6
    assert browser.ask("location.hash") == ""
    # No clip holds the line at 30 s: its link leads to the line itself.
    browser.ask("document.querySelector('audio').pause()")
    click(browser, "#u4 .at")
    assert browser.ask("location.hash") == "#u4"


def test_the_search_leaves_the_lines_that_hold_the_word(opened):
    opened.ask("{const i = document.getElementById('find'); i.value = 'PARCEL'; i.dispatchEvent(new Event('input'))}")
    shown = "[...document.querySelectorAll('.lines > li')].filter(l => !l.hidden).map(l => l.id)"
    assert opened.ask(shown) == ["u1"]
    assert opened.ask("document.getElementById('found').textContent").startswith("1 of ")
    opened.ask("{const i = document.getElementById('find'); i.value = ''; i.dispatchEvent(new Event('input'))}")
    assert len(opened.ask(shown)) >= len(SAID)


def test_without_scripting_the_page_is_readable_and_offers_nothing_that_needs_it(whole):
    with chromium.tab(scripting=False) as tab:
        tab.open(whole)
        tree = tab.call("Accessibility.getFullAXTree")["nodes"]
    texts = " ".join(str(n.get("name", {}).get("value", "")) for n in tree)
    assert "How the score came about" in texts
    assert EVIL in texts
    assert "negative" in texts
    assert "Rating needs scripting." in texts
    assert "Download the ratings" not in texts
    assert "Search the transcript" not in texts


def test_ratings_come_back_as_a_file_that_landing_takes(opened, example, tmp_path):
    opened.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    opened.ask(
        """
        const form = document.getElementById("review");
        form.elements.reviewer_id.value = "R7-quality";
        form.elements.department.value = "quality";
        const rows = form.querySelectorAll("tr[data-parameter]");
        rows[0].querySelector("[data-rating]").value = "85.5";
        rows[0].querySelector("[data-comment]").value = "kind, and \\"quick\\", Zoë = Müller; as said";
        rows[1].querySelector("[data-absent]").checked = true;
        form.querySelector("button").click(); undefined
        """
    )
    deadline = time.monotonic() + 20
    while not (found := list(tmp_path.glob("*.csv"))) and time.monotonic() < deadline:
        time.sleep(0.1)
    (file,) = found
    assert re.fullmatch(r"reviews-annotation-\d{4}-\d\d-\d\d-[A-Za-z0-9_.-]+\.csv", file.name)
    rated = opened.ask("[...document.querySelectorAll('tr[data-parameter]')].slice(0, 2).map(r => r.dataset.parameter)")

    (tmp_path / "interactions.csv").write_text(
        f"interaction_id,channel,started_at,agent_id,campaign\n{example.heard},call,2026-03-02T15:00:00Z,007,billing\n",
        "utf-8",
    )
    landing = Landing(
        LandingOptions(
            folder=tmp_path,
            cache=tmp_path / ".cache",
            timezone="UTC",
            recording_pattern=Settings().recording_pattern,
            first_day=date(2020, 1, 1),
            pseudonym_key="a key",
        )
    )
    assert landing.rejects().height == 0
    rows = landing.reference(REVIEWS).sort("not_applicable").to_dicts()
    assert [(r["parameter"], r["rating"], r["max_rating"], r["not_applicable"], r["comment"]) for r in rows] == [
        (rated[0], 85.5, 100.0, False, 'kind, and "quick", Zoë = Müller; as said'),
        (rated[1], None, 100.0, True, None),
    ]
    for row in rows:
        assert row["session_id"].startswith("annotation-2")
        assert (row["interaction_id"], row["reviewer_id"]) == (example.heard, "R7-quality")
        assert (row["department"], row["is_expert"]) == ("quality", False)
        assert row["rated_at"] is not None


@pytest.mark.parametrize(
    ("fill", "says"),
    [
        ("", "Who rates?"),
        ("form.elements.reviewer_id.value = 'R7'", "Nothing is rated yet."),
        ("form.querySelector('[data-comment]').value = 'hm'", "A comment needs a rating"),
    ],
)
def test_a_rating_that_lacks_something_says_what(opened, fill, says):
    opened.ask(f"{{const form = document.getElementById('review'); {fill}; form.querySelector('button').click()}}")
    assert opened.ask("document.getElementById('review-says').textContent").startswith(says)


def test_a_reviewer_id_that_landing_would_refuse_is_stopped_by_the_form(opened):
    for given, good in (('R7, "quality"', False), ("R" * 129, False), ("Zoë K. R-7", True), ("a.b@c#1=2+3:4", True)):
        opened.ask(f"document.querySelector('[name=reviewer_id]').value = {given!r}; undefined")
        assert opened.ask("document.getElementById('review').checkValidity()") is good, given


def test_a_rating_above_100_is_stopped_by_the_form(opened):
    opened.ask("document.querySelector('[data-rating]').value = '101'; undefined")
    assert opened.ask("document.getElementById('review').checkValidity()") is False


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_no_page_scrolls_sideways(browser, example, whole, width):
    folder = example.generation / FOLDER
    for path in (whole, folder / "index.html", folder / page_name(example.failed)):
        browser.show_as(width=width)
        browser.open(path)
        assert browser.ask("document.documentElement.scrollWidth") <= width, path.name


def test_paper_gets_the_score_and_the_words_but_nothing_to_click(opened):
    opened.show_as(width=700, dark=True, media="print")
    seen = opened.ask(
        "['nav', '#find-form', '#review', 'audio', '.lines'].map("
        "s => getComputedStyle(document.querySelector(s)).display)"
    )
    assert seen == ["none", "none", "none", "none", "block"]
    assert opened.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desktop-light", "phone-dark"])
def test_axe_finds_no_violation(browser, example, whole, width, dark):
    script = chromium.axe_script().read_text("utf-8")
    failed = example.generation / FOLDER / page_name(example.failed)
    for path in (whole, failed, example.generation / FOLDER / "index.html"):
        browser.show_as(width=width, dark=dark)
        browser.open(path)
        browser.ask(script + ";undefined")
        found = browser.ask("axe.run().then(r => r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html]))", 180)
        assert found == [], path.name

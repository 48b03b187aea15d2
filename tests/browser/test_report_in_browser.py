"""The report in a real browser: quiet console, no request, hostile names stay text, no sideways scrolling."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "unit" / "reports")]

import chromium  # noqa: E402
from example_publication import EVIL, build  # noqa: E402

from pipelines.reports import render  # noqa: E402

pytestmark = pytest.mark.skipif(
    chromium.find() is None, reason="no Chromium here; install chromium, or name it in the variable CHROMIUM"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return render(build(folder / "iqs.duckdb"), folder / "report.html")


@pytest.fixture(scope="module")
def visited(page) -> chromium.Visit:
    return chromium.visit(page)


def test_the_page_loads_whole(visited):
    assert "Can I trust it?" in visited.dom
    assert visited.dom.rstrip().endswith("</html>")


def test_the_console_stays_silent(visited):
    assert visited.console == []


def test_nothing_is_asked_from_the_network(visited):
    assert visited.requests == []


def test_a_hostile_name_stays_text(visited):
    escaped = EVIL.replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in visited.dom
    assert EVIL not in visited.dom
    assert visited.dom.count("<script") == 1


def test_the_policy_lets_our_own_script_run(visited):
    assert '<th scope="col"><button type="button">' in visited.dom


def test_the_policy_stops_a_script_and_an_image_that_got_in(page, tmp_path):
    poisoned = tmp_path / "poisoned.html"
    bad = "<script>document.title='owned'</script><img src='http://tracker.invalid/x.png'>"
    poisoned.write_text(page.read_text("utf-8").replace("</main>", f"{bad}</main>"), "utf-8")
    seen = chromium.visit(poisoned)
    assert "<title>owned</title>" not in seen.dom
    assert len(seen.console) >= 2
    assert seen.requests == []


def test_a_request_would_be_noticed(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><img src='http://tracker.invalid/x.png'><script>console.error('loud')</script>")
    seen = chromium.visit(page)
    assert "http://tracker.invalid/x.png" in seen.requests
    assert any("loud" in line for line in seen.console)


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_page_never_scrolls_sideways(page, width):
    assert chromium.page_size(page, width)[0] <= width

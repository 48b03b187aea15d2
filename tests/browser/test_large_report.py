"""The report of a large centre, 2,000 agents over 3 years: small pages that open fast, ends of the league, search."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "unit" / "reports")]

import chromium  # noqa: E402
from large_publication import build_large  # noqa: E402

from pipelines.reports import render  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        chromium.find() is None, reason="no Chromium here; install chromium, or name it in the variable CHROMIUM"
    ),
]

MOST_BYTES, MOST_S = 5_000_000, 2.0


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    return render(build_large(folder / "iqs.duckdb"), folder / "report" / "index.html")


@pytest.fixture(scope="module")
def browser():
    with chromium.tab() as opened:
        opened.show_as()
        yield opened


def test_each_agent_and_campaign_has_a_page_and_none_is_large(page):
    made = {kind: list(page.parent.glob(f"{kind}/*.html")) for kind in ("agents", "campaigns")}
    assert {kind: len(paths) for kind, paths in made.items()} == {"agents": 2000, "campaigns": 20}
    assert page.stat().st_size < MOST_BYTES
    assert max(p.stat().st_size for paths in made.values() for p in paths) < MOST_BYTES / 10


def test_the_pages_open_fast(browser, page):
    for path in (page, page.parent / "campaigns" / "campaign_03.html", *sorted(page.parent.glob("agents/*"))[:1]):
        assert min(browser.open(path) for _ in range(3)) < MOST_S, path.name
        assert browser.console == []


def test_the_league_shows_its_ends_and_the_search_finds_the_others(browser, page):
    browser.open(page)
    assert browser.ask("document.querySelectorAll('#where .heat')[0].tBodies[0].rows.length") == 20
    assert browser.ask("document.querySelectorAll('#agents tbody tr').length") == 2000
    browser.ask(
        """(() => { const box = document.querySelector('[data-filter=agents] input');
        box.value = 'number 1234'; box.dispatchEvent(new Event('input', { bubbles: true })); })()"""
    )
    shown = browser.ask(
        "[...document.querySelectorAll('#agents tbody tr')].filter(r => !r.hidden).map(r => r.innerText)"
    )
    assert len(shown) == 1
    assert "Agent Number 1234" in shown[0]


def test_the_filters_do_without_agents_and_say_so(browser, page):
    browser.open(page)
    assert browser.ask("document.querySelector('select[name=agent]')") is None
    assert "each has a page of their own" in browser.ask("document.getElementById('explore').innerText")

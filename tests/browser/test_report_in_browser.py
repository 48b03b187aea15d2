"""The report in a real browser: quiet console, no request, hostile names stay text, filters, keyboard, axe, print."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "unit" / "reports")]

import chromium  # noqa: E402
from example_publication import AGENTS, EVIL, build  # noqa: E402

from pipelines.reports import print_pdf, render  # noqa: E402

pytestmark = pytest.mark.skipif(
    chromium.find() is None, reason="no Chromium here; install chromium, or name it in the variable CHROMIUM"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return render(build(folder / "iqs.duckdb"), folder / "report.html")


@pytest.fixture(scope="module")
def browser():
    with chromium.tab() as opened:
        yield opened


@pytest.fixture
def opened(browser, page):
    """The report, freshly loaded on a desktop in light colours."""
    browser.show_as()
    browser.open(page)
    return browser


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
    assert visited.dom.count("<script") == 2


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
def test_no_page_ever_scrolls_sideways(browser, page, width):
    for path in (page, *sorted(page.parent.glob("*/*.html"))):
        browser.show_as(width=width)
        browser.open(path)
        assert browser.ask("document.documentElement.scrollWidth") <= width, path.name


def test_pages_of_agents_and_campaigns_are_quiet_too(browser, page):
    made = sorted(page.parent.glob("*/*.html"))
    assert len(made) == 7
    for path in made:
        browser.open(path)
        assert browser.console == []
        assert browser.requests == [path.resolve().as_uri()]


def follow(tab: chromium.Tab, selector: str) -> str:
    """Click a link and wait for its page; returns the page's heading."""
    before = tab.ask("location.pathname")
    tab.ask(f"document.querySelector({json.dumps(selector)}).click()")
    for _ in range(200):
        time.sleep(0.05)
        # While the page changes there is nobody to answer.
        with suppress(RuntimeError):
            if tab.ask("document.readyState === 'complete' && location.pathname") not in (False, before):
                return tab.ask("document.querySelector('h1').textContent")
    raise AssertionError(f"{selector} leads nowhere")


def test_links_lead_to_the_agents_page_and_back(opened):
    assert follow(opened, "a[href^='agents/0042']") == "Mia Lindqvist"
    assert follow(opened, "header a") == "Quality report"


# --- filters


def choose(tab: chromium.Tab, name: str, text: str) -> None:
    """Pick the option with this text, as a reader does."""
    tab.ask(
        f"""(() => {{
            const box = document.querySelector('select[name="{name}"]');
            box.value = [...box.options].find(o => o.textContent === {json.dumps(text)}).value;
            box.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})()"""
    )


SAYS = "document.getElementById('explore-says').textContent"
ROWS = "[...document.querySelectorAll('#explore-table tbody tr')].map(r => [...r.cells].map(c => c.textContent.trim()))"


@pytest.fixture(scope="module")
def truth(page):
    import duckdb

    with duckdb.connect(str(page.parent / "iqs.duckdb"), read_only=True) as connection:
        yield connection


def test_the_filters_start_with_the_whole_centre(opened, truth):
    n, mean = truth.execute("select count(*), avg(iqs) from fct_call_scores").fetchone()
    assert opened.ask("document.getElementById('explore').hidden") is False
    assert opened.ask(SAYS).startswith(f"IQS {mean:.1f} over {n} scored calls, 95 % interval")


def test_a_choice_of_campaign_and_issue_type_gives_their_mean_and_interval(opened, truth):
    choose(opened, "campaign", "Mobile")
    choose(opened, "issue_type", "Late delivery")
    n, mean, sd = truth.execute(
        "select count(iqs), avg(iqs), stddev_samp(iqs) from fct_interactions "
        "where campaign = 'mobile' and issue_type = 'late_delivery'"
    ).fetchone()
    from scipy.stats import t

    half = t.ppf(0.975, n - 1) * sd / n**0.5
    low, high = max(0, float(mean) - half), min(100, float(mean) + half)
    said = opened.ask(SAYS)
    assert f"IQS {mean:.1f} over {n} scored calls, 95 % interval {low:.1f} to {high:.1f}." in said
    assert "Against all others in these days" in said


def test_groups_can_be_drilled_into_by_a_click(opened, truth):
    choose(opened, "by", "Agent")
    rows = opened.ask(ROWS)
    assert len(rows) == 4
    means = [float(r[1]) for r in rows]
    assert means == sorted(means)
    first = rows[0][0].removesuffix("page").strip()
    opened.ask("document.querySelector('#explore-table .pick').click()")
    assert opened.ask("document.querySelector('select[name=agent]').selectedOptions[0].textContent") == first
    n = sum(int(r[3]) for r in opened.ask(ROWS))
    assert n == int(rows[0][3])
    opened.ask("document.querySelector('#explore-form button').click()")
    assert (
        sum(int(r[3]) for r in opened.ask(ROWS)) == truth.execute("select count(*) from fct_call_scores").fetchone()[0]
    )


def test_a_period_can_be_chosen_and_an_empty_choice_says_so(opened, truth):
    choose(opened, "from", "2 Mar 2026")
    n = truth.execute("select count(*) from fct_call_scores where call_date >= '2026-03-02'").fetchone()[0]
    assert f"over {n} scored calls" in opened.ask(SAYS)
    choose(opened, "to", "2 Mar 2026")
    taken = {
        a
        for (a,) in truth.execute(
            "select agent_id from fct_call_scores join fct_interactions i "
            "using (interaction_id) where i.call_date = '2026-03-02' and campaign = 'mobile'"
        ).fetchall()
    }
    missing = next(name for agent, (name, _) in AGENTS.items() if agent not in taken)
    choose(opened, "campaign", "Mobile")
    choose(opened, "agent", missing)
    assert opened.ask(SAYS) == "No scored call is in this choice."


def test_a_hostile_name_in_the_filters_stays_text(opened):
    choose(opened, "by", "Agent")
    choose(opened, "agent", EVIL)
    assert opened.ask("document.querySelectorAll('script').length") == 2
    assert opened.console == []


def test_tables_sort_and_the_search_finds_an_agent(opened):
    names = "[...document.querySelectorAll('#agents tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].textContent)"
    opened.ask("document.querySelector('#agents thead th button').click()")
    opened.ask("document.querySelector('#agents thead th button').click()")
    assert opened.ask(names) == sorted(opened.ask(names))
    opened.ask(
        """(() => { const box = document.querySelector('[data-filter=agents] input');
        box.value = 'lindq'; box.dispatchEvent(new Event('input', { bubbles: true })); })()"""
    )
    assert opened.ask(names) == ["Mia Lindqvist"]
    assert opened.ask("document.getElementById('agents').closest('details').open") is True


def test_a_campaigns_agents_sort_by_every_figure_and_lead_to_their_pages(browser, page):
    campaign = page.parent / "campaigns" / "billing_help.html"
    browser.show_as()
    browser.open(campaign)
    heads = browser.ask("[...document.querySelectorAll('#agents thead th')].map(h => h.textContent)")
    for column in ("IQS", "Against the others", "Scored"):
        at = heads.index(column)
        browser.ask(f"document.querySelectorAll('#agents thead th button')[{at}].click()")
        cells = browser.ask(f"[...document.querySelectorAll('#agents tbody tr')].map(r => r.cells[{at}].textContent)")
        falling = [float(re.search(r"[-+]?[0-9.]+", c.replace("−", "-")).group()) for c in cells]
        assert len(falling) == 4
        assert falling == sorted(falling, reverse=True)
    assert follow(browser, "#agents a[href$='/0042.html']") == "Mia Lindqvist"
    assert browser.console == []


# --- everybody can read it


def test_the_report_reads_whole_without_scripting(page):
    with chromium.tab(scripting=False) as silent:
        silent.show_as()
        silent.open(page)
        root = silent.call("DOM.getDocument", depth=0)["root"]["nodeId"]

        def hidden(selector: str) -> bool:
            node = silent.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
            return "hidden" in silent.call("DOM.getAttributes", nodeId=node)["attributes"]

        assert hidden("#explore")
        assert hidden("[data-filter=agents]")
        node = silent.call("DOM.querySelector", nodeId=root, selector="main")["nodeId"]
        assert len(silent.call("DOM.querySelectorAll", nodeId=node, selector="svg")["nodeIds"]) > 10


def test_everything_that_acts_is_reached_by_the_tab_key_in_reading_order(opened):
    opened.press("Tab")
    assert opened.ask("document.activeElement.className") == "skip"
    assert opened.ask("document.activeElement.getBoundingClientRect().left >= 0")
    seen = []
    for _ in range(150):
        opened.press("Tab")
        seen.append(
            opened.ask(
                """(() => { const e = document.activeElement, box = e.getBoundingClientRect();
                return [e.tagName, e.name || e.getAttribute('href') || e.textContent.slice(0, 30), box.top + scrollY,
                getComputedStyle(e).outlineStyle]; })()"""
            )
        )
    kinds = {s[0] for s in seen}
    assert {"A", "SUMMARY", "SELECT", "INPUT", "BUTTON", "DIV"} <= kinds
    assert [s[1] for s in seen if s[0] == "SELECT"][:3] == ["campaign", "team", "agent"]
    assert all(s[3] != "none" for s in seen if s[0] != "BODY")


def test_a_fold_opens_with_the_enter_key(opened):
    opened.ask("document.querySelector('summary').focus()")
    opened.press("Enter")
    assert opened.ask("document.querySelector('details').open") is True


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desktop-light", "phone-dark"])
def test_axe_finds_no_violation(browser, page, dark, width):
    browser.show_as(width=width, dark=dark)
    script = chromium.axe_script().read_text("utf-8")
    for path in (page, page.parent / "agents" / "0042.html", page.parent / "campaigns" / "mobile.html"):
        browser.open(path)
        browser.ask("for (const d of document.querySelectorAll('details')) d.open = true")
        browser.ask(script + ";undefined")
        found = browser.ask("axe.run().then(r => r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html]))", 180)
        assert found == [], path.name


def test_axe_would_find_a_violation(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><title>x</title><img src='data:,'><p style='color:#ccc'>pale</p>")
    browser.open(page)
    browser.ask(chromium.axe_script().read_text("utf-8") + ";undefined")
    assert {"image-alt", "color-contrast"} <= set(browser.ask("axe.run().then(r => r.violations.map(v => v.id))", 180))


def test_printed_it_is_black_on_white_and_without_what_can_only_be_clicked(opened):
    opened.show_as(width=700, dark=True, media="print")
    seen = opened.ask(
        """[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
        ...['nav', '#explore', '.filter', 'details'].map(s => getComputedStyle(document.querySelector(s)).display)]"""
    )
    assert seen == ["rgb(255, 255, 255)", "rgb(0, 0, 0)", "none", "none", "none", "none"]
    assert opened.ask("document.documentElement.scrollWidth") <= 700


def test_the_pdf_has_pages_and_the_headline(page, tmp_path):
    out = print_pdf(page, tmp_path / "report.pdf")
    data = out.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert len(data) > 50_000
    assert int(re.search(rb"/Count (\d+)", data).group(1)) >= 4
    assert list(tmp_path.iterdir()) == [out]

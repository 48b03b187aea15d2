from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from example_publication import EVIL, PUBLISH_ID, Size, build

from pipelines.reports import ReportError, ReportOptions, facts, groups, render, report
from pipelines.reports.facts import Period, difference
from pipelines.reports.parts import page_name

WEEK = date(2026, 3, 2)


@pytest.fixture(scope="module")
def site(published, tmp_path_factory) -> Path:
    """The folder of the report with its pages."""
    return render(published, tmp_path_factory.mktemp("report") / "index.html").parent


@pytest.fixture(scope="module")
def page(site) -> str:
    return (site / "index.html").read_text("utf-8")


@pytest.fixture
def publication(published):
    with facts.opened(published, "as_scored") as opened:
        yield opened


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", html, flags=re.S))


def text_spans(html: str) -> str:
    return re.sub(r"</?span[^>]*>", "", html)


class Outline(HTMLParser):
    """Tags that are open at the end, headings, ids, and tables with what they lack."""

    VOID = frozenset({"meta", "link", "br", "input", "img", "line", "hr"})

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.captions = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in dict(attrs):
            self.ids.append(dict(attrs)["id"])

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def having(self, tag: str) -> list[dict]:
        return [attrs for name, attrs in self.tags if name == tag]


# --- the file


def test_the_questions_come_in_the_managers_order(page):
    wanted = [
        "How are we doing?",
        "What changed, and why?",
        "Where?",
        "Person or process?",
        "What to do",
        "Can I trust it?",
    ]
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == wanted


def test_the_file_loads_nothing_and_its_policy_forbids_it(page):
    loading = ("src", "srcset", "href", "xlink:href", "action", "data", "poster", "background")
    links = [attrs[name] for _, attrs in Outline(page).tags for name in loading if name in attrs]
    assert len(links) > 6
    pages = re.compile(r"(agents|campaigns)/[a-z0-9_-]+\.html")
    assert [link for link in links if not link.startswith(("#", "data:")) and not pages.fullmatch(link)] == []
    assert "url(" not in page
    assert "default-src 'none'" in page
    assert "@import" not in page
    script = re.search(r"<script>(.*?)</script>", page, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_a_hostile_name_and_hostile_evidence_are_escaped(page):
    assert EVIL not in page
    assert re.findall(r"<script[^>]*>", page) == ['<script type="application/json" id="explore-data">', "<script>"]
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 5


def test_the_markup_is_whole_and_can_be_read_aloud(page):
    outline = Outline(page)
    assert outline.open == []
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(outline.headings))
    assert len(outline.ids) == len(set(outline.ids))
    assert len(outline.having("caption")) == len(outline.having("table"))
    assert all(th.get("scope") for th in outline.having("th"))
    charts = [s for s in outline.having("svg") if not s.get("aria-hidden")]
    assert len(charts) > 10
    assert all(s.get("role") == "img" and s.get("aria-label") for s in charts)
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in outline.tags}


def test_equal_data_give_equal_bytes_and_the_file_is_small(published, tmp_path, page):
    again = render(published, tmp_path / "again.html").read_bytes()
    assert again == page.encode()
    assert len(again) < 400_000
    assert not list(tmp_path.glob(".*"))


def test_the_published_file_is_only_read(published, tmp_path):
    copy = shutil.copy(published, tmp_path / "iqs.duckdb")
    copy.chmod(0o444)
    before = hashlib.sha256(copy.read_bytes()).hexdigest()
    render(copy, tmp_path / "report.html")
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["agents", "campaigns", "iqs.duckdb", "report.html"]


def test_a_missing_table_is_named(published, tmp_path):
    copy = shutil.copy(published, tmp_path / "iqs.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("drop table prime_calls")
    with pytest.raises(ReportError, match="prime_calls"):
        render(copy, tmp_path / "report.html")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "iqs.duckdb").write_text("hello")
    with pytest.raises(ReportError, match=r"iqs\.duckdb"):
        render(tmp_path / "iqs.duckdb", tmp_path / "report.html")


def test_another_basis_is_refused(published, tmp_path):
    with pytest.raises(ValueError, match="as_scored, restated"):
        render(published, tmp_path / "report.html", basis="guessed")


def test_a_first_day_with_nothing_scored_says_missing_and_not_zero(nothing_published, tmp_path):
    html = render(nothing_published, tmp_path / "report.html").read_text("utf-8")
    assert "it is missing, not 0" in text_of(html)
    assert Outline(html).open == []
    assert "<strong>0" not in html


def test_one_call_has_no_interval_and_no_rank(one_call_published, tmp_path):
    html = render(one_call_published, tmp_path / "report.html").read_text("utf-8")
    text = text_of(html)
    assert Outline(html).open == []
    assert "needs two calls" in text
    assert "No week before it to compare with" in text
    assert "Too few calls to tell" in text
    assert "No agent has enough scored calls this week to be ranked" in text
    assert "– too few calls" in text


# --- what it says


def test_the_headline_is_the_newest_complete_week_as_published(page, publication):
    n, iqs = publication.connection.execute(
        "select n, iqs from trend_iqs where dimension = 'all' and period = 'week' and period_start = ?", [WEEK]
    ).fetchone()
    text = text_of(page)
    assert f"{iqs:.1f} IQS of 100" in text
    assert f"Scored calls {n} " in text
    assert "Week of 2–8 Mar 2026" in text


def test_the_agent_with_few_calls_is_shown_without_a_rank(publication):
    week = facts.headline(facts.periods(publication)["week"])
    ranked, unranked = facts.league(publication, week)
    assert "007" in {r["agent_id"] for r in unranked}
    assert [r["position"] for r in ranked] == [1, 2, 3]
    assert [r["iqs_shrunk"] for r in ranked] == sorted((r["iqs_shrunk"] for r in ranked), reverse=True)


def test_what_parameters_gained_adds_up_to_the_change_of_the_iqs(publication):
    weeks = facts.periods(publication)["week"]
    week, earlier = weeks[-1], weeks[-2]
    moved = facts.moved(facts.drivers(publication, week), facts.drivers(publication, earlier))
    assert sum(m["gain"] for m in moved) == pytest.approx(float(week.iqs - earlier.iqs), abs=0.001)


def test_the_parts_of_the_waterfall_add_up_as_they_are_shown(page):
    figure = re.search(r"<h3[^>]*>From ([\d.]+) to ([\d.]+): ([+−±][\d.]+) points</h3>(.*?)</figcaption>", page, re.S)
    size = lambda text: Decimal(text.replace("−", "-").replace("±", ""))  # noqa: E731
    parts = [size(p) for p in re.findall(r"<b>\w+ ([+−±][\d.]+)</b>", figure.group(4))]
    assert len(parts) == 4
    assert sum(parts) == size(figure.group(3)) == Decimal(figure.group(2)) - Decimal(figure.group(1))


def test_the_worked_call_adds_up_to_its_iqs(publication, page):
    week = facts.headline(facts.periods(publication)["week"])
    call, parameters = facts.worked_call(publication, week)
    assert sum(p["contribution"] or 0 for p in parameters) == call["iqs_unfailed"]
    table = re.search(r"from the measured value to the IQS.*?<tbody>(.*?)</tbody>.*?<tfoot>(.*?)</tfoot>", page, re.S)
    shown = re.findall(r'<td class="num">([\d.]+)</td></tr>', table.group(1))
    assert sum(map(Decimal, shown)) == Decimal(re.findall(r">([\d.]+)</td></tr>", table.group(2))[-1])


def test_what_is_missing_is_a_dash_with_its_reason(page):
    assert not re.search(r">\s*(None|nan|NaN|null)\s*<", page)
    assert re.search(r'<span class="missing">–<span class="why"> not delivered</span></span>', page)


def test_a_parameter_that_could_not_be_measured_has_no_score_and_no_contribution(published, tmp_path):
    copy = shutil.copy(published, tmp_path / "iqs.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            """
            delete from fct_call_scores where interaction_id not in (
                select interaction_id from fct_parameter_scores where reason = 'no_event'
            )
            """
        )
    html = render(copy, tmp_path / "report.html").read_text("utf-8")
    row = re.search(
        r"<tr><th scope=\"row\">Information retrieval</th>(<td.*?– nothing to measure.*?)</tr>", text_spans(html)
    )
    assert row
    assert "– not applicable" in row.group(1)
    assert row.group(1).count("– left out") == 2


def test_every_left_out_call_stands_under_its_reason(publication, page):
    rows = facts.left_out(publication, date(2026, 1, 1), date(2026, 12, 31))
    left = publication.rows("select count(*) as n from fct_interactions where status <> 'scored'")[0]["n"]
    assert sum(r["n"] for r in rows) == left > 0
    assert "Less than 4 s of speech" in page
    assert "export the recording again" in page


def test_a_check_that_was_repeated_counts_as_it_last_came_out(publication):
    checks = {r["stage"]: r for r in facts.checks(publication)}
    assert checks["landing"]["failed"] == 0
    assert checks["landing"]["passed"] == checks["landing"]["n"]
    assert sum(r["warnings"] for r in checks.values()) == 1
    assert [r["blocking"] for r in facts.complaints(publication, 20)] == [False]


def test_the_publication_and_the_newest_day_are_named(page):
    assert PUBLISH_ID in page
    assert "Fri 6 Mar 2026" in page


def test_every_parameter_and_metric_is_defined(publication, page):
    for row in publication.rows("select name as word from dim_parameters union all select meaning from dim_metrics"):
        assert row["word"].replace("'", "&#39;") in page


def test_more_agents_than_fit_are_counted_out_loud(published, tmp_path):
    html = render(published, tmp_path / "report.html", options=ReportOptions(agents=2, ends=1)).read_text("utf-8")
    assert "Shown are the 1 highest and the 1 lowest; 2 more agents are in the table only" in text_of(html)


# --- arithmetic with known answers


def period(start: date, n: int = 5, is_complete: bool = True, kind: str = "week") -> Period:
    end = facts.period_end(kind, start)
    return Period(kind, start, end, is_complete, n, n, 0, Decimal(60), Decimal(60), None, None, None, None, None, None)


def test_a_month_ends_on_its_last_day_and_follows_the_month_before():
    assert facts.period_end("month", date(2028, 2, 1)) == date(2028, 2, 29)
    assert facts.period_before("month", date(2026, 1, 1)) == date(2025, 12, 1)
    assert facts.period_before("week", WEEK) == WEEK - timedelta(days=7)


def test_the_headline_is_the_newest_complete_period_else_the_newest():
    weeks = [period(WEEK), period(WEEK + timedelta(days=7)), period(WEEK + timedelta(days=14), is_complete=False)]
    assert facts.headline(weeks).start == WEEK + timedelta(days=7)
    assert facts.headline(weeks[2:]).start == WEEK + timedelta(days=14)
    assert facts.headline([period(WEEK, n=0)]) is None


def test_a_week_with_a_gap_before_it_has_nothing_to_compare_with():
    assert facts.before([period(WEEK), period(WEEK + timedelta(days=14))], period(WEEK + timedelta(days=14))) is None


def test_a_week_is_complete_on_friday_where_nobody_works_at_weekends(publication):
    last = facts.periods(publication)["week"][-1]
    assert last.start == WEEK
    assert last.is_complete


def test_the_first_week_is_complete_on_its_sunday_only(tmp_path):
    database = build(tmp_path / "iqs.duckdb", Size(days=5, calls=3))
    with facts.opened(database, "as_scored") as opened:
        assert not facts.periods(opened)["week"][-1].is_complete


def test_two_points_between_ten_calls_each_are_just_beyond_chance():
    found = difference(10, 2, 10, 8, 2, 10)
    assert found.change == 2
    assert found.low == pytest.approx(0.1208, abs=1e-4)
    assert found.is_beyond_chance
    assert not difference(9.8, 2, 10, 8, 2, 10).is_beyond_chance


def test_a_difference_of_single_calls_has_no_interval():
    assert difference(10, None, 1, 8, None, 1).is_beyond_chance is None
    assert difference(None, None, 0, 8, 2, 10).change is None


def test_surveys_are_read_as_published_and_get_their_spread_from_counts(tmp_path, nothing_published):
    copy = shutil.copy(nothing_published, tmp_path / "iqs.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            """
            insert into insight_survey_gap by name select 'all' as dimension, 'all' as value, 'week' as period,
                ?::date as period_start, 5 as received, 4 as n_csat, 3.5 as csat, 3.5 - 2.05426 as csat_low,
                3.5 + 2.05426 as csat_high, 4 as n_nps, 2 as promoters, 1 as detractors, 25 as nps
            """,
            [WEEK],
        )
    with facts.opened(copy, "as_scored") as opened:
        found = facts.surveys(opened, period(WEEK))
        none = facts.surveys(opened, period(WEEK + timedelta(days=7)))
    assert (found["csat"].mean, found["csat"].answers, found["csat"].received) == (3.5, 4, 5)
    # Answers 5, 4, 3, 2: their standard deviation is 1.29099; the upper end stops at the scale's 5.
    assert found["csat"].sd == pytest.approx(1.29099, abs=1e-4)
    assert (found["csat"].low, found["csat"].high) == (pytest.approx(1.4457, abs=1e-4), 5)
    # +100, +100, 0, −100.
    assert found["nps"].sd == pytest.approx(95.7427, abs=1e-3)
    assert none["csat"].mean is None


# --- what the published tables tell


def test_the_verdict_and_the_findings_are_those_of_the_tables(page):
    text = text_of(page)
    assert "More goes with the issue: fixing the process reaches further than coaching" in text
    assert "12 % goes with who took the call" in text
    assert "Late delivery (process): 3 of 3 agents score lower on it than on their other calls, by 14.2 points" in text
    assert "1 other comparison said nothing beyond chance" in text
    assert not re.search(r"Cancellation</b> \(process\)", page)


def test_only_effects_and_breaks_beyond_chance_are_spelled_out(page):
    text = text_of(page)
    assert "New delivery text message (Mobile, from 28 Feb 2026): IQS +6.0 points (95 % interval +1.2 to +10.8" in text
    assert "No effect beyond chance yet: Shorter greeting" in text
    assert "can you please hold while i check" in text
    assert "1 other passage broke no more often than chance would have it" in text
    assert "goodbye now" not in text
    assert "weather" not in text


def test_the_machine_stands_among_the_raters(page):
    text = text_of(page)
    assert "people among themselves α 0.81 (0.71 to 0.91); the machine and the experts α 0.74" in text
    assert "The machine as one more rater : Level with the expert" in text
    assert "Scores go with something agents can't help: noise on the line (13.0 %)" in text.replace("&#39;", "'")


def test_alerts_that_nobody_took_note_of_come_worst_first(page):
    text = text_of(page)
    assert "Alerts: 2 alerts since 2 Mar that nobody has taken note of (1 critical, 1 warning)" in text
    table = text.partition("Alerts that nobody has taken note of")[2]
    assert table.index("C0302-001") < table.index("C0302-000")


def test_an_empty_table_says_what_to_deliver(nothing_published, one_call_published, tmp_path):
    copy = shutil.copy(one_call_published, tmp_path / "iqs.duckdb")
    with duckdb.connect(str(copy)) as connection:
        for table in ("process_change_effects", "calibration_agreement", "calibration_raters", "insight_survey_gap"):
            connection.execute(f"delete from {table}")
        connection.execute("delete from insight_survey_disagreements")
    text = text_of(render(copy, tmp_path / "report.html").read_text("utf-8"))
    for file in ("process_changes*.csv", "reviews*.csv", "surveys*.csv"):
        assert f"eliver {file}" in text


def test_a_dip_is_told_with_its_rule(published, tmp_path, page):
    copy = shutil.copy(published, tmp_path / "iqs.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            """
            update trend_iqs set dip = true, dip_rule = '8 in a row below the center', xmr_center = 80, xmr_low = 75,
                xmr_high = 85
            where dimension = 'all' and period = 'week' and period_start = ?
            """,
            [WEEK],
        )
    html = render(copy, tmp_path / "report.html").read_text("utf-8")
    text = text_of(html)
    assert "This week is a dip: 8 in a row below the center. Usual weeks lie within 75.0 to 85.0." in text
    assert "1 dip since 2 Mar, 1 of the whole centre" in text
    assert "This week is a dip" not in text_of(page)


def test_a_report_of_one_client_alone_names_the_client(published, tmp_path, page):
    copy = shutil.copy(published, tmp_path / "iqs.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update fct_interactions set client = 'Acme & Sons'")
    header = render(copy, tmp_path / "report.html").read_text("utf-8").partition("</header>")[0]
    assert "<span>Acme &amp; Sons</span>" in header
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update fct_interactions set client = null where interaction_id like '%1'")
    assert "Acme" not in render(copy, tmp_path / "report.html").read_text("utf-8").partition("</header>")[0]


# --- pages of agents and campaigns


def test_every_agent_and_campaign_has_a_page_and_links_lead_both_ways(site, page):
    linked = {a["href"] for a in Outline(page).having("a") if not a["href"].startswith("#")}
    made = {p.relative_to(site).as_posix() for p in site.glob("*/*.html")}
    assert linked == made
    assert {"agents/007.html", "agents/0042.html", f"agents/{page_name('A12')}", "campaigns/mobile.html"} <= made
    for path in made:
        html = (site / path).read_text("utf-8")
        outline = Outline(html)
        assert outline.open == []
        assert outline.headings[0] == 1
        assert all(b - a <= 1 for a, b in pairwise(outline.headings))
        assert EVIL not in html
        targets = [a["href"] for a in outline.having("a") if not a["href"].startswith("#")]
        assert "../index.html" in targets
        assert [t for t in targets if not ((site / path).parent / t.partition("#")[0]).resolve().exists()] == []


def test_an_agents_page_says_how_the_agent_stands(site, publication):
    row = publication.rows(
        "select * from trend_iqs where dimension = 'agent' and value = 'A12' and period = 'week' and period_start = $w",
        w=WEEK,
    )[0]
    text = text_of((site / "agents" / page_name("A12")).read_text("utf-8"))
    low, high = (f"{row[k]:.1f}" for k in ("iqs_low", "iqs_high"))
    assert f"IQS {row['iqs']:.1f} (95 % interval {low} to {high}) over {row['n']} scored calls" in text
    worst = publication.rows(
        """
        select interaction_id from fct_interactions where agent_id = 'A12' and iqs is not null
        order by iqs, iqs_unfailed, interaction_id limit 1
        """
    )[0]["interaction_id"]
    assert worst in text.partition("Worst calls")[2].partition("Best calls")[0]


def test_what_became_of_a_coaching_stands_on_the_agents_page(site):
    text = text_of((site / "agents" / page_name("A12")).read_text("utf-8"))
    assert "Empathy, coached on 23 Feb 2026: 54.0 → 66.0, +12.0 points (95 % interval +3.1 to +20.9" in text
    assert "agents who were not coached +1.0: better." in text
    assert "coached on" not in text_of((site / "agents" / "007.html").read_text("utf-8"))


def test_a_campaigns_page_lists_its_agents_with_interval_n_and_links(site, publication):
    text = (site / "campaigns" / "mobile.html").read_text("utf-8")
    table = re.search(r'<table[^>]*id="agents">.*?</table>', text, re.S).group(0)
    assert "data-sortable" in table
    wanted = publication.rows(
        """
        select i.agent_id, count(*) as n, avg(s.iqs) as iqs, count(*) filter (s.is_failed) as failed
        from fct_call_scores s join fct_interactions i using (interaction_id)
        where i.campaign = 'mobile' and s.basis = 'as_scored' and s.call_date between date '2026-02-09' and '2026-03-08'
        group by all
        """
    )
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", table.partition("<tbody>")[2].partition("</tbody>")[0])
    assert len(rows) == len(wanted) == 4
    for r in wanted:
        (row,) = [x for x in rows if f'href="../agents/{page_name(r["agent_id"])}"' in x]
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
        assert (cells[0], cells[4], cells[5]) == (f"{r['iqs']:.1f}", str(r["n"]), str(r["failed"]))
    assert text_of(table.partition("<tfoot>")[2]).split()[:3] == ["All", "agents", f"{mean_of(wanted):.1f}"]


def mean_of(rows) -> float:
    return sum(float(r["iqs"]) * r["n"] for r in rows) / sum(r["n"] for r in rows)


def test_an_agent_is_held_against_the_campaigns_other_agents(tmp_path, published):
    copy = shutil.copy(published, tmp_path / "iqs.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("delete from fct_call_scores")
        connection.execute("update fct_interactions set campaign = 'mobile'")
        connection.execute(
            """
            insert into fct_call_scores by name
            select interaction_id, 'as_scored' as basis, call_date, false as is_failed,
                case agent_id when '007' then 40 + 20 * (k % 2) when 'A12' then 70 else 80 end as iqs
            from (
                select *, row_number() over (partition by agent_id order by interaction_id) as k from fct_interactions
                where campaign = 'mobile' and status = 'scored' and agent_id in ('007', 'A12', 'B03')
            )
            where k <= case agent_id when '007' then 4 when 'A12' then 4 else 1 end
            """
        )
    with facts.opened(copy, "as_scored") as opened:
        found = facts.agents_of_campaigns(opened, date(2026, 2, 1), date(2026, 3, 31))["mobile"]
    # 60, 40, 60, 40 against four 70s and an 80: 50 − 72, Welch's interval does not reach 0. Who has one call has none.
    low, middle, single = found
    assert [r["agent_id"] for r in found] == ["007", "A12", "B03"]
    assert (low["n"], low["iqs"], low["others"][0], low["others"][2]) == (4, 50, 72, 5)
    assert low["gap"].is_beyond_chance
    # 50 ± 3.1824 × 11.547 ÷ √4, and four equal calls leave no width.
    assert (low["low"], low["high"]) == (pytest.approx(31.626, abs=0.001), pytest.approx(68.374, abs=0.001))
    assert (middle["low"], middle["high"]) == (70, 70)
    assert (single["low"], single["gap"].is_beyond_chance) == (None, None)


# --- pages that need not be drawn again


@pytest.fixture
def drawn(monkeypatch) -> list[str]:
    """Names of the pages that are drawn, not taken over."""
    names = []
    draw = groups.page
    monkeypatch.setattr(groups, "page", lambda found: names.append(f"{found.kind} {found.value}") or draw(found))
    return names


def another_day(published: Path, folder: Path, *, moved: bool = True) -> Path:
    """The same publication a day later, under another id; one call of agent 007 for mobile scores lower."""
    copy = shutil.copy(published, folder / "later.duckdb")
    with duckdb.connect(str(copy)) as connection:
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            connection.execute(f"update {table} set publish_id = '20260310T061500Z-9a0b'")
        connection.execute("update ops_ledger set call_date = call_date + 1")
        if moved:
            connection.execute(
                """
                update fct_call_scores set iqs = iqs - 0.5 where interaction_id = (
                    select min(interaction_id) from fct_interactions
                    where agent_id = '007' and campaign = 'mobile' and status = 'scored' and iqs > 1
                )
                """
            )
    return copy


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.html")}


def test_only_pages_whose_facts_changed_are_drawn_and_the_outcome_is_that_of_a_full_rendering(
    published, site, tmp_path, drawn
):
    later = another_day(published, tmp_path)
    render(later, tmp_path / "part" / "index.html", before=site)
    # The call is among the agent's and in the campaign's list of agents; who is nothing to it keeps the page.
    assert drawn == ["agent 007", "campaign mobile"]
    render(later, tmp_path / "full" / "index.html")
    assert len(drawn) == 2 + 7
    assert files_of(tmp_path / "part") == files_of(tmp_path / "full")
    page = (tmp_path / "part" / "agents" / "0042.html").read_text("utf-8")
    assert page.count("20260310T061500Z-9a0b") == 1
    assert "Calls to Sat 7 Mar 2026" in page
    assert page != (site / "agents" / "0042.html").read_text("utf-8")


def test_a_lower_week_of_an_agent_draws_that_agents_page_again(published, site, tmp_path, drawn):
    later = another_day(published, tmp_path, moved=False)
    with duckdb.connect(str(later)) as connection:
        connection.execute(
            "update trend_iqs set iqs = iqs - 1 where dimension = 'agent' and value = 'A12' and period = 'day'"
        )
        # The mean of all moves by next to nothing: shrunk estimates stay as they are written.
        connection.execute("update trend_iqs set iqs_shrunk = iqs_shrunk + 0.0001 where value = '0042'")
    render(later, tmp_path / "part" / "index.html", before=site)
    assert drawn == ["agent A12"]
    assert files_of(tmp_path / "part") == files_of(render(later, tmp_path / "full" / "index.html").parent)


@pytest.mark.parametrize("damage", ["changed", "cut off", "gone", "no text", "of other facts"])
def test_a_page_that_is_not_as_it_was_written_is_drawn_again(published, site, tmp_path, drawn, damage):
    shutil.copytree(site, tmp_path / "before")
    page = tmp_path / "before" / "agents" / "0042.html"
    text = page.read_text("utf-8")
    if damage == "gone":
        page.unlink()
    elif damage == "no text":
        page.write_bytes(b"\xff\xfe" + text.encode())
    elif damage == "of other facts":
        shutil.copy(tmp_path / "before" / "agents" / "007.html", page)
    else:
        page.write_text(text.replace("Mia", "Eve", 1) if damage == "changed" else text[:-200], "utf-8")
    render(published, tmp_path / "again" / "index.html", before=tmp_path / "before")
    assert drawn == ["agent 0042"]
    assert files_of(tmp_path / "again") == files_of(site)


def test_another_program_or_other_options_draw_every_page_again(published, site, tmp_path, drawn, monkeypatch):
    render(published, tmp_path / "one" / "index.html", before=site, options=ReportOptions(page_weeks=12))
    assert len(drawn) == 7
    monkeypatch.setattr(report, "_program", lambda: "another")
    render(published, tmp_path / "two" / "index.html", before=site)
    assert len(drawn) == 14


def test_a_page_of_an_agent_who_is_gone_does_not_stay(published, tmp_path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "gone.html").write_text("who left")
    render(published, tmp_path / "index.html")
    assert not (tmp_path / "agents" / "gone.html").exists()


def test_page_names_are_safe_and_never_the_same():
    names = ["007", "A12", "a12", "../../x", "..", "", EVIL, "ä" * 300, "CON/aux", "a b", "a-b"]
    made = [page_name(n) for n in names]
    assert made[0] == "007.html"
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,60}\.html", m) for m in made)


# --- the data of the filters


def explored(html: str) -> dict:
    return json.loads(re.search(r'id="explore-data">(.*?)</script>', html, re.S).group(1))


def test_the_filters_data_add_up_to_the_scored_calls(page, publication):
    data = explored(page)
    n, total = publication.connection.execute("select count(*), sum(iqs) from fct_call_scores").fetchone()
    assert (sum(data["n"]), data["grain"]) == (n, "day")
    assert sum(data["sum"]) == pytest.approx(float(total), abs=0.01 * len(data["n"]))
    assert [d["key"] for d in data["dimensions"]] == ["campaign", "team", "agent", "issue_type", "language", "shift"]
    for d in data["dimensions"]:
        assert set(d["cells"]) == set(range(len(d["values"])))
    assert EVIL in next(d for d in data["dimensions"] if d["key"] == "agent")["values"]


@pytest.mark.parametrize(
    ("at_most", "grain", "has_agents"), [(90, "week", True), (80, "week", False), (3, "week", False)]
)
def test_too_many_groups_become_weeks_then_lose_agents_then_old_weeks(published, tmp_path, at_most, grain, has_agents):
    html = render(published, tmp_path / "report.html", options=ReportOptions(cells_at_most=at_most)).read_text("utf-8")
    data = explored(html)
    assert data["grain"] == grain
    assert ("agent" in [d["key"] for d in data["dimensions"]]) == has_agents
    assert (len(data["starts"]) == 1) == (at_most == 3)


# --- looks


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_has_the_contrast_of_level_aa(page, scheme):
    blocks = re.findall(r":root \{(.*?)\}", page, re.S)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    pairs = [(text, ground) for text in ("ink", "soft", "accent", "bad", "warn") for ground in ("page", "card")]
    pairs += [("cell", shade) for shade in ("l3", "l2", "l1", "d0", "u1", "u2", "u3")] + [("soft", "tint")]
    assert {pair: c for pair in pairs if (c := contrast(colours[pair[0]], colours[pair[1]])) < 4.5} == {}
    marks = [(mark, "card") for mark in ("accent", "up", "down", "ink", "soft")]
    assert {pair: c for pair in marks if (c := contrast(colours[pair[0]], colours[pair[1]])) < 3} == {}

"""The README's worked examples: its calls go through the SQL, its answers must come out."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from dbt_lake import MONDAY, Call
from sql_models import lake_frames
from test_insights import scored, talk

from pipelines.calibration.sessions import compared_ratings
from tests.conftest import REPOSITORY

SECTION = (REPOSITORY / "README.md").read_text().split("## The trend tables, reckoned by hand")[1].split("\n## ")[0]
TABLES = [
    [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().splitlines()[2:]]
    for block in re.findall(r"(?:^\|.*\n)+", SECTION, re.MULTILINE)
]
ANSWERS = {row[0]: row[-1] for table in TABLES[1:] for row in table}
WEEKS = {"2 March": MONDAY, "9 March": MONDAY + timedelta(days=7)}


def numbers(cell: str) -> list[str | None]:
    return [None if part.strip() == "-" else part.strip() for part in cell.split(",")]


def answers(start: str) -> list[Decimal]:
    """The answers of the one question in the README that begins like this."""
    (found,) = [a for question, a in ANSWERS.items() if question.startswith(start)]
    return [Decimal(n) for n in numbers(found)]


@pytest.fixture(scope="module")
def given():
    calls = [
        {
            "call_date": WEEKS[week],
            "agent_id": agent,
            "issue_type": issue,
            "score": int(score),
            "csat": csat and int(csat),
        }
        for week, agent, issue, scores, csats in TABLES[0]
        for score, csat in zip(numbers(scores), numbers(csats), strict=True)
    ]
    assert len(calls) == 12
    change = {"changed_on": WEEKS["9 March"], "name": "new login page", "campaign": None, "issue_type": "login"}
    issue_types = [{"issue_type": i, "driver": "service", "sub_driver": i} for i in ("billing", "login")]
    return scored(calls) | {
        "stg_process_changes": pl.DataFrame([change], schema_overrides={"campaign": pl.String}),
        "dim_issue_types": pl.DataFrame(issue_types),
    }


@pytest.fixture(scope="module")
def made(models, given):
    names = ("trend_iqs", "insight_change", "insight_sub_drivers", "insight_survey_gap", "process_change_effects")
    return models.run(*names, given=given)


def of(connection, columns: str, table: str, where: str) -> list[Decimal]:
    basis = (
        "" if table in ("insight_change", "insight_survey_gap", "process_change_effects") else "basis = 'restated' and "
    )
    rows = connection.execute(f"select {columns} from iqs.trends.{table} where {basis}{where}").fetchall()
    assert len(rows) == 1, rows
    return list(rows[0])


CENTRE = "dimension = 'all' and period = 'week' and period_start = "
ANN = f"dimension = 'agent' and value = 'Ann' and period = 'week' and period_start = '{MONDAY}'"
EXAMPLES = [
    ("How were we?", "iqs", "trend_iqs", f"{CENTRE}'2026-03-02'"),
    ("How sure is that?", "iqs_low, iqs_high", "trend_iqs", f"{CENTRE}'2026-03-02'"),
    ("And now?", "iqs", "trend_iqs", f"{CENTRE}'2026-03-09'"),
    ("Why did it fall?", "change", "insight_change", f"{CENTRE}'2026-03-09'"),
    ("… did people do worse?", "behaviour", "insight_change", f"{CENTRE}'2026-03-09'"),
    ("… or were the calls others?", "mix", "insight_change", f"{CENTRE}'2026-03-09'"),
    ("Where are the points?", "share", "insight_sub_drivers", f"sub_driver = 'login' and {CENTRE}'2026-03-09'"),
    ("How is Ann on calls like everybody's?", "iqs_case_mix", "trend_iqs", ANN),
    ("Is Ann better than Bob?", "iqs_shrunk", "trend_iqs", ANN),
    ("Do customers agree?", "spearman_csat", "insight_survey_gap", f"{CENTRE}'2026-03-02'"),
    ("… how many answered?", "response_rate", "insight_survey_gap", f"{CENTRE}'2026-03-02'"),
    ("Did the new login page", "effect", "process_change_effects", "measure = 'iqs'"),
    ("… how sure?", "effect_low, effect_high", "process_change_effects", "measure = 'iqs'"),
]


def same(found: list, stated: list[Decimal]) -> bool:
    """Equal in as many decimals as the README states."""
    return [round(Decimal(f), -s.as_tuple().exponent) for f, s in zip(found, stated, strict=True)] == stated


@pytest.mark.parametrize(("question", "columns", "table", "where"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_the_twelve_calls_give_what_the_readme_says(made, question, columns, table, where):
    found = of(made, columns, table, where)
    assert same(found, answers(question)), found


def test_points_lost_by_parameter_are_shared_out(models):
    base = {"dimension": "all", "value": "all", "period": "week", "period_start": MONDAY, "basis": "restated"}
    lost = [base | {"parameter": p, "points_lost": Decimal(n)} for p, n in zip("ABCD", (4, 2, 9, 0), strict=True)]
    whole = [base | {"n": 1, "unfailed_sum": Decimal(85), "score_sum": Decimal(85)}]
    given = {"trend_parameters": pl.DataFrame(lost), "trend_iqs": pl.DataFrame(whole)}
    connection = models.run("insight_drivers", given=given)
    assert same(of(connection, "share", "insight_drivers", "parameter = 'C'"), answers("Where did the worked call"))


def test_control_limits_are_the_mean_and_2_66_moving_ranges(models):
    calls = [
        {"call_date": MONDAY + timedelta(days=i), "agent_id": "Ann", "score": 70 + 4 * (i % 2)}
        for i in range(9)
        for _ in range(5)
    ]
    connection = models.run("trend_iqs", given=scored(calls))
    where = f"dimension = 'agent' and period = 'day' and period_start = '{MONDAY + timedelta(days=8)}'"
    assert same(of(connection, "xmr_low, xmr_high", "trend_iqs", where), answers("Is a bad day a dip?"))


def test_variance_is_shared_between_agents_and_issue_types(models):
    cells = {
        ("Ann", "billing"): (90, 84),
        ("Ann", "login"): (60, 54),
        ("Bob", "billing"): (80, 74),
        ("Bob", "login"): (50, 44),
    }
    calls = [{"agent_id": a, "issue_type": i, "score": s} for (a, i), scores in cells.items() for s in scores]
    connection = models.run("insight_person_or_process", given=scored(calls))
    where = "component = 'issue_types' and dimension = 'all' and period = 'week'"
    assert same(of(connection, "share", "insight_person_or_process", where), answers("Person or process?"))


def test_a_sentence_after_which_everybody_breaks_off(models):
    values = {("empathy_score", "agent"): 80.0}
    calls = [Call(f"c{i}", MONDAY, values, agent=f"00{i % 2}") for i in range(8)]
    lines = {
        c.id: [
            ("agent", "Thank you for calling, how can I help you today?", 0.2),
            ("customer", "I want my money back", -0.1),
            ("agent", "Unfortunately that is the company's policy and nothing can be done.", 0.0),
            ("customer", "no way", -0.8),
            ("agent", "Let me see what I can do for you.", 0.3),
            ("customer", "fine", 0.1),
        ]
        for c in calls
    }
    connection = models.run("insight_script_breaks", lake=talk(models, calls, lines))
    rows = connection.execute("select break_share_low, usual_share, n from iqs.trends.insight_script_breaks").fetchall()
    ((low, usual, n),) = rows
    assert (n, usual) == (8, Decimal("0.333333"))
    assert same([low], answers("Which line do customers break off after?"))


def test_a_word_that_comes_up_more_often(models):
    said = {
        ("outage", MONDAY): 2,
        ("bill", MONDAY): 50,
        ("outage", WEEKS["9 March"]): 40,
        ("bill", WEEKS["9 March"]): 50,
    }
    rows = [
        {"call_date": day, "party": "customer", "keyword": word, "interactions": n, "example_interaction_id": "x"}
        for (word, day), n in said.items()
    ]
    connection = models.run("insight_keywords", given={"int_keyword_days": pl.DataFrame(rows)})
    ((odds,),) = connection.execute(
        "select log_odds from iqs.trends.insight_keywords where period = 'week' and keyword = 'outage'"
    ).fetchall()
    assert same([odds], answers("What is spoken of more?"))


def test_noise_that_goes_with_the_scores(models):
    calls = [{"score": s, "snr_db": db} for db, s in ((10.0, 50), (20.0, 60), (30.0, 55), (40.0, 75))]
    connection = models.run("insight_fairness", given=scored(calls))
    ((share,),) = connection.execute(
        "select explained_share from iqs.trends.insight_fairness where factor = 'snr_db'"
    ).fetchall()
    assert same([share], answers("Does noise explain scores?"))


def test_what_others_would_count(models):
    values = {("interruption_count", "agent"): 1.0, ("silence_ratio", "call"): 0.2, ("conversation_s", "call"): 40.0}
    lake = lake_frames([Call("c", MONDAY, values)])
    turns = [("customer", 0, 10), ("agent", 9.7, 14), ("customer", 15, 20), ("agent", 18, 25)]
    lake["conversation/turns"] = pl.DataFrame(
        [
            {"interaction_id": "c", "date": MONDAY, "turn": i, "party": p, "start_s": float(a), "end_s": float(b)}
            | {"speech_s": float(b - a)}
            for i, (p, a, b) in enumerate(turns)
        ],
        schema=lake["conversation/turns"].schema,
    )
    connection = models.run("fct_peer_definitions", lake=lake)
    columns = ", ".join(f"agent_interruptions_{rule}" for rule in ("any_overlap", "over_half_s", "over_1_s"))
    (row,) = connection.execute(f"select {columns} from iqs.marts.fct_peer_definitions").fetchall()
    assert same(list(row), answers("What would others count?"))


def test_two_raters_of_one_call():
    row = {"session_id": "s", "interaction_id": "c", "parameter": "empathy", "is_machine": False, "is_expert": False}
    rated = [row | {"reviewer_id": name, "points": 100 * points / 15} for name, points in (("r1", 10.0), ("r2", 7.0))]
    for alignment in compared_ratings(pl.DataFrame(rated))["alignment"]:
        assert same([round(alignment, 6)], answers("How far do two raters agree?"))


def test_every_answer_of_the_readme_is_reckoned_here():
    source = (REPOSITORY / "tests" / "dbt" / "test_worked_examples.py").read_text()
    starts = [e[0] for e in EXAMPLES] + re.findall(r'answers\("([^"]+)"\)', source)
    assert all(any(q.startswith(s) for s in starts) for q in ANSWERS), set(ANSWERS)
    assert len(ANSWERS) == len(starts)

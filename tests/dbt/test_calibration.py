"""Ratings in long form: the machine is one more rater, as scored, and what does not apply leaves."""

from datetime import UTC, datetime

import pytest
from dbt_lake import Call, Dbt, write_lake
from sql_models import SqlModels, lake_frames

from pipelines.calibration import RATED
from pipelines.contracts.calibration import RATERS, SESSIONS
from pipelines.contracts.landing import REVIEWS
from pipelines.lake import Lake

MODELS = ("+path:models/calibration",)


def review(interaction: str, reviewer: str, parameter: str, rating: float | None, **more) -> dict:
    return {
        "session_id": "s1",
        "interaction_id": interaction,
        "reviewer_id": reviewer,
        "parameter": parameter,
        "rating": rating,
        "max_rating": 100.0,
        "department": "ops",
        "is_expert": False,
        "rated_at": datetime(2026, 3, 3, 15, tzinfo=UTC),
        "not_applicable": False,
        "source_file": "reviews.csv",
    } | more


@pytest.fixture
def built(dbt: Dbt) -> Dbt:
    lake = write_lake(
        dbt.lake,
        [
            Call("a", values={("empathy_score", "agent"): 80.0}),
            Call("b", outcome="excluded", reason="too_short"),
        ],
    )
    reviews = [
        review("a", "r1", "empathy", 60.0),
        review("a", "r2", "empathy", 9.0, max_rating=15.0, is_expert=True),
        review("a", "r1", "courtesy", 7.0, max_rating=15.0),
        review("a", "r1", "volume", 50.0),
        review("a", "r2", "volume", None, not_applicable=True),
        review("a", "r1", "readability", 50.0),
        review("b", "r1", "empathy", 40.0),
    ]
    lake.write(REVIEWS, REVIEWS.frame(reviews), inputs="test")
    assert dbt.build("--select", *MODELS, "--exclude-resource-type", "unit_test", "test") == {}
    return dbt


def test_the_machine_rates_what_people_rated_and_ratings_that_do_not_apply_leave(built):
    rows = built.query("select * from intermediate.int_calibration_ratings")
    assert set(rows.columns) == set(RATED)
    people = rows.filter(~rows["is_machine"]).select("interaction_id", "parameter", "reviewer_id", "points").rows()
    assert sorted(people) == [
        ("a", "courtesy", "r1", pytest.approx(700 / 15)),
        ("a", "empathy", "r1", 60),
        ("a", "empathy", "r2", 60),
        ("a", "readability", "r1", 50),
        ("a", "volume", "r1", 50),
        ("b", "empathy", "r1", 40),
    ]
    machine = rows.filter(rows["is_machine"]).select("interaction_id", "parameter", "points", "reason").rows()
    assert sorted(machine, key=str) == [
        ("a", "courtesy", None, "not_a_parameter"),
        ("a", "empathy", 80, None),
        ("a", "readability", None, "not_scored"),  # on no scorecard of calls
        ("a", "volume", None, "not_applicable"),
        ("b", "empathy", None, "not_scored"),
    ]


def test_the_views_show_what_the_stage_writes_after_the_build(built):
    assert built.query("select count(*) from trends.calibration_sessions").item() == 0
    row = {c.name: None for c in RATERS.columns} | {
        "rater_kind": "reviewer",
        "reviewer_id": "r1",
        "parameter": "all",
        "n": 6,
        "bias": -8.5,
    }
    Lake(built.lake).write(RATERS, RATERS.frame([row]), inputs="later")
    assert built.query("select reviewer_id, bias from trends.calibration_raters").rows() == [("r1", -8.5)]


def test_the_views_have_the_columns_of_the_contracts_and_a_comment_on_each(built):
    for table in (RATERS, SESSIONS):
        comments = built.query(
            "select column_name, comment from duckdb_columns() where schema_name = 'trends' "
            f"and table_name = '{table.name.replace('/', '_')}' order by column_index"
        ).rows()
        assert [name for name, _ in comments] == [c.name for c in table.columns]
        assert all(comment for _, comment in comments)


def reviewed(models: SqlModels, reviews) -> list[tuple]:
    calls = [Call("a"), Call("silent", outcome="excluded", reason="opted_out")]
    lake = lake_frames(calls) | {"landing/reviews": reviews}
    connection = models.run("fct_reviews", lake=lake)
    columns = "interaction_id, parameter, points, not_applicable, comment"
    return connection.execute(f"select {columns} from iqs.restricted.fct_reviews order by parameter").fetchall()


def test_what_a_reviewer_wrote_is_kept_but_not_about_a_customer_who_did_not_consent(models):
    reviews = REVIEWS.frame(
        [
            review("a", "r1", "empathy", 9.0, max_rating=15.0, comment="kind, but late"),
            review("a", "r1", "volume", None, not_applicable=True, comment="a chat"),
            review("silent", "r1", "empathy", 40.0, comment="said no to the recording"),
        ]
    )
    assert reviewed(models, reviews) == [
        ("a", "empathy", 60.0, False, "kind, but late"),
        ("a", "volume", None, True, "a chat"),
    ]


def test_ratings_of_a_lake_from_before_there_were_comments_are_read(models):
    reviews = REVIEWS.frame([review("a", "r1", "empathy", 40.0)]).drop("comment")
    assert reviewed(models, reviews) == [("a", "empathy", 40.0, False, None)]

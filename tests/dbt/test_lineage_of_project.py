"""Column lineage of the project's own SQL."""

import pytest

from pipelines.column_lineage import find_lineage, sources_of


@pytest.fixture(scope="module")
def lineage(project, models):
    return find_lineage(project.manifest.to_dict(), project.root / "target" / "compiled")


def test_every_column_that_a_model_declares_has_its_sources_found(project, models, lineage):
    for name, node in models.models.items():
        if node.resource_type != "model":
            continue
        found = lineage[f"{node.fqn[1]}/{name}"]
        assert set(node.columns) <= set(found), name
        assert any(found.values()), name


def test_every_source_is_a_column_that_is_there(lineage):
    missing = {
        s
        for columns in lineage.values()
        for sources in columns.values()
        for s in sources
        if (table := s.rpartition(".")[0]) in lineage and s.rpartition(".")[2] not in lineage[table]
    }
    assert missing == set()


@pytest.mark.parametrize(
    ("column", "sources"),
    [
        (
            "trends/trend_iqs.iqs",
            {"metrics/interaction_metrics.value", "seeds/scorecard_weights.weight", "seeds/score_curves.score"},
        ),
        ("marts/fct_interactions.csat", {"landing/surveys.csat"}),
        ("marts/fct_call_scores.iqs", {"metrics/interaction_metrics.value", "seeds/scorecard_weights.weight"}),
        ("trends/process_change_effects.effect", {"marts/fct_call_scores.iqs", "landing/surveys.csat"}),
        ("trends/alerts.route", {"landing/agents.supervisor_id"}),
        ("marts/fct_reviews.comment", {"landing/reviews.comment"}),
    ],
)
def test_a_figure_leads_back_to_what_was_measured_delivered_and_ruled(column, sources, lineage):
    assert sources <= {s.column for s in sources_of(lineage, column)}


def test_a_score_does_not_come_from_a_survey(lineage):
    assert not [s for s in sources_of(lineage, "marts/fct_call_scores.iqs") if "surveys" in s.column]

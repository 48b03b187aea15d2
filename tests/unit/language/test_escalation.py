import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.measured import NotMeasured
from pipelines.language.escalation import TERMS, EscalationWeights, WeightError, escalation_risk, explain

WEIGHTS = EscalationWeights({"intercept": -3.0, **dict.fromkeys(TERMS, 1.0)})


def test_a_call_in_which_nothing_stands_out_has_the_risk_of_the_intercept():
    risk, contributions = escalation_risk({}, WEIGHTS)
    assert risk == pytest.approx(1 / (1 + math.exp(3)))
    assert contributions == {"intercept": -3.0}


def test_three_points_on_the_log_odds_make_an_even_chance():
    risk, contributions = escalation_risk({"escalation_words": 2.0, "unresolved": 1.0}, WEIGHTS)
    assert risk == pytest.approx(0.5)
    assert contributions == {"intercept": -3.0, "escalation_words": 2.0, "unresolved": 1.0}


def test_what_was_not_measured_contributes_nothing():
    assert "repetitions" not in escalation_risk({"repetitions": NotMeasured("no_customer_speech")}, WEIGHTS)[1]


def test_a_term_counts_up_to_its_largest_value():
    assert escalation_risk({"repetitions": 40.0}, WEIGHTS)[1]["repetitions"] == TERMS["repetitions"][1]


def test_the_explanation_names_the_largest_contribution_first():
    text = explain(*escalation_risk({"unresolved": 1.0, "repetitions": 3.0}, WEIGHTS))
    assert text == "risk 0.73: intercept -3.00, repetitions +3.00, unresolved +1.00"


@given(st.dictionaries(st.sampled_from(sorted(TERMS)), st.floats(-100, 100)), st.sampled_from(sorted(TERMS)))
def test_risk_is_a_probability_and_never_falls_when_a_term_rises(rules, terms, raised):
    risk, _ = escalation_risk(terms, rules.escalation)
    more, _ = escalation_risk(terms | {raised: terms.get(raised, 0.0) + 1}, rules.escalation)
    assert 0 < risk <= more < 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [("mood,1,x", "line 2: unknown term 'mood'"), ("repetitions,much,x", "line 2: weight 'much' is not a number")],
)
def test_a_bad_weight_is_refused_with_file_line_and_reason(tmp_path, row, reason):
    (tmp_path / "escalation_weights.csv").write_text(f"term,weight,meaning\n{row}\n")
    with pytest.raises(WeightError, match=reason):
        EscalationWeights.read(tmp_path)


def test_a_missing_or_negative_or_repeated_weight_is_refused(tmp_path):
    for rows, reason in (
        ("intercept,-3,x\n", "missing terms customer_end_negativity"),
        ("repetitions,-1,x\n", "must be a number of 0 or more"),
        ("repetitions,1,x\nrepetitions,1,x\n", "line 3: the term repetitions stands there twice"),
    ):
        (tmp_path / "escalation_weights.csv").write_text("term,weight,meaning\n" + rows)
        with pytest.raises(WeightError, match=reason):
            EscalationWeights.read(tmp_path)

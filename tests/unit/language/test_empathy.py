import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.measured import NotMeasured
from pipelines.language.empathy import empathy
from pipelines.language.said import say

ANGRY = ("customer", "This is ridiculous, my order never arrived.")
CALM = ("customer", "I would like to change my address.")
SORRY = ("agent", "I'm so sorry about that, I understand how frustrating this is.")
FLAT = ("agent", "What is your order number?")
COLD = ("agent", "There's nothing I can do.")
LINES = (ANGRY, CALM, SORRY, FLAT, COLD)


def test_an_emotional_turn_that_is_acknowledged_gives_100(phrases):
    score, events = empathy(say(phrases, ANGRY, SORRY))
    assert score == 100
    assert [(e.kind, e.party) for e in events] == [("empathy", "agent")]
    assert "sorry" in events[0].evidence
    assert (events[0].start_s, events[0].end_s) == (5.0, 9.5)


def test_an_emotional_turn_that_is_passed_over_gives_0(phrases):
    assert empathy(say(phrases, ANGRY, FLAT, FLAT))[0] == 0


def test_one_of_two_emotional_turns_answered_gives_50(phrases):
    assert empathy(say(phrases, ANGRY, SORRY, ANGRY, FLAT, FLAT))[0] == 50


def test_the_second_utterance_may_still_answer_and_the_third_is_too_late(phrases):
    assert empathy(say(phrases, ANGRY, FLAT, SORRY))[0] == 100
    assert empathy(say(phrases, ANGRY, FLAT, FLAT, SORRY))[0] == 0


def test_a_dismissive_phrase_takes_25_points_and_leaves_its_evidence(phrases):
    score, events = empathy(say(phrases, ANGRY, SORRY, CALM, COLD))
    assert score == 75
    assert [e.evidence for e in events if e.kind == "dismissive"] == ["There's nothing I can do."]


def test_a_robotic_phrase_takes_half_of_that(phrases):
    assert empathy(say(phrases, ANGRY, SORRY, ("agent", "That is our policy.")))[0] == 87.5


def test_without_an_emotional_turn_there_is_nothing_to_measure(phrases):
    score, events = empathy(say(phrases, CALM, FLAT, COLD))
    assert score == NotMeasured("no_event")
    assert [e.kind for e in events] == ["dismissive"]


def test_an_emotional_last_word_that_nobody_could_answer_does_not_count(phrases):
    assert empathy(say(phrases, CALM, FLAT, ANGRY))[0] == NotMeasured("no_event")


def test_asking_for_a_supervisor_carries_emotion(phrases):
    assert empathy(say(phrases, ("customer", "Let me speak to your supervisor."), FLAT))[0] == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=12), st.data())
def test_an_apology_more_never_lowers_empathy(rules, lines, data):
    before, _ = empathy(say(rules.phrases, *lines))
    agents = [i for i, (party, _) in enumerate(lines) if party == "agent"]
    if not agents:
        return
    at = data.draw(st.sampled_from(agents))
    lines[at] = ("agent", lines[at][1] + " I am so sorry.")
    after, _ = empathy(say(rules.phrases, *lines))
    assert isinstance(before, NotMeasured) == isinstance(after, NotMeasured)
    if not isinstance(before, NotMeasured):
        assert 0 <= before <= after <= 100


@pytest.mark.parametrize("text", ["I'm sorry, could you repeat that?", "I'm sorry but you are wrong"])
def test_sorry_as_a_turn_of_phrase_is_no_apology(phrases, text):
    assert phrases.find("apology", text) == []

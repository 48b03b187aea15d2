import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.measured import NotMeasured
from pipelines.language.embeddings import ENGLISH, MULTILINGUAL, embed
from pipelines.language.empathy import LEVELS, PHRASE_POINTS, empathy, grade, needs, parts_of, strengths
from pipelines.language.phrases import Phrases
from pipelines.language.said import say

ANGRY = ("customer", "This is ridiculous, my order never arrived.")
CALM = ("customer", "I would like to change my address.")
SORRY = ("agent", "I'm so sorry about that, I understand how frustrating this is.")
FLAT = ("agent", "What is your order number?")
COLD = ("agent", "There's nothing I can do.")
REPLIES = (
    "We have your back on this one.",
    "Could you read me the reference number?",
    "It's in the contract that you signed.",
    "That must have been such a shock for you.",
)


def points(phrases, *texts, language="en"):
    return grade(texts, [phrases.hear(t, language) for t in texts], language).points


def with_row(kind, phrase):
    return Phrases.from_rows([("here", "en", kind, phrase, 1.0)])


def test_an_emotional_turn_that_is_acknowledged_scores_high_and_leaves_its_evidence(phrases):
    score, events = empathy(say(phrases, ANGRY, SORRY))
    assert score > 60
    assert [(e.kind, e.party) for e in events] == [("empathy", "agent")]
    level, _, said = events[0].evidence.partition(": ")
    assert level in LEVELS[2:]
    assert said == SORRY[1]
    assert (events[0].start_s, events[0].end_s) == (5.0, 9.5)


def test_an_emotional_turn_that_is_passed_over_scores_low_without_an_event(phrases):
    score, events = empathy(say(phrases, ANGRY, FLAT, FLAT))
    assert score < 30
    assert events == []


def test_one_of_two_turns_answered_lies_halfway(phrases):
    high, _ = empathy(say(phrases, ANGRY, SORRY))
    low, _ = empathy(say(phrases, ANGRY, FLAT, FLAT))
    both, _ = empathy(say(phrases, ANGRY, SORRY, ANGRY, FLAT, FLAT))
    assert both == pytest.approx((high + low) / 2, abs=0.01)


def test_a_desperate_turn_weighs_more_than_a_problem_that_is_merely_told(phrases):
    told = ("customer", "The printer says that the tray is empty, but it isn't.")
    desperate = ("customer", "I'm so scared, I don't know how to feed my children this week.")
    talk = say(phrases, told, FLAT, desperate, SORRY)
    mild, _, strong, _ = strengths(talk)
    assert 0 < mild < strong
    assert empathy(talk)[0] > empathy(say(phrases, told, SORRY, desperate, FLAT))[0]


def test_the_second_utterance_may_still_answer_and_the_third_is_too_late(phrases):
    assert empathy(say(phrases, ANGRY, FLAT, SORRY))[0] == pytest.approx(
        empathy(say(phrases, ANGRY, SORRY))[0], abs=0.01
    )
    assert empathy(say(phrases, ANGRY, FLAT, FLAT, SORRY))[0] < 30


def test_a_dismissive_phrase_takes_25_points_and_leaves_its_evidence(phrases):
    before, _ = empathy(say(phrases, ANGRY, SORRY))
    score, events = empathy(say(phrases, ANGRY, SORRY, CALM, COLD))
    assert score == pytest.approx(before - 25, abs=0.01)
    assert [e.evidence for e in events if e.kind == "dismissive"] == ["There's nothing I can do."]


def test_a_robotic_phrase_takes_half_of_that(phrases):
    before, _ = empathy(say(phrases, ANGRY, SORRY, FLAT))
    robotic, _ = empathy(say(phrases, ANGRY, SORRY, FLAT, ("agent", "That is our policy.")))
    assert robotic == pytest.approx(before - 12.5, abs=0.01)


def test_without_an_emotional_turn_there_is_nothing_to_measure(phrases):
    score, events = empathy(say(phrases, CALM, FLAT, COLD))
    assert score == NotMeasured("no_event")
    assert [e.kind for e in events] == ["dismissive"]


def test_an_emotional_last_word_that_nobody_could_answer_does_not_count(phrases):
    assert empathy(say(phrases, CALM, FLAT, ANGRY))[0] == NotMeasured("no_event")


def test_asking_for_a_supervisor_carries_emotion(phrases):
    assert not isinstance(empathy(say(phrases, ("customer", "Let me speak to your supervisor."), FLAT))[0], NotMeasured)


@pytest.mark.parametrize(
    "turn",
    [
        "I found a lump and I'm afraid it's cancer.",
        "My brother died on Monday and I have to close his account.",
        "the washing machine has been leaking since last night",
        "I've been feeling so alone lately.",
    ],
)
def test_a_problem_an_illness_a_loss_or_a_fear_calls_for_an_answer(phrases, turn):
    assert not isinstance(empathy(say(phrases, ("customer", turn), FLAT))[0], NotMeasured)


@pytest.mark.parametrize("turn", ["Yes, that's right.", "It's four four one nine.", "What time do you close today?"])
def test_facts_and_plain_questions_call_for_none(turn):
    assert needs([turn], "en")[0] < 0.25


def test_replies_are_ordered_from_cold_to_strong(phrases):
    found = points(
        phrases,
        "That's really not my problem, you should have read the terms.",
        "Please hold while I open your file.",
        "Sorry about that.",
        "Waiting all day with a sick child, that must have been awful for you.",
    )
    assert list(found) == sorted(found)
    assert found[-1] > found[1] + 40


@pytest.mark.parametrize(
    ("warm", "dry"),
    [
        ("Missing your own graduation because of us, that's heartbreaking.", "Your new cap and gown ship on Monday."),
        ("How have you been coping with all of this?", "How would you like to pay?"),
        (
            "No wonder you couldn't sleep, anybody would be worried sick.",
            "Sorry, I didn't catch that, once more please.",
        ),
    ],
)
def test_empathy_without_its_usual_words_beats_procedure(phrases, warm, dry):
    high, low = points(phrases, warm, dry)
    assert high > low + 20


def test_procedure_after_it_does_not_undo_what_was_felt(phrases):
    felt = "That must have been terrifying for you and the children."
    short, long = points(phrases, felt, f"{felt} Please read me the number on your card. It expires in March, I think.")
    assert long >= short - 0.01


def test_a_phrase_of_the_centres_own_counts_at_least_as_a_weak_answer():
    reply = "Consider it walked on sunshine, friend."
    none = Phrases.from_rows([])
    own = with_row("empathy", "walked on sunshine")
    assert points(own, reply)[0] >= max(PHRASE_POINTS, points(none, reply)[0])


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(REPLIES), st.sampled_from(["empathy", "apology", "ownership"]))
def test_a_good_phrase_never_lowers_and_a_dismissive_one_never_raises(reply, kind):
    plain = points(Phrases.from_rows([]), reply)[0]
    assert points(with_row(kind, reply.rstrip("?.")), reply)[0] >= plain - 1e-6
    assert points(with_row("dismissive", reply.rstrip("?.")), reply)[0] <= plain + 1e-6


def test_vectors_that_the_caller_has_give_the_same(phrases):
    talk = say(phrases, ANGRY, FLAT, SORRY, CALM)
    vectors = {space: embed([s.text for s in talk], space) for space in (ENGLISH, MULTILINGUAL)}
    assert empathy(talk, "en", vectors)[0] == pytest.approx(empathy(talk)[0], abs=0.01)


def test_spanish_is_graded_too(phrases):
    asks = ("customer", "Llevo dos semanas sin luz y tengo un bebé enfermo.")
    warm = say(phrases, asks, ("agent", "Debe ser angustiante con un bebé enfermo, lo siento mucho."), language="es")
    dry = say(phrases, asks, ("agent", "¿Me da su número de contrato?"), language="es")
    assert empathy(warm, "es")[0] > empathy(dry, "es")[0] + 20


def test_a_language_without_vectors_is_graded_by_its_phrases():
    rows = [("1", "xx", "apology", "lo sinto", 1.0), ("2", "xx", "dismissive", "nada", 1.0)]
    heard = Phrases.from_rows(rows)
    assert list(points(heard, "lo sinto", "nada", "so", language="xx")) == [45.0, 0.0, 10.0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["one", "two", "end.", "what?", "no!"]), max_size=90))
def test_parts_hold_every_word_once_and_are_short(words):
    text = " ".join(words)
    parts = [text[begin:end].split() for begin, end in parts_of(text)]
    assert [w for part in parts for w in part] == words
    assert parts_of(text) == sorted(parts_of(text))


def test_nothing_said_is_nothing_graded():
    assert grade([], [], "en").points.shape == (0,)
    assert needs([], "en").shape == (0,)
    assert np.array_equal(strengths([], "en"), np.zeros(0))


@pytest.mark.parametrize("text", ["I'm sorry, could you repeat that?", "I'm sorry but you are wrong"])
def test_sorry_as_a_turn_of_phrase_is_no_apology(phrases, text):
    assert phrases.find("apology", text) == []

"""What words alone tell: the centre's phrases in their context, the general vocabulary, marks of the surface."""

import csv
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.language.lexicon import N_MARKS, SURFACE, lexicon, marks, surface, valence_of
from pipelines.language.phrases import plain_words

WORDS = ["not", "very", "never", "terrible", "great", "thanks", "but", "the card", "perfect!", "hate?", "no", "problem"]


def of(phrases, text: str, *, written: bool = False) -> float:
    return lexicon(text, phrases.hear(text, "en"), written=written)[0]


def numbers(phrases, text: str, language: str = "en") -> dict[str, float]:
    return dict(zip(SURFACE, surface([text], [phrases.hear(text, language)], language)[0], strict=True))


def test_one_word_of_valence_minus_3_is_minus_0_7276(phrases):
    assert of(phrases, "it was terrible") == pytest.approx(-3 / (9 + 8) ** 0.5)


def test_a_text_in_which_nothing_stands_is_0_with_low_confidence(phrases):
    assert lexicon("my order number is seven", phrases.hear("my order number is seven")) == (0.0, 0.2)


def test_negation_turns_good_and_softens_bad(phrases):
    assert of(phrases, "this is good") > 0 > of(phrases, "this is not good")
    assert of(phrases, "I am angry") < 0 < of(phrases, "I am not angry")
    assert abs(of(phrases, "I am not angry")) < abs(of(phrases, "I am angry"))


def test_negation_does_not_reach_over_a_clause(phrases):
    assert of(phrases, "no, this is good") == of(phrases, "this is good")


def test_degree_words_strengthen_and_soften(phrases):
    assert of(phrases, "extremely rude") < of(phrases, "rude") < of(phrases, "a bit rude") < 0


def test_what_follows_but_outweighs_what_came_before(phrases):
    assert of(phrases, "the delivery was slow but the driver was friendly") > 0
    assert of(phrases, "the driver was friendly but the delivery was slow") < 0


def test_capitals_and_exclamation_marks_count_in_written_text_only(phrases):
    assert of(phrases, "this is TERRIBLE!!!", written=True) < of(phrases, "this is terrible", written=True)
    assert of(phrases, "this is TERRIBLE!!!") == of(phrases, "this is terrible")


def test_a_question_after_the_problem_is_softer_than_a_statement(phrases):
    assert of(phrases, "it is broken") < of(phrases, "is it broken?") < 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30), st.booleans())
def test_sentiment_and_confidence_stay_in_range(rules, words, written):
    text = " ".join(words)
    sentiment, confidence = lexicon(text, rules.phrases.hear(text, "en"), written=written)
    assert -1 <= sentiment <= 1
    assert 0 <= confidence <= 1


def test_the_general_vocabulary_knows_stems_whole_words_and_emoji():
    assert valence_of("disappointing", "en") == valence_of("disappointed", "en") == -2
    assert valence_of("liked", "en") > 0 == valence_of("like", "en")
    assert valence_of("🤬", "de") == -3
    assert valence_of("pesimo", "es") < 0 == valence_of("pesimo", "en")


def test_each_word_of_the_vocabulary_is_written_as_words_are_compared_and_has_a_valence():
    with (files("pipelines.language") / "vocabulary" / "valence.csv").open("r", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({(r["language"], r["word"]) for r in rows}) == len(rows)
    for row in rows:
        assert int(row["valence"]) in (-3, -2, -1, 1, 2, 3)
        word = row["word"].removesuffix("*") if len(row["word"]) > 1 else row["word"]
        assert plain_words(word, "es")[:1] == [word], row  # Spanish: no English contractions are opened


def test_valences_of_a_worked_example(phrases):
    found = numbers(phrases, "The clerk was friendly. But the room was dirty!")
    assert (found["valence_positive"], found["valence_negative"]) == (2, 1)
    assert found["valence"] == pytest.approx(1 / 9**0.5)
    assert found["valence_before_contrast"] == pytest.approx(2 / 12**0.5)
    assert found["valence_after_contrast"] == found["valence_last_sentence"] == pytest.approx(-1 / 9**0.5)
    assert (found["exclaims"], found["shouts"], found["asks"]) == (1, 0, 0)


def test_a_negated_word_is_told_apart_from_its_opposite(phrases):
    found = numbers(phrases, "not helpful")
    assert found["negated_positive"] == 2
    assert found["valence_negative"] == pytest.approx(0.75 * 2)
    assert found["valence_positive"] == 0


def test_having_waited_so_long_is_told_and_being_asked_to_wait_is_not(phrases):
    assert numbers(phrases, "I've been on hold for two hours")["waits"] == 1
    assert numbers(phrases, "llevo dos horas esperando", "es")["waits"] == 1
    assert numbers(phrases, "please hold for two minutes")["waits"] == 0
    assert numbers(phrases, "still not here, again")["again"] == 2


def test_marks_need_no_words():
    assert marks(["WHAT?!!!!!", ""]).tolist() == [[3, 1, 1], [0, 0, 0]]
    assert marks([]).shape == (0, N_MARKS)


def test_no_text_gives_no_row():
    assert surface([], [], "en").shape == (0, len(SURFACE))

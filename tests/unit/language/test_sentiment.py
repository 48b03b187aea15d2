import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.language import SENTIMENTS
from pipelines.contracts.transcripts import UTTERANCES
from pipelines.language.said import Said
from pipelines.language.sentiment import SENTIMENT_VERSION, judge, sentiments

WORDS = ["not", "very", "never", "terrible", "great", "thanks", "but", "the card", "perfect!", "hate?", "no", "problem"]


def said(phrases, text: str, *, written: bool = False, confidence: float | None = None) -> Said:
    result = Said(0, "customer", text, phrases.hear(text, "en"), len(text.split()), written=written)
    result.asr_confidence = confidence
    judge(result)
    return result


def of(phrases, text: str, **more) -> float:
    return said(phrases, text, **more).sentiment


@pytest.mark.parametrize(
    "text",
    [
        "That's great news. Thanks for fixing it so quickly!",
        "You have been very helpful, I appreciate it",
        "This is excellent service",
        "no problem",
    ],
)
def test_satisfied_words_are_positive(phrases, text):
    assert of(phrases, text) > 0.2


@pytest.mark.parametrize(
    "text",
    [
        "My order is still missing and I've been waiting for two weeks.",
        "I'm not happy with this at all.",
        "This is ridiculous, the agent hung up on me",
        "dont like it, never arrived",
        "Thank you for nothing",
    ],
)
def test_angry_words_are_negative(phrases, text):
    assert of(phrases, text) < -0.3


def test_one_word_of_valence_minus_3_is_minus_0_7276(phrases):
    assert of(phrases, "it was terrible") == pytest.approx(-3 / (9 + 8) ** 0.5, abs=1e-4)


def test_a_text_without_sentiment_is_0_with_low_confidence(phrases):
    neutral = said(phrases, "my order number is seven two nine")
    assert neutral.sentiment == 0
    assert neutral.sentiment_confidence <= 0.2


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


def test_uncertain_words_lower_the_confidence_not_the_sentiment(phrases):
    sure, unsure = (said(phrases, "this is awful", confidence=c) for c in (1.0, 0.5))
    assert unsure.sentiment == sure.sentiment
    assert unsure.sentiment_confidence == pytest.approx(sure.sentiment_confidence / 2, abs=1e-3)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30), st.booleans())
def test_sentiment_and_confidence_stay_in_range(rules, words, written):
    result = said(rules.phrases, " ".join(words), written=written)
    assert -1 <= result.sentiment <= 1
    assert 0 <= result.sentiment_confidence <= 1


def test_the_frame_has_a_row_for_each_utterance_of_a_known_party_in_a_known_language(phrases):
    row = {"interaction_id": "c1", "n_words": 3, "language": "en", "source": "recognition"}
    frame = UTTERANCES.frame(
        [
            row | {"utterance": 0, "party": "agent", "text": "that is great"},
            row | {"utterance": 1, "party": None, "text": "that is awful"},
            row | {"utterance": 2, "party": "customer", "text": "c'est terrible", "language": "fr"},
            row | {"utterance": 3, "party": "customer", "text": "...", "n_words": 0},
            row | {"utterance": 4, "party": "customer", "text": "this is awful", "language": None},
        ]
    )
    result = sentiments(frame, phrases)
    assert result.schema == SENTIMENTS.schema
    assert result["utterance"].to_list() == [0, 4]
    assert result["sentiment"][0] > 0 > result["sentiment"][1]
    assert result["extractor_version"].unique().to_list() == [SENTIMENT_VERSION]
    assert sentiments(frame.filter(pl.lit(False)), phrases).schema == SENTIMENTS.schema

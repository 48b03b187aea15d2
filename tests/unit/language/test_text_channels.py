from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.measured import NotMeasured
from pipelines.language.said import say
from pipelines.language.text_channels import first_response_s, readability, syllables

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def chat(phrases, *lines):
    talk = say(phrases, *((party, "hello") for party, _ in lines))
    for said, (_, after_s) in zip(talk, lines, strict=True):
        said.sent_at = None if after_s is None else NOON + timedelta(seconds=after_s)
    return talk


def test_the_first_response_counts_from_the_customers_first_message(phrases):
    assert first_response_s(chat(phrases, ("agent", 0), ("customer", 10), ("customer", 20), ("agent", 55))) == 45


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([("agent", 0)], "no_customer_speech"),
        ([("customer", 0)], "no_agent_speech"),
        ([("customer", None), ("agent", None)], "no_times"),
        ([("agent", 0), ("customer", 5)], "no_event"),
    ],
)
def test_without_a_first_response_there_is_a_reason(phrases, lines, reason):
    assert first_response_s(chat(phrases, *lines)) == NotMeasured(reason)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("the", 1),
        ("make", 1),
        ("table", 2),
        ("called", 1),
        ("wanted", 2),
        ("apologize", 4),
        ("refund", 2),
        ("going", 2),
    ],
)
def test_syllables(word, expected):
    assert syllables(word) == expected


def test_twelve_short_words_in_two_sentences_are_very_easy():
    # 206.835 - 1.015 * 12/2 - 84.6 * 12/12 = 116.1, cut to 100
    assert readability(["The cat sat on the mat.", "The dog sat on the rug."]) == 100


def test_a_known_text_has_its_known_ease():
    # 10 words, 1 sentence, 17 syllables
    text = "Regarding your invoice the amount will all be refunded today."
    assert sum(map(syllables, text.rstrip(".").split())) == 17
    assert readability([text]) == pytest.approx(206.835 - 1.015 * 10 - 84.6 * 1.7)


def test_redaction_marks_are_no_words_and_few_words_tell_nothing():
    assert readability(["Your card [card] is fine."]) == NotMeasured("no_event")


@given(st.lists(st.text(alphabet="abc xyz.?!'\n", max_size=80), max_size=5))
def test_readability_is_0_to_100(texts):
    value = readability(texts)
    assert isinstance(value, NotMeasured) or 0 <= value <= 100

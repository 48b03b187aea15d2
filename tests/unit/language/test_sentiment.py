import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.language import SENTIMENTS
from pipelines.language.embeddings import ENGLISH, MULTILINGUAL, embed
from pipelines.language.lexicon import lexicon
from pipelines.language.phrases import Heard
from pipelines.language.said import Said
from pipelines.language.sentiment import (
    GRADES,
    LONGEST_WORDS,
    PART_WORDS,
    SENTIMENT_VERSION,
    WEAKEST,
    judge,
    parts_of,
    plain_text,
    polarity,
    sentiment_frame,
    word_sentiments,
)


def of(phrases, *texts: str, language: str = "en", **more) -> np.ndarray:
    return word_sentiments(texts, [phrases.hear(t, language) for t in texts], language, **more).sentiment


SATISFIED = [
    "That's great news. Thanks for fixing it so quickly!",
    "You have been very helpful, I appreciate it",
    "not bad at all",
    "thanks",
    "I was dreading this call but you've been wonderful",
    "okay that's perfect thank you so much",
]
UPSET = [
    "My order is still missing and I've been waiting for two weeks.",
    "I'm not happy with this at all.",
    "wasn't helpful",
    "I've been on hold for two hours",
    "third time i'm calling about this",
    "still no refund",
    "my flight got cancelled and nobody tells us anything",
    "Thank you for nothing",
    "This is ridiculous, the agent hung up on me",
]
NEUTRAL = [
    "how do I report a lost card",
    "cancel my subscription please",
    "no that's all",
    "what is the penalty for early termination?",
    "my order number is seven two nine",
    "I need to change my reservation from Monday to Wednesday",
    "okay i'll hold",
    "no nobody was hurt",
]


def test_satisfied_words_are_positive(phrases):
    assert (of(phrases, *SATISFIED) >= WEAKEST).all()


def test_upset_words_are_negative_even_where_no_word_is_bad(phrases):
    assert (of(phrases, *UPSET) <= -WEAKEST).all()


def test_requests_and_questions_are_0_whatever_words_they_use(phrases):
    assert of(phrases, *NEUTRAL).tolist() == [0] * len(NEUTRAL)


def test_stronger_words_are_further_out(phrases):
    mild, strong = of(phrases, "I'm a bit disappointed", "You are the worst company on earth, I am furious!")
    assert strong < mild < 0
    mild, strong = of(phrases, "ok thanks", "You have been absolutely amazing, thank you so so much!!")
    assert strong > mild > 0


def test_recognised_speech_needs_no_punctuation(phrases):
    spoken = of(
        phrases, "yeah so i called last week and they told me it was fixed and it's still broken i'm so tired of this"
    )
    assert spoken[0] <= -WEAKEST


def test_spanish_is_judged_as_english_is(phrases):
    upset, pleased, asks = of(
        phrases,
        "llevo dos horas esperando y nadie me ayuda",
        "muchas gracias, ha sido usted muy amable",
        "¿cómo puedo cambiar mi dirección?",
        language="es",
    )
    assert upset <= -WEAKEST
    assert pleased >= WEAKEST
    assert asks == 0


def test_a_language_without_phrases_is_judged_by_its_vector(phrases):
    nothing_heard = Heard([], [], [], [], {})
    texts = [
        "Ich warte seit zwei Stunden und niemand hilft mir",
        "Vielen Dank, sehr freundlich",
        "Wie ändere ich meine Adresse?",
    ]
    upset, pleased, asks = word_sentiments(texts, [nothing_heard] * 3, "de").sentiment
    assert upset <= -WEAKEST
    assert pleased >= WEAKEST
    assert asks == 0


def test_a_language_without_vectors_is_left_to_the_phrases_alone(phrases):
    text = "this is terrible"
    heard = phrases.hear(text, "en")
    found = word_sentiments([text], [heard], "xx")
    value, confidence = lexicon(text, heard)
    assert (found.sentiment[0], found.confidence[0]) == pytest.approx((value, confidence), abs=1e-4)


@pytest.mark.parametrize("text", ["", "   ", "12345", "[card] [number]", "...", "4 - 7 %", "[name]"])
def test_a_text_without_words_is_0_with_low_confidence(phrases, text):
    found = word_sentiments([text], [phrases.hear(text, "en")], "en")
    assert found.sentiment.tolist() == [0]
    assert found.confidence.tolist() == [0.1]


def test_no_text_gives_no_sentiment():
    found = word_sentiments([], [], "en")
    assert found.sentiment.shape == found.confidence.shape == (0,)


def test_uncertain_words_lower_the_confidence_not_the_sentiment(phrases):
    text = "this is awful"
    heard = phrases.hear(text, "en")
    sure, unsure = (word_sentiments([text], [heard], "en", asr_confidences=[c]) for c in (None, 0.5))
    assert unsure.sentiment == sure.sentiment
    assert unsure.confidence[0] == pytest.approx(sure.confidence[0] / 2, abs=1e-4)


def test_vectors_that_the_caller_has_are_used_and_change_nothing(phrases):
    texts = ["thank you so much", "this is a disgrace", "what is my balance"]
    vectors = {space: embed(texts, space) for space in (ENGLISH, MULTILINGUAL)}
    assert of(phrases, *texts, vectors=vectors).tolist() == of(phrases, *texts).tolist()
    swapped = {space: found[[1, 0, 2]] for space, found in vectors.items()}
    assert of(phrases, *texts, vectors=swapped).tolist() != of(phrases, *texts).tolist()


def test_which_texts_come_along_does_not_matter(phrases):
    alone = of(phrases, UPSET[0])[0]
    assert of(phrases, *NEUTRAL, UPSET[0], *SATISFIED)[len(NEUTRAL)] == pytest.approx(alone, abs=1e-3)


def test_whose_name_is_called_does_not_matter(phrases):
    one, other = of(phrases, "@skylarkair where is my bag? https://example.com/x", "@some_bank where is my bag?")
    assert one == pytest.approx(other, abs=1e-3)
    assert (
        plain_text("@a_b why?? #NeverAgain www.x.org &amp; #late_again") == "@company why?? Never Again   & late again"
    )
    assert plain_text("mail me at me@example.com, flat #4") == "mail me at me@example.com, flat #4"


FILLER = "I placed the order on the third of March through your web site and chose delivery to the shop in Mill Lane."


def test_one_outcry_in_a_long_neutral_letter_is_not_drowned(phrases):
    neutral = " ".join([FILLER] * 5)
    outcry = f"{FILLER} {FILLER} This is an absolute disgrace and I am furious! {FILLER} {FILLER}"
    assert of(phrases, neutral).tolist() == [0]
    assert of(phrases, outcry)[0] <= -WEAKEST


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["a", "bc", "stop.", "why?", "so!", "\n", "  "]), max_size=300))
def test_parts_hold_every_word_once_and_none_is_too_long(words):
    text = " ".join(words)
    parts = [text[begin:end].split() for begin, end in parts_of(text)]
    assert [w for part in parts for w in part] == text.split()
    assert all(len(part) <= (PART_WORDS if len(parts) > 1 else LONGEST_WORDS) for part in parts)


def test_a_name_that_sounds_like_praise_praises_nobody(phrases):
    praised, plain = of(phrases, "@great_awesome_love what are your opening hours", "@bank what are your opening hours")
    assert praised == plain == 0


def test_half_of_a_problem_that_is_merely_told_is_negative():
    told = np.eye(len(GRADES))[GRADES.index("problem")]
    assert polarity(told[None]).tolist() == [[0.5, 0.5, 0]]
    assert polarity(np.eye(len(GRADES))).sum(axis=1).tolist() == [1] * len(GRADES)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_any_text_has_a_sentiment_in_range(rules, texts):
    found = word_sentiments(texts, [rules.phrases.hear(t, "en") for t in texts], "en")
    assert (np.abs(found.sentiment) <= 1).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert ((found.sentiment == 0) | (np.abs(found.sentiment) >= WEAKEST)).all()


def test_judging_a_talk_sets_words_and_sentiment_alike(phrases):
    texts = ["this is a disgrace", "how can I help you", "[card]"]
    talk = [Said(i, "customer", t, phrases.hear(t, "en"), len(t.split())) for i, t in enumerate(texts)]
    talk[0].asr_confidence = 0.5
    judge(talk)
    assert [s.sentiment for s in talk] == [s.word_sentiment for s in talk] == of(phrases, *texts).tolist()
    assert talk[0].sentiment_confidence < 0.5
    judge([])


def test_the_frame_has_the_columns_of_the_contract():
    frame = sentiment_frame([("c1", 0, "agent", 0.5, 0.9, 0.4, 1.2, 1), ("c1", 1, "customer", 0.0, 0.3, 0.0, None, 4)])
    assert frame.schema == SENTIMENTS.schema
    assert frame["activation"].to_list() == [1.2, None]
    assert frame["extractor_version"].unique().to_list() == [SENTIMENT_VERSION]
    assert sentiment_frame([]).schema == SENTIMENTS.schema
    assert isinstance(frame, pl.DataFrame)

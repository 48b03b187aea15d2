"""Sentiment of what was said: a small trained head over sentence vectors, with the words' own valences beside them.

The vector tells what a sentence means ("I've been on hold for two hours" holds no bad word), the words and marks of
its surface tell how it is put. The head names one of six grades, from very negative to very positive; it was trained
on sentences written for it (`data/training`). A problem that is merely told ("my card was declined") is a grade of its
own, half neutral and half negative: one more hint of displeasure decides. Where a language has no vectors, the
centre's phrases speak alone. One utterance says little: aggregate, and mind the confidence.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.contracts.language import SENTIMENTS
from pipelines.language.embeddings import ENGLISH, MULTILINGUAL, embed, space_of
from pipelines.language.head import Head
from pipelines.language.lexicon import lexicon, marks, surface
from pipelines.language.phrases import Heard
from pipelines.language.said import Said

SENTIMENT_VERSION = "head-1"
GRADES = ("very negative", "negative", "problem", "neutral", "positive", "very positive")
HEAD, PLAIN_HEAD = "sentiment", "sentiment_plain"
# English has both vectors, side by side: they err on different sentences.
BOTH = f"{ENGLISH}+{MULTILINGUAL}"
# The languages with sentences to train on and a general vocabulary, and their head's space.
SPACES = {"en": BOTH, "es": MULTILINGUAL}

# Readers don't agree whether a problem that is merely told is negative; half of its probability counts as such.
PROBLEM_IS_NEGATIVE = 0.5
# What is judged neutral is 0, what isn't begins at ±0.35: the two are told apart by whatever threshold between them a
# reader chooses (VADER's authors: 0.05).
WEAKEST = 0.35
# Near a third each, nothing was recognised: neutral.
_LEAST_PROBABILITY = 0.45
_BY_MARGIN = 0.15
_BY_STRENGTH = 0.5
# Nothing to judge: no letters, only digits, or only redaction marks.
_NOTHING_CONFIDENCE = 0.1
# The vectors cut a text off after about 70 words; longer ones are judged in parts.
LONGEST_WORDS = 60
PART_WORDS = 40
# Of a part's weight per word, so much doesn't depend on how much feeling it shows.
_NEUTRAL_PART_WEIGHT = 0.2

_WORD = re.compile(r"\S+")
_TELLING = re.compile(r"[^\W\d_]|[\u2600-\u27BF\U0001F300-\U0001FAFF]|[:;=]-?[()D]|<3")
ANY_COMPANY = "@company"
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_HANDLE = re.compile(r"(?<!\w)@\w+")
_HASHTAG = re.compile(r"#(\w*[^\W\d]\w*)")
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MARK = re.compile(r"\[[a-z][a-z _-]*\]", re.IGNORECASE)


class Judged(NamedTuple):
    """`sentiment` (-1 … 1) and `confidence` (0 … 1) of each text."""

    sentiment: np.ndarray
    confidence: np.ndarray


def word_sentiments(
    texts: Sequence[str],
    heards: Sequence[Heard],
    language: str,
    *,
    written: Sequence[bool] | None = None,
    asr_confidences: Sequence[float | None] | None = None,
    vectors: Mapping[str, np.ndarray] | None = None,
) -> Judged:
    """Sentiment of texts of one language (primary part: "en"), and how sure: the probability of what was named, as
    calibrated on sentences that were held out, times the recogniser's confidence.

    A text judged neutral is 0, any other lies at ±0.35 or beyond, growing with its strength. A text without
    words is 0 with confidence 0.1. `heards`: what `Phrases.hear` found. In a language other than English and Spanish
    the vector decides alone, and the centre's phrases where it finds nothing; where there are no vectors, the phrases
    (`written`: capitals and "!" count). `vectors`: those of the texts by space, where the caller has them already.
    """
    certainty = np.array([1.0 if c is None else c for c in asr_confidences or [None] * len(texts)], float)
    sentiment = np.zeros(len(texts))
    confidence = np.full(len(texts), _NOTHING_CONFIDENCE)
    telling = [i for i, text in enumerate(texts) if _TELLING.search(_MARK.sub(" ", text))]
    if telling and space_of(language):
        given = {space: found[telling] for space, found in (vectors or {}).items()}
        found = _grades([texts[i] for i in telling], [heards[i] for i in telling], language, given)
        sentiment[telling], confidence[telling] = on_the_scale(found)
    if language not in SPACES:
        for i in telling:
            if not sentiment[i]:
                by_phrases = lexicon(texts[i], heards[i], written=written is not None and bool(written[i]))
                if by_phrases[0] or space_of(language) is None:
                    sentiment[i], confidence[i] = by_phrases
    return Judged(np.round(sentiment, 4) + 0.0, np.round(confidence * certainty, 4))  # + 0.0: no -0


def judge(talk: Sequence[Said], language: str = "en") -> None:
    """Set `word_sentiment`, `sentiment` (the same, until the tone is added) and `sentiment_confidence` of utterances
    of one language, in one batch."""
    found = word_sentiments(
        [s.text for s in talk],
        [s.heard for s in talk],
        language,
        written=[s.written for s in talk],
        asr_confidences=[s.asr_confidence for s in talk],
    )
    for said, sentiment, confidence in zip(talk, found.sentiment, found.confidence, strict=True):
        said.word_sentiment = said.sentiment = float(sentiment)
        said.sentiment_confidence = float(confidence)


def sentiment_frame(rows: list[tuple]) -> pl.DataFrame:
    """Tuples of `language/sentiments`' columns but the version, in their order, as a frame."""
    columns = [c for c in SENTIMENTS.schema if c != "extractor_version"]
    frame = pl.DataFrame(rows, schema={c: SENTIMENTS.schema[c] for c in columns}, orient="row")
    return SENTIMENTS.conform(frame.with_columns(extractor_version=pl.lit(SENTIMENT_VERSION)))


def head_inputs(
    texts: Sequence[str],
    heards: Sequence[Heard],
    language: str,
    space: str,
    vectors: Mapping[str, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(vectors, surface numbers) that the head "sentiment" of a space is given; `space` may join two by "+"."""
    own = [_own_words(text, heard) for text, heard in zip(texts, heards, strict=True)]
    return vectors_of(texts, space, vectors), surface(texts, own, language)


def vectors_of(texts: Sequence[str], space: str, given: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """(n_texts, n_dimensions) of the texts as `plain_text` leaves them; `given` vectors by space are used where it
    leaves all of them as they are."""
    plain = [plain_text(text) for text in texts]
    given = given if given and plain == list(texts) else {}
    return np.concatenate([given[s] if s in given else embed(plain, s) for s in space.split("+")], axis=1)


def plain_text(text: str) -> str:
    """A text without what only looks like words: links go, a "@name" is any company, "#NeverAgain" is its words."""
    if "&" in text:
        text = html.unescape(text)
    if "http" in text or "www." in text:
        text = _LINK.sub(" ", text)
    if "@" in text:
        text = _HANDLE.sub(ANY_COMPANY, text)
    if "#" in text:
        text = _HASHTAG.sub(lambda m: _INNER_CAPITAL.sub(" ", m.group(1).replace("_", " ")), text)
    return text.strip()


def _grades(texts: list[str], heards: list[Heard], language: str, vectors: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n, 6) probabilities of the grades; a long text's are those of its parts, the more feeling the more weight."""
    found = _grades_of_short(texts, heards, language, vectors)
    for i, (text, heard) in enumerate(zip(texts, heards, strict=True)):
        spans = parts_of(text)
        if len(spans) > 1:
            parts = [text[begin:end] for begin, end in spans]
            of_parts = _grades_of_short(parts, [heard.between(*span) for span in spans], language, {})
            weight = np.array([len(p.split()) for p in parts]) * (_NEUTRAL_PART_WEIGHT + 1 - polarity(of_parts)[:, 1])
            found[i] = weight @ of_parts / weight.sum()
    return found


def _grades_of_short(
    texts: list[str], heards: list[Heard], language: str, vectors: Mapping[str, np.ndarray]
) -> np.ndarray:
    if language not in SPACES:
        # "!" was learnt as joy from English and Spanish; with vectors of other languages it outshouted the words.
        texts = [text.replace("!", ".") for text in texts]
    space = SPACES.get(language)
    if space is None:
        return Head.load(PLAIN_HEAD, MULTILINGUAL).probabilities(vectors_of(texts, MULTILINGUAL, vectors), marks(texts))
    return Head.load(HEAD, space).probabilities(*head_inputs(texts, heards, language, space, vectors))


def on_the_scale(grades: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sentiment, probability of what was named) of (n, 6) probabilities of the grades."""
    three = polarity(grades)
    named = np.where(three.max(axis=1) < _LEAST_PROBABILITY, 1, three.argmax(axis=1))
    ordered = np.sort(three, axis=1)
    margin = ordered[:, 2] - ordered[:, 1]
    very = np.where(named == 0, grades[:, 0], grades[:, -1]) / np.maximum(ordered[:, 2], 1e-12)
    size = WEAKEST + _BY_MARGIN * margin + _BY_STRENGTH * very
    return (named - 1) * size, np.take_along_axis(three, named[:, None], axis=1)[:, 0]


def polarity(grades: np.ndarray) -> np.ndarray:
    """(n, 3) probabilities of negative, neutral, positive of (n, 6) probabilities of the grades."""
    very_negative, negative, problem, neutral, positive, very_positive = grades.T
    half = PROBLEM_IS_NEGATIVE * problem
    return np.stack([very_negative + negative + half, neutral + problem - half, positive + very_positive], axis=1)


def parts_of(text: str) -> list[tuple[int, int]]:
    """(first, after last) character of each part of a text: the whole of it up to 60 words, else parts of 40 words
    at most, cut where a sentence ends if one does in the part's second half."""
    words = list(_WORD.finditer(text))
    if len(words) <= LONGEST_WORDS:
        return [(0, len(text))]
    spans: list[tuple[int, int]] = []
    first = 0
    for i, word in enumerate(words, 1):
        full = i - first == PART_WORDS
        ends = word.group().endswith((".", "!", "?")) and i - first >= PART_WORDS / 2
        if full or ends or i == len(words):
            spans.append((words[first].start(), word.end()))
            first = i
    return spans


def _own_words(text: str, heard: Heard) -> Heard:
    """What was heard without the words inside links and "@names": "@great_bank" praises nobody."""
    if "@" not in text and "http" not in text and "www." not in text:
        return heard
    foreign = [match.span() for pattern in (_LINK, _HANDLE) for match in pattern.finditer(text)]
    return heard.only([i for i, s in enumerate(heard.starts) if not any(b <= s < e for b, e in foreign)])

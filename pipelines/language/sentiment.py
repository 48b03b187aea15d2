"""Sentiment of each utterance, from the centre's own lexicon.

The form follows Hutto & Gilbert 2014 (VADER): valences, negation, degree words, capitals and exclamation marks, a sum
normalised to -1 … 1. Lexicon and constants are ours. One utterance says little: aggregate, and mind the confidence.
"""

from __future__ import annotations

import math
import re

import polars as pl

from pipelines.contracts.language import SENTIMENTS
from pipelines.language.phrases import Hit, Phrases, is_negated
from pipelines.language.said import Said

SENTIMENT_VERSION = "lexicon-1"

# s / sqrt(s² + 8): a single word of valence 1, 2, 3 gives .33, .58, .73.
_NORMALISATION = 8.0
_NEGATED_POSITIVE = -0.75
_NEGATED_NEGATIVE = -0.4
_BEFORE_CONTRAST = 0.6
_AFTER_CONTRAST = 1.2
_IN_QUESTION = 0.6
_CAPITALS = 1.25
_EXCLAMATION = 0.1
_MOST_EXCLAMATIONS = 3
_INTENSIFIER_REACH_WORDS = 2
_NEUTRAL_CONFIDENCE = 0.2
_CAPITAL_WORD = re.compile(r"[A-Z]{3,}")


def sentiments(utterances: pl.DataFrame, phrases: Phrases) -> pl.DataFrame:
    """`language/sentiments` of a frame of `transcripts/utterances`.

    Utterances without a party, without words, or in a language without phrases have no row: what can't be measured
    is missing, not neutral. A text in which nothing of the lexicon stands is 0 with confidence 0.2 at most.
    """
    rows = []
    for row in utterances.select(
        "interaction_id", "utterance", "party", "text", "n_words", "confidence", "language", "source"
    ).iter_rows(named=True):
        if row["party"] is None or not phrases.supports(row["language"]):
            continue
        heard = phrases.hear(row["text"], row["language"])
        if not heard.words:
            continue
        said = Said(
            row["utterance"],
            row["party"],
            row["text"],
            heard,
            row["n_words"],
            written=row["source"] == "message",
            asr_confidence=row["confidence"],
        )
        judge(said)
        rows.append((row["interaction_id"], row["utterance"], row["party"], said.sentiment, said.sentiment_confidence))
    return sentiment_frame(rows)


def sentiment_frame(rows: list[tuple[str, int, str, float, float]]) -> pl.DataFrame:
    """(interaction_id, utterance, party, sentiment, confidence) as a frame of `language/sentiments`."""
    columns = [c for c in SENTIMENTS.schema if c != "extractor_version"]
    frame = pl.DataFrame(rows, schema={c: SENTIMENTS.schema[c] for c in columns}, orient="row")
    return SENTIMENTS.conform(frame.with_columns(extractor_version=pl.lit(SENTIMENT_VERSION)))


def judge(said: Said) -> None:
    """Set `sentiment` (-1 … 1) and `sentiment_confidence` (0 … 1) of an utterance."""
    heard = said.heard
    hits = heard.of("positive", "negative")
    certainty = 1.0 if said.asr_confidence is None else said.asr_confidence
    if not hits:
        said.sentiment, said.sentiment_confidence = 0.0, _NEUTRAL_CONFIDENCE * certainty
        return
    total, mass = _valence(said, hits)
    if said.written:
        total *= 1 + _EXCLAMATION * min(said.text.count("!"), _MOST_EXCLAMATIONS)
    said.sentiment = round(total / math.sqrt(total * total + _NORMALISATION), 4)
    agreement = abs(total) / mass if mass else 0.0
    evidence = 1 - math.exp(-mass / 2)
    confidence = _NEUTRAL_CONFIDENCE + (0.9 - _NEUTRAL_CONFIDENCE) * evidence * min(agreement, 1.0)
    said.sentiment_confidence = round(confidence * certainty, 4)


def _valence(said: Said, hits: list[Hit]) -> tuple[float, float]:
    """Sum of the valences in their context, and the sum of their sizes."""
    heard = said.heard
    negator_ends = {h.word_end for h in heard.of("negator")}
    strength = {h.word_end: h.weight for h in heard.of("intensifier")}
    contrasts = [h.word for h in heard.of("contrast")]
    question = said.text.rstrip().endswith("?")
    shouted = said.written and not said.text.isupper() and _CAPITAL_WORD.search(said.text) is not None
    all_shouted = said.written and said.text.isupper() and len(heard.words) >= 3
    total = mass = 0.0
    for hit in hits:
        value = hit.weight
        at = hit.word
        for back in range(_INTENSIFIER_REACH_WORDS):
            here = at - back
            if here <= 0 or heard.breaks[here]:
                break
            if here in strength:
                value *= strength[here]
                break
        if all_shouted or (shouted and said.words_of(hit).isupper()):
            value *= _CAPITALS
        if negator_ends and is_negated(at, negator_ends, heard.breaks):
            value *= _NEGATED_POSITIVE if value > 0 else _NEGATED_NEGATIVE
        if contrasts:
            value *= _AFTER_CONTRAST if at > contrasts[-1] else _BEFORE_CONTRAST
        if question:
            value *= _IN_QUESTION
        total += value
        mass += abs(value)
    return total, mass

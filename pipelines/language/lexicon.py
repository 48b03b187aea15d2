"""What single words tell of sentiment: the centre's own phrases, and a general vocabulary with valences.

The phrases (seed `phrases.csv`) speak alone where a language has no vectors. Their form follows Hutto & Gilbert 2014
(VADER): valences, negation, degree words, capitals and exclamation marks, a sum normalised to -1 … 1; words and
constants are ours. The general vocabulary (`vocabulary/valence.csv`, -3 … 3, "*" ends a stem) is one of the inputs
of the trained head.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import numpy as np

from pipelines.language.phrases import Heard, Hit, is_negated

# Counts of phrases of the centre's own seed.
_COUNTED = (
    "positive",
    "negative",
    "negator",
    "profanity",
    "escalation",
    "apology",
    "dismissive",
    "resolution_negative",
    "resolution_positive",
    "repetition",
)
_VALENCES = (
    "valence",
    "valence_positive",
    "valence_negative",
    "valence_highest",
    "valence_lowest",
    "valence_before_contrast",
    "valence_after_contrast",
    "valence_last_sentence",
    "negated_positive",
    "negated_negative",
)
_TIMES = ("waits", "again")
_MARKS = ("exclaims", "shouts", "asks")
SURFACE = ("lexicon", *_COUNTED, "log_words", *_VALENCES, *_TIMES, *_MARKS)
N_MARKS = len(_MARKS)

# "I've been on hold for two hours" holds no bad word, and its vector lies near that of "please hold for two minutes":
# that somebody waited, with a length of time beside it, is told to the head. So is what happens again.
_WAITED = {
    "en": frozenset(("been", "waited", "waiting", "sat", "sitting", "standing", "stuck", "kept", "spent", "since")),
    "es": frozenset(("esperando", "espere", "esperamos", "sigo", "llevo", "llevamos", "desde", "tenido")),
}
_WHERE = {
    "en": frozenset(("waited", "waiting", "hold", "phone", "line", "queue", "chat", "here", "still", "since", "wait")),
    "es": frozenset(("esperando", "espere", "esperamos", "sigo", "llevo", "llevamos", "desde", "linea", "cola")),
}
_LONG = {
    "en": frozenset(w + s for w in ("minute", "min", "hour", "hr", "day", "week", "month", "year") for s in ("", "s")),
    "es": frozenset(w + s for w in ("minuto", "hora", "dia", "semana", "mese", "ano") for s in ("", "s")) | {"mes"},
}
_AGAIN = {
    "en": frozenset(
        ("again", "still", "keep", "keeps", "kept", "another", "third", "fourth", "fifth", "twice", "times")
    ),
    "es": frozenset(("otra", "vez", "sigue", "siguen", "sigo", "tercera", "cuarta", "veces", "siempre")),
}

NEUTRAL_CONFIDENCE = 0.2
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
_MOST_COUNTED = 3
_MOST_VALENCE = 6.0
_INTENSIFIER_REACH_WORDS = 2
_SHORTEST_STEM = 3
_CAPITAL_WORD = re.compile(r"[A-Z]{3,}")


def lexicon(text: str, heard: Heard, *, written: bool = False) -> tuple[float, float]:
    """(sentiment -1 … 1, confidence 0 … 1) by the centre's phrases alone; (0, 0.2) where they find nothing.

    `written`: exclamation marks and capitals are the writer's own, and count.
    """
    hits = heard.of("positive", "negative")
    if not hits:
        return 0.0, NEUTRAL_CONFIDENCE
    total, mass = _weighed(text, heard, hits, written)
    if written:
        total *= 1 + _EXCLAMATION * min(text.count("!"), _MOST_EXCLAMATIONS)
    agreement = abs(total) / mass if mass else 0.0
    evidence = 1 - math.exp(-mass / 2)
    confidence = NEUTRAL_CONFIDENCE + (0.9 - NEUTRAL_CONFIDENCE) * evidence * min(agreement, 1.0)
    return _normalised(total), confidence


def surface(texts: Sequence[str], heards: Sequence[Heard], language: str) -> np.ndarray:
    """(n_texts, len(SURFACE)): the lexicon's sentiment, counts of phrases, valences of the words, marks.

    `heards` as `Phrases.hear` gives them of the texts, in `language` (primary part: "en").
    """
    rows = [
        (
            lexicon(text, heard)[0],
            *(min(len(heard.of(kind)), _MOST_COUNTED) for kind in _COUNTED),
            math.log1p(len(heard.words)),
            *_valences(heard, language),
            *_times(heard.words, language),
            *_marks(text),
        )
        for text, heard in zip(texts, heards, strict=True)
    ]
    return np.array(rows, float).reshape(len(texts), len(SURFACE))


def marks(texts: Sequence[str]) -> np.ndarray:
    """(n_texts, N_MARKS) of what needs no word: exclamation marks (3 at most), words in capitals, a question mark."""
    return np.array([_marks(text) for text in texts], float).reshape(len(texts), N_MARKS)


def valence_of(word: str, language: str) -> int:
    """-3 … 3 of a word as it is compared (`phrases.plain_words`) in the general vocabulary; 0 where it isn't there."""
    return _valence_of(word, language)


def _marks(text: str) -> tuple[float, float, float]:
    return min(text.count("!"), _MOST_EXCLAMATIONS), float(_CAPITAL_WORD.search(text) is not None), float("?" in text)


def _normalised(total: float) -> float:
    return total / math.sqrt(total * total + _NORMALISATION)


def _weighed(text: str, heard: Heard, hits: list[Hit], written: bool) -> tuple[float, float]:
    """Sum of the phrases' valences in their context, and the sum of their sizes."""
    negator_ends = {h.word_end for h in heard.of("negator")}
    strength = {h.word_end: h.weight for h in heard.of("intensifier")}
    contrasts = [h.word for h in heard.of("contrast")]
    question = text.rstrip().endswith("?")
    shouted = written and not text.isupper() and _CAPITAL_WORD.search(text) is not None
    all_shouted = written and text.isupper() and len(heard.words) >= 3
    total = mass = 0.0
    for hit in hits:
        value = hit.weight * _strength(hit.word, strength, heard.breaks)
        if all_shouted or (shouted and text[hit.start : hit.end].isupper()):
            value *= _CAPITALS
        if negator_ends and is_negated(hit.word, negator_ends, heard.breaks):
            value *= _NEGATED_POSITIVE if value > 0 else _NEGATED_NEGATIVE
        if contrasts:
            value *= _AFTER_CONTRAST if hit.word > contrasts[-1] else _BEFORE_CONTRAST
        if question:
            value *= _IN_QUESTION
        total += value
        mass += abs(value)
    return total, mass


def _strength(word: int, strength: dict[int, float], breaks: list[int]) -> float:
    """Weight of the nearest degree word at most two words before, in the same clause; 1 where there is none."""
    for back in range(_INTENSIFIER_REACH_WORDS):
        here = word - back
        if here <= 0 or breaks[here]:
            break
        if here in strength:
            return strength[here]
    return 1.0


def _valences(heard: Heard, language: str) -> tuple[float, ...]:
    """The numbers named in _VALENCES."""
    negator_ends = {h.word_end for h in heard.of("negator")}
    strength = {h.word_end: h.weight for h in heard.of("intensifier")}
    contrast = max((h.word for h in heard.of("contrast")), default=None)
    last_sentence = max((i for i, b in enumerate(heard.breaks) if b == 2), default=0)
    positive = negative = highest = lowest = before = after = last = negated_positive = negated_negative = 0.0
    for i, word in enumerate(heard.words):
        value = valence_of(word, language) * 1.0
        if not value:
            continue
        value *= _strength(i, strength, heard.breaks)
        if negator_ends and is_negated(i, negator_ends, heard.breaks):
            if value > 0:
                negated_positive += value
                value *= _NEGATED_POSITIVE
            else:
                negated_negative -= value
                value *= _NEGATED_NEGATIVE
        positive += max(value, 0.0)
        negative -= min(value, 0.0)
        highest, lowest = max(highest, value), min(lowest, value)
        if contrast is not None:
            if i > contrast:
                after += value
            else:
                before += value
        if i >= last_sentence:
            last += value
    return (
        _normalised(positive - negative),
        min(positive, _MOST_VALENCE),
        min(negative, _MOST_VALENCE),
        highest,
        lowest,
        _normalised(before),
        _normalised(after),
        _normalised(last),
        min(negated_positive, _MOST_COUNTED),
        min(negated_negative, _MOST_COUNTED),
    )


def _times(words: Sequence[str], language: str) -> tuple[float, float]:
    """The numbers named in _TIMES."""
    none: frozenset[str] = frozenset()
    known = set(words)
    waits = all(known & these.get(language, none) for these in (_WAITED, _WHERE, _LONG))
    again = sum(word in _AGAIN.get(language, none) for word in words)
    return float(waits), float(min(again, _MOST_COUNTED))


@lru_cache(maxsize=1 << 16)
def _valence_of(word: str, language: str) -> int:
    whole, stems = _vocabulary()
    for code in (language, "any"):
        if (code, word) in whole:
            return whole[code, word]
    for end in range(len(word), _SHORTEST_STEM - 1, -1):
        if (language, word[:end]) in stems:
            return stems[language, word[:end]]
    return 0


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """Valences of whole words and of stems by (language, word); "any" holds emoji."""
    whole: dict[tuple[str, str], int] = {}
    stems: dict[tuple[str, str], int] = {}
    path = files("pipelines.language") / "vocabulary" / "valence.csv"
    with path.open("r", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            word = row["word"]
            table = stems if len(word) > 1 and word.endswith("*") else whole
            table[row["language"], word.rstrip("*")] = int(row["valence"])
    return whole, stems

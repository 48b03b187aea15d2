"""Empathy: does the agent answer what the customer feels, and how well?

Two small trained heads over sentence vectors (`data/training`): `need` tells how much a customer's words call for an
answer to a feeling, `empathy` on which of five levels an agent's reply gives it. The levels are those of peer support
research (Sharma et al. 2020, EPITOME: none, weak, strong), with one more for replies that are cold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipelines.contracts.measured import Measured, NotMeasured
from pipelines.language.embeddings import MULTILINGUAL, space_of
from pipelines.language.head import Head
from pipelines.language.phrases import Heard
from pipelines.language.said import Event, Said
from pipelines.language.sentiment import BOTH, WEAKEST, vectors_of

EMPATHY_VERSION = "head-1"
EMPATHY_HEAD, NEED_HEAD = "empathy", "need"

# Cold: dismissive, blaming, belittling. None: the procedure, politely. Weak: a token ("sorry about that"). Clear: the
# feeling or the situation is acknowledged. Strong: that, and the agent takes it on or asks after it.
LEVELS = ("cold", "none", "weak", "clear", "strong")
POINTS = np.array([0.0, 10.0, 45.0, 80.0, 100.0])
# A phrase of the centre's own is worth a weak answer at least, unless the reply is cold.
PHRASE_POINTS = POINTS[2]
ANSWERS = ("empathy", "apology", "ownership")

NEEDS = ("none", "problem", "distress")
# How strong the emotion of a turn is, 0 … 1, when it is told with certainty.
NEED_STRENGTH = np.array([0.0, 0.5, 1.0])
# From here on a turn calls for an answer: a problem that is told as likely as not.
NEEDY_FROM = 0.25
ESCALATION_STRENGTH = 0.8

# The answer is looked for in this many of the agent's utterances that follow.
ANSWER_UTTERANCES = 2
# Points that each dismissive phrase takes away, times its weight (robotic phrases weigh half).
DISMISSIVE_POINTS = 25.0

# The numbers beside the vectors: weights of what was heard, shares of words, whether it asks.
REPLY = ("empathy", "apology", "ownership", "dismissive", "you", "me", "asks")
_YOU = {"en": {"you", "your", "yours", "yourself"}, "es": {"usted", "su", "sus", "le", "te", "tu", "ti", "contigo"}}
_ME = {"en": {"i", "me", "my", "we", "us", "our"}, "es": {"yo", "me", "mi", "nos", "nosotros", "conmigo"}}
_MOST_HITS = 2.0
# A sentence is long enough to be graded by itself from so many words on, and is cut above so many.
_SENTENCE_WORDS = 4
_PART_WORDS = 25
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_EVIDENCE_CHARACTERS = 200

Vectors = Mapping[str, np.ndarray]  # space -> (n_texts, n_dimensions)


class Graded(NamedTuple):
    """`points` (n,) 0 … 100 of replies, and their `level` (n,), an index of LEVELS."""

    points: np.ndarray
    level: np.ndarray


def empathy(talk: Sequence[Said], language: str = "en", vectors: Vectors | None = None) -> tuple[Measured, list[Event]]:
    """Empathy of the agent, 0–100, and its events (kinds `empathy`, `dismissive`).

    Of every customer turn that carries emotion and that the agent answers: the points of the better of the agent's
    next two utterances, from 0 (cold) over 10 (none), 45 (weak), 80 (clear) to 100 (strong); their mean, weighted by
    the square of the turn's strength; less 25 points per dismissive phrase. A customer turn is the customer's
    utterances between two of the agent's. It carries emotion when one of them is negative, asks for a superior or to
    complain, or tells of a problem, fear, illness or loss. NULL `no_event` without such a turn. Words only: the tone
    of voice is not in it. `language`: primary part ("en"); `vectors`: those of the talk's texts by space, rows as in
    `talk`, where the caller has them already.
    """
    strength = strengths(talk, language, vectors)
    turns = list(_answered(talk, strength))
    events = _dismissals(talk)
    if not turns:
        return NotMeasured("no_event"), [event for event, _ in events]
    replies = sorted({i for _, answers in turns for i in answers})
    graded = grade([talk[i].text for i in replies], [talk[i].heard for i in replies], language, _rows(vectors, replies))
    points = dict(zip(replies, graded.points, strict=True))
    level = dict(zip(replies, graded.level, strict=True))
    total = mass = 0.0
    found = []
    for strong, answers in turns:
        best = max(answers, key=points.__getitem__)
        total += strong**2 * points[best]
        mass += strong**2
        if level[best] >= LEVELS.index("weak") and best not in found:
            found.append(best)
    score = max(0.0, total / mass - DISMISSIVE_POINTS * sum(weight for _, weight in events))
    told = [Event.at("empathy", talk[i], f"{LEVELS[level[i]]}: {_short(talk[i].text)}") for i in found]
    return round(float(score), 4), told + [event for event, _ in events]


def strengths(talk: Sequence[Said], language: str = "en", vectors: Vectors | None = None) -> np.ndarray:
    """(n,) 0 … 1: how much each of the customer's utterances calls for an answer to a feeling; 0 for the agent's.

    The largest of: how negative its sentiment is, from the weakest that is called negative (-0.35) on; 0.8 where a
    superior or a complaint is asked for; half the probability of a problem plus that of distress, from 0.25 on.
    """
    own = [i for i, s in enumerate(talk) if s.party == "customer" and s.has_words]
    found = np.zeros(len(talk))
    if own:
        found[own] = needs([talk[i].text for i in own], language, _rows(vectors, own))
        found[found < NEEDY_FROM] = 0.0
    for i in own:
        said = talk[i]
        if said.sentiment <= -WEAKEST:
            found[i] = max(found[i], -said.sentiment)
        if any(h.weight >= 1 for h in said.heard.of("escalation")):
            found[i] = max(found[i], ESCALATION_STRENGTH)
    return found


def needs(texts: Sequence[str], language: str, vectors: Vectors | None = None) -> np.ndarray:
    """(n,) 0 … 1: half the probability that a customer's words tell of a problem, plus that of distress (fear,
    illness, loss, despair, anger). 0 where the language has no vectors."""
    space = _space(language)
    if space is None or not texts:
        return np.zeros(len(texts))
    return Head.load(NEED_HEAD, space).probabilities(vectors_of(texts, space, vectors)) @ NEED_STRENGTH


def grade(texts: Sequence[str], heards: Sequence[Heard], language: str, vectors: Vectors | None = None) -> Graded:
    """Points and level of an agent's replies of one language (primary part: "en").

    A reply is graded as a whole and sentence by sentence, the best counts: two sentences of procedure don't undo the
    one that answers the feeling. `heards`: what `Phrases.hear` found. A phrase of the kinds empathy, apology or
    ownership never lowers, a dismissive one never raises. Without vectors of the language, phrases decide alone.
    """
    texts = list(texts)
    space = _space(language)
    if space is None:
        return _by_phrases(heards)
    if not texts:
        return Graded(np.zeros(0), np.zeros(0, int))
    probabilities = _probabilities(texts, heards, language, space, vectors)
    split = [(i, span) for i, text in enumerate(texts) if len(spans := parts_of(text)) > 1 for span in spans]
    if split:
        parts = [texts[i][begin:end] for i, (begin, end) in split]
        cut = [heards[i].between(*span) for i, span in split]
        of_parts = _probabilities(parts, cut, language, space, None)
        for (i, _), found in zip(split, of_parts, strict=True):
            if found @ POINTS > probabilities[i] @ POINTS:
                probabilities[i] = found
    points, level = probabilities @ POINTS, probabilities.argmax(axis=1)
    for i, heard in enumerate(heards):
        own = max((h.weight for h in heard.of(*ANSWERS)), default=0.0)
        if level[i] and own:
            points[i] = max(points[i], PHRASE_POINTS * min(own, 1.0))
            level[i] = max(level[i], LEVELS.index("weak") if own >= 1 else level[i])
    return Graded(points, level)


def reply_inputs(
    texts: Sequence[str], heards: Sequence[Heard], language: str, space: str, vectors: Vectors | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(vectors, REPLY numbers) that the head "empathy" of a space is given; `space` may join two by "+"."""
    return vectors_of(texts, space, vectors), np.array(
        [_numbers(t, h, language) for t, h in zip(texts, heards, strict=True)]
    )


def parts_of(text: str) -> list[tuple[int, int]]:
    """(start, end) of the sentences of a text that are graded by themselves; long ones cut to 25 words at most,
    those under four words left with the one before."""
    found: list[tuple[int, int]] = []
    begin = 0
    for end in [m.start() for m in _SENTENCE_END.finditer(text)] + [len(text)]:
        words = [m.span() for m in re.finditer(r"\S+", text[begin:end])]
        if not words:
            continue
        if found and len(words) < _SENTENCE_WORDS:
            found[-1] = (found[-1][0], begin + words[-1][1])
        else:
            n_parts = -(-len(words) // _PART_WORDS)
            size = -(-len(words) // n_parts)
            found += [
                (begin + words[k][0], begin + words[min(k + size, len(words)) - 1][1])
                for k in range(0, len(words), size)
            ]
        begin = end
    return found


def _space(language: str) -> str | None:
    return BOTH if language == "en" else MULTILINGUAL if space_of(language) else None


def _rows(vectors: Vectors | None, rows: Sequence[int]) -> Vectors:
    return {space: found[list(rows)] for space, found in (vectors or {}).items()}


def _probabilities(
    texts: Sequence[str], heards: Sequence[Heard], language: str, space: str, vectors: Vectors | None
) -> np.ndarray:
    """(n, 5) of LEVELS; of what was heard and of what would have been without the phrases, the one that keeps the
    promise that a good phrase never lowers and a bad one never raises."""
    head = Head.load(EMPATHY_HEAD, space)
    given, numbers = reply_inputs(texts, heards, language, space, vectors)
    good, bad = [REPLY.index(k) for k in ANSWERS], REPLY.index("dismissive")
    best = head.probabilities(given, numbers)
    for columns, sign in (([bad], -1.0), (good, 1.0)):
        if numbers[:, columns].any():
            without = numbers.copy()
            without[:, columns] = 0.0
            other = head.probabilities(given, without)
            worse = sign * (best @ POINTS) < sign * (other @ POINTS)
            best = np.where(worse[:, None], other, best)
    return best


def _numbers(text: str, heard: Heard, language: str) -> tuple[float, ...]:
    n_words = max(len(heard.words), 1)
    you, me = _YOU.get(language, frozenset()), _ME.get(language, frozenset())
    return (
        *(min(heard.weight(kind), _MOST_HITS) for kind in (*ANSWERS, "dismissive")),
        sum(w in you for w in heard.words) / n_words,
        sum(w in me for w in heard.words) / n_words,
        float("?" in text),
    )


def _by_phrases(heards: Sequence[Heard]) -> Graded:
    """Without vectors: cold where a dismissive phrase stands, weak where one of ANSWERS does, clear with two kinds."""
    level = [
        LEVELS.index("cold") if h.weight("dismissive") >= 1 else 1 + min(2, sum(h.weight(kind) > 0 for kind in ANSWERS))
        for h in heards
    ]
    return Graded(POINTS[level] if level else np.zeros(0), np.array(level, int))


def _answered(talk: Sequence[Said], strength: np.ndarray):
    """(strength of the customer's turn, indexes of the agent's utterances that may answer it) of emotional turns."""
    spoken = [i for i, s in enumerate(talk) if s.party is not None and s.has_words]
    strong = 0.0
    for at, i in enumerate(spoken):
        if talk[i].party == "customer":
            strong = max(strong, strength[i])
        elif strong:
            yield strong, [j for j in spoken[at:] if talk[j].party == "agent"][:ANSWER_UTTERANCES]
            strong = 0.0


def _dismissals(talk: Sequence[Said]) -> list[tuple[Event, float]]:
    return [
        (Event.at("dismissive", said, said.context_of(hit)), hit.weight)
        for said in talk
        if said.party == "agent"
        for hit in said.heard.of("dismissive")
    ]


def _short(text: str) -> str:
    if len(text) <= _EVIDENCE_CHARACTERS:
        return text
    return text[: text.rfind(" ", 0, _EVIDENCE_CHARACTERS)] + "…"

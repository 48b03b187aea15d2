"""What it is about: the issue type that a small head, fitted on a handful of examples, hears in the customer's words.

Examples and texts become vectors (embeddings.py); over them a regularised multinomial logistic regression is fitted at
run time, in a fraction of a second, on the examples and the types' names. Small talk is a class of its own, so that
"my name is Crystal" decides nothing. English stands in the English space, sixteen further languages in the multilingual
one, where English examples serve them too; a text of another language is `other` with confidence 0.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.language.embeddings import embed, space_of
from pipelines.language.keywords import content_words

ISSUE_TYPE_VERSION = "embeddings-1"
OTHER = "other"

_COLUMNS = ("issue_type", "driver", "sub_driver", "examples")
# Chosen on natcs_banking and every second intent of banking77; tested on the others (tests/accuracy/issue_types.py).
# Scales of 4 to 10 and ridges of .1 to 3 move the accuracy by at most .005.
_SCALE = 6.0
_RIDGE = 1.0
# The ridge holds the probabilities back; twice as sharp they are calibrated for 1 to 20 examples and 18 to 77 types.
_SHARPNESS = 2.0
_SMALL_TALK_WEIGHT = 0.1
_SURELY_SMALL_TALK = 0.9
# The fit that 99 % of rightly named messages reach: so much with one example a type, and more with the logarithm. What
# is rejected for it is the unsure: at probability 0 this times 1.15, at 1 times .65.
_LEAST_FIT = 0.75
_LEAST_FIT_PER_LOG_EXAMPLE = 0.13
# Texts of another language than the examples are less near to them.
_LEAST_FIT_LESS_IN_OTHER_LANGUAGES = 0.2
# The centre's own types stand before the seed's: up to so much logit, most of it from three own types on.
_OWN_LEAD = 3.0
_OWN_LEAD_TYPES = 3.0
_LONGEST_PIECE_WORDS = 40
# The sentences of longer texts are judged beside the whole: where a sentence of other things stands before and behind,
# 6 to 10 of 100 more messages are named rightly. They count less, so that messages alone lose nothing.
_SENTENCES_FROM_WORDS = 12
_SENTENCE_WEIGHT = 0.75

_SMALL_TALK = """
hello
hi good morning
hi there how are you
I'm fine thank you, how are you
hi, can you hear me
am I speaking to the right department
can you help me please
I need some help please
I have a question
yes
yes please
yes that is correct
yeah that's right
sure go ahead
okay
okay great
alright, I understand
no
no thank you
no that's all
nothing else, thank you
thank you
thank you so much for your help
thanks, have a nice day
goodbye
you too, bye bye
one moment please
let me check, hold on
sorry, what did you say
can you repeat that please
um, well, you know
my name is John Smith
this is Maria Lopez speaking
my first name is Anna and my last name is Brown
it is spelled s m i t h
my account number is one two three four five six
the number is 4 5 7 7 2 1
my phone number is five five five one two three four
my date of birth is the third of May 1985
my email address is john at example dot com
my address is 12 Main Street, Springfield
the zip code is nine zero two one zero
the last four digits are 4421
[account]
[phone]
my card number is [card]
next Tuesday at ten in the morning
in the afternoon would be fine
the twenty second of March
two
the blue one
that sounds good
that works for me
I don't know
I'm not sure
I will wait
are you still there
let me think about it
oh really, I see
that is very kind of you
"""


class IssueTypeError(ValueError):
    """issue_types.csv can't be used; the message names file, line and reason."""


class Match(NamedTuple):
    """The type, how sure (0 … 1), and which of the texts decided (its index; None where the type is `other`).

    The confidence of a named type is the share of such matches that is right, where a type for it exists; that of
    `other` is 1 less that of the type that came nearest, 0 where there was nothing to go by.
    """

    issue_type: str
    confidence: float
    text: int | None


class _Piece(NamedTuple):
    of_text: int
    text: str
    weight: float


@dataclass(frozen=True)
class IssueTypeOptions:
    """`early`: what each further text of a talk with content counts, relative to the one before, down to `least_early`:
    what a customer calls about is said early. `most_texts`: texts with content that are looked at. `strictness`: 0
    never answers `other` to a text with content; 1 makes 2 to 4 of 10 messages of unknown types `other`, and up to 1 of
    100 that were right; 1.4 makes 4 to 7 of 10, and 2 to 3 of 100."""

    early: float = 0.7
    least_early: float = 0.4
    most_texts: int = 12
    strictness: float = 1.0


def read_issue_types(seeds: Path) -> pl.DataFrame:
    """The seed `issue_types.csv` in the folder `seeds`, as columns issue_type, driver, sub_driver, examples.

    Raises IssueTypeError naming file, line and reason where a row can't be used.
    """
    path = seeds / "issue_types.csv"
    rows: dict[str, tuple[str, ...]] = {}
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [c for c in _COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise IssueTypeError(f"{path.name}, line 1: missing columns {', '.join(missing)}")
        for row in reader:
            place = f"{path.name}, line {reader.line_num}"
            cells = tuple((row[c] or "").strip() for c in _COLUMNS)
            if not cells[0] or not split_examples(cells[3]):
                raise IssueTypeError(f"{place}: issue_type and examples must be given")
            if cells[0] in rows:
                raise IssueTypeError(f"{place}: {cells[0]} stands there twice")
            rows[cells[0]] = cells
    return pl.DataFrame(list(rows.values()), schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")


def with_own(seed: pl.DataFrame, own: pl.DataFrame | None) -> pl.DataFrame:
    """The seed's types and the centre's own (`landing/issue_types`), which replace those of the same name.

    The column `own` tells them apart: own types stand before the seed's where both fit.
    """
    seed = seed.with_columns(own=pl.lit(False))
    if own is None or own.is_empty():
        return seed
    own = own.select(_COLUMNS).with_columns(own=pl.lit(True))
    return pl.concat([seed.filter(~pl.col("issue_type").is_in(own["issue_type"].to_list())), own])


def split_examples(examples: str) -> list[str]:
    """Example phrases of a cell, joined by vertical bars."""
    return [e.strip() for e in examples.split("|") if e.strip()]


@dataclass(frozen=True)
class IssueTypes:
    """Examples by type, ready to be compared with what customers say. Made by `fit`."""

    types: tuple[str, ...]
    examples: tuple[tuple[str, ...], ...]
    names: tuple[tuple[str, ...], ...]
    own: np.ndarray  # (n_types,) bool
    options: IssueTypeOptions
    _heads: dict[str, _Head] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(cls, frame: pl.DataFrame, options: IssueTypeOptions | None = None) -> IssueTypes:
        """From columns issue_type, examples and, where there, sub_driver and own (Boolean).

        A type without examples can't be inferred and is left out, as are its examples of nothing but small talk
        ("hi", "okay") where it has others. The heads are fitted when texts of their space come.
        """
        by_type: dict[str, list[str]] = {}
        names: dict[str, list[str]] = {}
        own: dict[str, bool] = {}
        for row in frame.iter_rows(named=True):
            type_ = row["issue_type"]
            by_type.setdefault(type_, []).extend(split_examples(row["examples"] or ""))
            words = (_words_of_name(name) for name in (type_, row.get("sub_driver")) if name)
            names.setdefault(type_, []).extend(w for w in words if w)
            own[type_] = own.get(type_, False) or bool(row.get("own"))
        kept = {t: [e for e in texts if content_words(e, "en")] or texts for t, texts in by_type.items() if texts}
        return cls(
            tuple(kept),
            tuple(tuple(dict.fromkeys(e)) for e in kept.values()),
            tuple(tuple(dict.fromkeys(names[t])) for t in kept),
            np.array([own[t] for t in kept], bool),
            options or IssueTypeOptions(),
        )

    def match(self, talks: list[list[str]], languages: list[str | None] | None = None) -> list[Match]:
        """The issue type of each talk, given the customer's texts in order, and its language (BCP-47; None: English).

        Every text with content is judged by itself (in pieces of up to 40 words, and sentence by sentence); the type
        that is most probable anywhere, early places counting more, is named, unless the text that speaks for it fits
        too badly. `other` with confidence 0 where nothing has content or the language has no space.
        """
        tags = [_primary(tag) for tag in languages or [None] * len(talks)]
        spaces = [space_of(tag) if self.types else None for tag in tags]
        pieces = [
            self._pieces(texts, tag) if space else [] for texts, tag, space in zip(talks, tags, spaces, strict=True)
        ]
        matches = [Match(OTHER, 0.0, None)] * len(talks)
        for space in sorted({s for s, found in zip(spaces, pieces, strict=True) if s and found}):
            head = self._head(space)
            here = [i for i, s in enumerate(spaces) if s == space and pieces[i]]
            probable, fit = head.judge(embed([piece.text for i in here for piece in pieces[i]], space))
            at = 0
            for i in here:
                rows = slice(at, at + len(pieces[i]))
                at += len(pieces[i])
                least = head.least_fit - _LEAST_FIT_LESS_IN_OTHER_LANGUAGES * (tags[i] != "en")
                matches[i] = self._decide(probable[rows], fit[rows] / least, pieces[i])
        return matches

    def _pieces(self, texts: list[str], language: str) -> list[_Piece]:
        """What is judged of a talk: its first texts with content."""
        o = self.options
        found = []
        for place, i in enumerate([i for i, text in enumerate(texts) if content_words(text, language)][: o.most_texts]):
            sentences = _sentences(texts[i])
            for later, (whole, parts) in enumerate(_joined(sentences)):
                weight = max(o.least_early, o.early ** (place + later))
                if content_words(whole, language):
                    found.append(_Piece(i, whole, weight))
                if len(parts) > 1 and len(whole.split()) >= _SENTENCES_FROM_WORDS:
                    weight *= _SENTENCE_WEIGHT
                    found += [_Piece(i, part, weight) for part in parts if content_words(part, language)]
        return found

    def _decide(self, probable: np.ndarray, fit: np.ndarray, pieces: list[_Piece]) -> Match:
        """`fit` as a share of the least."""
        weighted = probable[:, : len(self.types)] * np.array([[p.weight] for p in pieces])
        piece, winner = np.unravel_index(int(weighted.argmax()), weighted.shape)
        confidence = float(probable[piece, winner])
        strictness = self.options.strictness
        is_small_talk = probable[piece, -1] > _SURELY_SMALL_TALK
        if strictness and (is_small_talk or fit[piece] < strictness * (1.15 - confidence / 2)):
            return Match(OTHER, round(1 - confidence, 4), None)
        return Match(self.types[winner], round(confidence, 4), pieces[piece].of_text)

    def _head(self, space: str) -> _Head:
        if space not in self._heads:
            self._heads[space] = _Head.fit(self, space)
        return self._heads[space]


@dataclass(frozen=True)
class _Head:
    """Multinomial logistic regression over the vectors of a space; the last class is small talk."""

    weights: np.ndarray  # (n_dimensions, n_types + 1)
    bias: np.ndarray  # (n_types + 1,)
    lead: np.ndarray  # (n_types + 1,), logit added to own types
    examples: np.ndarray  # (n_examples, n_dimensions)
    usual_logit: float  # median logit of an example for its own type
    least_fit: float

    @classmethod
    def fit(cls, types: IssueTypes, space: str) -> _Head:
        texts = [text for own in zip(types.names, types.examples, strict=True) for group in own for text in group]
        counts = [len(n) + len(e) for n, e in zip(types.names, types.examples, strict=True)]
        small_talk = _SMALL_TALK.strip().splitlines()
        vectors = _embedded((*texts, *small_talk), space).astype(np.float64)
        label = np.repeat(np.arange(len(counts) + 1), [*counts, len(small_talk)])
        # A type with fifty examples is no likelier than one with five: each counts as one with the median number.
        usual = median(counts)
        balance = np.repeat([*(usual / n for n in counts), _SMALL_TALK_WEIGHT], [*counts, len(small_talk)])
        weights, bias = _logistic_regression(vectors * _SCALE, label, balance)
        examples = vectors[: len(texts)]
        logits = (examples * _SCALE) @ weights + bias
        return cls(
            weights * _SCALE,
            bias,
            np.append(types.own * _lead(int(types.own.sum())), 0.0),
            examples,
            max(1e-3, float(np.median(logits[np.arange(len(texts)), label[: len(texts)]]))),
            _LEAST_FIT + _LEAST_FIT_PER_LOG_EXAMPLE * math.log(median(len(e) for e in types.examples)),
        )

    def judge(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, n_types + 1) probabilities, and (n,) how well the best type fits.

        The fit adds the best type's logit, as a share of what examples reach, to the cosine to the nearest example.
        Of eight such measures it told messages of left-out types best from others, and it means the same whatever the
        number of types.
        """
        vectors = vectors.astype(np.float64)
        logits = vectors @ self.weights + self.bias
        led = _SHARPNESS * (logits + self.lead)
        odds = np.exp(led - led.max(axis=1, keepdims=True))
        nearest = np.zeros(len(vectors))
        for begin in range(0, len(vectors), 1024):
            block = slice(begin, begin + 1024)
            nearest[block] = (vectors[block] @ self.examples.T).max(axis=1)
        best = led[:, :-1].argmax(axis=1)
        fit = logits[np.arange(len(vectors)), best] / self.usual_logit + nearest
        return odds / odds.sum(axis=1, keepdims=True), fit


@lru_cache(maxsize=4)
def _embedded(texts: tuple[str, ...], space: str) -> np.ndarray:
    """Examples are the same on every day of a run."""
    return embed(texts, space)


def _lead(own_types: int) -> float:
    return _OWN_LEAD * (1 - math.exp(-own_types / _OWN_LEAD_TYPES))


def _logistic_regression(rows: np.ndarray, label: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n_dimensions, n_classes) and bias of the least weighted log loss + _RIDGE / 2 x squared weights."""
    from scipy.optimize import minimize

    n, dimensions = rows.shape
    classes = int(label.max()) + 1
    centre = rows.mean(axis=0)  # about their mean the rows take a third of the steps
    centred = rows - centre
    truth = np.zeros((n, classes))
    truth[np.arange(n), label] = 1

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-classes].reshape(dimensions, classes), flat[-classes:]
        logits = centred @ weights + bias
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        total = odds.sum(axis=1)
        value = float(weight @ (np.log(total) - logits[np.arange(n), label]))
        residual = (odds / total[:, None] - truth) * weight[:, None]
        slope = np.concatenate([(centred.T @ residual + _RIDGE * weights).ravel(), residual.sum(axis=0)])
        return value + _RIDGE / 2 * float(np.sum(weights**2)), slope

    start = np.zeros((dimensions + 1) * classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100, "gtol": 1e-2, "ftol": 0})
    weights, bias = found.x[:-classes].reshape(dimensions, classes), found.x[-classes:]
    return weights, bias - centre @ weights


def _sentences(text: str) -> list[str]:
    """Sentences; those of more than 40 words in parts of 40."""
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
        words = sentence.split()
        for begin in range(0, len(words), _LONGEST_PIECE_WORDS):
            found.append(" ".join(words[begin : begin + _LONGEST_PIECE_WORDS]))
    return found


def _joined(sentences: list[str]) -> list[tuple[str, list[str]]]:
    """Sentences joined to pieces of up to 40 words, each with its sentences."""
    groups: list[list[str]] = []
    n = 0
    for sentence in sentences:
        n_words = len(sentence.split())
        if not groups or n + n_words > _LONGEST_PIECE_WORDS:
            groups.append([])
            n = 0
        groups[-1].append(sentence)
        n += n_words
    return [(" ".join(group), group) for group in groups]


def _words_of_name(name: str) -> str:
    """card_arrival, CardArrival: card arrival."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).strip().casefold()


def _primary(tag: str | None) -> str:
    return re.split("[-_]", tag.strip().casefold())[0] if tag else "en"

"""What it is about: the issue type whose examples are nearest to the customer's words.

First form: TF-IDF over words, pairs of words and pieces of words, cosine to a handful of examples per type. A later
form may train heads on sentence embeddings behind the same two functions, `IssueTypes.fit` and `IssueTypes.match`.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.contracts.landing import ISSUE_TYPES as OWN_ISSUE_TYPES
from pipelines.language.phrases import plain_words

ISSUE_TYPE_VERSION = "tfidf-1"
OTHER = "other"

_COLUMNS = ("issue_type", "driver", "sub_driver", "examples")
_PIECES = (3, 4, 5)
_PIECE_WEIGHT = 0.5
_PAIR_WEIGHT = 0.7
# Types are compared by the mean of their examples more than by the nearest one: .83 against .74 right on 18 banking
# intents with 5 examples each (tests/accuracy/language.py).
_NEAREST_SHARE = 0.25


class IssueTypeError(ValueError):
    """issue_types.csv can't be used; the message names file, line and reason."""


class Match(NamedTuple):
    """The nearest type, how near (cosine 0 … 1), how sure, and which of the texts decided (its index)."""

    issue_type: str
    similarity: float
    confidence: float
    text: int | None


@dataclass(frozen=True)
class IssueTypeOptions:
    """`least_similarity`: below it nothing fits, the type is `other`. `early_texts`: texts that count fully; each
    later one counts `late_loss` less, for what a customer calls about is said early. `sharpness`: of the softmax
    over the similarities that gives the confidence; at 22 the mean confidence of single messages lies within .13 of
    the share that is right (tests/accuracy/language.py)."""

    least_similarity: float = 0.2
    early_texts: int = 4
    late_loss: float = 0.03
    fewest_words: int = 3
    most_texts: int = 12
    sharpness: float = 22.0


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
    """The seed's types and the centre's own (`landing/issue_types`), which replace those of the same name."""
    if own is None or own.is_empty():
        return seed
    own = own.select(c for c in _COLUMNS if c in OWN_ISSUE_TYPES.schema).select(_COLUMNS)
    return pl.concat([seed.filter(~pl.col("issue_type").is_in(own["issue_type"].to_list())), own])


def split_examples(examples: str) -> list[str]:
    """Example phrases of a cell, joined by vertical bars."""
    return [e.strip() for e in examples.split("|") if e.strip()]


@dataclass(frozen=True)
class IssueTypes:
    """Examples by type, weighted and ready to be compared. Made by `fit`."""

    types: tuple[str, ...]
    features: _Features
    columns: np.ndarray  # (n_features, n_examples + n_types): examples, then the types' means; columns of length 1
    example_starts: np.ndarray  # (n_types,), first example of each type
    options: IssueTypeOptions

    @classmethod
    def fit(cls, frame: pl.DataFrame, options: IssueTypeOptions | None = None) -> IssueTypes:
        """From columns issue_type and examples; a type without examples can't be inferred and is left out."""
        by_type: dict[str, list[str]] = {}
        for name, cell in frame.select("issue_type", "examples").iter_rows():
            by_type.setdefault(name, []).extend(split_examples(cell or ""))
        by_type = {t: e for t, e in by_type.items() if e}
        texts = [e for examples in by_type.values() for e in examples]
        features = _Features.fit(texts)
        rows = np.zeros((len(texts), len(features.weights)))
        for row, text in zip(rows, texts, strict=True):
            indexes, length = features.of(text)
            if length:
                row[indexes] = features.weights[indexes] / length
        starts = np.cumsum([0, *(len(e) for e in by_type.values())])[:-1]
        means = np.add.reduceat(rows, starts) if len(starts) else rows
        means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        columns = np.ascontiguousarray(np.concatenate([rows, means]).T)
        return cls(tuple(by_type), features, columns, starts, options or IssueTypeOptions())

    def similarities(self, texts: list[str]) -> np.ndarray:
        """(n_texts, n_types), 0 … 1: cosines to a type's nearest example and to the mean of its examples, mixed."""
        result = np.zeros((len(texts), len(self.types)))
        n_examples = self.columns.shape[1] - len(self.types)
        for i, text in enumerate(texts):
            indexes, length = self.features.of(text)
            if len(indexes):
                cosines = (self.features.weights[indexes] / length) @ self.columns[indexes]
                nearest = np.maximum.reduceat(cosines[:n_examples], self.example_starts)
                result[i] = _NEAREST_SHARE * nearest + (1 - _NEAREST_SHARE) * cosines[n_examples:]
        return result

    def match(self, talks: list[list[str]]) -> list[Match]:
        """The issue type of each talk, given the customer's texts in order.

        Every text of three words or more is compared by itself; the best one decides, texts late in the talk count
        less. `other` where nothing is near, or nothing was said.
        """
        o = self.options
        chosen = [
            [i for i, text in enumerate(texts) if len(text.split()) >= o.fewest_words][: o.most_texts]
            or list(range(len(texts)))[: o.most_texts]
            for texts in talks
        ]
        flat = [talks[t][i] for t, indexes in enumerate(chosen) for i in indexes]
        similarity = self.similarities(flat)
        matches = []
        at = 0
        for indexes in chosen:
            rows = similarity[at : at + len(indexes)]
            at += len(indexes)
            if not len(rows) or not self.types:
                matches.append(Match(OTHER, 0.0, 0.0, None))
                continue
            late = np.maximum(0, np.arange(len(indexes)) + 1 - o.early_texts) * o.late_loss
            weighted = rows * np.maximum(0.5, 1 - late)[:, None]
            best = weighted.max(axis=0)
            winner = int(best.argmax())
            near = float(np.clip(best[winner], 0, 1))
            if near < o.least_similarity:
                matches.append(Match(OTHER, near, round(1 - near / o.least_similarity, 4), None))
                continue
            odds = np.exp(o.sharpness * (best - best[winner]))
            floor = np.exp(o.sharpness * (o.least_similarity - best[winner]))
            confidence = float(1 / (odds.sum() + floor))
            text = indexes[int(weighted[:, winner].argmax())]
            matches.append(Match(self.types[winner], near, round(confidence, 4), text))
        return matches


@dataclass(frozen=True)
class _Features:
    """Words, pairs of words and pieces of words of the examples, with their weights (inverse document frequency).

    Contractions are written out as in English. A feature counts once however often it stands in a text.
    """

    vocabulary: dict[str, int]
    weights: np.ndarray
    unknown_idf: float
    known: dict[str, tuple[list[int], float]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(cls, texts: list[str]) -> _Features:
        documents: Counter[str] = Counter()
        for text in texts:
            words = plain_words(text, "en")
            documents.update({f for word in words for f in (word, *_pieces(word))} | set(_pairs(words)))
        unknown_idf = math.log(1 + len(texts)) + 1
        vocabulary = {f: i for i, f in enumerate(sorted(documents))}
        weights = [_kind_weight(f) * (unknown_idf - math.log(1 + documents[f])) for f in vocabulary]
        return cls(vocabulary, np.array(weights), unknown_idf)

    def of(self, text: str) -> tuple[np.ndarray, float]:
        """Indexes of the text's known features, and the length of its vector.

        Unknown features have no index, but their share of the length: a text of unknown words is near to nothing.
        """
        words = plain_words(text, "en")
        indexes: set[int] = set()
        unknown = 0.0
        for word in dict.fromkeys(words):
            if word not in self.known:
                self.known[word] = self._look_up((word, *_pieces(word)))
            found, missed = self.known[word]
            indexes.update(found)
            unknown += missed
        found, missed = self._look_up(dict.fromkeys(_pairs(words)))
        indexes.update(found)
        ordered = np.fromiter(sorted(indexes), np.int64, len(indexes))
        weights = self.weights[ordered]
        return ordered, math.sqrt(float(weights @ weights) + unknown + missed)

    def _look_up(self, features: Iterable[str]) -> tuple[list[int], float]:
        found, missed = [], 0.0
        for feature in features:
            i = self.vocabulary.get(feature)
            if i is None:
                missed += (_kind_weight(feature) * self.unknown_idf) ** 2
            else:
                found.append(i)
        return found, missed


def _kind_weight(feature: str) -> float:
    return _PIECE_WEIGHT if feature[0] == "#" else _PAIR_WEIGHT if " " in feature else 1.0


def _pairs(words: list[str]) -> Iterator[str]:
    return (f"{a} {b}" for a, b in pairwise(words))


def _pieces(word: str) -> list[str]:
    """The word's pieces of 3 to 5 characters, its ends marked."""
    marked = f"<{word}>"
    return [f"#{marked[i : i + n]}" for n in _PIECES if n < len(marked) for i in range(len(marked) - n + 1)]

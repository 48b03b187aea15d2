"""Empathy of replies: ours, the phrases' alone, VADER's, the largest class's.

    python -m tests.accuracy empathy

(a) Replies written for the training, each judged by a head that saw nothing of its scenario. (b) Doctors' and chat
agents' replies labelled without sight of any measure (tests/accuracy/labels). Nothing was fitted to (b), but a look at
the first figures on it showed that the training lacked plain questions and explanations; such rows were written then,
and further ones after reading consultations' replies that were not drawn for the labels. Its figures are therefore
somewhat better than on talk of another kind. Four in five labels are 0: the phrases give nearly all of those the same
0, which a rank correlation rewards as ties; the area under the curve does not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.training import train
from pipelines.language.empathy import ANSWERS, EMPATHY_HEAD, LEVELS, NEED_HEAD, POINTS, grade
from pipelines.language.phrases import Phrases
from pipelines.language.sentiment import BOTH
from tests.accuracy.figure import Figure
from tests.accuracy.labels import draw

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
_OWN = "written for the training by the author of the measure; folds hold out whole scenarios"
_BLIND = (
    "one reader's labels (a language model), not a person's; 43 unsure; see the module's text on what was looked at"
)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rho."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """How often a positive one scores higher than another one; ties count half."""
    from scipy.stats import rankdata

    n = int(positive.sum())
    return float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def by_phrases(texts: list[str], phrases: Phrases) -> np.ndarray:
    """Kinds of empathic phrases heard in each text: the measure before the head."""
    return np.array(
        [sum(bool(heard.of(k)) for k in ANSWERS) for heard in (phrases.hear(t, "en") for t in texts)], float
    )


def vader(texts: list[str]) -> np.ndarray:
    """VADER's compound score of each text."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    return np.array([analyser.polarity_scores(text)["compound"] for text in texts])


def _macro_f1(truth: np.ndarray, named: np.ndarray, n_classes: int) -> float:
    """Mean F1 of the classes that occur."""
    return float(train.f1_by_class(truth, named, n_classes)[np.unique(truth)].mean())


def figures(quick: bool = False) -> list[Figure]:
    """The errors of this module; FileNotFoundError where the real data are absent. `quick` changes nothing."""
    labelled = draw.read("empathy")
    if not labelled:
        raise FileNotFoundError("the labelled replies' texts are not here")
    phrases = Phrases.read(SEEDS)
    return [*_held_out(phrases), *_blind(phrases, labelled)]


def _held_out(phrases: Phrases) -> list[Figure]:
    _, held = train.train(train.TASKS[EMPATHY_HEAD], BOTH)
    own = np.array(["level" in r and "customer" in r for r in held.rows])
    truth, probabilities = held.truth[own], held.probabilities[own]
    texts = [r["text"] for r, o in zip(held.rows, own, strict=True) if o]
    named, points = probabilities.argmax(axis=1), probabilities @ POINTS
    told = by_phrases(texts, phrases)
    n, data = len(texts), "written replies"
    majority = np.full(n, np.bincount(truth).argmax())
    _, needs = train.train(train.TASKS[NEED_HEAD], BOTH)
    any_need, named_need = needs.truth > 0, needs.probabilities.argmax(axis=1) > 0
    return [
        Figure("macro-F1 of five levels", data, n, _macro_f1(truth, named, len(LEVELS)), "", "largest class",
               _macro_f1(truth, majority, len(LEVELS)), _OWN),
        Figure("rank correlation with the level", data, n, rank_correlation(points, truth), "", "phrases",
               rank_correlation(told, truth), _OWN),
        Figure("rank correlation with the level", data, n, rank_correlation(points, truth), "", "VADER",
               rank_correlation(vader(texts), truth), _OWN),
        Figure("turns that call for an answer, F1", "written customers' turns", len(any_need),
               float(train.f1_by_class(any_need.astype(int), named_need.astype(int), 2)[1]), "", "all called needy",
               float(2 * any_need.mean() / (1 + any_need.mean())), _OWN),
    ]  # fmt: skip


def _blind(phrases: Phrases, labelled: list[draw.Labelled]) -> list[Figure]:
    found = []
    for data, chosen in (
        ("doctors' and chat replies", labelled),
        ("the same, drawn at random", [x for x in labelled if x.draw == "random"]),
        ("the same, sure labels", [x for x in labelled if x.sure]),
    ):
        texts, truth = [x.text for x in chosen], np.array([int(x.label) for x in chosen])
        graded = grade(texts, [phrases.hear(t, "en") for t in texts], "en")
        told, tone, any_ = by_phrases(texts, phrases), vader(texts), truth > 0
        named = graded.level >= LEVELS.index("weak")
        n = len(texts)
        found += [
            Figure("rank correlation with the label", data, n, rank_correlation(graded.points, truth), "", "phrases",
                   rank_correlation(told, truth), _BLIND),
            Figure("any empathy or none, area under the curve", data, n, area(graded.points, any_), "", "phrases",
                   area(told, any_), f"VADER {area(tone, any_):.2f}"),
            Figure("any empathy or none, macro-F1", data, n, _macro_f1(any_.astype(int), named.astype(int), 2), "",
                   "phrases", _macro_f1(any_.astype(int), (told > 0).astype(int), 2),
                   f"largest class {_macro_f1(any_.astype(int), np.zeros(n, int), 2):.2f}; {any_.sum()} have some"),
            Figure("macro-F1 of the levels none to strong", data, n,
                   _macro_f1(np.maximum(truth, 0), np.maximum(graded.level - 1, 0), 4), "", "phrases",
                   _macro_f1(np.maximum(truth, 0), np.minimum(told, 3).astype(int), 4),
                   f"only {(truth >= 2).sum()} are clear or strong"),
        ]  # fmt: skip
    return found

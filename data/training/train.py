"""Train the heads of `pipelines/language/heads` on the sentences of this folder.

    python data/training/train.py                 # every task
    python data/training/train.py sentiment       # one of them

Each task is a multinomial logistic regression with an L2 penalty over sentence vectors and a few further numbers,
fitted by L-BFGS from zero: equal inputs give equal heads. Its figures are printed first, from folds that hold out
whole groups (a group is one scenario: its paraphrases never stand on both sides), beside that of the largest class.
One temperature, fitted on the held-out predictions, calibrates the probabilities.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.language.embeddings import MULTILINGUAL, embed
from pipelines.language.empathy import EMPATHY_HEAD, LEVELS, NEED_HEAD, NEEDS, REPLY, reply_inputs
from pipelines.language.head import Head, path_of, softmax
from pipelines.language.lexicon import N_MARKS, SURFACE, marks
from pipelines.language.phrases import Heard, Phrases
from pipelines.language.roles import PARTIES, PARTY_HEAD, SAID, role_inputs
from pipelines.language.sentiment import BOTH, GRADES, HEAD, PLAIN_HEAD, head_inputs, vectors_of

HERE = Path(__file__).resolve().parent
SEEDS = HERE.parents[1] / "dbt_project" / "seeds"
SEED = 20260101
FOLDS = 5
_MOST_ITERATIONS = 500

Row = dict[str, str]


@dataclass(frozen=True)
class Task:
    """One head: where its rows are, which class a row is, and what the head is given.

    `files` are CSV files of this folder whose rows have at least `group` (what must not be split between training
    and test) and `language`. `class_of` names a row's class, or None to leave the row out; `inputs` gives
    (vectors, extra or None) of rows in a space. `spaces` says for each space which languages train it.
    """

    name: str
    files: tuple[str, ...]
    classes: tuple[str, ...]
    class_of: Callable[[Row], str | None]
    inputs: Callable[[list[Row], str], tuple[np.ndarray, np.ndarray | None]]
    spaces: dict[str, frozenset[str]]
    extra_names: tuple[str, ...] = ()
    l2: float = 1.0
    extra_l2: float = 1.0
    balanced: bool = False


@dataclass(frozen=True)
class HeldOut:
    """What a head said about rows that it was not trained on: `probabilities` (n, n_classes), `truth` (n,)."""

    rows: list[Row]
    truth: np.ndarray
    probabilities: np.ndarray
    temperature: float


def read(task: Task, languages: frozenset[str] | None = None) -> list[Row]:
    """The task's rows that have a class; those of `languages` where given."""
    rows = []
    for name in task.files:
        with open(HERE / name, newline="", encoding="utf-8") as file:
            rows += list(csv.DictReader(file))
    return [r for r in rows if task.class_of(r) is not None and (languages is None or r["language"] in languages)]


def folds_of(rows: list[Row], n_folds: int = FOLDS, seed: int = SEED) -> np.ndarray:
    """(n,) fold of each row: whole groups, shuffled with the seed, dealt to the smallest fold."""
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row["group"]] = sizes.get(row["group"], 0) + 1
    groups = sorted(sizes)
    random.Random(seed).shuffle(groups)
    filled = [0] * n_folds
    fold: dict[str, int] = {}
    for group in sorted(groups, key=lambda g: -sizes[g]):  # a stable sort: equal sizes stay shuffled
        smallest = filled.index(min(filled))
        fold[group] = smallest
        filled[smallest] += sizes[group]
    return np.array([fold[row["group"]] for row in rows])


def fit(
    given: np.ndarray, truth: np.ndarray, n_classes: int, l2: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(weights (n_classes, d), bias (n_classes,)) that minimise Σ weight·(-log p) + ½ Σ l2·weights².

    `given` (n, d), `truth` (n,) class numbers, `l2` (d,) penalties, `weight` (n,) of the rows (1 each where None).
    The bias isn't penalised.
    """
    from scipy.optimize import minimize

    n, d = given.shape
    wanted = np.eye(n_classes)[truth]
    weight = np.ones(n) if weight is None else weight

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        both = flat.reshape(n_classes, d + 1)
        weights, bias = both[:, :d], both[:, d]
        found = softmax(given @ weights.T + bias)
        value = -(weight * np.log((found * wanted).sum(axis=1) + 1e-12)).sum() + 0.5 * (l2 * weights**2).sum()
        error = (found - wanted) * weight[:, None]
        slope = np.concatenate([error.T @ given + l2 * weights, error.sum(axis=0)[:, None]], axis=1)
        return value, slope.ravel()

    best = minimize(
        loss, np.zeros(n_classes * (d + 1)), jac=True, method="L-BFGS-B", options={"maxiter": _MOST_ITERATIONS}
    ).x.reshape(n_classes, d + 1)
    return best[:, :d], best[:, d]


def train(task: Task, space: str) -> tuple[Head, HeldOut]:
    """The head, trained on all rows of the space's languages, and what heads trained without a fold said of it."""
    rows = read(task, task.spaces[space])
    vectors, extra = task.inputs(rows, space)
    truth = np.array([task.classes.index(task.class_of(r)) for r in rows])
    # Brought to a root mean square of 1, so that one penalty suits every space.
    scale = np.full(vectors.shape[1], 1 / np.sqrt(np.mean(np.square(vectors, dtype=np.float64))))
    l2 = np.full(vectors.shape[1], task.l2)
    given = vectors.astype(np.float64)
    if extra is not None:
        spread = extra.std(axis=0)
        scale = np.concatenate([scale, 1 / np.where(spread > 0, spread, 1)])
        l2 = np.concatenate([l2, np.full(extra.shape[1], task.extra_l2)])
        given = np.concatenate([given, extra], axis=1)
    weight = None
    if task.balanced:
        counts = np.bincount(truth, minlength=len(task.classes))
        weight = len(truth) / (len(task.classes) * counts[truth])
    fold = folds_of(rows)
    logits = np.zeros((len(rows), len(task.classes)))
    for held in range(FOLDS):
        inside = fold != held
        weights, bias = fit(
            given[inside] * scale, truth[inside], len(task.classes), l2, None if weight is None else weight[inside]
        )
        logits[~inside] = given[~inside] * scale @ weights.T + bias
    temperature = _temperature(logits, truth)
    weights, bias = fit(given * scale, truth, len(task.classes), l2, weight)
    head = Head(task.name, space, task.classes, weights * scale / temperature, bias / temperature, task.extra_names)
    return head, HeldOut(rows, truth, softmax(logits / temperature), temperature)


def _temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """What the logits must be divided by for the likeliest held-out truth."""
    from scipy.optimize import minimize_scalar

    def loss(log_t: float) -> float:
        return -np.log(softmax(logits / np.exp(log_t))[np.arange(len(truth)), truth] + 1e-12).mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 3), method="bounded").x))


def f1_by_class(truth: np.ndarray, named: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_classes,) F1 of each class: 2·hits ÷ (named + true); 0 where it is neither."""
    hits = np.array([((truth == c) & (named == c)).sum() for c in range(n_classes)])
    either = np.bincount(truth, minlength=n_classes) + np.bincount(named, minlength=n_classes)
    return 2 * hits / np.maximum(either, 1)


def report(task: Task, space: str, held: HeldOut) -> str:
    """Held-out figures, in lines."""
    named = held.probabilities.argmax(axis=1)
    f1 = f1_by_class(held.truth, named, len(task.classes))
    majority = np.full(len(named), np.bincount(held.truth).argmax())
    sure = held.probabilities.max(axis=1)
    lines = [
        f"{task.name} in {space}: {len(named)} rows, {len({r['group'] for r in held.rows})} groups, {FOLDS} folds",
        f"  accuracy {(named == held.truth).mean():.3f}, macro-F1 {f1.mean():.3f}; largest class "
        f"{(majority == held.truth).mean():.3f}, {f1_by_class(held.truth, majority, len(task.classes)).mean():.3f}",
        "  F1 " + ", ".join(f"{c} {v:.3f}" for c, v in zip(task.classes, f1, strict=True)),
        f"  mean probability of what was named {sure.mean():.3f}; temperature {held.temperature:.2f}",
    ]
    languages = sorted({r["language"] for r in held.rows})
    if len(languages) > 1:
        for language in languages:
            of = np.array([r["language"] == language for r in held.rows])
            f1 = f1_by_class(held.truth[of], named[of], len(task.classes))
            lines.append(f"  {language}: {of.sum()} rows, macro-F1 {f1.mean():.3f}")
    return "\n".join(lines)


def embedded(rows: list[Row], space: str) -> tuple[np.ndarray, None]:
    """The vectors of the rows' `text`, nothing else."""
    return embed([r["text"] for r in rows], space), None


def _sentiment_class(row: Row) -> str:
    return dict(zip(("-2", "-1", "-0.5", "0", "1", "2"), GRADES, strict=True))[row["label"]]


def _sentiment_inputs(rows: list[Row], space: str) -> tuple[np.ndarray, np.ndarray]:
    """What the head is given in use, language by language, the words found with the project's own phrases."""
    phrases = Phrases.read(SEEDS)
    found: list[tuple[np.ndarray, np.ndarray] | None] = [None] * len(rows)
    for language in sorted({r["language"] for r in rows}):
        of = [i for i, r in enumerate(rows) if r["language"] == language]
        texts = [rows[i]["text"] for i in of]
        for i, *row in zip(
            of, *head_inputs(texts, [phrases.hear(t, language) for t in texts], language, space), strict=True
        ):
            found[i] = tuple(row)
    return np.array([f[0] for f in found]), np.array([f[1] for f in found])


def _plain_inputs(rows: list[Row], space: str) -> tuple[np.ndarray, np.ndarray]:
    """For languages without phrases: the vector and the marks alone."""
    texts = [r["text"] for r in rows]
    return embed(texts, space), marks(texts)


def _level(row: Row) -> str | None:
    """Empathy of a reply, -1 … 3; of an agent's utterance in parties.csv too."""
    return LEVELS[int(row["level"]) + 1] if row["level"] else None


def _need(row: Row) -> str | None:
    """What a customer's turn calls for; in replies.csv the first row of a group tells it."""
    return NEEDS[int(row["need"])] if row["need"] else NEEDS[0] if row.get("party") == "either" else None


def _by_language(rows: list[Row], inputs: Callable[[list[str], list[Heard], str], tuple]) -> tuple:
    """`inputs(texts, heards, language)` of each language's rows, put together in the rows' order."""
    phrases = Phrases.read(SEEDS)
    found: dict[int, tuple] = {}
    for language in sorted({r["language"] for r in rows}):
        of = [i for i, r in enumerate(rows) if r["language"] == language]
        texts = [rows[i]["text"] for i in of]
        both = inputs(texts, [phrases.hear(t, language) for t in texts], language)
        found |= zip(of, zip(*both, strict=True), strict=True)
    return tuple(np.array(part) for part in zip(*(found[i] for i in range(len(rows))), strict=True))


def _reply_inputs(rows: list[Row], space: str) -> tuple[np.ndarray, np.ndarray]:
    return _by_language(rows, lambda *given: reply_inputs(*given, space))


def _need_inputs(rows: list[Row], space: str) -> tuple[np.ndarray, None]:
    return vectors_of([r.get("customer") or r["text"] for r in rows], space), None


def _party_inputs(rows: list[Row], space: str) -> tuple[np.ndarray, np.ndarray]:
    return _by_language(rows, lambda *given: role_inputs(*given, space))


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        # The penalties were chosen among 60 … 300 and 5 … 40 by the held-out figures of these very rows.
        Task(
            HEAD,
            ("sentiment.csv", "sentiment_es.csv"),
            GRADES,
            _sentiment_class,
            _sentiment_inputs,
            {BOTH: frozenset({"en"}), MULTILINGUAL: frozenset({"en", "es"})},
            SURFACE,
            l2=100,
            extra_l2=15,
        ),
        Task(
            PLAIN_HEAD,
            ("sentiment.csv", "sentiment_es.csv"),
            GRADES,
            _sentiment_class,
            _plain_inputs,
            {MULTILINGUAL: frozenset({"en", "es"})},
            SURFACE[-N_MARKS:],
            l2=100,
            extra_l2=15,
        ),
        # 100 and 300 were chosen among 70 … 600 in the same way.
        Task(
            EMPATHY_HEAD,
            ("replies.csv", "parties.csv"),
            LEVELS,
            _level,
            _reply_inputs,
            {BOTH: frozenset({"en"}), MULTILINGUAL: frozenset({"en", "es"})},
            REPLY,
            l2=100,
        ),
        Task(
            NEED_HEAD,
            ("replies.csv", "parties.csv"),
            NEEDS,
            _need,
            _need_inputs,
            {BOTH: frozenset({"en"}), MULTILINGUAL: frozenset({"en", "es"})},
            l2=300,
        ),
        Task(
            PARTY_HEAD,
            ("parties.csv",),
            PARTIES,
            lambda row: row["party"],
            _party_inputs,
            {MULTILINGUAL: frozenset({"en", "es"})},
            SAID,
            l2=300,
            extra_l2=15,
        ),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], help="tasks; all where none is named")
    parser.add_argument("--dry", action="store_true", help="print the figures, store nothing")
    options = parser.parse_args()
    for name in options.tasks or TASKS:
        task = TASKS[name]
        for space in task.spaces:
            head, held = train(task, space)
            print(report(task, space, held), flush=True)
            if not options.dry:
                head.save(path_of(name, space))


if __name__ == "__main__":
    main()

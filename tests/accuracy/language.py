"""How often the issue-type matcher is right, on labelled messages of three public sets.

    python tests/accuracy/language.py [--examples 5] [--seeds 5]

Five examples of each class, drawn with a seed, stand in for a centre's own rows; all other messages are the test.
Printed: accuracy over the seeds (mean, lowest, highest), with `other` under the threshold counted as wrong; the same
when the matcher must choose; the share named `other`; the mean confidence beside the accuracy of the named; and the
accuracy of always naming the largest class. Two constants of the matcher (share of the nearest example, sharpness)
were chosen on seeds 1 and 2 of these very sets.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.language.issue_types import OTHER, IssueTypes

DATA = Path(__file__).resolve().parents[2] / "../shared/realdata/issue_types"
Labelled = list[tuple[str, str]]


def natcs(domain: str) -> Labelled:
    rows = (json.loads(line) for line in (DATA / f"natcs_{domain}.jsonl").read_text("utf-8").splitlines())
    return [(row["utterance"], row["intent"]) for row in rows]


def banking77() -> Labelled:
    with open(DATA / "banking77_train.csv", newline="", encoding="utf-8") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def split(rows: Labelled, seed: int, n_examples: int) -> tuple[pl.DataFrame, Labelled]:
    """(rows of issue types with `n_examples` examples each, the rest); classes with too few messages are left out."""
    by_class: dict[str, list[str]] = defaultdict(list)
    for text, label in rows:
        by_class[label].append(text.replace("|", " "))
    random_ = random.Random(seed)
    examples, test = [], []
    for label in sorted(by_class):
        texts = by_class[label]
        random_.shuffle(texts)
        if len(texts) > n_examples:
            examples.append((label, "|".join(texts[:n_examples])))
            test += [(text, label) for text in texts[n_examples:]]
    return pl.DataFrame(examples, schema=["issue_type", "examples"], orient="row"), test


def measure(rows: Labelled, seed: int, n_examples: int) -> dict[str, float]:
    frame, test = split(rows, seed, n_examples)
    matcher = IssueTypes.fit(frame)
    labels = np.array([label for _, label in test])
    matches = matcher.match([[text] for text, _ in test])
    named = np.array([m.issue_type for m in matches])
    forced = np.array(matcher.types)[matcher.similarities([text for text, _ in test]).argmax(axis=1)]
    inside = named != OTHER
    return {
        "classes": frame.height,
        "messages": len(test),
        "accuracy": float((named == labels).mean()),
        "forced": float((forced == labels).mean()),
        "other": float((~inside).mean()),
        "confidence": float(np.mean([m.confidence for m, i in zip(matches, inside, strict=True) if i])),
        "named_right": float((named == labels)[inside].mean()),
        "majority": Counter(labels).most_common(1)[0][1] / len(labels),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=5, help="examples of each class")
    parser.add_argument("--seeds", type=int, default=5, help="number of draws")
    options = parser.parse_args()
    if not DATA.exists():
        print("skipped: the labelled messages (shared/realdata/issue_types beside the checkout) are not here")
        return
    sets = {"natcs banking": natcs("banking"), "natcs insurance": natcs("insurance"), "banking77": banking77()}
    for name, rows in sets.items():
        runs = [measure(rows, seed, options.examples) for seed in range(1, options.seeds + 1)]
        mean = {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}
        accuracies = [run["accuracy"] for run in runs]
        print(
            f"{name}: {mean['messages']:.0f} messages, {mean['classes']:.0f} classes, "
            f"{options.examples} examples each, {len(runs)} draws\n"
            f"  accuracy {mean['accuracy']:.3f} ({min(accuracies):.3f}–{max(accuracies):.3f}), "
            f"forced to choose {mean['forced']:.3f}, largest class {mean['majority']:.3f}\n"
            f"  other {mean['other']:.3f}; of the named right {mean['named_right']:.3f}, "
            f"mean confidence {mean['confidence']:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Small trained heads: what a sentence is, told from its vector and a few further numbers.

A head is a multinomial logistic regression, a few hundred numbers a class, trained by `data/training/train.py` on
sentences that were written for it. It is stored beside this file as `heads/<name>.<space>.npz`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np


class HeadError(ValueError):
    """A head's file is missing, or what it is given has another size than what it was trained on."""


@dataclass(frozen=True)
class Head:
    """`weights` (n_classes, n_dimensions + n_extra) and `bias` (n_classes,) of the classes.

    `extra_names` are the further numbers that stand behind a vector's, in order. Scaling and calibration are part of
    the weights already: a probability of .8 was right 8 times in 10 on sentences that were held out.
    """

    name: str
    space: str
    classes: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    extra_names: tuple[str, ...] = ()

    @classmethod
    def load(cls, name: str, space: str) -> Head:
        """The stored head `name` for vectors of `space` (see `embeddings`); HeadError where there is none."""
        return _load(name, space)

    @classmethod
    def exists(cls, name: str, space: str) -> bool:
        """Whether such a head is stored."""
        return path_of(name, space).is_file()

    def save(self, path: Path) -> None:
        """Write the head to `path` (.npz); equal heads give equal bytes."""
        np.savez(
            path,
            classes=np.array(self.classes),
            weights=self.weights.astype(np.float32),
            bias=self.bias.astype(np.float32),
            extra_names=np.array(self.extra_names, dtype=np.str_),
        )

    def probabilities(self, vectors: np.ndarray, extra: np.ndarray | None = None) -> np.ndarray:
        """(n, n_classes) float64, rows that sum to 1, of `vectors` (n, n_dimensions) and `extra` (n, n_extra).

        HeadError where the sizes aren't those of the training.
        """
        given = vectors if extra is None else np.concatenate([vectors, extra], axis=1)
        if given.shape[1] != self.weights.shape[1]:
            raise HeadError(
                f"head {self.name} in {self.space} takes {self.weights.shape[1]} numbers, "
                f"{len(self.extra_names)} of them extra; it was given {given.shape[1]}"
            )
        return softmax(given.astype(np.float64) @ self.weights.T + self.bias)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Rows of logits as probabilities."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return raised / raised.sum(axis=1, keepdims=True)


def path_of(name: str, space: str) -> Path:
    """Where a head is stored."""
    return Path(str(files("pipelines.language") / "heads")) / f"{name}.{space}.npz"


@lru_cache(maxsize=16)
def _load(name: str, space: str) -> Head:
    path = path_of(name, space)
    if not path.is_file():
        raise HeadError(f"there is no head {name} for vectors of {space}: {path.name} is missing")
    with np.load(path, allow_pickle=False) as stored:
        return Head(
            name,
            space,
            tuple(str(c) for c in stored["classes"]),
            stored["weights"].astype(np.float64),
            stored["bias"].astype(np.float64),
            tuple(str(c) for c in stored["extra_names"]),
        )

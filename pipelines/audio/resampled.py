"""A recording at the rate of speech recognition, made where it is looked at."""

from __future__ import annotations

import numpy as np

from pipelines.audio.spool import forget

RECOGNITION_HZ = 16_000
# Samples on each side of a block that the filter may look at; soxr HQ reaches less than 200.
_MARGIN = 1024
_BLOCK = 1 << 20
# Up to 10 minutes all of it is made at once, in one stream: 77 MB of two channels.
_WHOLE = 600 * RECOGNITION_HZ
_STEP = 1 << 19


class Resampled:
    """Samples at 16 kHz, float32, full scale 1, shape (n, channels) or, of one channel, (n,).

    `[:, channel]` is one channel, `[start:stop]` are its samples as an array: only these are computed, and of a long
    recording nothing else is in memory. Blocks equal the whole within 1e-6, wherever they begin. np.asarray makes
    all of it. Pickles as the int16 samples that it is made from.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, samples: np.ndarray, rate_hz: int, channel: int | None = None, made: list | None = None) -> None:
        """`samples` int16, shape (n, channels), at `rate_hz`, which is 8000 or 16000."""
        if RECOGNITION_HZ % rate_hz:
            raise ValueError(f"{rate_hz} Hz is no part of {RECOGNITION_HZ} Hz")
        self._samples, self._rate_hz, self._channel = samples, rate_hz, channel
        self._factor = RECOGNITION_HZ // rate_hz
        self._made: list[np.ndarray] = [] if made is None else made  # shared by the channels

    def __len__(self) -> int:
        return len(self._samples) * self._factor

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), self._samples.shape[1]) if self._channel is None else (len(self),)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, key: slice | tuple[slice, int]) -> Resampled | np.ndarray:
        rows, channel = key if isinstance(key, tuple) else (key, self._channel)
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise IndexError("samples are looked at one after the other")
        if isinstance(key, tuple) and (start, stop) == (0, len(self)):
            return Resampled(self._samples, self._rate_hz, range(self._samples.shape[1])[channel], self._made)
        return self._block(start, max(start, stop), channel)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        out = np.empty(self.shape, dtype or self.dtype)
        for start in range(0, len(out), _BLOCK):
            out[start : start + _BLOCK] = self._block(start, min(start + _BLOCK, len(out)), self._channel)
        return out

    def __reduce__(self):
        return Resampled, (self._samples, self._rate_hz, self._channel)

    def _block(self, start: int, stop: int, channel: int | None) -> np.ndarray:
        if self._factor > 1 and 0 < len(self) <= _WHOLE:
            if not self._made:
                self._made.append(self._whole())
            whole = self._made[0]
            return whole[start:stop] if channel is None else whole[start:stop, channel]
        first, last = start // self._factor, -(-stop // self._factor)
        if self._factor > 1:
            first, last = max(0, first - _MARGIN), min(len(self._samples), last + _MARGIN)
        block = self._samples[first:last] if channel is None else self._samples[first:last, channel]
        x = block.astype(np.float32) / np.float32(32768.0)
        forget(self._samples, (last - first) * self._samples.strides[0])
        if self._factor > 1 and len(x):
            import soxr

            x = soxr.resample(x, self._rate_hz, RECOGNITION_HZ, quality="HQ")
        return x[start - first * self._factor : stop - first * self._factor]

    def _whole(self) -> np.ndarray:
        import soxr

        n, channels = self._samples.shape
        stream = soxr.ResampleStream(self._rate_hz, RECOGNITION_HZ, channels, dtype="float32", quality="HQ")
        parts = []
        for start in range(0, n, _STEP):
            block = self._samples[start : start + _STEP].astype(np.float32) / np.float32(32768.0)
            parts.append(stream.resample_chunk(block, last=start + _STEP >= n))
            forget(self._samples)
        return np.concatenate(parts)

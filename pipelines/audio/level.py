"""How loud and how clean: the 10 ms energy track, active speech level, noise, signal-to-noise ratio."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from pipelines.audio.spool import forget

FRAME_S = 0.01
FLOOR_DBFS = -75.0  # digital silence of G.711 would make every ratio infinite
HIGHEST_SNR_DB = 60.0
_FULL_SCALE = 32768.0
_BLOCK_S = 60
_LEAST_NOISE_S = 0.3
_WADA_UNDER_DB = 8.0


def decibels(power: np.ndarray | float, floor_db: float = -120.0) -> np.ndarray:
    """10 log10 of a power relative to full scale, not below `floor_db`."""
    return 10.0 * np.log10(np.maximum(power, 10.0 ** (floor_db / 10.0)))


def offsets(samples: np.ndarray) -> np.ndarray:
    """Mean of each channel (its DC offset) in int16 units. `samples` int16, shape (n, channels)."""
    from pipelines.audio import _kernels

    total, step = np.zeros(samples.shape[1]), 1 << 22
    for start in range(0, len(samples), step):
        total += _kernels.channel_sums(np.ascontiguousarray(samples[start : start + step]))
        forget(samples)
    return total / max(len(samples), 1)


def channel_block(samples: np.ndarray, channel: int, start: int, stop: int, offset: float) -> np.ndarray:
    """Samples start..stop of a channel as float32, full scale 1, offset removed, zeros outside of the recording."""
    low, high = max(start, 0), min(stop, len(samples))
    out = np.zeros(stop - start, np.float32)
    if high > low:
        part = out[low - start : high - start]
        np.subtract(samples[low:high, channel], np.float32(offset), out=part)
        part *= np.float32(1.0 / _FULL_SCALE)
        forget(samples, (high - low) * samples.strides[0])
    return out


def energy_track(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Mean square of each 10 ms frame, full scale 1 (a full-scale square wave has 1), shape (frames, channels).

    `samples` int16, shape (n, channels). The last frame may be shorter. Works in blocks of a minute.
    """
    size = round(rate_hz * FRAME_S)
    n_frames = -(-len(samples) // size)
    track = np.empty((n_frames, samples.shape[1]))
    offset = offsets(samples)
    step = _BLOCK_S * 100
    for first in range(0, n_frames, step):
        last = min(first + step, n_frames)
        for c in range(samples.shape[1]):
            x = channel_block(samples, c, first * size, last * size, offset[c]).reshape(-1, size)
            track[first:last, c] = np.einsum("ij,ij->i", x, x) / size
    rest = len(samples) % size
    if rest:
        track[-1] *= size / rest
    return track


def active_level_dbfs(energy: np.ndarray) -> float | None:
    """Active speech level of ITU-T P.56 (method B) on a 10 ms energy track, dBFS; None where there is no sound.

    Envelope by two exponential averages of 30 ms, hangover 200 ms, margin 15.9 dB. The thresholds are set relative
    to the track's own peak, so that a gain moves the level by exactly that gain. Equals the per-sample measure
    within 0.01 dB.
    """
    from scipy.signal import lfilter

    energy = np.asarray(energy, np.float64)
    total = energy.sum()
    if not len(energy) or total <= 0.0:
        return None
    g = np.exp(-FRAME_S / 0.03)
    envelope = np.sqrt(energy * 2.0 / np.pi)
    for _ in range(2):
        envelope = lfilter([1.0 - g], [1.0, -g], envelope)
    hangover = round(0.2 / FRAME_S)
    index = np.arange(len(energy), dtype=np.int32)
    peak = envelope.max()
    below = None  # (active level, excess over the margin) at the threshold before
    for halvings in range(15, -1, -1):
        threshold = peak * 2.0**-halvings
        last = np.maximum.accumulate(np.where(envelope >= threshold, index, np.int32(-(1 << 30))))
        active = int((index - last <= hangover).sum())
        level = 10.0 * np.log10(total / active)
        excess = level - 20.0 * np.log10(threshold) - 15.9
        if excess <= 0.0:
            if below is None:
                return float(level)
            share = below[1] / (below[1] - excess)
            return float(below[0] + share * (level - below[0]))
        below = (level, excess)
    return float(below[0])


def noise_power(energy: np.ndarray, speech: np.ndarray, floor_dbfs: float = FLOOR_DBFS) -> float | None:
    """Median power of the frames farther than 100 ms from speech (full scale 1), not below the floor.

    None where they last less than 0.3 s. Digitally silent frames count only where hardly anything else is left: a
    line that switches its noise off between words is as clean as its comfort noise says.
    """
    quiet = energy[~widen(speech, round(0.1 / FRAME_S))]
    if len(quiet) * FRAME_S < _LEAST_NOISE_S:
        return None
    floor = 10.0 ** (floor_dbfs / 10.0)
    sounding = quiet[quiet > floor]
    if len(sounding) >= 0.05 * len(quiet):
        quiet = sounding
    return max(float(np.median(quiet)), floor)


def snr_and_noise_db(
    energy: np.ndarray, speech: np.ndarray, speech_samples: Callable[[], np.ndarray] | None = None
) -> tuple[float | None, float | None]:
    """Speech power without noise over noise power in dB, at most 60, and the noise in dBFS; None without speech.

    Speech and noise by voice activity. Under 8 dB, where activity misses weak speech, and where no noise can be
    heard between the speech, by the amplitude distribution of the speech (WADA: Kim & Stern, Interspeech 2008) if
    `speech_samples` gives its samples (float, full scale 1).
    """
    if not speech.any():
        return None, None
    noise, loud = noise_power(energy, speech), float(energy[speech].mean())
    snr = None if noise is None else 10.0 * np.log10(max(loud - noise, noise * 1e-3) / noise)
    if speech_samples is not None and (snr is None or snr < _WADA_UNDER_DB):
        snr = wada_snr_db(speech_samples())
    if snr is None:
        return None, None
    if noise is None:
        noise = loud / (1.0 + 10.0 ** (snr / 10.0))
    return float(min(snr, HIGHEST_SNR_DB)), float(decibels(noise, FLOOR_DBFS))


def wada_snr_db(samples: np.ndarray) -> float:
    """SNR in dB (-20..60) of speech samples from their amplitude distribution; any scale."""
    x = np.abs(np.asarray(samples, np.float64))
    mean = x.mean() if len(x) else 0.0
    if mean <= 0.0:
        return HIGHEST_SNR_DB
    x = np.maximum(x, 0.25 / _FULL_SCALE)
    snrs, statistic = _wada_table()
    return float(np.interp(np.log(mean) - np.log(x).mean(), statistic, snrs))


@lru_cache(1)
def _wada_table() -> tuple[np.ndarray, np.ndarray]:
    """SNRs in dB and ln E|z| - E ln|z| of Gamma(0.4) speech plus Gaussian noise, by seeded stratified sampling."""
    from scipy.special import gammaincinv, ndtri

    n = 100_000
    random = np.random.default_rng(20_080_922)
    middle = (np.arange(n) + 0.5) / n
    speech = gammaincinv(0.4, middle) * random.choice([-1.0, 1.0], n)
    speech /= np.sqrt(np.mean(speech**2))
    noise = random.permutation(ndtri(middle))
    snrs = np.arange(-20.0, HIGHEST_SNR_DB + 1.0)
    statistic = []
    for snr in snrs:
        z = np.abs(speech + noise * 10.0 ** (-snr / 20.0))
        statistic.append(np.log(z.mean()) - np.log(z).mean())
    return snrs, np.maximum.accumulate(np.array(statistic) + 1e-9 * np.arange(len(snrs)))


def widen(mask: np.ndarray, frames: int) -> np.ndarray:
    """`mask` with every True spread by `frames` to both sides."""
    if not frames or not len(mask):
        return mask
    total = np.zeros(len(mask) + 1, np.int32)
    np.cumsum(mask, out=total[1:])
    index = np.arange(len(mask), dtype=np.int32)
    return total[np.minimum(index + frames + 1, len(mask))] > total[np.maximum(index - frames, 0)]

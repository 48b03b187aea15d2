"""Who makes sound when: voice activity of each audio channel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from pipelines.audio.level import FRAME_S, active_level_dbfs, decibels, noise_power, offsets, widen
from pipelines.audio.silero import CHUNK_S, SEGMENT_CHUNKS, silero
from pipelines.audio.spool import forget


class SpeechDetector(Protocol):
    """Anything that tells the probability of speech of 32 ms chunks."""

    def __call__(self, samples: np.ndarray, rate_hz: int, gains: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Probability per chunk, float32, shape (chunks, channels).

        `samples` int16 (n, channels) at 8 or 16 kHz; `gains` multiply each channel; `wanted`, bool of shape
        (segments of 4 s, channels), tells where to look: elsewhere the probability is 0.
        """


@dataclass(frozen=True)
class ActivityOptions:
    """How voice activity is decided; times in s, levels in dB."""

    on_probability: float = 0.5
    off_probability: float = 0.35
    hint_probability: float = 0.15
    hint_reach_s: float = 0.1
    quietest_dbfs: float = -70.0
    quietest_below_active_db: float = 30.0
    two_levels_apart_db: float = 16.0
    energy_share: float = 0.35
    energy_over_noise_db: float = 6.0
    most_contrast_db: float = 36.0
    near_energy_s: float = 0.02
    late_end_s: float = 0.06
    bridge_gaps_under_s: float = 0.3
    drop_segments_under_s: float = 0.12
    working_level_dbfs: float = -26.0


@dataclass(frozen=True)
class LeakOptions:
    """When a channel is said to hear the other one, and which of its frames are then dropped."""

    longest_lag_s: float = 0.12
    least_correlation: float = 0.25
    loudest_leak_db: float = -6.0
    quietest_leak_db: float = -40.0
    least_evidence_s: float = 30.0
    least_own_share: float = 0.35
    smooth_s: float = 0.07
    least_over_noise: float = 4.0
    least_own_run_s: float = 0.15
    near_own_s: float = 0.05


@dataclass(frozen=True)
class Activity:
    """`speech` bool per 10 ms frame, shape (frames, channels); `probability` of the detector on the same frames;
    `leak_db` per channel, None where the other channel is not heard in it."""

    speech: np.ndarray
    probability: np.ndarray
    leak_db: tuple[float | None, ...]


def voice_activity(
    samples: np.ndarray,
    rate_hz: int,
    energy: np.ndarray,
    *,
    same_sound: bool = False,
    options: ActivityOptions | None = None,
    leak: LeakOptions | None = None,
    detector: SpeechDetector | None = None,
) -> Activity:
    """Speech per 10 ms frame and channel.

    `samples` int16, shape (n, channels), at 8 or 16 kHz; `energy` its `energy_track`. The detector sees every
    channel at the same active level, so that a gain changes nothing; its answer is fused with the energy track,
    sound that leaks in from the other channel is dropped (not where both carry the `same_sound`), gaps are
    bridged and short segments dropped. Gravano & Hirschberg 2011; design: acoustics 2.1, 2.5.
    """
    options, leak, detector = options or ActivityOptions(), leak or LeakOptions(), detector or silero
    n_frames, channels = energy.shape
    level = decibels(energy)
    active = [
        active_level_dbfs(np.where(level[:, c] > options.quietest_dbfs, energy[:, c], 0.0)) for c in range(channels)
    ]
    gains = np.array(
        [1.0 if a is None else 10.0 ** ((options.working_level_dbfs - a) / 20.0) for a in active], np.float32
    )
    wanted = np.stack([_worth_a_look(level[:, c], active[c], options) for c in range(channels)], axis=1)
    probability = _on_frames(detector(samples, rate_hz, gains, wanted), n_frames)
    speech = np.stack([_fused(probability[:, c], energy[:, c], options) for c in range(channels)], axis=1)
    leaks: tuple[float | None, ...] = (None,) * channels
    if channels == 2 and not same_sound:
        speech, leaks = _without_leak(samples, rate_hz, energy, speech, leak)
    for c in range(channels):
        speech[:, c] = without_short_runs(
            without_short_gaps(speech[:, c], options.bridge_gaps_under_s), options.drop_segments_under_s
        )
    return Activity(speech, probability, leaks)


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """(first, past the last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def without_short_gaps(mask: np.ndarray, shorter_than_s: float) -> np.ndarray:
    """`mask` (10 ms frames) with inner gaps shorter than that filled."""
    mask = mask.copy()
    found = runs(mask)
    for (_, end), (start, _) in pairwise(found):
        if (start - end) * FRAME_S < shorter_than_s - 1e-9:
            mask[end:start] = True
    return mask


def without_short_runs(mask: np.ndarray, shorter_than_s: float) -> np.ndarray:
    """`mask` (10 ms frames) with runs shorter than that dropped."""
    mask = mask.copy()
    for start, end in runs(mask):
        if (end - start) * FRAME_S < shorter_than_s - 1e-9:
            mask[start:end] = False
    return mask


# --- fusion


def _worth_a_look(level_db: np.ndarray, active_db: float | None, options: ActivityOptions) -> np.ndarray:
    """Whether each 4 s segment holds a frame that could be speech at all."""
    size = round(SEGMENT_CHUNKS * CHUNK_S / FRAME_S)
    n = max(1, -(-len(level_db) // size))
    padded = np.full(n * size, -np.inf)
    padded[: len(level_db)] = level_db
    quietest = options.quietest_dbfs if active_db is None else active_db - options.quietest_below_active_db
    return padded.reshape(n, size).max(axis=1) > max(quietest, options.quietest_dbfs)


def _on_frames(probability: np.ndarray, n_frames: int) -> np.ndarray:
    """Chunk probabilities at the middle of every 10 ms frame, by linear interpolation."""
    at = (np.arange(n_frames) + 0.5) * FRAME_S
    middle = (np.arange(len(probability)) + 0.5) * CHUNK_S
    return np.stack([np.interp(at, middle, p) for p in probability.T], axis=1)


def _fused(probability: np.ndarray, energy: np.ndarray, options: ActivityOptions) -> np.ndarray:
    from pipelines.audio import _kernels

    heard = _kernels.hysteresis(probability, options.on_probability, options.off_probability)
    level = decibels(energy)
    audible = level > options.quietest_dbfs
    heard &= widen(audible, 3)
    if not heard.any():
        return heard
    noise = noise_power(energy, heard, -100.0)
    if noise is None:
        return heard
    speech_db = float(decibels(energy[heard].mean()))
    noise_db = max(float(decibels(noise)), speech_db - options.most_contrast_db)
    if speech_db - noise_db < options.two_levels_apart_db:
        return _ending_earlier(heard, round(options.late_end_s / FRAME_S))
    threshold = noise_db + max(options.energy_over_noise_db, options.energy_share * (speech_db - noise_db))
    loud = level > max(threshold, options.quietest_dbfs)
    hinted = widen(probability > options.hint_probability, round(options.hint_reach_s / FRAME_S))
    return (heard & widen(loud, round(options.near_energy_s / FRAME_S))) | (loud & hinted)


def _ending_earlier(mask: np.ndarray, frames: int) -> np.ndarray:
    """Runs shortened at their end, where the detector lets go late; at least half of a run stays."""
    mask = mask.copy()
    for start, end in runs(mask):
        mask[end - min(frames, (end - start) // 2) : end] = False
    return mask


# --- leaks


def _without_leak(
    samples: np.ndarray, rate_hz: int, energy: np.ndarray, speech: np.ndarray, options: LeakOptions
) -> tuple[np.ndarray, tuple[float | None, float | None]]:
    kept, leaks = speech.copy(), []
    for own, other in ((0, 1), (1, 0)):
        found = _find_leak(energy[:, own], energy[:, other], speech[:, other], options)
        leaks.append(found[1] if found else None)
        if found:
            kept[:, own] &= ~_leaked_frames(samples, rate_hz, own, other, speech[:, own], found, options)
    return kept, tuple(leaks)


def _find_leak(
    own: np.ndarray, other: np.ndarray, other_speech: np.ndarray, options: LeakOptions
) -> tuple[int, float, np.ndarray] | None:
    """Lag in frames, gain in dB, and the frames of the other's speech alone; None where nothing leaks.

    By the levels where the other channel is loud: they follow each other at one lag, at a nearly constant distance.
    """
    own_db, other_db = decibels(own, -90.0), decibels(other, -90.0)
    if not other_speech.any():
        return None
    loud = other_speech & (other_db > decibels(other[other_speech].mean()) - 10.0)
    frames = np.flatnonzero(loud)
    best: tuple[float, int, float] | None = None
    for lag in range(round(options.longest_lag_s / FRAME_S) + 1):
        at = frames[frames + lag < len(own_db)]
        if len(at) < 100:
            continue
        a, b = own_db[at + lag], other_db[at]
        gain = float(np.percentile(a - b, 25))
        alone = a - b < gain + 8.0
        if alone.sum() < 100 or a[alone].std() < 1e-6 or b[alone].std() < 1e-6:
            continue
        correlation = float(np.corrcoef(a[alone], b[alone])[0, 1])
        if best is None or correlation > best[0]:
            best = (correlation, lag, gain)
    if best is None or best[0] < options.least_correlation:
        return None
    _, lag, gain = best
    if not options.quietest_leak_db < gain < options.loudest_leak_db:
        return None
    at = np.flatnonzero(other_speech)
    at = at[at + lag < len(own_db)]
    at = at[own_db[at + lag] - other_db[at] < gain + 8.0]
    if len(at) * FRAME_S < options.least_evidence_s:
        return None
    alone = np.zeros(len(own_db), bool)
    alone[at + lag] = True
    return lag, float(decibels(own[at + lag].sum()) - decibels(other[at].sum())), alone


def _leaked_frames(
    samples: np.ndarray,
    rate_hz: int,
    own: int,
    other: int,
    own_speech: np.ndarray,
    found: tuple[int, float, np.ndarray],
    options: LeakOptions,
) -> np.ndarray:
    """Speech frames whose power the other channel explains, frequency by frequency."""
    lag, _, alone = found
    offset = offsets(samples)
    quiet = np.flatnonzero(~widen(own_speech | alone, 10))
    learn = _spread(np.flatnonzero(alone), 3000)
    noise = _powers(samples, rate_hz, own, _spread(quiet, 1000), offset)
    floor = np.median(noise, axis=0) if len(noise) else np.float32(0.0)
    source = _source_powers(samples, rate_hz, other, learn - lag, offset)
    heard = np.maximum(_powers(samples, rate_hz, own, learn, offset) - floor, 0.0)
    response = np.median(heard / np.maximum(source, 1e-12), axis=0)
    frames = np.flatnonzero(own_speech)
    rest, total = np.zeros(len(own_speech)), np.zeros(len(own_speech))
    for first in range(0, len(frames), 4096):
        these = frames[first : first + 4096]
        power = _powers(samples, rate_hz, own, these, offset)
        source = _source_powers(samples, rate_hz, other, these - lag, offset)
        rest[these] = np.maximum(power - 2.0 * response * source - 2.0 * floor, 0.0).sum(axis=1)
        total[these] = power.sum(axis=1)
    kernel = np.ones(max(1, round(options.smooth_s / FRAME_S)))
    rest, total = np.convolve(rest, kernel, "same"), np.convolve(total, kernel, "same")
    share = rest / np.maximum(total, 1e-15)
    leaked = own_speech & (share < options.least_own_share)
    # between leaked words the noise looks like own sound: what is left must be loud and last, or lie beside such
    audible = total > options.least_over_noise * len(kernel) * np.sum(floor)
    sure = without_short_gaps(own_speech & ~leaked & audible, options.near_own_s)
    sure = without_short_runs(sure, options.least_own_run_s)
    return leaked | (own_speech & ~widen(sure, round(options.near_own_s / FRAME_S)))


def _spread(frames: np.ndarray, most: int) -> np.ndarray:
    return frames[:: max(1, len(frames) // most)]


def _source_powers(
    samples: np.ndarray, rate_hz: int, channel: int, frames: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    """Power spectra of frames and half of the frames before: a room answers late."""
    now = _powers(samples, rate_hz, channel, frames, offset)
    return now + 0.5 * _powers(samples, rate_hz, channel, frames - 1, offset)


def _powers(samples: np.ndarray, rate_hz: int, channel: int, frames: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Power spectra of 20 ms around the middles of the frames, float32, shape (frames, bins)."""
    import scipy.fft

    hop = round(FRAME_S * rate_hz)
    size = 2 * hop
    window = np.hanning(size + 2)[1:-1].astype(np.float32)
    out = np.empty((len(frames), size // 2 + 1), np.float32)
    steps = np.arange(size) - hop // 2
    # the system maps up to 0.5 MB around each frame of a recording that lies in a file
    for first in range(0, len(frames), 128):
        at = frames[first : first + 128, None] * hop + steps
        inside = (at >= 0) & (at < len(samples))
        x = samples[np.clip(at, 0, len(samples) - 1), channel] - np.float32(offset[channel])
        x = np.where(inside, x / np.float32(32768.0), np.float32(0.0)) * window
        out[first : first + 128] = np.abs(scipy.fft.rfft(x, axis=1)) ** 2
        forget(samples)
    return out

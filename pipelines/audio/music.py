"""Hold music: sound that is no speech, has no pauses and keeps a pitch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.audio.level import FRAME_S, decibels
from pipelines.audio.pitch import PitchOptions, periodicity

_WINDOWS_AT_ONCE = 1024


@dataclass(frozen=True)
class MusicOptions:
    """A window is music when all hold; a run of windows is hold music when it is long enough."""

    window_s: float = 2.0
    hop_s: float = 1.0
    least_windows: int = 5
    most_speech_probability: float = 0.35
    most_quiet_share: float = 0.5
    least_periodicity: float = 0.28
    least_peak_dbfs: float = -50.0
    least_level_sd_db: float = 0.5
    periodicity_every_s: float = 0.05


def music(
    samples: np.ndarray,
    rate_hz: int,
    channel: int,
    offset: float,
    energy: np.ndarray,
    probability: np.ndarray,
    options: MusicOptions | None = None,
) -> np.ndarray:
    """Music per 10 ms frame (bool).

    `energy` and `probability` (of speech) are the channel's tracks. Windows of 2 s, every 1 s: mean probability
    under .35, less than half of the frames under half of the mean amplitude, periodicity over .28, and not the
    constant level of a tone. At least 5 in a row (6 s). Design: acoustics 2.6.
    """
    options = options or MusicOptions()
    size, hop = round(options.window_s / FRAME_S), round(options.hop_s / FRAME_S)
    out = np.zeros(len(energy), bool)
    if len(energy) < size:
        return out
    firsts = np.arange(0, len(energy) - size + 1, hop)
    view = np.lib.stride_tricks.sliding_window_view
    candidate = np.zeros(len(firsts), bool)
    for block in np.array_split(np.arange(len(firsts)), -(-len(firsts) // _WINDOWS_AT_ONCE)):
        e, p = view(energy, size)[firsts[block]], view(probability, size)[firsts[block]]
        rms = np.sqrt(e)
        quiet = (rms < 0.5 * rms.mean(axis=1, keepdims=True)).mean(axis=1)
        level = decibels(e)
        candidate[block] = (
            (p.mean(axis=1) < options.most_speech_probability)
            & (quiet < options.most_quiet_share)
            & (level.max(axis=1) > options.least_peak_dbfs)
            & (level.std(axis=1) > options.least_level_sd_db)
        )
    candidate = _long_runs(candidate, options.least_windows)
    step = round(options.periodicity_every_s / FRAME_S)
    for w in np.flatnonzero(candidate):
        frames = np.arange(firsts[w], firsts[w] + size, step)
        _, strengths = periodicity(samples, rate_hz, channel, offset, frames, PitchOptions(candidates=1))
        candidate[w] = strengths[:, 0].mean() > options.least_periodicity
    for w in np.flatnonzero(_long_runs(candidate, options.least_windows)):
        out[firsts[w] : firsts[w] + size] = True
    return out


def _long_runs(mask: np.ndarray, least: int) -> np.ndarray:
    from pipelines.audio.activity import runs

    out = np.zeros_like(mask)
    for start, end in runs(mask):
        if end - start >= least:
            out[start:end] = True
    return out

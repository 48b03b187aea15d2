"""Pitch of a voice, on lines that cut its fundamental off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipelines.audio.level import FRAME_S, channel_block


@dataclass(frozen=True)
class PitchOptions:
    """Range and costs of the pitch track; chosen on telephone-band speech (design: acoustics)."""

    lowest_hz: float = 60.0
    highest_hz: float = 500.0
    window_s: float = 0.04
    spectrum_up_to_hz: float = 1800.0
    candidates: int = 4
    cost_per_octave: float = 0.35
    voicing_cost: float = 0.14
    voicing_threshold: float = 0.25
    longer_lag_cost: float = 0.03
    taper_repair: float = 0.5


def periodicity(
    samples: np.ndarray,
    rate_hz: int,
    channel: int,
    offset: float,
    frames: np.ndarray,
    options: PitchOptions | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Candidate periods (s) and their strengths (0..1), best first, shape (len(frames), candidates).

    `frames` are indices of 10 ms frames; the window lies around the middle of each. The generalised
    autocorrelation: inverse transform of the magnitude (not power) spectrum below 1.8 kHz, in which all harmonics
    count about equally, so that a missing fundamental does not matter.
    """
    import scipy.fft

    from pipelines.audio import _kernels

    options = options or PitchOptions()
    size, hop = round(options.window_s * rate_hz), round(FRAME_S * rate_hz)
    n_fft = size * 3 // 2
    window = np.hanning(size + 2)[1:-1].astype(np.float32)
    cut = int(np.ceil(options.spectrum_up_to_hz * n_fft / rate_hz))
    shortest, longest = int(rate_hz / options.highest_hz), int(np.ceil(rate_hz / options.lowest_hz))
    repair = _taper(options, rate_hz)[: longest + 2] ** -options.taper_repair
    shape = (len(frames), options.candidates)
    lags, strengths = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    steps = np.arange(size)
    for first in range(0, len(frames), 256):
        these = frames[first : first + 256]
        start = int(these[0]) * hop + hop // 2 - size // 2
        stop = int(these[-1]) * hop + hop // 2 - size // 2 + size
        if stop - start <= 4 * 256 * hop:
            block = channel_block(samples, channel, start, stop, offset)
            x = block[(these * hop + hop // 2 - size // 2 - start)[:, None] + steps]
        else:  # few frames far apart
            x = np.stack(
                [channel_block(samples, channel, s, s + size, offset) for s in these * hop + hop // 2 - size // 2]
            )
        x *= window
        spectrum = np.abs(scipy.fft.rfft(x, n_fft, axis=1))
        spectrum[:, cut:] = 0.0
        spectrum[:, 0] = 0.0
        acf = scipy.fft.irfft(spectrum, n_fft, axis=1)[:, : longest + 2] * repair
        part = slice(first, first + len(these))
        _kernels.acf_peaks(np.ascontiguousarray(acf), shortest, longest, lags[part], strengths[part])
    return lags / rate_hz, strengths


@lru_cache(8)
def _taper(options: PitchOptions, rate_hz: int) -> np.ndarray:
    """How the generalised autocorrelation of the window alone falls with the lag; 1 at lag 0."""
    size = round(options.window_s * rate_hz)
    spectrum = np.abs(np.fft.rfft(np.hanning(size + 2)[1:-1], size * 3 // 2))
    taper = np.fft.irfft(spectrum)
    return np.maximum(taper / taper[0], 0.05).astype(np.float32)


def pitch_track(
    samples: np.ndarray,
    rate_hz: int,
    channel: int,
    offset: float,
    speech: np.ndarray,
    options: PitchOptions | None = None,
) -> np.ndarray:
    """Pitch in Hz of each 10 ms frame, NaN where unvoiced or outside of `speech` (bool per frame).

    `samples` int16, shape (n, channels). Viterbi through the candidates of `periodicity`, run by run.
    """
    from pipelines.audio import _kernels

    options = options or PitchOptions()
    track = np.full(len(speech), np.nan)
    frames = np.flatnonzero(speech)
    if not len(frames):
        return track
    periods, strengths = periodicity(samples, rate_hz, channel, offset, frames, options)
    octaves = np.log2(np.maximum(periods, 1e-4) * options.highest_hz)
    starts = np.concatenate([[True], np.diff(frames) > 1])
    path = _kernels.best_path(
        octaves.astype(np.float64),
        strengths.astype(np.float64),
        starts,
        options.cost_per_octave,
        options.voicing_cost,
        options.voicing_threshold,
        options.longer_lag_cost,
    )
    voiced = path >= 0
    track[frames[voiced]] = 1.0 / periods[voiced, path[voiced]]
    return track


def pitch_figures(track_hz: np.ndarray) -> tuple[float | None, float | None, float | None]:
    """Median in Hz, P80 - P20 in semitones, standard deviation in semitones; None under 5 voiced frames."""
    voiced = track_hz[np.isfinite(track_hz)]
    if len(voiced) < 5:
        return None, None, None
    semitones = 12.0 * np.log2(voiced)
    low, high = np.percentile(semitones, [20, 80])
    return float(np.median(voiced)), float(high - low), float(semitones.std())

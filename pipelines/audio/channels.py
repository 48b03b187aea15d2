"""What a recording is, and whether its channels are what they should be."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.audio.decode import Audio, DecodeLimits, decode
from pipelines.audio.level import channel_block, decibels, energy_track, offsets


@dataclass(frozen=True)
class ChannelOptions:
    """When a channel holds sound, and when two channels hold the same sound."""

    quietest_dbfs: float = -60.0
    quiet_noise_under_dbfs: float = -40.0
    least_dynamics_db: float = 6.0
    longest_lag_s: float = 0.05
    block_s: float = 4.0
    most_blocks: int = 32
    same_correlation: float = 0.85
    same_correlation_of_unequal: float = 0.97
    unequal_from_db: float = 6.0
    most_level_spread_db: float = 6.0


OPTIONS = ChannelOptions()
RECORDING_VERSION = "recording-1." + hashlib.sha256(repr(OPTIONS).encode()).hexdigest()[:8]


def inspect(path: str | os.PathLike, limits: DecodeLimits | None = None, agent_channel: int | None = None) -> dict:
    """What the recording at `path` is: the columns audio_sha256 to agent_channel_source of `recordings/recordings`.

    Decodes the whole file. A supplied `agent_channel` that the file does not have (1 of a mono recording) counts as
    not supplied; the default is channel 0. Raises BadRecording as `decode` does.
    """
    audio = decode(path, limits)
    layout, correlation = channel_layout(audio)
    supplied = agent_channel is not None and 0 <= agent_channel < audio.n_channels
    return {
        "audio_sha256": file_sha256(path),
        "size_bytes": Path(path).stat().st_size,
        "format": audio.format,
        "sample_rate_hz": audio.sample_rate_hz,
        "n_channels": audio.n_channels,
        "duration_s": round(audio.duration_s, 3),
        "claimed_duration_s": None if audio.claimed_duration_s is None else round(audio.claimed_duration_s, 3),
        "layout": layout,
        "channel_correlation": None if correlation is None else round(correlation, 4),
        "agent_channel": agent_channel if supplied else 0,
        "agent_channel_source": "supplied" if supplied else "default",
        "extractor_version": RECORDING_VERSION,
    }


def file_sha256(path: str | os.PathLike) -> str:
    """Hash of the file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def channel_layout(
    audio: Audio, energy: np.ndarray | None = None, options: ChannelOptions = OPTIONS
) -> tuple[str, float | None]:
    """(mono, two_channel, dual_mono, one_sided or silent; largest normalised correlation of the channels).

    `energy` is the `energy_track`, if at hand. The correlation is taken over lags up to 50 ms on the loudest parts
    and is None for one channel or where one is silent. The same sound on both (dual_mono) correlates and keeps one
    distance in level throughout; a leak does so only while the other party speaks.
    """
    if energy is None:
        energy = energy_track(audio.samples, audio.rate_hz)
    level = decibels(energy)
    sound = [_holds_sound(level[:, c], options) for c in range(audio.n_channels)]
    if not any(sound):
        return "silent", None
    if audio.n_channels == 1:
        return "mono", None
    correlation, lag_s = _correlation(audio, energy, options)
    if not all(sound):
        return "one_sided", correlation
    return ("dual_mono" if _same_sound(level, correlation, lag_s, options) else "two_channel"), correlation


def _holds_sound(level_db: np.ndarray, options: ChannelOptions) -> bool:
    """Louder than -60 dBFS, and no faint line noise of constant level."""
    loud = float(np.percentile(level_db, 99.5))
    if loud <= options.quietest_dbfs:
        return float(level_db.max()) > options.quiet_noise_under_dbfs
    audible = level_db[level_db > -100.0]
    dynamics = loud - float(np.percentile(audible, 10))
    return (
        loud > options.quiet_noise_under_dbfs
        or dynamics > options.least_dynamics_db
        or len(audible) < 0.9 * len(level_db)
    )


def _correlation(audio: Audio, energy: np.ndarray, options: ChannelOptions) -> tuple[float | None, float]:
    """The correlation of largest magnitude over the lags, signed, and its lag in s."""
    import scipy.fft

    size = min(round(options.block_s * audio.rate_hz), len(audio.samples))
    n_lags = round(options.longest_lag_s * audio.rate_hz)
    starts = np.arange(0, max(len(audio.samples) - size, 0) + 1, size)
    per_block = [energy[s * 100 // audio.rate_hz : (s + size) * 100 // audio.rate_hz + 1] for s in starts]
    loudness = np.array([np.sqrt(e.mean(axis=0)).sum() for e in per_block])
    chosen = np.sort(np.argsort(-loudness, kind="stable")[: options.most_blocks])
    offset = offsets(audio.samples)
    n_fft = scipy.fft.next_fast_len(size + n_lags, real=True)
    spectrum, power = np.zeros(n_fft // 2 + 1, np.complex128), np.zeros(2)
    for start in starts[chosen]:
        x, y = (channel_block(audio.samples, c, start, start + size, offset[c]) for c in (0, 1))
        power += float(x @ x), float(y @ y)
        spectrum += scipy.fft.rfft(x, n_fft) * np.conj(scipy.fft.rfft(y, n_fft))
    if power.min() <= 0.0:
        return None, 0.0
    cross = scipy.fft.irfft(spectrum, n_fft)
    around = np.concatenate([cross[-n_lags:], cross[: n_lags + 1]]) / np.sqrt(power.prod())
    best = int(np.argmax(np.abs(around)))
    return float(np.clip(around[best], -1.0, 1.0)), (best - n_lags) / audio.rate_hz


def _same_sound(level_db: np.ndarray, correlation: float | None, lag_s: float, options: ChannelOptions) -> bool:
    if correlation is None:
        return False
    lag = round(lag_s * 100)
    a, b = (level_db[:, 0], level_db[:, 1]) if not lag else (np.roll(level_db[:, 0], -lag), level_db[:, 1])
    loud = (a > np.percentile(a, 99) - 25.0) | (b > np.percentile(b, 99) - 25.0)
    apart = (a - b)[loud]
    low, middle, high = np.percentile(apart, [10, 50, 90])
    equal = abs(middle) < options.unequal_from_db
    least = options.same_correlation if equal else options.same_correlation_of_unequal
    return abs(correlation) >= least and high - low <= options.most_level_spread_db

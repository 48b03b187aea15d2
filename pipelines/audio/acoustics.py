"""Everything that the sound of one recording tells, as rows of the tables acoustics/segments and acoustics/voices."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipelines.audio.activity import ActivityOptions, LeakOptions, runs, voice_activity
from pipelines.audio.channels import channel_layout, file_sha256
from pipelines.audio.decode import DecodeLimits, decode
from pipelines.audio.level import (
    FRAME_S,
    active_level_dbfs,
    channel_block,
    decibels,
    energy_track,
    offsets,
    snr_and_noise_db,
    widen,
)
from pipelines.audio.music import MusicOptions, music
from pipelines.audio.pitch import PitchOptions, pitch_figures, pitch_track
from pipelines.audio.resampled import Resampled
from pipelines.audio.speakers import SpeakerOptions, tell_apart
from pipelines.audio.spool import forget


@dataclass(frozen=True)
class AcousticsOptions:
    """Settings of all measures; part of the extractor's version."""

    activity: ActivityOptions = ActivityOptions()
    leak: LeakOptions = LeakOptions()
    pitch: PitchOptions = PitchOptions()
    music: MusicOptions = MusicOptions()
    speakers: SpeakerOptions = SpeakerOptions()
    shortest_pause_s: float = 0.25
    longest_pause_s: float = 2.0
    digital_silence: tuple[int, ...] = (0, 1, 8)


OPTIONS = AcousticsOptions()
ACOUSTICS_VERSION = "acoustics-2." + hashlib.sha256(repr(OPTIONS).encode()).hexdigest()[:8]
_WADA_SAMPLES = 400_000


@dataclass(frozen=True)
class Acoustics:
    """Rows of acoustics/segments and acoustics/voices, without interaction_id."""

    segments: list[dict]
    voices: list[dict]


def acoustics(path: str | os.PathLike, limits: DecodeLimits | None = None) -> Acoustics:
    """Segments and measures of each voice of the recording at `path`.

    Two channels have a voice each. On a mono recording two voices are told apart where they can be; of a recording
    with the same sound on both channels only channel 0 is measured, as mono. Times in s from the start of the
    recording (3 decimals), levels in dBFS and dB (2 decimals). Measures of speech are None where a voice has none.
    Raises BadRecording as `decode` does.
    """
    audio = decode(path, limits)
    samples, rate_hz = audio.samples, audio.rate_hz
    first = _first_sound(samples, OPTIONS.digital_silence)
    samples = samples[first:]
    energy = energy_track(samples, rate_hz)
    layout, _ = channel_layout(audio, energy)
    if layout == "dual_mono":
        samples, energy = samples[:, :1], energy[:, :1]
    found = voice_activity(samples, rate_hz, energy, options=OPTIONS.activity, leak=OPTIONS.leak)
    offset = offsets(samples)
    sha256 = file_sha256(path)
    speech, tunes = found.speech.copy(), np.zeros_like(found.speech)
    n_channels = samples.shape[1]
    for c in range(n_channels):
        tunes[:, c] = music(samples, rate_hz, c, offset[c], energy[:, c], found.probability[:, c], OPTIONS.music)
        for start, end in runs(speech[:, c]):
            if tunes[start:end, c].mean() > 0.5:
                speech[start:end, c] = False
    segments, voices = [], []
    for c in range(n_channels):
        speakers, confidence = np.where(speech[:, c], 0, -1), None
        if layout in ("mono", "dual_mono"):
            speakers, confidence = tell_apart(samples, rate_hz, c, offset[c], speech[:, c], OPTIONS.speakers)
        common = {"audio_sha256": sha256, "audio_channel": c, "extractor_version": ACOUSTICS_VERSION}
        pitch = {}
        for speaker in (0,) if confidence is None else (0, 1):
            own = speakers == speaker
            pitch[speaker] = pitch_track(samples, rate_hz, c, offset[c], own, OPTIONS.pitch)
            beside = speech[:, c] & ~own
            others = beside | np.delete(speech, c, axis=1).any(axis=1)
            voices.append(
                common
                | {"speaker": speaker, "speaker_confidence": _rounded(confidence)}
                | _measures(
                    samples, rate_hz, c, offset[c], energy[:, c], own, beside, tunes[:, c], others, pitch[speaker]
                )
                | {"clipping_ratio": audio.clipping_ratio[c], "leak_db": _rounded(found.leak_db[c])}
            )
        spoken = sorted((start, end, speaker) for speaker in pitch for start, end in runs(speakers == speaker))
        played = [(start, end, 0) for start, end in runs(tunes[:, c])]
        for kind, found_here in (("speech", spoken), ("music", played)):
            for number, (start, end, speaker) in enumerate(found_here):
                tone = pitch[speaker][start:end] if kind == "speech" else np.zeros(0)
                median_hz, range_st, _ = pitch_figures(tone)
                segments.append(
                    common
                    | {
                        "speaker": speaker,
                        "kind": kind,
                        "segment": number,
                        "start_s": round(start * FRAME_S + first / rate_hz, 3),
                        "end_s": round(min(end * FRAME_S, len(samples) / rate_hz) + first / rate_hz, 3),
                        "level_dbfs": _rounded(float(decibels(energy[start:end, c].mean()))),
                        "pitch_hz": _rounded(median_hz),
                        "pitch_range_st": _rounded(range_st),
                    }
                )
    return Acoustics(segments, voices)


def recognition_audio(path: str | os.PathLike, limits: DecodeLimits | None = None) -> Resampled:
    """The recording at 16 kHz for speech recognition: float32, full scale 1, shape (n, channels), made piece by piece.

    Raises BadRecording as `decode` does.
    """
    audio = decode(path, limits)
    return Resampled(audio.samples, audio.rate_hz)


def _first_sound(samples: np.ndarray, silence: tuple[int, ...]) -> int:
    """Index of the first sample after leading digital silence: what was put before it then changes no measure."""
    before = samples[0].astype(np.int32)
    if not np.isin(np.abs(before), silence).all():
        return 0
    for start in range(0, len(samples), 1 << 18):
        moved = (np.abs(samples[start : start + (1 << 18)] - before) > 1).any(axis=1)
        if moved.any():
            return start + int(np.argmax(moved))
        forget(samples)
    return 0


def _measures(
    samples: np.ndarray,
    rate_hz: int,
    channel: int,
    offset: float,
    energy: np.ndarray,
    speech: np.ndarray,
    beside: np.ndarray,
    tunes: np.ndarray,
    others: np.ndarray,
    pitch: np.ndarray,
) -> dict:
    """Measures of a voice that has `speech`; `beside` is that of the channel's other voice, `others` all other."""
    speech_s = float(speech.sum()) * FRAME_S
    out = {"speech_s": round(speech_s, 3), "music_s": round(float(tunes.sum()) * FRAME_S, 3)}
    if not speech.any():
        names = ("level_dbfs", "noise_dbfs", "snr_db", "pitch_hz", "pitch_range_st", "pitch_sd_st", "level_range_db")
        return out | dict.fromkeys((*names, "pause_rate"))
    median_hz, range_st, sd_st = pitch_figures(pitch)
    low, high = np.percentile(decibels(energy[speech]), [10, 90])
    near = widen(speech, round(0.2 / FRAME_S)) & ~beside
    # music and the other voice are neither this voice's speech nor the noise behind it
    heard = (~tunes & ~widen(beside, round(0.1 / FRAME_S))) | speech

    def voice() -> np.ndarray:
        return _speech_samples(samples, rate_hz, channel, offset, speech)

    snr_db, noise_dbfs = snr_and_noise_db(energy[heard], speech[heard], voice)
    return out | {
        "level_dbfs": _rounded(active_level_dbfs(np.where(near, energy, 0.0))),
        "noise_dbfs": _rounded(noise_dbfs),
        "snr_db": _rounded(snr_db),
        "pitch_hz": _rounded(median_hz),
        "pitch_range_st": _rounded(range_st),
        "pitch_sd_st": _rounded(sd_st),
        "level_range_db": _rounded(float(high - low)),
        "pause_rate": _rounded(60.0 * count_pauses(speech, others) / speech_s),
    }


def _speech_samples(samples: np.ndarray, rate_hz: int, channel: int, offset: float, speech: np.ndarray) -> np.ndarray:
    """Samples of speech frames spread over the recording, at most 400,000."""
    hop = round(FRAME_S * rate_hz)
    frames = np.flatnonzero(speech)
    frames = frames[:: max(1, len(frames) * hop // _WADA_SAMPLES)]
    return np.concatenate([channel_block(samples, channel, f * hop, (f + 1) * hop, offset) for f in frames.tolist()])


def count_pauses(speech: np.ndarray, others: np.ndarray) -> int:
    """Gaps of 0.25-2 s inside a voice's speech in which nobody else speaks; both bool per 10 ms frame."""
    found = runs(speech)
    gaps = [(end, start) for (_, end), (start, _) in pairwise(found)]
    shortest, longest = OPTIONS.shortest_pause_s / FRAME_S, OPTIONS.longest_pause_s / FRAME_S
    return sum(shortest <= start - end <= longest and not others[end:start].any() for end, start in gaps)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 2)

"""Clips of a recording that people may hear: a stretch of it, or all, with a tone over what is personal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.audio.channels import file_sha256
from pipelines.audio.decode import BadRecording, DecodeLimits, decode
from pipelines.audio.spool import forget

SUFFIX = ".ogg"
CLIPS_VERSION = "clips-1"
_BLOCK_S = 60


@dataclass(frozen=True)
class ClipOptions:
    """How clips are made.

    The tone begins `margin_s` before what is personal and ends as long after it: words' times are off by up to 0.3 s,
    seldom by 0.5 s. `lead_s` and `tail_s` are heard before and after an event, `longest_s` bounds a clip.
    """

    margin_s: float = 0.5
    tone_hz: float = 1000.0
    tone_peak: float = 0.1
    lead_s: float = 4.0
    tail_s: float = 4.0
    longest_s: float = 60.0


@dataclass(frozen=True)
class Cut:
    """A clip to be written: `start_s` to `end_s` of the recording (None: to its end) into the file `out`."""

    out: str
    start_s: float = 0.0
    end_s: float | None = None


def around(start_s: float, end_s: float, options: ClipOptions = ClipOptions()) -> tuple[float, float]:
    """Start and end in s of the clip that lets an event be heard with what comes before and after it."""
    start = max(0.0, start_s - options.lead_s)
    return round(start, 2), round(min(end_s + options.tail_s, start + options.longest_s), 2)


def beeped(
    samples: np.ndarray, rate_hz: int, spans_s: Sequence[tuple[float, float]], options: ClipOptions = ClipOptions()
) -> np.ndarray:
    """A copy of int16 `samples`, shape (n, channels), with a tone on all channels in the spans; nothing else changes.

    Each span (start, end) in s from the first sample is widened by the margin. All channels, because what one party
    says is faintly on the other's, too.
    """
    covered = np.zeros(len(samples), bool)
    for start_s, end_s in spans_s:
        first = max(0, int(np.floor((start_s - options.margin_s) * rate_hz)))
        last = max(0, int(np.ceil((end_s + options.margin_s) * rate_hz)))
        covered[first:last] = True
    time_s = np.flatnonzero(covered) / rate_hz
    tone = np.rint(32767 * options.tone_peak * np.sin(2 * np.pi * options.tone_hz * time_s)).astype(np.int16)
    result = samples.copy()
    result[covered] = tone[:, None]
    return result


def write_clips(
    recording: str,
    sha256: str,
    cuts: Sequence[Cut],
    personal_s: Sequence[tuple[float, float]],
    limits: DecodeLimits = DecodeLimits(),
    options: ClipOptions = ClipOptions(),
) -> list[float]:
    """Write the cuts of the recording as Ogg/Opus files that only their owner may read; returns their lengths in s.

    The file must have the hash `sha256`: in another one the times of what is personal would be wrong. To be called in
    the sandbox. Raises BadRecording, with reason "measurement_failed" where the file is another one by now.
    """
    if file_sha256(Path(recording)) != sha256:
        raise BadRecording("measurement_failed", "the recording was changed after it had been measured")
    audio = decode(recording, limits)
    n, lengths = len(audio.samples), []
    for cut in cuts:
        first = int(cut.start_s * audio.rate_hz)
        last = n if cut.end_s is None else min(n, round(cut.end_s * audio.rate_hz))
        if first >= last:
            raise BadRecording("measurement_failed", f"{cut.start_s:g} s is behind the end of the recording")
        start_s = first / audio.rate_hz
        spans_s = [(a - start_s, b - start_s) for a, b in personal_s]
        _write(audio.samples[first:last], audio.rate_hz, spans_s, Path(cut.out), options)
        lengths.append((last - first) / audio.rate_hz)
    return lengths


def _write(
    samples: np.ndarray, rate_hz: int, spans_s: Sequence[tuple[float, float]], out: Path, options: ClipOptions
) -> None:
    import soundfile

    staged = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(staged, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        # libsndfile makes 256 kbit/s of 0 and 6 of 1: this is 16 kbit/s a channel, good for speech.
        with soundfile.SoundFile(
            descriptor,
            "w",
            rate_hz,
            samples.shape[1],
            format="OGG",
            subtype="OPUS",
            closefd=True,
            compression_level=0.96,
        ) as file:
            # whole seconds, so that the tone goes on where it was
            for start_s in range(0, -(-len(samples) // rate_hz), _BLOCK_S):
                block = samples[start_s * rate_hz : (start_s + _BLOCK_S) * rate_hz]
                file.write(beeped(block, rate_hz, [(a - start_s, b - start_s) for a, b in spans_s], options))
                forget(samples, block.nbytes)
        os.replace(staged, out)
    finally:
        staged.unlink(missing_ok=True)

"""Peak memory of each kind of worker, for recordings of 10 minutes, 1 hour and 8 hours.

    python -m tests.benchmarks.memory [--hours 0.1667 1 8] [--rate 8000] [--speech-minutes 4] [--no-recognition]

Recordings of two channels, 16 bit: a call of the sample again and again, evenly spread over the recording, so that
there is the same speech in each, and faint noise between. What is measured is the largest resident memory (files that
are mapped included) of the sandbox's child that decodes, looks at the channels and measures, under the limits of
IQS_DECODE_MEMORY_MB; and of a process that gets the recording from such a child and recognises both channels at once
with the default model. Both are as they are in a run, without Dagster.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from pipelines.audio.acoustics import Acoustics, acoustics, recognition_audio
from pipelines.audio.channels import inspect
from pipelines.audio.decode import BadRecording, DecodeLimits
from pipelines.audio.sandbox import Sandbox
from tests.accuracy.wer import MODELS, PROJECT

CALL = PROJECT / "data/sample/landing/recordings/2026-03-03/C-1005.ogg"


def write_recording(path: Path, hours: float, rate_hz: int, speech_minutes: float) -> None:
    """The sample's call as often as the minutes ask for, at equal distances, and noise of -72 dBFS."""
    samples, own_hz = soundfile.read(CALL, dtype="int16", always_2d=True)
    call = samples.repeat(rate_hz // own_hz, axis=0)
    n, times = round(hours * 3600 * rate_hz), max(1, round(speech_minutes * 60 / (len(samples) / own_hz)))
    random, every = np.random.default_rng(0), n // times
    if every < len(call):
        raise SystemExit(f"{speech_minutes:g} minutes of speech do not fit into {hours:g} hours")
    with soundfile.SoundFile(path, "w", rate_hz, 2, "PCM_16") as file:
        for _ in range(times):
            file.write(call)
            for start in range(len(call), every, 1 << 20):
                size = min(1 << 20, every - start)
                file.write((8 * random.standard_normal((size, 2))).astype(np.int16))


@dataclass(frozen=True)
class Used:
    """Peak resident memory in MB of a process, its CPU seconds, and what it found."""

    peak_mb: float
    cpu_s: float
    found: object


def _used(found: object, before_s: float) -> Used:
    return Used(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time() - before_s, found)


def measured(path: str, limits: DecodeLimits) -> Used:
    """In a child of the sandbox: what `iqs run` asks of it, one after the other."""
    started = time.process_time()
    inspect(path, limits)
    return _used(acoustics(path, limits), started)


def recognised(path: str, limits: DecodeLimits, speech: Acoustics) -> Used:
    """In a process of its own: the recording out of the sandbox, and its words."""
    from pipelines.speech.recognition import FasterWhisper, RecognitionOptions

    pieces = {c: [] for c in (0, 1)}
    for s in speech.segments:
        if s["kind"] == "speech":
            pieces[s["audio_channel"]].append((s["start_s"], s["end_s"]))
    engine, started = FasterWhisper(RecognitionOptions(), MODELS), time.process_time()
    with Sandbox(1, limits) as sandbox:
        ((_, audio),) = sandbox.starmap(recognition_audio, [(path, limits)])
    if isinstance(audio, BadRecording):
        raise audio
    language = engine.language(audio, pieces).code
    with ThreadPoolExecutor(2) as pool:
        heard = list(pool.map(lambda c: engine.transcribe(audio[:, c], pieces[c], language), pieces))
    return _used(sum(len(h.words) for h in heard), started)


def main() -> int:
    from tests.benchmarks import memory  # what children are asked for must be in a module that they can import

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="+", default=[1 / 6, 1.0, 8.0])
    parser.add_argument("--rate", type=int, choices=(8000, 16000), default=8000)
    parser.add_argument("--speech-minutes", type=float, default=4.0)
    parser.add_argument("--no-recognition", action="store_true")
    chosen = parser.parse_args()
    limits = DecodeLimits(timeout_s=3600.0)
    print(f"two channels, {chosen.rate} Hz, {chosen.speech_minutes:g} minutes of speech in each; peak resident memory")
    print("| recording | samples MB | sandbox MB | sandbox CPU s | recognition MB | recognition CPU s | words |")
    print("|---|---|---|---|---|---|---|")
    for hours in chosen.hours:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recording.wav"
            write_recording(path, hours, chosen.rate, chosen.speech_minutes)
            with Sandbox(1, limits) as sandbox:
                ((_, sound),) = sandbox.starmap(memory.measured, [(str(path), limits)])
            if isinstance(sound, BadRecording):
                print(f"{hours:g} h: {sound}", file=sys.stderr)
                return 1
            line = f"| {hours:.2g} h | {path.stat().st_size / 1e6:.0f} | {sound.peak_mb:.0f} | {sound.cpu_s:.1f} |"
            if not chosen.no_recognition:
                # a fresh interpreter: the peak of this one would stay with the next recording
                with Sandbox(1, DecodeLimits(timeout_s=7200.0, memory_mb=1 << 20)) as process:
                    arguments = (str(path), limits, sound.found)
                    ((_, words),) = process.starmap(memory.recognised, [arguments])
                if isinstance(words, BadRecording):
                    print(f"{hours:g} h: {words}", file=sys.stderr)
                    return 1
                line += f" {words.peak_mb:.0f} | {words.cpu_s:.0f} | {words.found} |"
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

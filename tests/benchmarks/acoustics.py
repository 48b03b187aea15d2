"""How many seconds of a two-channel call the acoustic measures take in per CPU second, beside librosa and openSMILE.

    python -m tests.benchmarks.acoustics [--minutes 5] [--repeat 3] [--opensmile PYTHON] [recording]

Without a recording: synthetic speech of two parties in turn, at 8 kHz. Each line is the best of `--repeat` after a
warm-up: imports, compilation and the start of processes are not in it. CPU time counts every thread, of which each side
has one; the rounds of the sides alternate, so that a busy machine slows all of them. openSMILE (eGeMAPSv02 functionals
of each channel) is no dependency, because its licence allows research only; `python3 -m venv smile && smile/bin/pip
install opensmile==2.6.0 soundfile` makes a Python for `--opensmile smile/bin/python`.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")  # as in the sandbox

import argparse
import cProfile
import pstats
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from pipelines.audio import silero
from pipelines.audio.acoustics import acoustics
from pipelines.audio.decode import DecodeLimits, decode
from tests.silero_reference import by_onnxruntime

STAGES = {
    "decode": "decode",
    "same sound on both": "channel_layout",
    "energy track": "energy_track",
    "voice activity network": "silero",
    "fusion and leak gate": "voice_activity",
    "music": "music",
    "pitch": "pitch_track",
    "figures per channel": "_measures",
}


def synthetic_call(minutes: float, rate_hz: int = 8000) -> np.ndarray:
    """Two parties of buzzing, moving vowels who take turns of 5 s; int16, shape (n, 2)."""
    from scipy.signal import lfilter

    random = np.random.default_rng(0)
    n = round(minutes * 60 * rate_hz)
    t = np.arange(n) / rate_hz
    out = np.empty((n, 2), np.int16)
    for c, base_hz in enumerate((125.0, 210.0)):
        pitch = base_hz * 2 ** (2 * np.sin(2 * np.pi * 0.6 * t + c) / 12)
        x = np.diff(np.floor(np.cumsum(pitch / rate_hz)), prepend=0.0)
        for hz, width in ((500, 80), (1500, 120), (2500, 160)):
            r = np.exp(-np.pi * width / rate_hz)
            x = lfilter([1.0], [1.0, -2 * r * np.cos(2 * np.pi * hz / rate_hz), r * r], x)
        x *= np.maximum(np.sin(2 * np.pi * 2 * t), 0.0) * ((t // 5).astype(int) % 2 == c)
        out[:, c] = 1500 * x / x.std() + 10 * random.standard_normal(n)
    return out


def librosa_rms_and_yin(path: Path) -> None:
    import librosa

    samples, rate_hz = librosa.load(path, sr=None, mono=False)
    for x in np.atleast_2d(samples):
        librosa.feature.rms(y=x, frame_length=320, hop_length=80)
        librosa.yin(x, fmin=60, fmax=500, sr=rate_hz, frame_length=512, hop_length=80)


def voice_activity(path: Path) -> dict[str, Callable[[], float]]:
    """The network of the voice activity alone, on the same 4 s segments: ours, and the published one."""
    sound = decode(path, DecodeLimits())
    chunk = round(silero.CHUNK_S * sound.rate_hz)
    wanted = np.ones((-(-len(sound.samples) // (chunk * silero.SEGMENT_CHUNKS)), sound.samples.shape[1]), bool)
    length = (silero.SEGMENT_CHUNKS + 16) * chunk + chunk // 8  # 16 chunks of warm-up, and the first one's context
    x = sound.samples.astype(np.float32).T.ravel() / 32768
    segments = np.stack([np.resize(x[i * chunk * silero.SEGMENT_CHUNKS :], length) for i in range(wanted.size)])
    gains = np.ones(sound.samples.shape[1], np.float32)
    return {
        "Silero in numpy": lambda: cpu_s(lambda: silero.silero(sound.samples, sound.rate_hz, gains, wanted)),
        "Silero in onnxruntime": lambda: cpu_s(lambda: by_onnxruntime(segments, sound.rate_hz)),
    }


class OpenSmile:
    """eGeMAPSv02 functionals of each channel of a file, in a process of another Python."""

    SCRIPT = """
import sys, time, opensmile, soundfile
smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals, num_workers=1)
for path in sys.stdin:
    start = time.process_time()
    samples, rate_hz = soundfile.read(path.strip(), dtype="float32", always_2d=True)
    for x in samples.T:
        assert smile.process_signal(x, rate_hz).shape == (1, 88)
    print(time.process_time() - start, flush=True)
"""

    def __init__(self, python: Path) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([python, "-W", "ignore", "-c", self.SCRIPT], text=True, **pipes)

    def cpu_s(self, path: Path) -> float:
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(
                f"openSMILE failed: does {self.process.args[0]} have the packages opensmile and soundfile?"
            )
        return float(answer)


def cpu_s(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("recording", nargs="?", type=Path)
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--opensmile", type=Path, metavar="PYTHON", help="a Python that has opensmile and soundfile")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call.wav"
        if arguments.recording:
            source = decode(arguments.recording, DecodeLimits())
            n = round(arguments.minutes * 60 * source.rate_hz)
            copies = -(-n // len(source.samples))
            soundfile.write(path, np.tile(source.samples, (copies, 1))[:n], source.rate_hz)
        else:
            soundfile.write(path, synthetic_call(arguments.minutes), 8000)
        what = soundfile.info(path)
        print(f"{what.duration:.0f} s, {what.channels} channels, {what.samplerate} Hz; seconds per CPU second")
        sides = {
            "acoustics(): activity, music, leak, level, SNR, pitch": lambda: cpu_s(lambda: acoustics(path)),
            "librosa: rms + yin only": lambda: cpu_s(lambda: librosa_rms_and_yin(path)),
        }
        sides |= voice_activity(path)
        if arguments.opensmile:
            smile = OpenSmile(arguments.opensmile)
            sides["openSMILE: eGeMAPSv02 functionals"] = lambda: smile.cpu_s(path)
        else:
            print("left out: openSMILE (see --help)")
        for side in sides.values():
            side()
        best = dict.fromkeys(sides, float("inf"))
        for _ in range(arguments.repeat):
            for name, side in sides.items():
                best[name] = min(best[name], side())
        ours_s = next(iter(best.values()))
        for name, seconds in best.items():
            ratio = f"{seconds / ours_s:.1f} x ours"
            print(f"{what.duration / seconds:8.0f} x  {seconds:7.3f} s  {ratio:>11}  {name}")
        print("where acoustics() spends it (profiled, each with what it calls):")
        profile = cProfile.Profile(time.process_time)
        profile.runcall(acoustics, path)
        spent = {key[2]: row[3] for key, row in pstats.Stats(profile).stats.items() if "pipelines" in key[0]}
        spent["voice_activity"] -= spent.get("silero", 0.0)
        for stage, function in STAGES.items():
            print(f"{spent.get(function, 0.0):10.3f} s  {stage}")


if __name__ == "__main__":
    main()

"""Words that recognition makes up where nobody speaks, beside plain faster-whisper without and with its VAD.

    python -m tests.accuracy.false_words [--quick] [--model NAME]

The sounds of a telephone line are computed (30 s each at 8 kHz); the hold music is real. "As it runs" is the whole
way: file, activity, recognition, gates. "Called speech" gives the whole sound to recognition as if the activity stage
had taken it for speech: what the gates alone hold back.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.accuracy.figure import REAL_DATA, Figure, table
from tests.accuracy.wer import MODELS, NO_GATES, ours, plain, sound

RATE_HZ = 8_000
NOTE = "nothing was tuned on it"


def sounds(length_s: float, seed: int = 5) -> dict[str, np.ndarray]:
    """Sounds of a telephone line that are no speech: float, mono, 8 kHz, within -1..1."""
    random = np.random.default_rng(seed)
    n = round(length_s * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    white = random.normal(size=n)
    pink = _coloured(white, lambda f: 1 / np.sqrt(np.maximum(f, 100)))
    return {
        "digital silence": np.zeros(n),
        "white noise": 0.02 * white,
        "pink noise": 0.02 * pink,
        "office": _office(t, pink, random),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * t),
        "mains hum": 0.1 * np.sign(np.sin(2 * np.pi * 50 * t)) + 0.002 * white,
        "ringing": 0.15 * (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)) * (t % 6 < 2) + 0.001 * white,
        "busy": 0.15 * (np.sin(2 * np.pi * 480 * t) + np.sin(2 * np.pi * 620 * t)) * (t % 1 < 0.5),
        "keypad": _keypad(t, random) + 0.001 * white,
    }


def _coloured(white: np.ndarray, gain) -> np.ndarray:
    f = np.fft.rfftfreq(len(white), 1 / RATE_HZ)
    made = np.fft.irfft(np.fft.rfft(white) * gain(f), len(white))
    return made / np.std(made)


def _office(t: np.ndarray, pink: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Ventilation that comes and goes, a hum, keys that click, and a murmur: noise in the band of voices that swells
    and falls as syllables do."""
    murmur = _coloured(random.normal(size=len(t)), lambda f: np.exp(-(((f - 600) / 500) ** 2)))
    swell = np.clip(_coloured(random.normal(size=len(t)), lambda f: f < 5), 0, None)
    clicks = np.zeros(len(t))
    for start in random.integers(0, len(t) - 200, size=round(3 * t[-1])):
        clicks[start : start + 200] += random.normal(size=200) * np.exp(-np.arange(200) / 30)
    air = pink * (1 + 0.3 * np.sin(2 * np.pi * t / 7))
    return 0.008 * air + 0.004 * murmur * swell + 0.02 * clicks + 0.002 * np.sin(2 * np.pi * 100 * t)


def _keypad(t: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Keys of a telephone, 0.15 s each, two a second."""
    low, high = (697, 770, 852, 941), (1209, 1336, 1477)
    pairs = [(random.choice(low), random.choice(high)) for _ in range(int(t[-1] * 2) + 1)]
    key = (t * 2).astype(int)
    f = np.array(pairs)[key]
    return 0.2 * (np.sin(2 * np.pi * f[:, 0] * t) + np.sin(2 * np.pi * f[:, 1] * t)) * (t % 0.5 < 0.15)


def files(folder: Path, quick: bool) -> dict[str, Path]:
    """The sounds as recordings; the hold music where it is there."""
    import soundfile

    found = {}
    for name, samples in sounds(10.0 if quick else 30.0).items():
        found[name] = folder / f"{name.replace(' ', '_')}.wav"
        soundfile.write(found[name], samples, RATE_HZ, subtype="PCM_16")
    music = REAL_DATA / "phone_prompts" / "hold_music.wav"
    if music.is_file() and not quick:
        found["hold music"] = music
    elif not quick:
        print("left out: hold music, phone_prompts is not among the real data beside the project", file=sys.stderr)
    return found


def figures(quick: bool = False, model: str = "base", models: Path = MODELS) -> list[Figure]:
    """Words per minute of each sound; `quick` takes 10 s of each and no music."""
    with tempfile.TemporaryDirectory() as folder:
        return list(_figures(files(Path(folder), quick), model, models))


def _figures(recordings: dict[str, Path], model: str, models: Path) -> Iterator[Figure]:
    gated, free = ours(model, models), ours(model, models, **NO_GATES)
    peer, peer_with_vad = plain(model, models), plain(model, models, vad_filter=True)
    for name, path in recordings.items():
        samples, speech = sound(path)
        mono, minutes = samples[:, 0], len(samples) / 16_000 / 60
        everything = [(0.0, len(mono) / 16_000)]
        counts = {
            hear: len(hear(mono, given).split()) / minutes
            for hear, given in (
                (gated, speech[0]),
                (peer, []),
                (peer_with_vad, []),
            )
        }
        metric, n = "words a minute, as it runs", round(minutes * 60)
        yield Figure(metric, f"{name}, {n} s", n, counts[gated], "", "plain faster-whisper", counts[peer], NOTE)
        yield Figure(metric, f"{name}, {n} s", n, counts[gated], "", "with its VAD", counts[peer_with_vad], NOTE)
        held, loose = (len(hear(mono, everything).split()) / minutes for hear in (gated, free))
        yield Figure("words a minute, called speech", f"{name}, {n} s", n, held, "", "without the gates", loose, NOTE)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="10 s of each sound, no music")
    parser.add_argument("--model", default="base", help="model name, or a folder with its files")
    parser.add_argument("--models", type=Path, default=MODELS, help="cache of model files")
    chosen = parser.parse_args(arguments)
    print(table(figures(chosen.quick, chosen.model, chosen.models)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

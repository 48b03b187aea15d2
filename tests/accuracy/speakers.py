"""Two voices on one channel: how often they are told apart, and how much speech then goes to the wrong one.

    python -m tests.accuracy speakers         # a row for each set
    python tests/accuracy/speakers.py         # a row for each recording

Truth: the channels of two-channel recordings that are then mixed down, hand-made labels (a phone call, two meetings),
the sample's own truth, and mixtures of single real voices that take turns at random (of one sex too; clean, with
noise at 10 dB, through mu-law and GSM, the same line or two). Everything but Call01 and the meetings is mixed here.
Recordings of one voice (a channel, prompts, a stretch of a meeting) must come out as one.

The error is the share of the speech that voice activity found in which one party alone is truly speaking, and that
is given to the other; better of the two namings. Baseline: 2-means of MFCC means and deviations over 1.5 s (librosa).
Nothing here was used to choose a setting: those come from prompts and game dialogue in Czech, Dutch, French, Italian,
Russian and Spanish (11 voices, none of them here).
"""

from __future__ import annotations

import io
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from pipelines.audio.activity import runs, voice_activity
from pipelines.audio.decode import decode
from pipelines.audio.level import energy_track, offsets
from pipelines.audio.speakers import tell_apart
from tests.accuracy.figure import REAL_DATA, Figure

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
SAME_SEX = (("prompts", "agent"), ("prompts", "FEE078"), ("agent", "FEE078"))
SAME_SEX += (("caller", "MEE009"), ("caller", "MEO069"), ("MEE009", "MEO069"), ("caller", "p287"), ("p287", "MEO069"))
OTHERS = (("prompts", "caller"), ("agent", "caller"))
# noise in dB under the speech, codec, whether both are on one line
LINES = ((None, "", True), (None, "ULAW", False), (10.0, "", True), (None, "GSM610", True))
MIXED = "pairs of real voices, mixed here"


class Recording(NamedTuple):
    """`samples` int16 (n, 1); `truth` per 10 ms frame: 0, 1, or -1 where nobody or both speak."""

    data: str
    name: str
    samples: np.ndarray
    rate_hz: int
    truth: np.ndarray
    n_voices: int


class Result(NamedTuple):
    recording: Recording
    confidence: float | None
    error: float
    baseline: float
    majority: float
    speech_s: float
    cpu_s: float


def recordings(quick: bool = False) -> Iterator[Recording]:
    """All sets; a third of the mixtures if `quick`. Raises FileNotFoundError where the real recordings are absent."""
    if not REAL_DATA.is_dir():
        raise FileNotFoundError(f"no real recordings at {REAL_DATA}")
    for name in (
        "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav",
        "two_channel_short/call_center_sample.wav",
    ):
        yield from _mixed_down("two-channel calls, mixed down", REAL_DATA / name)
    yield from _sample()
    yield from _labelled()
    yield from _mixtures(quick)


def measure(recording: Recording) -> Result:
    """The module's answer for one recording beside the baseline's."""
    samples, rate_hz = recording.samples, recording.rate_hz
    energy = energy_track(samples, rate_hz)
    speech = voice_activity(samples, rate_hz, energy).speech[:, 0]
    truth = np.full(len(speech), -1)
    n = min(len(speech), len(recording.truth))
    truth[:n] = recording.truth[:n]
    counted = speech & (truth >= 0)
    start = time.process_time()
    voices, confidence = tell_apart(samples, rate_hz, 0, float(offsets(samples)[0]), speech)
    cpu_s = time.process_time() - start
    naive = mfcc_two_means(samples[:, 0], rate_hz, speech)
    ours, theirs = (_error(v[counted], truth[counted]) for v in (voices, naive))
    majority = _error(np.zeros(counted.sum()), truth[counted])
    return Result(recording, confidence, ours, theirs, majority, speech.sum() / 100, cpu_s)


def mfcc_two_means(samples: np.ndarray, rate_hz: int, speech: np.ndarray) -> np.ndarray:
    """Voice per 10 ms frame by a usual recipe: statistics of MFCC over 1.5 s, 2-means, nearest centre."""
    import librosa

    hop = rate_hz // 100
    x = samples.astype(np.float32) / 32768
    mfcc = librosa.feature.mfcc(y=x, sr=rate_hz, n_mfcc=20, n_fft=hop * 4, hop_length=hop, n_mels=26)[1:, : len(speech)]
    mfcc = (mfcc - mfcc[:, speech].mean(axis=1, keepdims=True)) / mfcc[:, speech].std(axis=1, keepdims=True)
    at, rows = [], []
    for start, stop in runs(speech[: mfcc.shape[1]]):
        for first in range(start, max(start + 1, stop - 149), 25):
            part = mfcc[:, first : min(first + 150, stop)]
            at.append(first + part.shape[1] // 2)
            rows.append(np.concatenate([part.mean(axis=1), part.std(axis=1)]))
    points, best = np.array(rows), (np.inf, np.zeros(len(rows), int))
    random = np.random.default_rng(0)
    for _ in range(10):
        centres = points[random.choice(len(points), 2, replace=len(points) < 2)]
        for _ in range(20):
            distance = ((points[:, None] - centres) ** 2).sum(axis=2)
            label = distance.argmin(axis=1)
            centres = np.stack([points[label == v].mean(axis=0) if (label == v).any() else centres[v] for v in (0, 1)])
        if distance.min(axis=1).sum() < best[0]:
            best = (distance.min(axis=1).sum(), label)
    nearest = np.abs(np.arange(len(speech))[:, None] - np.array(at)).argmin(axis=1)
    return best[1][nearest]


def figures(quick: bool = False) -> list[Figure]:
    """One row for each set and question."""
    found: dict[str, list[Result]] = defaultdict(list)
    for recording in recordings(quick):
        found[recording.data].append(measure(recording))
    tuned = "settings chosen on other voices and languages"
    rows = []
    for data, results in found.items():
        two = [r for r in results if r.recording.n_voices == 2]
        one = [r for r in results if r.recording.n_voices == 1]
        told = [r for r in two if r.confidence is not None]
        if two:
            share = 100 * len(told) / len(two)
            rows.append(Figure("two voices told apart", data, len(two), share, "%", "always two", 100.0, tuned))
        if told:
            weights = [r.speech_s for r in told]
            error, naive, majority = (
                100 * float(np.average([getattr(r, part) for r in told], weights=weights))
                for part in ("error", "baseline", "majority")
            )
            note = (
                f"where told apart; one voice for all: {majority:.0f} %; worst {100 * max(r.error for r in told):.1f} %"
            )
            rows.append(
                Figure("speech given to the wrong voice", data, len(told), error, "%", "MFCC 2-means", naive, note)
            )
            right = np.mean([r.error <= 0.05 for r in told])
            mean = float(np.mean([r.confidence for r in told]))
            rows.append(Figure("at most 5 % wrong", data, len(told), 100 * right, "%", "mean confidence", 100 * mean))
        if one:
            kept = 100 * np.mean([r.confidence is None for r in one])
            rows.append(Figure("one voice left as one", data, len(one), float(kept), "%", "always two", 0.0, tuned))
    every = [r for results in found.values() for r in results]
    audio_s = sum(len(r.recording.samples) / r.recording.rate_hz for r in every)
    times = audio_s / sum(r.cpu_s for r in every)
    rows.append(
        Figure("seconds of audio per CPU second", "all of it", len(every), times, "x", note="telling apart alone")
    )
    return rows


def main() -> None:
    print("| set | recording | s | voices | found | confidence | error % | MFCC 2-means | one voice for all | x |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for recording in recordings():
        r = measure(recording)
        length_s = len(recording.samples) / recording.rate_hz
        shown = "" if r.confidence is None else f"{r.confidence:.2f}"
        errors = " | ".join(
            f"{100 * e:.1f}" if recording.n_voices == 2 else "" for e in (r.error, r.baseline, r.majority)
        )
        print(
            f"| {recording.data} | {recording.name} | {length_s:.0f} | {recording.n_voices} | "
            f"{1 if r.confidence is None else 2} | {shown} | {errors} | {length_s / max(r.cpu_s, 1e-3):.0f} |",
            flush=True,
        )


def _error(labels: np.ndarray, truth: np.ndarray) -> float:
    wrong = float((labels != truth).mean()) if len(truth) else 0.0
    return min(wrong, 1.0 - wrong)


# --- sets


def _alone(active: np.ndarray) -> np.ndarray:
    """Who speaks alone, per frame: 0, 1 or -1; `active` bool, shape (frames, 2)."""
    return np.where(active.sum(axis=1) == 1, active.argmax(axis=1), -1)


def _labels(n: int, spans: list[tuple[float, float, int]]) -> np.ndarray:
    active = np.zeros((n, 2), bool)
    for start_s, end_s, who in spans:
        active[round(start_s * 100) : round(end_s * 100), who] = True
    return _alone(active)


def _mixed_down(data: str, path: Path) -> Iterator[Recording]:
    """The sum of both channels with the truth of the two, and each channel with at least 8 s of speech alone."""
    audio = decode(path)
    active = voice_activity(audio.samples, audio.rate_hz, energy_track(audio.samples, audio.rate_hz)).speech
    mixed = audio.samples.astype(np.float64).sum(axis=1, keepdims=True) / 1.4
    mixed *= min(1.0, 32767 / np.abs(mixed).max())
    yield Recording(data, path.stem, np.rint(mixed).astype(np.int16), audio.rate_hz, _alone(active), 2)
    for c in np.flatnonzero(active.sum(axis=0) >= 800):
        own = np.ascontiguousarray(audio.samples[:, c : c + 1])
        yield Recording(
            "one channel of a call", f"{path.stem} {c}", own, audio.rate_hz, np.where(active[:, c], 0, -1), 1
        )


def _sample() -> Iterator[Recording]:
    for path in sorted((SAMPLE / "truth").glob("*.json")):
        truth = json.loads(path.read_text())
        if min(party["speech_s"] for party in truth["parties"].values()) < 1.0 or len(truth["parties"]) < 2:
            continue
        spans = [
            (s["start_s"], s["end_s"], who) for who, p in enumerate(truth["parties"].values()) for s in p["segments"]
        ]
        file = SAMPLE / "landing" / truth["recording"]
        if truth["layout"] == "two":
            mixed, *channels = _mixed_down("sample calls (synthetic), mixed down", file)
            yield mixed._replace(truth=_labels(len(mixed.truth), spans))
            yield from (c._replace(data="one channel of a sample call") for c in channels)
        else:
            audio = decode(file)
            labels = _labels(len(audio.samples) * 100 // audio.rate_hz, spans)
            yield Recording("sample calls (synthetic), mono", file.stem, audio.samples[:, :1], audio.rate_hz, labels, 2)


def _labelled() -> Iterator[Recording]:
    """Hand-made labels: a call with subtitles and meetings of two speakers with RTTM."""
    spans = []
    for block in (REAL_DATA / "mono_phone_calls/Call01.srt").read_text("utf-8").split("\n\n"):
        found = re.search(r"([\d:,]+) --> ([\d:,]+)\n\[(\w+)]", block)
        if found:
            start_s, end_s = (
                sum(
                    float(part.replace(",", ".")) * scale
                    for part, scale in zip(t.split(":"), (3600, 60, 1), strict=True)
                )
                for t in found.groups()[:2]
            )
            spans.append((start_s, end_s, int(found[3] != "CSR")))
    audio = decode(REAL_DATA / "mono_phone_calls/Call01.wav")
    labels = _labels(len(audio.samples) * 100 // audio.rate_hz, spans)
    yield Recording("mono phone call, labelled by hand", "Call01", audio.samples, audio.rate_hz, labels, 2)
    said = defaultdict(list)
    for path in sorted((REAL_DATA / "meeting_overlap").glob("*.rttm")):
        for line in path.read_text("utf-8").splitlines():
            _, name, _, start_s, length_s, _, _, who, *_ = line.split()
            said[name].append((float(start_s), float(start_s) + float(length_s), who))
    for name in ("dev00", "trn03"):
        audio = decode(REAL_DATA / f"meeting_overlap/{name}.wav")
        people = list(dict.fromkeys(who for *_, who in said[name]))
        labels = _labels(3000, [(start_s, end_s, people.index(who)) for start_s, end_s, who in said[name]])
        yield Recording("meetings, far microphone", name, audio.samples, audio.rate_hz, labels, 2)


def _voices() -> dict[str, list[np.ndarray]]:
    """Clips of up to 3 s at 8 kHz and equal level of seven real voices."""
    import soxr

    sources = {"prompts": sorted((REAL_DATA / "phone_prompts/wav").glob("*.wav"))}
    sources["p287"] = sorted((REAL_DATA / "snr_pairs/clean").glob("*.wav"))
    sounds = {name: [decode(p) for p in paths] for name, paths in sources.items()}
    parts = {name: [(a.samples[:, 0], a.rate_hz) for a in audios] for name, audios in sounds.items()}
    call = decode(REAL_DATA / "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav")
    parts |= {name: [(call.samples[:, c], call.rate_hz)] for c, name in enumerate(("agent", "caller"))}
    for name, file, start_s, end_s in (
        ("MEE009", "dev00", 1.5, 13.1),
        ("MEO069", "trn03", 1.3, 30.0),
        ("FEE078", "trn05", 9.4, 19.1),
    ):
        audio = decode(REAL_DATA / f"meeting_overlap/{file}.wav")
        parts[name] = [(audio.samples[int(start_s * 16000) : int(end_s * 16000), 0], 16000)]
    voices = {}
    for name, sounds in parts.items():
        voices[name] = []
        for x, rate_hz in sounds:
            x = soxr.resample(x.astype(np.float32) / 32768, rate_hz, 8000, "HQ")
            samples = np.rint(x * 32767).astype(np.int16)[:, None]
            for start, stop in runs(voice_activity(samples, 8000, energy_track(samples, 8000)).speech[:, 0]):
                for first in range(start, stop - 40, 300):
                    clip = x[first * 80 : min(first + 300, stop) * 80]
                    voices[name].append(0.05 * clip / np.sqrt(np.mean(clip**2)))
    return voices


def _mixtures(quick: bool) -> Iterator[Recording]:
    voices = _voices()
    number = 0
    for pairs, data in ((SAME_SEX, f"{MIXED}, same sex"), (OTHERS, f"{MIXED}, both sexes")):
        for a, b in pairs:
            for noise_db, codec, one_line in LINES:
                number += 1
                if quick and number % 3:
                    continue
                length_s, share = (60.0, 120.0, 45.0)[number % 3], (0.5, 0.3, 0.7)[number % 3]
                mixed = mixture(voices[a], voices[b], number, length_s, share, noise_db, codec, one_line)
                name = f"{a} and {b}, {'one line' if one_line else 'two lines'} {codec} {noise_db or ''}"
                yield Recording(data, name, *mixed, 2)
    for name, clips in voices.items():
        for length_s, noise_db, codec in (
            (60.0, None, ""),
            (60.0, 10.0, ""),
            (120.0, None, "GSM610"),
            (20.0, None, ""),
        ):
            number += 1
            if len(clips) > 3 and not (quick and number % 3):
                samples, rate_hz, _ = mixture(clips, clips, number, length_s, 0.5, noise_db, codec, True)
                truth = np.zeros(len(samples) // 80, int)
                yield Recording(
                    "one real voice", f"{name} {length_s:.0f} s {codec} {noise_db or ''}", samples, rate_hz, truth, 1
                )


def mixture(
    first: list[np.ndarray],
    second: list[np.ndarray],
    seed: int,
    length_s: float,
    share: float,
    noise_db: float | None,
    codec: str,
    one_line: bool,
) -> tuple[np.ndarray, int, np.ndarray]:
    """(int16 samples, 8000, truth): clips of two voices in turns of 0.4-25 s, one in ten beginning before the end.

    `share` of the longer turns is the first's; every fifth turn is short; levels differ by up to 8 dB; each line has
    a band of its own.
    """
    random = np.random.default_rng(seed)
    n = round(length_s * 8000)
    sound, active = np.zeros((2, n)), np.zeros((n // 80, 2), bool)
    piles = [iter([]), iter([])]
    gains = 10 ** (random.uniform(-4, 4, 2) / 20)
    at, who = 40 + int(random.integers(100)), int(random.integers(2))
    while at < n // 80 - 200:
        typical = 14 * (share, 1 - share)[who]
        length = random.uniform(0.4, 0.9) if random.random() < 0.2 else random.lognormal(np.log(typical), 0.6)
        end = min(at + round(100 * float(np.clip(length, 0.4, 25))), n // 80 - 100)
        while at < end:
            clip = next(piles[who], None)
            if clip is None:
                clips = (first, second)[who]
                piles[who] = iter([clips[i] for i in random.permutation(len(clips))])
                continue
            clip = clip[: max(end - at, 35) * 80]
            sound[who, at * 80 : at * 80 + len(clip)] += gains[who] * clip[: n - at * 80]
            active[at : at + len(clip) // 80, who] = True
            at += len(clip) // 80 + int(random.choice([2, random.integers(5, 60)]))
        who = 1 - who
        at += -int(random.integers(10, 50)) if random.random() < 0.1 else int(random.integers(0, 120))
    sound = _on_a_line(sound.sum(axis=0), random) if one_line else sum(_on_a_line(s, random) for s in sound)
    noise = random.standard_normal(n) * (2e-4 if noise_db is None else 0.05 * 10 ** (-noise_db / 20))
    samples = np.clip(np.rint((sound + noise) * 32767), -32768, 32767).astype(np.int16)
    if codec:
        file = io.BytesIO()
        soundfile.write(file, samples, 8000, format="WAV", subtype=codec)
        file.seek(0)
        samples = soundfile.read(file, dtype="int16")[0][:n]
    return samples[:, None], 8000, _alone(active)


def _on_a_line(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    from scipy.signal import butter, sosfilt

    band = butter(2, [random.uniform(150, 350), random.uniform(3000, 3600)], "bandpass", fs=8000, output="sos")
    x = sosfilt(band, x)
    return x + random.uniform(-0.35, 0.35) * np.concatenate([[0.0], x[:-1]])


if __name__ == "__main__":
    main()

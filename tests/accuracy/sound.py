"""How true the measures of sound and of turns are, on simulated dialogues of real voices and on real recordings.

    python -m tests.accuracy.sound [--quick] [--voices FOLDER] [--part NAME]

Dialogues (tests/accuracy/dialogues.py) go through the whole way: a WAV file, `acoustics`, `floor_of`, `find_events`.
Constants were chosen on other voices than those reported: with `--voices` (a folder with a sub-folder of WAVs for each
voice, such as the packages asterisk-core-sounds-{fr,it,ru}-wav install) the same figures are made of those.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from pipelines.audio.acoustics import acoustics
from pipelines.audio.activity import runs
from pipelines.audio.level import FRAME_S, decibels, energy_track, widen
from pipelines.audio.pitch import pitch_track
from pipelines.contracts.measured import NotMeasured
from pipelines.conversation import Floor, Segment, conversation_measures, find_events, floor_of
from tests.accuracy.dialogues import (
    ANNOUNCEMENTS,
    HOP,
    NOISES,
    PARTIES,
    RATE_HZ,
    Dialogue,
    Line,
    TrueEvent,
    Voice,
    bridged_runs,
    dialogues,
    hold_music,
    matched,
    on_the_line,
    read,
    real_voices,
    voices_in,
)
from tests.accuracy.figure import REAL_DATA, Figure, table

KINDS = (
    "interruption",
    "attempted_interruption",
    "terminal_overlap",
    "backchannel",
    "dead_air",
    "retrieval",
    "hold",
)
TUNED = "chosen on other voices (French, Italian and Russian prompts, one mono call) and seeds"
SIMULATED = "simulated dialogues of real voices"


# --- the way through the product
@dataclass
class Heard:
    """What `acoustics` tells of a recording: speech and music per 10 ms frame and channel, rows of voices."""

    speech: np.ndarray
    music: np.ndarray
    voices: list[dict]
    segments: list[Segment]

    @property
    def music_spans(self) -> list[tuple[float, float]]:
        return [(a * FRAME_S, b * FRAME_S) for c in (0, 1) for a, b in runs(self.music[:, c])]


def hear(samples: np.ndarray, rate_hz: int = RATE_HZ, subtype: str = "PCM_16", suffix: str = ".wav") -> Heard:
    """`acoustics` of samples written to a file; a mono signal gets a second, silent channel."""
    if samples.ndim == 1:
        samples = np.stack([samples, np.zeros_like(samples)], axis=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"call{suffix}"
        soundfile.write(path, samples, rate_hz, subtype=subtype)
        found = acoustics(path)
    n_frames = round(len(samples) / rate_hz / FRAME_S) + 200
    masks = {kind: np.zeros((n_frames, 2), bool) for kind in ("speech", "music")}
    segments = []
    for row in found.segments:
        start_s, end_s, c = row["start_s"], row["end_s"], row["audio_channel"]
        masks[row["kind"]][round(start_s / FRAME_S) : round(end_s / FRAME_S), c] = True
        if row["kind"] == "speech":
            segments.append(Segment(PARTIES[c], start_s, end_s))
    return Heard(masks["speech"], masks["music"], found.voices, segments)


def events_of(floor: Floor, dialogue: Dialogue, music: Iterable[tuple[float, float]]) -> list[TrueEvent]:
    found = find_events(floor, dialogue.utterances, music, ANNOUNCEMENTS)
    return [TrueEvent(e["kind"], e["party"], e["start_s"], e["end_s"]) for e in found]


# --- baselines
def energy_speech(energy: np.ndarray) -> np.ndarray:
    """An adaptive energy gate: over the 10th percentile by 35 % of the way to the 95th; gaps and runs as ours."""
    level = decibels(energy)
    low, high = np.percentile(level, [10, 95])
    mask, out = level > low + 0.35 * (high - low), np.zeros(len(level), bool)
    for a, b in bridged_runs(mask):
        out[a:b] = True
    return out


def starts_over_the_other(floor: Floor) -> list[TrueEvent]:
    """Any speech that begins while the other speaks and overlaps by more than 0.5 s."""
    found = []
    for party, other in (PARTIES, PARTIES[::-1]):
        for s in floor.of(party):
            over = [min(o.end_s, s.end_s) - s.start_s for o in floor.of(other) if o.start_s < s.start_s < o.end_s]
            if over and max(over) > 0.5:
                found.append(TrueEvent("interruption", party, s.start_s, s.start_s + max(over)))
    return found


# --- scores
def hits(truth: np.ndarray, got: np.ndarray, collar_s: float = 0.05) -> np.ndarray:
    """Frames in both, found and true, without those within the collar of a true edge."""
    n = min(len(truth), len(got))
    truth, got = truth[:n], got[:n]
    known = ~widen(np.diff(truth.astype(int), prepend=0) != 0, round(collar_s / FRAME_S))
    return np.array([(truth & got & known).sum(), (got & known).sum(), (truth & known).sum()])


def f1(counts: np.ndarray | tuple[int, int, int]) -> float:
    """2 both / (found + true)."""
    both, found, true = counts
    return 2.0 * both / (found + true) if found + true else 1.0


@dataclass
class Score:
    """Sums over dialogues."""

    frames: np.ndarray = field(default_factory=lambda: np.zeros(3))
    energy_frames: np.ndarray = field(default_factory=lambda: np.zeros(3))
    events: Counter = field(default_factory=Counter)
    talk: list[float] = field(default_factory=list)
    overlap_s: list[tuple[float, float]] = field(default_factory=list)
    listening: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    snr_db: list[float] = field(default_factory=list)
    percentile_snr_db: list[float] = field(default_factory=list)
    false_music_s: float = 0.0
    found_music: np.ndarray = field(default_factory=lambda: np.zeros(3))
    n: int = 0

    def event(self, kind: str) -> float:
        return f1([self.events[kind, x] for x in ("hit", "found", "true")])


def score(made: list[Dialogue], line: Line) -> Score:
    """The product's figures of the dialogues over that line against their truth."""
    total = Score(n=len(made))
    for i, dialogue in enumerate(made):
        samples = on_the_line(dialogue, line, i)
        heard = hear(samples)
        n_frames = len(dialogue.speech)
        energy = energy_track(samples, RATE_HZ)[:n_frames]
        truth = floor_of(dialogue.segments(), dialogue.utterances)
        floor = floor_of(heard.segments, dialogue.utterances)
        for c in (0, 1):
            true_speech = np.zeros(n_frames, bool)
            for a, b in bridged_runs(dialogue.speech[:, c]):
                true_speech[a:b] = True
            total.frames += hits(true_speech, heard.speech[:, c])
            total.energy_frames += hits(true_speech, energy_speech(energy[:, c]))
            playing = np.abs(dialogue.tune[: n_frames * HOP, c]).reshape(-1, HOP).max(axis=1) > 0
            playing = widen(~widen(~playing, 5), 105)
            total.found_music += hits(playing, heard.music[:, c])
            total.false_music_s += float((heard.music[:n_frames, c] & ~playing).sum()) * FRAME_S
            if line.noise_snr_db is not None:
                own = next(v for v in heard.voices if v["audio_channel"] == c)
                total.snr_db.append(_number(own["snr_db"]) - line.noise_snr_db)
                low, high = np.percentile(decibels(energy[:, c]), [10, 95])
                total.percentile_snr_db.append(float(high - low) - line.noise_snr_db)
        events = events_of(floor, dialogue, heard.music_spans)
        for kind in KINDS:
            _count(total.events, kind, dialogue.events, [e for e in events if e.kind == kind])
        over = starts_over_the_other(floor)
        _count(total.events, "interruption", dialogue.events, over, "any overlap")
        total.overlap_s.append((floor.overlap_s, truth.overlap_s))
        total.talk += [floor.talk_s[p] / truth.talk_s[p] - 1.0 for p in PARTIES]
        total.listening.append(_share(floor) - _share(truth))
        ours, true = (conversation_measures(f, (), dialogue.utterances) for f in (floor, truth))
        for party in PARTIES:
            rates = [m["speaking_rate_wpm", party] for m in (ours, true)]
            if not any(isinstance(r, NotMeasured) for r in rates):
                total.rate.append(rates[0] / rates[1] - 1.0)
    return total


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _share(floor: Floor) -> float:
    return floor.talk_s["customer"] / sum(floor.talk_s.values())


def _count(events: Counter, kind: str, true: list[TrueEvent], found: list[TrueEvent], name: str = "") -> None:
    true = [e for e in true if e.kind == kind]
    key = name or kind
    events[key, "true"] += len(true)
    events[key, "found"] += len(found)
    events[key, "hit"] += matched(true, found)


def _mean_and_worst(values: Iterable[float]) -> tuple[float, float]:
    x = np.abs(np.array([v for v in values if np.isfinite(v)]))
    return (float(x.mean()), float(x.max())) if len(x) else (float("nan"), float("nan"))


# --- turns and activity of dialogues
def dialogue_figures(voices: tuple[Voice, ...], quick: bool = False, seed: int = 100) -> list[Figure]:
    """Activity, talk, events and pace of dialogues over clean, leaking, noisy and coded lines."""
    made = dialogues(voices, 2 if quick else 6, seed)
    lines = [Line(), Line(leak_db=-20, coding="ULAW"), Line(noise_snr_db=10)]
    if not quick:
        lines += [Line(noise_snr_db=20), Line(leak_db=-20, coding="GSM610"), Line(leak_db=-20, noise_snr_db=20)]
    out = []
    for line in lines:
        s = score(made, line)
        data = f"{SIMULATED}, {line}"
        true = {kind: s.events[kind, "true"] for kind in KINDS}
        out += [
            Figure(
                "voice activity, frame F1 (collar 50 ms)",
                data,
                s.n,
                f1(s.frames),
                "",
                "adaptive energy",
                f1(s.energy_frames),
                TUNED,
            ),
            Figure(
                "interruptions, F1 (onset within 1 s, same party)",
                data,
                true["interruption"],
                s.event("interruption"),
                "",
                "any overlap > 0.5 s, same activity",
                s.event("any overlap"),
                TUNED,
            ),
        ]
        out += [
            Figure(f"{kind.replace('_', ' ')}, F1", data, true[kind], s.event(kind), "", note=TUNED)
            for kind in KINDS
            if kind != "interruption"
        ]
        ours_s, true_s = (sum(x) for x in zip(*s.overlap_s, strict=True))
        for name, values, scale, unit in (
            ("talk time, mean (worst) error", s.talk, 100.0, "%"),
            ("listening ratio, mean (worst) error", s.listening, 1.0, ""),
            ("agent and customer words a minute, words given, mean (worst) error", s.rate, 100.0, "%"),
        ):
            mean, worst = _mean_and_worst(values)
            out.append(Figure(name, data, len(values), f"{scale * mean:.2g} ({scale * worst:.2g})", unit, note=TUNED))
        out.append(
            Figure("overlap time, all dialogues", data, s.n, 100.0 * (ours_s / true_s - 1.0), "%", note="signed error")
        )
        out.append(Figure("music, frame F1", data, s.n, f1(s.found_music), "", note="real hold music"))
        out.append(Figure("false music", data, s.n, s.false_music_s / s.n, "s a dialogue"))
    return out


# --- pitch
def pulse_voice(pitch_hz: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A vowel with slowly moving formants and that pitch per sample, through a telephone band; rms 0.05."""
    from scipy.signal import lfilter

    x = np.diff(np.floor(np.cumsum(pitch_hz / RATE_HZ)), prepend=0.0)
    for low, high, width in ((300, 800, 80), (900, 2000, 110), (2300, 2900, 160)):
        hz, r = random.uniform(low, high), np.exp(-np.pi * width / RATE_HZ)
        x = lfilter([1.0], [1.0, -2 * r * np.cos(2 * np.pi * hz / RATE_HZ), r * r], x)
    return _loud(_band(x))


def resynthesised(x: np.ndarray, base_hz: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Real speech with another, known voice source, and its pitch per 10 ms frame (0 where unvoiced).

    The source's spectral envelope (LPC of order 12 every 10 ms) shapes pulses of a drawn contour where most of a
    frame's power lies under 1.2 kHz, and noise elsewhere; then a telephone band.
    """
    from scipy.linalg import solve_toeplitz
    from scipy.signal import lfilter

    n_frames = len(x) // HOP
    power = np.abs(np.fft.rfft(x[: n_frames * HOP].reshape(-1, HOP) * np.hanning(HOP), axis=1)) ** 2
    low = power[:, : round(1200 * HOP / RATE_HZ)].sum(axis=1) / np.maximum(power.sum(axis=1), 1e-12)
    loud = decibels(np.mean(x[: n_frames * HOP].reshape(-1, HOP) ** 2, axis=1)) > -45.0
    voiced = np.zeros(n_frames, bool)
    for a, b in runs((low > 0.6) & loud):
        voiced[a:b] = b - a >= 5
    knots = random.uniform(-4.0, 4.0, n_frames // 25 + 3)
    contour = base_hz * 2.0 ** (np.interp(np.arange(n_frames), np.arange(len(knots)) * 25, knots) / 12.0)
    pulses = np.diff(np.floor(np.cumsum(np.repeat(contour, HOP) / RATE_HZ)), prepend=0.0)
    pulses *= np.sqrt(RATE_HZ / np.repeat(contour, HOP))
    source = np.where(np.repeat(voiced, HOP), pulses, random.standard_normal(n_frames * HOP))
    out, state = np.zeros(n_frames * HOP), np.zeros(12)
    padded = np.concatenate([np.zeros(HOP), x, np.zeros(2 * HOP)])
    for i in range(n_frames):
        window = padded[i * HOP : (i + 3) * HOP] * np.hanning(3 * HOP)
        r = np.correlate(window, window, "full")[len(window) - 1 :][:13]
        if r[0] <= 1e-9:
            state[:] = 0.0
            continue
        a = solve_toeplitz(r[:12] * np.concatenate([[1.0001], np.ones(11)]), r[1:13])
        gain = np.sqrt(max(r[0] - a @ r[1:13], 0.0) / (0.375 * 3 * HOP))
        part = slice(i * HOP, (i + 1) * HOP)
        out[part], state = lfilter([gain], np.concatenate([[1.0], -a]), source[part], zi=state)
    return _loud(_band(out)), np.where(voiced, contour, 0.0)


def _band(x: np.ndarray) -> np.ndarray:
    from scipy.signal import butter, sosfilt

    return sosfilt(butter(6, [300, 3400], "bandpass", fs=RATE_HZ, output="sos"), x)


def _loud(x: np.ndarray) -> np.ndarray:
    return 0.05 * x / np.sqrt(np.mean(x**2))


def pitch_errors(truth_hz: np.ndarray, found_hz: np.ndarray, among: np.ndarray) -> tuple[int, int, int]:
    """Frames with the wrong voicing, voiced frames more than 20 % off, frames; next to a change of voicing all pass."""
    n = min(len(truth_hz), len(found_hz), len(among))
    truth, found = truth_hz[:n], np.nan_to_num(found_hz[:n])
    among = among[:n] & ~widen(np.diff((truth > 0).astype(int), prepend=0) != 0, 1)
    voicing = ((truth > 0) != (found > 0)) & among
    both = (truth > 0) & (found > 0) & among
    gross = both & (np.abs(found / np.where(truth > 0, truth, 1.0) - 1.0) > 0.2)
    return int(voicing.sum()), int(gross.sum()), int(among.sum())


def pitch_figures(voices: tuple[Voice, ...], quick: bool = False) -> list[Figure]:
    """Voicing and gross pitch errors of frames with speech (FFE: Chu & Alwan 2009), beside librosa."""
    random = np.random.default_rng(11)
    items: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"pulse voices, telephone band": []}
    for base_hz in (75, 95, 120, 160, 210, 280, 350):
        knots = base_hz * 2.0 ** (random.uniform(-4.0, 4.0, 12) / 12.0)
        pitch = np.interp(np.arange(4 * RATE_HZ), np.linspace(0, 4 * RATE_HZ, 12), knots)
        x = pulse_voice(pitch, random)
        gate = np.repeat(np.arange(400) % 100 < 75, HOP)
        noise = _loud(_band(random.standard_normal(len(x)))) * 10.0 ** (-30.0 / 20.0)
        truth = np.where(gate, pitch, 0.0)[HOP // 2 :: HOP]
        items["pulse voices, telephone band"].append((x * gate + noise, truth))
    real = "real speech with a known voice source, telephone band"
    items[real] = []
    for voice, base_hz in zip(voices, (110, 200, 140, 240, 95, 170), strict=False):
        x = np.concatenate([c.samples for c in voice.clips])[: (4 if quick else 15) * RATE_HZ]
        items[real].append(resynthesised(x, base_hz, random))
    noisy = f"{real}, white noise 15 dB"
    items[noisy] = [(x + 0.05 * 10 ** (-15 / 20) * random.standard_normal(len(x)), t) for x, t in items[real]]
    out = []
    for data, pairs in items.items():
        wrong = {name: np.zeros(3) for name in _PITCH}
        for x, truth in pairs:
            samples = np.clip(np.rint(x * 32768), -32768, 32767).astype(np.int16)[:, None]
            among = widen(energy_track(samples, RATE_HZ)[:, 0] > 10 ** (-50 / 10), 2)
            for name, track in _PITCH.items():
                if not (quick and name == "librosa.pyin"):
                    wrong[name] += pitch_errors(truth, track(samples, among), among)
        rates = {name: 100 * (w[0] + w[1]) / w[2] for name, w in wrong.items() if w[2]}
        ours = wrong["ours"]
        for name in [n for n in rates if n != "ours"]:
            out.append(
                Figure(
                    "pitch: frames with wrong voicing or > 20 % off",
                    data,
                    int(ours[2]),
                    rates["ours"],
                    "%",
                    name,
                    rates[name],
                    f"voicing {100 * ours[0] / ours[2]:.1f} %, gross {100 * ours[1] / ours[2]:.2f} %",
                )
            )
    return out


def _ours(samples: np.ndarray, speech: np.ndarray) -> np.ndarray:
    return pitch_track(samples, RATE_HZ, 0, 0.0, speech)


def _yin(samples: np.ndarray, speech: np.ndarray) -> np.ndarray:
    import librosa

    x = samples[:, 0] / 32768.0
    found = librosa.yin(x, fmin=60, fmax=500, sr=RATE_HZ, frame_length=512, hop_length=HOP)
    return np.where(speech, found[: len(speech)], np.nan)


def _pyin(samples: np.ndarray, speech: np.ndarray) -> np.ndarray:
    import librosa

    x = samples[:, 0] / 32768.0
    found, _, _ = librosa.pyin(x, fmin=60, fmax=500, sr=RATE_HZ, frame_length=512, hop_length=HOP)
    return np.where(speech, found[: len(speech)], np.nan)


_PITCH: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "ours": _ours,
    "librosa.yin": _yin,
    "librosa.pyin": _pyin,
}


# --- noise
def noise_figures(voices: tuple[Voice, ...], quick: bool = False) -> list[Figure]:
    """SNR and activity on mixtures with three noises, and SNR on public noisy recordings."""
    out = []
    made = dialogues(voices, 1 if quick else 2, 300)
    for noise in NOISES:
        for snr_db in (0, 10, 20, 30):
            s = score(made, Line(noise_snr_db=snr_db, noise=noise))
            mean, worst = _mean_and_worst(s.snr_db)
            baseline, _ = _mean_and_worst(s.percentile_snr_db)
            out.append(
                Figure(
                    "SNR, mean (worst) error",
                    f"{SIMULATED}, {noise} noise {snr_db} dB",
                    len(s.snr_db),
                    f"{mean:.1f} ({worst:.1f})",
                    "dB",
                    "P95 - P10 of the frames' dB",
                    baseline,
                    f"activity F1 {f1(s.frames):.3f}",
                )
            )
    true = {"p287_001": 12.75, "p287_002": 8.98, "p287_003": 4.24}
    errors, baseline = [], []
    for name, snr_db in true.items():
        x, rate_hz = soundfile.read(REAL_DATA / f"snr_pairs/noisy/{name}.wav", dtype="int16")
        errors.append(_number(hear(x, rate_hz).voices[0]["snr_db"]) - snr_db)
        low, high = np.percentile(decibels(energy_track(x[:, None], rate_hz)[:, 0]), [10, 95])
        baseline.append(float(high - low) - snr_db)
    mean, worst = _mean_and_worst(errors)
    out.append(
        Figure(
            "SNR, mean (worst) error",
            "public noisy recordings of 2-7 s (VCTK-DEMAND)",
            int(np.isfinite(errors).sum()),
            f"{mean:.1f} ({worst:.1f})",
            "dB",
            "P95 - P10 of the frames' dB",
            _mean_and_worst(baseline)[0],
            "not tuned on",
        )
    )
    return out


# --- what must not matter
VARIANTS: dict[str, tuple[float, float, str, str, int]] = {
    # name: (gain dB, leading silence s, subtype, suffix, rate)
    "gain -10 dB": (-10.0, 0.0, "PCM_16", ".wav", RATE_HZ),
    "gain +10 dB": (10.0, 0.0, "PCM_16", ".wav", RATE_HZ),
    "1 s of silence before": (0.0, 1.0, "PCM_16", ".wav", RATE_HZ),
    "10 s of silence before": (0.0, 10.0, "PCM_16", ".wav", RATE_HZ),
    "WAV 24 bit": (0.0, 0.0, "PCM_24", ".wav", RATE_HZ),
    "WAV float": (0.0, 0.0, "FLOAT", ".wav", RATE_HZ),
    "FLAC": (0.0, 0.0, "PCM_16", ".flac", RATE_HZ),
    "WAV µ-law": (0.0, 0.0, "ULAW", ".wav", RATE_HZ),
    "WAV A-law": (0.0, 0.0, "ALAW", ".wav", RATE_HZ),
    "at 16 kHz": (0.0, 0.0, "PCM_16", ".wav", 16_000),
    "Ogg/Opus": (0.0, 0.0, "OPUS", ".ogg", RATE_HZ),
    "Ogg/Vorbis": (0.0, 0.0, "VORBIS", ".ogg", RATE_HZ),
    "MP3": (0.0, 0.0, "MPEG_LAYER_III", ".mp3", RATE_HZ),
}


def all_measures(dialogue: Dialogue, heard: Heard, shift_s: float = 0.0) -> dict[tuple[str, str], float]:
    """Every conversation metric with a value, and level, SNR and pitch of both channels."""
    said = [
        u.__class__(u.party, u.start_s + shift_s, u.end_s + shift_s, u.text, u.n_words) for u in dialogue.utterances
    ]
    floor = floor_of(heard.segments, said)
    found = conversation_measures(floor, find_events(floor, said, heard.music_spans, ANNOUNCEMENTS), said)
    out = {key: value for key, value in found.items() if not isinstance(value, NotMeasured)}
    for row in heard.voices:
        party = PARTIES[row["audio_channel"]]
        out |= {(name, party): row[name] for name in ("level_dbfs", "snr_db", "pitch_hz") if row[name] is not None}
    return out


def invariance_figures(voices: tuple[Voice, ...], quick: bool = False) -> list[Figure]:
    """What gain, silence before, format and the order of the channels change of the same call."""
    dialogue = dialogues(voices, 1, 500)[0]
    samples = on_the_line(dialogue, Line()) // 4  # room for a gain
    reference = all_measures(dialogue, hear(samples))
    out = []
    for name, (gain_db, before_s, subtype, suffix, rate_hz) in VARIANTS.items():
        if quick and suffix in (".ogg", ".mp3"):
            continue
        x = samples * 10.0 ** (gain_db / 20.0) / 32768.0
        x = np.concatenate([np.zeros((round(before_s * RATE_HZ), 2)), x])
        if rate_hz != RATE_HZ:
            import soxr

            x = soxr.resample(x, RATE_HZ, rate_hz)
        found = all_measures(dialogue, hear(x, rate_hz, subtype, suffix), before_s)
        found |= {key: value - gain_db for key, value in found.items() if key[0] == "level_dbfs"}
        out.append(_change(name, reference, found))
    swapped = hear(samples[:, ::-1])
    swapped.segments = [Segment(PARTIES[PARTIES[0] == s.party], s.start_s, s.end_s) for s in swapped.segments]
    for row in swapped.voices:
        row["audio_channel"] = 1 - row["audio_channel"]
    out.append(
        _change("left and right swapped, and the agent's channel with them", reference, all_measures(dialogue, swapped))
    )
    return out


def _change(name: str, reference: dict[tuple[str, str], float], found: dict[tuple[str, str], float]) -> Figure:
    """The largest change of a metric, in % of its value (dB for levels), and which it was."""
    decibel = [abs(found.get(k, np.nan) - v) for k, v in reference.items() if k[0] in ("level_dbfs", "snr_db")]
    counts = [k for k, v in reference.items() if k[0].endswith("_count") and found.get(k) != v]
    changes = {
        k: 100.0 * abs(found[k] - v) / abs(v) if k in found else float("inf")
        for k, v in reference.items()
        if k[0] not in ("level_dbfs", "snr_db") and v
    }
    changed = sum(c > 1e-9 for c in changes.values())
    worst = max(changes, key=lambda k: changes[k])
    note = f"{changed} of {len(changes)} figures changed; level and SNR by up to {max(decibel):.2f} dB"
    if changed:
        middle = float(np.median(list(changes.values())))
        note += f"; median change {middle:.2g} %; talk {changes['talk_s', 'agent']:.2g} %"
        note += f"; worst {' '.join(worst)}"
        note += f"; counts that differ: {', '.join(' '.join(k) for k in counts) or 'none'}"
    return Figure("largest change of a conversation metric", name, len(changes), max(changes.values()), "%", note=note)


# --- level
def level_figures(voices: tuple[Voice, ...], quick: bool = False) -> list[Figure]:
    """How far the levels of copies of a call differ once the copies' gain is taken out."""
    dialogue = dialogues(voices, 1, 500)[0]
    samples = on_the_line(dialogue, Line())
    ours, naive = [], []
    copies = [(g, 0.0, "PCM_16", ".wav") for g in (-20.0, -10.0, 0.0, 6.0)]
    copies += [(0.0, 0.0, "ULAW", ".wav"), (0.0, 0.0, "PCM_16", ".flac"), (0.0, 60.0, "PCM_16", ".wav")]
    if not quick:
        copies += [(0.0, 0.0, "VORBIS", ".ogg"), (0.0, 0.0, "MPEG_LAYER_III", ".mp3")]
    for gain_db, after_s, subtype, suffix in copies:
        x = samples / 2 * 10.0 ** (gain_db / 20.0) / 32768.0
        x = np.concatenate([x, np.zeros((round(after_s * RATE_HZ), 2))])
        heard = hear(x, RATE_HZ, subtype, suffix)
        ours.append([_number(v["level_dbfs"]) - gain_db for v in heard.voices])
        frames = decibels(np.mean(x[: len(x) // HOP * HOP].reshape(-1, HOP, 2) ** 2, axis=1))
        naive.append(frames.mean(axis=0) - gain_db)
    spread = [float(np.ptp(np.array(v), axis=0).max()) for v in (ours, naive)]
    return [
        Figure(
            "level, largest difference between copies of a call",
            "gains -20 to +6 dB, µ-law, FLAC, Vorbis, MP3, a minute of silence more",
            len(copies) * 2,
            spread[0],
            "dB",
            "mean of the frames' dB",
            spread[1],
        )
    ]


# --- no speech, and other speech
def false_speech_figures(quick: bool = False) -> list[Figure]:
    """Seconds a minute that are taken for speech where nobody speaks."""
    n = (30 if quick else 120) * RATE_HZ
    t = np.arange(n) / RATE_HZ
    tones = np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)
    sounds = {
        "digital silence": np.zeros(n),
        "line noise at -68 dBFS": 10 ** (-68 / 20) * NOISES["white"](n, 1),
        **{f"{name} noise at -40 dBFS": 0.01 * make(n, 2) for name, make in NOISES.items()},
        "ringing": 0.05 * tones * (t % 6.0 < 2.0),
        "real hold music": hold_music()[: 2 * n],
    }
    out = []
    for name, x in sounds.items():
        if not len(x):
            continue
        heard = hear(x)
        samples = np.clip(np.rint(x * 32768), -32768, 32767).astype(np.int16)[:, None]
        minutes = len(x) / RATE_HZ / 60.0
        baseline = energy_speech(energy_track(samples, RATE_HZ)[:, 0]).sum() * FRAME_S / minutes
        note = (
            f"{100 * heard.music[:, 0].sum() * FRAME_S / minutes / 60:.1f} % taken for music" if "music" in name else ""
        )
        value = float(heard.speech[:, 0].sum()) * FRAME_S / minutes
        out.append(Figure("false speech", name, 1, value, "s/min", "adaptive energy", float(baseline), note))
    return out


def meeting_figures() -> list[Figure]:
    """Activity of far-field meetings, whose speakers share one channel: another domain than ours."""
    folder = REAL_DATA / "meeting_overlap"
    spoken: dict[str, list[tuple[float, float]]] = {}
    for path in sorted(folder.glob("*.rttm")):
        for _, name, _, start_s, length_s, *_ in re.findall(
            r"^(SPEAKER) (\S+) (\d) ([\d.]+) ([\d.]+)()", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            spoken.setdefault(name, []).append((float(start_s), float(start_s) + float(length_s)))
    ours, energy, n = np.zeros(3), np.zeros(3), 0
    for name, spans in spoken.items():
        path = folder / f"{name}.wav"
        if not path.exists():
            continue
        x = read(path)[:, 0]
        truth = np.zeros(len(x) // HOP, bool)
        for a, b in spans:
            truth[round(a / FRAME_S) : round(b / FRAME_S)] = True
        samples = np.clip(np.rint(x * 32768), -32768, 32767).astype(np.int16)[:, None]
        ours += hits(truth, hear(x).speech[:, 0], 0.25)
        energy += hits(truth, energy_speech(energy_track(samples, RATE_HZ)[:, 0]), 0.25)
        n += 1
    note = "far-field, out of domain; overlaps of speakers on one channel are not measured (NULL, mono_audio)"
    return [
        Figure(
            "voice activity, frame F1 (collar 250 ms)",
            "meetings by hand (AMI)",
            n,
            f1(ours),
            "",
            "adaptive energy",
            f1(energy),
            note,
        )
    ]


PARTS = ("dialogues", "pitch", "level", "noise", "invariance", "false_speech", "meetings")


def figures(quick: bool = False, voices: tuple[Voice, ...] | None = None, parts: Iterable[str] = PARTS) -> list[Figure]:
    """All figures; raises FileNotFoundError where the real recordings are absent."""
    if not REAL_DATA.is_dir():
        raise FileNotFoundError(f"the real recordings are not at {REAL_DATA}")
    voices = held_out_voices() if voices is None else voices
    makers: dict[str, Callable[[], list[Figure]]] = {
        "dialogues": lambda: dialogue_figures(voices, quick),
        "pitch": lambda: pitch_figures(voices, quick),
        "level": lambda: level_figures(voices, quick),
        "noise": lambda: noise_figures(voices, quick),
        "invariance": lambda: invariance_figures(voices, quick),
        "false_speech": lambda: false_speech_figures(quick),
        "meetings": meeting_figures,
    }
    return [f for part in parts for f in makers[part]()]


@lru_cache(1)
def held_out_voices() -> tuple[Voice, ...]:
    """The real voices on which nothing was chosen."""
    return tuple(v for v in real_voices() if not v.name.startswith("e-mail"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter dialogues")
    parser.add_argument("--voices", type=Path, help="a folder with a sub-folder of WAVs for each voice")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part; may be repeated")
    options = parser.parse_args(arguments)
    if not REAL_DATA.is_dir():
        print(f"skipped: the real recordings are not at {REAL_DATA}")
        return 0
    voices = voices_in(options.voices) if options.voices else None
    print(table(figures(options.quick, voices, options.part or PARTS)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

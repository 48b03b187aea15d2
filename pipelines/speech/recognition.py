"""From the speech of one audio channel to words with times and confidence.

Recognition hears only what the activity stage calls speech. The segments are padded, joined and packed into clips of
at most 29 s, because the model's cost is one pass per 30 s window however little it holds; the words' times are put
back on the recording's axis. What the model makes up (text on music, loops, words where nobody speaks) is refused by
the gates and counted.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from pipelines.speech.model_files import model_folder

RATE_HZ = 16_000
RECIPE = "recognition-1"
# How the work is spread does not change the words, so it is no part of the version.
_NO_PART_OF_VERSION = frozenset({"workers", "threads"})


@dataclass(frozen=True)
class RecognitionOptions:
    """Model, decoding, clips and gates. `beam_size` 1 is the fast mode; `language` "auto" detects per channel."""

    model: str = "base"
    language: str = "en"
    beam_size: int = 5
    batch_size: int = 8
    compute_type: str = "int8"
    threads: int = 1
    workers: int = 2
    # clips
    pad_s: float = 0.5
    longest_clip_s: float = 29.0
    join_gaps_under_s: float = 1.0
    # gates
    outside_speech_s: float = 0.3
    least_word_probability: float = 0.08
    least_passage_probability: float = 0.35
    doubtful_no_speech: float = 0.6
    doubtful_log_probability: float = -1.0
    refused_log_probability: float = -1.6
    most_compression: float = 2.4
    most_repeats: int = 4
    quietest_speech_dbfs: float = -75.0

    @property
    def version(self) -> str:
        """Model, the settings that shape the words, and the recipe; two equal versions give equal words.

        A model that is given as a folder appears by the folder's name: rename it when its weights change.
        """
        settings = {k: v for k, v in vars(self).items() if k not in _NO_PART_OF_VERSION | {"model"}}
        digest = hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()[:8]
        model = Path(self.model).name
        return f"{RECIPE} whisper-{model} {self.language} beam{self.beam_size} {self.compute_type} {digest}"


@dataclass(frozen=True)
class Word:
    """A word with its punctuation; times in s from the start of the samples; `confidence` 0 to 1."""

    start_s: float
    end_s: float
    word: str
    confidence: float


@dataclass(frozen=True)
class Recognition:
    """Words in order; `language` None where there was no speech; `n_dropped` words were refused by the gates."""

    words: list[Word] = field(default_factory=list)
    language: str | None = None
    language_confidence: float | None = None
    n_dropped: int = 0


class Transcriber(Protocol):
    """Whatever turns speech into words."""

    @property
    def version(self) -> str: ...

    def transcribe(
        self, samples: np.ndarray, speech: Sequence[tuple[float, float]], language: str | None = None
    ) -> Recognition: ...


class FasterWhisper:
    """Whisper by faster-whisper (CTranslate2) on the CPU. Thread-safe: `options.workers` channels at once.

    `models` is the folder of the joined or supplied model files. The model is loaded at the first use, once.
    """

    def __init__(self, options: RecognitionOptions, models: Path) -> None:
        self.options = options
        self.models = models
        self._model = None
        self._lock = threading.Lock()

    @property
    def version(self) -> str:
        return self.options.version

    def load(self):
        """The loaded WhisperModel. Raises ModelMissing."""
        with self._lock:
            if self._model is None:
                folder = model_folder(self.options.model, self.models)
                os.environ["HF_HUB_OFFLINE"] = "1"
                from faster_whisper import WhisperModel

                self._model = WhisperModel(
                    str(folder),
                    device="cpu",
                    compute_type=self.options.compute_type,
                    cpu_threads=self.options.threads,
                    num_workers=self.options.workers,
                    local_files_only=True,
                )
            return self._model

    def transcribe(
        self, samples: np.ndarray, speech: Sequence[tuple[float, float]], language: str | None = None
    ) -> Recognition:
        """Words of one channel.

        `samples`: mono, float32, 16 kHz, shape (n,). `speech`: (start_s, end_s) of its speech. `language`: ISO 639-1
        or BCP-47 tag; None takes the option's, "auto" detects. No speech, silence or samples that aren't finite give
        no words. Raises ValueError on another shape, ModelMissing without weights.
        """
        samples = np.asarray(samples, dtype=np.float32)
        if samples.ndim != 1:
            raise ValueError(f"samples of one channel expected, shape (n,), got {samples.shape}")
        speech = audible(samples, speech, quietest_dbfs=self.options.quietest_speech_dbfs)
        clips = pack(speech, len(samples) / RATE_HZ, self.options, samples)
        if not clips:
            return Recognition()
        model = self.load()
        audio, ranges = _clip_audio(samples, clips)
        segments, info = _decode(
            model, audio, ranges, _language(model, language or self.options.language), self.options
        )
        heard = [_on_recording(segment, clips, ranges, info.language) for segment in segments]
        words, n_dropped = gate([s for s in heard if s.words], speech, self.options)
        return Recognition(words, info.language, round(float(info.language_probability), 4), n_dropped)


def _decode(model, audio: np.ndarray, ranges: list[tuple[float, float]], language: str | None, options):
    from faster_whisper import BatchedInferencePipeline

    # The pipeline keeps state between batches: one per call makes calls from several threads independent.
    segments, info = BatchedInferencePipeline(model).transcribe(
        audio,
        language=language,
        beam_size=options.beam_size,
        batch_size=options.batch_size,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        word_timestamps=True,
        vad_filter=False,
        clip_timestamps=[{"start": start, "end": end} for start, end in ranges],
    )
    return list(segments), info


def _language(model, language: str) -> str | None:
    """The model's code for a language tag; None (detect) for "auto" and for tags that the model doesn't know."""
    code = language.replace("_", "-").split("-")[0].lower()
    return code if code in model.supported_languages else None


# --- clips
Clip = list[tuple[float, float]]


def audible(
    samples: np.ndarray, speech: Iterable[tuple[float, float]], *, quietest_dbfs: float
) -> list[tuple[float, float]]:
    """The speech segments inside the samples that hold sound: finite, and louder than `quietest_dbfs` (RMS)."""
    kept = []
    for start_s, end_s in sorted(speech):
        piece = samples[max(0, round(start_s * RATE_HZ)) : max(0, round(end_s * RATE_HZ))]
        power = float(np.mean(np.square(piece, dtype=np.float64))) if len(piece) else 0.0
        if math.isfinite(power) and power > 10 ** (quietest_dbfs / 10):
            kept.append((max(0.0, start_s), min(end_s, len(samples) / RATE_HZ)))
    return kept


def pack(
    speech: Sequence[tuple[float, float]],
    duration_s: float,
    options: RecognitionOptions,
    samples: np.ndarray | None = None,
) -> list[Clip]:
    """Clips for the model: each a list of pieces (start_s, end_s) of the recording, together at most 29 s.

    Segments are padded by `pad_s`, joined where less than `join_gaps_under_s` lies between, cut where they are
    longer than a clip (at the quietest place of the last third), and packed one after the other in order.
    """
    pieces: list[list[float]] = []
    for start_s, end_s in speech:
        start_s, end_s = max(0.0, start_s - options.pad_s), min(duration_s, end_s + options.pad_s)
        if pieces and start_s - pieces[-1][1] < options.join_gaps_under_s:
            pieces[-1][1] = max(pieces[-1][1], end_s)
        else:
            pieces.append([start_s, end_s])
    gaps = [(b, c) for (_, b), (c, _) in pairwise(speech)]
    clips: list[Clip] = []
    for start_s, end_s in pieces:
        while end_s - start_s > options.longest_clip_s:
            cut_s = _cut(start_s, options.longest_clip_s, gaps, samples)
            clips.append([(start_s, cut_s)])
            start_s = cut_s
        if clips and sum(b - a for a, b in clips[-1]) + end_s - start_s <= options.longest_clip_s:
            clips[-1].append((start_s, end_s))
        else:
            clips.append([(start_s, end_s)])
    return clips


def _cut(start_s: float, longest_s: float, gaps: list[tuple[float, float]], samples: np.ndarray | None) -> float:
    """Where to part a piece that is too long: the longest pause of the last two thirds, else the quietest 0.2 s of
    the last third, else the end of the clip."""
    end_s = start_s + longest_s
    inside = [(b - a, (a + b) / 2) for a, b in gaps if start_s + longest_s / 3 < (a + b) / 2 < end_s]
    if inside:
        return max(inside)[1]
    if samples is None:
        return end_s
    hop = RATE_HZ // 10
    first = round((start_s + longest_s * 2 / 3) * RATE_HZ)
    tail = samples[first : round(end_s * RATE_HZ)]
    frames = tail[: len(tail) // hop * hop].reshape(-1, hop)
    if len(frames) < 2:
        return end_s
    energy = np.square(frames, dtype=np.float64).mean(axis=1)
    return (first + (int(np.argmin(energy[:-1] + energy[1:])) + 1) * hop) / RATE_HZ


def _clip_audio(samples: np.ndarray, clips: list[Clip]) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """The clips one after the other, and where each begins and ends in that, in s."""
    blocks, ranges, position = [], [], 0
    for clip in clips:
        size = 0
        for start_s, end_s in clip:
            block = samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
            blocks.append(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0))
            size += len(block)
        ranges.append((position / RATE_HZ, (position + size) / RATE_HZ))
        position += size
    return np.concatenate(blocks), ranges


# --- words back on the recording's axis
@dataclass(frozen=True)
class Heard:
    """A decoded clip: its words on the recording's axis, and how sure the model was of it."""

    words: list[Word]
    log_probability: float
    no_speech: float
    compression: float = 1.0


# Languages that are written without blanks between words: there a piece without a blank is a word of its own.
_NO_BLANKS = frozenset({"zh", "ja", "th", "lo", "my", "yue"})


def _on_recording(segment, clips: list[Clip], ranges: list[tuple[float, float]], language: str) -> Heard:
    clip = max(0, bisect_right(ranges, (segment.seek / 100 + 0.02, math.inf)) - 1)
    offset = ranges[clip][0]
    words = []
    for text, start_s, end_s, confidence in whole_words(segment.words or (), glue=language not in _NO_BLANKS):
        words.append(Word(*place(start_s - offset, end_s - offset, clips[clip]), text, confidence))
    return Heard(words, segment.avg_logprob, segment.no_speech_prob, segment.compression_ratio)


def whole_words(pieces: Iterable, *, glue: bool) -> list[tuple[str, float, float, float]]:
    """(text, start, end, confidence) of words, from the model's pieces (`word`, `start`, `end`, `probability`).

    With `glue` a piece that does not begin with a blank belongs to the word before (" 8", " a", ".m." is "8 a.m.",
    " 4111", "-1111" is "4111-1111"); the confidence is the pieces' mean.
    """
    words: list[list] = []
    for piece in pieces:
        text = piece.word.strip()
        if not text:
            continue
        probability = min(1.0, max(0.0, float(piece.probability)))
        if glue and words and not piece.word[0].isspace():
            words[-1][0] += text
            words[-1][2] = float(piece.end)
            words[-1][3].append(probability)
        else:
            words.append([text, float(piece.start), float(piece.end), [probability]])
    return [(text, start, end, round(sum(p) / len(p), 4)) for text, start, end, p in words]


def place(start_s: float, end_s: float, clip: Clip) -> tuple[float, float]:
    """Times within a clip as times of the recording (rounded to ms). A word lies in the piece that holds most of it."""
    offset, best, placed = 0.0, -math.inf, (0.0, 0.0)
    for piece_start_s, piece_end_s in clip:
        length = piece_end_s - piece_start_s
        shared = min(end_s, offset + length) - max(start_s, offset)
        if shared > best:
            best = shared
            inside = [min(max(t - offset, 0.0), length) + piece_start_s for t in (start_s, end_s)]
            placed = (round(inside[0], 3), round(inside[1], 3))
        offset += length
    return placed


# --- gates
def gate(
    heard: Sequence[Heard], speech: Sequence[tuple[float, float]], options: RecognitionOptions
) -> tuple[list[Word], int]:
    """The words that can be trusted, in order, and how many were refused.

    Refused are: clips that are no speech by the model's own probabilities; words without a letter or digit; words
    that touch no speech segment; repetitions of a phrase beyond `most_repeats` (any, where the clip's text compresses
    like a loop); passages (words between pauses of 1 s) that are improbable on average; improbable words.
    """
    total = sum(len(clip.words) for clip in heard)
    starts, ends = [s for s, _ in speech], [e for _, e in speech]
    kept: list[Word] = []
    for clip in heard:
        doubtful = (
            clip.no_speech > options.doubtful_no_speech or clip.log_probability < options.doubtful_log_probability
        )
        if clip.no_speech > options.doubtful_no_speech and clip.log_probability < options.doubtful_log_probability:
            continue
        if clip.log_probability < options.refused_log_probability:
            continue
        words = [w for w in clip.words if _LETTER.search(w.word) and math.isfinite(w.confidence)]
        words = [w for w in words if _touches(w, starts, ends, options.outside_speech_s)]
        words = without_loops(words, options.most_repeats if clip.compression <= options.most_compression else 1)
        for passage in passages(words, 1.0):
            mean = sum(w.confidence for w in passage) / len(passage)
            if mean < options.least_passage_probability:
                continue
            least = options.least_passage_probability if doubtful else options.least_word_probability
            kept += [w for w in passage if w.confidence >= least]
    kept.sort(key=lambda w: (w.start_s, w.end_s))
    return _without_backward_times(kept), total - len(kept)


_LETTER = re.compile(r"[^\W_]")


def passages(words: Sequence[Word], pause_s: float) -> list[list[Word]]:
    """The words, parted at pauses longer than `pause_s`."""
    parts: list[list[Word]] = []
    for word in words:
        if parts and word.start_s - parts[-1][-1].end_s <= pause_s:
            parts[-1].append(word)
        else:
            parts.append([word])
    return parts


def _touches(word: Word, starts: list[float], ends: list[float], tolerance_s: float) -> bool:
    before = bisect_left(
        starts, word.end_s + tolerance_s
    )  # segments in order: the last that starts before the word ends
    return before > 0 and ends[before - 1] > word.start_s - tolerance_s


def without_loops(words: Sequence[Word], most_repeats: int) -> list[Word]:
    """A phrase of 1 to 8 words that is said more than `most_repeats` times on end is a loop of the decoder: only its
    first occurrence stays. Digits may repeat (4 1 1 1 1 1 1 1): a loop of digits is none."""
    said = [re.sub(r"[^\w]+", "", w.word).lower() for w in words]
    kept: list[Word] = []
    i = 0
    while i < len(words):
        for length in range(1, 9):
            phrase = said[i : i + length]
            times = 1
            while said[i + times * length : i + (times + 1) * length] == phrase:
                times += 1
            if times > most_repeats and not all(_NUMBER.fullmatch(w) for w in phrase):
                kept += words[i : i + length]
                i += times * length
                break
        else:
            kept.append(words[i])
            i += 1
    return kept


_NUMBER = re.compile(
    r"\d+|zero|oh|o|one|two|three|four|five|six|seven|eight|nine|double|triple|"
    r"cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve",
    re.IGNORECASE,
)


def _without_backward_times(words: list[Word]) -> list[Word]:
    return [w if w.end_s >= w.start_s else replace(w, end_s=w.start_s) for w in words]

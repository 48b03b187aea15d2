"""From the speech of one audio channel to words with times and confidence.

Recognition hears only what the activity stage calls speech. The segments are padded, joined and packed into clips of
at most 29 s, because the model's cost is one pass per 30 s window however little it holds; the words' times are put
back on the recording's axis. What the model makes up (text on music, loops, words where nobody speaks) is refused by
the gates and counted. The language is the one that came with the interaction; else it is heard once per recording,
from both parties' speech together.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from pipelines.audio.resampled import Resampled
from pipelines.settings import SettingError
from pipelines.speech.model_files import model_folder

RATE_HZ = 16_000
RECIPE = "recognition-2"
# Clips whose sound and features are in memory together: 4 batches are 16 minutes of speech, 60 MB.
_BATCHES_AT_ONCE = 4
AUTO = "auto"
Piece = tuple[float, float]  # start and end in s
Clip = list[Piece]  # what the model is given at once
# How the work is spread does not change the words, so it is no part of the version; model and language are named in it.
_NO_PART_OF_DIGEST = frozenset({"workers", "threads", "model", "language"})
_OF_DETECTION = frozenset(
    {"fallback_language", "least_language_confidence", "least_fallback_probability", "longest_language_sample_s"}
)


@dataclass(frozen=True)
class RecognitionOptions:
    """Model, decoding, language, clips and gates. `beam_size` 1 is the fast mode.

    `language` is for recordings that came without one: "auto" detects it, and takes `fallback_language` where the
    best guess is less probable than `least_language_confidence` and the fallback is not improbable itself.
    `hotwords` are names and terms that the model is told to expect.
    """

    model: str = "base"
    language: str = AUTO
    fallback_language: str = "en"
    least_language_confidence: float = 0.5
    least_fallback_probability: float = 0.1
    longest_language_sample_s: float = 29.0
    hotwords: tuple[str, ...] = ()
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

    def version(self, language: str | None = None) -> str:
        """Recipe, model, language and a digest of the settings that shape the words: equal versions, equal words.

        `language` is what came with the recording; None where nothing did. A model that is given as a folder appears
        by the folder's name: rename it when its weights change.
        """
        spoken, model = language_code(language or self.language), Path(self.model).name
        ignored = _NO_PART_OF_DIGEST if spoken == AUTO else _NO_PART_OF_DIGEST | _OF_DETECTION
        settings = {k: v for k, v in vars(self).items() if k not in ignored}
        digest = hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()[:8]
        return f"{RECIPE} whisper-{model} {spoken} beam{self.beam_size} {self.compute_type} {digest}"


@dataclass(frozen=True)
class Word:
    """A word with its punctuation; times in s from the start of the samples; `confidence` 0 to 1."""

    start_s: float
    end_s: float
    word: str
    confidence: float


@dataclass(frozen=True)
class Language:
    """What is spoken in a recording: ISO 639-1 code; None where nobody speaks.

    `confidence` is the probability that the model gives to `code`, None where it was not asked; `detail` says what
    is unusual about it.
    """

    code: str | None
    confidence: float | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Recognition:
    """Words in order; `n_dropped` words were refused by the gates."""

    words: list[Word] = field(default_factory=list)
    n_dropped: int = 0


class Transcriber(Protocol):
    """Whatever turns speech into words."""

    def version(self, language: str | None = None) -> str: ...

    def language(
        self, audio: np.ndarray, speech: Mapping[int, Sequence[Piece]], supplied: str | None = None
    ) -> Language: ...

    def transcribe(self, samples: np.ndarray, speech: Sequence[Piece], language: str) -> Recognition: ...


class FasterWhisper:
    """Whisper by faster-whisper (CTranslate2) on the CPU. Thread-safe: `options.workers` channels at once.

    `models` is the folder of the joined or supplied model files. The model is loaded at the first use, once.
    """

    def __init__(self, options: RecognitionOptions, models: Path) -> None:
        self.options = options
        self.models = models
        self._model = None
        self._lock = threading.Lock()

    def version(self, language: str | None = None) -> str:
        return self.options.version(language)

    def load(self):
        """The loaded WhisperModel. Raises ModelMissing, and SettingError on options that it can't follow."""
        with self._lock:
            if self._model is None:
                folder = model_folder(self.options.model, self.models)
                os.environ["HF_HUB_OFFLINE"] = "1"
                from faster_whisper import WhisperModel

                model = WhisperModel(
                    str(folder),
                    device="cpu",
                    compute_type=self.options.compute_type,
                    cpu_threads=self.options.threads,
                    num_workers=self.options.workers,
                    local_files_only=True,
                )
                _check(model, self.options)
                self._model = model
            return self._model

    def language(
        self, audio: np.ndarray, speech: Mapping[int, Sequence[Piece]], supplied: str | None = None
    ) -> Language:
        """What is spoken in a recording; one encoder pass where it has to be heard, none where it is known.

        `audio`: float32, 16 kHz, shape (n, channels), or `Resampled`. `speech`: (start_s, end_s) by channel.
        `supplied`: ISO 639-1 or BCP-47 tag that came with it, which counts if the model knows it; after it the
        option's. Raises as `load` does.
        """
        if not any(speech.values()):
            return Language(language_code(supplied) if supplied else None)
        model, detail = self.load(), None
        if supplied and not _knows(model, supplied):
            if not model.model.is_multilingual:
                return Language(language_code(supplied), None, f"{self.options.model} knows English only")
            detail = f"the supplied language {supplied!r} is unknown to the model"
        elif supplied:
            return Language(language_code(supplied))
        if self.options.language != AUTO:
            return Language(language_code(self.options.language), None, detail)
        sample = language_sample(audio, speech, self.options)
        if not len(sample):
            return Language(None, None, detail)
        if not model.model.is_multilingual:
            return Language("en", None, f"{self.options.model} knows English only: the language was not detected")
        found = likely_language(*model.detect_language(sample), self.options)
        return replace(found, detail="; ".join(filter(None, (detail, found.detail))) or None)

    def transcribe(self, samples: np.ndarray, speech: Sequence[Piece], language: str) -> Recognition:
        """Words of one channel.

        `samples`: mono, float32, 16 kHz, shape (n,), or a channel of `Resampled`. `speech`: (start_s, end_s) of its
        speech. `language`: a code that the model knows. No speech, silence or samples that aren't finite give no
        words. Raises ValueError on another shape, ModelMissing without weights.
        """
        samples = _array(samples)
        if samples.ndim != 1:
            raise ValueError(f"samples of one channel expected, shape (n,), got {samples.shape}")
        speech = audible(samples, speech, quietest_dbfs=self.options.quietest_speech_dbfs)
        clips = pack(speech, len(samples) / RATE_HZ, self.options, samples)
        if not clips:
            return Recognition()
        model, heard = self.load(), []
        at_once = _BATCHES_AT_ONCE * self.options.batch_size
        for first in range(0, len(clips), at_once):
            these = clips[first : first + at_once]
            audio, ranges = _clip_audio(samples, these)
            segments = _decode(model, audio, ranges, language, self.options)
            heard += [_on_recording(segment, these, ranges, language) for segment in segments]
        words, n_dropped = gate([s for s in heard if s.words], speech, self.options)
        return Recognition(words, n_dropped)


def _check(model, options: RecognitionOptions) -> None:
    known = model.supported_languages
    for variable, tag in (
        ("IQS_WHISPER_LANGUAGE", options.language),
        ("IQS_WHISPER_FALLBACK_LANGUAGE", options.fallback_language),
    ):
        if tag != AUTO and language_code(tag) not in known:
            raise SettingError(f"{variable}={tag!r}: the model {options.model!r} knows {', '.join(known)}")
    # faster-whisper would cut the rest off without a word.
    most, n = model.max_length // 2 - 1, len(model.hf_tokenizer.encode(" " + _prompt(options)).ids)
    if n > most:
        raise SettingError(f"IQS_WHISPER_HOTWORDS: {n} tokens; the model takes {most} (about {most // 3} names)")


def _prompt(options: RecognitionOptions) -> str:
    return ", ".join(options.hotwords)


def _decode(model, audio: np.ndarray, ranges: list[Piece], language: str, options: RecognitionOptions) -> list:
    from faster_whisper import BatchedInferencePipeline

    # The pipeline keeps state between batches: one per call makes calls from several threads independent.
    segments, _ = BatchedInferencePipeline(model).transcribe(
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
        hotwords=_prompt(options) or None,
    )
    return list(segments)


def read_hotwords(path: Path) -> tuple[str, ...]:
    """Names and terms, one a line, in the file's order, each once. Raises SettingError where it can't be read.

    They help where names are missed: of a call with an accent 6 of 6 were heard instead of 3, its WER went from .223
    to .178; with 20 wrong names beside them 4. They hurt a little where none of them is said: of a clear call 8 of 10
    names instead of 9, WER .081 instead of .077. No name was invented. Every name costs time (20: about a tenth), so
    list what callers really say (tests/accuracy/wer.py; one call each).
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"IQS_WHISPER_HOTWORDS={str(path)!r} can't be read as a UTF-8 text file: {error}") from error
    return tuple(dict.fromkeys(name for line in lines if (name := " ".join(line.split()))))


# --- language
def language_code(tag: str) -> str:
    """The primary part of a BCP-47 tag, in lower case: "en" of "en-GB"."""
    return tag.strip().replace("_", "-").split("-")[0].lower()


def _knows(model, language: str) -> bool:
    return language_code(language) in model.supported_languages


def likely_language(
    best: str, confidence: float, every: Iterable[tuple[str, float]], options: RecognitionOptions
) -> Language:
    """The language of a recording from the model's probabilities: the best, or where that is uncertain the fallback.

    A fallback that is itself improbable is not assumed: better a call that is left out as of an unsupported language
    than one in a foreign language that is scored.
    """
    fallback = language_code(options.fallback_language)
    detail, assumed = None, dict(every).get(fallback, 0.0)
    if confidence < options.least_language_confidence and best != fallback:
        detail = f"the language is uncertain: {best} {confidence:.2f}, {fallback} {assumed:.2f}"
        if assumed >= options.least_fallback_probability:
            best, confidence, detail = fallback, assumed, f"{detail}; {fallback} was assumed"
    return Language(best, round(float(confidence), 4), detail)


def language_sample(
    audio: np.ndarray, speech: Mapping[int, Sequence[Piece]], options: RecognitionOptions
) -> np.ndarray:
    """Speech of all channels for the detection of the language: float32, 16 kHz, shape (m,), at most 29 s.

    Every channel with speech gives an equal share (what one lacks goes to the others), in windows of 5 s or less that
    are spread evenly over its speech, so that a long greeting or a foreign name does not decide.
    """
    heard = []
    for channel, clips in speech.items():
        samples = _array(audio[:, channel])
        clips = audible(samples, clips, quietest_dbfs=options.quietest_speech_dbfs)
        if clips:
            heard.append((samples, [(round(a * RATE_HZ), round(b * RATE_HZ)) for a, b in clips]))
    left, windows = round(options.longest_language_sample_s * RATE_HZ), []
    for place, (samples, clips) in enumerate(sorted(heard, key=lambda of: sum(b - a for a, b in of[1]))):
        spoken = sum(b - a for a, b in clips)
        share = min(spoken, left // (len(heard) - place))
        left -= share
        n = -(-share // (5 * RATE_HZ))
        length = share // n
        for start in np.linspace(0, spoken - length, n).astype(int).tolist():
            windows += _joined(samples, clips, start, start + length)
    return np.concatenate(windows) if windows else np.zeros(0, np.float32)


def _joined(samples: np.ndarray, clips: list[tuple[int, int]], start: int, stop: int) -> Iterator[np.ndarray]:
    """Samples start..stop of the clips, counted as if one followed the other."""
    for first, last in clips:
        low, high = max(first, first + start), min(last, first + stop)
        if high > low:
            yield samples[low:high]
        start, stop = start - (last - first), stop - (last - first)


def _array(samples: np.ndarray) -> np.ndarray:
    """The samples as float32; those that are made where they are looked at stay so."""
    return samples if isinstance(samples, Resampled) else np.asarray(samples, dtype=np.float32)


# --- clips
def joined(speech: Iterable[Piece]) -> list[Piece]:
    """The segments in order, those that touch or overlap (two voices on one channel) made one."""
    parts: list[Piece] = []
    for start_s, end_s in sorted(speech):
        if parts and start_s <= parts[-1][1]:
            parts[-1] = (parts[-1][0], max(parts[-1][1], end_s))
        else:
            parts.append((start_s, end_s))
    return parts


def audible(samples: np.ndarray, speech: Iterable[Piece], *, quietest_dbfs: float) -> list[Clip]:
    """The speech segments inside the samples that hold sound: finite, and louder than `quietest_dbfs` (RMS).

    Segments that touch or overlap are joined first.
    """
    kept = []
    for start_s, end_s in joined(speech):
        power = _power(samples, max(0, round(start_s * RATE_HZ)), max(0, round(end_s * RATE_HZ)))
        if math.isfinite(power) and power > 10 ** (quietest_dbfs / 10):
            kept.append((max(0.0, start_s), min(end_s, len(samples) / RATE_HZ)))
    return kept


def _power(samples: np.ndarray, start: int, stop: int) -> float:
    """Mean square, by blocks of half a minute; 0 without samples."""
    total = n = 0
    for at in range(start, stop, 30 * RATE_HZ):
        block = samples[at : min(at + 30 * RATE_HZ, stop)]
        total, n = total + float(np.square(block, dtype=np.float64).sum()), n + len(block)
    return total / n if n else 0.0


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

"""A recording's audio channels through recognition, as rows of the lake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipelines.settings import SettingError
from pipelines.speech.recognition import Language, Piece, Recognition, Transcriber, Word, joined

# words of each channel, start of each in s -> their texts: a mark for the first word of a span, "" for its others
Redact = Callable[[list[list[str]], list[list[float]]], list[list[str]]]


def recognised_rows(
    transcriber: Transcriber,
    audio: np.ndarray,
    *,
    speech: Mapping[int, Sequence[Piece]],
    layout: str,
    language: str | None,
    redact: Redact,
    version: str,
) -> tuple[list[dict], list[dict]]:
    """Rows of transcripts/words and transcripts/recognitions (less the recording's identity) of one recording.

    `audio` is float32 (n, channels) at 16 kHz, an array or `Resampled`, `speech` the (start, end) in s of the speech
    on each channel: nothing else is recognised; segments of two voices on a channel that touch or overlap are one. Of
    a dual-mono recording only the first channel is. `language` is the one that came with the interaction; where None
    it is heard, once for all channels. `redact` sees all channels together, so that a question on one explains the
    digits on the other. A channel on which recognition fails has a row that says so, and no words.
    """
    speech_on = {c: joined(speech.get(c, ())) for c in range(1 if layout == "dual_mono" else audio.shape[1])}
    spoken, no_language = _tried(transcriber.language, audio, speech_on, language)
    spoken = spoken or Language(None)
    found: list[Recognition | None] = []
    rows = []
    for channel, pieces in speech_on.items():
        recognition, failure = None, no_language if pieces else None
        if pieces and spoken.code:
            recognition, failure = _tried(transcriber.transcribe, audio[:, channel], pieces, spoken.code)
        found.append(recognition)
        rows.append(
            {
                "audio_channel": channel,
                "outcome": "failed" if failure else "no_speech",
                "language": spoken.code,
                "language_confidence": spoken.confidence,
                "n_words": 0,
                "n_words_dropped": 0,
                "speech_s": round(sum(end - start for start, end in pieces), 3),
                "detail": failure or spoken.detail,
                "extractor_version": version,
            }
        )
    heard = [list(recognition.words) if recognition else [] for recognition in found]
    texts = redact([[w.word for w in ws] for ws in heard], [[w.start_s for w in ws] for ws in heard])
    words = []
    for row, recognition, spoken, redacted in zip(rows, found, heard, texts, strict=True):
        kept = list(_kept(spoken, redacted))
        words += [
            {
                "audio_channel": row["audio_channel"],
                "word_index": index,
                "start_s": round(word.start_s, 3),
                "end_s": round(end_s, 3),
                "word": text,
                "confidence": round(word.confidence, 4),
                "extractor_version": version,
            }
            for index, (word, text, end_s) in enumerate(kept)
        ]
        if recognition is not None:
            row |= {
                "outcome": "transcribed" if kept else "no_speech",
                "asr_confidence": float(np.mean([w.confidence for w, _, _ in kept])) if kept else None,
                "n_words": len(kept),
                "n_words_dropped": recognition.n_dropped,
            }
    return words, rows


def _tried(function: Callable, *arguments) -> tuple:
    """(result, None), or (None, what went wrong): one bad recording doesn't stop the day, a wrong setting does."""
    try:
        return function(*arguments), None
    except SettingError:
        raise
    except (RuntimeError, ValueError, MemoryError) as error:
        return None, f"{type(error).__name__}: {error}"


def undecoded_row(detail: str, version: str) -> dict:
    """The row of transcripts/recognitions of a recording that could not be decoded for recognition."""
    return {
        "audio_channel": 0,
        "outcome": "failed",
        "n_words": 0,
        "n_words_dropped": 0,
        "speech_s": 0.0,
        "detail": detail or "the recording could not be decoded",
        "extractor_version": version,
    }


def _kept(words: Sequence[Word], texts: Sequence[str]) -> list[tuple[Word, str, float]]:
    """(word, text, end in s) of what is left; a mark lasts until the last word that went into it."""
    kept: list[tuple[Word, str, float]] = []
    for word, text in zip(words, texts, strict=True):
        if text.strip():
            kept.append((word, text, word.end_s))
        elif kept:
            first, mark, _ = kept[-1]
            kept[-1] = (first, mark, word.end_s)
    return kept

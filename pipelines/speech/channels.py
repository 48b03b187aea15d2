"""A recording's audio channels through recognition, as rows of the lake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipelines.speech.recognition import Transcriber

Clip = tuple[float, float]


def recognised_rows(
    transcriber: Transcriber,
    audio: np.ndarray,
    *,
    speech: Mapping[int, Sequence[Clip]],
    layout: str,
    language: str | None,
    redact_words: Callable[[list[str]], list[str | None]],
) -> tuple[list[dict], list[dict]]:
    """Rows of transcripts/words and transcripts/recognitions (less the recording's identity) of one recording.

    `audio` is float32 (n, channels) at 16 kHz, `speech` the (start, end) in s of the speech on each channel: nothing
    else is recognised. Of a dual-mono recording only the first channel is. `redact_words` gives each word's text, a
    mark, or None where the word went into the mark before it.
    """
    words, recognitions = [], []
    for channel in range(1 if layout == "dual_mono" else audio.shape[1]):
        clips = list(speech.get(channel, ()))
        row = {
            "audio_channel": channel,
            "outcome": "no_speech",
            "language": language,
            "n_words": 0,
            "n_words_dropped": 0,
            "speech_s": round(sum(end - start for start, end in clips), 3),
            "extractor_version": transcriber.version,
        }
        if clips:
            try:
                found = transcriber.transcribe(audio[:, channel], clips, language)
            except (RuntimeError, ValueError, MemoryError) as error:
                row |= {"outcome": "failed", "detail": f"{type(error).__name__}: {error}"}
            else:
                kept = _word_rows(found.words, channel, redact_words, transcriber.version)
                words += kept
                row |= {
                    "outcome": "transcribed" if kept else "no_speech",
                    "language": found.language,
                    "language_confidence": found.language_confidence,
                    "asr_confidence": float(np.mean([w["confidence"] for w in kept])) if kept else None,
                    "n_words": len(kept),
                    "n_words_dropped": found.n_dropped,
                }
        recognitions.append(row)
    return words, recognitions


def undecoded_row(transcriber: Transcriber, detail: str) -> dict:
    """The row of transcripts/recognitions of a recording that could not be decoded for recognition."""
    return {
        "audio_channel": 0,
        "outcome": "failed",
        "n_words": 0,
        "n_words_dropped": 0,
        "speech_s": 0.0,
        "detail": detail or "the recording could not be decoded",
        "extractor_version": transcriber.version,
    }


def _word_rows(words: Sequence, channel: int, redact_words: Callable, version: str) -> list[dict]:
    texts = redact_words([w.word for w in words])
    kept = [(w, t) for w, t in zip(words, texts, strict=True) if t]
    return [
        {
            "audio_channel": channel,
            "word_index": index,
            "start_s": round(word.start_s, 3),
            "end_s": round(word.end_s, 3),
            "word": text,
            "confidence": round(word.confidence, 4),
            "extractor_version": version,
        }
        for index, (word, text) in enumerate(kept)
    ]

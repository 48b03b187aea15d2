"""Whose voice it is: the agent's or the customer's. Pure: frames in, a frame out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.contracts.transcripts import SPEAKERS

# Layouts whose audio channels are not the parties.
UNPARTED_LAYOUTS = ("mono", "dual_mono")
Voice = tuple[int, int]  # (audio channel, speaker)


class Role(NamedTuple):
    """Which of two voices is the agent's by what they say: None where nothing tells; 0.5 … 1; what speaks for it."""

    agent: Voice | None
    confidence: float
    detail: str


# (texts of each voice in order, language tag) -> the agent's voice
WhoIsAgent = Callable[[Mapping[Voice, list[str]], str | None], Role]


@dataclass(frozen=True)
class SpeakerOptions:
    """`correct_from`: so sure must the words be to overrule the default channel; a supplied one is never overruled.
    `tell_from`, `apart_from`: so sure must the words, and the separation of the voices, be on a mono recording."""

    correct_from: float = 0.95
    tell_from: float = 0.8
    apart_from: float = 0.5


OPTIONS = SpeakerOptions()


def with_speaker(words: pl.DataFrame, segments: pl.DataFrame) -> pl.DataFrame:
    """`transcripts/words` with the column `speaker`: of the speech segment of its channel that shares the most time
    with the word, else of the nearest one; 0 on a channel without segments."""
    voices = {
        key: rows.sort("start_s").select("start_s", "end_s", "speaker").to_numpy()
        for key, rows in segments.filter(pl.col("kind") == "speech").group_by("interaction_id", "audio_channel")
        if rows["speaker"].n_unique() > 1
    }
    speakers = np.zeros(words.height, np.int8)
    if voices:
        columns = ("interaction_id", "audio_channel", "start_s", "end_s")
        for row, (id_, channel, start_s, end_s) in enumerate(words.select(columns).iter_rows()):
            spoken = voices.get((id_, channel))
            if spoken is not None:
                shared = np.minimum(spoken[:, 1], end_s) - np.maximum(spoken[:, 0], start_s)
                speakers[row] = spoken[int(np.argmax(shared)), 2]
    return words.with_columns(speaker=pl.Series(speakers, dtype=pl.Int8))


def speakers(
    interactions: pl.DataFrame,
    recordings: pl.DataFrame,
    voices: pl.DataFrame,
    said: pl.DataFrame,
    who_is_agent: WhoIsAgent,
    options: SpeakerOptions = OPTIONS,
) -> pl.DataFrame:
    """Frame of transcripts/speakers: a row for each voice of acoustics/voices.

    `said` holds what recognition heard (interaction_id, audio_channel, speaker, text, language), in order. On
    recordings with a channel for each party the supplied agent channel stands whatever is said; without one channel 0
    is the agent's, unless the words are sure that the channels are swapped. The two voices of a mono recording are
    told by their words, or not at all.
    """
    recording_of = {r["interaction_id"]: r for r in recordings.iter_rows(named=True)}
    tag_of = dict(interactions.select("interaction_id", "language").iter_rows())
    texts: dict[str, dict[Voice, list[str]]] = defaultdict(lambda: defaultdict(list))
    for id_, channel, speaker, text, language in said.select(
        "interaction_id", "audio_channel", "speaker", "text", "language"
    ).iter_rows():
        texts[id_][channel, speaker].append(text)
        tag_of[id_] = language or tag_of.get(id_)
    rows = []
    for (id_,), own in voices.sort("interaction_id", "audio_channel", "speaker").group_by(
        "interaction_id", maintain_order=True
    ):
        recording = recording_of.get(id_)
        if recording is None or recording["layout"] is None:
            continue
        found = [(r["audio_channel"], r["speaker"]) for r in own.iter_rows(named=True)]
        heard = {voice: texts[id_].get(voice, []) for voice in found}
        role = Role(None, 0.5, "")
        if len(found) == 2 and all(heard.values()):
            role = who_is_agent(heard, tag_of.get(id_))
        apart = own["speaker_confidence"].min()
        for voice, (party, source, confidence, detail) in _parties(recording, found, role, apart, options).items():
            rows.append(
                {
                    "interaction_id": id_,
                    "audio_channel": voice[0],
                    "speaker": voice[1],
                    "party": party,
                    "source": source,
                    "confidence": confidence,
                    "detail": detail,
                }
            )
    return SPEAKERS.conform(SPEAKERS.frame(rows))


def _parties(
    recording: Mapping, voices: list[Voice], role: Role, apart: float | None, options: SpeakerOptions
) -> dict[Voice, tuple[str | None, str, float | None, str | None]]:
    """(party, source, confidence, detail) of each voice."""
    told = role.agent is not None
    if recording["layout"] in UNPARTED_LAYOUTS or recording["n_channels"] == 1:
        if len(voices) != 2 or apart is None:
            return dict.fromkeys(voices, (None, "unknown", None, "one voice, or voices that can't be told apart"))
        confidence = round(min(apart, role.confidence), 4) if told else None
        if not told or role.confidence < options.tell_from or apart < options.apart_from:
            why = f"voices apart with {apart:.2f}; " + (role.detail or "no words tell who is the agent")
            return dict.fromkeys(voices, (None, "unknown", confidence, why))
        return {v: ("agent" if v == role.agent else "customer", "words", confidence, role.detail) for v in voices}
    supplied = recording["agent_channel_source"] == "supplied"
    agent_channel = recording["agent_channel"]
    swapped = told and role.agent[0] != agent_channel and role.confidence >= options.correct_from
    source, confidence, detail = "supplied" if supplied else "default", None, None
    if told:
        agrees = role.agent[0] == agent_channel
        confidence = round(role.confidence if agrees else 1 - role.confidence, 4)
        detail = role.detail
    if swapped and supplied:
        detail = f"the words contradict the supplied channel: {role.detail}"
    elif swapped:
        agent_channel, source, confidence = 1 - agent_channel, "corrected", round(role.confidence, 4)
    return {v: ("agent" if v[0] == agent_channel else "customer", source, confidence, detail) for v in voices}

"""Tone: how activated a speaker sounds against the own baseline of the call, and what that adds to the words.

Louder, higher and livelier than usual is arousal; whether it is anger or joy, sound alone can't tell (Russell 1980;
Scherer 2003; the three measures lead the arousal set of eGeMAPS, Eyben et al. 2016). So tone never turns a
sentiment: it strengthens what the words say, and tilts neutral words only where the customer was displeased just
before. The constants were chosen by reason, not fitted: there is no labelled emotional telephone speech here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from pipelines.contracts.language import SENTIMENTS
from pipelines.language.said import Said

# Fewer segments give no baseline.
FEWEST_SEGMENTS = 5
# An utterance of fewer words is too short to hear a tone in.
TONE_WORDS = 3
# The least spread that counts: about what a calm voice and the measures themselves vary by.
_LEAST_SPREAD = {"level_dbfs": 1.5, "pitch_st": 1.0, "pitch_range_st": 1.0}
_MAD_TO_SIGMA = 1.4826
# One odd segment (a cough, an octave error) may not carry an utterance.
_FURTHEST_Z = 4.0

# Words with a sentiment are strengthened from here (z), in full from there, by so much.
STRENGTHENS_FROM_Z = 0.5
RAISED_Z = 1.5
FULL_Z = 3.0
MOST_ADDED = 0.25
# The customer was displeased: mean word sentiment of so many utterances before, at most.
DISPLEASED = -0.2
CONTEXT_UTTERANCES = 5

_SCHEMA = {c: SENTIMENTS.schema[c] for c in ("interaction_id", "utterance", "activation")}


def activations(utterances: pl.DataFrame, segments: pl.DataFrame, speakers: pl.DataFrame) -> pl.DataFrame:
    """(interaction_id, utterance, activation) of the utterances in whose time speech of their party was measured.

    Frames of `transcripts/utterances`, `acoustics/segments`, `transcripts/speakers`. Of each speech segment the
    level (dB), the pitch (semitones) and the pitch range (semitones) are robust z-scores against all segments of the
    same voice in the call: (value - median) / max(1.4826 · MAD, 1.5 dB or 1 semitone), cut at ±4. An utterance's
    activation is the mean of the three, each a mean over its segments by the seconds inside the utterance; without
    pitch, of the level alone. NULL where the voice has fewer than 5 segments or where nothing was measured in its
    time; messages and utterances of an unknown party have no row.
    """
    known = speakers.filter(pl.col("party").is_not_null()).select("interaction_id", "audio_channel", "speaker", "party")
    speech = segments.filter(pl.col("kind") == "speech").join(known, on=["interaction_id", "audio_channel", "speaker"])
    speech = _with_z_scores(speech).sort("interaction_id", "party", "start_s")
    said = utterances.filter(
        pl.col("party").is_not_null() & pl.col("start_s").is_not_null() & pl.col("end_s").is_not_null()
    ).select("interaction_id", "utterance", "party", "start_s", "end_s")
    columns = ("start_s", "end_s", *(f"{name}_z" for name in _LEAST_SPREAD))
    voices = {
        key: part.select(columns).to_numpy()
        for key, part in speech.partition_by("interaction_id", "party", as_dict=True).items()
    }
    rows = [
        (id_, utterance, _activation(voices.get((id_, party)), start_s, end_s))
        for id_, utterance, party, start_s, end_s in said.iter_rows()
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("interaction_id", "utterance")


def add_tone(talk: Sequence[Said]) -> None:
    """Set `sentiment` of a conversation's utterances from `word_sentiment`, `activation` and what went before."""
    if not talk:
        return
    words = np.array([s.word_sentiment for s in talk])
    activation = np.array([np.nan if s.activation is None or s.n_words < TONE_WORDS else s.activation for s in talk])
    found = with_tone(words, activation, displeased_before(talk))
    for said, sentiment in zip(talk, found, strict=True):
        said.sentiment = float(sentiment)


def with_tone(words: np.ndarray, activation: np.ndarray, displeased: np.ndarray) -> np.ndarray:
    """(n,) sentiment from the sentiment of the `words`, the `activation` (NaN: not known) and whether the customer
    who speaks was `displeased` before.

    Words with a sentiment are strengthened by 0 at z 0.5 to 0.25 at z 3; neutral words of a displeased customer are
    lowered by 0 at z 1.5 to 0.25 at z 3. Never more, never the other way, and not at all without an activation.
    """
    z = np.nan_to_num(np.asarray(activation, float), nan=-np.inf)
    stronger = MOST_ADDED * np.clip((z - STRENGTHENS_FROM_Z) / (FULL_Z - STRENGTHENS_FROM_Z), 0, 1)
    lower = MOST_ADDED * np.clip((z - RAISED_Z) / (FULL_Z - RAISED_Z), 0, 1)
    added = np.where(words == 0, -lower * displeased, np.sign(words) * stronger)
    return np.round(np.clip(words + added, -1, 1), 4) + 0.0


def displeased_before(talk: Sequence[Said]) -> np.ndarray:
    """(n,) whether it is the customer who speaks and the mean word sentiment of up to 5 of the customer's utterances
    just before, by words, is at most -0.2."""
    before: list[tuple[float, int]] = []
    found = np.zeros(len(talk), bool)
    for i, said in enumerate(talk):
        if said.party != "customer" or not said.has_words:
            continue
        n_words = sum(n for _, n in before)
        found[i] = n_words > 0 and sum(s * n for s, n in before) / n_words <= DISPLEASED
        before = [*before, (said.word_sentiment, max(said.n_words, 1))][-CONTEXT_UTTERANCES:]
    return found


def _with_z_scores(speech: pl.DataFrame) -> pl.DataFrame:
    """Speech segments with `<measure>_z`; NULL where it wasn't measured or the voice has too few segments."""
    voice = ["interaction_id", "audio_channel", "speaker"]
    speech = speech.with_columns(pitch_st=12 * pl.col("pitch_hz").log(2))
    scores = []
    for name, least in _LEAST_SPREAD.items():
        away = pl.col(name) - pl.col(name).median().over(voice)
        spread = (away.abs().median().over(voice) * _MAD_TO_SIGMA).clip(least)
        enough = pl.col(name).count().over(voice) >= FEWEST_SEGMENTS
        scores.append(pl.when(enough).then((away / spread).clip(-_FURTHEST_Z, _FURTHEST_Z)).alias(f"{name}_z"))
    return speech.with_columns(scores)


def _activation(segments: np.ndarray | None, start_s: float, end_s: float) -> float | None:
    """Of segments (start_s, end_s, z-scores; NaN where there is none) in order of their starts."""
    if segments is None:
        return None
    first = np.searchsorted(np.maximum.accumulate(segments[:, 1]), start_s, side="right")
    last = np.searchsorted(segments[:, 0], end_s, side="left")
    inside = segments[first:last]
    seconds = np.minimum(inside[:, 1], end_s) - np.maximum(inside[:, 0], start_s)
    scores = inside[:, 2:]
    weight = np.clip(seconds, 0, None)[:, None] * ~np.isnan(scores)
    total = weight.sum(axis=0)
    if not total.any():
        return None
    means = (weight * np.nan_to_num(scores)).sum(axis=0)[total > 0] / total[total > 0]
    return round(float(means.mean()), 4)

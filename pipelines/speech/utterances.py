"""Words, supplied transcripts and messages as one table of utterances. Pure: frames in, a frame out."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.contracts.transcripts import UTTERANCES
from pipelines.speech.speakers import SpeakerOptions, WhoIsAgent, speakers, with_speaker

SENTENCE_END = r"[.?!…。？！][\"'”’)\]]*$"
_MARK = r"\[[a-z]+\]"


UTTERANCES_VERSION = "utterances-2"


@dataclass(frozen=True)
class UtteranceOptions:
    """Where the words of a channel are parted into utterances."""

    pause_over_s: float = 0.8
    pause_after_sentence_over_s: float = 0.4
    longest_s: float = 30.0


OPTIONS = UtteranceOptions()


def utterances(
    interactions: pl.DataFrame,
    recordings: pl.DataFrame,
    segments: pl.DataFrame,
    voices: pl.DataFrame,
    recognitions: pl.DataFrame,
    words: pl.DataFrame,
    transcripts: pl.DataFrame,
    messages: pl.DataFrame,
    who_is_agent: WhoIsAgent,
    options: UtteranceOptions = OPTIONS,
    speaker_options: SpeakerOptions = SpeakerOptions(),
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Frames of transcripts/speakers and transcripts/utterances: who each voice is, and what was said and written.

    Frames in the schemas of their contracts, redacted as they come. A supplied transcript stands in place of
    recognition; messages belong to interactions that are no calls. Utterances are numbered by start (supplied ones
    without times by seq, messages by `sent_at`, then seq). The party is that of the voice (`speakers`). The language
    is the one that recognition found, otherwise the supplied one.
    """
    recognised = words.join(transcripts.select("interaction_id").unique(), on="interaction_id", how="anti")
    languages = _languages(interactions, recognitions)
    spoken = utterances_from_words(with_speaker(recognised, segments), options)
    said = spoken.join(languages, on="interaction_id", how="left").sort("interaction_id", "start_s")
    who = speakers(interactions, recordings, voices, said, who_is_agent, speaker_options)
    voice = ["interaction_id", "audio_channel", "speaker"]
    spoken = spoken.join(who.select(*voice, "party"), on=voice, how="left").pipe(_common)
    rows = pl.concat([spoken, utterances_from_segments(transcripts), utterances_from_messages(messages)])
    rows = rows.join(languages, on="interaction_id", how="left")
    order = ["interaction_id", "start_s", "sent_at", "seq", "party"]
    rows = rows.sort(order, nulls_last=True, maintain_order=True).with_columns(
        utterance=pl.int_range(pl.len(), dtype=pl.Int32).over("interaction_id")
    )
    return who, UTTERANCES.conform(rows.select(list(UTTERANCES.schema)))


def utterances_from_words(words: pl.DataFrame, options: UtteranceOptions = OPTIONS) -> pl.DataFrame:
    """Recognised words (with their `speaker`) as utterances of their voice: until a pause over `pause_over_s`, a
    sentence end followed by more than `pause_after_sentence_over_s`, or `longest_s`. Confidence is the words' mean.
    The party is not known yet: columns interaction_id, audio_channel, speaker and those of what was said."""
    voice = ["interaction_id", "audio_channel", "speaker"]
    words = words.filter(pl.col("word").str.strip_chars() != "").sort([*voice, "word_index"])
    pause_s = pl.col("start_s") - pl.col("end_s").shift(1).over(voice)
    after_sentence = pl.col("word").str.contains(SENTENCE_END).shift(1).over(voice)
    parted = (
        (pause_s > options.pause_over_s) | (after_sentence & (pause_s > options.pause_after_sentence_over_s))
    ).fill_null(True)
    words = words.with_columns(passage=parted.cum_sum().over(voice))
    words = words.with_columns(part=_parts(words, [*voice, "passage"], options.longest_s))
    return (
        words.group_by([*voice, "passage", "part"], maintain_order=True)
        .agg(
            pl.col("start_s").min(),
            pl.col("end_s").max(),
            pl.col("word").str.strip_chars().str.join(" ").alias("text"),
            n_words=pl.len().cast(pl.Int64),
            confidence=pl.col("confidence").mean(),
        )
        .with_columns(seq=None, sent_at=None, source=pl.lit("recognition"))
    )


def utterances_from_segments(transcripts: pl.DataFrame) -> pl.DataFrame:
    """Supplied transcript segments, one utterance each; times and confidence as they came."""
    return transcripts.with_columns(n_words=count_words("text"), sent_at=None, source=pl.lit("supplied")).pipe(_common)


def utterances_from_messages(messages: pl.DataFrame) -> pl.DataFrame:
    """Messages of chats, e-mails and social posts, one utterance each."""
    return messages.with_columns(
        n_words=count_words("text"), start_s=None, end_s=None, confidence=None, source=pl.lit("message")
    ).pipe(_common)


def count_words(column: str) -> pl.Expr:
    """Words of a text: what stands between blanks and holds a letter or digit; a redaction mark is one word."""
    return pl.col(column).str.count_matches(rf"{_MARK}|[^\s\[]*[\p{{L}}\p{{N}}][^\s\[]*").cast(pl.Int64)


def _parts(words: pl.DataFrame, passage: list[str], longest_s: float) -> pl.Series:
    """Number of the part of its passage that each word is in. Only passages longer than `longest_s` have several: a
    part ends before the word that would make it too long, which depends on where the part began."""
    length_s = (pl.col("end_s").max() - pl.col("start_s").min()).over(passage)
    parts = [0] * words.height
    long = words.select(*passage, "start_s", "end_s", length_s=length_s).with_row_index("row")
    current, began_s, part = None, 0.0, 0
    for *key, start_s, end_s, _, row in (
        long.filter(pl.col("length_s") > longest_s).select(*passage, "start_s", "end_s", "length_s", "row").iter_rows()
    ):
        if key != current:
            current, began_s, part = key, start_s, 0
        elif end_s - began_s > longest_s:
            began_s, part = start_s, part + 1
        parts[row] = part
    return pl.Series("part", parts, dtype=pl.Int32)


def _languages(interactions: pl.DataFrame, recognitions: pl.DataFrame) -> pl.DataFrame:
    """The language of each interaction: of the channel with the most words, else the supplied one."""
    recognised = (
        recognitions.filter(pl.col("language").is_not_null())
        .sort("n_words", "audio_channel", descending=[True, False])
        .group_by("interaction_id", maintain_order=True)
        .agg(recognised=pl.col("language").first())
    )
    return (
        interactions.select("interaction_id", "language")
        .join(recognised, on="interaction_id", how="full", coalesce=True)
        .select("interaction_id", language=pl.coalesce("recognised", "language"))
    )


def _common(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns that the three sources share, in their types."""
    schema = {name: dtype for name, dtype in UTTERANCES.schema.items() if name not in ("utterance", "language")}
    return rows.select(*(pl.col(n).cast(t) for n, t in schema.items()), pl.col("seq").cast(pl.Int32))

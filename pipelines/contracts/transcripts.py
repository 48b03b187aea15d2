"""What was said or written: recognised, supplied or typed; redacted before the first write."""

import polars as pl

from pipelines.contracts.table import Column, Table
from pipelines.contracts.vocabulary import PARTIES

SPEAKER_SOURCES = ("supplied", "default", "corrected", "words", "unknown")

_INTERACTION = Column("interaction_id", pl.String, "the interaction")
_AUDIO = Column("audio_sha256", pl.String, "hash of the recording")
_CHANNEL = Column("audio_channel", pl.Int8, "index of the audio channel", at_least=0, at_most=1)
_VERSION = Column("extractor_version", pl.String, "recognition model and settings")

RECOGNITIONS = Table(
    "transcripts/recognitions",
    "What became of each audio channel in speech recognition.",
    "one row per audio channel that was to be recognised",
    ("interaction_id", "audio_channel"),
    (
        _INTERACTION,
        _AUDIO,
        _CHANNEL,
        Column(
            "outcome",
            pl.String,
            "transcribed, no_speech or failed",
            one_of=("transcribed", "no_speech", "failed"),
        ),
        Column("language", pl.String, "language that was recognised, or supplied", optional=True),
        Column("language_confidence", pl.Float64, "how sure", at_least=0, at_most=1, optional=True),
        Column("asr_confidence", pl.Float64, "mean word probability", at_least=0, at_most=1, optional=True),
        Column("n_words", pl.Int64, "words kept", at_least=0),
        Column("n_words_dropped", pl.Int64, "words refused by the confidence gates", at_least=0),
        Column("speech_s", pl.Float64, "speech that recognition was given", "s", at_least=0),
        Column("detail", pl.String, "what went wrong", optional=True),
        _VERSION,
    ),
)

WORDS = Table(
    "transcripts/words",
    "Recognised words with their times, redacted.",
    "one row per word",
    ("interaction_id", "audio_channel", "word_index"),
    (
        _INTERACTION,
        _AUDIO,
        _CHANNEL,
        Column("word_index", pl.Int32, "order within the channel", at_least=0),
        Column("start_s", pl.Float64, "start, from the start of the recording", "s", at_least=0),
        Column("end_s", pl.Float64, "end, from the start of the recording", "s", at_least=0),
        Column("word", pl.String, "the word with its punctuation, or a redaction mark"),
        Column("confidence", pl.Float64, "probability of the word", at_least=0, at_most=1),
        _VERSION,
    ),
)

SPEAKERS = Table(
    "transcripts/speakers",
    "Whose voice it is: the agent's or the customer's, and how that is known.",
    "one row per audio channel and voice of a recording that was measured",
    ("interaction_id", "audio_channel", "speaker"),
    (
        _INTERACTION,
        _CHANNEL,
        Column("speaker", pl.Int8, "voice on the channel", at_least=0, at_most=1),
        Column(
            "party",
            pl.String,
            "who it is; NULL on a mono recording where that can't be told",
            one_of=PARTIES,
            optional=True,
        ),
        Column(
            "source",
            pl.String,
            "supplied (the agent's channel came with the interaction); default (it did not, and the words don't "
            "object); corrected (the words show that the channels are swapped); words (the voices of a mono "
            "recording, told by what they say); unknown",
            one_of=SPEAKER_SOURCES,
        ),
        Column(
            "confidence",
            pl.Float64,
            "how sure the words are of it; NULL where there are none to go by",
            at_least=0,
            at_most=1,
            optional=True,
        ),
        Column("detail", pl.String, "what speaks for it", optional=True),
    ),
)

UTTERANCES = Table(
    "transcripts/utterances",
    "Utterances of calls and messages of chats and e-mails, whatever their source.",
    "one row per utterance or message",
    ("interaction_id", "utterance"),
    (
        _INTERACTION,
        Column("utterance", pl.Int32, "order within the interaction, by time", at_least=0),
        Column(
            "party",
            pl.String,
            "who said it; NULL on mono recordings whose speakers aren't told apart",
            one_of=PARTIES,
            optional=True,
        ),
        Column("start_s", pl.Float64, "start, from the start of the recording", "s", at_least=0, optional=True),
        Column("end_s", pl.Float64, "end, from the start of the recording", "s", at_least=0, optional=True),
        Column("sent_at", pl.Datetime("us", "UTC"), "when the message was sent, UTC", optional=True),
        Column("text", pl.String, "the words, redacted"),
        Column("n_words", pl.Int64, "words in it", at_least=0),
        Column("confidence", pl.Float64, "mean word probability", at_least=0, at_most=1, optional=True),
        Column("language", pl.String, "language of the interaction", optional=True),
        Column("source", pl.String, "where the text comes from", one_of=("recognition", "supplied", "message")),
    ),
)

TABLES = (RECOGNITIONS, WORDS, SPEAKERS, UTTERANCES)

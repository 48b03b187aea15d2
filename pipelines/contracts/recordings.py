"""What each recording is: its identity, its format, the sanity of its channels."""

import polars as pl

from pipelines.contracts.table import Column, Table
from pipelines.contracts.vocabulary import QUARANTINED

LAYOUTS = ("mono", "two_channel", "dual_mono", "one_sided", "silent")

RECORDINGS = Table(
    "recordings/recordings",
    "Every recording that an interaction names, decoded once in a limited child process.",
    "one row per interaction with a recording",
    ("interaction_id",),
    (
        Column("interaction_id", pl.String, "the interaction"),
        Column("recording", pl.String, "path, relative to the landing folder"),
        Column(
            "audio_sha256",
            pl.String,
            "hash of the file's bytes: the recording's identity",
            null_because="reason",
        ),
        Column("size_bytes", pl.Int64, "size of the file", "byte", at_least=0, null_because="reason"),
        Column("format", pl.String, "container and codec (WAV/ULAW, OGG/OPUS, …)", null_because="reason"),
        Column(
            "sample_rate_hz",
            pl.Int32,
            "sampling rate",
            "Hz",
            at_least=8000,
            at_most=48000,
            null_because="reason",
        ),
        Column("n_channels", pl.Int8, "audio channels in the file", at_least=1, at_most=2, null_because="reason"),
        Column("duration_s", pl.Float64, "decoded duration", "s", at_least=0, null_because="reason"),
        Column(
            "claimed_duration_s",
            pl.Float64,
            "duration that the header claims",
            "s",
            at_least=0,
            optional=True,
        ),
        Column(
            "layout",
            pl.String,
            "mono; two_channel (a party on each); dual_mono (the same sound on both); "
            "one_sided (sound on one of two); silent",
            one_of=LAYOUTS,
            null_because="reason",
        ),
        Column(
            "channel_correlation",
            pl.Float64,
            "largest normalised correlation of the two channels",
            at_least=-1,
            at_most=1.001,
            optional=True,
        ),
        Column(
            "agent_channel",
            pl.Int8,
            "audio channel of the agent",
            at_least=0,
            at_most=1,
            null_because="reason",
        ),
        Column("agent_channel_source", pl.String, "supplied or default", one_of=("supplied", "default")),
        Column("outcome", pl.String, "accepted or quarantined", one_of=("accepted", "quarantined")),
        Column("reason", pl.String, "why it is in quarantine", one_of=tuple(QUARANTINED), optional=True),
        Column("detail", pl.String, "what exactly is wrong", optional=True),
        Column("extractor_version", pl.String, "version and settings of the decoder"),
    ),
)

TABLES = (RECORDINGS,)

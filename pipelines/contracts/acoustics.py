"""What the sound tells, by voice: a function of the recording alone, reused while its hash stands."""

import polars as pl

from pipelines.contracts.table import Column, Table
from pipelines.contracts.vocabulary import QUARANTINED

_INTERACTION = Column("interaction_id", pl.String, "the interaction")
_AUDIO = Column("audio_sha256", pl.String, "hash of the recording")
_CHANNEL = Column("audio_channel", pl.Int8, "index of the audio channel", at_least=0, at_most=1)
_SPEAKER = Column(
    "speaker",
    pl.Int8,
    "voice on the channel: 0, and on a mono recording whose two voices were told apart 0 or 1",
    at_least=0,
    at_most=1,
)
_VERSION = Column("extractor_version", pl.String, "version and settings of the measures")

SEGMENTS = Table(
    "acoustics/segments",
    "Voice activity and music of each audio channel; speech by the voice that speaks.",
    "one row per segment",
    ("interaction_id", "audio_channel", "kind", "segment"),
    (
        _INTERACTION,
        _AUDIO,
        _CHANNEL,
        _SPEAKER,
        Column("kind", pl.String, "speech of a voice, or (hold) music", one_of=("speech", "music")),
        Column("segment", pl.Int32, "order within channel and kind", at_least=0),
        Column("start_s", pl.Float64, "start, from the start of the recording", "s", at_least=0),
        Column("end_s", pl.Float64, "end, from the start of the recording", "s", at_least=0),
        Column("level_dbfs", pl.Float64, "mean level of the segment", "dBFS", at_most=3.1),
        Column(
            "pitch_hz",
            pl.Float64,
            "median pitch of the voiced frames",
            "Hz",
            at_least=40,
            at_most=700,
            optional=True,
        ),
        Column("pitch_range_st", pl.Float64, "P80 - P20 of the pitch", "semitone", at_least=0, optional=True),
        _VERSION,
    ),
)


def _measure(name: str, meaning: str, unit: str | None = None, **more) -> Column:
    return Column(name, pl.Float64, meaning, unit, optional=True, **more)


VOICES = Table(
    "acoustics/voices",
    "Level, noise, pitch and defects of each voice: of an audio channel, or of one of the two voices that were told "
    "apart on a mono recording. NULL where there is no speech.",
    "one row per audio channel and voice",
    ("interaction_id", "audio_channel", "speaker"),
    (
        _INTERACTION,
        _AUDIO,
        _CHANNEL,
        _SPEAKER,
        Column(
            "speaker_confidence",
            pl.Float64,
            "how surely the voices of a mono recording were told apart; NULL where the channel has one voice",
            at_least=0,
            at_most=1,
            optional=True,
        ),
        Column("speech_s", pl.Float64, "time with speech of this voice", "s", at_least=0),
        Column("music_s", pl.Float64, "time with music on the channel", "s", at_least=0),
        _measure("level_dbfs", "active speech level (ITU-T P.56)", "dBFS", at_most=3.1),
        _measure("noise_dbfs", "median noise level between the speech", "dBFS", at_most=3.1),
        _measure("snr_db", "speech power without noise over noise power", "dB", at_most=60),
        _measure("pitch_hz", "median pitch of the voiced frames", "Hz", at_least=40, at_most=700),
        _measure("pitch_range_st", "P80 - P20 of the pitch", "semitone", at_least=0),
        _measure("pitch_sd_st", "standard deviation of the pitch", "semitone", at_least=0),
        _measure("level_range_db", "P90 - P10 of the 10 ms level during speech", "dB", at_least=0),
        _measure("pause_rate", "pauses of 0.25-2 s inside speech, per minute of speech", "1/min", at_least=0),
        Column(
            "clipping_ratio",
            pl.Float64,
            "share of samples at full scale in runs of 3 or more",
            at_least=0,
            at_most=1,
        ),
        _measure("leak_db", "how loud the other channel leaks into this one", "dB", at_most=0),
        _VERSION,
    ),
)

MEASUREMENTS = Table(
    "acoustics/measurements",
    "What became of each accepted recording when it was measured.",
    "one row per accepted recording",
    ("interaction_id",),
    (
        _INTERACTION,
        _AUDIO,
        Column("outcome", pl.String, "measured or failed", one_of=("measured", "failed")),
        Column("reason", pl.String, "why it failed", one_of=tuple(QUARANTINED), optional=True),
        Column("detail", pl.String, "what exactly went wrong", optional=True),
        _VERSION,
    ),
)

TABLES = (SEGMENTS, VOICES, MEASUREMENTS)

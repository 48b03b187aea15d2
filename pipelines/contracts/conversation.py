"""Who holds the floor, and what happens between the parties."""

import polars as pl

from pipelines.contracts.measured import measure_columns
from pipelines.contracts.table import Column, Table
from pipelines.contracts.vocabulary import EVENT_KINDS, METRIC_PARTIES, PARTIES

_INTERACTION = Column("interaction_id", pl.String, "the interaction")

TURNS = Table(
    "conversation/turns",
    "Turns: consecutive speech of a party that the other's turn does not interrupt. Backchannels are no turns.",
    "one row per turn",
    ("interaction_id", "turn"),
    (
        _INTERACTION,
        Column("turn", pl.Int32, "order within the interaction", at_least=0),
        Column("party", pl.String, "who holds the floor", one_of=PARTIES),
        Column("start_s", pl.Float64, "start, from the start of the recording", "s", at_least=0),
        Column("end_s", pl.Float64, "end, from the start of the recording", "s", at_least=0),
        Column("speech_s", pl.Float64, "speech in it, without pauses", "s", at_least=0),
    ),
)


def event_columns() -> tuple[Column, ...]:
    return (
        _INTERACTION,
        Column("event", pl.Int32, "order within the interaction", at_least=0),
        Column("kind", pl.String, "what happened", one_of=EVENT_KINDS),
        Column("party", pl.String, "who did it", one_of=METRIC_PARTIES),
        Column("start_s", pl.Float64, "start, from the start of the recording", "s", at_least=0, optional=True),
        Column("end_s", pl.Float64, "end, from the start of the recording", "s", at_least=0, optional=True),
        Column("evidence", pl.String, "what was heard, redacted, or what was measured", optional=True),
    )


EVENTS = Table(
    "conversation/events",
    "Interruptions, backchannels, dead air, holds, retrievals.",
    "one row per event",
    ("interaction_id", "event"),
    event_columns(),
)

MEASURES = Table(
    "conversation/measures",
    "What the turns and events measure, with the reason where there is no value.",
    "one row per interaction, metric and party",
    ("interaction_id", "metric", "party"),
    measure_columns(),
)

TABLES = (TURNS, EVENTS, MEASURES)

"""What the words mean: sentiment, empathy, issue type, resolution, compliance; each with its evidence."""

import polars as pl

from pipelines.contracts.conversation import event_columns
from pipelines.contracts.measured import measure_columns
from pipelines.contracts.table import Column, Table
from pipelines.contracts.vocabulary import PARTIES

_INTERACTION = Column("interaction_id", pl.String, "the interaction")

SENTIMENTS = Table(
    "language/sentiments",
    "Sentiment of each utterance.",
    "one row per utterance of a known party",
    ("interaction_id", "utterance"),
    (
        _INTERACTION,
        Column("utterance", pl.Int32, "the utterance", at_least=0),
        Column("party", pl.String, "who said it", one_of=PARTIES),
        Column("sentiment", pl.Float64, "-1 negative … 1 positive, from words and tone", at_least=-1, at_most=1),
        Column("confidence", pl.Float64, "how sure", at_least=0, at_most=1),
        Column("word_sentiment", pl.Float64, "the same from the words alone", at_least=-1, at_most=1),
        Column(
            "activation",
            pl.Float64,
            "how much louder, higher and livelier than the speaker's own baseline: mean of robust z-scores; "
            "NULL where nothing was heard",
            optional=True,
        ),
        Column("quarter", pl.Int8, "quarter of the conversation that its midpoint is in", at_least=1, at_most=4),
        Column("extractor_version", pl.String, "version of the measure"),
    ),
)

EVENTS = Table(
    "language/events",
    "What was heard in the words: empathy, dismissive phrases, escalation, adherence, resolution, zero tolerance.",
    "one row per event",
    ("interaction_id", "event"),
    event_columns(),
)

ISSUE_TYPES = Table(
    "language/issue_types",
    "The issue type of each interaction with words.",
    "one row per interaction",
    ("interaction_id",),
    (
        _INTERACTION,
        Column("issue_type", pl.String, "issue type, `other` where none fits"),
        Column("source", pl.String, "set by the CRM, or inferred", one_of=("crm", "inferred")),
        Column("confidence", pl.Float64, "how sure; 1 where it was set", at_least=0, at_most=1),
        Column("evidence", pl.String, "the words that decided, redacted", optional=True),
        Column("extractor_version", pl.String, "version of the measure"),
    ),
)

KEYWORDS = Table(
    "language/keywords",
    "What an interaction speaks of: the telling words and phrases of each party, without names and numbers.",
    "one row per interaction, party and keyword",
    ("interaction_id", "party", "keyword"),
    (
        _INTERACTION,
        Column("party", pl.String, "who said it", one_of=PARTIES),
        Column("keyword", pl.String, "one to three words, lower case"),
        Column("n", pl.Int32, "how often", at_least=1),
        Column("utterance", pl.Int32, "first utterance that holds it", at_least=0),
        Column("extractor_version", pl.String, "version of the measure"),
    ),
)

MEASURES = Table(
    "language/measures",
    "What the words measure, with the reason where there is no value.",
    "one row per interaction, metric and party",
    ("interaction_id", "metric", "party"),
    measure_columns(),
)

TABLES = (SENTIMENTS, EVENTS, ISSUE_TYPES, KEYWORDS, MEASURES)

"""Every metric, defined once: its unit, its parties, its range, its source. And the tables they are kept in."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.contracts.table import Column, Table
from pipelines.contracts.transcripts import SPEAKER_SOURCES
from pipelines.contracts.vocabulary import EXCLUDED, METRIC_PARTIES, NULL_REASONS, QUARANTINED

BOTH = ("agent", "customer")
AGENT = ("agent",)
CALL = ("call",)


@dataclass(frozen=True)
class Metric:
    """One measure: `parties` are those for whom it has a row in every interaction that was read."""

    id: str
    unit: str
    parties: tuple[str, ...]
    meaning: str
    at_least: float | None = None
    at_most: float | None = None
    source: str = "ours"


def _ratio(id_: str, parties: tuple[str, ...], meaning: str, source: str = "ours") -> Metric:
    return Metric(id_, "ratio", parties, meaning, 0, 1, source)


def _count(id_: str, parties: tuple[str, ...], meaning: str) -> Metric:
    return Metric(id_, "count", parties, meaning, 0)


METRICS: dict[str, Metric] = {
    m.id: m
    for m in (
        Metric(
            "speaking_rate_wpm",
            "words/min",
            BOTH,
            "own words per minute of own speech, over turns of 5 or more words",
            0,
        ),
        Metric(
            "articulation_rate_wpm",
            "words/min",
            BOTH,
            "own words per minute of own speech without pauses of 0.25 s and more",
            0,
            source="de Jong & Wempe 2009",
        ),
        Metric("level_db", "dB SPL (estimated)", BOTH, "active speech level plus the site's offset"),
        Metric("level_dbfs", "dBFS", BOTH, "active speech level", at_most=3.1, source="ITU-T P.56"),
        Metric(
            "interruptions_per_min",
            "1/min",
            BOTH,
            "own interruptions per minute of the other party's speech",
            0,
        ),
        _count(
            "interruption_count",
            BOTH,
            "own starts while the other is mid-sentence, no backchannel, overlap over 0.5 s",
        ),
        Metric("interruption_s", "s", BOTH, "overlapped time of own interruptions", 0),
        _ratio("overlap_ratio", CALL, "time in which both speak, of the conversation"),
        _ratio(
            "listening_ratio",
            BOTH,
            "the other's talk time ÷ (agent + customer talk time)",
            "Amazon Connect Contact Lens",
        ),
        _ratio("talk_ratio", BOTH, "own talk time ÷ (agent + customer talk time)", "Amazon Connect Contact Lens"),
        Metric("talk_s", "s", BOTH, "own speech", 0),
        Metric("conversation_s", "s", CALL, "from the first to the last speech of either party", 0),
        Metric(
            "empathy_score",
            "points",
            AGENT,
            "acknowledgement of the customer's emotion in answer to turns that carry emotion",
            0,
            100,
        ),
        Metric("sentiment_mean", "-1..1", BOTH, "mean sentiment, weighted by words", -1, 1),
        Metric("sentiment_start", "-1..1", BOTH, "sentiment in the first quarter of the conversation", -1, 1),
        Metric("sentiment_quarter_2", "-1..1", BOTH, "sentiment in the second quarter of the conversation", -1, 1),
        Metric("sentiment_quarter_3", "-1..1", BOTH, "sentiment in the third quarter of the conversation", -1, 1),
        Metric("sentiment_end", "-1..1", BOTH, "sentiment in the last quarter of the conversation", -1, 1),
        Metric("sentiment_shift", "-2..2", BOTH, "sentiment of the last quarter less that of the first", -2, 2),
        Metric("sentiment_gap", "-2..2", CALL, "agent's mean sentiment less the customer's", -2, 2),
        Metric("resolved", "0/1", CALL, "resolved on this contact, by the best knowledge so far", 0, 1),
        Metric("resolved_evidence", "0/1", CALL, "what was said about the resolution", 0, 1),
        Metric("aht_s", "s", CALL, "talk (the conversation) + hold + after-call work, as supplied", 0),
        _count(
            "repeat_within_7d",
            CALL,
            "further contacts of the same customer on the same issue type within 7 days after",
        ),
        Metric(
            "retrieval_longest_s",
            "s",
            AGENT,
            "longest look-up that the agent announced or the customer asked for",
            0,
        ),
        Metric("retrieval_total_s", "s", AGENT, "all look-ups", 0),
        _count("dead_air_count", CALL, "silences over 3 s that nobody announced"),
        Metric("dead_air_s", "s", CALL, "time in them", 0),
        _count("hold_count", CALL, "announced holds, or hold music"),
        Metric("hold_s", "s", CALL, "time on hold, measured", 0),
        _ratio("silence_ratio", CALL, "time in which nobody speaks, of the conversation"),
        Metric(
            "response_latency_s",
            "s",
            BOTH,
            "median gap from the other's turn's end to own turn's start; negative when it overlaps",
            source="Levinson & Torreira 2015",
        ),
        Metric("snr_db", "dB", BOTH, "active speech level over noise level on the party's channel", at_most=60),
        _ratio("escalation_risk", CALL, "probability that the customer escalates; its weights are seed rows"),
        Metric("pitch_mean_hz", "Hz", BOTH, "median pitch of the voiced frames", 40, 700),
        Metric("pitch_range_semitones", "semitone", BOTH, "P80 - P20 of the pitch", 0, source="eGeMAPS"),
        Metric("pitch_variation", "semitone", BOTH, "standard deviation of the pitch", 0),
        Metric("energy_variation", "dB", BOTH, "P90 - P10 of the level during speech", 0),
        Metric(
            "level_rise_db",
            "dB",
            BOTH,
            "mean level of the last third of the party's speech less the first third",
        ),
        Metric(
            "tone_activation",
            "z",
            BOTH,
            "highest activation of an utterance: level, pitch and pitch range over the speaker's own baseline, "
            "mean of robust z-scores",
        ),
        Metric("pause_rate", "1/min", BOTH, "pauses of 0.25-2 s inside own speech, per minute of speech", 0),
        Metric("filler_rate", "1/100 words", BOTH, "filler words per 100 words", 0),
        _count("questions_open", AGENT, "open questions that the agent asked"),
        _count("questions_closed", AGENT, "closed questions that the agent asked"),
        _count("acknowledgements", BOTH, "backchannels"),
        _count("repetitions", ("customer",), "times the customer had to say the same again"),
        _count("apologies", AGENT, "apologies of the agent"),
        _count("overpromises", AGENT, "promises that the agent can't keep for sure"),
        _count("transfers", CALL, "transfers announced or supplied"),
        Metric("longest_monologue_s", "s", BOTH, "longest turn", 0),
        _count("turn_count", BOTH, "turns"),
        _count("word_count", BOTH, "words"),
        _ratio("asr_confidence", BOTH, "mean probability of the recognised words"),
        _ratio("clipping_ratio", BOTH, "share of samples at full scale in runs of 3 or more"),
        Metric("first_response_s", "s", AGENT, "from the customer's first message to the agent's first answer", 0),
        Metric(
            "readability",
            "points",
            AGENT,
            "Flesch reading ease of the agent's messages, cut to 0-100",
            0,
            100,
            "Flesch 1948",
        ),
        Metric(
            "adherence_score",
            "points",
            AGENT,
            "share of the required phrases of the call type that were found",
            0,
            100,
        ),
        Metric(
            "knowledge_score",
            "points",
            AGENT,
            "100 less hedging, unresolved questions, transfers and long look-ups",
            0,
            100,
        ),
        _count(
            "zero_tolerance_hits",
            AGENT,
            "abusive words to the customer, threats, requests for confidential details",
        ),
    )
}

# Need the days after the call: SQL adds their rows.
ADDED_IN_SQL = ("resolved", "repeat_within_7d")
# (metric id, party) of every row that Python writes for an interaction that was read.
MEASURED = tuple((m.id, party) for m in METRICS.values() if m.id not in ADDED_IN_SQL for party in m.parties)

INTERACTION_METRICS = Table(
    "metrics/interaction_metrics",
    "Every metric of every interaction that was read; what could not be measured is NULL with its reason.",
    "one row per interaction, metric and party",
    ("interaction_id", "metric", "party"),
    (
        Column("interaction_id", pl.String, "the interaction"),
        Column("metric", pl.String, "metric id", one_of=tuple(METRICS)),
        Column("party", pl.String, "whose, or the whole call's", one_of=METRIC_PARTIES),
        Column("value", pl.Float64, "the measured value in the metric's unit", null_because="reason"),
        Column("unit", pl.String, "unit of the value"),
        Column("reason", pl.String, "why there is no value", one_of=tuple(NULL_REASONS), optional=True),
        Column("extractor_version", pl.String, "version of the measure"),
    ),
)

OUTCOMES = Table(
    "metrics/outcomes",
    "What became of each interaction that came in: readable and eligible, excluded, or in quarantine.",
    "one row per interaction",
    ("interaction_id",),
    (
        Column("interaction_id", pl.String, "the interaction"),
        Column(
            "outcome",
            pl.String,
            "eligible, excluded or quarantined",
            one_of=("eligible", "excluded", "quarantined"),
        ),
        Column("reason", pl.String, "why it is not eligible", one_of=(*EXCLUDED, *QUARANTINED), optional=True),
        Column("detail", pl.String, "what exactly", optional=True),
        Column(
            "duration_s",
            pl.Float64,
            "duration of the recording or the conversation",
            "s",
            at_least=0,
            optional=True,
        ),
        Column("n_words", pl.Int64, "words said or written; 0 when nothing was said", at_least=0, optional=True),
        Column("language", pl.String, "language of the interaction", optional=True),
        Column("layout", pl.String, "channel layout of the recording", optional=True),
        Column(
            "speaker_source",
            pl.String,
            "how agent and customer are known: supplied, default, corrected (channels were swapped), words, unknown",
            one_of=SPEAKER_SOURCES,
            optional=True,
        ),
        Column(
            "speaker_confidence",
            pl.Float64,
            "how sure that is: of the separation of a mono recording and of the words",
            at_least=0,
            at_most=1,
            optional=True,
        ),
    ),
)

CATALOGUE = Table(
    "metrics/catalogue",
    "The definitions of the metrics, for the warehouse and the report.",
    "one row per metric",
    ("metric",),
    (
        Column("metric", pl.String, "metric id"),
        Column("unit", pl.String, "unit"),
        Column("parties", pl.String, "parties for whom it is measured, joined by commas"),
        Column("meaning", pl.String, "definition"),
        Column("at_least", pl.Float64, "lowest possible value", optional=True),
        Column("at_most", pl.Float64, "highest possible value", optional=True),
        Column("source", pl.String, "where the definition comes from"),
    ),
    daily=False,
)


def catalogue() -> pl.DataFrame:
    """METRICS as a frame of `metrics/catalogue`."""
    return CATALOGUE.frame(
        [
            {
                "metric": m.id,
                "unit": m.unit,
                "parties": ",".join(m.parties),
                "meaning": m.meaning,
                "at_least": m.at_least,
                "at_most": m.at_most,
                "source": m.source,
            }
            for m in METRICS.values()
        ]
    )


TABLES = (INTERACTION_METRICS, OUTCOMES, CATALOGUE)

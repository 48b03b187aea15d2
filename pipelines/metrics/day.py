"""One day's metrics and outcomes, put together from what the stages measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from pipelines.contracts import Table
from pipelines.contracts.acoustics import MEASUREMENTS, SEGMENTS, VOICES
from pipelines.contracts.conversation import MEASURES as CONVERSATION_MEASURES
from pipelines.contracts.landing import AGENTS, INTERACTIONS
from pipelines.contracts.language import MEASURES as LANGUAGE_MEASURES
from pipelines.contracts.measured import measures_of
from pipelines.contracts.metrics import INTERACTION_METRICS, OUTCOMES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import RECOGNITIONS, SPEAKERS, UTTERANCES
from pipelines.metrics.eligibility import outcomes
from pipelines.metrics.interaction import interaction_metrics

METRICS_VERSION = "metrics-2"
READS = (
    INTERACTIONS,
    RECORDINGS,
    MEASUREMENTS,
    VOICES,
    SEGMENTS,
    RECOGNITIONS,
    SPEAKERS,
    UTTERANCES,
    CONVERSATION_MEASURES,
    LANGUAGE_MEASURES,
    AGENTS,
)


def measured_day(
    read: Mapping[Table, pl.DataFrame],
    *,
    languages: Collection[str],
    language_version: str,
    level_offset_db: float,
    site_offsets_db: Mapping[str, float],
) -> dict[Table, pl.DataFrame]:
    """Frames of metrics/interaction_metrics and metrics/outcomes from the frames of READS, all of one day.

    `languages` are those that have phrases; `level_offset_db` is the dB SPL at 0 dBFS where neither the agent
    nor the agent's site (`site_offsets_db`) has one.
    """
    recordings = _with_failures(read[RECORDINGS], read[MEASUREMENTS])
    became = outcomes(
        read[INTERACTIONS],
        recordings,
        read[RECOGNITIONS],
        read[VOICES],
        read[SPEAKERS],
        read[UTTERANCES],
        supported_languages=languages,
    )
    metrics = interaction_metrics(
        became,
        read[INTERACTIONS],
        recordings,
        read[VOICES],
        read[SPEAKERS],
        read[SEGMENTS],
        read[AGENTS],
        measures_of(read[CONVERSATION_MEASURES]),
        measures_of(read[LANGUAGE_MEASURES]),
        level_offset_db=level_offset_db,
        site_offsets_db=site_offsets_db,
        language_version=language_version,
    )
    return {INTERACTION_METRICS: metrics, OUTCOMES: became}


def _with_failures(recordings: pl.DataFrame, measurements: pl.DataFrame) -> pl.DataFrame:
    """Recordings that could be decoded but not measured are in quarantine like those that could not be decoded."""
    failed = measurements.filter(pl.col("outcome") == "failed").select(
        "interaction_id", pl.col("reason").alias("_reason"), pl.col("detail").alias("_detail")
    )
    joined = recordings.join(failed, on="interaction_id", how="left")
    is_failed = pl.col("_reason").is_not_null()
    return joined.with_columns(
        pl.when(is_failed).then(pl.lit("quarantined")).otherwise("outcome").alias("outcome"),
        pl.coalesce("_reason", "reason").alias("reason"),
        pl.coalesce("_detail", "detail").alias("detail"),
    ).select(recordings.columns)

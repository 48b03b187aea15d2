"""Metrics: every measure of every interaction with its reason where there is none; and what became of each."""

import dagster as dg

from pipelines.automation.partitions import DAILY
from pipelines.contracts.metrics import CATALOGUE, INTERACTION_METRICS, OUTCOMES, catalogue
from pipelines.language.day import LANGUAGE_VERSION
from pipelines.language.phrases import Phrases
from pipelines.metrics.day import METRICS_VERSION, READS, measured_day
from pipelines.metrics.level_offsets import read_offsets
from pipelines.resources.lake import LakeResource
from pipelines.resources.seeds import SeedsResource
from pipelines.resources.stage import Stage, stage_assets
from pipelines.resources.warehouse import LevelResource


@stage_assets(CATALOGUE, daily=None, kinds={"python"}, name="metric_catalogue")
def metric_catalogue(context: dg.AssetExecutionContext, lake: LakeResource):
    stage = Stage(context, lake, CATALOGUE)
    frames = {CATALOGUE: catalogue()}
    inputs = stage.content(frames)
    if not stage.unchanged(None, inputs):
        stage.write(None, frames, inputs=inputs)
    yield from stage.results()


@stage_assets(INTERACTION_METRICS, OUTCOMES, reads=READS, daily=DAILY, kinds={"polars"}, name="metrics")
def metrics(context: dg.AssetExecutionContext, lake: LakeResource, seeds: SeedsResource, level: LevelResource):
    stage = Stage(context, lake, INTERACTION_METRICS, OUTCOMES)
    languages = Phrases.read(seeds.path).supported_languages
    offsets_db = read_offsets(seeds.path)
    versions = (METRICS_VERSION, LANGUAGE_VERSION, level.offset_db, *sorted(offsets_db.items()), *sorted(languages))
    for day, inputs in stage.changed_days(*READS, versions=versions):
        frames = measured_day(
            {t: stage.lake.read(t, day if t.daily else None) for t in READS},
            languages=languages,
            language_version=LANGUAGE_VERSION,
            level_offset_db=level.offset_db,
            site_offsets_db=offsets_db,
        )
        stage.write(day, frames, inputs=inputs)
        stage.add(interactions=frames[OUTCOMES].height, **dict(frames[OUTCOMES]["outcome"].value_counts().iter_rows()))
    yield from stage.results()

"""Landing: what came in, as tables. Reference tables are whole; interactions and texts are daily."""

import dagster as dg

from pipelines.automation.freshness import BY_MORNING
from pipelines.automation.partitions import DAILY
from pipelines.contracts import landing as tables
from pipelines.privacy import customer_keys
from pipelines.resources.lake import LakeResource
from pipelines.resources.landing import LandingResource
from pipelines.resources.stage import Stage, stage_assets

REFERENCE = (
    tables.AGENTS,
    tables.SURVEYS,
    tables.TICKETS,
    tables.REVIEWS,
    tables.ISSUE_TYPES,
    tables.PROCESS_CHANGES,
    tables.COACHING,
    tables.ALERT_ACKS,
)


@stage_assets(
    tables.FILES,
    tables.REJECTS,
    tables.DAYS,
    *REFERENCE,
    daily=None,
    kinds={"polars"},
    name="landing_files",
    retry=True,
)
def landing_files(context: dg.AssetExecutionContext, lake: LakeResource, landing: LandingResource):
    seen = landing.open()
    frames = {t: seen.reference(t) for t in REFERENCE}
    frames |= {tables.FILES: seen.files(), tables.REJECTS: seen.rejects(), tables.DAYS: seen.day_table()}
    stage = Stage(context, lake, *frames)
    inputs = stage.content(frames)
    if not stage.unchanged(None, inputs):
        stage.write(None, frames, inputs=inputs)
    customer_keys.write(stage.lake, seen.customers())
    stage.add(files=frames[tables.FILES].height, rejects=frames[tables.REJECTS].height)
    yield from stage.results()


@stage_assets(
    tables.INTERACTIONS,
    tables.TRANSCRIPTS,
    tables.MESSAGES,
    reads=(tables.FILES, tables.AGENTS),
    daily=DAILY,
    kinds={"polars"},
    name="landing_days",
    retry=True,
    freshness=BY_MORNING,
)
def landing_days(context: dg.AssetExecutionContext, lake: LakeResource, landing: LandingResource):
    seen = landing.open()
    stage = Stage(context, lake, tables.INTERACTIONS, tables.TRANSCRIPTS, tables.MESSAGES)
    for day in stage.days:
        frames = {
            tables.INTERACTIONS: seen.interactions(day),
            tables.TRANSCRIPTS: seen.texts(tables.TRANSCRIPTS, day),
            tables.MESSAGES: seen.texts(tables.MESSAGES, day),
        }
        inputs = stage.content(frames)
        if not stage.unchanged(day, inputs):
            stage.write(day, frames, inputs=inputs)
        stage.add(interactions=frames[tables.INTERACTIONS].height)
    yield from stage.results()

"""The code location: the catalogue's assets, the resources of this installation, and when things run."""

from pathlib import Path

import dagster as dg

from assets import (
    acoustics,
    alerts,
    calibration,
    conversation,
    crm,
    landing,
    language,
    metrics,
    recordings,
    transcripts,
)
from assets.publication import publication_assets
from assets.warehouse import published_keys, views_after_the_build, warehouse_assets
from pipelines.automation import notifications
from pipelines.automation.executors import executor_of
from pipelines.automation.jobs import DAILY_JOB
from pipelines.automation.launch import LOGGERS
from pipelines.automation.partitions import DAILY
from pipelines.automation.redelivery import SEND_AGAIN, redelivery
from pipelines.automation.schedules import nightly
from pipelines.automation.sensors import landing_sensor
from pipelines.landing import LandingOptions
from pipelines.publishing.lock import writer_lock
from pipelines.resources.audio import SandboxResource, TranscriberResource
from pipelines.resources.batches import in_batches
from pipelines.resources.crm import CrmAccess
from pipelines.resources.lake import LakeResource, MirroredLakeResource
from pipelines.resources.landing import LandingResource
from pipelines.resources.notifier import Notifier
from pipelines.resources.seeds import SeedsResource
from pipelines.resources.warehouse import (
    LevelResource,
    MirroredWarehouseResource,
    PublicationsResource,
    WarehouseResource,
)
from pipelines.settings import PROJECT, Settings

MEASURED = (landing, recordings, acoustics, transcripts, conversation, language, metrics, calibration)


def resources(settings: Settings) -> dict[str, object]:
    """Every resource of an installation with these settings."""
    lake, warehouse, mirrors = LakeResource, WarehouseResource, {}
    if settings.bucket and settings.executor:
        lake, warehouse, mirrors = MirroredLakeResource, MirroredWarehouseResource, {"bucket": settings.bucket}
    return {
        "lake": lake(root=str(settings.lake), seeds=str(settings.seeds), **mirrors),
        "landing": LandingResource.of(LandingOptions.of(settings)),
        "sandbox": SandboxResource(
            workers=settings.workers,
            max_duration_s=settings.max_recording_s,
            timeout_s=settings.decode_timeout_s,
            memory_mb=settings.decode_memory_mb,
        ),
        "transcriber": TranscriberResource(
            model=settings.whisper_model,
            models=str(settings.models),
            language=settings.whisper_language,
            fallback_language=settings.whisper_fallback_language,
            hotwords="" if settings.whisper_hotwords == Path() else str(settings.whisper_hotwords),
            beam_size=settings.whisper_beam,
            workers=settings.workers,
        ),
        "seeds": SeedsResource(folder=str(settings.seeds)),
        "level": LevelResource(offset_db=settings.level_offset_db),
        "warehouse": warehouse(
            path=str(settings.warehouse),
            lake=str(settings.lake),
            project=str(PROJECT / "dbt_project"),
            threads=settings.dbt_threads,
            memory=settings.warehouse_memory,
            **mirrors,
        ),
        "notifier": Notifier(settings),
        "crm": CrmAccess(settings),
        "publications": PublicationsResource(
            folder=str(settings.published), keep=settings.keep_publications, table_rows=settings.table_rows
        ),
    }


def build(settings: Settings) -> dg.Definitions:
    """The definitions of an installation with these settings."""
    made = resources(settings)
    with writer_lock(settings.warehouse.with_suffix(".parse.lock"), "reading the dbt project", wait_s=600):
        manifest = made["warehouse"].open().prepare()
    measured = dg.load_assets_from_modules(MEASURED)
    if settings.executor:
        of = settings.batch_audio_s
        measured = in_batches(measured, {"acoustics": acoustics.batches(of), "recognition": transcripts.batches(of)})
    return dg.Definitions(
        assets=[
            *measured,
            warehouse_assets(manifest, DAILY),
            *views_after_the_build(manifest),
            publication_assets([*published_keys(manifest), *calibration.KEYS, alerts.RAISED]),
            *dg.load_assets_from_modules([alerts, crm]),
        ],
        jobs=[DAILY_JOB, SEND_AGAIN],
        schedules=[nightly, redelivery(settings)],
        sensors=[landing_sensor, *notifications.SENSORS],
        resources=made,
        loggers=LOGGERS,
        executor=executor_of(settings),
    )


@dg.definitions
def defs() -> dg.Definitions:
    return build(Settings.from_environment())

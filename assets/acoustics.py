"""Acoustics: who is active when, how loud, how clear, at what pitch; by voice, once per recording."""

from datetime import date

import dagster as dg
import polars as pl

from pipelines.audio.acoustics import ACOUSTICS_VERSION, acoustics
from pipelines.audio.decode import BadRecording
from pipelines.automation.partitions import DAILY
from pipelines.contracts.acoustics import MEASUREMENTS, SEGMENTS, VOICES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.resources.audio import SandboxResource
from pipelines.resources.lake import LakeResource
from pipelines.resources.landing import LandingResource
from pipelines.resources.reuse import Reuse
from pipelines.resources.stage import Stage, stage_assets

TABLES = (SEGMENTS, VOICES, MEASUREMENTS)


@stage_assets(*TABLES, reads=(RECORDINGS,), daily=DAILY, kinds={"python", "onnx"}, name="acoustics", retry=True)
def acoustics_days(
    context: dg.AssetExecutionContext, lake: LakeResource, landing: LandingResource, sandbox: SandboxResource
):
    stage = Stage(context, lake, *TABLES)
    with sandbox.open() as box:
        for day, inputs in stage.changed_days(RECORDINGS, versions=(ACOUSTICS_VERSION,)):
            _measure(stage, day, inputs, landing, box, sandbox.limits)
    yield from stage.results()


def _measure(stage: Stage, day: date, inputs: str, landing: LandingResource, box, limits) -> None:
    accepted = stage.lake.read(RECORDINGS, day).filter(pl.col("outcome") == "accepted")
    reuse = Reuse(stage.lake, day, TABLES, master=MEASUREMENTS, version=ACOUSTICS_VERSION)
    todo = reuse.missing(accepted)
    items = {(str(landing.path(path)), limits): sha for sha, path in todo.items()}
    length_s = dict(accepted.select("audio_sha256", "duration_s").iter_rows())
    audio_s = {item: length_s[sha] or 0.0 for item, sha in items.items()}
    for item, result in stage.progress(day, "measured", box.starmap(acoustics, list(items)), len(items), audio_s):
        sha = items[item]
        if isinstance(result, BadRecording):
            reuse.add(sha, {MEASUREMENTS: [_failed(result)]})
        else:
            measured = [{"outcome": "measured", "extractor_version": ACOUSTICS_VERSION}]
            reuse.add(sha, {SEGMENTS: result.segments, VOICES: result.voices, MEASUREMENTS: measured})
    if stage.write(day, reuse.frames(accepted), inputs=inputs):
        reuse.done()
    stage.add(
        recordings=accepted.height,
        measured=len(todo),
        audio_s=accepted.filter(pl.col("audio_sha256").is_in(list(todo)))["duration_s"].sum(),
    )


def _failed(error: BadRecording) -> dict:
    return {
        "outcome": "failed",
        "reason": error.reason,
        "detail": error.detail,
        "extractor_version": ACOUSTICS_VERSION,
    }

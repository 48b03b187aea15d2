"""Acoustics: who is active when, how loud, how clear, at what pitch; by voice, once per recording."""

from collections.abc import Iterable, Iterator
from datetime import date

import dagster as dg
import polars as pl

from pipelines.audio.acoustics import ACOUSTICS_VERSION, acoustics
from pipelines.audio.decode import BadRecording
from pipelines.automation.partitions import DAILY
from pipelines.contracts.acoustics import MEASUREMENTS, SEGMENTS, VOICES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.lake import Lake
from pipelines.resources.audio import SandboxResource
from pipelines.resources.batches import Batches
from pipelines.resources.lake import LakeResource
from pipelines.resources.landing import LandingResource
from pipelines.resources.reuse import Reuse
from pipelines.resources.stage import Stage, stage_assets

TABLES = (SEGMENTS, VOICES, MEASUREMENTS)


@stage_assets(*TABLES, reads=(RECORDINGS,), daily=DAILY, kinds={"python"}, name="acoustics", retry=True)
def acoustics_days(
    context: dg.AssetExecutionContext, lake: LakeResource, landing: LandingResource, sandbox: SandboxResource
):
    stage = Stage(context, lake, *TABLES)
    with sandbox.open() as box:
        for day, inputs in stage.changed_days(RECORDINGS, versions=(ACOUSTICS_VERSION,)):
            accepted, reuse = _look(stage.lake, day)
            todo = reuse.missing(accepted)
            _measure(stage, day, accepted, reuse, todo, landing, box, sandbox.limits)
            if stage.write(day, reuse.frames(accepted), inputs=inputs):
                reuse.done()
            stage.add(
                recordings=accepted.height,
                measured=len(todo),
                audio_s=accepted.filter(pl.col("audio_sha256").is_in(list(todo)))["duration_s"].sum(),
            )
    yield from stage.results()


def batches(batch_audio_s: float) -> Batches:
    """How the measuring is shared out among workers; it is some twenty times as fast as recognition."""
    return Batches(_missing, _work, queue="cpu", batch_audio_s=20 * batch_audio_s)


def _missing(context: dg.AssetExecutionContext, days: Iterable[date]) -> Iterator[tuple[date, pl.DataFrame, set[str]]]:
    stage = Stage(context, context.resources.lake, *TABLES)
    for day in days:
        if not stage.unchanged(day, stage.inputs(day, RECORDINGS, versions=(ACOUSTICS_VERSION,))):
            accepted, reuse = _look(stage.lake, day)
            yield day, accepted, set(reuse.missing(accepted))


def _work(context: dg.AssetExecutionContext, day: date, hashes: set[str]) -> None:
    has = context.resources
    stage = Stage(context, has.lake, *TABLES)
    accepted, reuse = _look(stage.lake, day)
    todo = {sha: path for sha, path in reuse.missing(accepted).items() if sha in hashes}
    with has.sandbox.open() as box:
        _measure(stage, day, accepted, reuse, todo, has.landing, box, has.sandbox.limits)


def _look(lake: Lake, day: date) -> tuple[pl.DataFrame, Reuse]:
    """The day's recordings that are to be measured, and what is known of them already."""
    accepted = lake.read(RECORDINGS, day).filter(pl.col("outcome") == "accepted")
    return accepted, Reuse(lake, day, TABLES, master=MEASUREMENTS, version=ACOUSTICS_VERSION)


def _measure(
    stage: Stage,
    day: date,
    accepted: pl.DataFrame,
    reuse: Reuse,
    todo: dict[str, str],
    landing: LandingResource,
    box,
    limits,
) -> None:
    """Measure the recordings `todo` (hash → path), and keep each as soon as it is finished."""
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


def _failed(error: BadRecording) -> dict:
    return {
        "outcome": "failed",
        "reason": error.reason,
        "detail": error.detail,
        "extractor_version": ACOUSTICS_VERSION,
    }

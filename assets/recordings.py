"""Recordings: each decoded once in a limited child process, hashed, and looked at for its channels."""

from datetime import date

import dagster as dg
import polars as pl

from pipelines.audio.channels import RECORDING_VERSION, file_sha256, inspect
from pipelines.audio.decode import BadRecording
from pipelines.automation.partitions import DAILY
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.recordings import RECORDINGS
from pipelines.lake import Lake
from pipelines.resources.audio import SandboxResource
from pipelines.resources.lake import LakeResource
from pipelines.resources.landing import LandingResource
from pipelines.resources.stage import Stage, stage_assets

# Columns that belong to the interaction, not to the audio.
_OWN = ("interaction_id", "recording", "agent_channel", "agent_channel_source")


@stage_assets(RECORDINGS, reads=(INTERACTIONS,), daily=DAILY, kinds={"python"}, name="recordings", retry=True)
def recordings(
    context: dg.AssetExecutionContext, lake: LakeResource, landing: LandingResource, sandbox: SandboxResource
):
    stage = Stage(context, lake, RECORDINGS)
    with sandbox.open() as box:
        for day in stage.days:
            named = stage.lake.read(INTERACTIONS, day).filter(
                pl.col("recording").is_not_null()
                & pl.col("landing_reason").is_null()
                & pl.col("consent").fill_null(True)
            )
            files = {path: landing.locate(path) for path in named["recording"]}
            identities = (f"{path} {file.identity}" for path, file in sorted(files.items()))
            inputs = stage.inputs(day, INTERACTIONS, versions=(RECORDING_VERSION, *identities))
            if stage.unchanged(day, inputs):
                continue
            rows = [_row(interaction) for interaction in named.iter_rows(named=True)]
            gone = {file.audio_sha256 for file in files.values() if file.audio_sha256}
            looked_at = _look(rows, files, _known(stage.lake, day, gone), stage, day, box, sandbox.limits)
            frame = RECORDINGS.frame(rows)
            stage.write(day, {RECORDINGS: frame}, inputs=inputs)
            stage.add(
                recordings=frame.height,
                decoded=looked_at,
                quarantined=frame.filter(pl.col("outcome") == "quarantined").height,
            )
    yield from stage.results()


def _row(interaction: dict) -> dict:
    return {
        "interaction_id": interaction["interaction_id"],
        "recording": interaction["recording"],
        "agent_channel": interaction["agent_channel"],
        "agent_channel_source": "default",
        "extractor_version": RECORDING_VERSION,
    }


def _look(rows: list[dict], files: dict, known: dict[str, dict], stage: Stage, day: date, box, limits) -> int:
    """Fill in what each recording is: known from before, or decoded now. Returns how many were decoded."""
    todo: dict[tuple, list[dict]] = {}
    for row in rows:
        file = files[row["recording"]]
        if file.reason:
            row |= _refused(BadRecording(file.reason, file.detail))
            continue
        row["audio_sha256"] = file.audio_sha256 or file_sha256(file.path)
        if row["audio_sha256"] in known:
            row |= _accepted(row, known[row["audio_sha256"]])
        elif file.audio_sha256:
            row |= _refused(BadRecording("recording_expired", "removed by retention, and no measures are left"))
        else:
            todo.setdefault((str(file.path), limits), []).append(row)
    for item, result in stage.progress(day, "decoded", box.starmap(inspect, list(todo)), len(todo)):
        for row in todo[item]:
            row |= _refused(result) if isinstance(result, BadRecording) else _accepted(row, result)
    return len(todo)


def _known(lake: Lake, day: date, gone: set[str]) -> dict[str, dict]:
    """What is known of the day's recordings, by hash, less the interaction's own columns.

    From a look with this very version; of recordings whose sound is `gone` (hashes), from any.
    """
    stands = (pl.col("extractor_version") == RECORDING_VERSION) | pl.col("audio_sha256").is_in(list(gone))
    before = lake.read(RECORDINGS, day).filter(stands & (pl.col("outcome") == "accepted"))
    return {row["audio_sha256"]: row for row in before.drop(_OWN).iter_rows(named=True)}


def _accepted(row: dict, found: dict) -> dict:
    """What was found out about the recording; a supplied agent channel counts where the file has it, else it is 0."""
    supplied = row["agent_channel"] is not None and row["agent_channel"] < found["n_channels"]
    about = {name: value for name, value in found.items() if name not in _OWN}
    return about | {
        "outcome": "accepted",
        "agent_channel": row["agent_channel"] if supplied else 0,
        "agent_channel_source": "supplied" if supplied else "default",
    }


def _refused(error: BadRecording) -> dict:
    return {"outcome": "quarantined", "reason": error.reason, "detail": error.detail}

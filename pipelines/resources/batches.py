"""A stage in batches: its recordings in shares that any worker takes, each kept in the lake as soon as it is finished.

The stage stays what it is: its step comes last, finds what the batches have left in the lake, does itself what is
missing, checks and writes. So a batch that failed or was killed costs time and nothing else, and one that ran twice
doubles nothing: rows are kept by the recording's hash.

In one process there are no batches: the stage alone does everything, threads and child processes included.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg
import polars as pl
from dagster._core.definitions.dependency import DynamicCollectDependencyDefinition

from pipelines.resources.stage import QUEUE, RETRY

_KEY = re.compile(r"(\d{4})_(\d\d)_(\d\d)_(\d+)")


@dataclass(frozen=True)
class Batches:
    """How a stage is done in batches.

    `missing(context, days)` yields those of the days that are to be made, each with its recordings (audio_sha256,
    duration_s; the same ones whatever is done already) and the hashes of those that are missing; `work(context, day,
    hashes)` does some and keeps them with Lake.save_part. `queue` is where they wait.
    """

    missing: Callable[[dg.AssetExecutionContext, Iterable[date]], Iterable[tuple[date, pl.DataFrame, set[str]]]]
    work: Callable[[dg.AssetExecutionContext, date, set[str]], None]
    queue: str
    batch_audio_s: float


def shares(recordings: pl.DataFrame, batch_audio_s: float) -> list[set[str]]:
    """The hashes of the recordings in batches of about `batch_audio_s` seconds of sound; a longer one is a batch alone.

    Depends on nothing but the recordings: whoever asks gets the same batches.
    """
    found: list[set[str]] = []
    full_s = batch_audio_s
    for sha, length_s in (
        recordings.select("audio_sha256", "duration_s").unique("audio_sha256").sort("audio_sha256").rows()
    ):
        if full_s + (length_s or 0.0) > batch_audio_s or not found:
            found.append(set())
            full_s = 0.0
        found[-1].add(sha)
        full_s += length_s or 0.0
    return found


def in_batches(assets: Sequence[dg.AssetsDefinition], batches: Mapping[str, Batches]) -> list[dg.AssetsDefinition]:
    """The assets, those whose step is named in `batches` as a graph: their batches, side by side, then their step."""
    return [_graph(a, batches[name]) if (name := a.node_def.name) in batches else a for a in assets]


def _graph(stage: dg.AssetsDefinition, how: Batches) -> dg.AssetsDefinition:
    op = stage.op
    resources = set(op.required_resource_keys)

    @dg.op(
        name=f"{op.name}_batches",
        ins=dict(op.ins),
        out=dg.DynamicOut(dg.Nothing),
        required_resource_keys=resources,
        retry_policy=RETRY,
    )
    def plan(context: dg.AssetExecutionContext) -> Iterator[dg.DynamicOutput]:
        days = map(date.fromisoformat, context.partition_keys)
        for day, recordings, missing in how.missing(context, days):
            for number, share in enumerate(shares(recordings, how.batch_audio_s)):
                if share & missing:
                    yield dg.DynamicOutput(None, mapping_key=f"{day:%Y_%m_%d}_{number}")

    @dg.op(
        name=f"{op.name}_batch",
        ins={"batch": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        required_resource_keys=resources,
        tags={QUEUE: how.queue},
    )
    def batch(context: dg.AssetExecutionContext) -> None:
        year, month, day_, number = map(int, _KEY.fullmatch(context.get_mapping_key()).groups())
        day = date(year, month, day_)
        try:
            for _, recordings, missing in how.missing(context, [day]):
                how.work(context, day, shares(recordings, how.batch_audio_s)[number] & missing)
        except Exception as error:
            # The stage's own step does what is missing, with its retries, and fails where it can't be done.
            context.log.error(f"a batch of {day} was not finished: {type(error).__name__}: {error}")

    last = dg.op(
        name=f"{op.name}_tables",
        ins={**op.ins, "batches": dg.In(dg.Nothing)},
        out=dict(op.outs),
        retry_policy=op.retry_policy,
        tags=op.tags,
        pool=op.pool,
    )(op.compute_fn.decorated_fn)
    node = dg.GraphDefinition(
        name=op.name,
        node_defs=[plan, batch, last],
        dependencies={
            batch.name: {"batch": dg.DependencyDefinition(plan.name, "result")},
            last.name: {"batches": DynamicCollectDependencyDefinition(batch.name, "result")},
        },
        input_mappings=[
            dg.InputMapping(graph_input_name=i, mapped_node_name=node, mapped_node_input_name=i)
            for i in op.ins
            for node in (plan.name, last.name)
        ],
        output_mappings=[
            dg.OutputMapping(graph_output_name=o, mapped_node_name=last.name, mapped_node_output_name=o)
            for o in op.outs
        ],
    )
    return dg.AssetsDefinition(
        node_def=node,
        keys_by_input_name=stage.keys_by_input_name,
        keys_by_output_name=stage.keys_by_output_name,
        check_specs_by_output_name=stage.check_specs_by_output_name,
        backfill_policy=stage.backfill_policy,
        specs=list(stage.specs),
    )

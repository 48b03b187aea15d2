"""A stage of the catalogue: tables with their contracts as assets, written only when their checks have passed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property, wraps
from time import perf_counter

import dagster as dg
import polars as pl

from pipelines.contracts import Table
from pipelines.lake import Lake, fingerprint, frame_fingerprint
from pipelines.quality.checks import Around, Digest, domain_outcomes, required_checks, tables_read
from pipelines.quality.contracts import contract_checks, contract_outcomes
from pipelines.quality.ledger import latest_by_fingerprint, record
from pipelines.quality.outcomes import CheckOutcome
from pipelines.resources.advance import Advance, tell
from pipelines.resources.lake import LakeResource

OWNERS = ["team:analytics-engineering"]
# The outside world (a share that is away, a disk that is full) may come back: twice again, after 10 s and 20 s.
RETRY = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL)
# On which queue of Celery a step waits; what reads or writes the warehouse or the publications is for the one machine
# that has them.
QUEUE = "dagster-celery/queue"
WAREHOUSE_QUEUE = {QUEUE: "warehouse"}
# Text that people said or wrote stays out of the orchestrator's own storage: columns of these names, or `…_<name>`.
_NOT_PREVIEWED = {"text", "word", "evidence", "comment", "extra", "name", "detail", "note", "reply", "question"}
_DTYPES = {"String": "text", "Float64": "double", "Int64": "bigint", "Int32": "integer", "Int8": "tinyint"}

CONTRACT, FACTS, WARNINGS = "contract", "facts", "warnings"
_CHECKS = {
    CONTRACT: "Columns, types, keys, ranges and reasons of NULLs are as declared (Great Expectations).",
    FACTS: "What must be true of this stage is true; otherwise nothing is written and nothing downstream runs.",
    WARNINGS: "What a person should look at. Published all the same, and flagged.",
}


def asset_key(table: Table) -> dg.AssetKey:
    """`stage/name` as Dagster's key."""
    return dg.AssetKey(table.name.split("/"))


def stage_assets(
    *tables: Table,
    reads: tuple[Table, ...] = (),
    daily: dg.PartitionsDefinition | None,
    kinds: set[str],
    name: str,
    retry: bool = False,
    after: tuple[dg.AssetKey, ...] = (),
    freshness: dg.FreshnessPolicy | None = None,
    op_tags: Mapping[str, str] | None = None,
) -> Callable:
    """Decorator: a function that writes `tables` through a Stage becomes their assets, with three checks each.

    `reads` are the tables that it reads, `after` what else must stand before; `daily` the partitions (None: one whole
    table); `freshness` by when they must have been made; `op_tags` where the step waits (QUEUE).
    """
    specs = [
        dg.AssetSpec(
            asset_key(t),
            deps=[*(asset_key(r) for r in dict.fromkeys((*reads, *tables_read(*tables))) if r not in tables), *after],
            description=f"{t.meaning}\n\nGrain: {t.grain}.",
            group_name=t.stage,
            kinds={*kinds, "parquet"},
            owners=OWNERS,
            metadata={"dagster/column_schema": _column_schema(t), "key": ", ".join(t.key)},
            freshness_policy=freshness,
        )
        for t in tables
    ]
    checks = [
        dg.AssetCheckSpec(check, asset=asset_key(t), description=meaning, blocking=check != WARNINGS)
        for t in tables
        for check, meaning in _CHECKS.items()
    ]
    decorate = dg.multi_asset(
        name=name,
        specs=specs,
        check_specs=checks,
        partitions_def=daily,
        backfill_policy=dg.BackfillPolicy.single_run() if daily else None,
        retry_policy=RETRY if retry else None,
        op_tags=op_tags,
    )
    return lambda function: decorate(_tried_again_for_outside_reasons_only(function))


def _tried_again_for_outside_reasons_only(function: Callable) -> Callable:
    """An error of the operating system may pass; any other would come again, so the step fails at once."""

    @wraps(function)
    def guarded(*arguments, **named):
        try:
            yield from function(*arguments, **named)
        except (OSError, dg.Failure):
            raise
        except Exception as error:
            raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error

    return guarded


def _column_schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                c.name,
                type=_DTYPES.get(str(c.dtype), str(c.dtype)),
                description=f"{c.meaning}{f' [{c.unit}]' if c.unit else ''}",
                constraints=dg.TableColumnConstraints(nullable=c.nullable, unique=(c.name,) == table.key),
            )
            for c in table.columns
        ]
    )


class Stage:
    """Writes the partitions of one run of a stage: stage, check, record, promote; then tells Dagster what happened."""

    def __init__(self, context: dg.AssetExecutionContext, lake: LakeResource, *tables: Table):
        self.context = context
        self.lake: Lake = lake.open()
        self.tables = tables
        self._outcomes: dict[str, list[CheckOutcome]] = {t.name: [] for t in tables}
        self._rows = {t.name: 0 for t in tables}
        self._preview: dict[str, pl.DataFrame] = {}
        self._numbers: dict[str, float] = {}
        self._limits = lake.limits
        self._digests: dict[tuple, pl.DataFrame] = {}
        self._written = self._unchanged = 0
        self._begin = perf_counter()

    @property
    def days(self) -> list[date]:
        """The days of this run."""
        return [date.fromisoformat(key) for key in self.context.partition_keys]

    def changed_days(self, *reads: Table, versions: tuple[object, ...] = ()) -> Iterator[tuple[date, str]]:
        """The days of this run whose tables have to be made (again), each with the fingerprint of its inputs."""
        for day in self.days:
            inputs = self.inputs(day, *reads, versions=versions)
            if not self.unchanged(day, inputs):
                yield day, inputs

    def inputs(self, day: date | None, *reads: Table, versions: tuple[object, ...] = ()) -> str:
        """Fingerprint of what a partition is made from: the partitions that it reads, versions and settings."""
        manifests = [self.lake.manifest(t, day if t.daily else None) for t in reads]
        return fingerprint(*(m.fingerprint if m else "absent" for m in manifests), *versions)

    def unchanged(self, day: date | None, inputs: str) -> bool:
        """Whether all tables of the stage were made from these inputs, and passed; then they are left alone."""
        if not all(self.lake.is_current(t, day if t.daily else None, inputs) for t in self.tables):
            return False
        for table in self.tables:
            manifest = self.lake.manifest(table, day if table.daily else None)
            checked = self._ledger.get((table.name, manifest.day), {}).get(manifest.fingerprint, {})
            if any(check not in checked for check in required_checks([table])[table.name]):
                checked = self._checked_again(table, day, manifest.fingerprint)
            self._outcomes[table.name] += checked.values()
            self._rows[table.name] += manifest.rows
        self._unchanged += 1
        return True

    def _checked_again(self, table: Table, day: date | None, fingerprint_: str) -> dict[str, CheckOutcome]:
        """Outcomes of all checks of a partition that stands: some of them are younger than it."""
        frame = self.lake.read(table, day if table.daily else None)
        outcomes = self._check(day, {table: frame}, {table.name: fingerprint_}, before={})
        record(self.lake.root, self.context.run_id, outcomes)
        return {o.check_name: o for o in outcomes}

    @cached_property
    def _ledger(self) -> dict:
        return latest_by_fingerprint(self.lake.root, [t.name for t in self.tables])

    def content(self, frames: dict[Table, pl.DataFrame]) -> str:
        """Fingerprint of the frames themselves, for stages that read the outside world."""
        return fingerprint(*(f"{t.name} {frame_fingerprint(t.conform(f))}" for t, f in frames.items()))

    def progress(
        self,
        day: date,
        done: str,
        results: Iterable[tuple],
        total: int,
        audio_s: Mapping[Hashable, float] | None = None,
    ) -> Iterator[tuple]:
        """The results as they come, pairs of a key and what came of it, with a line in the log at the most every 15 s.

        `audio_s` is the length of each key's sound: audio hours, pace and time left are told from it.
        """
        audio_s, through_s = audio_s or {}, 0.0
        total_audio_s = sum(audio_s.values())
        begin = spoken = perf_counter()
        for count, result in enumerate(results, 1):
            yield result
            now, through_s = perf_counter(), through_s + audio_s.get(result[0], 0.0)
            step = self.context.op_execution_context.op.name
            advance = Advance(step, day, done, count, total, now - begin, through_s, total_audio_s)
            tell(advance)
            if now - spoken > 15 or count == total:
                spoken = now
                self.context.log.info(advance.words)

    def write(
        self,
        day: date | None,
        frames: dict[Table, pl.DataFrame],
        *,
        inputs: str,
    ) -> bool:
        """Write one day's tables if all their blocking checks pass; every outcome goes into the ledger.

        False: refused, and the partitions that were there stay.
        """
        staged = {t: self.lake.stage(t, f, day if t.daily else None, inputs=inputs) for t, f in frames.items()}
        prints = {t.name: s.manifest.fingerprint for t, s in staged.items()}
        outcomes = self._check(day, frames, prints, before={t: self._standing(t, day) for t in frames if t.daily})
        record(self.lake.root, self.context.run_id, outcomes)
        for outcome in outcomes:
            self._outcomes[outcome.table_name].append(outcome)
        failed = [o for o in outcomes if o.blocking and not o.passed]
        for table, partition in staged.items():
            if failed:
                self.lake.discard(partition)
            else:
                self.lake.promote(table, partition)
            self._rows[table.name] += partition.manifest.rows
            self._preview[table.name] = frames[table].head(5)
        for outcome in failed:
            self.context.log.error(
                f"{outcome.table_name} {day or ''}: {outcome.check_name} failed on {outcome.failing_rows} of "
                f"{outcome.total_rows} rows; the partition was not written. {outcome.detail}"
            )
        self._written += 1
        return not failed

    def _check(
        self,
        day: date | None,
        frames: dict[Table, pl.DataFrame],
        prints: dict[str, str],
        *,
        before: dict[Table, pl.DataFrame],
    ) -> list[CheckOutcome]:
        """Outcomes of the contracts and of all domain checks of `frames`."""
        outcomes: list[CheckOutcome] = []
        for table, frame in frames.items():
            outcomes += contract_outcomes(table, table.conform(frame), day if table.daily else None, prints[table.name])
        compared = {t: self.lake.read(t, day if t.daily else None) for t in tables_read(*frames)}
        around = Around(
            self._limits, before=before, earlier=lambda table, digest: self._earlier_days(table, day, digest)
        )
        return outcomes + domain_outcomes({**compared, **frames}, day, prints, around)

    def _standing(self, table: Table, day: date | None) -> pl.DataFrame:
        """The partition that is about to be replaced; empty where its schema is an older one."""
        try:
            return self.lake.read(table, day)
        except ValueError:
            return table.empty()

    def _earlier_days(self, table: Table, day: date | None, digest: Digest) -> list[pl.DataFrame]:
        """The digests of the days before `day` that drift is compared with; each day is read once in a run."""
        found = []
        for away in range(int(self._limits["drift_days"]), 0, -1) if day else ():
            past = day - timedelta(days=away)
            manifest = self.lake.manifest(table, past)
            if manifest is None:
                continue
            key = (table.name, past, manifest.fingerprint, digest)
            if key not in self._digests:
                self._digests[key] = digest(self._standing(table, past))
            found.append(self._digests[key])
        return found

    def add(self, **numbers: float) -> None:
        """Add to the figures that the materialisation shows (audio_s, cpu_s, recordings, …)."""
        for name, number in numbers.items():
            self._numbers[name] = self._numbers.get(name, 0) + number

    def results(self) -> Iterator[dg.MaterializeResult]:
        """One materialisation per table with its figures, a preview and its checks."""
        seconds = perf_counter() - self._begin
        numbers = {name: round(value, 3) for name, value in self._numbers.items()}
        if numbers.get("audio_s"):
            numbers["times_real_time"] = round(numbers["audio_s"] / max(seconds, 1e-3), 1)
        for table in self.tables:
            metadata: dict = {
                "dagster/row_count": self._rows[table.name],
                "days_written": self._written,
                "days_unchanged": self._unchanged,
                "seconds": round(seconds, 3),
                "path": dg.MetadataValue.path(str(self.lake.root / table.name)),
                **numbers,
            }
            if table.name in self._preview:
                metadata["preview"] = dg.MetadataValue.md(preview(self._preview[table.name]))
            yield dg.MaterializeResult(
                asset_key=asset_key(table), metadata=metadata, check_results=list(self._check_results(table))
            )

    def _check_results(self, table: Table) -> Iterator[dg.AssetCheckResult]:
        groups: dict[str, list[CheckOutcome]] = {CONTRACT: [], FACTS: [], WARNINGS: []}
        declared = set(contract_checks(table))
        for outcome in self._outcomes[table.name]:
            own = WARNINGS if not outcome.blocking else CONTRACT if outcome.check_name in declared else FACTS
            groups[own].append(outcome)
        for name, outcomes in groups.items():
            failed = [o for o in outcomes if not o.passed]
            yield dg.AssetCheckResult(
                asset_key=asset_key(table),
                check_name=name,
                passed=not failed,
                severity=dg.AssetCheckSeverity.WARN if name == WARNINGS else dg.AssetCheckSeverity.ERROR,
                metadata={
                    "checked": len(outcomes),
                    "failed": len(failed),
                    "failing_rows": sum(o.failing_rows for o in failed),
                    "sentences": dg.MetadataValue.md(_sentences(failed or outcomes)),
                },
            )


def _sentences(outcomes: list[CheckOutcome]) -> str:
    lines = []
    for o in outcomes[:50]:
        mark = "passed" if o.passed else f"**failed** on {o.failing_rows} of {o.total_rows} rows"
        lines.append(f"- {o.call_date or ''} `{o.check_name}` {mark} {'' if o.passed else o.detail}")
    return "\n".join(lines) or "nothing to check"


def preview(frame: pl.DataFrame) -> str:
    """A few rows as a Markdown table, without what people said or wrote and without names."""
    return markdown(frame.drop(c for c in frame.columns if c.split("_")[-1] in _NOT_PREVIEWED))


def markdown(frame: pl.DataFrame) -> str:
    """A small frame as a Markdown table."""
    if not frame.width:
        return "no columns to show"
    rows = [
        frame.columns,
        ["---"] * frame.width,
        *([str(v)[:40].replace("|", "/") for v in r] for r in frame.iter_rows()),
    ]
    return "\n".join("| " + " | ".join(r) + " |" for r in rows)

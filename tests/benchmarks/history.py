"""A long history on one machine: what building, scoring anew, one more day, publishing and reading it cost.

    python -m tests.benchmarks.history [--days 60] [--calls 1000] [--agents 200] [--folder F] [--memory 8GB]

Writes the history (tests/benchmarks/history_lake.py) and one of three days into a lake of their own, and prints one
Markdown table. Each step runs in a process of its own, with its CPU time and peak memory; what stands in a ratio is
measured beside each other in the same run. A national centre: --days 1095 --calls 10000 --agents 2000.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pipelines.lake import Lake
from pipelines.settings import PROJECT
from pipelines.warehouse import BuildState, Warehouse
from tests.benchmarks.history_lake import History, write_day, write_history, write_undated

DBT = PROJECT / "dbt_project"
PUBLIC, RESTRICTED = ("marts", "ops", "trends"), ("restricted",)
SHORT_DAYS = 3
# What a BI client asks; {name} is drawn from what there is. Each is asked for many values.
QUESTIONS = {
    "an agent's weeks": "select period_start, iqs, iqs_low, iqs_high, n from trend_iqs_by_agent"
    " where agent_id = $agent and period = 'week' and basis = 'as_scored' order by period_start",
    "the campaigns of a month": "select campaign, iqs, n, coverage from trend_iqs_by_campaign"
    " where period = 'month' and period_start = $month and basis = 'as_scored' order by iqs",
    "issue types by week": "select period_start, issue_type, iqs, n from trend_iqs_by_issue_type"
    " where period = 'week' and basis = 'as_scored' order by all",
    "a team's parameters": "select period_start, parameter, score from trend_parameters"
    " where dimension = 'team' and value = $team and period = 'week' and basis = 'as_scored' order by all",
    "campaigns and issue types": "select campaign, issue_type, iqs from heatmap_campaign_issue"
    " where period = 'month' and period_start = $month and basis = 'as_scored' order by all",
    "the centre's days": "select period_start, iqs, xmr_low, xmr_high, dip from trend_iqs"
    " where dimension = 'all' and period = 'day' and basis = 'as_scored' order by period_start",
}
LINEAGE = (
    "select p.parameter, p.metric_value, p.score, p.weight, p.effective_weight, p.contribution, p.reason"
    " from fct_interactions i join fct_parameter_scores p using (interaction_id, call_date)"
    " where i.interaction_id = $call and p.basis = 'as_scored' order by p.contribution desc nulls last"
)


@dataclass(frozen=True)
class Cost:
    """What a step took: wall clock, CPU of all its threads, peak memory of its process; and what it returned."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    result: Any = None

    def __str__(self) -> str:
        return f"{self.wall_s:.1f} s ({self.cpu_s:.1f} CPU-s, {self.peak_mb:.0f} MB)"


def measured(step: Callable, *arguments: Any) -> Cost:
    """Run `step` in a new process and see what it costs; interpreter and imports of this module are not counted."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_timed, step, arguments).result()


def _timed(step: Callable, arguments: tuple) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    result = step(*arguments)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, result)


# --- the steps, each in its own process
def warehouse(root: Path) -> Warehouse:
    return Warehouse(
        root / "warehouse" / "warehouse.duckdb",
        Lake(root / "lake"),
        DBT,
        threads=2,
        memory=os.environ["IQS_WAREHOUSE_MEMORY"],
    )


def write(root: Path, history: History) -> None:
    write_history(Lake(root / "lake"), history)


def more(root: Path, history: History) -> None:
    """The day after the last of `history`, drawn as part of it."""
    lake = Lake(root / "lake")
    write_day(lake, history, history.days)
    write_undated(lake, history, history.days + 1)


def parse(root: Path) -> None:
    warehouse(root).prepare()


def build(root: Path) -> list[tuple[str, str, float]]:
    """What changed, built; returns (kind, name, seconds) of the slowest nodes. Raises where a node failed."""
    nodes = warehouse(root).build()
    if failed := [f"{n.name}: {n.message}" for n in nodes if not n.passed and n.kind != "test"]:
        raise RuntimeError("; ".join(failed))
    return [(n.kind, n.name, n.seconds) for n in sorted(nodes, key=lambda n: -n.seconds)[:12]]


def by_hand(root: Path, memory: str) -> int:
    """The trends by hand, from the lake into a file of their own; returns their rows."""
    import duckdb

    from tests.benchmarks.by_hand import trends

    with duckdb.connect(str(root / "by_hand.duckdb"), config={"threads": 2, "memory_limit": memory}) as connection:
        return trends(connection, root / "lake", DBT / "seeds")


def compare(root: Path, memory: str) -> tuple[int, float]:
    """How many groups of the trends by hand agree with the warehouse, within how many points."""
    import duckdb

    from tests.benchmarks.by_hand import differences

    with duckdb.connect(str(root / "by_hand.duckdb"), config={"threads": 2, "memory_limit": memory}) as connection:
        return differences(connection, warehouse(root).path)


def rescore(root: Path) -> int:
    """All history scored by the rules as they are, beside what is published, as `iqs rescore --dry-run` does."""
    from pipelines.rescoring import effect

    found = effect(None, warehouse(root), root / "published" / "current" / "iqs.duckdb")
    if found["change"].abs().max():
        raise RuntimeError("the same rules gave other scores")
    return found.height


def ask_the_gate(root: Path) -> None:
    from pipelines.publishing.gate import gate
    from pipelines.quality.checks import required_checks

    decision = gate(warehouse(root), required_checks())
    if not decision.passed:
        raise RuntimeError(" ".join(decision.refusals))


def publish_it(root: Path) -> dict[str, float]:
    """A publication without the report; returns seconds by step, and the size of its folder in MB."""
    from assets.publication import FACTS
    from pipelines.publishing.publisher import PublishOptions, publish, warehouse_tables

    source, steps, last = warehouse(root), {}, time.perf_counter()

    def step(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        steps[name], last = round(now - last, 1), now

    made = publish(
        source.path,
        root / "published",
        public=warehouse_tables(source.path, PUBLIC),
        restricted=warehouse_tables(source.path, RESTRICTED),
        dbt=BuildState.read(source.path),
        options=PublishOptions(keep=2, by_month=FACTS),
        on_step=step,
    )
    steps["MB"] = round(sum(f.stat().st_size for f in made.path.rglob("*") if f.is_file()) / 1e6)
    return {name: s for name, s in steps.items() if s >= 0.1}


def report(root: Path) -> None:
    from pipelines.reports.report import render

    render(root / "published" / "current" / "iqs.duckdb", root / "report" / "index.html")


def ask(root: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """(p50, p95) in ms of each question and of a call's lineage, over `rounds` drawn values, on one open connection."""
    import duckdb

    rng = random.Random(3)
    found = {}
    with duckdb.connect(str(root / "published" / "current" / "iqs.duckdb"), read_only=True) as connection:
        connection.execute("set threads = 2")

        def values(sql: str) -> list:
            return [v for (v,) in connection.execute(sql).fetchall()]

        drawn = {
            "agent": values("select distinct agent_id from fct_interactions order by 1"),
            "team": values("select distinct team from dim_agents where team is not null order by 1"),
            "month": values("select distinct period_start from trend_iqs where period = 'month' order by 1"),
            "call": values(
                "select interaction_id from fct_interactions where status = 'scored'"
                " order by hash(interaction_id) limit 200"
            ),
        }
        for name, sql in {**QUESTIONS, "a call's lineage": LINEAGE}.items():
            took = []
            for _ in range(rounds):
                given = {n: rng.choice(choices) for n, choices in drawn.items() if f"${n}" in sql}
                start = time.perf_counter()
                rows = connection.execute(sql, given or None).fetchall()
                took.append(1000 * (time.perf_counter() - start))
                assert rows or "agent" in given, f"nothing found for {name} {given}"
            took.sort()
            found[name] = took[len(took) // 2], took[int(len(took) * 0.95)]
    return found


# --- the table
def lines(folder: Path, history: History, memory: str) -> Iterator[str]:
    """The table's rows, as soon as they are known."""
    long, short = folder / "long", folder / "short"
    brief = replace(history, days=SHORT_DAYS)
    written = measured(write, long, history)
    measured(write, short, brief)
    calls = history.days * history.calls
    size_mb = sum(f.stat().st_size for f in long.rglob("*.parquet")) / 1e6
    yield f"| history | {history.days} days × {history.calls:,} calls, {history.agents:,} agents, {size_mb:,.0f} MB | |"
    yield f"| writing it | {written} | |"
    yield f"| parsing the dbt project | {measured(parse, long)} | |"
    whole = measured(build, long)
    hand = measured(by_hand, long, memory)
    again = measured(by_hand, long, memory)
    hand = replace(hand, wall_s=(hand.wall_s + again.wall_s) / 2, cpu_s=(hand.cpu_s + again.cpu_s) / 2)
    groups, points = measured(compare, long, memory).result
    mb = warehouse(long).path.stat().st_size / 1e6
    yield f"| full build, with its tests | {whole}; {mb:,.0f} MB | ≤ 8 GB |"
    yield f"| the same trends by hand | {hand}; {groups:,} rows equal within {points:.4f} points | |"
    yield f"| full build ÷ by hand | {_ratio(whole, hand)} | ≤ 3 |"
    yield f"| slowest nodes | {_nodes(whole)} | |"
    gated = measured(ask_the_gate, long)
    published = measured(publish_it, long)
    yield f"| gate | {gated} | |"
    yield f"| first publication | {published}; {_steps(published)} | |"
    yield f"| publication ÷ full build | {_ratio(published, whole)} | ≤ 1 |"
    scored = measured(rescore, long)
    yield f"| rescore, {scored.result:,} of {calls:,} interactions | {scored} | |"
    yield f"| rescore ÷ by hand | {_ratio(scored, hand)} | ≤ 3 |"
    made = measured(report, long)
    yield f"| report | {made} | ≤ 60 s |"
    for name, (p50, p95) in measured(ask, long, 100).result.items():
        yield f"| {name} | p50 {p50:.1f} ms, p95 {p95:.1f} ms | ≤ 50 ms |"
    measured(parse, short)
    measured(build, short)
    measured(publish_it, short)
    measured(more, short, brief)
    measured(more, long, history)
    few, many = measured(build, short), measured(build, long)
    yield f"| one more day on {SHORT_DAYS} days | {few} | |"
    yield f"| one more day on {history.days} days | {many} | |"
    yield f"| the one ÷ the other | {_ratio(many, few)} | ≤ 1.3 |"
    yield f"| slowest nodes | {_nodes(many)} | |"
    few, many = measured(publish_it, short), measured(publish_it, long)
    yield f"| its publication on {SHORT_DAYS} days; on {history.days} days | {few}; {many}; {_steps(many)} | |"


def _ratio(one: Cost, other: Cost) -> str:
    return f"**{one.wall_s / other.wall_s:.1f} ×** ({one.cpu_s / other.cpu_s:.1f} × of the CPU time)"


def _nodes(cost: Cost) -> str:
    return ", ".join(f"{name} {seconds:.1f} s" for _, name, seconds in cost.result[:6])


def _steps(cost: Cost) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in cost.result.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--calls", type=int, default=1000, help="interactions a day")
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--memory", default="8GB", help="most memory for DuckDB; it spills to the disk beyond")
    parser.add_argument("--folder", type=Path, help="where it is written and kept; a temporary folder otherwise")
    given = parser.parse_args()
    if given.days < 8:
        parser.error("--days: 8 or more, so that resolutions mature")
    os.environ["IQS_WAREHOUSE_MEMORY"] = given.memory
    history = History(given.days, given.calls, given.agents, seed=given.seed)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="iqs-history-"))
    print("| what | measured | target |\n|---|---|---|", flush=True)
    try:
        for line in lines(folder, history, given.memory):
            print(line, flush=True)
    finally:
        if not given.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

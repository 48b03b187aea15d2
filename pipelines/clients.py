"""A client's own build of the trend report: made anew from that client's interactions alone.

Published tables mix clients (totals, peers, limits, shrinkage), so that rows can't be picked from them: the lake is
copied with the client's rows only, the warehouse is built from the copy, and the pages are searched for others' names.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import polars as pl

from pipelines.contracts import Table, all_tables
from pipelines.contracts.landing import AGENTS, DAYS, INTERACTIONS, PROCESS_CHANGES
from pipelines.contracts.landing import ISSUE_TYPES as CENTRE_ISSUE_TYPES
from pipelines.contracts.language import ISSUE_TYPES
from pipelines.lake import Lake
from pipelines.publishing.publisher import PublishOptions, publish, warehouse_tables
from pipelines.reports.report import render
from pipelines.warehouse import BuildState, Warehouse

_INPUTS = "client build"
_LOGS = ("publications", "alert_sightings", "alert_attempts", "alert_acks", "crm_sync")
# Whole tables that the report can do without, and whose rows can't be told apart by client.
_LEFT_OUT = ("landing/coaching", "landing/files", "landing/alert_acks")
_PUBLIC_SCHEMAS = ("marts", "ops", "trends")


class ClientBuildError(RuntimeError):
    """The client's report can't be made or may not be given away; the message says why."""


@dataclass(frozen=True)
class Scope:
    """What is a client's: ids of interactions and agents, campaigns; and `others`, names that may stand nowhere.

    Of `others` those are left out that would be met by chance: below 4 characters, and numbers below 8 digits.
    """

    interactions: frozenset[str]
    agents: frozenset[str]
    campaigns: frozenset[str]
    issue_types: frozenset[str]
    others: tuple[str, ...]


def render_client(client: str, warehouse: Warehouse, out: Path) -> Path:
    """Write the trend report of one client into the folder `out`; returns its index.html.

    Only interactions whose column client is `client` go in. Raises ClientBuildError where there are none, where the
    warehouse can't be built from them, or where a finished page holds another client's name, campaign, agent or
    interaction: then `out` stays as it was. A campaign that is a single plain word (`support`) is not searched for.
    """
    scope = scope_of(client, warehouse.lake)
    with tempfile.TemporaryDirectory(prefix="client-") as folder:
        lake = copy_for(scope, warehouse.lake, Lake(Path(folder) / "lake"))
        # The file's name is its catalogue's name, by which dbt's views call each other.
        scratch = replace(warehouse, path=Path(folder) / warehouse.path.name, lake=lake)
        failed = [f"{n.name}: {n.message}" for n in scratch.fill() if not n.passed]
        if failed:
            raise ClientBuildError(f"the tables of client {client!r} can't be built: " + "; ".join(failed))
        made = publish(
            scratch.path,
            Path(folder) / "published",
            public=warehouse_tables(scratch.path, _PUBLIC_SCHEMAS),
            dbt=BuildState("success", datetime.now(UTC).isoformat(timespec="seconds")),
            options=PublishOptions(keep=1),
        )
        page = render(made.path / "iqs.duckdb", Path(folder) / "report" / "index.html")
        if found := sorted(named_in(page.parent, scope.others)):
            raise ClientBuildError(
                f"the report of client {client!r} names {', '.join(found[:5])}, which is not this client's;"
                " nothing was written. Look for it in the rule files and in what agents and customers said"
            )
        return render(made.path / "iqs.duckdb", Path(out) / "index.html")


def scope_of(client: str, lake: Lake) -> Scope:
    """What is the client's, read from the lake. Raises ClientBuildError where the client has no interaction."""
    days = lake.days(INTERACTIONS)
    columns = ("interaction_id", "client", "campaign", "agent_id")
    rows = [lake.read(INTERACTIONS, day).select(columns) for day in days]
    every = pl.concat(rows) if rows else INTERACTIONS.empty().select(columns)
    own = every.filter(pl.col("client") == client)
    if own.is_empty():
        known = ", ".join(sorted(every["client"].drop_nulls().unique())) or "none"
        raise ClientBuildError(f"client {client!r} has no interaction; clients are: {known}")

    def values(frame: pl.DataFrame, column: str) -> set[str]:
        return set(frame[column].drop_nulls())

    ids, agents, campaigns = (values(own, c) for c in ("interaction_id", "agent_id", "campaign"))
    named = lake.read(AGENTS)
    mine = pl.col("agent_id").is_in(list(agents))
    names = values(named.filter(~mine), "name") - values(named.filter(mine), "name")
    others = names | (values(every, "client") - {client}) | (values(every, "interaction_id") - ids)
    others |= {c for c in values(every, "campaign") - campaigns if not re.fullmatch(r"[a-z]+", c)}
    others |= {c.replace("_", " ") for c in others}
    found = [lake.read(ISSUE_TYPES, day) for day in lake.days(ISSUE_TYPES)]
    issue_types = pl.concat([ISSUE_TYPES.empty(), *found]).filter(pl.col("interaction_id").is_in(list(ids)))
    return Scope(
        frozenset(ids),
        frozenset(agents),
        frozenset(campaigns),
        frozenset(values(issue_types, "issue_type")),
        tuple(sorted(name for name in others if len(name) >= (8 if name.isdigit() else 4))),
    )


def copy_for(scope: Scope, source: Lake, target: Lake) -> Lake:
    """Copy the lake with the rows of the scope only; tables that mix clients are there, but empty."""
    days = source.days(INTERACTIONS)
    for table in all_tables().values():
        for day in days if table.daily else (None,):
            if table.daily and not source.path(table, day).exists():
                continue
            target.write(table, _own(table, source.read(table, day), scope), day, inputs=_INPUTS)
    ops = target.root / "ops"
    (ops / "dq_results").mkdir(parents=True)
    for file in (*(f"{name}.jsonl" for name in _LOGS), "dq_results/000.jsonl"):
        (ops / file).write_text("")
    if (source.root / "ops" / "rules_in_force.json").exists():
        shutil.copyfile(source.root / "ops" / "rules_in_force.json", ops / "rules_in_force.json")
    return target


def _own(table: Table, frame: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    def within(column: str, values: Collection[str]) -> pl.DataFrame:
        return frame.filter(pl.col(column).is_in(list(values)))

    if table.name in _LEFT_OUT or table.stage == "calibration":
        return table.empty()
    if table.name == AGENTS.name:
        return within("agent_id", scope.agents)
    if table.name == PROCESS_CHANGES.name:
        return within("campaign", scope.campaigns)
    if table.name == CENTRE_ISSUE_TYPES.name:
        return within("issue_type", scope.issue_types)
    if "interaction_id" in frame.columns:
        return within("interaction_id", scope.interactions)
    if table.name == DAYS.name or table.stage == "metrics":
        return frame
    return table.empty()


def named_in(folder: Path, names: Collection[str]) -> set[str]:
    """Those of the names that a page below the folder, or its file's name, holds as whole words in any case."""
    by_word: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        shown = escape(name).lower()
        # Looked up by the longest word: there may be a hundred thousand names, and thousands of pages.
        if words := re.findall(r"\w+", shown):
            by_word.setdefault(max(words, key=len), []).append((name, rf"(?<!\w){re.escape(shown)}(?!\w)"))
    found = set()
    for path in folder.rglob("*.html"):
        text = f"{path.name}\n{path.read_text('utf-8')}".lower()
        for word in set(re.findall(r"\w+", text)) & by_word.keys():
            found |= {name for name, pattern in by_word[word] if re.search(pattern, text)}
    return found

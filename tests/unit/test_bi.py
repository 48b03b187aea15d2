"""What `iqs bi` prints: for every tool a path of this installation, a driver and a first query."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.bi import TOOLS, Places, UnknownTool, connection
from pipelines.settings import PROJECT, Settings


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_gets_an_absolute_path_a_driver_and_a_query(tmp_path, tool):
    places = Places.of(Settings(data=tmp_path))
    found = connection(tool, places)
    assert found.tool == tool
    assert Path(found.database).is_absolute()
    assert Path(found.database).is_relative_to(tmp_path)
    assert found.driver
    assert "trend_iqs" in found.first_query
    said = json.dumps(found.as_json())
    assert found.database in said


@pytest.mark.parametrize("tool", ["metabase", "superset", "grafana"])
def test_a_server_that_keeps_its_connection_opens_the_views_that_follow(tmp_path, tool):
    found = connection(tool, Places.of(Settings(data=tmp_path)))
    assert found.database == str(tmp_path / "published" / "live.duckdb")
    # The views name absolute paths: in a container the folder must lie where it lies outside.
    folder = tmp_path / "published"
    assert f"-v {folder}:{folder}:ro" in found.docker


def test_a_tool_is_found_whatever_its_case_and_an_unknown_one_gets_the_list(tmp_path):
    places = Places.of(Settings(data=tmp_path))
    assert connection("Metabase", places).title == "Metabase"
    with pytest.raises(UnknownTool, match=r"'qlik' is none of .*metabase, superset"):
        connection("qlik", places)


def test_the_command_lists_prints_and_refuses(tmp_path):
    def iqs(*arguments):
        environment = os.environ | {"IQS_DATA": str(tmp_path), "PYTHONPATH": str(PROJECT)}
        command = [sys.executable, "-m", "pipelines.cli", "bi", *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    listed = iqs()
    assert listed.returncode == 0
    assert all(f"iqs bi {tool}" in listed.stdout for tool in TOOLS)
    shown = iqs("superset")
    assert shown.returncode == 0
    assert f"SQLAlchemy URI: duckdb:///{tmp_path}/published/live.duckdb?access_mode=READ_ONLY" in shown.stdout
    assert "nothing is published yet" in shown.stderr
    assert json.loads(iqs("dbeaver", "--json").stdout)["settings"]["Driver property duckdb.read_only"] == "true"
    refused = iqs("qlik")
    assert refused.returncode == 2
    assert "metabase" in refused.stderr

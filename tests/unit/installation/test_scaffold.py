"""`iqs init`: a folder that works as it is, and never overwrites."""

import csv
import json
import os
import stat
import subprocess
import sys
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from pipelines.installation.envfile import load_env_file, read_env_file
from pipelines.installation.scaffold import EXAMPLES, CantMake, landing_columns, make_project, settings_lines
from pipelines.landing import Landing, LandingOptions
from pipelines.landing.kinds import KINDS, kind_of
from pipelines.settings import PROJECT, SettingError, Settings


def test_every_kind_of_landing_file_has_an_example_with_all_its_columns(tmp_path):
    made = make_project(tmp_path / "p").folder
    for name, kind in KINDS.items():
        (path,) = [*made.glob(f"examples/{name}.csv"), *made.glob(f"examples/other/{name}.csv")]
        assert kind_of(path.name) is kind
        rows = list(csv.DictReader(path.open()))
        assert list(rows[0]) == landing_columns(kind)
        assert all(rows[0][column] for column in kind.required), name
    assert set(EXAMPLES) == set(KINDS)


def test_the_examples_are_taken_without_a_reject(tmp_path):
    made = make_project(tmp_path / "p").folder
    for path in made.glob("examples/*.csv"):
        (made / "landing" / path.name).write_bytes(path.read_bytes())
    landing = Landing(
        LandingOptions(made / "landing", tmp_path / "cache", "UTC", Settings().recording_pattern, date(2020, 1, 1))
    )
    assert landing.rejects().rows() == []
    assert landing.days() == [date(2026, 3, 2)]


def test_the_settings_file_holds_every_setting_with_its_meaning_and_reads_back_as_the_default(tmp_path):
    text = "\n".join(settings_lines())
    for f in fields(Settings):
        assert f"# {f.metadata['meaning']}\n#{f.metadata['variable']}=" in text
    path = tmp_path / ".env"
    path.write_text("\n".join(line.removeprefix("#") for line in settings_lines() if not line.startswith("# ")))
    assert Settings.from_environment(read_env_file(path)) == Settings()


def test_the_settings_file_is_its_owners_only(tmp_path):
    made = make_project(tmp_path / "p").folder
    assert stat.S_IMODE((made / ".env").stat().st_mode) == 0o600


def test_nothing_that_is_there_is_overwritten_and_what_is_missing_is_added(tmp_path):
    folder = tmp_path / "p"
    make_project(folder)
    (folder / ".env").write_text("IQS_WORKERS=1\n")
    (folder / "README.md").unlink()
    made = make_project(folder)
    assert made.written == ("README.md",)
    assert ".env" in made.kept
    assert (folder / ".env").read_text() == "IQS_WORKERS=1\n"


@pytest.mark.parametrize("place", ["file", "code"])
def test_a_place_that_cannot_be_a_project_folder_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CantMake, match=r"is a file|holds the code"):
        make_project({"file": tmp_path / "file", "code": PROJECT}[place])


def test_the_environment_overrules_the_settings_file(tmp_path):
    (tmp_path / ".env").write_text("IQS_WORKERS=3\nexport IQS_TIMEZONE='Europe/Berlin'  # ours\nPATH=/nowhere\n")
    environment = {"IQS_WORKERS": "7"}
    assert load_env_file(environment, tmp_path) == tmp_path / ".env"
    assert environment == {"IQS_WORKERS": "7", "IQS_TIMEZONE": "Europe/Berlin"}
    assert load_env_file(environment, tmp_path / "elsewhere") is None


def test_a_line_that_is_no_setting_is_refused_with_its_number(tmp_path):
    (tmp_path / ".env").write_text("# fine\nIQS_WORKERS=2\nworkers 3 of 4\n")
    with pytest.raises(SettingError, match=r"line 3"):
        read_env_file(tmp_path / ".env")


def test_a_command_started_in_the_folder_uses_its_settings_and_no_other_folders(tmp_path):
    folder = make_project(tmp_path / "p").folder

    def iqs(cwd: Path):
        environment = {n: v for n, v in os.environ.items() if not n.startswith("IQS_")}
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "doctor", "landing"],
            env=environment | {"PYTHONPATH": str(PROJECT)},
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )

    assert f"{folder / 'landing'} is empty" in iqs(folder).stdout
    assert str(folder) not in iqs(tmp_path).stdout


@pytest.mark.slow
def test_a_new_folder_with_its_examples_runs_to_a_publication_that_a_tool_can_open(tmp_path):
    folder = make_project(tmp_path / "p").folder
    for path in folder.glob("examples/*.csv"):
        (folder / "landing" / path.name).write_bytes(path.read_bytes())

    def run(*command: str):
        environment = {n: v for n, v in os.environ.items() if not n.startswith("IQS_")} | {"PYTHONPATH": str(PROJECT)}
        return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)

    def iqs(*arguments: str):
        return run(sys.executable, "-m", "pipelines.cli", *arguments)

    done = iqs("run")
    assert done.returncode in (0, 3), done.stderr
    assert "1 received = 1 scored" in done.stdout
    assert '"broken"' not in iqs("doctor", "--json").stdout
    code = json.loads(iqs("bi", "python", "--json").stdout)["settings"]["code"]
    assert "2026-03-02" in run(sys.executable, "-c", code).stdout
    site = iqs("docs", "--out", "site.html")
    assert site.returncode == 0, site.stderr
    assert "trend_iqs" in (folder / "site.html").read_text()

"""Dagster's folder under the data root."""

import multiprocessing
import sqlite3

import pytest

from pipelines.automation.launch import instance, prepare_home
from pipelines.settings import PROJECT, SettingError, Settings


def test_dagster_gets_the_shipped_configuration_and_one_of_its_own_where_a_setting_names_it(tmp_path):
    home = prepare_home(Settings(data=tmp_path))
    assert (home / "dagster.yaml").read_text().startswith((PROJECT / "dagster.yaml").read_text())
    own = tmp_path / "own.yaml"
    own.write_text("telemetry: {enabled: false}\n")
    prepare_home(Settings(data=tmp_path, dagster_yaml=own))
    assert (home / "dagster.yaml").read_text().startswith(own.read_text())
    own.write_text("telemetry: [")
    with pytest.raises(SettingError, match=r"IQS_DAGSTER_YAML=.*own\.yaml.*can't be read"):
        prepare_home(Settings(data=tmp_path, dagster_yaml=own))


def test_a_configuration_that_is_not_there_is_named_with_its_setting(tmp_path):
    with pytest.raises(SettingError, match=r"IQS_DAGSTER_YAML=.*gone\.yaml.*can't be read"):
        prepare_home(Settings(data=tmp_path, dagster_yaml=tmp_path / "gone.yaml"))


def test_processes_that_open_dagsters_storage_for_the_first_time_at_once_make_it_once(tmp_path):
    with instance(Settings(data=tmp_path / "imports")):
        pass
    start, codes = multiprocessing.get_context("fork").Barrier(8), []

    def open_it():
        start.wait()
        with instance(Settings(data=tmp_path / "data")) as opened:
            assert opened.get_runs() == []

    processes = [multiprocessing.get_context("fork").Process(target=open_it) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        codes.append(process.exitcode)
    assert codes == [0] * 8
    for database in (tmp_path / "data").rglob("*.db"):
        with sqlite3.connect(database) as connection:
            assert len(connection.execute("select * from alembic_version").fetchall()) == 1, database.name

"""Dagster's folder under the data root."""

import pytest

from pipelines.automation.launch import prepare_home
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

"""The code location: what Dagster's users find in it."""

import json

import dagster as dg
import duckdb
import pytest

from assets.publication import headline
from assets.warehouse import row_counts
from pipelines.column_lineage import KEPT, kept_lineage
from pipelines.contracts import all_tables
from pipelines.definitions import build
from pipelines.settings import Settings
from pipelines.warehouse import BuildState


@pytest.fixture(scope="module")
def definitions(tmp_path_factory) -> dg.Definitions:
    settings = Settings(data=tmp_path_factory.mktemp("data"))
    lineage = {"trends/trend_iqs": {"iqs": ["intermediate/int_group_days.n", "seeds/settings.value"], "period": []}}
    kept = settings.warehouse.parent / "dbt" / KEPT
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"project": "as it is", "tables": lineage}))
    BuildState("success", "", project="as it is").write(settings.warehouse)
    return build(settings)


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def test_every_table_of_the_lake_is_an_asset_of_its_name(graph):
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert set(all_tables()) <= keys


def test_every_asset_has_a_description_a_group_an_owner_and_kinds(graph):
    for node in graph.asset_nodes:
        if node.is_materializable:
            assert node.description, node.key
            assert node.group_name != "default", node.key
            assert node.kinds, node.key
            assert node.owners, node.key


def test_every_table_of_the_lake_has_its_contract_its_facts_and_its_warnings_checked(graph):
    for name in all_tables():
        checks = {k.name for k in graph.get_check_keys_for_assets({dg.AssetKey(name.split("/"))})}
        assert checks == {"contract", "facts", "warnings"}, name


def test_daily_tables_have_daily_partitions_and_the_others_none(graph):
    for name, table in all_tables().items():
        partitions = graph.get(dg.AssetKey(name.split("/"))).partitions_def
        assert isinstance(partitions, dg.DailyPartitionsDefinition) == table.daily, name


def test_blocking_checks_are_those_of_contract_and_facts_only(graph):
    for check in graph.asset_check_keys:
        if check.name in ("contract", "facts", "gate"):
            assert graph.get_check_spec(check).blocking
        if check.name == "warnings":
            assert not graph.get_check_spec(check).blocking


def test_dbt_sources_are_the_lake_tables_so_that_lineage_has_no_gap(graph):
    fact = graph.get(dg.AssetKey(["marts", "fct_interactions"]))
    upstream = graph.upstream_key_iterator(fact.key)
    assert dg.AssetKey(["landing", "interactions"]) in set(upstream)


def test_source_tests_are_not_checks_since_that_would_defeat_blocking(graph):
    on_lake = {c.name for c in graph.asset_check_keys if c.asset_key.to_user_string() in all_tables()}
    assert on_lake == {"contract", "facts", "warnings"}


def test_the_job_the_schedule_and_the_sensor_are_there_and_on(definitions):
    assert definitions.resolve_job_def("daily").partitions_def is not None
    assert definitions.resolve_schedule_def("nightly").default_status == dg.DefaultScheduleStatus.RUNNING
    sensor = definitions.resolve_sensor_def("landing_sensor")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds <= 60


@pytest.mark.parametrize("name", ["failed_runs", "new_warnings"])
def test_the_sensors_that_give_notice_are_there_and_on(definitions, name):
    assert definitions.resolve_sensor_def(name).default_status == dg.DefaultSensorStatus.RUNNING


def test_the_rows_of_a_tables_build_are_counted_and_views_are_not(tmp_path):
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts; create table marts.dim_agents as select * from range(7) t(i)")
        connection.execute("create view marts.v as select 1 as a")
        connection.execute("delete from marts.dim_agents where i = 3")
    assert row_counts(tmp_path / "warehouse.duckdb") == {("marts", "dim_agents"): 6}
    assert row_counts(tmp_path / "nothing.duckdb") == {}


def test_a_tables_columns_tell_what_they_come_from(graph):
    metadata = graph.get(dg.AssetKey(["trends", "trend_iqs"])).metadata
    iqs, period = (metadata["dagster/column_lineage"].deps_by_column[c] for c in ("iqs", "period"))
    assert [(d.asset_key.to_user_string(), d.column_name) for d in iqs] == [
        ("intermediate/int_group_days", "n"),
        ("seeds/settings", "value"),
    ]
    assert period == []
    told = metadata["columns come from"].value
    assert "| iqs | intermediate/int_group_days.n, seeds/settings.value |" in told
    assert "| period | a constant, or rows counted |" in told


def test_a_lineage_of_another_project_than_was_built_is_not_shown(tmp_path):
    (tmp_path / "dbt").mkdir()
    (tmp_path / "dbt" / KEPT).write_text(json.dumps({"project": "before", "tables": {"marts/a": {"x": []}}}))
    for project, shown in (("before", {"marts/a": {"x": []}}), ("after", {}), ("", {})):
        BuildState("success", "", project=project).write(tmp_path / "warehouse.duckdb")
        assert kept_lineage(tmp_path / "dbt") == shown


def test_a_publication_shows_its_newest_week_as_numbers_and_the_days_as_a_table(tmp_path):
    with duckdb.connect(str(tmp_path / "iqs.duckdb")) as connection:
        connection.execute(
            "create table trend_iqs as select 'all' as dimension, basis, period, period_start::date as period_start, "
            "10 as received, n, n / 10.0 as coverage, iqs, iqs - 5 as iqs_low, iqs + 5 as iqs_high, false as dip from "
            "(values ('week', '2026-03-02', 8, 70.5), ('week', '2026-03-09', 6, 71.5), ('day', '2026-03-09', 6, 71.5)) "
            "as given (period, period_start, n, iqs) cross join (values ('as_scored'), ('restated')) as bases (basis)"
        )
    shown = headline(tmp_path / "iqs.duckdb")
    days = shown.pop("last_days").value.splitlines()
    assert shown == {"week_received": 10, "week_scored": 6, "week_coverage": 0.6, "week_iqs": 71.5}
    assert days[2:] == ["| 2026-03-09 | 10 | 6 | 0.6 | 71.5 | 66.5 | 76.5 | False |"]


def test_a_publication_without_a_scored_call_has_no_headline(tmp_path):
    with duckdb.connect(str(tmp_path / "iqs.duckdb")) as connection:
        connection.execute(
            "create table trend_iqs (dimension text, basis text, period text, period_start date, received int, n int, "
            "coverage double, iqs double, iqs_low double, iqs_high double, dip boolean)"
        )
    assert list(headline(tmp_path / "iqs.duckdb")) == ["last_days"]

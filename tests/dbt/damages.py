"""Bad rows for every data test of the dbt project: each is there to be found by one test, or by its family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

# Three Mondays before the first one, on which as many interactions came in.
MONDAYS = (
    "insert into ops.ops_coverage by name select cast(date '2026-02-09' + 7 * cast(i as integer) as date) as call_date,"
    " 10 as received from range(3) as weeks(i); "
)

# (singular test, what is done to the warehouse)
DAMAGES = [
    (
        "assert_contributions_sum_to_iqs",
        "update marts.fct_parameter_scores set contribution = contribution + 0.0001 where contribution is not null",
    ),
    (
        "assert_contributions_sum_to_iqs",
        "update marts.fct_call_scores set iqs = iqs_unfailed, iqs_unfailed = 1",
    ),
    ("assert_effective_weights_sum_to_one", "update marts.fct_parameter_scores set effective_weight = 0.3"),
    (
        "assert_every_interaction_is_accounted_for",
        "update ops.ops_ledger set received = received + 1, reconciles = false",
    ),
    ("assert_scores_are_within_0_and_100", "update marts.fct_parameter_scores set score = 100.0001"),
    ("assert_scores_are_within_0_and_100", "update marts.fct_call_scores set iqs = -1"),
    (
        "assert_one_scorecard_version_per_interaction",
        "update marts.fct_call_scores set scorecard_version = 2",
    ),
    (
        "assert_one_scorecard_version_per_interaction",
        "update marts.fct_parameter_scores set scorecard_version = 2 where parameter = 'empathy'",
    ),
    (
        "assert_dimensions_add_up_to_the_same_totals",
        "delete from trends.trend_iqs where dimension = 'agent' and value = '008'",
    ),
    (
        "assert_dimensions_add_up_to_the_same_totals",
        "update trends.trend_iqs set score_sum = score_sum + 1",
    ),
    ("assert_parts_sum_to_the_change", "update trends.insight_change set mix = mix + 0.0001"),
    (
        "assert_lost_points_sum_to_what_is_missing",
        "update trends.insight_drivers set points_lost = points_lost + 0.000001 where parameter = 'empathy'",
    ),
    (
        "assert_lost_points_sum_to_what_is_missing",
        "update trends.insight_sub_drivers set points_lost = points_lost + 1",
    ),
    ("assert_conditions_do_not_explain_scores", "update trends.insight_fairness set is_warning = true"),
    (
        "assert_missing_values_have_a_reason",
        "update intermediate.int_resolution set reason = null where resolved is null",
    ),
    (
        "assert_missing_values_have_a_reason",
        "update marts.fct_parameter_scores set reason = 'no_event' where score is not null",
    ),
    ("assert_enough_of_each_day_was_scored", "update ops.ops_coverage set received = 100, coverage = 0.09"),
    ("assert_coverage_is_usual", "update ops.ops_coverage set received = 100, coverage = 0.59"),
    (
        "assert_few_calls_fail",
        "update marts.fct_call_scores set is_failed = true, call_date = (select max(call_date) from ops.ops_coverage)",
    ),
    ("assert_no_score_dips", "update trends.trend_iqs set dip = true"),
    ("assert_no_day_is_missing", MONDAYS + "delete from ops.ops_coverage where call_date = date '2026-03-09'"),
    (
        "assert_volumes_are_usual",
        MONDAYS + "update ops.ops_coverage set received = 100, coverage = 1 where call_date = date '2026-03-09'",
    ),
    ("assert_alert_rules_can_fire", "update seeds.alert_rules set measure = 'no such thing' where source = 'metric'"),
]

# Other tests that see the same damage: sums that hang together.
_SUMS = {"assert_contributions_sum_to_iqs", "assert_dimensions_add_up_to_the_same_totals"}
FAMILIES = {
    "assert_contributions_sum_to_iqs": _SUMS,
    "assert_scores_are_within_0_and_100": {*_SUMS, "assert_missing_values_have_a_reason"},
    "assert_dimensions_add_up_to_the_same_totals": {"assert_lost_points_sum_to_what_is_missing"},
    "assert_enough_of_each_day_was_scored": {"assert_coverage_is_usual"},
    "assert_few_calls_fail": {*_SUMS, "assert_one_scorecard_version_per_interaction"},
}


def singular_tests(built) -> dict[str, str]:
    """Name -> compiled SQL of the singular tests, as the build left them."""
    folder = built.root / "target" / "compiled" / "iqs" / "tests"
    return {path.stem: path.read_text() for path in folder.glob("*.sql")}


def complaints(connection: duckdb.DuckDBPyConnection, tests: Mapping[str, str]) -> set[str]:
    """Names of the tests that find something."""
    return {name for name, sql in tests.items() if connection.execute(sql).fetchone() is not None}


@dataclass(frozen=True)
class GenericTest:
    """A generic data test as it was compiled; `column` is "" where it looks at several."""

    name: str
    kind: str
    table: str
    column: str
    sql: str

    @property
    def is_about_duplicates(self) -> bool:
        return self.kind in ("unique", "unique_together")


def generic_tests(built) -> list[GenericTest]:
    """The generic data tests (unique, relationships, …) of models and seeds, as the build left them."""
    found = []
    for node in built.manifest.nodes.values():
        if str(node.resource_type) == "test" and hasattr(node, "test_metadata"):
            table = built.manifest.nodes[node.attached_node].relation_name
            path = built.root / "target" / "compiled" / "iqs" / node.original_file_path / node.path
            found.append(
                GenericTest(node.name, node.test_metadata.name, table, node.column_name or "", path.read_text())
            )
    return found


def bad_row_problem(connection: duckdb.DuckDBPyConnection, test: GenericTest, tests: list[GenericTest]) -> str:
    """What is wrong with a generic test: "" where its bad row is found by it, and by nobody outside its family.

    The row is seeded into a copy of one row of the table, which takes the table's place in the SQL of its tests.
    """
    found_in_good = _seed(connection, test, test.table)
    if test.kind in ("accepted_values", "relationships", "not_null"):
        value = "null" if test.kind == "not_null" else "'no such thing'"
        connection.execute(f'update bad_rows set "{test.column}" = {value}')
    elif test.is_about_duplicates:
        connection.execute("insert into bad_rows select * from bad_rows")
    else:
        return f"nobody has shown how to break {test.kind}"
    of_table = [t for t in tests if t.table == test.table]
    noticed = {t.name: t for t in of_table if _finds(connection, t)}
    if test.name in found_in_good:
        return "it complains of a good row"
    if test.name not in noticed:
        return "it finds nothing"
    strangers = [
        name
        for name, t in noticed.items()
        if t.column != test.column and not (t.is_about_duplicates and test.is_about_duplicates)
    ]
    return f"{', '.join(strangers)} would find it as well" if set(strangers) - found_in_good else ""


def _seed(connection, test: GenericTest, table: str) -> set[str]:
    """Make `bad_rows`, one good row of the table; made up where the table is empty."""
    given = f'where "{test.column}" is not null' if test.column else ""
    connection.execute(f"create or replace temp table bad_rows as select * from {table} {given} limit 1")
    if not connection.execute("select 1 from bad_rows").fetchone():
        name, kind = next(
            (n, k)
            for n, k, *_ in connection.execute("describe bad_rows").fetchall()
            if n == test.column or not test.column
        )
        value = {"DATE": "'2026-03-02'"}.get(kind, "'1'")
        connection.execute(f'insert into bad_rows ("{name}") values ({value})')
    return {test.name} if _finds(connection, test) else set()


def _finds(connection, test: GenericTest) -> bool:
    assert test.table in test.sql, test.name
    return connection.execute(test.sql.replace(test.table, "bad_rows")).fetchone() is not None

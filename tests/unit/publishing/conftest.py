"""A small warehouse as dbt leaves it."""

import duckdb
import pytest

PUBLIC = ("marts.fct_interactions", "marts.dim_agents", "trends.trend_iqs")


def fill(path, rows=40, statements=()):
    """A warehouse with `rows` interactions of two days."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for statement in (
            "create schema marts; create schema trends; create schema ops; create schema staging",
            "create table marts.fct_interactions as select 'call-' || i as interaction_id, "
            "'agent-' || (i % 3) as agent_id, date '2026-03-02' + (i % 2)::int as call_date, "
            "(i / 3)::decimal(9, 4) as iqs, i / 7 as value, (i % 2)::tinyint as n, i % 2 = 0 as ok, "
            f"timestamp '2026-03-02 10:00:00' as at, 'said nothing' as detail from range({rows}) t(i)",
            "create table marts.dim_agents as select 'agent-' || i as agent_id, 'Name ' || i as name "
            "from range(3) t(i)",
            "create table trends.trend_iqs as select call_date, sum(iqs)::decimal(18, 4) as iqs_sum, "
            "count(*) as n from marts.fct_interactions group by all order by all",
            "create table marts.fct_utterances as select 'call-1' as interaction_id, 'my words' as text",
            "create view staging.stg as select 1 as a",
            "create table ops.ops_ledger as select date '2026-03-02' + i::int as call_date, "
            f"({rows} / 2)::bigint as received, ({rows} / 2 - 2)::bigint as scored, 1::bigint as excluded, "
            "1::bigint as quarantined, true as reconciles from range(2) t(i)",
            "comment on table marts.fct_interactions is 'One row per interaction; it''s all here.'",
            "comment on column marts.fct_interactions.iqs is 'IQS, 0 to 100 %'",
            *statements,
        ):
            connection.execute(statement)
    return path


@pytest.fixture
def warehouse(tmp_path):
    return fill(tmp_path / "warehouse" / "iqs.duckdb")


@pytest.fixture
def change(warehouse):
    def run(*statements):
        with duckdb.connect(str(warehouse)) as connection:
            for statement in statements:
                connection.execute(statement)

    return run

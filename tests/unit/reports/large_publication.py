"""A publication of a large centre, for the report's size and speed: 2,000 agents, 3 years, drawn in SQL with a seed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
from example_publication import PUBLISH_ID, _create, _dimensions, _insights, _more_insights, _operations, _trends

LAST_MONDAY = date(2026, 3, 2)
CAMPAIGNS, TEAMS, ISSUES = 20, 100, 19
SCORED_WEEKS = 13  # Weeks with parameter scores: as many as the pages draw.


def build_large(path: Path, *, agents: int = 2000, weeks: int = 156, calls_a_week: int = 3) -> Path:
    """Write the database to `path`: every agent takes `calls_a_week` calls on weekdays, all of them scored."""
    first = LAST_MONDAY - timedelta(days=7 * (weeks - 1))
    with duckdb.connect(str(path)) as connection:
        connection.execute("set threads = 1")
        _create(connection)
        _dimensions(connection)
        connection.execute("delete from dim_agents")
        connection.execute(
            f"""
            insert into dim_agents by name
            select format('A{{:04d}}', a) as agent_id, format('Agent Number {{:04d}}', a) as name,
                format('Team {{:02d}}', a % {TEAMS}) as team, true as is_listed
            from range({agents}) t(a)
            """
        )
        connection.execute(
            f"""
            insert into fct_interactions by name
            with calls as (
                select a, w, k, (hash(a * 1000003 + w * 101 + k) >> 8)::bigint as h
                from range({agents}) t(a), range({weeks}) u(w), range({calls_a_week}) v(k)
            )
            select format('C{{:04d}}-{{:03d}}-{{}}', a, w, k) as interaction_id,
                date '{first}' + (w * 7 + (h % 5)::int)::int as call_date, 'call' as channel,
                format('A{{:04d}}', a) as agent_id, format('Team {{:02d}}', a % {TEAMS}) as team,
                format('campaign_{{:02d}}', (a + h // 5 % 3) % {CAMPAIGNS}) as campaign,
                format('issue_{{:02d}}', h // 97 % {ISSUES}) as issue_type,
                (['en-US', 'es-US'])[1 + h // 11 % 2] as language,
                (['early', 'late', 'night'])[1 + h // 13 % 3] as shift, 'scored' as status, 300 as duration_s,
                round(45 + a % 7 + (h // 1009 % 4000) / 100, 4) as iqs, iqs as iqs_unfailed, false as is_failed,
                'voice_support' as scorecard, 1 as scorecard_version, 1 as measured_weight,
                case when h % 10 = 0 then 1 + h // 17 % 5 end as csat, case when h % 10 = 0 then h // 19 % 11 end as nps
            from calls
            """
        )
        connection.execute(
            f"""
            insert into fct_parameter_scores by name
            select interaction_id, 'as_scored' as basis, parameter, call_date, scorecard, scorecard_version,
                round(iqs + (hash(interaction_id || parameter) % 2000) / 100 - 10, 4) as score, weight,
                weight as effective_weight, weight * score as contribution, weight * (100 - score) as points_lost,
                false as is_critical, false as fails_call
            from fct_interactions cross join (
                select parameter, weight from dim_scorecard_weights where scorecard = 'voice_support'
            )
            where call_date >= date '{LAST_MONDAY}' - {7 * (SCORED_WEEKS - 1)}
            """
        )
        connection.execute(
            """
            insert into fct_call_scores by name
            select interaction_id, 'as_scored' as basis, call_date, scorecard, scorecard_version, iqs, iqs_unfailed,
                is_failed, measured_weight
            from fct_interactions
            """
        )
        for fill in (_trends, _insights, _more_insights, _operations):
            fill(connection)
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            connection.execute(f"update {table} set publish_id = ?", [PUBLISH_ID])
    return path

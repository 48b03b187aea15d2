"""The query that somebody would write by hand: the same trends from the same Parquet, and nothing else.

One pass over the metrics, curves as CASE, no tests, no lineage, no events, no history that is kept: the floor that a
full build is compared with. It reads the rules' seeds once, as its author would have.
"""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import duckdb

from pipelines.publishing.generations import literal

DIMENSIONS = {"agent": "agent_id", "campaign": "campaign", "issue_type": "issue_type"}


def trends(connection: duckdb.DuckDBPyConnection, lake: Path, seeds: Path) -> int:
    """Make the table `by_hand` (dimension, value, period_start, n, iqs, iqs_sd by week); returns its rows."""
    connection.execute(f"create or replace table by_hand as {query(lake, seeds)}")
    return connection.execute("select count(*) from by_hand").fetchone()[0]


def query(lake: Path, seeds: Path) -> str:
    """The query, for the scorecards of the seeds (one version each, as delivered)."""

    def table(name: str, *, daily: bool = True) -> str:
        place = "date=*/data.parquet', hive_partitioning = true" if daily else "data.parquet'"
        return f"read_parquet({literal(lake / name)[:-1]}/{place})"

    parameters = {r["parameter"]: r for r in _rows(seeds / "parameters.csv")}
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for r in _rows(seeds / "score_curves.csv"):
        curves.setdefault(r["parameter"], {}).setdefault(r["metric"], []).append((float(r["x"]), float(r["score"])))
    needed = sorted(
        {(m, parameters[p]["party"]) for p, of in curves.items() for m in of}
        - {("resolved", "call"), ("aht_ratio", "call")}
        | {("resolved_evidence", "call"), ("aht_s", "call"), ("conversation_s", "call"), ("hold_s", "call")}
    )
    measured = ",\n".join(f"max(value) filter (where metric = '{m}' and party = '{p}') as {m}" for m, p in needed)
    names = ", ".join(f"'{m}'" for m in sorted({m for m, _ in needed}))
    scores = []
    for parameter, of in curves.items():
        main = parameters[parameter]["metric"]
        parts = [_curve(m, knots) for m, knots in of.items()]
        if len(parts) == 1:
            score = parts[0]
        elif parameters[parameter]["combine"] == "scaled":
            others = [_curve(m, knots) for m, knots in of.items() if m != main]
            score = f"{_curve(main, of[main])} * coalesce({others[0]}, 100) / 100"
        else:
            score = f"if({main} is null, null, list_avg([{', '.join(parts)}]))"
        scores.append(f"{score} as {parameter}")
    cards: dict[str, list[tuple[str, float, str]]] = {}
    for r in _rows(seeds / "scorecard_weights.csv"):
        cards.setdefault(r["scorecard"], []).append((r["parameter"], float(r["weight"]), r["threshold"]))
    weighted, whole, fails = [], [], []
    for card, weights in cards.items():
        points = " + ".join(f"coalesce({w:g} * {p}, 0)" for p, w, _ in weights)
        over = " + ".join(f"if({p} is null, 0, {w:g})" for p, w, _ in weights)
        failed = " or ".join(f"coalesce({p} < {t}, false)" for p, _, t in weights if t)
        weighted.append(f"when '{card}' then {points}")
        whole.append(f"when '{card}' then {over}")
        fails.append(f"when '{card}' then {failed or 'false'}")
    groups = " union all ".join(
        f"select '{name}' as dimension, {column} as value, period_start, count(iqs) as n, avg(iqs) as iqs,"
        f" stddev_samp(iqs) as iqs_sd from scored group by all"
        for name, column in DIMENSIONS.items()
    )
    return f"""
with measured as (
    select interaction_id, date as call_date, {measured}
    from {table("metrics/interaction_metrics")} where metric in ({names}) group by all
),
calls as (
    select interactions.* exclude (issue_type, hold_s), outcomes.outcome, issues.issue_type,
        measured.* exclude (interaction_id, call_date),
        case when interactions.channel = 'call'
            then conversation_s + greatest(coalesce(interactions.hold_s, 0) - coalesce(measured.hold_s, 0), 0)
            when interactions.channel = 'chat' then epoch(ended_at - started_at) end as without_acw_s
    from {table("landing/interactions")} as interactions
    join {table("metrics/outcomes")} as outcomes using (interaction_id, date)
    left join {table("language/issue_types")} as issues using (interaction_id, date)
    left join measured on measured.interaction_id = interactions.interaction_id
        and measured.call_date = interactions.call_date
    where outcomes.outcome <> 'quarantined'
),
repeats as (
    select first.interaction_id, first.call_date, min(later.started_at) as repeated_at
    from calls as first join calls as later
        on first.customer_key = later.customer_key and first.issue_type = later.issue_type
        and later.started_at > first.started_at and later.started_at <= first.started_at + interval 7 day
    group by all
),
medians as (
    select distinct call_date, channel, issue_type, count(aht_s) over recent as n, median(aht_s) over recent as aht,
        count(without_acw_s) over recent as n_without, median(without_acw_s) over recent as without
    from calls
    window recent as (
        partition by channel, issue_type order by call_date range between interval 27 day preceding and current row
    )
),
known as (
    select calls.*,
        case
            when tickets.ticket_id is not null then
                (resolved_at <= calls.started_at + interval 7 day
                    and not coalesce(repeats.repeated_at < tickets.resolved_at, false))::int
            when repeats.interaction_id is not null then 0
            when calls.customer_key is not null and calls.issue_type is not null
                and calls.call_date + 7 <= (select max(call_date) from calls) then 1
            else resolved_evidence
        end as resolved,
        case when aht_s is not null and medians.n >= 5 then aht_s / nullif(aht, 0)
            when without_acw_s is not null and n_without >= 5 then without_acw_s / nullif(without, 0) end as aht_ratio,
        case when calls.channel <> 'call' then 'text_support'
            when call_type = 'cancellation' then 'voice_cancellation' else 'voice_support' end as card
    from calls
    left join repeats on calls.interaction_id = repeats.interaction_id and calls.call_date = repeats.call_date
    left join {table("landing/tickets", daily=False)} as tickets on calls.interaction_id = tickets.interaction_id
    left join medians on calls.call_date = medians.call_date and calls.channel = medians.channel
        and calls.issue_type = medians.issue_type
    where outcome = 'eligible'
),
parameters as (select agent_id, campaign, issue_type, call_date, card, {", ".join(scores)} from known),
scored as (
    select agent_id, campaign, issue_type, date_trunc('week', call_date)::date as period_start,
        if(case card {" ".join(fails)} end, 0, case card {" ".join(weighted)} end / case card {" ".join(whole)} end)
            as iqs
    from parameters where case card {" ".join(whole)} end > 0
)
{groups}
"""


def differences(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> tuple[int, float]:
    """(groups compared, largest difference in IQS points) of `by_hand` and the warehouse's trend_iqs.

    Raises AssertionError where one of them has a group or a number of calls that the other has not.
    """
    connection.execute(f"attach {literal(warehouse)} as built (read_only)")
    found = connection.execute(
        """
        with ours as (
            select dimension, value, period_start, n, iqs, iqs_sd from built.trends.trend_iqs
            where period = 'week' and basis = 'as_scored' and n > 0 and dimension in ('agent', 'campaign', 'issue_type')
        )
        select count(*), count(*) filter (where o.n is distinct from b.n),
            max(greatest(abs(o.iqs - b.iqs), coalesce(abs(o.iqs_sd - b.iqs_sd), 0)))
        from ours as o full join by_hand as b using (dimension, value, period_start)
        """
    ).fetchone()
    connection.execute("detach built")
    assert found[1] == 0, f"{found[1]} of {found[0]} groups differ in their number of calls"
    return found[0], float(found[2])


def _curve(metric: str, knots: list[tuple[float, float]]) -> str:
    knots = sorted(knots)
    text = [f"when {metric} <= {knots[0][0]:g} then {knots[0][1]:g}"]
    for (x0, y0), (x1, y1) in pairwise(knots):
        text.append(
            f"when {metric} <= {x1:g} then {y0:g} + ({y1:g} - {y0:g}) * ({metric} - {x0:g}) / ({x1:g} - {x0:g})"
        )
    return f"case {' '.join(text)} when {metric} is not null then {knots[-1][1]:g} end"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))

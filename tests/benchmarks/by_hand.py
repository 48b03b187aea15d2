"""What somebody would write by hand: the same trends from the same Parquet, and nothing else.

Every row of trend_iqs and trend_parameters with its number of calls, mean, deviation and interval; one pass over the
metrics, curves as CASE, no tests, no facts, no lineage, no events, no history that is kept: the floor that a full build
is compared with. It reads the rules' seeds once, as its author would have; there is one version of them, so that the
calls restated by the newest are the calls as they were scored.
"""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import duckdb

from pipelines.publishing.generations import literal


def _or_unknown(column: str) -> str:
    return f"coalesce({column}, 'unknown')"


# What trends are grouped by: dimension -> column, then -> expression.
SINGLE = {n: n for n in ("team", "campaign", "client", "issue_type", "driver", "intent")} | {"agent": "agent_id"}
MORE = {n: n for n in ("language", "shift", "region", "call_type", "channel")}
PAIRS = {f"{name}_issue_type": SINGLE[name] for name in ("agent", "team", "campaign")}
OF_PARAMETERS = {"all": "'all'"} | {name: _or_unknown(column) for name, column in SINGLE.items()}
OF_IQS = (
    OF_PARAMETERS
    | {name: _or_unknown(column) for name, column in MORE.items()}
    | {name: f"{_or_unknown(column)} || ' × ' || {_or_unknown('issue_type')}" for name, column in PAIRS.items()}
)
PERIODS = ("day", "week", "month")


def trends(connection: duckdb.DuckDBPyConnection, lake: Path, seeds: Path) -> int:
    """Make the tables `iqs_by_hand` and `parameters_by_hand`; returns their rows.

    Both have dimension, value, period, period_start and basis, n, mean, sd, low and high; the first received, the
    second parameter.
    """
    calls, parameters = query(lake, seeds)
    quantiles = f"read_csv({literal(seeds / 't_quantiles.csv')})"
    connection.execute(f"create or replace temp table calls_by_hand as {calls}")
    statistics = "'received': count(*), 'n': count(iqs), 'mean': avg(iqs), 'sd': stddev_samp(iqs)"
    of_parameters = ", ".join(
        f"{{'parameter': '{p}', 'n': count({p}), 'mean': avg({p}), 'sd': stddev_samp({p})}}" for p in parameters
    )
    rows = 0
    for name, found, groups in (
        ("iqs", f"[{{{statistics}}}]", OF_IQS),
        ("parameters", f"[{of_parameters}]", OF_PARAMETERS),
    ):
        grouped = " union all ".join(
            f"select '{dimension}' as dimension, {value} as value, '{period}' as period,"
            f" date_trunc('{period}', call_date)::date as period_start, {found} as found"
            f" from calls_by_hand group by all"
            for dimension, value in groups.items()
            for period in PERIODS
        )
        connection.execute(
            f"create or replace table {name}_by_hand as"
            " select flat.*, basis, mean - quantile * sd / sqrt(n) as low, mean + quantile * sd / sqrt(n) as high"
            f" from (select * exclude (found), unnest(found, recursive := true) from ({grouped})) as flat"
            f" asof left join {quantiles} as quantiles on n - 1 >= quantiles.degrees"
            " cross join (select unnest(['as_scored', 'restated']) as basis) where n > 0"
        )
        rows += connection.execute(f"select count(*) from {name}_by_hand").fetchone()[0]
    return rows


def query(lake: Path, seeds: Path) -> tuple[str, list[str]]:
    """The query of one row per call, for the scorecards of the seeds (one version each, as delivered): its IQS and the
    scores of its parameters; and these parameters."""

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
    scores = {}
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
        scores[parameter] = score
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
    # A call has the parameters of its scorecard.
    cards_of = {p: [card for card, weights in cards.items() if p in (w[0] for w in weights)] for p in scores}
    on_card = ", ".join(f"if(card in ({str(cards_of[p])[1:-1]}), {score}, null) as {p}" for p, score in scores.items())
    return (
        f"""
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
parameters as (select interaction_id, call_date, card, {on_card} from known),
scored as (
    select interaction_id, call_date, {", ".join(scores)},
        if(case card {" ".join(fails)} end, 0, case card {" ".join(weighted)} end / case card {" ".join(whole)} end)
            as iqs
    from parameters where case card {" ".join(whole)} end > 0
)
select interactions.date as call_date, interactions.agent_id, team, campaign, client, region, shift, call_type, channel,
    coalesce(outcomes.language, interactions.language) as language,
    coalesce(issues.issue_type, interactions.issue_type) as issue_type, driver, sub_driver as intent,
    iqs, {", ".join(f"scored.{p}" for p in scores)}
from (select * replace (coalesce(interactions.region, agents.region) as region), team
    from {table("landing/interactions")} as interactions
    left join {table("landing/agents", daily=False)} as agents using (agent_id)) as interactions
left join {table("metrics/outcomes")} as outcomes using (interaction_id, date)
left join {table("language/issue_types")} as issues using (interaction_id, date)
left join read_csv({literal(seeds / "issue_types.csv")}) as drivers
    on coalesce(issues.issue_type, interactions.issue_type) = drivers.issue_type
left join scored on interactions.interaction_id = scored.interaction_id and interactions.date = scored.call_date
""",
        list(scores),
    )


def differences(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> tuple[int, float]:
    """(rows compared, largest difference in points) of the trends by hand and those of the warehouse.

    Raises AssertionError where one of them has a row or a number of calls that the other has not.
    """
    connection.execute(f"attach {literal(warehouse)} as built (read_only)")
    groups, largest = 0, 0.0
    for ours, hand, keys, counts, names in (
        ("trend_iqs", "iqs_by_hand", "", ("received", "n"), _of("iqs")),
        ("trend_parameters", "parameters_by_hand", ", parameter", ("n",), _of("score")),
    ):
        apart = ", ".join(
            f"abs(o.{name} - greatest(least(b.{by_hand}, 100), 0))"
            for name, by_hand in zip(names, ("mean", "sd", "low", "high"), strict=True)
        )
        found = connection.execute(
            f"""
            with ours as (from built.trends.{ours} where n > 0)
            select count(*), count(*) filter (where {" or ".join(f"o.{c} is distinct from b.{c}" for c in counts)}),
                max(greatest({apart}))
            from ours as o full join {hand} as b using (dimension, value, period, period_start, basis{keys})
            """
        ).fetchone()
        assert found[1] == 0, f"{found[1]} of {found[0]} rows of {ours} differ in their number of calls"
        groups, largest = groups + found[0], max(largest, float(found[2]))
    connection.execute("detach built")
    return groups, largest


def _of(name: str) -> tuple[str, ...]:
    return name, f"{name}_sd", f"{name}_low", f"{name}_high"


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

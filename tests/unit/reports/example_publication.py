"""A small published database with known content: the tables of the dbt project's contracts, filled consistently.

The columns come from the models' YAML, so a renamed column breaks these tests. Calls and scores are drawn with a seed;
trends and insights are summed up from them in SQL, the slow and obvious way.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import polars as pl
import yaml

PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"
EVIL = "<script>alert(1)</script>"
PUBLISH_ID = "20260309T061500Z-4f1c"
AGENTS = {"007": ("Dana Reyes", 6.0), "A12": ("Tom Okafor", -1.0), "B03": (EVIL, -9.0), "0042": ("Mia Lindqvist", 3.0)}
CAMPAIGNS = ("broadband", "mobile", "billing_help")
ISSUES = {"late_delivery": -16.0, "invoice_question": 2.0, "password_reset": 8.0, "cancellation": -4.0, "other": 0.0}
FIRST = date(2026, 2, 23)


@dataclass(frozen=True)
class Size:
    """How many days, and calls a day on weekdays."""

    days: int = 14
    calls: int = 12
    seed: int = 7


def build(path: Path, size: Size = Size()) -> Path:
    """Write the database to `path`. `Size(days=0)` has the tables and seeds, but no interaction."""
    with duckdb.connect(str(path)) as connection:
        _create(connection)
        _dimensions(connection)
        _facts(connection, size)
        _trends(connection)
        _insights(connection)
        _more_insights(connection)
        _operations(connection)
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            connection.execute(f"update {table} set publish_id = ?", [PUBLISH_ID])
    return path


def models() -> dict[str, dict[str, str]]:
    """Tables of the public file with their columns' types, as the models' contracts declare them."""
    found = {}
    for folder in ("marts", "trends", "calibration", "ops"):
        for model in yaml.safe_load((PROJECT / f"models/{folder}/_{folder}.yml").read_text())["models"]:
            if model["name"].startswith("int_"):
                continue
            if model.get("config", {}).get("meta", {}).get("audience") != "restricted":
                columns = {c["name"]: c["data_type"] for c in model["columns"]}
                found[model["name"]] = columns | {"publish_id": "varchar"}
    return found


def _create(connection) -> None:
    for name, columns in models().items():
        fields = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"create table {name} ({fields})")


def _seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _insert(connection, table: str, rows: Iterable[dict]) -> None:
    if rows := list(rows):
        frame = pl.DataFrame(rows, infer_schema_length=None)
        connection.register("rows_to_insert", frame)
        connection.execute(f"insert into {table} by name select * from rows_to_insert")
        connection.unregister("rows_to_insert")


def _curves() -> dict[str, list[tuple[float, float]]]:
    main = {p["parameter"]: p["metric"] for p in _seed("parameters")}
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in _seed("score_curves"):
        if row["metric"] == main[row["parameter"]]:
            curves.setdefault(row["parameter"], []).append((float(row["x"]), float(row["score"])))
    return curves


def _dimensions(connection) -> None:
    from pipelines.contracts.metrics import METRICS

    curves = _curves()
    _insert(
        connection,
        "dim_metrics",
        (
            {"metric": m.id, "unit": m.unit, "parties": ",".join(m.parties), "meaning": m.meaning, "source": m.source}
            for m in METRICS.values()
        ),
    )
    _insert(
        connection,
        "dim_parameters",
        (
            {
                "parameter": p["parameter"],
                "name": p["name"],
                "position": int(p["position"]),
                "metric": p["metric"],
                "party": p["party"],
                "unit": METRICS[p["metric"]].unit,
                "better": p["better"],
                "event_kind": p["event_kind"] or None,
                "meaning": p["meaning"],
                "curve": ", ".join(f"{x:g}→{score:g}" for x, score in curves[p["parameter"]]),
            }
            for p in _seed("parameters")
        ),
    )
    _insert(
        connection,
        "dim_scorecards",
        (
            {k: r[k] for k in ("scorecard", "channel", "call_type")}
            | {"version": int(r["version"]), "valid_from": r["valid_from"], "is_newest": True}
            for r in _seed("scorecards")
        ),
    )
    _insert(
        connection,
        "dim_scorecard_weights",
        (
            {
                "scorecard": r["scorecard"],
                "version": int(r["version"]),
                "parameter": r["parameter"],
                "weight": float(r["weight"]) / 100,
                "is_critical": r["is_critical"] == "true",
                "threshold": r["threshold"] or None,
            }
            for r in _seed("scorecard_weights")
        ),
    )
    _insert(
        connection,
        "dim_agents",
        (
            {
                "agent_id": a,
                "name": name,
                "team": None if a == "B03" else "North" if i % 2 else "South",
                "is_listed": True,
            }
            for i, (a, (name, _)) in enumerate(AGENTS.items())
        ),
    )


def _value(curve: list[tuple[float, float]], score: float, rng: random.Random) -> float:
    """A metric value whose score on the curve is `score`, on one of the curve's flanks."""
    flanks = [(a, b) for a, b in pairwise(curve) if min(a[1], b[1]) <= score <= max(a[1], b[1]) and a[1] != b[1]]
    if not flanks:
        return curve[-1][0]
    (x1, y1), (x2, y2) = rng.choice(flanks)
    return x1 + (score - y1) / (y2 - y1) * (x2 - x1)


def _facts(connection, size: Size) -> None:
    rng = random.Random(size.seed)
    curves = _curves()
    weights = [w for w in _seed("scorecard_weights") if w["scorecard"] == "voice_support"]
    critical = next(w["parameter"] for w in weights if w["is_critical"] == "true")
    interactions, scores, events, metrics = [], [], [], []
    # 007 works little, so that it is shown, but not ranked.
    shares = [1 if a == "007" else 6 for a in AGENTS]
    for offset in range(size.days):
        day = FIRST + timedelta(days=offset)
        many = size.calls if day.weekday() < 5 else 0
        for k in range(many):
            name = f"C{day:%m%d}-{k:03d}"
            agent, campaign = rng.choices(list(AGENTS), shares)[0], rng.choice(CAMPAIGNS)
            issue = rng.choices(list(ISSUES), (5, 4, 3, 2, 2))[0]
            answered = rng.random() < 0.3
            row = {
                "interaction_id": name,
                "call_date": day,
                "started_at": datetime.combine(day, datetime.min.time()) + timedelta(hours=8, minutes=37 * k),
                "channel": "call",
                "agent_id": agent,
                "team": None if agent == "B03" else "South",
                "campaign": campaign,
                "issue_type": issue,
                "language": rng.choice(("en-US", "en-US", "es-US")),
                "shift": "morning" if k < many / 2 else "evening",
                "duration_s": 60 + 400 * rng.random(),
                "status": "scored",
                "reason": None,
                "csat": rng.choice((2, 3, 4, 4, 5, 5)) if answered else None,
                "nps": rng.choice((3, 6, 7, 8, 9, 10, 10)) if answered else None,
                "is_recorded": True,
                "is_transcribed": True,
                "n_words": 200,
                "client": "Acme",
                "layout": "two_channel",
            }
            if size.calls > 2 and rng.random() < 0.09:
                row |= {"status": "excluded", "reason": rng.choice(("too_short", "one_party"))}
            elif size.calls > 2 and rng.random() < 0.06:
                row |= {
                    "status": "quarantined",
                    "reason": rng.choice(("truncated", "not_audio")),
                    "is_recorded": False,
                    "is_transcribed": False,
                }
            if row["status"] != "scored":
                interactions.append(
                    row | dict.fromkeys(("iqs", "iqs_unfailed", "fail_reason", "is_failed", "scorecard"))
                )
                interactions[-1] |= {"scorecard_version": None, "measured_weight": None}
                continue
            level = 74 + AGENTS[agent][1] + ISSUES[issue] + (3 if offset >= 7 else 0) + rng.gauss(0, 7)
            measured, total_e4 = [], 0
            for w in weights:
                weight = float(w["weight"]) / 100
                score: float | None = min(100.0, max(0.0, round(rng.gauss(level, 14), 4)))
                reason = None
                if w["parameter"] == "information_retrieval" and rng.random() < 0.5:
                    score, reason = None, "no_event"
                if w["parameter"] == critical:
                    score = 0.0 if rng.random() < 0.02 else 100.0
                if w["parameter"] == "resolution":
                    score = 100.0 if rng.random() < level / 100 else 0.0
                measured.append((w, weight, score, reason))
            applicable = sum(weight for _, weight, score, _ in measured if score is not None)
            failed = any(w["is_critical"] == "true" and (s or 0) < 100 for w, _, s, _ in measured)
            for w, weight, score, reason in measured:
                effective = None if score is None else weight / applicable
                contribution_e4 = None if score is None else round(effective * score * 1e4)
                total_e4 += contribution_e4 or 0
                value = None if score is None else _value(curves[w["parameter"]], score, rng)
                is_critical = w["is_critical"] == "true"
                scores.append(
                    {
                        "interaction_id": name,
                        "basis": "as_scored",
                        "parameter": w["parameter"],
                        "call_date": day,
                        "scorecard": "voice_support",
                        "scorecard_version": 1,
                        "metric_value": value,
                        "score": score,
                        "weight": weight,
                        "effective_weight": effective,
                        "contribution": None if score is None else contribution_e4 / 1e4,
                        "points_lost": None if score is None else effective * 100 - contribution_e4 / 1e4,
                        "is_critical": is_critical,
                        "threshold": w["threshold"] or None,
                        "fails_call": is_critical and (score or 0) < 100,
                        "reason": reason,
                    }
                )
            iqs = 0 if failed else total_e4 / 1e4
            interactions.append(
                row
                | {
                    "iqs": iqs,
                    "iqs_unfailed": total_e4 / 1e4,
                    "fail_reason": critical if failed else None,
                    "is_failed": failed,
                    "scorecard": "voice_support",
                    "scorecard_version": 1,
                    "measured_weight": applicable,
                }
            )
            if failed:
                events.append((name, day, "zero_tolerance", 61.0, 63.5, "that is none of your business, you idiot"))
            events.append((name, day, "interruption", 12.0, 14.2, f"agent cuts in: {EVIL}"))
            metrics.append(
                {"interaction_id": name, "call_date": day, "metric": "level_db", "party": "agent", "value": 55.0}
            )
            metrics[-1] |= {"unit": "dB", "extractor_version": "acoustics-1/1a2b3c"}
    _insert(connection, "fct_interactions", interactions)
    _insert(connection, "fct_parameter_scores", scores)
    _insert(connection, "fct_metrics", metrics)
    names = ("interaction_id", "call_date", "kind", "start_s", "end_s", "evidence")
    _insert(connection, "fct_events", (dict(zip(names, e, strict=True)) | {"event": i} for i, e in enumerate(events)))
    connection.execute(
        """
        insert into fct_call_scores (interaction_id, basis, call_date, scorecard, scorecard_version, iqs, iqs_unfailed,
            fail_reason, is_failed, measured_weight)
        select interaction_id, 'as_scored', call_date, scorecard, scorecard_version, iqs, iqs_unfailed, fail_reason,
            is_failed, measured_weight
        from fct_interactions where status = 'scored'
        """
    )


_PERIODS = "unnest(['day', 'week', 'month']) as p(period)"
_START = "cast(date_trunc(period, call_date) as date)"


def _trends(connection) -> None:
    dimensions = ("all", "agent", "campaign", "team", "issue_type")
    for dimension, column in zip(dimensions, ("'all'", *(f"{d}" for d in ("agent_id", *dimensions[2:]))), strict=True):
        # Limits as a plain mean ± 3 standard deviations of the periods before; shrunk half way to the mean of peers.
        connection.execute(
            f"""
            insert into trend_iqs by name
            with g as (
                select coalesce({column}, 'unknown') as value, period, {_START} as period_start, count(*) as received,
                    count(*) filter (status = 'excluded') as excluded,
                    count(*) filter (status = 'quarantined') as quarantined, count(iqs) as n, sum(iqs) as score_sum,
                    sum(iqs_unfailed) as unfailed_sum, avg(iqs) as iqs, stddev_samp(iqs) as iqs_sd,
                    count(*) filter (is_failed) as failed, 1 - avg(measured_weight) as na_rate,
                    max(scorecard || ' ' || scorecard_version) as scorecard_versions
                from fct_interactions, {_PERIODS} group by all
            ), limited as (
                select *, case when count(iqs) over before >= 8 then avg(iqs) over before end as xmr_center,
                    stddev_samp(iqs) over before as sigma, sum(score_sum) over peer / sum(n) over peer as peer_iqs,
                    count(*) over peer as peers
                from g window
                    before as (
                        partition by value, period order by period_start rows between 20 preceding and 1 preceding
                    ),
                    peer as (partition by period, period_start)
            ), judged as (
                select *, case when xmr_center is not null and n >= 5 then iqs < xmr_center - 3 * sigma end as dip,
                    case when xmr_center is not null then greatest(0, xmr_center - 3 * sigma) end as xmr_low,
                    case when xmr_center is not null then least(100, xmr_center + 3 * sigma) end as xmr_high
                from limited
            )
            select '{dimension}' as dimension, 'as_scored' as basis, * exclude (sigma, peers), n / received as coverage,
                case when n > 1 then greatest(0, iqs - 2.1 * iqs_sd / sqrt(n)) end as iqs_low,
                case when n > 1 then least(100, iqs + 2.1 * iqs_sd / sqrt(n)) end as iqs_high,
                case when peers > 1 then peers end as peers, n >= 10 as is_ranked,
                case when peers > 1 then 0.5 * iqs + 0.5 * peer_iqs end as iqs_shrunk,
                case when peers > 1 then 0.5 end as own_share, iqs as iqs_case_mix,
                case when dip then 'below the lower limit' end as dip_rule, 0.25 as immature_share, 0.05 as mono_share,
                0.87 as asr_confidence, 21.5 as snr_db
            from judged
            """
        )
        connection.execute(
            f"""
            insert into trend_parameters by name
            select '{dimension}' as dimension, coalesce({column}, 'unknown') as value,
                period, {_START.replace("call_date", "s.call_date")} as period_start, 'as_scored' as basis,
                s.parameter, count(score) as n, count(*) - count(score) as n_na, sum(score) as score_sum,
                avg(score) as score, stddev_samp(score) as score_sd, sum(points_lost) as points_lost
            from fct_parameter_scores s join fct_interactions i using (interaction_id), {_PERIODS}
            group by all
            """
        )
    connection.execute("update trend_parameters set value = 'all' where dimension = 'all'")
    connection.execute(
        f"""
        insert into heatmap_agent_issue by name
        select agent_id, issue_type, period, {_START} as period_start, 'as_scored' as basis, count(*) as received,
            count(iqs) as n, sum(iqs) as score_sum, avg(iqs) as iqs
        from fct_interactions, {_PERIODS} where period <> 'day' group by all
        """
    )
    connection.execute(
        f"""
        insert into heatmap_agent_parameter by name
        with g as (
            select agent_id, parameter, period, {_START.replace("call_date", "s.call_date")} as period_start,
                count(score) as n, avg(score) as score
            from fct_parameter_scores s join fct_interactions i using (interaction_id), {_PERIODS}
            where period <> 'day' group by all having count(score) > 0
        ), peers as (
            select parameter, period, period_start, sum(n * score) / sum(n) as peer_score from g group by all
        )
        select *, 'as_scored' as basis, score - peer_score as difference
        from g join peers using (parameter, period, period_start)
        """
    )
    connection.execute(
        f"""
        insert into heatmap_campaign_issue by name
        select campaign, issue_type, period, {_START} as period_start, 'as_scored' as basis, count(*) as received,
            count(iqs) as n, sum(iqs) as score_sum, avg(iqs) as iqs
        from fct_interactions, {_PERIODS} where period <> 'day' group by all
        """
    )


def _insights(connection) -> None:
    connection.execute(
        """
        insert into insight_change by name
        with w as (
            select *, lag(iqs) over (partition by dimension, value order by period_start) as iqs_before,
                lag(n) over (partition by dimension, value order by period_start) as n_before
            from trend_iqs where period = 'week'
        )
        select dimension, value, period, period_start, n_before, n, iqs_before, iqs,
            iqs - iqs_before as change, (iqs - iqs_before) - 0.3 - cast((iqs - iqs_before) * 0.25 as decimal(9, 4))
                as behaviour, cast((iqs - iqs_before) * 0.25 as decimal(9, 4)) as mix, 0.3 as scorecard, 0 as extractor,
            true as is_separable
        from w
        """
    )
    connection.execute(
        """
        insert into insight_drivers by name
        with calls as (
            select *, unnest(['week', 'month']) as period from fct_call_scores
        ), lost as (
            select period, cast(date_trunc(period, c.call_date) as date) as period_start, parameter, s.points_lost
            from calls c join fct_parameter_scores s using (interaction_id)
            where s.points_lost is not null
            union all
            select period, cast(date_trunc(period, call_date) as date), 'failed_call', iqs_unfailed - iqs from calls
        ), sizes as (
            select period, cast(date_trunc(period, call_date) as date) as period_start, count(*) as n from calls
            group by all
        ), g as (
            select period, period_start, parameter, sum(points_lost) as points_lost from lost group by all
        )
        select 'all' as dimension, 'all' as value, 'as_scored' as basis, g.*, n,
            points_lost / n as points_lost_per_call,
            points_lost / nullif(sum(points_lost) over whole, 0) as share,
            sum(points_lost) over (whole order by points_lost desc, parameter) / nullif(sum(points_lost) over whole, 0)
                as cumulative_share,
            row_number() over (whole order by points_lost desc, parameter) as position
        from g join sizes using (period, period_start) window whole as (partition by period, period_start)
        """
    )
    connection.execute(
        """
        insert into coaching_queue by name
        select i.agent_id, i.team, s.parameter, i.interaction_id, i.call_date, i.campaign, i.issue_type, s.score,
            s.metric_value, s.points_lost, i.iqs, e.kind as event_kind, e.start_s as clip_start_s,
            e.end_s as clip_end_s, e.evidence,
            row_number() over (partition by i.agent_id, s.parameter order by s.score) as position
        from fct_parameter_scores s join fct_interactions i using (interaction_id)
        left join fct_events e on e.interaction_id = i.interaction_id and e.kind = 'interruption'
            and s.parameter in ('interruptions', 'empathy')
        where s.score < 60 qualify position <= 2
        """
    )
    connection.execute(
        """
        insert into prime_calls by name
        select campaign, interaction_id, call_date, agent_id, team, issue_type, iqs, measured_weight,
            'empathy' as strongest_parameter, duration_s,
            row_number() over (partition by campaign order by iqs desc) as position
        from fct_interactions where iqs >= 85 qualify position <= 5
        """
    )


def _more_insights(connection) -> None:
    """What only a person could have planted: known verdicts, findings, effects and ratings."""
    connection.execute(
        """
        insert into insight_survey_gap by name
        with g as (
            select date_trunc('week', call_date)::date as period_start, count(*) as received, count(csat) as n_csat,
                avg(csat) as csat, stddev_samp(csat) as sd, count(nps) as n_nps,
                count(*) filter (nps >= 9) as promoters, count(*) filter (nps <= 6) as detractors
            from fct_interactions group by all
        )
        select 'all' as dimension, 'all' as value, 'week' as period, period_start, received, n_csat as surveys, n_csat,
            csat, csat - 2.1 * sd / sqrt(n_csat) as csat_low, csat + 2.1 * sd / sqrt(n_csat) as csat_high, n_nps,
            promoters, detractors, 100 * (promoters - detractors) / nullif(n_nps, 0) as nps, n_csat as pairs_csat,
            0.41 as spearman_csat, 0.12 as spearman_csat_low, 0.63 as spearman_csat_high, n_nps as pairs_nps
        from g
        """
    )
    connection.execute(
        """
        insert into insight_person_or_process by name
        with weeks as (
            select period, period_start, n from trend_iqs where dimension = 'all' and period <> 'day' and n > 3
        ), parts as (
            select unnest([
                {'component': 'agents', 'n_groups': 4, 'sd': 6.2, 'share': 0.12},
                {'component': 'issue_types', 'n_groups': 5, 'sd': 9.5, 'share': 0.31},
                {'component': 'residual', 'n_groups': 40, 'sd': 12.9, 'share': 0.57}
            ]) as part
        )
        select 'all' as dimension, 'all' as value, 'as_scored' as basis, weeks.*, part.component, part.n_groups,
            part.sd, part.sd ** 2 as variance, part.share, 'process' as verdict
        from weeks, parts
        """
    )
    starts = connection.execute("select distinct period, period_start from insight_person_or_process").fetchall()
    findings = (
        ("process", "late_delivery", 3, 3, -14.2, -19.0, -9.4, True),
        ("person", "B03", 4, 5, -8.1, -13.5, -2.7, True),
        ("process", "cancellation", 4, 2, -1.0, -6.0, 4.0, False),
    )
    _insert(
        connection,
        "insight_findings",
        [
            {"kind": kind, "subject": subject, "period": period, "period_start": start, "basis": "as_scored", "n": 40}
            | {"comparisons": of, "lower": lower, "lower_share": lower / of, "gap": gap, "gap_low": low}
            | {"gap_high": high, "is_finding": is_finding}
            for period, start in starts
            for kind, subject, of, lower, gap, low, high, is_finding in findings
        ],
    )
    last = connection.execute("select max(call_date) from fct_interactions").fetchone()[0]
    if last is None:
        return
    monday = last - timedelta(days=last.weekday())
    _insert(
        connection,
        "insight_keywords",
        [
            {"period": "week", "period_start": monday, "party": party, "keyword": keyword, "direction": direction}
            | {"position": 1, "n": n, "n_before": before, "z": 3.1, "is_beyond_chance": sure}
            for party, keyword, direction, n, before, sure in (
                ("customer", "broken van", "rising", 14, 2, True),
                ("agent", "happy to help", "falling", 3, 15, True),
                ("customer", EVIL, "falling", 1, 9, True),
                ("customer", "weather", "rising", 5, 4, False),
            )
        ],
    )
    _insert(
        connection,
        "insight_script_breaks",
        [
            {"passage": passage, "position": i, "agents": 3, "interactions": 20, "n": 24, "silent": 9}
            | {"pushed_back": 4, "repeated": 1, "broken": 12, "break_share": 0.5, "break_share_low": low}
            | {"break_share_high": 0.68, "usual_share": 0.15, "first_call_date": FIRST, "last_call_date": last}
            | {"example_interaction_id": "C0302-001"}
            for i, (passage, low) in enumerate((("can you please hold while i check", 0.31), ("goodbye now", 0.1)), 1)
        ],
    )
    _insert(
        connection,
        "process_change_effects",
        [
            {"changed_on": FIRST + timedelta(days=5), "name": name, "campaign": "mobile", "measure": measure}
            | {"n_before": 30, "n_after": 28, "mean_before": 60.0, "mean_after": 60.0 + effect, "change": effect}
            | {"others_change": 0.5, "effect": effect - 0.5, "effect_low": low, "effect_high": high}
            | {"is_beyond_chance": sure, "has_comparison": True, "is_complete": False, "other_changes": 0}
            for name, measure, effect, low, high, sure in (
                ("New delivery text message", "iqs", 6.5, 1.2, 10.8, True),
                ("New delivery text message", "aht_s", -12.0, -40.0, 15.0, False),
                ("Shorter greeting", "iqs", 0.4, -3.0, 2.8, False),
            )
        ],
    )
    if "alerts" in models():
        _insert(
            connection,
            "alerts",
            [
                {"dedupe_key": f"k{i}", "rule": "iqs_low", "severity": severity, "meaning": "IQS below 60"}
                | {"interaction_id": f"C0302-00{i}", "call_date": last, "agent_id": "B03", "agent_name": EVIL}
                | {"value": 41.0, "comparison": "below", "threshold": 60.0, "evidence": EVIL, "acknowledged": done}
                for i, (severity, done) in enumerate((("warning", False), ("critical", False), ("critical", True)))
            ],
        )
    if "coaching_progress" in models():
        _insert(
            connection,
            "coaching_progress",
            [
                {"agent_id": "A12", "coached_on": FIRST, "parameter": "empathy", "n_before": 20, "n_after": 22}
                | {"score_before": 54.0, "score_after": 66.0, "change": 12.0, "change_low": 3.1, "change_high": 20.9}
                | {"peers_change": 1.0, "is_complete": True, "outcome": "better"}
            ],
        )
    _insert(
        connection,
        "insight_fairness",
        [
            {"factor": factor, "n": 90, "explained_share": share, "at_most": 0.1, "is_warning": share > 0.1}
            | {"correlation": correlation}
            for factor, share, correlation in (("snr_db", 0.13, 0.36), ("language", 0.02, None))
        ],
    )
    _insert(
        connection,
        "insight_survey_disagreements",
        [
            {"interaction_id": "C0302-001", "call_date": last, "agent_id": "B03", "team": None, "campaign": "mobile"}
            | {"issue_type": "other", "iqs": 88.1, "csat": 1, "nps": 2, "gap": "scored high, customer unhappy"}
        ],
    )
    _insert(
        connection,
        "insight_sub_drivers",
        [
            {"dimension": "all", "value": "all", "period": "week", "period_start": monday, "basis": "as_scored"}
            | {"driver": "delivery", "sub_driver": "late", "n": 20, "points_lost": 600.0, "points_lost_per_call": 30.0}
            | {"points_of_iqs": 10.0, "share": 0.3, "cumulative_share": 0.3, "position": 1}
        ],
    )
    _insert(
        connection,
        "calibration_agreement",
        [
            {"parameter": "all", "period": "all", "period_start": FIRST, "panel": panel, "n_units": 14, "n_raters": 3}
            | {"statistic": statistic, "value": value, "low": value - 0.1, "high": value + 0.1, "n_sessions": 6}
            for panel, value in (("reviewers", 0.81), ("machine_and_reference", 0.74))
            for statistic in ("krippendorff_alpha", "within_tolerance")
        ],
    )
    _insert(
        connection,
        "calibration_raters",
        [
            {"rater_kind": kind, "reviewer_id": who, "parameter": "all", "n": 14, "n_sessions": 6, "bias": bias}
            | {"bias_low": bias - 2, "bias_high": bias + 2, "alignment": 90.0, "correlation": 0.8}
            | {"diagnosis_text": text}
            for kind, who, bias, text in (
                ("reviewer", EVIL, -12.0, "Severe: 12 points below the expert."),
                ("machine", "machine", 1.5, "Level with the expert, correlation 0.80."),
            )
        ],
    )
    _insert(
        connection,
        "calibration_sessions",
        [
            {"session_id": "CAL-1", "interaction_id": "C0302-001", "parameter": "empathy", "lowest": 40.0}
            | {"highest": 80.0, "spread": 40.0, "machine_points": 60.0, "diagnosis": "read_differently"}
            | {"diagnosis_text": "The departments differ: the teams read the standard differently."}
        ],
    )


def _operations(connection) -> None:
    connection.execute(
        """
        insert into ops_ledger by name
        select call_date, count(*) as received, count(*) filter (status = 'scored') as scored,
            count(*) filter (status = 'excluded') as excluded, count(*) filter (status = 'quarantined') as quarantined,
            true as reconciles
        from fct_interactions group by all
        """
    )
    connection.execute(
        """
        insert into ops_coverage by name
        select call_date, received, scored, scored / received as coverage, 0.87 as asr_confidence, 0.05 as mono_share
        from ops_ledger
        """
    )
    connection.execute(
        """
        insert into ops_quarantine by name
        select 'interaction' as origin, interaction_id, call_date, reason
        from fct_interactions where status = 'quarantined'
        """
    )
    days = [d for (d,) in connection.execute("select call_date from ops_ledger order by 1").fetchall()]
    if not days:
        return
    _insert(
        connection,
        "ops_quarantine",
        [{"origin": "landing", "kind": "interactions", "reason": "duplicate", "source_file": "interactions.csv"}],
    )
    rows = []
    for d in days:
        for stage in ("landing", "recordings", "transcripts", "metrics", "scores"):
            for check in ("received = accepted + excluded + quarantined", "ids are unique"):
                rows.append(
                    {
                        "run_id": "run-1",
                        "checked_at": datetime.combine(d, datetime.min.time()) + timedelta(hours=30),
                        "stage": stage,
                        "table_name": f"{stage}/{stage}",
                        "call_date": d,
                        "check_name": check,
                        "blocking": True,
                        "passed": True,
                        "failing_rows": 0,
                        "total_rows": 12,
                        "detail": "",
                    }
                )
    first = dict(rows[0]) | {"run_id": "run-0", "passed": False, "failing_rows": 3}
    first["checked_at"] -= timedelta(hours=2)
    warning = dict(rows[-1]) | {"check_name": "confidence_is_high", "blocking": False, "passed": False}
    warning |= {"failing_rows": 2, "detail": f"2 of 12 calls below the threshold {EVIL}"}
    _insert(connection, "ops_dq_results", [first, *rows, warning])

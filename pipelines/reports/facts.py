"""What the report says, read from a published DuckDB file. Each function answers one of the manager's questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from pathlib import Path
from typing import Any

Row = dict[str, Any]

TABLES = (
    "fct_interactions",
    "fct_call_scores",
    "fct_events",
    "fct_metrics",
    "fct_parameter_scores",
    "dim_agents",
    "dim_metrics",
    "dim_parameters",
    "dim_scorecards",
    "dim_scorecard_weights",
    "trend_iqs",
    "trend_parameters",
    "heatmap_agent_parameter",
    "heatmap_campaign_issue",
    "insight_change",
    "insight_drivers",
    "coaching_queue",
    "prime_calls",
    "ops_coverage",
    "ops_dq_results",
    "ops_ledger",
    "ops_publications",
    "ops_quarantine",
)


class ReportError(RuntimeError):
    """The report can't be made from this file; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Publication:
    """A published file, opened read-only. `basis` picks the scorecard version that scores are read on."""

    connection: Any
    path: Path
    basis: str

    def rows(self, sql: str, **parameters: Any) -> list[Row]:
        cursor = self.connection.execute(sql, parameters or None)
        names = [d[0] for d in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


@contextmanager
def opened(database: Path, basis: str) -> Iterator[Publication]:
    """Open `database` read-only. Raises ReportError where it can't be read, or lacks a table of the report."""
    import duckdb

    try:
        connection = duckdb.connect(str(database), read_only=True)
    except duckdb.Error as error:
        raise ReportError(f"{database} can't be opened as a published database: {error}") from error
    try:
        publication = Publication(connection, database, basis)
        there = {r["name"] for r in publication.rows("select table_name as name from information_schema.tables")}
        if missing := [t for t in TABLES if t not in there]:
            raise ReportError(f"{database} lacks {', '.join(missing)}; build the warehouse and publish again")
        yield publication
    finally:
        connection.close()


# --- periods


@dataclass(frozen=True)
class Period:
    """One period of the whole centre. `iqs` and its interval are NULL where nothing, or too little, was scored."""

    kind: str
    start: date
    end: date
    is_complete: bool
    received: int
    n: int
    failed: int
    iqs: Decimal | None
    unfailed: Decimal | None
    sd: Decimal | None
    low: Decimal | None
    high: Decimal | None
    coverage: Decimal | None
    na_rate: Decimal | None
    scorecard_versions: str | None


@dataclass(frozen=True)
class Difference:
    """A mean less an earlier one, with its 95 % interval (Welch), NULL where either has fewer than two values."""

    change: float | None
    low: float | None = None
    high: float | None = None

    @property
    def is_beyond_chance(self) -> bool | None:
        """Whether the interval leaves out 0; None where there is no interval."""
        return None if self.low is None or self.high is None else not self.low <= 0 <= self.high


def period_end(kind: str, start: date) -> date:
    if kind == "month":
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return start + timedelta(days=6 if kind == "week" else 0)


def period_before(kind: str, start: date) -> date:
    """Start of the period just before."""
    if kind == "month":
        return (start - timedelta(days=1)).replace(day=1)
    return start - timedelta(days=7 if kind == "week" else 1)


def periods(publication: Publication) -> dict[str, list[Period]]:
    """The centre's days, weeks and months, oldest first.

    A week or month is complete where the data reach its last day, or the last weekday on which the centre works
    (judged from earlier weeks).
    """
    found = publication.rows(
        "select * from trend_iqs where dimension = 'all' and basis = $basis order by period_start",
        basis=publication.basis,
    )
    worked = [r["period_start"] for r in found if r["period"] == "day" and r["received"]]
    last = max(worked, default=None)
    monday = last - timedelta(days=last.weekday()) if last else None
    earlier = {d.weekday() for d in worked if d < monday} if monday else set()
    works_until = max(earlier, default=6)

    def complete(kind: str, start: date) -> bool:
        end = period_end(kind, start)
        while kind != "day" and end > start and end.weekday() > works_until:
            end -= timedelta(days=1)
        return last is not None and last >= end

    by_kind: dict[str, list[Period]] = {"day": [], "week": [], "month": []}
    for r in found:
        kind, start = r["period"], r["period_start"]
        by_kind.setdefault(kind, []).append(
            Period(
                kind,
                start,
                period_end(kind, start),
                complete(kind, start),
                r["received"] or 0,
                r["n"] or 0,
                r["failed"] or 0,
                r["iqs"],
                r["unfailed_sum"] / r["n"] if r["n"] and r["unfailed_sum"] is not None else None,
                r["iqs_sd"],
                r["iqs_low"],
                r["iqs_high"],
                r["coverage"],
                r["na_rate"],
                r["scorecard_versions"],
            )
        )
    return by_kind


def headline(found: Sequence[Period]) -> Period | None:
    """The newest complete period in which something was scored, else the newest in which something was, else None."""
    scored = [p for p in found if p.n]
    return next((p for p in reversed(scored) if p.is_complete), scored[-1] if scored else None)


def before(found: Sequence[Period], period: Period) -> Period | None:
    """The period just before, where something was scored in it."""
    start = period_before(period.kind, period.start)
    return next((p for p in found if p.start == start and p.n), None)


def difference(
    mean: float | None, sd: float | None, n: int, mean_before: float | None, sd_before: float | None, n_before: int
) -> Difference:
    """`mean` less `mean_before` with Welch's 95 % interval (Welch 1947)."""
    if mean is None or mean_before is None:
        return Difference(None)
    change = float(mean) - float(mean_before)
    if sd is None or sd_before is None or min(n, n_before) < 2:
        return Difference(change)
    a, b = float(sd) ** 2 / n, float(sd_before) ** 2 / n_before
    if a + b == 0:
        return Difference(change)
    freedom = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (n_before - 1))
    half = t_quantile(freedom) * sqrt(a + b)
    return Difference(change, change - half, change + half)


def t_quantile(freedom: float) -> float:
    """97.5 % point of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def f_exceeded(f: float, freedom: int, freedom_within: int) -> float:
    """Probability of an F at least this large by chance."""
    from scipy.special import fdtrc

    return float(fdtrc(freedom, freedom_within, f))


# --- surveys


@dataclass(frozen=True)
class Survey:
    """CSAT or NPS of some days: mean (NPS: promoters less detractors, in points) and its interval, NULL below two."""

    answers: int
    received: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None


def survey(publication: Publication, question: str, start: date, end: date) -> Survey:
    """The `question` csat (1 to 5) or nps (0 to 10) of all interactions of these days, scored or not."""
    value = {"csat": "csat", "nps": "case when nps >= 9 then 100 when nps <= 6 then -100 when nps >= 7 then 0 end"}
    bounds = {"csat": (1, 5), "nps": (-100, 100)}[question]
    row = publication.rows(
        f"""
        with answers as (
            select {value[question]} as answer from fct_interactions where call_date between $start and $end
        )
        select count(*) as received, count(answer) as answers, sum(answer) as total, sum(answer * answer) as squares
        from answers
        """,
        start=start,
        end=end,
    )[0]
    n = row["answers"]
    if not n:
        return Survey(0, row["received"], None, None, None, None)
    mean = float(row["total"]) / n
    if n < 2:
        return Survey(n, row["received"], mean, None, None, None)
    sd = sqrt(max(0.0, (float(row["squares"]) - n * mean * mean) / (n - 1)))
    half = t_quantile(n - 1) * sd / sqrt(n)
    return Survey(n, row["received"], mean, sd, max(bounds[0], mean - half), min(bounds[1], mean + half))


# --- why


def change_of_week(publication: Publication, week: Period) -> list[Row]:
    """Rows of insight_change of the week, the centre's first; those without a change (no week before) left out."""
    return publication.rows(
        """
        select * from insight_change
        where period = 'week' and period_start = $start and change is not null
        order by dimension <> 'all', dimension, abs(change) desc, value
        """,
        start=week.start,
    )


def drivers(publication: Publication, period: Period) -> list[Row]:
    """Points lost by parameter in the period, greatest first, over the whole centre."""
    return publication.rows(
        """
        select d.*, p.meaning,
            coalesce(p.name, case d.parameter when 'failed_call' then 'Failed calls' else d.parameter end) as name
        from insight_drivers d left join dim_parameters p using (parameter)
        where d.dimension = 'all' and d.period = $kind and d.period_start = $start and d.basis = $basis
        order by d.position, d.parameter
        """,
        kind=period.kind,
        start=period.start,
        basis=publication.basis,
    )


def moved(now: Sequence[Row], then: Sequence[Row]) -> list[Row]:
    """IQS points gained or lost by parameter since the period before; they add up to the change of the IQS.

    An IQS is 100 less the points lost per interaction, so the differences of the points lost are the change.
    """
    lost = {r["parameter"]: r for r in then}
    names = {r["parameter"]: r["name"] for r in (*then, *now)}
    now_lost = {r["parameter"]: r for r in now}

    def per_call(row: Row | None) -> float:
        return float(row["points_lost"]) / row["n"] if row and row["n"] else 0.0

    found = [
        {"name": name, "lost": per_call(now_lost.get(p)), "lost_before": per_call(lost.get(p))}
        for p, name in names.items()
    ]
    for row in found:
        row["gain"] = row["lost_before"] - row["lost"]
    return sorted(found, key=lambda r: (-r["gain"], r["name"]))


# --- where


def league(publication: Publication, period: Period, minimum_n: int) -> tuple[list[Row], list[Row]]:
    """(ranked, unranked) agents of the period: those with at least `minimum_n` scored interactions are ranked.

    `position` is 1 for the highest IQS, None for the unranked; `verdict` says on which side of the centre's mean the
    interval lies.
    """
    rows = publication.rows(
        """
        select t.value as agent_id, coalesce(a.name, t.value) as name, a.team, t.received, t.n, t.iqs, t.iqs_low,
            t.iqs_high, t.failed, t.coverage
        from trend_iqs t left join dim_agents a on a.agent_id = t.value
        where t.dimension = 'agent' and t.period = $kind and t.period_start = $start and t.basis = $basis
        order by t.iqs desc nulls last, t.value
        """,
        kind=period.kind,
        start=period.start,
        basis=publication.basis,
    )
    ranked = [r for r in rows if r["n"] >= minimum_n]
    unranked = [r for r in rows if r["n"] < minimum_n]
    for position, row in enumerate(ranked, 1):
        row |= {"position": position, "verdict": _verdict(row["iqs_low"], row["iqs_high"], period.iqs)}
    for row in unranked:
        row |= {"position": None, "verdict": "too few calls to tell"}
    return ranked, unranked


def _verdict(low: Decimal | None, high: Decimal | None, mean: Decimal | None) -> str:
    if low is None or high is None or mean is None:
        return "too few calls to tell"
    return "above the centre" if low > mean else "below the centre" if high < mean else "not told apart from the centre"


def agent_parameters(publication: Publication, period: Period) -> list[Row]:
    return publication.rows(
        """
        select h.agent_id, h.parameter, h.n, h.score, h.peer_score, h.difference
        from heatmap_agent_parameter h
        where h.period = $kind and h.period_start = $start and h.basis = $basis
        """,
        kind=period.kind,
        start=period.start,
        basis=publication.basis,
    )


def campaign_issues(publication: Publication, period: Period) -> list[Row]:
    return publication.rows(
        """
        select campaign, issue_type, received, n, iqs
        from heatmap_campaign_issue
        where period = $kind and period_start = $start and basis = $basis
        order by campaign, issue_type
        """,
        kind=period.kind,
        start=period.start,
        basis=publication.basis,
    )


# --- person or process


@dataclass(frozen=True)
class Spread:
    """How much of the differences between calls goes with a grouping: omega squared, 0 to 1 (Hays 1963)."""

    groups: int
    n: int
    share: float
    is_beyond_chance: bool


def spread(values: Mapping[str, Sequence[float]], minimum_n: int) -> Spread | None:
    """Omega squared of a one-way layout over groups of at least `minimum_n` values.

    Unlike eta squared it does not grow with the mere number of groups; below 0 it is cut to 0. None where there are
    fewer than two such groups, or nothing differs. It is beyond chance where the F test gives p < 0.05.
    """
    groups = [list(v) for v in values.values() if len(v) >= minimum_n]
    n, k = sum(map(len, groups)), len(groups)
    if k < 2 or n <= k:
        return None
    grand = sum(map(sum, groups)) / n
    between = sum(len(g) * (sum(g) / len(g) - grand) ** 2 for g in groups)
    total = sum((v - grand) ** 2 for g in groups for v in g)
    if total == 0:
        return None
    within = (total - between) / (n - k)
    share = max(0.0, (between - (k - 1) * within) / (total + within))
    return Spread(k, n, share, within == 0 or f_exceeded(between / (k - 1) / within, k - 1, n - k) < 0.05)


def scored_calls(publication: Publication, start: date, end: date) -> list[Row]:
    """Scored interactions of these days with agent, issue type and IQS."""
    return publication.rows(
        """
        select i.agent_id, coalesce(i.issue_type, 'unknown') as issue_type, s.iqs_unfailed as score
        from fct_interactions i join fct_call_scores s using (interaction_id)
        where s.basis = $basis and i.call_date between $start and $end
        order by i.interaction_id
        """,
        basis=publication.basis,
        start=start,
        end=end,
    )


def low_issues(calls: Sequence[Row], minimum_n: int) -> list[Row]:
    """Issue types and how many of the agents score lower on them than on their other calls, worst first.

    Only agents with at least `minimum_n` calls on the issue type and as many on others count; issue types with fewer
    than two such agents are left out.
    """
    by: dict[str, dict[str, list[float]]] = {}
    for c in calls:
        by.setdefault(c["agent_id"], {}).setdefault(c["issue_type"], []).append(float(c["score"]))
    gaps: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    for issues in by.values():
        for issue, scores in issues.items():
            rest = [s for other, more in issues.items() if other != issue for s in more]
            if len(scores) >= minimum_n and len(rest) >= minimum_n:
                gaps.setdefault(issue, []).append(sum(scores) / len(scores) - sum(rest) / len(rest))
                sizes[issue] = sizes.get(issue, 0) + len(scores)
    found = [
        {
            "issue_type": issue,
            "agents": len(values),
            "lower": sum(v < 0 for v in values),
            "gap": sum(values) / len(values),
            "n": sizes[issue],
        }
        for issue, values in gaps.items()
        if len(values) >= 2
    ]
    for row in found:
        row["is_process"] = row["agents"] >= 3 and row["lower"] == row["agents"] and row["gap"] <= -3
    return sorted(found, key=lambda r: (r["gap"], r["issue_type"]))


# --- what to do


def coaching(publication: Publication, per_agent: int, limit: int) -> tuple[list[Row], int]:
    """(the worst call of each agent's `per_agent` costliest parameters; how many rows the queue has)."""
    rows = publication.rows(
        """
        with costliest as (
            select *, row_number() over (
                partition by agent_id order by points_lost desc nulls last, parameter, interaction_id
            ) as nth
            from coaching_queue where position = 1
        )
        select q.*, coalesce(a.name, q.agent_id) as name, coalesce(p.name, q.parameter) as parameter_name,
            m.unit, p.metric
        from costliest q
        left join dim_agents a using (agent_id)
        left join dim_parameters p using (parameter)
        left join dim_metrics m on m.metric = p.metric
        where q.nth <= $per_agent
        order by q.points_lost desc nulls last, q.interaction_id, q.parameter limit $limit
        """,
        per_agent=per_agent,
        limit=limit,
    )
    return rows, publication.rows("select count(*) as n from coaching_queue")[0]["n"]


def primes(publication: Publication, per_campaign: int) -> list[Row]:
    return publication.rows(
        """
        select q.*, coalesce(a.name, q.agent_id) as name, coalesce(p.name, q.strongest_parameter) as parameter_name
        from prime_calls q
        left join dim_agents a using (agent_id)
        left join dim_parameters p on p.parameter = q.strongest_parameter
        where q.position <= $limit
        order by q.campaign, q.position
        """,
        limit=per_campaign,
    )


def failed_calls(publication: Publication, period: Period) -> list[Row]:
    """Calls of the period that a critical parameter fails, with what they would have scored."""
    return publication.rows(
        """
        select s.interaction_id, i.call_date, coalesce(a.name, i.agent_id) as name, s.fail_reason, s.iqs_unfailed,
            e.evidence, e.start_s
        from fct_call_scores s
        join fct_interactions i using (interaction_id)
        left join dim_agents a using (agent_id)
        left join dim_parameters p on p.parameter = split_part(s.fail_reason, ',', 1)
        left join (
            select interaction_id, kind, evidence, start_s,
                row_number() over (partition by interaction_id, kind order by start_s) as nth
            from fct_events
        ) e on e.interaction_id = s.interaction_id and e.kind = p.event_kind and e.nth = 1
        where s.basis = $basis and s.is_failed and s.call_date between $start and $end
        order by i.call_date, s.interaction_id
        """,
        basis=publication.basis,
        start=period.start,
        end=period.end,
    )


# --- can I trust it


def ledger(publication: Publication) -> list[Row]:
    return publication.rows(
        """
        select l.*, c.recorded, c.transcribed, c.coverage, c.asr_confidence, c.mono_share
        from ops_ledger l left join ops_coverage c using (call_date)
        order by l.call_date
        """
    )


def left_out(publication: Publication, start: date, end: date) -> list[Row]:
    """Why interactions of these days are excluded or in quarantine, and how many days each."""
    return publication.rows(
        """
        select status, reason, count(*) as n, count(distinct call_date) as n_days
        from fct_interactions
        where status <> 'scored' and call_date between $start and $end
        group by all order by status, n desc, reason
        """,
        start=start,
        end=end,
    )


def rejected_rows(publication: Publication) -> list[Row]:
    """Landing rows and files that could not be used, by kind and reason."""
    return publication.rows(
        """
        select kind, reason, count(*) as n from ops_quarantine
        where origin = 'landing' group by all order by n desc, kind, reason
        """
    )


_LATEST_CHECKS = """
    with latest as (
        select * from ops_dq_results
        qualify row_number() over (
            partition by table_name, call_date, check_name order by checked_at desc, run_id desc
        ) = 1
    )
"""


def checks(publication: Publication) -> list[Row]:
    """Outcomes by stage; of a check that was repeated on the same table and day, the last one counts."""
    return publication.rows(
        _LATEST_CHECKS
        + """
        select stage, count(*) as n, count(*) filter (passed) as passed,
            count(*) filter (not passed and blocking) as failed,
            count(*) filter (not passed and not blocking) as warnings,
            max(checked_at) as checked_at
        from latest group by stage
        """
    )


def complaints(publication: Publication, limit: int) -> list[Row]:
    """Checks that did not pass the last time, blocking ones first."""
    return publication.rows(
        _LATEST_CHECKS
        + """
        select * from latest where not passed
        order by blocking desc, call_date desc nulls last, stage, check_name limit $limit
        """,
        limit=limit,
    )


def scorecards(publication: Publication) -> list[Row]:
    """Scorecards with versions, and how many interactions each scored."""
    return publication.rows(
        """
        with used as (
            select scorecard, scorecard_version as version, count(*) as n from fct_call_scores
            where basis = $basis group by all
        )
        select d.scorecard, d.version, string_agg(distinct d.channel, ', ' order by d.channel) as channels,
            string_agg(distinct d.call_type, ', ' order by d.call_type) as call_types, min(d.valid_from) as valid_from,
            min(d.valid_to) as valid_to, bool_or(d.is_newest) as is_newest, coalesce(any_value(u.n), 0) as n
        from dim_scorecards d left join used u on u.scorecard = d.scorecard and u.version = d.version
        group by d.scorecard, d.version order by d.scorecard, d.version
        """,
        basis=publication.basis,
    )


def extractors(publication: Publication) -> list[Row]:
    """Versions of the measuring code, with the days and the metrics that they measured."""
    return publication.rows(
        """
        select extractor_version, count(distinct metric) as n_metrics, min(call_date) as first_day,
            max(call_date) as last_day
        from fct_metrics group by all order by last_day desc, n_metrics desc, extractor_version
        """
    )


def weights(publication: Publication) -> list[Row]:
    """Parameters with definition, curve, and the weight on each scorecard's newest version."""
    return publication.rows(
        """
        with newest as (
            select scorecard, max(version) as version from dim_scorecard_weights group by scorecard
        )
        select p.*, w.scorecard, w.weight, w.is_critical, w.threshold
        from dim_parameters p
        left join (select * from dim_scorecard_weights semi join newest using (scorecard, version)) w using (parameter)
        order by p.position, w.scorecard
        """
    )


def metrics(publication: Publication) -> list[Row]:
    return publication.rows("select * from dim_metrics order by metric")


def worked_call(publication: Publication, period: Period) -> tuple[Row, list[Row]] | None:
    """(a scored call of the period, its parameters): nearest to the mean; failed and half-measured ones last."""
    calls = publication.rows(
        """
        select s.*, i.agent_id, coalesce(a.name, i.agent_id) as name, i.campaign, i.issue_type
        from fct_call_scores s
        join fct_interactions i using (interaction_id)
        left join dim_agents a using (agent_id)
        where s.basis = $basis and s.call_date between $start and $end
        order by s.is_failed, i.channel <> 'call', s.measured_weight < 0.6, abs(s.iqs - $iqs), s.interaction_id
        limit 1
        """,
        basis=publication.basis,
        start=period.start,
        end=period.end,
        iqs=period.iqs,
    )
    if not calls:
        return None
    parameters = publication.rows(
        """
        select f.*, coalesce(p.name, f.parameter) as name, m.unit, p.curve
        from fct_parameter_scores f
        left join dim_parameters p using (parameter)
        left join dim_metrics m on m.metric = p.metric
        where f.interaction_id = $id and f.basis = $basis
        order by f.contribution desc nulls last, p.position
        """,
        id=calls[0]["interaction_id"],
        basis=publication.basis,
    )
    return calls[0], parameters


def published(publication: Publication) -> Row:
    """publish_id, the newest call date and the time of the last check; each None where there is none."""
    row = publication.rows(
        """
        select (select max(publish_id) from trend_iqs) as publish_id,
            (select max(call_date) from ops_ledger) as last_day,
            (select min(call_date) from ops_ledger) as first_day,
            (select max(checked_at) from ops_dq_results) as checked_at
        """
    )[0]
    return row

"""What the report says, read from a published DuckDB file. Each function answers one of the manager's questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
    "heatmap_agent_issue",
    "heatmap_agent_parameter",
    "heatmap_campaign_issue",
    "insight_change",
    "insight_drivers",
    "insight_fairness",
    "insight_findings",
    "insight_keywords",
    "insight_person_or_process",
    "insight_script_breaks",
    "insight_sub_drivers",
    "insight_survey_disagreements",
    "insight_survey_gap",
    "process_change_effects",
    "calibration_agreement",
    "calibration_raters",
    "calibration_sessions",
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
    """A published file, opened read-only. `basis` picks the scorecard version that scores are read on; `tables` are
    those that it holds."""

    connection: Any
    path: Path
    basis: str
    tables: frozenset[str] = frozenset()

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
        publication = replace(publication, tables=frozenset(there))
        if missing := [t for t in TABLES if t not in there]:
            raise ReportError(f"{database} lacks {', '.join(missing)}; build the warehouse and publish again")
        yield publication
    except duckdb.BinderException as error:
        raise ReportError(f"{database} lacks a column; build the warehouse and publish again: {error}") from error
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
    center: Decimal | None = None
    limit_low: Decimal | None = None
    limit_high: Decimal | None = None
    dip: bool | None = None
    dip_rule: str | None = None
    immature_share: Decimal | None = None
    mono_share: Decimal | None = None
    asr_confidence: Decimal | None = None
    snr_db: Decimal | None = None


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
                r["xmr_center"],
                r["xmr_low"],
                r["xmr_high"],
                r["dip"],
                r["dip_rule"],
                r["immature_share"],
                r["mono_share"],
                r["asr_confidence"],
                r["snr_db"],
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


# --- surveys


@dataclass(frozen=True)
class Survey:
    """CSAT or NPS of a week: mean (NPS: promoters less detractors, in points) and interval, NULL below two answers.

    `agreement` is Spearman's rank correlation of the answers with the IQS, over `pairs` scored interactions.
    """

    answers: int
    received: int
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    agreement: float | None = None
    agreement_low: float | None = None
    agreement_high: float | None = None


def surveys(publication: Publication, week: Period | None) -> dict[str, Survey]:
    """The centre's csat (1 to 5) and nps (−100 to 100) of this week, scored or not, as published."""
    found = week and publication.rows(
        "select * from insight_survey_gap where dimension = 'all' and period = 'week' and period_start = $start",
        start=week.start,
    )
    if not found:
        return {"csat": Survey(0, week.received if week else 0), "nps": Survey(0, week.received if week else 0)}
    r = {k: float(v) if isinstance(v, Decimal) else v for k, v in found[0].items()}
    agreement = {
        q: (r[f"pairs_{q}"] or 0, r[f"spearman_{q}"], r[f"spearman_{q}_low"], r[f"spearman_{q}_high"])
        for q in ("csat", "nps")
    }
    csat = Survey(r["n_csat"] or 0, r["received"] or 0, r["csat"])
    if r["csat_low"] is not None and csat.answers > 1:
        half = r["csat_high"] - r["csat"]
        low, high = max(1, r["csat"] - half), min(5, r["csat"] + half)
        csat = replace(csat, low=low, high=high, sd=half * sqrt(csat.answers) / t_quantile(csat.answers - 1))
    nps = Survey(r["n_nps"] or 0, r["received"] or 0, r["nps"])
    if nps.answers > 1:
        # Each answer counts +100, 0 or −100, so the counts hold the variance.
        squares = 1e4 * (r["promoters"] + r["detractors"])
        sd = sqrt(max(0.0, (squares - nps.answers * r["nps"] ** 2) / (nps.answers - 1)))
        half = t_quantile(nps.answers - 1) * sd / sqrt(nps.answers)
        nps = replace(nps, sd=sd, low=max(-100, r["nps"] - half), high=min(100, r["nps"] + half))
    return {q: replace(v, **_agreement(*agreement[q])) for q, v in (("csat", csat), ("nps", nps))}


def _agreement(pairs: int, value: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    return {"pairs": pairs, "agreement": value, "agreement_low": low, "agreement_high": high}


def survey_disagreements(publication: Publication, limit: int) -> tuple[list[Row], int]:
    """(the newest calls whose survey says the opposite of their IQS, how many there are)."""
    rows = publication.rows(
        """
        select d.*, coalesce(a.name, d.agent_id) as name
        from insight_survey_disagreements d left join dim_agents a using (agent_id)
        order by d.call_date desc, d.interaction_id limit $limit
        """,
        limit=limit,
    )
    return rows, publication.rows("select count(*) as n from insight_survey_disagreements")[0]["n"]


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


DIMENSIONS = ("all", "team", "campaign", "issue_type", "agent")


def dips(publication: Publication, week: Period) -> list[Row]:
    """Days and weeks from the headline's week on that a rule of the control chart calls a dip, the centre's first."""
    return publication.rows(
        """
        select t.dimension, t.value, coalesce(a.name, t.value) as name, t.period, t.period_start, t.n, t.iqs,
            t.xmr_center, t.xmr_low, t.dip_rule
        from trend_iqs t left join dim_agents a on t.dimension = 'agent' and a.agent_id = t.value
        where t.dip and t.basis = $basis and t.period in ('day', 'week') and t.period_start >= $start
            and list_contains($dimensions, t.dimension)
        order by list_position($dimensions, t.dimension), t.period desc, t.period_start desc,
            t.iqs - t.xmr_center, t.value
        """,
        basis=publication.basis,
        start=week.start,
        dimensions=list(DIMENSIONS),
    )


def told_dips(publication: Publication, week: Period) -> int:
    """How many of these days and weeks have enough earlier periods and calls to tell a dip."""
    return publication.rows(
        """
        select count(*) as n from trend_iqs
        where dip is not null and basis = $basis and period in ('day', 'week') and period_start >= $start
            and list_contains($dimensions, dimension)
        """,
        basis=publication.basis,
        start=week.start,
        dimensions=list(DIMENSIONS),
    )[0]["n"]


def keywords(publication: Publication, week: Period, limit: int) -> list[Row]:
    """Keywords that rose or fell against the week before by more than chance, strongest first."""
    return publication.rows(
        """
        select * from insight_keywords
        where period = 'week' and period_start = $start and is_beyond_chance and position <= $limit
        order by party desc, direction desc, position, keyword
        """,
        start=week.start,
        limit=limit,
    )


def process_changes(publication: Publication) -> list[Row]:
    """Effects of process changes, newest first; IQS before handling time before CSAT."""
    return publication.rows(
        """
        select * from process_change_effects
        order by changed_on desc, name, campaign, issue_type, list_position(['iqs', 'aht_s', 'csat'], measure)
        """
    )


# --- where


def league(publication: Publication, period: Period) -> tuple[list[Row], list[Row]]:
    """(ranked, unranked) agents of the period, by the shrunk estimate; who is ranked is told by trend_iqs.is_ranked.

    `position` is 1 for the highest, None for the unranked; `verdict` says on which side of the centre's mean the
    interval lies.
    """
    rows = publication.rows(
        """
        select t.value as agent_id, coalesce(a.name, t.value) as name, a.team, t.received, t.n, t.iqs, t.iqs_low,
            t.iqs_high, t.failed, t.coverage, t.iqs_shrunk, t.own_share, t.iqs_case_mix, t.is_ranked
        from trend_iqs t left join dim_agents a on a.agent_id = t.value
        where t.dimension = 'agent' and t.period = $kind and t.period_start = $start and t.basis = $basis
        order by coalesce(t.iqs_shrunk, t.iqs) desc nulls last, t.iqs desc nulls last, t.value
        """,
        kind=period.kind,
        start=period.start,
        basis=publication.basis,
    )
    ranked = [r for r in rows if r["is_ranked"]]
    unranked = [r for r in rows if not r["is_ranked"]]
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
class Components:
    """How much of the differences between calls goes with agents, issue types, and neither (shares of 1)."""

    period: str
    start: date
    n: int
    agents: int
    issue_types: int
    agents_share: float
    issue_types_share: float
    agents_sd: float
    issue_types_sd: float
    verdict: str


def components(publication: Publication, week: Period) -> Components | None:
    """The variance components of the week or of its month, whichever rests on more calls."""
    rows = publication.rows(
        """
        select * from insight_person_or_process
        where dimension = 'all' and basis = $basis
            and (period, period_start) in (('week', $week), ('month', cast(date_trunc('month', $end::date) as date)))
        order by period = 'week' desc
        """,
        basis=publication.basis,
        week=week.start,
        end=week.end,
    )
    found: dict[str, dict[str, Row]] = {}
    for r in rows:
        found.setdefault(r["period"], {})[r["component"]] = r
    whole = [c for c in found.values() if {"agents", "issue_types"} <= set(c) and c["agents"]["share"] is not None]
    if not whole:
        return None
    best = max(whole, key=lambda c: c["agents"]["n"])
    agents, issues = best["agents"], best["issue_types"]
    return Components(
        agents["period"],
        agents["period_start"],
        agents["n"],
        agents["n_groups"],
        issues["n_groups"],
        float(agents["share"]),
        float(issues["share"]),
        float(agents["sd"]),
        float(issues["sd"]),
        agents["verdict"],
    )


def findings(publication: Publication, kind: str, start: date) -> list[Row]:
    """Comparisons of the period: issue types against the same agents' other calls, agents against the others."""
    return publication.rows(
        """
        select f.*, coalesce(a.name, f.subject) as name
        from insight_findings f left join dim_agents a on f.kind = 'person' and a.agent_id = f.subject
        where f.period = $kind and f.period_start = $start and f.basis = $basis
        order by f.is_finding desc, f.kind desc, f.gap, f.subject
        """,
        kind=kind,
        start=start,
        basis=publication.basis,
    )


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


def sub_drivers(publication: Publication, period: Period, dimension: str = "all", value: str = "all") -> list[Row]:
    """Which contacts the points are lost on, greatest loss first."""
    return publication.rows(
        """
        select * from insight_sub_drivers
        where dimension = $dimension and value = $value and period = $kind and period_start = $start
            and basis = $basis
        order by position, driver, sub_driver
        """,
        dimension=dimension,
        value=value,
        kind=period.kind,
        start=period.start,
        basis=publication.basis,
    )


def alerts(publication: Publication, since: date, limit: int) -> tuple[list[Row], int] | None:
    """(alerts from `since` on that nobody has taken note of, worst first; how many); None in a file without alerts."""
    if "alerts" not in publication.tables:
        return None
    rows = publication.rows(
        """
        select *, count(*) over () as n_all from alerts
        where call_date >= $since and not coalesce(acknowledged, false)
        order by list_position(['critical', 'warning', 'info'], severity) nulls last, call_date desc, dedupe_key
        limit $limit
        """,
        since=since,
        limit=limit,
    )
    return rows, rows[0]["n_all"] if rows else 0


def script_breaks(publication: Publication) -> list[Row]:
    """Passages after which customers break off; `is_beyond_chance` where the interval lies above the usual share."""
    return publication.rows(
        """
        select *, break_share_low > usual_share as is_beyond_chance
        from insight_script_breaks order by position, passage
        """
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


def fairness(publication: Publication) -> list[Row]:
    return publication.rows("select * from insight_fairness order by is_warning desc, explained_share desc, factor")


def agreement(publication: Publication) -> list[Row]:
    """How far raters agree over all parameters and sessions, by panel and statistic."""
    return publication.rows(
        """
        select * from calibration_agreement where parameter = 'all' and period = 'all'
        order by panel, statistic
        """
    )


def raters(publication: Publication) -> list[Row]:
    """People, departments and the machine with bias and diagnosis over all parameters."""
    return publication.rows(
        """
        select * from calibration_raters where parameter = 'all'
        order by list_position(['machine', 'reviewer', 'department'], rater_kind), reviewer_id
        """
    )


def calibration_sessions(publication: Publication) -> list[Row]:
    """What was rated in calibration sessions and what it looks like, widest spread first."""
    return publication.rows(
        """
        select s.*, coalesce(p.name, s.parameter) as parameter_name
        from calibration_sessions s left join dim_parameters p using (parameter)
        order by s.spread desc nulls last, s.session_id, s.interaction_id, s.parameter
        """
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


def only_client(publication: Publication) -> str | None:
    """The client whose interactions these all are, as in a client's own report; None where there is no such."""
    return publication.rows(
        """
        select if(count(distinct client) = 1 and count(client) = count(*), min(client), null) as client
        from fct_interactions
        """
    )[0]["client"]


# --- pages of agents and campaigns


def names(publication: Publication, dimension: str) -> dict[str, str]:
    """Agents or campaigns with interactions, and their names."""
    rows = publication.rows(
        """
        select distinct t.value, coalesce(a.name, t.value) as name
        from trend_iqs t left join dim_agents a on t.dimension = 'agent' and a.agent_id = t.value
        where t.dimension = $dimension and t.period = 'month' and t.basis = $basis
        order by t.value
        """,
        dimension=dimension,
        basis=publication.basis,
    )
    return {r["value"]: r["name"] for r in rows}


def _by_value(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for r in rows:
        found.setdefault(r["value"], []).append(r)
    return found


def histories(publication: Publication, dimension: str, kind: str, since: date) -> dict[str, list[Row]]:
    """Rows of trend_iqs of each value from `since` on, oldest first."""
    rows = publication.rows(
        """
        select value, period_start, received, n, iqs, iqs_low, iqs_high, iqs_shrunk, own_share, iqs_case_mix, is_ranked,
            peers, failed, coverage, xmr_center, xmr_low, xmr_high, dip, dip_rule, immature_share, iqs_sd
        from trend_iqs
        where dimension = $dimension and period = $kind and basis = $basis and period_start >= $since
        order by value, period_start
        """,
        dimension=dimension,
        kind=kind,
        basis=publication.basis,
        since=since,
    )
    return _by_value(rows)


def parameter_histories(publication: Publication, dimension: str, week: Period, weeks: int) -> dict[str, list[Row]]:
    """Each value's parameters over these weeks up to `week`: the scores by week (a list, None where there is none),
    and n, mean and standard deviation of the last four weeks and of the four before.

    Sums are taken in the order of the weeks, so that equal data give equal digits, however many threads add.
    """
    starts = [week.start - timedelta(days=7 * k) for k in reversed(range(weeks))]
    rows = publication.rows(
        """
        with shown as (
            select *, period_start > $start - 28 as is_recent, period_start > $start - 56 as is_used
            from trend_parameters
            where dimension = $dimension and period = 'week' and basis = $basis
                and period_start between $first and $start and n > 0
        ), summed as (
            select value, parameter,
                list({'start': period_start, 'score': score::double} order by period_start) as weeks,
                coalesce(sum(n) filter (is_recent), 0)::bigint as n,
                coalesce(sum(n) filter (is_used and not is_recent), 0)::bigint as n_before,
                sum(score_sum::double order by period_start) filter (is_recent) as total,
                sum(score_sum::double order by period_start) filter (is_used and not is_recent) as total_before,
                sum((n - 1) * coalesce(score_sd, 0)::double ** 2 + n * score::double ** 2 order by period_start)
                    filter (is_recent) as squares,
                sum((n - 1) * coalesce(score_sd, 0)::double ** 2 + n * score::double ** 2 order by period_start)
                    filter (is_used and not is_recent) as squares_before,
                sum(points_lost::double order by period_start) filter (is_recent) as points_lost
            from shown group by value, parameter
        )
        select s.*, coalesce(p.name, s.parameter) as name, p.position
        from summed s left join dim_parameters p using (parameter)
        order by s.value, p.position, s.parameter
        """,
        dimension=dimension,
        basis=publication.basis,
        first=starts[0],
        start=week.start,
    )
    for r in rows:
        by_start = {w["start"]: w["score"] for w in r["weeks"]}
        r["weeks"] = [by_start.get(s) for s in starts]
        for suffix in ("", "_before"):
            r["score" + suffix], r["sd" + suffix] = _mean_sd(
                r["n" + suffix], r["total" + suffix], r["squares" + suffix]
            )
    return _by_value(rows)


def _mean_sd(n: int, total: float | None, squares: float | None) -> tuple[float | None, float | None]:
    if not n or total is None or squares is None:
        return None, None
    mean = total / n
    return mean, sqrt(max(0.0, squares - n * mean * mean) / (n - 1)) if n > 1 else None


def pair_months(publication: Publication, dimension: str, month: date) -> dict[str, list[Row]]:
    """IQS of each agent or campaign by issue type in the month, most calls first."""
    table, column = {
        "agent": ("heatmap_agent_issue", "agent_id"),
        "campaign": ("heatmap_campaign_issue", "campaign"),
    }[dimension]
    rows = publication.rows(
        f"""
        select {column} as value, issue_type, received, n, iqs from {table}
        where period = 'month' and period_start = $month and basis = $basis
        order by 1, n desc, issue_type
        """,
        month=month,
        basis=publication.basis,
    )
    return _by_value(rows)


def ends_of_calls(publication: Publication, dimension: str, start: date, end: date, limit: int) -> dict[str, list[Row]]:
    """Each value's `limit` best and worst scored calls of these days, with the parameter that cost most points."""
    column = {"agent": "agent_id", "campaign": "campaign"}[dimension]
    rows = publication.rows(
        f"""
        with calls as (
            select coalesce(i.{column}, 'unknown') as value, s.interaction_id, s.call_date, s.iqs, s.iqs_unfailed,
                s.is_failed, s.fail_reason, i.agent_id, i.campaign, i.issue_type, i.duration_s, i.channel,
                row_number() over (partition by i.{column} order by s.iqs, s.iqs_unfailed, s.interaction_id) as worst,
                row_number() over (partition by i.{column} order by s.iqs desc, s.interaction_id) as best,
                count(*) over (partition by i.{column}) as calls
            from fct_call_scores s join fct_interactions i using (interaction_id)
            where s.basis = $basis and s.call_date between $start and $end
        ), shown as (
            -- A call is not shown as best and worst at once.
            select *, best <= worst as is_best from calls
            where least(best, worst) <= $limit
        ), costliest as (
            select p.interaction_id, p.parameter, p.points_lost, p.score
            from fct_parameter_scores p semi join shown using (interaction_id)
            where p.basis = $basis and p.points_lost > 0 and p.call_date between $start and $end
            qualify row_number() over (
                partition by p.interaction_id order by p.points_lost desc, p.parameter
            ) = 1
        )
        select s.*, c.parameter, c.points_lost, coalesce(d.name, c.parameter) as parameter_name,
            coalesce(a.name, s.agent_id) as name
        from shown s
        left join costliest c using (interaction_id)
        left join dim_parameters d on d.parameter = c.parameter
        left join dim_agents a on a.agent_id = s.agent_id
        order by s.value, s.is_best desc, case when s.is_best then best else worst end
        """,
        basis=publication.basis,
        start=start,
        end=end,
        limit=limit,
    )
    return _by_value(rows)


def agents_of_campaigns(publication: Publication, start: date, end: date) -> dict[str, list[Row]]:
    """Each campaign's agents over these days: n, mean, standard deviation and 95 % interval of their calls there.

    `others` are the campaign's calls of all the other agents: (mean, standard deviation, n), as `difference` takes
    them. Furthest below the others first: who is below by more than chance, who can't be told apart, who is above.
    """
    rows = publication.rows(
        """
        select coalesce(i.campaign, 'unknown') as value, i.agent_id, coalesce(a.name, i.agent_id) as name, a.team,
            count(*) as n, sum(s.iqs)::double as total, sum(s.iqs::double * s.iqs::double order by s.interaction_id)
                as squares, count(*) filter (s.is_failed) as failed
        from fct_call_scores s join fct_interactions i using (interaction_id)
        left join dim_agents a on a.agent_id = i.agent_id
        where s.basis = $basis and s.call_date between $start and $end and i.agent_id is not null
        group by all order by value, i.agent_id
        """,
        basis=publication.basis,
        start=start,
        end=end,
    )
    found = _by_value(rows)
    for own in found.values():
        sums = [sum(r[k] for r in own) for k in ("n", "total", "squares")]
        for r in own:
            r["iqs"], r["sd"] = _mean_sd(r["n"], r["total"], r["squares"])
            rest = sums[0] - r["n"]
            others = _mean_sd(rest, sums[1] - r["total"], sums[2] - r["squares"])
            r["low"], r["high"] = _interval(r["iqs"], r["sd"], r["n"])
            r["others"] = (*others, rest)
            r["gap"] = difference(r["iqs"], r["sd"], r["n"], *r["others"])
        own.sort(key=lambda r: (_side(r["gap"]), r["iqs"], r["agent_id"]))
    return found


def _interval(mean: float | None, sd: float | None, n: int) -> tuple[float | None, float | None]:
    if mean is None or sd is None or n < 2:
        return None, None
    half = t_quantile(n - 1) * sd / sqrt(n)
    return max(0.0, mean - half), min(100.0, mean + half)


def _side(gap: Difference) -> int:
    """−1 below by more than chance, 1 above by more than chance, else 0."""
    return 0 if not gap.is_beyond_chance else -1 if gap.change < 0 else 1


def coaching_of(publication: Publication, dimension: str, limit: int) -> dict[str, list[Row]]:
    """The costliest calls of each agent or campaign in the coaching queue."""
    column = {"agent": "agent_id", "campaign": "campaign"}[dimension]
    rows = publication.rows(
        f"""
        select q.{column} as value, q.*, coalesce(a.name, q.agent_id) as name,
            coalesce(p.name, q.parameter) as parameter_name, m.unit, p.metric
        from coaching_queue q
        left join dim_agents a using (agent_id)
        left join dim_parameters p using (parameter)
        left join dim_metrics m on m.metric = p.metric
        where q.{column} is not null
        qualify row_number() over (
            partition by q.{column} order by q.points_lost desc nulls last, q.parameter, q.interaction_id
        ) <= $limit
        order by q.{column}, q.points_lost desc nulls last, q.parameter, q.interaction_id
        """,
        limit=limit,
    )
    return _by_value(rows)


def coaching_progress(publication: Publication) -> dict[str, list[Row]]:
    """What became of each agent's coached parameters, newest coaching first; empty in a file without coaching."""
    if "coaching_progress" not in publication.tables:
        return {}
    return _by_value(
        publication.rows(
            """
            select c.agent_id as value, c.*, coalesce(p.name, if(c.parameter = 'iqs', 'IQS', c.parameter)) as name
            from coaching_progress c left join dim_parameters p using (parameter)
            order by c.agent_id, c.coached_on desc, c.parameter
            """
        )
    )


def changes_of(publication: Publication, dimension: str, week: Period) -> dict[str, Row]:
    """insight_change of the week for each value."""
    rows = publication.rows(
        """
        select * from insight_change
        where dimension = $dimension and period = 'week' and period_start = $start and change is not null
        """,
        dimension=dimension,
        start=week.start,
    )
    return {r["value"]: r for r in rows}


def agents(publication: Publication) -> dict[str, Row]:
    return {r["agent_id"]: r for r in publication.rows("select * from dim_agents")}

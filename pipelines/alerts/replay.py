"""What another threshold would have raised in the past, from what was measured: nothing is sent, no audio touched."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipelines.alerts.delivery import AlertError

_BEYOND = {"below": "<", "at_most": "<=", "above": ">", "at_least": ">="}


@dataclass(frozen=True)
class Rule:
    """A version of a rule: a row of the seed alert_rules."""

    rule: str
    version: int
    source: str
    measure: str
    party: str
    period: str
    comparison: str
    threshold: float
    where_measure: str
    where_party: str
    where_comparison: str
    where_threshold: float | None
    calls_at_least: int


@dataclass(frozen=True)
class Flagged:
    """One supervisor's week: how many interactions (or periods of groups) were alerts, and how many would be."""

    supervisor_id: str
    week: date
    now: int
    then: int


def read_rule(seeds: Path, name: str) -> Rule:
    """The newest version of a rule in the seed. AlertError where there is none, or it can't be read."""
    path = seeds / "alert_rules.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise AlertError(f"{path} can't be read: {error.strerror}") from error
    own = [r for r in rows if r.get("rule") == name]
    if not own:
        raise AlertError(f"there is no rule {name!r}; {path.name} has {', '.join(sorted({r['rule'] for r in rows}))}")
    try:
        row = max(own, key=lambda r: int(r["version"]))
        if row["comparison"] not in _BEYOND or (row["where_measure"] and row["where_comparison"] not in _BEYOND):
            raise ValueError("a comparison is none of below, at_most, above, at_least")
        return Rule(
            **{n: row[n] for n in ("rule", "source", "measure", "party", "period", "comparison")},
            **{n: row[n] for n in ("where_measure", "where_party", "where_comparison")},
            version=int(row["version"]),
            threshold=float(row["threshold"]),
            where_threshold=float(row["where_threshold"]) if row["where_measure"] else None,
            calls_at_least=int(row["calls_at_least"] or 1),
        )
    except (KeyError, ValueError) as error:
        raise AlertError(f"{path.name}: the rule {name} can't be read: {error}") from error


def replay(database: Path, rule: Rule, threshold: float, first: date | None, last: date | None) -> list[Flagged]:
    """Alerts that stand, and that `threshold` would have given, by supervisor and week, from a published database.

    The rule is taken as its newest version says, but for the threshold; `first` and `last` bound the call date.
    """
    import duckdb

    span = [first or date.min, last or date.max]
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            now = connection.execute(
                "select coalesce(route, '*'), call_date from alerts where rule = ? and call_date between ? and ?",
                [rule.rule, *span],
            ).fetchall()
            query, values = _hits(rule)
            then = connection.execute(query, [*values, *span, threshold]).fetchall()
    except duckdb.CatalogException as error:
        raise AlertError(
            "the publication has no table alerts: an earlier version made it; `iqs run` makes it anew"
        ) from error
    return _by_week(now, then)


def _by_week(now: Iterable[tuple], then: Iterable[tuple]) -> list[Flagged]:
    counts: dict[tuple[str, date], list[int]] = {}
    for which, rows in enumerate((now, then)):
        for supervisor, day in rows:
            week = day - timedelta(days=day.weekday())
            counts.setdefault((supervisor, week), [0, 0])[which] += 1
    return [Flagged(supervisor, week, *n) for (supervisor, week), n in sorted(counts.items())]


def _hits(rule: Rule) -> tuple[str, list]:
    """SQL for (supervisor, day) of every hit, and its first values; then come first day, last day, threshold."""
    beyond = _BEYOND[rule.comparison]
    if rule.source in ("dip", "coverage"):
        value = "xmr_center - iqs" if rule.source == "dip" else "coverage"
        enough = "dip and n >= ?" if rule.source == "dip" else "received >= ?"
        return (
            "with teams as (select team, max(supervisor_id) as supervisor_id from dim_agents where team is not null"
            " group by team having count(distinct supervisor_id) = 1)"
            " select coalesce(a.supervisor_id, t.supervisor_id, '*'), period_start from trend_iqs"
            " left join dim_agents as a on dimension = 'agent' and a.agent_id = value"
            " left join teams as t on dimension = 'team' and t.team = value"
            f" where basis = 'as_scored' and is_complete and dimension = ? and period = ? and {enough}"
            f" and period_start between ? and ? and cast({value} as double) {beyond} ?"
        ), [rule.measure, rule.period, rule.calls_at_least]
    source, values = {
        "metric": ("select interaction_id, call_date, value from fct_metrics where metric = ? and party = ?", None),
        "parameter": (
            "select interaction_id, call_date, score as value from fct_parameter_scores"
            " where basis = 'as_scored' and parameter = ?",
            [rule.measure],
        ),
        "iqs": (
            f"select interaction_id, call_date, {'iqs_unfailed' if rule.measure == 'iqs_unfailed' else 'iqs'} as value"
            " from fct_call_scores where basis = 'as_scored'",
            [],
        ),
        "flag": (
            "select interaction_id, call_date, cast(is_failed as integer) as value from fct_call_scores"
            " where basis = 'as_scored'",
            [],
        ),
    }[rule.source]
    values = [rule.measure, rule.party] if values is None else values
    condition = ""
    if rule.where_measure:
        condition = (
            " inner join (select interaction_id, call_date from fct_metrics where metric = ? and party = ?"
            f" and value {_BEYOND[rule.where_comparison]} ?) using (interaction_id, call_date)"
        )
        values = [*values, rule.where_measure, rule.where_party, rule.where_threshold]
    return (
        f"select coalesce(a.supervisor_id, '*'), call_date from ({source}) {condition}"
        " inner join fct_interactions using (interaction_id, call_date) left join dim_agents as a using (agent_id)"
        f" where call_date between ? and ? and cast(value as double) {beyond} ?"
    ), values

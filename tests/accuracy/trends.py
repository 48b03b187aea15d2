"""Do the intervals cover, do dips mean something, is planted variance found? The project's SQL on simulated centres."""

from __future__ import annotations

import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tests.accuracy.figure import Figure

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "dbt")]

MONDAY = date(2026, 3, 2)
CALLS_A_DAY = 20
# Call scores are skewed and end at 100: a beta distribution with this mean and standard deviation, in points.
MEAN, SD = 75.0, 15.0
DROP = 10.0
DROP_DAY = 40
DAYS = 60
_NOTE = "simulated calls, mean 75, sd 15, skewed; no real centre; nothing was tuned on these seeds"


def figures(*, quick: bool = False) -> list[Figure]:
    """Coverage, false dips, drops found and variance recovered, all in percent."""
    agents = 40 if quick else 150
    with tempfile.TemporaryDirectory() as folder:
        models = _models(Path(folder))
        return [
            *_coverage(models, agents),
            *_dips(models, agents),
            *_components(models, rounds=4 if quick else 20),
        ]


def _models(folder: Path):
    from dbt_lake import Dbt
    from sql_models import SqlModels

    dbt = Dbt(folder)
    dbt.manifest = dbt.invoke("parse").result
    return SqlModels(dbt)


def _scores(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    """A score for each mean, points with 4 decimals; the standard deviation is SD where the range allows it."""
    share = np.clip(means / 100, 0.02, 0.98)
    precision = np.maximum(share * (1 - share) / (SD / 100) ** 2 - 1, 0.5)
    return np.round(100 * rng.beta(share * precision, (1 - share) * precision), 4)


def _tables(agent: np.ndarray, issue: np.ndarray, day: np.ndarray, score: np.ndarray) -> dict[str, pl.DataFrame]:
    """fct_interactions and fct_call_scores (both bases alike) of these calls."""
    points = pl.Series("iqs", score).cast(pl.Decimal(9, 4))
    calls = pl.DataFrame(
        {
            "interaction_id": [f"i{i:07}" for i in range(len(score))],
            "call_date": [MONDAY + timedelta(days=int(d)) for d in day],
            "agent_id": [f"a{a:03}" for a in agent],
            "issue_type": [f"t{i:02}" for i in issue],
        }
    )
    known = pl.lit(True)
    interactions = calls.with_columns(points, status=pl.lit("scored"), is_mature=known, channel=pl.lit("call"))
    one = calls.select("interaction_id", "call_date").with_columns(
        points, points.alias("iqs_unfailed"), is_failed=~known, measured_weight=pl.lit(1).cast(pl.Decimal(9, 6))
    )
    bases = [one.with_columns(basis=pl.lit(b)) for b in ("as_scored", "restated")]
    return {
        "fct_interactions": interactions,
        "fct_call_scores": pl.concat(bases),
        "dim_agents": pl.DataFrame(schema={"agent_id": pl.String, "team": pl.String}),
    }


def _agent_days(rng: np.random.Generator, agents: int, days: int, a_day: float) -> tuple[np.ndarray, np.ndarray]:
    """Agent and day of each call; numbers of calls by chance (Poisson)."""
    counts = rng.poisson(a_day, (agents, days))
    agent, day = np.indices(counts.shape)
    return np.repeat(agent.ravel(), counts.ravel()), np.repeat(day.ravel(), counts.ravel())


def _coverage(models, agents: int) -> list[Figure]:
    found = []
    for a_week in (5, 20, 100):
        rng = np.random.default_rng(a_week)
        agent, day = _agent_days(rng, agents, 28, a_week / 7)
        true = np.clip(rng.normal(MEAN, 6, agents), 40, 92)
        score = _scores(rng, true[agent])
        connection = models.run("trend_iqs", given=_tables(agent, np.zeros_like(agent), day, score))
        rows = connection.execute(
            "select value, iqs_low, iqs_high from iqs.trends.trend_iqs where dimension = 'agent' and period = 'week'"
            " and basis = 'as_scored' and iqs_low is not null"
        ).fetchall()
        covered = [float(low) <= true[int(value[1:])] <= float(high) for value, low, high in rows]
        found.append(
            Figure(
                "95 % interval covers the true mean",
                f"agent-weeks, {a_week} calls a week",
                len(rows),
                100 * float(np.mean(covered)),
                "%",
                "nominal",
                95.0,
                f"target 90-98 %; {_NOTE}",
            )
        )
    return found


def _dips(models, agents: int) -> list[Figure]:
    rng = np.random.default_rng(7)
    agent, day = _agent_days(rng, 2 * agents, DAYS, CALLS_A_DAY)
    level = np.clip(rng.normal(MEAN, 6, 2 * agents), 55, 90)
    drops = agent >= agents
    score = _scores(rng, level[agent] - DROP * (drops & (day >= DROP_DAY)))
    connection = models.run("trend_iqs", given=_tables(agent, np.zeros_like(agent), day, score))
    rows = connection.execute(
        "select value, period_start, dip, iqs < xmr_low from iqs.trends.trend_iqs"
        " where dimension = 'agent' and period = 'day' and basis = 'as_scored' and dip is not null"
    ).fetchall()
    days = [(int(v[1:]), (d - MONDAY).days, dip, beyond) for v, d, dip, beyond in rows]
    stable = [(dip, beyond) for a, _, dip, beyond in days if a < agents]
    after = [r for r in days if r[0] >= agents and DROP_DAY <= r[1] < DROP_DAY + 5]
    caught = [len({a for a, *_ in [r for r in after if r[k]]}) / agents for k in (2, 3)]
    return [
        Figure(
            "false dips",
            f"stable agents, {CALLS_A_DAY} calls a day, agent-days",
            len(stable),
            100 * float(np.mean([d for d, _ in stable])),
            "%",
            "lower limit alone",
            100 * float(np.mean([b for _, b in stable])),
            f"target at most 2 %; {_NOTE}",
        ),
        Figure(
            "10-point drops found within 5 days",
            f"agents, {CALLS_A_DAY} calls a day",
            agents,
            100 * caught[0],
            "%",
            "lower limit alone",
            100 * caught[1],
            _NOTE,
        ),
    ]


def _components(models, *, rounds: int) -> list[Figure]:
    planted = {"agents": 36.0, "issue_types": 25.0, "residual": SD**2}
    estimates: dict[str, list[float]] = {name: [] for name in planted}
    for seed in range(rounds):
        rng = np.random.default_rng(100 + seed)
        agent, day = _agent_days(rng, 40, 20, 5)
        # Agents differ in what they get: the layout is unbalanced.
        taste = rng.dirichlet(np.full(16, 2.0), 40)
        issue = np.array([rng.choice(16, p=taste[a]) for a in agent])
        of_agent = _effects(rng, 40, planted["agents"])
        of_issue = _effects(rng, 16, planted["issue_types"])
        score = np.clip(rng.normal(60 + of_agent[agent] + of_issue[issue], SD), 0, 100).round(4)
        connection = models.run("insight_person_or_process", given=_tables(agent, issue, day % 28, score))
        for component, variance in connection.execute(
            "select component, variance from iqs.trends.insight_person_or_process"
            " where dimension = 'all' and period = 'month' and basis = 'as_scored'"
        ).fetchall():
            estimates[component].append(float(variance))
    return [
        Figure(
            f"variance found of what was planted: {name}",
            f"{rounds} centres, 40 agents, 16 issue types, 4000 calls",
            len(estimates[name]),
            100 * float(np.mean(estimates[name])) / variance,
            "%",
            "planted",
            100.0,
            f"target 80-120 %; of single centres {100 * min(estimates[name]) / variance:.0f}-"
            f"{100 * max(estimates[name]) / variance:.0f} %",
        )
        for name, variance in planted.items()
    ]


def _effects(rng: np.random.Generator, n: int, variance: float) -> np.ndarray:
    """Effects with exactly this sample variance, so that what is recovered is not luck of the draw."""
    drawn = rng.normal(size=n)
    return (drawn - drawn.mean()) / drawn.std(ddof=1) * variance**0.5


if __name__ == "__main__":
    from tests.accuracy.figure import table

    print(table(figures(quick="--quick" in sys.argv)))

"""Reviews in a run: calibration is published beside the scores, and no score knows of it."""

from datetime import date, timedelta

import dagster as dg
import polars as pl

from pipelines.contracts.calibration import TABLES
from pipelines.definitions import build
from pipelines.resources.stage import asset_key
from tests.assets.conftest import MONDAY, published

REVIEWERS = {"r1": ("ops", False, -8), "r2": ("training", False, 4), "x": ("quality", True, 0)}


def deliver_reviews(installation, calls: list[str], *, first_day: date = MONDAY) -> None:
    rows = [
        {
            "session_id": f"cal-{i}",
            "interaction_id": call,
            "reviewer_id": reviewer,
            "parameter": parameter,
            "rating": (70 + 3 * i + bias) * (0.15 if parameter == "courtesy" else 1),
            "max_rating": 15 if parameter == "courtesy" else 100,
            "department": department,
            "is_expert": is_expert,
            "rated_at": f"{first_day + timedelta(weeks=i)}T15:00:00Z",
            "not_applicable": "false",
        }
        for i, call in enumerate(calls)
        for parameter in ("empathy", "active_listening", "courtesy")
        for reviewer, (department, is_expert, bias) in REVIEWERS.items()
    ]
    rows[-1] |= {"rating": "", "not_applicable": "true"}
    rows.append(rows[0] | {"reviewer_id": "r9", "rating": 101})
    rows.append(rows[0] | {"interaction_id": "never-came"})
    installation.deliver("reviews.csv", rows)


def manifests(installation) -> dict:
    return {t.name: installation.lake.manifest(t) for t in TABLES}


def calibrate_again(installation) -> None:
    job = build(installation.settings).resolve_job_def("daily")
    with dg.DagsterInstance.ephemeral() as storage:
        keys = [asset_key(t) for t in TABLES]
        made = job.execute_in_process(instance=storage, asset_selection=keys, partition_key=MONDAY.isoformat())
    assert made.success


def test_reviews_are_calibrated_published_and_leave_every_score_as_it_was(installation):
    # A table of an older version does not keep the warehouse from being built.
    path = installation.lake.path(TABLES[0])
    path.parent.mkdir(parents=True)
    pl.DataFrame({"session_id": ["of an older version"]}).write_parquet(path)

    installation.deliver_calls(MONDAY, 9)
    installation.deliver("agents.csv", [{"agent_id": "007", "name": "Ann", "hired_on": "2019-05-06"}])
    (result,) = installation.run()
    assert result.success, result.errors
    before = published(installation)
    assert installation.sql("select count(*) from calibration_sessions") == [(0,)]

    calls = [f"call-02-{i}" for i in range(9)]
    deliver_reviews(installation, calls)
    assert installation.waiting() == [MONDAY]
    (result,) = installation.run()
    assert result.success, result.errors
    assert published(installation) == before

    quarantined = installation.sql("select interaction_id, reason, detail from ops_quarantine order by 1")
    assert [(i, r) for i, r, _ in quarantined] == [
        ("call-02-0", "metadata_invalid"),
        ("never-came", "unknown_interaction"),
    ]
    assert "above max_rating 100" in quarantined[0][2]
    assert installation.sql("select count(*) from calibration_ratings where not is_machine") == [(80,)]
    # the machine's rating is the score as scored, and a name of the centre's own has none
    assert installation.sql(
        "select count(*), count(points) from calibration_ratings where is_machine and parameter = 'courtesy'"
    ) == [(9, 0)]
    assert installation.sql(
        "select count(*) from calibration_ratings as r inner join fct_parameter_scores as s "
        "on r.interaction_id = s.interaction_id and r.parameter = s.parameter and s.basis = 'as_scored' "
        "where r.is_machine and r.points is distinct from cast(s.score as double)"
    ) == [(0,)]
    assert installation.sql(
        "select round(bias, 3), is_severe from calibration_raters "
        "where reviewer_id = 'r1' and parameter = 'empathy' and rater_kind = 'reviewer'"
    ) == [(-8, True)]
    (machine,) = installation.sql(
        "select n, reference_kind from calibration_raters where reviewer_id = 'machine' and parameter = 'all'"
    )
    assert machine == (18, "expert")
    alpha = installation.sql(
        "select value, low, high, n_sessions from calibration_agreement where statistic = 'krippendorff_alpha' "
        "and parameter = 'all' and period = 'all' and panel = 'reviewers'"
    )
    assert alpha[0][1] < alpha[0][0] < alpha[0][2]
    assert alpha[0][3] == 9
    assert installation.sql(
        "select agent_id, is_tenured, is_outlier from calibration_agents where parameter = 'all'"
    ) == [("007", True, False)]

    stood = manifests(installation)
    calibrate_again(installation)
    assert manifests(installation) == stood

    (installation.landing / "reviews.csv").unlink()
    (gone,) = installation.run()
    assert gone.success, gone.errors
    assert all(installation.lake.read(t).is_empty() for t in TABLES)
    assert published(installation) == before

"""Checks in runs of a stage: what comes late, and what is younger than a partition, are in the ledger."""

import json

import dagster as dg

from assets.landing import landing_days
from assets.publication import publication_assets
from pipelines.automation.freshness import BY_MORNING
from pipelines.contracts.landing import INTERACTIONS
from pipelines.definitions import resources
from pipelines.quality.ledger import folder, latest
from tests.assets.conftest import MONDAY, Installation

YOUNG = "no_card_or_ssn_pattern_is_left"


def take_in(installation: Installation) -> dict:
    """Run the stage that takes in Monday; its outcomes for landing/interactions."""
    made = resources(installation.settings)
    with dg.DagsterInstance.ephemeral() as storage:
        run = dg.materialize(
            [landing_days],
            partition_key=MONDAY.isoformat(),
            resources={name: made[name] for name in ("lake", "landing")},
            instance=storage,
        )
    assert run.success
    outcomes = latest(installation.lake.root)
    return {check: o for (table, _, check), o in outcomes.items() if table == INTERACTIONS.name}


def test_a_late_call_is_a_warning_and_a_check_younger_than_a_partition_is_made_up_for(tmp_path):
    (tmp_path / "landing").mkdir()
    installation = Installation(tmp_path)
    installation.deliver_calls(MONDAY, 2)
    assert take_in(installation)["interactions_come_in_time"].passed
    standing = installation.lake.manifest(INTERACTIONS, MONDAY)

    # The ledger of a version that did not know the check yet.
    for file in folder(installation.lake.root).glob("*.jsonl"):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows if row["check_name"] != YOUNG))
    again = take_in(installation)
    assert again[YOUNG].passed
    assert again[YOUNG].fingerprint == standing.fingerprint
    assert installation.lake.manifest(INTERACTIONS, MONDAY) == standing

    installation.deliver_calls(MONDAY, 1, first=5, name="-late")
    late = take_in(installation)["interactions_come_in_time"]
    assert (late.blocking, late.passed, late.failing_rows, late.total_rows) == (False, False, 1, 3)
    assert installation.lake.read(INTERACTIONS, MONDAY).height == 3


def test_landing_and_publication_are_due_every_morning():
    due = [*landing_days.specs, *publication_assets([]).specs]
    assert {spec.freshness_policy for spec in due} == {BY_MORNING}
    assert (BY_MORNING.deadline_cron, BY_MORNING.lower_bound_delta.total_seconds()) == ("0 6 * * *", 24 * 3600)

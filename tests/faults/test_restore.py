"""From a backup alone: the whole installation again, equal to the last digit."""

import json
import os
import shutil
from pathlib import Path

import pytest

from pipelines.cli import backup as commands
from pipelines.cli.terminal import CommandError, run_ranges
from pipelines.publishing.days import ranges
from tests.assets.conftest import MONDAY, TUESDAY, Installation, made_in, parsed_project  # noqa: F401
from tests.faults.chain import differing, dump, rows_in

pytestmark = pytest.mark.promise


@pytest.fixture(scope="module")
def original(tmp_path_factory, parsed_project) -> Installation:  # noqa: F811
    """Two days, published, with reviews and tickets."""
    installation = made_in(tmp_path_factory.mktemp("original"), parsed_project)
    for day in (MONDAY, TUESDAY):
        installation.deliver_calls(day, 2)
    installation.deliver("tickets.csv", [{"ticket_id": "t-1", "interaction_id": "call-02-0", "customer_id": "ann-1"}])
    installation.deliver(
        "reviews.csv",
        [
            {"session_id": "s", "interaction_id": "call-02-0", "reviewer_id": r, "parameter": "empathy", "rating": n}
            for r, n in (("rita", 70), ("sam", 85))
        ],
    )
    assert run_ranges(installation.settings, ranges(installation.waiting())) == 0
    return installation


@pytest.fixture
def at(monkeypatch):
    """Commands on this data root."""

    def point(root: Path) -> None:
        for name in [n for n in os.environ if n.startswith("IQS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("IQS_DATA", str(root))
        monkeypatch.setenv("IQS_WORKERS", "2")

    return point


def test_everything_is_made_again_from_a_backup_without_the_landing_folder(
    original,
    at,
    tmp_path,
    capsys,
    parsed_project,  # noqa: F811
):
    before = dump(original.root)
    at(original.root)
    assert commands.backup(tmp_path / "backup", as_json=True) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["partitions"] > 50

    other = tmp_path / "other"
    shutil.copytree(parsed_project, other / "warehouse" / "dbt")
    at(other)
    assert commands.restore(tmp_path / "backup", as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    after = dump(other)
    assert differing(before, after) == []
    assert rows_in(after) > 1000
    assert told["received"] == 4
    # Nothing is left to do, and the history goes on.
    restored = Installation(other)
    shutil.copytree(original.landing, restored.landing, copy_function=shutil.copy2)
    assert restored.waiting() == []
    assert [r[0] for r in restored.sql("select count(*) from ops_publications")] == [1]

    with pytest.raises(CommandError, match="is not empty") as refused:
        commands.restore(tmp_path / "backup")
    assert refused.value.code == 2

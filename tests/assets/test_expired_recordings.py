"""A recording that retention has removed: its call stays scored as it was, also when its day is opened again."""

import csv
import shutil

import pytest

import assets.acoustics
import assets.recordings
from pipelines.privacy.retention import apply, expired
from pipelines.settings import PROJECT
from tests.assets.conftest import DIALOGUE, MONDAY, Installation

SAMPLE = PROJECT / "data" / "sample" / "landing" / "recordings" / "2026-03-02" / "C-1002.ogg"
SCORES = "select * exclude (publish_id) from {} where interaction_id = 'spoken' order by all"
TABLES = ("fct_metrics", "fct_parameter_scores", "fct_events")


def scores(installation: Installation) -> dict[str, list[tuple]]:
    found = {table: installation.sql(SCORES.format(table)) for table in TABLES}
    return found | {"calls": installation.sql("select interaction_id, status, iqs from fct_interactions order by all")}


@pytest.mark.promise
def test_the_sound_goes_and_the_scores_stay_when_the_day_is_opened_again_by_a_newer_version(installation, monkeypatch):
    installation.deliver_calls(MONDAY, 1)
    recording = installation.landing / "recordings" / "spoken.ogg"
    recording.parent.mkdir()
    shutil.copy(SAMPLE, recording)
    call = {"interaction_id": "spoken", "channel": "call", "started_at": f"{MONDAY}T10:00:00Z", "agent_id": "007"}
    installation.deliver("interactions-spoken.csv", [call | {"campaign": "billing", "recording": "spoken.ogg"}])
    said = [{"interaction_id": "spoken", "party": p, "text": t} for p, t in DIALOGUE]
    installation.deliver("transcripts-spoken.csv", said)
    assert all(r.success for r in installation.run())
    before = scores(installation)
    assert any(row for row in before["fct_metrics"])

    settings = installation.settings
    seeds = installation.root / "seeds"
    seeds.mkdir()
    with (seeds / "retention.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("class", "keep_days", "action", "meaning"), ("scored_recordings", 30, "remove", "")]
        )
    installation.overrides["seeds"] = seeds
    items = expired(installation.settings)
    assert [i.path for i in items] == [recording]
    assert apply(items, settings) == 1
    assert not recording.exists()
    installation.overrides.pop("seeds")
    assert installation.waiting() == []

    # A survey comes late, and the extractors have new versions meanwhile.
    installation.deliver("surveys.csv", [{"interaction_id": "spoken", "csat": 4}])
    monkeypatch.setattr(assets.recordings, "RECORDING_VERSION", "recordings-next")
    monkeypatch.setattr(assets.acoustics, "ACOUSTICS_VERSION", "acoustics-next")
    assert installation.waiting() == [MONDAY]
    assert all(r.success for r in installation.run())
    assert scores(installation) == before
    assert installation.sql("select csat from fct_interactions where interaction_id = 'spoken'") == [(4,)]

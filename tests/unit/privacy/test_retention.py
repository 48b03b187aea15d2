"""Retention: rules are rows, the default keeps everything, and what stands in scores is never touched."""

import csv
import json
import os
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from pipelines.cli import privacy as commands
from pipelines.contracts.landing import INTERACTIONS
from pipelines.lake import Lake
from pipelines.privacy.retention import RetentionError, apply, expired, read_rules
from pipelines.publishing.generations import current_id, publications
from pipelines.publishing.publisher import PublishOptions, publish
from pipelines.settings import PROJECT, Settings
from pipelines.warehouse import BuildState

DAY = date(2026, 3, 2)


def rule(settings, *rows):
    settings.seeds.mkdir(exist_ok=True)
    with (settings.seeds / "retention.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("class", "keep_days", "action", "meaning"), *((*r, "") for r in rows)])


@pytest.fixture
def settings(tmp_path):
    made = Settings(data=tmp_path, seeds=tmp_path / "seeds")
    recordings = made.landing / "recordings"
    recordings.mkdir(parents=True)
    # Of a customer who opted out, of one who did not, one file of both, and one that nobody names.
    about = {"call_date": DAY, "channel": "call", "agent_id": "a", "campaign": "c", "source_file": "i.csv"}
    rows = [("no", "no.wav", False), ("yes", "yes.wav", True), ("a", "both.wav", False), ("b", "both.wav", None)]
    frame = [{"interaction_id": i, "recording": f"recordings/{r}", "consent": c} | about for i, r, c in rows]
    Lake(made.lake).write(INTERACTIONS, INTERACTIONS.frame(frame), DAY, inputs="")
    head = "interaction_id,channel,started_at,agent_id,campaign,recording\n"
    (made.landing / "interactions.csv").write_text(
        head + "".join(f"{i},call,2026-03-02T09:00:00Z,a,c,recordings/{r}\n" for i, r, _ in rows)
    )
    old = (datetime.now(UTC) - timedelta(days=40)).timestamp()
    for name in ("no.wav", "yes.wav", "both.wav", "nobody.wav"):
        (recordings / name).write_bytes(b"sound")
        os.utime(recordings / name, (old, old))
    return made


def names(items):
    return sorted(i.path.name for i in items)


def test_the_shipped_rules_name_every_class_and_keep_everything(settings):
    shipped = read_rules(PROJECT / "dbt_project" / "seeds")
    assert [r.kind for r in shipped] == [
        "publications",
        "scored_recordings",
        "opted_out_recordings",
        "unclaimed_recordings",
        "run_logs",
    ]
    assert {r.keep_days for r in shipped} == {None}
    assert expired(settings) == []


def test_recordings_go_after_their_days_and_those_that_scores_stand_on_stay(settings):
    rule(settings, ("opted_out_recordings", 39, "remove"), ("unclaimed_recordings", 41, "remove"))
    assert names(expired(settings)) == ["no.wav"]
    rule(settings, ("opted_out_recordings", 39, "remove"), ("unclaimed_recordings", 39, "remove"))
    items = expired(settings)
    assert names(items) == ["no.wav", "nobody.wav"]
    assert sum(i.bytes for i in items) == 10
    assert apply(items, settings) == 2
    assert sorted(p.name for p in (settings.landing / "recordings").iterdir()) == ["both.wav", "yes.wav"]
    assert expired(settings) == []


def test_old_publications_go_and_the_current_one_stays_however_old(settings):
    warehouse = settings.data / "w.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts; create table marts.t as select 1::bigint as n")
    for _ in range(2):
        publish(
            warehouse, settings.published, public=("marts.t",), dbt=BuildState("success", ""), options=PublishOptions()
        )
    rule(settings, ("publications", 30, "remove"))
    assert expired(settings) == []
    items = expired(settings, datetime.now(UTC) + timedelta(days=31))
    now = current_id(settings.published)
    assert len(items) == 1
    apply(items, settings)
    assert [p.publish_id for p in publications(settings.published)] == [now]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("scores", 3, "remove"), "line 2: class 'scores' takes one of publications"),
        (("publications", "soon", "remove"), "line 2: keep_days is 'soon'"),
        (("publications", 0, "remove"), "takes days from 1 on"),
        (("publications", 3, "hide"), "it takes remove"),
    ],
)
def test_a_rule_that_can_not_be_obeyed_is_named_with_its_line(settings, row, told):
    rule(settings, row)
    with pytest.raises(RetentionError, match=told):
        read_rules(settings.seeds)


def test_the_command_shows_first_and_removes_then(settings, monkeypatch, capsys):
    rule(settings, ("unclaimed_recordings", 39, "remove"))
    for name, path in (("IQS_DATA", settings.data), ("IQS_SEEDS", settings.seeds)):
        monkeypatch.setenv(name, str(path))
    assert commands.retention(dry_run=True, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["removed"], len(told["items"])) == (0, 1)
    assert (settings.landing / "recordings" / "nobody.wav").exists()
    assert commands.retention() == 0
    assert "removed 1" in capsys.readouterr().out
    assert not (settings.landing / "recordings" / "nobody.wav").exists()

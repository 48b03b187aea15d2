"""Six synthetic calls with known truth, from sound to score."""

import csv
import json
import re
import shutil
from datetime import date

import pytest

from pipelines.contracts.conversation import EVENTS
from pipelines.contracts.transcripts import UTTERANCES
from tests.assets.conftest import Installation, made_in
from tests.conftest import REPOSITORY

SAMPLE = REPOSITORY / "data" / "sample"
DAY = date(2026, 3, 2)
CALLS = ("C-1001", "C-1002", "C-1004", "C-1005", "C-1006", "C-1013")
COUNTED = ("interruption", "retrieval", "dead_air", "hold")


@pytest.fixture(scope="module")
def scored(tmp_path_factory, parsed_project) -> Installation:
    made = made_in(tmp_path_factory.mktemp("sample"), parsed_project)
    rows = []
    for listing in sorted(SAMPLE.glob("landing/interactions-*.csv")):
        with listing.open(newline="") as file:
            rows += [row for row in csv.DictReader(file) if row["interaction_id"] in CALLS]
    unique = list({row["interaction_id"]: row for row in rows}.values())
    for row in unique:
        target = made.landing / row["recording"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLE / "landing" / row["recording"], target)
        # One day, so that one run has them all.
        row |= {"started_at": f"{DAY}T09:00:00+00:00", "ended_at": "", "transferred_at": ""}
    made.deliver("interactions.csv", unique)
    (result,) = made.run()
    assert result.success, result.errors
    return made


def truth(call: str) -> dict:
    return json.loads((SAMPLE / "truth" / f"{call}.json").read_text())


@pytest.mark.parametrize("call", CALLS)
def test_talk_time_and_overlap_are_those_of_the_truth(scored, call):
    query = f"select metric || ' ' || party, value from fct_metrics where interaction_id = '{call}'"
    found, known = dict(scored.sql(query)), truth(call)
    for party, about in known["parties"].items():
        talk_s = sum(s["end_s"] - s["start_s"] for s in about["segments"])
        assert found[f"talk_s {party}"] == pytest.approx(talk_s, rel=0.08)
        assert found[f"snr_db {party}"] == pytest.approx(about["snr_db"], abs=3)
        assert found[f"level_dbfs {party}"] == pytest.approx(about["active_level_dbfs"], abs=1.5)
        if call == "C-1006":
            continue  # the words of the card number are one mark
        assert found[f"word_count {party}"] == pytest.approx(about["n_words"], rel=0.25)
    overlap_s = found["overlap_ratio call"] * found["conversation_s call"]
    assert overlap_s == pytest.approx(known["overlap_s"], abs=0.4)


@pytest.mark.parametrize("call", CALLS)
def test_interruptions_look_ups_silences_and_holds_are_those_of_the_truth(scored, call):
    kinds = scored.lake.read(EVENTS, DAY).filter(interaction_id=call)["kind"].to_list()
    known = [event["kind"] for event in truth(call)["events"]]
    assert {k: kinds.count(k) for k in COUNTED} == {k: known.count(k) for k in COUNTED}


def test_the_card_number_that_the_customer_reads_out_is_redacted(scored):
    said = scored.lake.read(UTTERANCES, DAY).filter(interaction_id="C-1006")["text"].to_list()
    assert any("[card]" in text for text in said)
    assert not any(re.search(r"1\D{0,2}1\D{0,2}1\D{0,2}1", text) for text in said)


def test_asking_for_the_password_fails_the_call_and_keeps_the_score_it_would_have_had(scored):
    (row,) = scored.sql(
        "select iqs, fail_reason, iqs_unfailed > 0 from fct_interactions where interaction_id = 'C-1013'"
    )
    assert row == (0, "zero_tolerance", True)


def test_the_empathetic_agent_scores_above_the_one_who_interrupts(scored):
    scores = dict(scored.sql("select interaction_id, iqs from fct_interactions"))
    assert scores["C-1001"] > scores["C-1002"] + 20

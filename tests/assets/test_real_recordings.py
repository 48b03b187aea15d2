"""Real recordings that nobody here made: each is scored, excluded or in quarantine with the right reason."""

import re
import shutil
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.contracts.transcripts import RECOGNITIONS, UTTERANCES, WORDS
from tests.assets.conftest import Installation, made_in

pytestmark = pytest.mark.promise

DAY = date(2025, 2, 19)
# recording in shared/realdata -> what must become of it
EXPECTED = {
    "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav": ("scored", None),
    "two_channel_short/call_center_sample.wav": ("scored", None),
    "mono_phone_calls/Call01.wav": ("scored", None),
    "mono_u8_and_dual_mono/Sample1.mp3": ("excluded", "dual_mono"),
    "mono_u8_and_dual_mono/Sample2.mp3": ("excluded", "dual_mono"),
    "phone_clips/commercial_mono.wav": ("excluded", "mono_audio"),
    "phone_clips/english2.g712.wav": ("scored", None),
    "phone_clips/audio_silence_padding.wav": ("excluded", "too_short"),
    "phone_prompts/hold_music.wav": ("excluded", "too_short"),
}
BY_NAME = "Auto0_GUID_000_AGENT_ChrisL_DT_2025-02-19T06-01-22.wav"


@pytest.fixture(scope="module")
def scored(tmp_path_factory, parsed_project, realdata) -> Installation:
    made = made_in(tmp_path_factory.mktemp("real"), parsed_project)
    folder = made.landing / "recordings"
    folder.mkdir()
    rows = []
    for path in EXPECTED:
        name = Path(path).name
        shutil.copy(realdata / path, folder / name)
        rows.append({"interaction_id": Path(path).stem, "recording": f"recordings/{name}"})
    repair = (realdata / "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav").read_bytes()
    broken = {"cut-off.wav": repair[: len(repair) // 2], "noise.wav": bytes(range(256)) * 40, "nothing.wav": b""}
    for name, content in broken.items():
        (folder / name).write_bytes(content)
        rows.append({"interaction_id": Path(name).stem, "recording": name})
    rows.append({"interaction_id": "elsewhere", "recording": "../../elsewhere.wav"})
    rows.append({"interaction_id": "gone", "recording": "recordings/gone.wav"})
    common = {"channel": "call", "started_at": f"{DAY}T08:00:00Z", "agent_id": "A1", "campaign": "real"}
    made.deliver("interactions.csv", [row | common for row in rows])
    shutil.copy(realdata / "mono_u8_and_dual_mono/Auto0_GUID_000_AGENT_ChrisL_Mono.wav", folder / BY_NAME)
    (result,) = made.run()
    assert result.success, result.errors
    return made


def test_every_real_recording_is_scored_or_excluded_for_the_right_reason(scored):
    found = {i: (s, r) for i, s, r in scored.sql("select interaction_id, status, reason from fct_interactions")}
    expected = {Path(path).stem: outcome for path, outcome in EXPECTED.items()}
    assert {i: o for i, o in found.items() if i in expected} == expected


def test_every_broken_recording_is_in_quarantine_with_its_own_reason(scored):
    query = "select interaction_id, reason from fct_interactions where status = 'quarantined'"
    assert dict(scored.sql(query)) == {
        "cut-off": "truncated",
        "noise": "not_audio",
        "nothing": "empty",
        "elsewhere": "path_escape",
        "gone": "recording_missing",
    }


def test_what_came_in_is_scored_excluded_or_in_quarantine(scored):
    assert scored.sql("select received, scored + excluded + quarantined from ops_ledger") == [(15, 15)]


def test_the_eight_bit_call_is_named_by_its_file_name(scored):
    query = "select agent_id, call_date, status, reason from fct_interactions where interaction_id = 'Auto0_GUID_000'"
    assert scored.sql(query) == [("ChrisL", DAY, "scored", None)]


def test_nothing_is_invented_on_hold_music(scored):
    words = scored.lake.read(WORDS, DAY).filter(interaction_id="hold_music")
    assert words.is_empty()
    assert scored.lake.read(RECOGNITIONS, DAY).filter(interaction_id="hold_music")["outcome"].to_list() == ["no_speech"]


def test_the_transcript_of_the_car_repair_call_reads_right(scored):
    said = scored.lake.read(UTTERANCES, DAY).filter(interaction_id="Auto_Repairs_40_stereo_LagentRcaller")
    text = {
        party: re.sub(r"[^a-z' ]", "", " ".join(rows.sort("start_s")["text"]).lower())
        for (party,), rows in said.group_by("party")
    }
    for phrase in ("platinum motors", "how can i help you today", "two days from now", "rental car"):
        assert phrase in text["agent"], phrase
    assert "platinum motors" not in text["customer"]


def test_the_short_call_is_understood_word_for_word_and_the_account_number_is_redacted(scored):
    said = scored.lake.read(UTTERANCES, DAY).filter(interaction_id="call_center_sample").sort("start_s")
    agent = " ".join(said.filter(party="agent")["text"]).lower()
    customer = " ".join(said.filter(party="customer")["text"]).lower()
    assert "thank you for calling support" in agent
    assert "help with my account" in customer
    assert "12345" not in re.sub(r"\D", "", customer)


def test_talk_time_of_the_car_repair_call_is_plausible_and_adds_up(scored):
    rows = dict(
        scored.sql(
            "select metric || ' ' || party, value from fct_metrics "
            "where interaction_id = 'Auto_Repairs_40_stereo_LagentRcaller' and value is not null"
        )
    )
    total = rows["talk_s agent"] + rows["talk_s customer"]
    conversation = rows["conversation_s call"]
    assert total + (rows["silence_ratio call"] - rows["overlap_ratio call"]) * conversation == pytest.approx(
        conversation, abs=0.05
    )
    assert 0.3 < rows["talk_ratio agent"] < 0.8
    assert 120 < rows["speaking_rate_wpm agent"] < 300
    assert len(rows) > 60


def test_a_renamed_recording_is_not_recognised_again(scored, monkeypatch):
    before = scored.lake.read(WORDS, DAY)
    folder = scored.landing / "recordings"
    (folder / "call_center_sample.wav").rename(folder / "another name.wav")
    listing = (scored.landing / "interactions.csv").read_text()
    (scored.landing / "interactions.csv").write_text(listing.replace("call_center_sample.wav", "another name.wav"))

    def never(*_):
        raise AssertionError("a recording was recognised twice")

    monkeypatch.setattr("pipelines.speech.recognition.FasterWhisper.transcribe", never)
    (result,) = scored.run([DAY])
    assert result.success, result.errors
    assert scored.lake.read(WORDS, DAY).equals(before)


def test_the_restricted_file_holds_the_words_and_the_public_one_does_not(scored):
    current = scored.root / "published" / "current"
    with duckdb.connect(str(current / "restricted" / "iqs_restricted.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) > 20 from fct_utterances").fetchone() == (True,)
    assert (current / "restricted").stat().st_mode & 0o077 == 0
    tables = {name for (name,) in scored.sql("select table_name from information_schema.tables")}
    assert "fct_utterances" not in tables
    assert pl.read_parquet(current / "parquet" / "fct_interactions.parquet").height == 15

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.acoustics import SEGMENTS, VOICES
from pipelines.contracts.landing import AGENTS, INTERACTIONS
from pipelines.contracts.measured import NotMeasured
from pipelines.contracts.metrics import INTERACTION_METRICS, MEASURED, METRICS, OUTCOMES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import SPEAKERS
from pipelines.conversation import Segment, Utterance, conversation_measures, find_events, floor_of
from pipelines.metrics import interaction_metrics
from pipelines.metrics.interaction import OF_THE_WORDS, handling_s, level_rise_db

ROWS = len(MEASURED)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SAID = [Utterance("agent", 0, 20, "word " * 50, 50, 0.9), Utterance("customer", 21, 40, "word " * 40, 40, 0.9)]
TALK = floor_of([Segment("agent", 0, 20), Segment("customer", 21, 40)], SAID)
CONVERSATION = conversation_measures(TALK, find_events(TALK, SAID), SAID)
LANGUAGE = {(m, p): 1.0 for m in OF_THE_WORDS - {"first_response_s", "readability"} for p in METRICS[m].parties}
MEASURED = {
    "speech_s": 20.0,
    "music_s": 0.0,
    "level_dbfs": -26.0,
    "snr_db": 25.0,
    "pitch_hz": 180.0,
    "pitch_range_st": 5.0,
    "pitch_sd_st": 2.5,
    "level_range_db": 12.0,
    "pause_rate": 8.0,
    "clipping_ratio": 0.0,
    "extractor_version": "acoustics-1",
}


def metrics_of(
    *,
    row: dict | None = None,
    recording: dict | None = None,
    channels=(MEASURED, MEASURED),
    segments=(),
    agents=(),
    conversation=CONVERSATION,
    language=LANGUAGE,
    outcome="eligible",
) -> pl.DataFrame:
    """The rows of one interaction; by default an ordinary two-channel call."""
    row = {
        "interaction_id": "a",
        "call_date": date(2026, 3, 2),
        "channel": "call",
        "started_at": START,
        "agent_id": "007",
        "acw_s": 30.0,
        **(row or {}),
    }
    recordings, speakers = [], []
    if recording is not None:
        ordinary = {"layout": "two_channel", "n_channels": 2, "agent_channel": 0, "outcome": "accepted"}
        recordings = [{"interaction_id": "a", **ordinary, **recording, "extractor_version": "decode-1"}]
        agents_is = recordings[0]["agent_channel"]
        if recordings[0]["layout"] == "two_channel":
            parties = {agents_is: "agent", 1 - agents_is: "customer"}
            speakers = [
                {"interaction_id": "a", "audio_channel": c, "speaker": 0, "party": p} for c, p in parties.items()
            ]
    return interaction_metrics(
        OUTCOMES.frame([{"interaction_id": "a", "outcome": outcome}]),
        INTERACTIONS.frame([row]),
        RECORDINGS.frame(recordings),
        VOICES.frame([{"interaction_id": "a", "audio_channel": i, "speaker": 0, **c} for i, c in enumerate(channels)]),
        SPEAKERS.frame(speakers),
        SEGMENTS.frame([{"interaction_id": "a", "speaker": 0, "kind": "speech", **s} for s in segments]),
        AGENTS.frame(list(agents)),
        {} if conversation is None else {"a": conversation},
        {} if language is None else {"a": language},
        level_offset_db=81.0,
        language_version="language-1",
    )


def found(frame: pl.DataFrame, metric: str, party: str = "call"):
    value, reason = frame.filter(metric=metric, party=party).select("value", "reason").row(0)
    assert (value is None) == (reason is not None)
    return reason if value is None else value


CASES = {
    "ordinary call": {"recording": {}},
    "no words": {"recording": {}, "language": None},
    "mono": {
        "recording": {"layout": "mono", "n_channels": 1},
        "conversation": conversation_measures(floor_of([Segment(None, 0, 9)])),
        "language": None,
    },
    "silent": {"recording": {"layout": "silent"}, "conversation": conversation_measures(floor_of([]))},
    "transcript": {},
    "no content": {"conversation": None, "language": None},
    "chat": {
        "row": {"channel": "chat"},
        "conversation": {("word_count", "agent"): 4.0, ("word_count", "customer"): 9.0},
    },
    "email": {"row": {"channel": "email"}, "conversation": None, "language": None},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_metric_and_party_has_exactly_one_row_with_a_value_or_a_reason(case):
    frame = metrics_of(**case)
    assert frame.schema == INTERACTION_METRICS.schema
    assert frame.height == ROWS
    assert frame.select("metric", "party").n_unique() == ROWS
    assert (frame["value"].is_null() == frame["reason"].is_not_null()).all()
    assert frame["extractor_version"].null_count() == 0
    assert all(METRICS[m].unit == u for m, u in frame.select("metric", "unit").iter_rows())


def test_an_ordinary_call_lacks_only_what_it_cannot_have():
    frame = metrics_of(recording={}, segments=())
    missing = frame.filter(pl.col("value").is_null()).select("metric", "reason").unique().sort("metric")
    assert missing.rows() == [
        ("first_response_s", "not_applicable_to_call_type"),
        ("level_rise_db", "no_event"),
        ("readability", "not_applicable_to_call_type"),
        ("response_latency_s", "no_event"),
        ("retrieval_longest_s", "no_event"),
    ]


def test_quarantined_interactions_have_no_rows_and_excluded_ones_have():
    assert metrics_of(recording={}, outcome="quarantined").is_empty()
    assert metrics_of(recording={}, outcome="excluded").height == ROWS


def test_the_level_takes_the_agents_offset_or_the_settings():
    own = [{"agent_id": "007", "level_offset_db": 90.0}]
    assert found(metrics_of(recording={}), "level_db", "agent") == 55
    assert found(metrics_of(recording={}, agents=own), "level_db", "agent") == 64
    assert found(metrics_of(recording={}, agents=own), "level_db", "customer") == 55


def test_the_agents_audio_channel_gives_the_agents_sound():
    loud = {**MEASURED, "level_dbfs": -16.0}
    frame = metrics_of(recording={"agent_channel": 1}, channels=(MEASURED, loud))
    assert found(frame, "level_dbfs", "agent") == -16
    assert found(frame, "level_dbfs", "customer") == -26


def test_noise_hides_pitch_and_pauses_but_not_the_level():
    frame = metrics_of(recording={}, channels=({**MEASURED, "snr_db": 2.9}, MEASURED))
    for metric in ("pitch_mean_hz", "pitch_range_semitones", "pitch_variation", "pause_rate"):
        assert found(frame, metric, "agent") == "low_snr"
    assert found(frame, "snr_db", "agent") == 2.9
    assert found(frame, "level_dbfs", "agent") == -26
    assert found(frame, "pitch_mean_hz", "customer") == 180


def test_a_channel_without_speech_has_no_level_but_a_clipping_ratio():
    silent = {"speech_s": 0.0, "music_s": 9.0, "clipping_ratio": 0.0, "extractor_version": "acoustics-1"}
    frame = metrics_of(recording={}, channels=(MEASURED, silent))
    assert found(frame, "level_db", "customer") == "no_customer_speech"
    assert found(frame, "clipping_ratio", "customer") == 0


def test_sound_is_not_told_apart_on_mono_and_absent_without_audio():
    assert found(metrics_of(**CASES["mono"]), "level_db", "agent") == "mono_audio"
    assert found(metrics_of(**CASES["mono"]), "empathy_score", "agent") == "mono_audio"
    assert found(metrics_of(), "snr_db", "agent") == "no_audio"
    assert found(metrics_of(**CASES["no content"]), "empathy_score", "agent") == "no_audio"


def test_silence_has_no_words_to_judge():
    frame = metrics_of(**{**CASES["silent"], "language": None})
    assert found(frame, "empathy_score", "agent") == "no_agent_speech"
    assert found(frame, "sentiment_mean", "customer") == "no_customer_speech"
    assert found(frame, "escalation_risk") == "no_speech"


def test_a_chat_has_no_spoken_metrics():
    frame = metrics_of(**CASES["chat"])
    for metric in ("speaking_rate_wpm", "level_db", "talk_s", "asr_confidence"):
        assert found(frame, metric, "agent") == "not_applicable_to_call_type"
    assert found(frame, "conversation_s") == "not_applicable_to_call_type"
    assert found(frame, "word_count", "agent") == 4
    assert found(frame, "sentiment_mean", "customer") == 1


def test_each_metric_carries_the_version_of_its_own_stage():
    frame = metrics_of(recording={})
    version = dict(frame.select("metric", "extractor_version").iter_rows())
    assert version["snr_db"] == "acoustics-1"
    assert version["empathy_score"] == "language-1"
    assert version["talk_s"].startswith("conversation-1-")


def test_a_measure_outside_the_catalogue_is_refused():
    with pytest.raises(ValueError, match="charisma"):
        metrics_of(recording={}, language={("charisma", "agent"): 1.0})
    with pytest.raises(ValueError, match="is nan"):
        metrics_of(recording={}, language={("empathy_score", "agent"): float("nan")})


def test_handling_time_adds_only_the_hold_that_the_conversation_does_not_hold():
    call = {"channel": "call", "acw_s": 30.0, "hold_s": None}
    measures = {("conversation_s", "call"): 100.0, ("hold_s", "call"): 20.0}
    assert handling_s(call, measures) == 130
    assert handling_s({**call, "hold_s": 20.0}, measures) == 130
    assert handling_s({**call, "hold_s": 50.0}, measures) == 160
    assert handling_s({**call, "hold_s": 50.0}, {("conversation_s", "call"): 100.0}) == 180


def test_handling_time_needs_the_after_call_work():
    assert handling_s({"channel": "call", "acw_s": None, "hold_s": 5.0}, {}) == NotMeasured("not_supplied")
    silent = {("conversation_s", "call"): NotMeasured("no_speech")}
    assert handling_s({"channel": "call", "acw_s": 1.0, "hold_s": None}, silent) == NotMeasured("no_speech")


def test_handling_time_of_a_chat_runs_from_its_start_to_its_end():
    chat = {"channel": "chat", "acw_s": 10.0, "started_at": START, "ended_at": START + timedelta(minutes=5)}
    assert handling_s(chat, {}) == 310
    assert handling_s({**chat, "ended_at": None}, {}) == NotMeasured("not_supplied")
    assert handling_s({**chat, "channel": "email"}, {}) == NotMeasured("not_applicable_to_call_type")


def test_a_level_that_rises_from_40_to_30_below_full_scale_rises_by_10_db():
    assert level_rise_db([(0, 5, -40.0), (10, 15, -35.0), (20, 25, -30.0)]) == 10


def test_a_segment_across_a_third_counts_in_both():
    assert level_rise_db([(0, 9, -30.0), (10, 19, -20.0)]) == 10
    assert level_rise_db([(0, 3, -30.0), (4, 19, -20.0)]) == pytest.approx(5)


def test_less_than_15_seconds_of_speech_give_no_level_rise():
    assert level_rise_db([(0, 14.9, -30.0)]) is None


@given(st.lists(st.tuples(st.integers(5, 20), st.integers(-60, 0)), min_size=3, max_size=12), st.integers(-20, 20))
def test_the_level_rise_does_not_depend_on_the_level_and_turns_with_time(lengths, shift_db):
    forwards, at_s = [], 0
    for length, level in lengths:
        forwards.append((at_s, at_s + length, float(level)))
        at_s += length + 1
    louder = [(a, b, level + shift_db) for a, b, level in forwards]
    backwards = [(at_s - b, at_s - a, level) for a, b, level in forwards]
    assert level_rise_db(louder) == pytest.approx(level_rise_db(forwards), abs=1e-6)
    assert level_rise_db(backwards) == pytest.approx(-level_rise_db(forwards), abs=1e-6)


def test_level_rise_is_read_from_the_partys_own_segments():
    segments = [
        {"audio_channel": 0, "segment": i, "start_s": a, "end_s": b, "level_dbfs": level}
        for i, (a, b, level) in enumerate([(0.0, 10.0, -30.0), (12.0, 22.0, -24.0)])
    ]
    frame = metrics_of(recording={}, segments=segments)
    assert found(frame, "level_rise_db", "agent") == pytest.approx(6)
    assert found(frame, "level_rise_db", "customer") == "no_event"

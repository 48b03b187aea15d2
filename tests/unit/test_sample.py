"""The committed sample (`data/sample/`) is what its truth says it is."""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
LANDING, TRUTH = SAMPLE / "landing", SAMPLE / "truth"
CALLS = sorted(path.stem for path in TRUTH.glob("*.json"))
TWO_CHANNEL = [call for call in CALLS if json.loads((TRUTH / f"{call}.json").read_text("utf-8"))["layout"] == "two"]
FRAME_S = 0.01


@cache
def truth(call: str) -> dict:
    return json.loads((TRUTH / f"{call}.json").read_text("utf-8"))


@cache
def audio(call: str) -> tuple[np.ndarray, int]:
    """Samples (frames, channels) and rate."""
    return soundfile.read(LANDING / truth(call)["recording"], always_2d=True)


def rows(name: str) -> list[dict[str, str]]:
    with (LANDING / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def interactions() -> list[dict[str, str]]:
    return [row for path in sorted(LANDING.glob("interactions-*.csv")) for row in rows(path.name)]


def segments(call: str, party: str) -> list[dict]:
    return truth(call)["parties"][party]["segments"]


def speaks(call: str, party: str, *, margin_s: float = 0.0) -> np.ndarray:
    """Per 10 ms frame: does the party speak? A positive margin widens each segment, a negative one shrinks it."""
    seconds = (np.arange(int(truth(call)["duration_s"] / FRAME_S)) + 0.5) * FRAME_S
    said = np.zeros(len(seconds), dtype=bool)
    for segment in segments(call, party):
        said |= (seconds > segment["start_s"] - margin_s) & (seconds < segment["end_s"] + margin_s)
    return said


def frame_power(call: str, channel: int) -> np.ndarray:
    samples, rate = audio(call)
    size = round(rate * FRAME_S)
    n_frames = int(truth(call)["duration_s"] / FRAME_S)
    return (samples[: n_frames * size, channel].reshape(n_frames, size) ** 2).mean(axis=1)


def hold_frames(call: str) -> np.ndarray:
    seconds = (np.arange(int(truth(call)["duration_s"] / FRAME_S)) + 0.5) * FRAME_S
    held = np.zeros(len(seconds), dtype=bool)
    for event in truth(call)["events"]:
        if event["kind"] == "hold":
            held |= (seconds > event["start_s"]) & (seconds < event["end_s"])
    return held


def test_the_sample_is_under_four_megabytes():
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.suffix != ".pyc") < 4_000_000


def test_every_recording_named_in_a_row_is_in_the_landing_folder_and_only_one_has_no_row():
    named = {row["recording"] for row in interactions() if row["recording"]}
    there = {path.relative_to(LANDING).as_posix() for path in (LANDING / "recordings").rglob("*") if path.is_file()}
    assert named <= there
    assert [Path(path).name for path in there - named] == ["Auto1_GUID_001_AGENT_A12_DT_2026-03-04T09-12-05.flac"]


def test_every_interaction_has_an_expected_outcome_and_the_other_way_round():
    with (TRUTH / "outcomes.csv").open(encoding="utf-8", newline="") as file:
        outcomes = list(csv.DictReader(file))
    expected = sorted(row["interaction_id"] for row in outcomes if not row["interaction_id"].startswith("Auto1"))
    assert expected == sorted(row["interaction_id"] for row in interactions())
    assert {row["status"] for row in outcomes} == {"scored", "excluded", "quarantined", ""}
    assert all(row["reason"] for row in outcomes if row["status"] in ("excluded", "quarantined"))


def test_agents_keep_their_leading_zeros_and_are_known():
    agents = {row["agent_id"] for row in rows("agents.csv")}
    assert agents == {"007", "0042", "A12", "B03"}
    assert {row["agent_id"] for row in interactions()} <= agents


def test_exactly_one_row_has_an_unreadable_time_and_every_other_time_has_an_offset():
    unreadable = []
    for row in interactions():
        try:
            assert datetime.fromisoformat(row["started_at"]).tzinfo is not None
        except ValueError:
            unreadable.append(row["interaction_id"])
    assert unreadable == ["C-1020"]


def test_exactly_one_row_comes_twice():
    seen = [tuple(row.values()) for row in interactions()]
    twice = {row[0] for row in seen if seen.count(row) > 1}
    assert twice == {"C-1002"}
    assert len(seen) == len({row[0] for row in seen}) + 1


def test_about_a_third_of_the_issue_types_are_left_open():
    missing = [not row["issue_type"] for row in interactions()]
    assert 0.25 < sum(missing) / len(missing) < 0.45


def test_messages_and_ready_transcripts_belong_to_interactions_and_run_forward():
    channels = {row["interaction_id"]: row["channel"] for row in interactions()}
    lines = (LANDING / "messages.jsonl").read_text("utf-8").splitlines()
    written: dict[str, list[datetime]] = {}
    for message in map(json.loads, lines):
        written.setdefault(message["interaction_id"], []).append(datetime.fromisoformat(message["sent_at"]))
    assert sorted(channels[interaction] for interaction in written) == ["chat"] * 4 + ["email"] * 2
    assert all(times == sorted(times) for times in written.values())
    spoken: dict[str, list[float]] = {}
    for row in rows("transcripts.csv"):
        assert float(row["start_s"]) < float(row["end_s"])
        spoken.setdefault(row["interaction_id"], []).append(float(row["start_s"]))
    assert all(channels[interaction] == "call" and len(starts) >= 12 for interaction, starts in spoken.items())
    assert all(starts == sorted(starts) for starts in spoken.values())


def test_surveys_tickets_and_reviews_refer_to_interactions_of_the_sample():
    known = {row["interaction_id"] for row in interactions()}
    for name in ("surveys.csv", "tickets.csv", "reviews.csv"):
        assert {row["interaction_id"] for row in rows(name)} <= known, name


def test_the_corrupt_recording_cannot_be_opened_as_audio():
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.info(LANDING / "recordings/2026-03-05/C-1019.wav")


@pytest.mark.parametrize("call", CALLS)
def test_the_recording_has_the_rate_the_channels_and_the_length_its_truth_says(call):
    samples, rate = audio(call)
    assert rate == truth(call)["sample_rate"] == 8000
    assert samples.shape[1] == (1 if truth(call)["layout"] == "mono" else 2)
    assert len(samples) / rate == pytest.approx(truth(call)["duration_s"], abs=0.08)


@pytest.mark.parametrize("call", CALLS)
def test_segments_lie_inside_the_recording_in_order_and_at_least_three_tenths_apart(call):
    for party in ("agent", "customer"):
        end_s = -1.0
        for segment in segments(call, party):
            assert 0 <= segment["start_s"] < segment["end_s"] <= truth(call)["duration_s"]
            assert segment["start_s"] >= end_s + 0.299
            end_s = segment["end_s"]


@pytest.mark.parametrize("call", CALLS)
def test_claimed_overlap_equals_the_overlap_of_the_segments(call):
    both = speaks(call, "agent") & speaks(call, "customer")
    assert both.sum() * FRAME_S == pytest.approx(truth(call)["overlap_s"], abs=0.02)


@pytest.mark.parametrize("call", CALLS)
def test_claimed_words_are_the_words_of_the_segments(call):
    for party in ("agent", "customer"):
        text = " ".join(segment["text"] for segment in segments(call, party))
        assert len(re.findall(r"[\w'’-]+", text)) == truth(call)["parties"][party]["n_words"]


@pytest.mark.parametrize("call", CALLS)
def test_backchannels_and_interruptions_overlap_the_other_party_and_an_interrupted_one_stops(call):
    for party, other in (("agent", "customer"), ("customer", "agent")):
        for segment in segments(call, party):
            hosts = [
                host
                for host in segments(call, other)
                if host["start_s"] < segment["end_s"] and segment["start_s"] < host["end_s"]
            ]
            if segment["kind"] == "interruption":
                assert any(0.6 <= host["end_s"] - segment["start_s"] <= 1.5 for host in hosts), segment
                assert all(host["end_s"] < segment["end_s"] for host in hosts)
            if segment["kind"] == "terminal_overlap":
                assert any(host["end_s"] - segment["start_s"] <= 0.4 for host in hosts), segment
    for event in truth(call)["events"]:
        if event["kind"] == "interruption":
            assert 0.6 <= event["end_s"] - event["start_s"] <= 1.5


@pytest.mark.parametrize("call", CALLS)
def test_nobody_speaks_in_a_retrieval_a_dead_air_or_a_hold(call):
    anyone = speaks(call, "agent") | speaks(call, "customer")
    for event in truth(call)["events"]:
        if event["kind"] != "interruption":
            first, last = round(event["start_s"] / FRAME_S), round(event["end_s"] / FRAME_S)
            assert not anyone[first:last].any(), event
            assert anyone[first - 1], event
            assert anyone[last], event


@pytest.mark.parametrize("call", TWO_CHANNEL)
def test_a_channel_is_loud_in_its_partys_segments_and_quiet_outside(call):
    for party in ("agent", "customer"):
        known = truth(call)["parties"][party]
        if not known["segments"]:
            continue
        power = frame_power(call, known["channel"])
        inside = 10 * np.log10(power[speaks(call, party)].mean())
        outside = 10 * np.log10(power[~speaks(call, party, margin_s=0.05) & ~hold_frames(call)].mean() + 1e-12)
        snr_db = 60 if known["snr_db"] is None else known["snr_db"]
        assert inside - outside > snr_db - 3, (party, inside, outside)
        with_noise = 10 * np.log10(1 + 10 ** (-snr_db / 10))
        assert inside == pytest.approx(known["active_level_dbfs"] + with_noise, abs=1.0)


@pytest.mark.parametrize("call", TWO_CHANNEL)
def test_the_other_party_does_not_leak_into_a_channel(call):
    for party, other in (("agent", "customer"), ("customer", "agent")):
        known = truth(call)["parties"][party]
        power = frame_power(call, known["channel"])
        alone = speaks(call, other, margin_s=-0.05) & ~speaks(call, party, margin_s=0.05)
        noise_dbfs = -100 if known["noise_level_dbfs"] is None else known["noise_level_dbfs"]
        if alone.any():
            assert 10 * np.log10(power[alone].mean() + 1e-12) < noise_dbfs + 3


def test_hold_music_is_on_the_agents_channel_only():
    channel = truth("C-1005")["parties"]["agent"]["channel"]
    assert 10 * np.log10(frame_power("C-1005", channel)[hold_frames("C-1005")].mean()) > -35
    assert 10 * np.log10(frame_power("C-1005", 1 - channel)[hold_frames("C-1005")].mean()) < -45


def test_the_agent_is_on_channel_one_where_the_row_says_so():
    told = {row["interaction_id"] for row in interactions() if row["agent_channel"] == "1"}
    assert told == {call for call in TWO_CHANNEL if truth(call)["agent_channel"] == 1} == {"C-1008"}


def test_the_dual_mono_recording_carries_the_same_on_both_channels():
    samples, _ = audio("C-1016")
    assert np.corrcoef(samples.T)[0, 1] > 0.999


def test_the_wrong_number_has_less_than_four_seconds_of_speech_and_the_one_sided_call_no_customer():
    assert sum(party["speech_s"] for party in truth("C-1017")["parties"].values()) < 3.5
    assert segments("C-1018", "customer") == []

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from pipelines.contracts.acoustics import SEGMENTS
from pipelines.contracts.conversation import EVENTS, TURNS
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.measured import NotMeasured
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import SPEAKERS, UTTERANCES
from pipelines.conversation import Announcements, TurnOptions, conversation_version, conversations


def interaction(id_, channel="call", **more):
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return {"interaction_id": id_, "call_date": date(2026, 3, 2), "channel": channel, "started_at": at, **more}


def recording(id_, layout="two_channel", agent_channel=0, outcome="accepted"):
    n_channels = 1 if layout == "mono" else 2
    return {
        "interaction_id": id_,
        "layout": layout,
        "n_channels": n_channels,
        "agent_channel": agent_channel,
        "outcome": outcome,
    }


def speakers(recording_):
    """Each channel is a party's; nobody knows on mono recordings."""
    agent_channel = recording_["agent_channel"]
    known = recording_["layout"] == "two_channel"
    return [
        {
            "interaction_id": recording_["interaction_id"],
            "audio_channel": channel,
            "speaker": 0,
            "party": (("agent" if channel == agent_channel else "customer") if known else None),
        }
        for channel in range(2 if known else 1)
    ]


def segment(id_, channel, start_s, end_s, kind="speech"):
    return {
        "interaction_id": id_,
        "audio_channel": channel,
        "speaker": 0,
        "kind": kind,
        "start_s": float(start_s),
        "end_s": float(end_s),
    }


def utterance(id_, n, party, text, start_s=None, end_s=None, source="recognition"):
    times = {"start_s": start_s and float(start_s), "end_s": end_s and float(end_s)}
    said = {"text": text, "n_words": len(text.split()), "source": source}
    return {"interaction_id": id_, "utterance": n, "party": party, **times, **said}


def day(interactions, recordings=(), segments=(), utterances=(), announcements=Announcements()):
    return conversations(
        INTERACTIONS.frame(list(interactions)),
        RECORDINGS.frame(list(recordings)),
        SEGMENTS.frame(list(segments)),
        SPEAKERS.frame([s for r in recordings for s in speakers(r)]),
        UTTERANCES.frame(list(utterances)),
        announcements,
    )


def test_an_empty_day_gives_empty_tables():
    turns, events, measures = day([])
    assert turns.schema == TURNS.schema
    assert events.schema == EVENTS.schema
    assert measures == {}


@pytest.mark.parametrize(("agent_channel", "first"), [(0, "agent"), (1, "customer")])
def test_the_agents_channel_decides_who_speaks(agent_channel, first):
    turns, _, measures = day(
        [interaction("a")],
        [recording("a", agent_channel=agent_channel)],
        [segment("a", 0, 1, 6), segment("a", 1, 7, 9)],
    )
    assert turns["party"].to_list()[0] == first
    assert measures["a"]["talk_s", first] == 5


def test_hold_music_and_announcements_become_events():
    _, events, measures = day(
        [interaction("a")],
        [recording("a")],
        [
            segment("a", 0, 1, 6),
            segment("a", 1, 20, 24),
            segment("a", 1, 7, 19, "music"),
            segment("a", 0, 40, 42),
        ],
        [utterance("a", 0, "agent", "hello", 1, 6), utterance("a", 1, "customer", "please hold on", 20, 24)],
        Announcements(hold=("hold on",)),
    )
    assert events.select("kind", "party", "start_s", "end_s").rows() == [
        ("hold", "agent", 6.0, 20.0),
        ("hold", "customer", 24.0, 40.0),
    ]
    assert measures["a"]["hold_count", "call"] == 2


@pytest.mark.parametrize("layout", ["mono", "dual_mono"])
def test_one_sound_without_speakers_has_no_turns_but_a_length(layout):
    turns, events, measures = day(
        [interaction("a")],
        [recording("a", layout)],
        [segment("a", 0, 1, 5), segment("a", 0, 10, 12)],
        [utterance("a", 0, None, "hello there", 1, 5)],
    )
    assert turns.is_empty()
    assert events["kind"].to_list() == ["dead_air"]
    assert measures["a"]["conversation_s", "call"] == 11
    assert measures["a"]["talk_s", "agent"] == NotMeasured("mono_audio")


def test_mono_with_speakers_told_apart_has_turns_from_the_utterances():
    turns, _, measures = day(
        [interaction("a")],
        [recording("a", "mono")],
        [segment("a", 0, 1, 9)],
        [utterance("a", 0, "agent", "good morning", 1, 4), utterance("a", 1, "customer", "hi you", 4.5, 9)],
    )
    assert turns["party"].to_list() == ["agent", "customer"]
    assert measures["a"]["talk_s", "customer"] == 4.5
    assert measures["a"]["overlap_ratio", "call"] == NotMeasured("mono_audio")


def test_a_ready_made_transcript_gives_turns_from_its_times():
    turns, _, measures = day(
        [interaction("a"), interaction("b")],
        utterances=[
            utterance("a", 0, "agent", "good morning", 1, 4, "supplied"),
            utterance("a", 1, "customer", "my bill is wrong", 3, 9, "supplied"),
            utterance("b", 0, "agent", "good morning", source="supplied"),
        ],
    )
    assert turns.select("interaction_id", "party").rows() == [("a", "agent"), ("a", "customer")]
    assert measures["a"]["interruption_count", "customer"] == 1
    assert measures["b"]["talk_s", "agent"] == NotMeasured("no_times")
    assert measures["b"]["word_count", "agent"] == 2


def test_a_chat_gives_its_words_and_nothing_spoken():
    _, _, measures = day(
        [interaction("a", "chat")], utterances=[utterance("a", 0, "agent", "how are you", source="message")]
    )
    assert measures["a"] == {("word_count", "agent"): 3.0, ("word_count", "customer"): 0.0}


def test_what_cannot_be_read_is_left_out():
    _, _, measures = day(
        [interaction("a", landing_reason="metadata_invalid"), interaction("b"), interaction("c")],
        [recording("b", outcome="quarantined")],
        [segment("b", 0, 1, 5)],
    )
    assert measures == {}


def test_the_version_changes_with_the_rules_settings():
    assert conversation_version() == conversation_version()
    assert conversation_version() != conversation_version(TurnOptions(bridge_gaps_under_s=0.2))


def test_the_order_of_the_rows_does_not_matter():
    parts = (
        [segment("a", 0, 1, 6), segment("a", 1, 5, 9), segment("b", 0, 0, 3)],
        [utterance("a", 0, "agent", "one two", 1, 6), utterance("a", 1, "customer", "three", 5, 9)],
    )
    calls, files = [interaction("a"), interaction("b")], [recording("a"), recording("b")]
    forwards = day(calls, files, *parts)
    backwards = day(calls[::-1], files[::-1], *(p[::-1] for p in parts))
    assert forwards[0].equals(backwards[0])
    assert forwards[1].equals(backwards[1])
    assert forwards[2] == backwards[2]
    assert isinstance(forwards[0], pl.DataFrame)

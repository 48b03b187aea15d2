from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pipelines.contracts.acoustics import VOICES
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.metrics import OUTCOMES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import RECOGNITIONS, SPEAKERS, UTTERANCES
from pipelines.metrics import outcomes

EIGHT = "one two three four five six seven eight"


def verdict(
    *,
    channel="call",
    recording: dict | None = None,
    speech_s=(20.0, 20.0),
    said=(("agent", EIGHT), ("customer", EIGHT)),
    recognised="transcribed",
    source="recognition",
    times=False,
    supported=("en",),
    **row,
):
    """The outcome of one interaction; by default an ordinary call with a party on each channel."""
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    row = {"interaction_id": "a", "call_date": date(2026, 3, 2), "channel": channel, "started_at": at, **row}
    recordings, channels, speakers, recognitions = [], [], [], []
    if recording is not None:
        ordinary = {"layout": "two_channel", "n_channels": 2, "agent_channel": 0, "outcome": "accepted"}
        recordings = [{"interaction_id": "a", "duration_s": 60.0, **ordinary, **recording}]
        channels = [
            {"interaction_id": "a", "audio_channel": i, "speaker": 0, "speech_s": s, "clipping_ratio": 0.0}
            for i, s in enumerate(speech_s)
        ]
        speakers = speakers_of(recordings[0], len(speech_s))
        if recognised:
            recognitions = [
                {"interaction_id": "a", "audio_channel": i, "outcome": recognised, "language": "en", "n_words": 8}
                for i, _ in enumerate(speech_s)
            ]
    utterances = [
        {
            "interaction_id": "a",
            "utterance": i,
            "party": party,
            "text": text,
            "n_words": len(text.split()),
            "source": source,
            "start_s": 10.0 * i if times else None,
            "end_s": 10.0 * i + 5 if times else None,
        }
        for i, (party, text) in enumerate(said)
    ]
    found = outcomes(
        INTERACTIONS.frame([row]),
        RECORDINGS.frame(recordings),
        RECOGNITIONS.frame(recognitions),
        VOICES.frame(channels),
        SPEAKERS.frame(speakers),
        UTTERANCES.frame(utterances),
        supported_languages=supported,
    )
    assert found.schema == OUTCOMES.schema
    return found.row(0, named=True)


def speakers_of(recording: dict, n_voices: int) -> list[dict]:
    """Each channel is a party's, but on mono recordings nobody knows."""
    known = recording["layout"] not in ("mono", "dual_mono")
    party_of = {recording["agent_channel"]: "agent", 1 - recording["agent_channel"]: "customer"}
    return [
        {
            "interaction_id": "a",
            "audio_channel": i,
            "speaker": 0,
            "party": party_of[i] if known else None,
            "source": "default" if known else "unknown",
        }
        for i in range(n_voices)
    ]


def told(found):
    return found["outcome"], found["reason"]


def test_an_ordinary_call_is_eligible():
    found = verdict(recording={})
    assert told(found) == ("eligible", None)
    assert (found["duration_s"], found["n_words"], found["language"], found["layout"]) == (
        60,
        16,
        "en",
        "two_channel",
    )


def test_an_unusable_landing_row_is_quarantined_before_all_else():
    found = verdict(landing_reason="metadata_invalid", landing_detail="no agent", consent=False, said=())
    assert told(found) == ("quarantined", "metadata_invalid")
    assert (found["detail"], found["n_words"]) == ("no agent", None)


def test_a_recording_that_cannot_be_decoded_is_quarantined_with_its_reason():
    found = verdict(recording={"outcome": "quarantined", "reason": "truncated", "detail": "3 of 9 s"}, said=())
    assert told(found) == ("quarantined", "truncated")


def test_failed_recognition_is_quarantined_unless_a_transcript_was_supplied():
    assert told(verdict(recording={}, recognised="failed")) == ("quarantined", "transcription_failed")
    assert told(verdict(recording={}, recognised="failed", source="supplied")) == ("eligible", None)


def test_speech_that_never_went_through_recognition_is_quarantined():
    found = verdict(recording={}, recognised=None, said=())
    assert told(found) == ("quarantined", "transcription_failed")


def test_a_named_recording_that_never_arrived_is_quarantined():
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    row = {"interaction_id": "a", "call_date": date(2026, 3, 2), "channel": "call", "started_at": at}
    found = outcomes(
        INTERACTIONS.frame([{**row, "recording": "recordings/a.wav"}]),
        RECORDINGS.empty(),
        RECOGNITIONS.empty(),
        VOICES.empty(),
        SPEAKERS.empty(),
        UTTERANCES.empty(),
    )
    assert found["reason"].to_list() == ["recording_missing"]


def test_opting_out_comes_before_every_other_exclusion():
    assert told(verdict(recording={}, speech_s=(0.0, 0.0), said=(), consent=False)) == ("excluded", "opted_out")
    assert told(verdict(said=(), consent=False)) == ("excluded", "opted_out")


def test_a_call_with_neither_recording_nor_transcript_has_no_content():
    found = verdict(said=())
    assert told(found) == ("excluded", "no_content")
    assert found["n_words"] is None


@pytest.mark.parametrize("layout", ["silent", "mono", "dual_mono"])
def test_a_silent_recording_is_too_short_whatever_its_layout(layout):
    found = verdict(recording={"layout": layout}, speech_s=(0.0, 0.0), said=(), recognised="no_speech")
    assert told(found) == ("excluded", "too_short")
    assert found["detail"] == "nobody spoke in 60.0 s"
    assert found["n_words"] == 0


def test_a_wrong_number_of_two_seconds_is_too_short():
    found = verdict(recording={"duration_s": 5.0}, speech_s=(1.2, 0.8), said=(("agent", "hello"),))
    assert told(found) == ("excluded", "too_short")
    assert found["detail"] == "2.0 s of speech in 5.0 s"


def test_four_seconds_of_speech_are_enough():
    assert told(verdict(recording={}, speech_s=(2.0, 2.0))) == ("eligible", None)
    assert told(verdict(recording={}, speech_s=(2.0, 1.99))) == ("excluded", "too_short")


def test_a_recording_of_one_side_is_one_party():
    found = verdict(recording={"layout": "one_sided"}, speech_s=(40.0, 0.0), said=(("agent", EIGHT * 3),))
    assert told(found) == ("excluded", "one_party")
    assert found["detail"] == "no speech of the customer; the agent spoke"


def test_sound_without_words_on_one_side_is_one_party():
    found = verdict(recording={"agent_channel": 1}, said=(("agent", EIGHT * 3),))
    assert told(found) == ("excluded", "one_party")
    assert found["detail"] == "the customer said nothing (20.0 s of sound without words)"


@pytest.mark.parametrize(("layout", "reason"), [("mono", "mono_audio"), ("dual_mono", "dual_mono")])
def test_one_sound_is_excluded_only_where_the_speakers_are_not_told_apart(layout, reason):
    mono = {"layout": layout, "n_channels": 1 if layout == "mono" else 2}
    assert told(verdict(recording=mono, said=((None, EIGHT * 3),))) == ("excluded", reason)
    assert told(verdict(recording=mono)) == ("eligible", None)


def test_a_party_that_nobody_can_name_is_not_said_to_be_silent():
    found = verdict(recording={"layout": "dual_mono"}, speech_s=(9.0,), said=((None, EIGHT * 3),))
    assert told(found) == ("excluded", "dual_mono")
    assert (found["speaker_source"], found["speaker_confidence"]) == ("unknown", 0.0)


def test_nine_words_are_too_few_and_ten_enough():
    assert told(verdict(recording={}, said=(("agent", EIGHT), ("customer", "hi")))) == ("excluded", "too_few_words")
    assert told(verdict(recording={}, said=(("agent", EIGHT), ("customer", "hi you")))) == ("eligible", None)


def test_a_language_without_phrases_is_excluded_by_its_primary_tag():
    assert told(verdict(recording={}, language="de-AT")) == ("excluded", "language_unsupported")
    assert told(verdict(recording={}, language="en-GB")) == ("eligible", None)
    assert told(verdict(recording={}, language="de", supported=())) == ("eligible", None)


def test_a_transcript_without_audio_is_measured_by_its_own_times():
    found = verdict(source="supplied", times=True)
    assert told(found) == ("eligible", None)
    assert found["duration_s"] == 15
    assert told(verdict(source="supplied")) == ("eligible", None)


@pytest.mark.parametrize("channel", ["chat", "email", "social"])
def test_a_conversation_in_writing_needs_both_sides_and_ten_words(channel):
    written = {"channel": channel, "source": "message"}
    assert told(verdict(**written)) == ("eligible", None)
    assert told(verdict(**written, said=(("customer", EIGHT * 2),))) == ("excluded", "one_party")
    assert told(verdict(**written, said=(("agent", "hi"), ("customer", "yo")))) == ("excluded", "too_few_words")
    assert told(verdict(**written, said=())) == ("excluded", "no_content")


def test_there_is_one_row_per_interaction_that_came_in():
    rows = [{"interaction_id": f"{i:03}", "channel": "call"} for i in range(5)]
    found = outcomes(
        INTERACTIONS.frame(rows),
        RECORDINGS.empty(),
        RECOGNITIONS.empty(),
        VOICES.empty(),
        SPEAKERS.empty(),
        UTTERANCES.empty(),
    )
    assert found["interaction_id"].to_list() == ["000", "001", "002", "003", "004"]

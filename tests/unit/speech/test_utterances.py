from datetime import UTC, datetime

import polars as pl
import pytest

from pipelines.contracts.acoustics import SEGMENTS, VOICES
from pipelines.contracts.landing import INTERACTIONS, MESSAGES, TRANSCRIPTS
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import RECOGNITIONS, UTTERANCES, WORDS
from pipelines.speech.speakers import Role
from pipelines.speech.utterances import UtteranceOptions, utterances, utterances_from_words


def interactions(*ids: str, language: str | None = None) -> pl.DataFrame:
    return INTERACTIONS.frame([{"interaction_id": i, "channel": "call", "language": language} for i in ids])


def recording(interaction: str = "a", layout: str = "two_channel", agent_channel: int = 0) -> dict:
    channels = {"n_channels": 1 if layout == "mono" else 2, "agent_channel": agent_channel}
    return {"interaction_id": interaction, "layout": layout, "agent_channel_source": "default", **channels}


def spoken(
    text: str, start_s: float = 0.0, channel: int = 0, interaction: str = "a", each_s: float = 0.3
) -> list[dict]:
    return [
        {
            "interaction_id": interaction,
            "audio_channel": channel,
            "start_s": start_s + i * each_s,
            "end_s": start_s + (i + 1) * each_s,
            "word": word,
            "confidence": 0.8,
        }
        for i, word in enumerate(text.split())
    ]


def words(*runs: list[dict]) -> pl.DataFrame:
    rows = [row for run in runs for row in run]
    rows.sort(key=lambda r: (r["interaction_id"], r["audio_channel"]))
    return WORDS.frame([row | {"word_index": i} for i, row in enumerate(rows)])


def of_words(*runs: list[dict], **options) -> list[dict]:
    frame = words(*runs).with_columns(speaker=pl.lit(0, pl.Int8))
    return utterances_from_words(frame, UtteranceOptions(**options)).to_dicts()


def nobody_knows(voices, language):
    return Role(None, 0.5, "")


def day(
    recordings=(),
    recognitions=(),
    spoken_words=None,
    transcripts=(),
    messages=(),
    known=("a",),
    language=None,
    segments=(),
    voices=None,
):
    """The day's utterances; every channel of the recordings holds one voice unless `voices` says otherwise."""
    one_each = [
        {"interaction_id": r["interaction_id"], "audio_channel": c, "speaker": 0}
        for r in recordings
        for c in range(1 if r["layout"] in ("mono", "dual_mono") else 2)
    ]
    _, said = utterances(
        interactions(*known, language=language),
        RECORDINGS.frame(list(recordings)),
        SEGMENTS.frame(list(segments)),
        VOICES.frame(one_each if voices is None else list(voices)),
        RECOGNITIONS.frame(list(recognitions)),
        words() if spoken_words is None else spoken_words,
        TRANSCRIPTS.frame(list(transcripts)),
        MESSAGES.frame(list(messages)),
        nobody_knows,
    )
    return said


def test_a_pause_over_eight_tenths_parts_utterances():
    found = of_words(spoken("good morning sir"), spoken("how are you", start_s=0.9 + 0.81))
    assert [u["text"] for u in found] == ["good morning sir", "how are you"]
    assert [u["n_words"] for u in found] == [3, 3]


def test_a_shorter_pause_inside_a_sentence_does_not():
    assert len(of_words(spoken("good morning sir"), spoken("how are you", start_s=0.9 + 0.79))) == 1


@pytest.mark.parametrize(("pause_s", "expected"), [(0.39, 1), (0.41, 2)])
@pytest.mark.parametrize("end", [".", "?", "!", '."'])
def test_a_sentence_end_parts_after_four_tenths(end, pause_s, expected):
    assert len(of_words(spoken(f"thank you{end}"), spoken("how can I help", start_s=0.6 + pause_s))) == expected


def test_an_utterance_ends_before_the_word_that_makes_it_longer_than_thirty_seconds():
    found = of_words(spoken("word " * 70, each_s=1.0))
    assert [u["n_words"] for u in found] == [30, 30, 10]
    assert [(u["start_s"], u["end_s"]) for u in found] == [(0, 30), (30, 60), (60, 70)]


def test_times_and_confidence_are_those_of_the_words():
    run = spoken("one two")
    run[0]["confidence"] = 0.4
    (found,) = of_words(run)
    assert (found["start_s"], found["end_s"]) == (0.0, 0.6)
    assert found["confidence"] == pytest.approx(0.6)


def test_the_party_is_the_agent_on_the_agents_channel():
    heard = words(spoken("hello"), spoken("hi", channel=1, start_s=1))
    found = day(recordings=[recording(agent_channel=1)], spoken_words=heard)
    assert dict(found.select("text", "party").iter_rows()) == {"hello": "customer", "hi": "agent"}


@pytest.mark.parametrize("layout", ["mono", "dual_mono"])
def test_nobody_is_named_where_the_channels_are_not_the_parties(layout):
    found = day(recordings=[recording(layout=layout)], spoken_words=words(spoken("hello")))
    assert found["party"].to_list() == [None]


def test_words_that_redaction_emptied_are_no_words_and_a_mark_is_one():
    run = spoken("my card is [card] x x thanks")
    run[4]["word"] = run[5]["word"] = ""
    (found,) = of_words(run)
    assert (found["text"], found["n_words"]) == ("my card is [card] thanks", 5)


def test_interactions_and_channels_never_share_an_utterance():
    found = of_words(
        spoken("one"),
        spoken("two", start_s=0.3, channel=1),
        spoken("three", start_s=0.6, interaction="b"),
    )
    assert sorted(u["text"] for u in found) == ["one", "three", "two"]


def test_the_days_table_fits_the_contract_and_is_ordered_by_start():
    found = day(
        [recording()],
        [{"interaction_id": "a", "audio_channel": 0, "language": "es", "n_words": 3}],
        words(spoken("hello. you", start_s=5), spoken("yes", start_s=1, channel=1), spoken("well", start_s=9)),
    )
    assert found.schema == UTTERANCES.schema
    assert found["text"].to_list() == ["yes", "hello. you", "well"]
    assert found["utterance"].to_list() == [0, 1, 2]
    assert found["party"].to_list() == ["customer", "agent", "agent"]
    assert set(found["language"]) == {"es"}
    assert set(found["source"]) == {"recognition"}


def test_a_supplied_transcript_stands_in_place_of_recognition():
    found = day(
        [recording(), recording("b")],
        spoken_words=words(spoken("recognised"), spoken("also recognised", interaction="b")),
        transcripts=[
            {"interaction_id": "a", "seq": 0, "party": "agent", "text": "supplied text", "start_s": 1.0, "end_s": 2.0}
        ],
        known=("a", "b"),
        language="en",
    )
    assert found.select("interaction_id", "text", "source", "language").rows() == [
        ("a", "supplied text", "supplied", "en"),
        ("b", "also recognised", "recognition", "en"),
    ]


def test_a_supplied_transcript_without_times_keeps_its_own_order():
    segments = [
        {"interaction_id": "a", "seq": s, "party": p, "text": t}
        for s, p, t in ((2, "agent", "third"), (0, "customer", "first"), (1, "agent", "second"))
    ]
    found = day(transcripts=segments)
    assert found["text"].to_list() == ["first", "second", "third"]
    assert found["start_s"].null_count() == 3


def test_messages_come_in_the_order_they_were_sent_then_by_number():
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = [
        (0, "customer", "late", noon.replace(hour=13)),
        (1, "agent", "b", noon),
        (2, "customer", "c", noon),
        (3, "agent", "no time", None),
    ]
    found = day(
        messages=[{"interaction_id": "a", "seq": s, "party": p, "text": t, "sent_at": at} for s, p, t, at in rows]
    )
    assert found["text"].to_list() == ["b", "c", "late", "no time"]
    assert found["source"].unique().to_list() == ["message"]
    assert found["confidence"].null_count() == 4


def test_words_of_texts_are_counted_with_marks_as_one_each():
    texts = {
        "my card is [card], thanks!": 5,
        "it's 8 a.m. - really": 4,
        "[email]": 1,
        "...": 0,
        "¿Cómo está usted?": 3,
    }
    found = day(messages=[{"interaction_id": "a", "seq": i, "party": "agent", "text": t} for i, t in enumerate(texts)])
    assert dict(found.select("text", "n_words").iter_rows()) == texts


def test_the_language_is_that_of_the_channel_with_the_most_words():
    found = day(
        [recording()],
        [
            {"interaction_id": "a", "audio_channel": 0, "language": "de", "n_words": 2},
            {"interaction_id": "a", "audio_channel": 1, "language": "es", "n_words": 50},
        ],
        words(spoken("hola")),
        language="en",
    )
    assert found["language"].to_list() == ["es"]


def test_an_empty_day_has_no_utterances():
    found = day(known=())
    assert found.schema == UTTERANCES.schema
    assert found.height == 0

import polars as pl
import pytest

from pipelines.contracts.acoustics import SEGMENTS, VOICES
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import SPEAKERS, WORDS
from pipelines.speech.speakers import Role, speakers, with_speaker

FIRST, SECOND = (0, 0), (1, 0)  # the voices of a recording with two channels
LOW, HIGH = (0, 0), (0, 1)  # and of a mono one


def who(
    role: Role | None,
    *,
    layout: str = "two_channel",
    supplied: bool = False,
    agent_channel: int = 0,
    apart: float | None = None,
    voices: tuple = (FIRST, SECOND),
    texts: tuple[str, ...] = ("how can I help you", "my bill is wrong"),
    language: str | None = "en",
) -> dict:
    """{voice: (party, source)} of one call, and what the roles were asked."""
    recording = {
        "interaction_id": "a",
        "layout": layout,
        "n_channels": 1 if layout == "mono" else 2,
        "agent_channel": agent_channel,
        "agent_channel_source": "supplied" if supplied else "default",
    }
    asked = []

    def who_is_agent(heard, tag):
        asked.append((heard, tag))
        return role

    said = [
        {"interaction_id": "a", "audio_channel": c, "speaker": s, "text": text, "language": language}
        for (c, s), text in zip(voices, texts, strict=True)
    ]
    frame = speakers(
        INTERACTIONS.frame([{"interaction_id": "a", "language": None}]),
        RECORDINGS.frame([recording]),
        VOICES.frame(
            [{"interaction_id": "a", "audio_channel": c, "speaker": s, "speaker_confidence": apart} for c, s in voices]
        ),
        pl.DataFrame(
            said,
            schema={
                "interaction_id": pl.String,
                "audio_channel": pl.Int8,
                "speaker": pl.Int8,
                "text": pl.String,
                "language": pl.String,
            },
        ),
        who_is_agent,
    )
    assert frame.schema == SPEAKERS.schema
    rows = {(r["audio_channel"], r["speaker"]): r for r in frame.iter_rows(named=True)}
    return {"asked": asked, **rows}


def parties(found: dict) -> list:
    return [found[v]["party"] for v in sorted(k for k in found if k != "asked")]


def test_without_a_supplied_channel_the_first_is_the_agents():
    found = who(Role(FIRST, 0.99, "says how can I help"))
    assert parties(found) == ["agent", "customer"]
    assert {found[v]["source"] for v in (FIRST, SECOND)} == {"default"}
    assert found[FIRST]["confidence"] == 0.99


def test_swapped_channels_are_corrected_and_said():
    found = who(Role(SECOND, 0.97, "the voice on channel 1 asks how it can help"))
    assert parties(found) == ["customer", "agent"]
    assert found[FIRST]["source"] == "corrected"
    assert found[FIRST]["confidence"] == 0.97
    assert "how it can help" in found[FIRST]["detail"]


@pytest.mark.parametrize("role", [Role(SECOND, 0.9, "a few words"), Role(None, 0.5, "")])
def test_words_that_are_not_sure_correct_nothing(role):
    assert parties(who(role)) == ["agent", "customer"]


@pytest.mark.parametrize(("agent_channel", "expected"), [(0, ["agent", "customer"]), (1, ["customer", "agent"])])
def test_a_supplied_channel_stands_whatever_is_said_but_the_contradiction_is_kept(agent_channel, expected):
    contradicts = Role((1 - agent_channel, 0), 0.999, "asks how it can help")
    found = who(contradicts, supplied=True, agent_channel=agent_channel)
    assert parties(found) == expected
    assert found[FIRST]["source"] == "supplied"
    assert found[FIRST]["confidence"] == pytest.approx(0.001)
    assert "contradict" in found[FIRST]["detail"]


def test_the_voices_of_a_mono_recording_are_told_by_their_words():
    found = who(Role(HIGH, 0.9, "greets"), layout="mono", apart=0.8, voices=(LOW, HIGH))
    assert parties(found) == ["customer", "agent"]
    assert found[LOW]["source"] == "words"
    assert found[LOW]["confidence"] == 0.8  # as sure as the less sure of the two steps


@pytest.mark.parametrize(
    ("role", "apart", "voices"),
    [
        (Role(HIGH, 0.99, "greets"), 0.3, (LOW, HIGH)),
        (Role(HIGH, 0.6, "greets"), 0.9, (LOW, HIGH)),
        (Role(None, 0.5, ""), 0.9, (LOW, HIGH)),
        (Role(LOW, 0.99, "greets"), None, (LOW,)),
    ],
    ids=["voices hardly apart", "words hardly tell", "no words tell", "one voice"],
)
def test_what_cannot_be_trusted_is_unknown(role, apart, voices):
    found = who(role, layout="mono", apart=apart, voices=voices, texts=("hello there", "hi")[: len(voices)])
    assert set(parties(found)) == {None}
    assert {found[v]["source"] for v in voices} == {"unknown"}


def test_roles_are_asked_with_the_recognised_language():
    found = who(Role(None, 0.5, ""), language="es")
    assert found["asked"] == [({FIRST: ["how can I help you"], SECOND: ["my bill is wrong"]}, "es")]


def test_a_silent_voice_leaves_nothing_to_compare():
    found = who(Role(SECOND, 1.0, "never asked"), voices=(FIRST, SECOND), texts=("hello", ""))
    assert parties(found)  # a row for each voice all the same
    silent = who(Role(SECOND, 1.0, "never asked"), voices=(FIRST,), texts=("hello",))
    assert silent["asked"] == []
    assert parties(silent) == ["agent"]


def words(*spans: tuple[float, float], channel: int = 0) -> pl.DataFrame:
    return WORDS.frame(
        [
            {"interaction_id": "a", "audio_channel": channel, "word_index": i, "start_s": a, "end_s": b, "word": "w"}
            for i, (a, b) in enumerate(spans)
        ]
    )


def segments(*spans: tuple[float, float, int], channel: int = 0) -> pl.DataFrame:
    return SEGMENTS.frame(
        [
            {
                "interaction_id": "a",
                "audio_channel": channel,
                "speaker": speaker,
                "kind": "speech",
                "segment": i,
                "start_s": a,
                "end_s": b,
            }
            for i, (a, b, speaker) in enumerate(spans)
        ]
    )


def test_a_word_belongs_to_the_voice_that_shares_most_of_its_time():
    voices = segments((0.0, 2.0, 0), (2.0, 4.0, 1), (6.0, 7.0, 0))
    spans = ((0.5, 0.9), (1.7, 2.2), (1.8, 2.5), (3.9, 4.4), (5.7, 5.9))
    found = with_speaker(words(*spans), voices)
    assert found["speaker"].to_list() == [0, 0, 1, 1, 0]


def test_on_a_partys_own_channel_every_word_is_its_own():
    voices = pl.concat([segments((0.0, 2.0, 0)), segments((1.0, 3.0, 0), channel=1)])
    assert with_speaker(words((5.0, 5.5), channel=1), voices)["speaker"].to_list() == [0]
    assert with_speaker(words(), SEGMENTS.empty()).height == 0

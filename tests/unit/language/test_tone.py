"""Tone: activation against the speaker's own baseline, and what it adds to the words."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.acoustics import SEGMENTS
from pipelines.contracts.transcripts import SPEAKERS, UTTERANCES
from pipelines.language.said import say
from pipelines.language.tone import MOST_ADDED, activations, add_tone, displeased_before, with_tone

# Levels whose median is -30 and whose MAD is 2: one robust sigma is 1.4826 · 2 dB.
LEVELS = (-34.0, -32.0, -30.0, -28.0, -26.0)


def segment(i: int, start_s: float, end_s: float, *, channel: int = 1, speaker: int = 0, kind: str = "speech", **more):
    return {
        "interaction_id": "c1",
        "audio_sha256": "0" * 64,
        "audio_channel": channel,
        "speaker": speaker,
        "kind": kind,
        "segment": i,
        "start_s": start_s,
        "end_s": end_s,
        "level_dbfs": -30.0,
        "extractor_version": "x",
        **more,
    }


def calls(segments: list[dict], said: list[tuple[int, str | None, float | None, float | None]], parties=None):
    parties = parties or {(0, 0): "agent", (1, 0): "customer"}
    speakers = [
        {"interaction_id": "c1", "audio_channel": c, "speaker": s, "party": p, "source": "supplied"}
        for (c, s), p in parties.items()
    ]
    utterances = [
        {"interaction_id": "c1", "utterance": u, "party": p, "start_s": b, "end_s": e, "text": "", "n_words": 3,
         "source": "recognition"}
        for u, p, b, e in said
    ]  # fmt: skip
    found = activations(UTTERANCES.frame(utterances), SEGMENTS.frame(segments), SPEAKERS.frame(speakers))
    return dict(found.select("utterance", "activation").iter_rows())


def test_a_segment_one_robust_sigma_louder_has_a_third_of_it_where_pitch_is_as_usual():
    segments = [
        segment(i, 10.0 * i, 10.0 * i + 2, level_dbfs=level, pitch_hz=200.0, pitch_range_st=4.0)
        for i, level in enumerate(LEVELS)
    ]
    found = calls(segments, [(0, "customer", 30.0, 32.0), (1, "customer", 20.0, 22.0)])
    sigmas = 2 / (1.4826 * 2)
    assert found[0] == pytest.approx(sigmas / 3, abs=1e-4)
    assert found[1] == 0


def test_pitch_counts_in_semitones_of_the_own_voice():
    pitches = [100.0, 100.0, 100.0, 100.0, 200.0]
    segments = [segment(i, 10.0 * i, 10.0 * i + 2, pitch_hz=hz) for i, hz in enumerate(pitches)]
    # An octave is 12 semitones; the spread is at least 1, a z-score at most 4; the mean with the level's 0.
    assert calls(segments, [(0, "customer", 40.0, 42.0)])[0] == pytest.approx(2)


def test_a_calm_voice_is_not_excited_by_its_own_small_changes():
    segments = [segment(i, 10.0 * i, 10.0 * i + 2, level_dbfs=-30 + 0.1 * i) for i in range(9)]
    assert abs(calls(segments, [(0, "customer", 80.0, 82.0)])[0]) < 0.3


def test_without_pitch_the_level_speaks_alone():
    segments = [segment(i, 10.0 * i, 10.0 * i + 2, level_dbfs=level) for i, level in enumerate(LEVELS)]
    assert calls(segments, [(0, "customer", 40.0, 42.0)])[0] == pytest.approx(4 / (1.4826 * 2), abs=1e-4)


def test_segments_count_by_the_seconds_inside_the_utterance():
    segments = [segment(i, 10.0 * i, 10.0 * i + 2, level_dbfs=level) for i, level in enumerate(LEVELS)]
    # 0.5 s of -30 dB (z 0) and 1.5 s of -26 dB
    found = calls(segments, [(0, "customer", 21.5, 41.5)])[0]
    z = {level: (level + 30) / (1.4826 * 2) for level in LEVELS}
    assert found == pytest.approx((0.5 * z[-30.0] + 2 * z[-28.0] + 1.5 * z[-26.0]) / 4, abs=1e-4)


def test_four_segments_are_no_baseline():
    segments = [segment(i, 10.0 * i, 10.0 * i + 2, level_dbfs=level) for i, level in enumerate(LEVELS[:4])]
    assert calls(segments, [(0, "customer", 30.0, 32.0)]) == {0: None}


def test_each_voice_has_its_own_baseline_and_music_has_none():
    loud = [segment(i, 10.0 * i, 10.0 * i + 2, channel=0, level_dbfs=level + 20) for i, level in enumerate(LEVELS)]
    soft = [segment(i, 10.0 * i + 5, 10.0 * i + 7, level_dbfs=level) for i, level in enumerate(LEVELS)]
    music = [segment(0, 0.0, 60.0, kind="music", level_dbfs=0.0)]
    found = calls(loud + soft + music, [(0, "agent", 40.0, 42.0), (1, "customer", 45.0, 47.0)])
    assert found[0] == found[1] > 1


def test_two_voices_of_a_mono_recording_are_told_apart():
    segments = [segment(i, 10.0 * i, 10.0 * i + 2, channel=0, level_dbfs=level) for i, level in enumerate(LEVELS)]
    segments += [
        segment(5 + i, 10.0 * i + 5, 10.0 * i + 7, channel=0, speaker=1, level_dbfs=level - 20)
        for i, level in enumerate(LEVELS)
    ]
    parties = {(0, 0): "agent", (0, 1): "customer"}
    found = calls(segments, [(0, "agent", 40.0, 42.0), (1, "customer", 45.0, 47.0)], parties)
    assert found[0] == found[1] > 1


def test_what_was_not_heard_has_no_activation():
    segments = [segment(i, 10.0 * i, 10.0 * i + 2, level_dbfs=level) for i, level in enumerate(LEVELS)]
    said = [(0, "customer", 4.0, 6.0), (1, "agent", 20.0, 22.0), (2, None, 20.0, 22.0), (3, "customer", None, None)]
    assert calls(segments, said) == {0: None, 1: None}
    assert calls([], [(0, "customer", 1.0, 2.0)]) == {0: None}
    assert calls(segments, []) == {}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-60, 0), min_size=5, max_size=12), st.floats(-20, 20))
def test_a_louder_line_changes_nothing(levels, gain_db):
    def measured(gain: float):
        segments = [segment(i, 10.0 * i, 10.0 * i + 2, level_dbfs=level + gain - 40) for i, level in enumerate(levels)]
        said = [(i, "customer", 10.0 * i, 10.0 * i + 2) for i in range(len(levels))]
        return list(calls(segments, said).values())

    assert measured(gain_db) == pytest.approx(measured(0.0), abs=1e-3)


def tone(words: float, z: float, displeased: bool = False) -> float:
    return float(with_tone(np.array([words]), np.array([z]), np.array([displeased]))[0])


@pytest.mark.parametrize(
    ("words", "z", "displeased", "expected"),
    [
        (-0.5, 3.0, False, -0.75),  # in full
        (-0.5, 1.75, False, -0.625),  # halfway from 0.5 to 3
        (0.5, 1.75, False, 0.625),
        (-0.5, 0.5, True, -0.5),  # not yet
        (-0.5, -3.0, False, -0.5),  # cold anger stays anger
        (-0.9, 9.0, False, -1.0),
        (0.0, 9.0, False, 0.0),  # tone can't tell valence
        (0.0, 2.25, True, -0.125),  # halfway from 1.5 to 3
        (0.0, 1.5, True, 0.0),
        (0.0, np.nan, True, 0.0),
        (-0.5, np.nan, True, -0.5),
    ],
)
def test_tone_strengthens_words_and_tilts_the_neutral_words_of_a_displeased_customer(words, z, displeased, expected):
    assert tone(words, z, displeased) == pytest.approx(expected)


SENTIMENT = st.floats(-1, 1).map(lambda s: round(s, 4))


@given(SENTIMENT, st.floats(-5, 5), st.booleans())
def test_tone_adds_at_most_a_quarter_and_never_turns_a_sentiment(words, z, displeased):
    found = tone(words, z, displeased)
    assert abs(found - words) <= MOST_ADDED + 1e-9
    assert abs(found) <= 1
    assert found * words >= 0


@given(SENTIMENT, st.floats(-5, 5), st.floats(0, 5), st.booleans())
def test_more_activation_never_weakens(words, z, more, displeased):
    assert abs(tone(words, z + more, displeased)) >= abs(tone(words, z, displeased)) - 1e-9


def test_only_the_customers_own_words_before_count_as_displeasure(phrases):
    talk = say(
        phrases,
        ("agent", "this is a disgrace and I am furious"),
        ("customer", "my number is four four one"),
        ("customer", "this is a disgrace and I am furious"),
        ("agent", "what is your number"),
        ("customer", "it is four four one seven"),
    )
    assert displeased_before(talk).tolist() == [False, False, False, False, True]


def test_a_talk_gets_its_tone_and_short_utterances_do_not(phrases):
    talk = say(
        phrases,
        ("customer", "this is a disgrace and I am furious"),
        ("customer", "it is four four one seven"),
        ("customer", "terrible"),
    )
    for said in talk:
        said.activation = 3.0
    add_tone(talk)
    assert talk[0].sentiment == max(-1.0, round(talk[0].word_sentiment - MOST_ADDED, 4))
    assert (talk[1].word_sentiment, talk[1].sentiment) == (0.0, -MOST_ADDED)
    assert talk[2].sentiment == talk[2].word_sentiment < 0
    add_tone([])


def test_without_a_recording_words_are_all(phrases):
    talk = say(phrases, ("customer", "this is a disgrace"), ("agent", "thank you so much"))
    add_tone(talk)
    assert [s.sentiment for s in talk] == [s.word_sentiment for s in talk]


def test_the_frame_of_no_call_is_empty():
    found = activations(UTTERANCES.frame([]), SEGMENTS.frame([]), SPEAKERS.frame([]))
    assert found.is_empty()
    assert found.schema == {"interaction_id": pl.String, "utterance": pl.Int32, "activation": pl.Float64}

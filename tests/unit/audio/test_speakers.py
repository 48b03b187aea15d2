import io
import pickle
import zipfile
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
import signals
from hypothesis import given
from hypothesis import strategies as st
from signals import BRIGHT, DARK

from pipelines.audio.activity import voice_activity
from pipelines.audio.decode import decode
from pipelines.audio.level import energy_track
from pipelines.audio.speakers import SpeakerOptions, _cheapest_path, read_tensors, tell_apart


def turns(*said: tuple[tuple[float, float], float], pause_s: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """int16 (n, 1) of voices that speak for so many seconds each, and which turn it is per 10 ms frame (-1: pause)."""
    sound, truth = [], []
    for number, (who, seconds) in enumerate(said):
        sound += [signals.voice(seconds, *who, seed=number), signals.silence(pause_s)]
        truth += [np.full(round(seconds * 100), number), np.full(round(pause_s * 100), -1)]
    x = np.concatenate(sound)
    return signals.int16(x + signals.noise(len(x) / 8000, rms=0.0005)), np.concatenate(truth)


SAID = ((DARK, 6), (BRIGHT, 5), (DARK, 2), (BRIGHT, 6), (DARK, 4), (BRIGHT, 3))


@lru_cache(1)
def dialogue() -> tuple[np.ndarray, np.ndarray]:
    return turns(*SAID)


def expected(said, truth: np.ndarray) -> np.ndarray:
    who = np.array([voice != said[0][0] for voice, _ in said] + [False])
    return np.where(truth >= 0, who[truth], -1)


def told(samples: np.ndarray, speech: np.ndarray, **more) -> tuple[np.ndarray, float | None]:
    return tell_apart(samples, 8000, 0, 0.0, speech, SpeakerOptions(**more))


def test_two_unlike_voices_are_told_apart_frame_by_frame():
    samples, truth = dialogue()
    voices, confidence = told(samples, truth >= 0)
    assert 0.5 <= confidence <= 1.0
    assert voices.dtype == np.int8
    assert np.array_equal(voices == -1, truth < 0)
    assert np.mean(voices != expected(SAID, truth)) < 0.01


def test_a_change_of_voice_without_a_pause_is_found_within_300_ms():
    said = ((BRIGHT, 6), (DARK, 7), (BRIGHT, 4), (DARK, 6))
    samples, truth = turns(*said, pause_s=0.0)
    voices, confidence = told(samples, truth >= 0)
    assert confidence is not None
    found = np.flatnonzero(np.diff(voices)) + 1
    assert found == pytest.approx(np.array([600, 1300, 1700]), abs=30)


@pytest.mark.parametrize("who", [DARK, BRIGHT])
@pytest.mark.parametrize("seconds", [3, 12, 24])
def test_one_voice_stays_one(who, seconds):
    samples, truth = turns(*[(who, seconds / 4)] * 4)
    voices, confidence = told(samples, truth >= 0)
    assert confidence is None
    assert np.array_equal(voices, np.where(truth >= 0, 0, -1))


def test_the_first_to_speak_is_voice_0():
    samples, truth = dialogue()
    later = truth >= 1
    forward, _ = told(samples, truth >= 0)
    swapped, _ = told(samples, later)
    assert np.array_equal(swapped[later], 1 - forward[later])


def test_no_speech_and_a_word_are_one_voice():
    samples, truth = dialogue()
    nothing = np.zeros(len(truth), bool)
    assert np.array_equal(told(samples, nothing)[0], np.full(len(truth), -1))
    word = nothing.copy()
    word[100:150] = True
    voices, confidence = told(samples, word)
    assert confidence is None
    assert np.array_equal(voices, np.where(word, 0, -1))


def test_a_second_voice_of_one_second_is_not_trusted():
    samples, truth = turns((DARK, 10), (BRIGHT, 1), (DARK, 10))
    assert told(samples, truth >= 0)[1] is None


def test_the_gain_changes_nothing():
    samples, truth = dialogue()
    plain, confidence = told(samples, truth >= 0)
    halved, same = told((samples // 2).astype(np.int16), truth >= 0)
    assert np.mean(plain != halved) < 0.01
    assert same == pytest.approx(confidence, abs=0.05)


def test_of_long_speech_a_part_of_each_piece_decides():
    samples, truth = dialogue()
    voices, confidence = told(samples, truth >= 0, most_embedded_s=18.0)
    assert confidence is not None
    assert np.mean(voices != expected(SAID, truth)) < 0.08


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.floats(0, 2))
def test_the_path_is_the_cheapest_of_all(gains, cost):
    gains = np.array(gains)

    def worth(path: np.ndarray) -> float:
        return float(np.where(path, -gains, gains).sum() - cost * sum(a != b for a, b in pairwise(path)))

    every = [np.array([bool(n >> i & 1) for i in range(len(gains))]) for n in range(1 << len(gains))]
    assert worth(_cheapest_path(gains, np.full(len(gains), cost))) == pytest.approx(max(map(worth, every)))


def saved(thing: object) -> bytes:
    """A file as torch lays it out, with this in its pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(thing, protocol=2))
    return file.getvalue()


def test_a_file_of_weights_can_hold_nothing_but_tensors():
    assert read_tensors(saved({"a": 1})) == {"a": 1}
    for thing in (print, SpeakerOptions(), replace):
        with pytest.raises(pickle.UnpicklingError, match="is no tensor"):
            read_tensors(saved({"a": thing}))


def real(path) -> tuple[np.ndarray, int, np.ndarray]:
    audio = decode(path)
    mixed = (audio.samples.astype(np.int32).sum(axis=1, keepdims=True) // 2).astype(np.int16)
    speech = voice_activity(audio.samples, audio.rate_hz, energy_track(audio.samples, audio.rate_hz)).speech
    return mixed, audio.rate_hz, speech


def test_a_real_call_mixed_down_is_told_apart_as_its_channels_are(realdata):
    samples, rate_hz, speech = real(realdata / "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav")
    minute = slice(0, 6_000)
    speech = speech[minute]
    voices, confidence = tell_apart(samples[: 6_000 * 80], rate_hz, 0, 0.0, speech.any(axis=1))
    alone = speech.sum(axis=1) == 1
    wrong = np.mean(voices[alone] != speech[alone, 1])
    assert confidence > 0.5
    assert min(wrong, 1 - wrong) < 0.03


def test_one_channel_of_a_real_call_is_one_voice(realdata):
    path = realdata / "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav"
    audio = decode(path)
    samples = np.ascontiguousarray(audio.samples[: 60 * 8000, 1:])
    speech = voice_activity(samples, 8000, energy_track(samples, 8000)).speech[:, 0]
    assert tell_apart(samples, 8000, 0, 0.0, speech)[1] is None

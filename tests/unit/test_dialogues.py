"""The simulated dialogues of the accuracy commands: their truth, and the way to a score."""

from __future__ import annotations

import numpy as np
import pytest

from tests.accuracy import dialogues, sound
from tests.accuracy.dialogues import Line, TrueEvent


def voice(name: str, seed: int) -> dialogues.Voice:
    """Bursts of noise of 0.4 to 6 s as utterances."""
    random = np.random.default_rng(seed)
    clips = []
    for seconds in (0.4, 0.7, 0.9, 1.3, 1.6, 1.9, 2.5, 3.5, 4.5, 6.0):
        n = round(seconds * 100)
        clips.append(dialogues.Clip(0.05 * random.standard_normal(n * dialogues.HOP), np.ones(n, bool)))
    return dialogues.Voice(name, tuple(clips))


@pytest.fixture(scope="module")
def dialogue() -> dialogues.Dialogue:
    return dialogues.make_dialogue(voice("one", 1), voice("two", 2), 3)


def test_the_same_seed_makes_the_same_dialogue(dialogue):
    again = dialogues.make_dialogue(voice("one", 1), voice("two", 2), 3)
    assert np.array_equal(again.clean, dialogue.clean)
    assert again.events == dialogue.events


def test_who_interrupts_begins_while_the_other_speaks_and_the_other_stops(dialogue):
    cut_off = [e for e in dialogue.events if e.kind == "interruption"]
    assert cut_off
    for e in cut_off:
        other = dialogue.speech[:, 1 - dialogues.PARTIES.index(e.party)]
        start, end = round(e.start_s * 100), round(e.end_s * 100)
        assert other[start : end - 1].mean() > 0.75
        assert not other[end + 1 : end + 20].any()
        assert 0.5 < e.end_s - e.start_s <= 2.01


def test_nobody_speaks_in_dead_air(dialogue):
    for e in dialogue.events:
        if e.kind == "dead_air":
            assert not dialogue.speech[round(e.start_s * 100) + 1 : round(e.end_s * 100) - 1].any()


def test_a_leak_is_as_far_down_as_asked(dialogue):
    dry = dialogues.on_the_line(dialogue, Line()).astype(float)
    wet = dialogues.on_the_line(dialogue, Line(leak_db=-12)).astype(float)
    for c in (0, 1):
        leaked = np.mean((wet[:, c] - dry[:, c]) ** 2)
        source = np.mean(dry[:, 1 - c] ** 2)
        assert 10 * np.log10(leaked / source) == pytest.approx(-12.0, abs=1.0)


def test_an_event_is_matched_once_by_party_and_within_a_second():
    true = [TrueEvent("interruption", "agent", 10.0, 11.0), TrueEvent("interruption", "agent", 10.5, 11.0)]
    assert dialogues.matched(true, [TrueEvent("interruption", "agent", 10.2, 11.0)]) == 1
    assert dialogues.matched(true, [TrueEvent("interruption", "customer", 10.0, 11.0)]) == 0
    assert dialogues.matched(true, [TrueEvent("interruption", "agent", 12.0, 13.0)]) == 0


def test_f1_of_a_worked_example():
    assert sound.f1((3, 4, 6)) == pytest.approx(0.6)
    assert sound.f1((0, 0, 0)) == 1.0


def test_pitch_errors_count_voicing_and_octaves():
    truth = np.array([0.0] * 10 + [100.0] * 10)
    found = np.array([np.nan] * 10 + [100.0] * 5 + [200.0] * 5)
    voicing, gross, n = sound.pitch_errors(truth, found, np.ones(20, bool))
    assert (voicing, gross) == (0, 5)
    assert n < 20

from __future__ import annotations

import math

import pytest
from hypothesis import given
from small_talk import agent, customer, said, segment_lists, swapped

from pipelines.conversation.floor import (
    OTHER,
    Segment,
    TurnOptions,
    floor_of,
    intersections,
    is_question,
    joined,
    length_s,
    only_acknowledges,
    plain,
)


def turns(floor):
    return [(t.party, t.start_s, t.end_s) for t in floor.turns]


def spans(speech):
    return [(s.party, s.start_s, s.end_s) for s in speech]


@given(segment_lists)
def test_talk_and_silence_less_overlap_add_up_to_the_conversation(segments):
    floor = floor_of(segments)
    total_s = sum(floor.talk_s.values()) + floor.silence_s - floor.overlap_s
    assert total_s == pytest.approx(floor.conversation_s, abs=1e-6)
    assert length_s(floor.silences) == pytest.approx(floor.silence_s, abs=1e-6)


@given(segment_lists)
def test_swapping_the_parties_swaps_turns_and_backchannels(segments):
    floor, mirror = floor_of(segments), floor_of(swapped(segments))
    assert sorted(turns(floor)) == sorted((OTHER[p], a, b) for p, a, b in turns(mirror))
    assert sorted(spans(floor.backchannels)) == sorted((OTHER[p], a, b) for p, a, b in spans(mirror.backchannels))


@given(segment_lists)
def test_every_speech_is_in_one_turn_of_its_party_or_a_backchannel(segments):
    floor = floor_of(segments)
    for s in floor.speech:
        holding = [
            t
            for t in floor.turns
            if t.party == s.party and t.start_s <= s.start_s and s.end_s <= t.end_s and not s.is_backchannel
        ]
        assert len(holding) == (0 if s.is_backchannel else 1)
    spoken_s = sum(t.speech_s for t in floor.turns) + sum(s.duration_s for s in floor.backchannels)
    assert spoken_s == pytest.approx(sum(floor.talk_s.values()))
    assert bool(floor.turns) == bool(floor.speech)


@given(segment_lists)
def test_overlap_and_silence_are_those_of_a_count_in_tenths_of_a_second(segments):
    """A second, slow way: paint each party's bridged speech on a grid of 0.1 s."""
    floor = floor_of(segments)
    grid = {p: set() for p in OTHER}
    for s in floor.speech:
        grid[s.party].update(range(round(s.start_s * 10), round(s.end_s * 10)))
    both, either = grid["agent"] & grid["customer"], grid["agent"] | grid["customer"]
    assert floor.overlap_s == pytest.approx(len(both) / 10, abs=1e-6)
    assert floor.union_s == pytest.approx(len(either) / 10, abs=1e-6)


def test_gaps_under_300_ms_are_bridged_and_longer_ones_are_not():
    floor = floor_of([agent(0, 2), agent(2.29, 4), agent(4.31, 6)])
    assert spans(floor.speech) == [("agent", 0, 4), ("agent", 4.31, 6)]
    assert turns(floor) == [("agent", 0, 6)]
    assert floor.turns[0].speech_s == pytest.approx(5.69)


def test_segments_under_120_ms_are_dropped_after_bridging():
    floor = floor_of([agent(0, 0.1), customer(1, 1.1), customer(1.2, 1.3)])
    assert spans(floor.speech) == [("customer", 1, 1.3)]


def test_phonation_leaves_out_pauses_of_a_quarter_second_that_turns_bridge():
    floor = floor_of([agent(0, 2), agent(2.27, 4)])
    assert floor.talk_s["agent"] == pytest.approx(4.0)
    assert floor.phonation_s["agent"] == pytest.approx(3.73)


def test_the_conversation_runs_from_the_first_to_the_last_speech():
    floor = floor_of([agent(12, 15), customer(16, 20)])
    assert (floor.start_s, floor.end_s, floor.conversation_s, floor.silence_s) == (12, 20, 8, 1)


def test_nobody_speaking_is_a_conversation_of_no_length():
    floor = floor_of([])
    assert (floor.conversation_s, floor.silence_s, floor.turns, floor.start_s) == (0, 0, (), None)


def test_a_short_sound_inside_the_others_turn_is_a_backchannel_and_no_turn():
    floor = floor_of([agent(0, 10), customer(4, 4.6), customer(11, 13)])
    assert spans(floor.backchannels) == [("customer", 4, 4.6)]
    assert turns(floor) == [("agent", 0, 10), ("customer", 11, 13)]


def test_acknowledgement_words_are_a_backchannel_however_long():
    talk = [agent(0, 10), customer(4, 5.8)]
    assert not floor_of(talk).backchannels
    assert floor_of(talk, [said("customer", 4, 5.8, "Mm-hmm, right. Okay.")]).backchannels
    assert not floor_of(talk, [said("customer", 4, 5.8, "No, that is wrong.")]).backchannels


def test_an_okay_in_the_others_pause_is_a_backchannel_but_an_answer_is_a_turn():
    talk = [agent(0, 3), customer(3.3, 3.8), agent(4.2, 8)]
    okay = said("customer", 3.3, 3.8, "Okay.")
    told = floor_of(talk, [said("agent", 0, 3, "I have found your order."), okay])
    asked = floor_of(talk, [said("agent", 0, 3, "Shall I send it again?"), okay])
    assert turns(told) == [("agent", 0, 8)]
    assert turns(asked) == [("agent", 0, 3), ("customer", 3.3, 3.8), ("agent", 4.2, 8)]
    assert len(floor_of(talk).turns) == 3, "without words a sound in a pause is an answer"


def test_the_last_word_of_a_conversation_is_no_backchannel():
    assert len(floor_of([agent(0, 5), customer(4.6, 5.4)]).turns) == 2


def test_short_sounds_in_a_chain_do_not_make_backchannels_of_each_other():
    chain = [agent(0, 0.5), customer(0.4, 1.2), agent(1.1, 1.9), customer(1.8, 2.6), agent(2.5, 3.0)]
    assert floor_of(chain).turns


def test_a_turn_goes_on_over_the_others_failed_attempt():
    floor = floor_of([agent(0, 10), customer(4, 6), agent(10.5, 12)])
    assert turns(floor) == [("agent", 0, 12), ("customer", 4, 6)]


def test_a_turn_ends_where_the_other_speaks_in_its_pause():
    floor = floor_of([agent(0, 5), customer(5.5, 8), agent(8.2, 10)])
    assert turns(floor) == [("agent", 0, 5), ("customer", 5.5, 8), ("agent", 8.2, 10)]


def test_speech_without_parties_has_no_turns_but_a_length():
    floor = floor_of([Segment(None, 1, 4), Segment(None, 3, 5), Segment(None, 9, 11)])
    assert not floor.turns
    assert not floor.told_apart
    assert (floor.conversation_s, floor.union_s, floor.silence_s) == (10, 6, 4)


def test_speech_with_and_without_parties_is_refused():
    with pytest.raises(ValueError, match="without one"):
        floor_of([agent(0, 1), Segment(None, 2, 3)])


@pytest.mark.parametrize("end_s", [0.5, math.nan])
def test_a_segment_that_ends_before_it_starts_is_refused(end_s):
    with pytest.raises(ValueError, match="ends before it starts"):
        floor_of([agent(1, end_s)])


def test_the_limits_are_options():
    talk = [agent(0, 10), customer(4, 5.5)]
    assert floor_of(talk, options=TurnOptions(backchannel_up_to_s=2.0)).backchannels


def test_joined_spans_of_a_worked_example():
    assert joined([(5, 6), (0, 1), (0.5, 2), (2.1, 3)], 0.2) == [(0, 3), (5, 6)]
    assert joined([(0, 1), (1, 2)], 0.0) == [(0, 2)]


def test_intersections_of_a_worked_example():
    assert intersections([(0, 4), (6, 9)], [(3, 7), (8, 8.5)]) == [(3, 4), (6, 7), (8, 8.5)]


def test_phrases_are_compared_without_case_punctuation_and_contractions():
    assert plain("I'll check — one MOMENT, please!") == "i will check one moment please"
    assert plain("Don’t") == "do not"


def test_only_whole_acknowledgement_words_acknowledge():
    words = TurnOptions().acknowledgements
    assert only_acknowledges("Yeah, yeah. I see.", words)
    assert not only_acknowledges("Yeah but", words)
    assert not only_acknowledges("okayish", words)
    assert not only_acknowledges("", words)
    assert not only_acknowledges("okay", ())


def test_a_question_ends_in_a_question_mark():
    assert is_question('Is it "open?" ')
    assert is_question("多少钱？")
    assert not is_question("Is it? I hope so.")

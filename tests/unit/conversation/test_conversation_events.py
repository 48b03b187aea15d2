from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_talk import agent, customer, said, segment_lists, swapped

from pipelines.contracts.conversation import event_columns
from pipelines.conversation.events import Announcements, find_events
from pipelines.conversation.floor import OTHER, Segment, floor_of, intersections

PHRASES = Announcements(lookup=("let me check", "bear with me", "i will look"), hold=("put you on hold",))


def events(segments, utterances=(), music=(), announcements=PHRASES):
    return find_events(floor_of(segments, utterances), utterances, music, announcements)


def told(found):
    return [(e["kind"], e["party"], round(e["start_s"], 3), round(e["end_s"], 3)) for e in found]


def kinds(found):
    return [(e["kind"], e["party"]) for e in found]


# --- talking over each other
def test_cutting_the_customer_off_is_an_interruption():
    assert told(events([customer(0, 5), agent(4, 8)])) == [("interruption", "agent", 4, 5)]


def test_talking_over_a_customer_who_goes_on_is_an_interruption():
    assert told(events([customer(0, 10), agent(4, 7)])) == [("interruption", "agent", 4, 7)]


def test_giving_up_within_two_seconds_is_an_attempt():
    assert told(events([customer(0, 10), agent(4, 5.5)])) == [("attempted_interruption", "agent", 4, 5.5)]


def test_half_a_second_of_overlap_is_terminal_and_more_is_an_interruption():
    assert kinds(events([customer(0, 5), agent(4.5, 8)])) == [("terminal_overlap", "agent")]
    assert kinds(events([customer(0, 5), agent(4.49, 8)])) == [("interruption", "agent")]


def test_a_backchannel_is_never_an_interruption():
    assert kinds(events([customer(0, 10), agent(4, 5)])) == [("backchannel", "agent")]


def test_beginning_together_interrupts_nobody():
    assert events([customer(0, 3), agent(0.4, 4)]) == []


def test_resuming_what_the_other_broke_into_is_no_interruption():
    found = events([customer(0, 5), agent(4, 9), customer(5.4, 8)])
    assert kinds(found) == [("interruption", "agent")]


def test_answering_after_a_failed_attempt_is_not_a_second_interruption():
    found = events([customer(0, 10), agent(4, 5.5), agent(10.3, 14)])
    assert kinds(found) == [("attempted_interruption", "agent")]


def test_taking_the_floor_after_a_gap_is_no_event():
    assert events([customer(0, 5), agent(5.2, 8), customer(8, 9.5)]) == []


# --- waiting
def test_two_seconds_of_silence_is_no_dead_air_and_four_are():
    assert events([agent(0, 5), customer(7, 9)]) == []
    assert told(events([agent(0, 5), customer(9, 12)])) == [("dead_air", "call", 5, 9)]


def test_exactly_three_seconds_is_no_dead_air():
    assert events([agent(0, 5), customer(8, 9)]) == []


def test_an_announced_look_up_is_a_retrieval_until_the_agent_comes_back():
    talk = [agent(0, 3), agent(15, 18)]
    found = events(talk, [said("agent", 0, 3, "Sure, let me check."), said("agent", 15, 18, "Here it is.")])
    assert told(found) == [("retrieval", "agent", 3, 15)]
    assert found[0]["evidence"] == 'announced: "let me check"'


def test_contractions_announce_too():
    found = events([agent(0, 3), agent(15, 18)], [said("agent", 0, 3, "I'll look that up.")])
    assert kinds(found) == [("retrieval", "agent")]


def test_an_okay_of_the_customer_does_not_end_a_look_up():
    talk = [agent(0, 3), customer(3.4, 3.9), customer(9, 9.5), agent(15, 18)]
    found = events(talk, [said("agent", 0, 3, "Bear with me."), said("customer", 3.4, 3.9, "Okay.")])
    assert told(found) == [("retrieval", "agent", 3, 15)]


def test_a_hum_of_the_agent_does_not_end_a_look_up():
    talk = [agent(0, 3), agent(8, 8.4), agent(15, 18)]
    assert told(events(talk, [said("agent", 0, 3, "Bear with me.")])) == [("retrieval", "agent", 3, 15)]


def test_a_long_answer_of_the_customer_ends_the_wait():
    talk = [agent(0, 3), customer(8, 12), agent(12.5, 18)]
    assert told(events(talk, [said("agent", 0, 3, "Bear with me.")])) == [("retrieval", "agent", 3, 8)]


def test_one_announcement_covers_one_wait_only():
    talk = [agent(0, 3), agent(7, 9), agent(13, 15)]
    found = events(talk, [said("agent", 0, 3, "Bear with me."), said("agent", 7, 9, "So I have it here.")])
    assert told(found) == [("retrieval", "agent", 3, 7), ("dead_air", "call", 9, 13)]


def test_an_announcement_long_ago_announces_nothing():
    talk = [agent(0, 30), agent(36, 38)]
    text = "Let me check. " + "and so on " * 30
    assert kinds(events(talk, [said("agent", 0, 30, text)])) == [("dead_air", "call")]


def test_silence_after_a_question_of_the_customer_is_a_retrieval():
    talk = [customer(0, 3), agent(3.2, 3.7), agent(12, 15)]
    utterances = [said("customer", 0, 3, "What is my balance?"), said("agent", 3.2, 3.7, "Um.")]
    assert told(events(talk, utterances)) == [("retrieval", "agent", 3.7, 12)]
    utterances[0] = said("customer", 0, 3, "I moved house.")
    assert kinds(events(talk, utterances)) == [("dead_air", "call")]


def test_silence_after_the_agents_answer_to_the_question_is_dead_air():
    talk = [customer(0, 3), agent(3.2, 6), agent(12, 15)]
    utterances = [said("customer", 0, 3, "What is my balance?"), said("agent", 3.2, 6, "Ten euros exactly.")]
    assert kinds(events(talk, utterances)) == [("dead_air", "call")]


def test_a_customer_who_looks_something_up_is_not_the_agents_retrieval():
    talk = [agent(0, 2), customer(3, 5), customer(12, 14)]
    utterances = [said("agent", 0, 2, "Your number?"), said("customer", 3, 5, "Let me check.")]
    assert told(events(talk, utterances)) == [("retrieval", "customer", 5, 12)]


def test_silence_after_an_announced_hold_is_a_hold_even_if_something_is_checked():
    text = "Let me check, I will put you on hold."
    found = events([agent(0, 3), agent(60, 63)], [said("agent", 0, 3, text)])
    assert told(found) == [("hold", "agent", 3, 60)]


def test_six_seconds_of_music_are_a_hold_with_the_silence_around_it():
    talk = [agent(0, 3), agent(30, 33)]
    assert told(events(talk, music=[(5, 11)])) == [("hold", "agent", 3, 30)]
    assert told(events(talk, music=[(5, 10)])) == [("dead_air", "call", 3, 30)]


def test_music_on_both_channels_is_one_hold():
    talk = [agent(0, 3), agent(30, 33)]
    assert len(events(talk, music=[(4, 15), (5, 14), (16, 28)])) == 1


def test_music_before_the_first_word_does_not_count():
    assert events([agent(40, 43), customer(44, 47)], music=[(0, 39)]) == []


def test_an_announced_hold_with_music_is_counted_once():
    talk = [agent(0, 3), customer(12, 12.4), agent(40, 43)]
    found = events(talk, [said("agent", 0, 3, "I will put you on hold.")], music=[(13, 39)])
    assert told(found) == [("hold", "agent", 3, 40)]


def test_a_spent_announcement_does_not_excuse_the_silence_after_the_hold():
    talk = [agent(0, 3), agent(10, 12), agent(17, 19)]
    found = events(talk, [said("agent", 0, 3, "I will put you on hold.")], music=[(3.5, 9.8)])
    assert told(found) == [("hold", "agent", 3, 10), ("dead_air", "call", 12, 17)]


def test_on_mono_silence_and_announcements_are_still_heard():
    talk = [Segment(None, 0, 3), Segment(None, 9, 12), Segment(None, 20, 22)]
    found = events(talk, [said(None, 9, 12, "Let me check.")])
    assert told(found) == [("dead_air", "call", 3, 9), ("retrieval", "call", 12, 20)]


# --- all together
words = st.sampled_from(["let me check", "put you on hold", "why?", "okay", "the bill is wrong", ""])
music_lists = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 200)).map(lambda m: (m[0] / 10, (m[0] + m[1]) / 10)), max_size=3
)


@given(segment_lists, st.lists(words, min_size=25, max_size=25), music_lists)
def test_waits_never_overlap_and_cover_every_long_silence(segments, texts, music):
    utterances = [said(s.party, s.start_s, s.end_s, t) for s, t in zip(segments, texts, strict=False)]
    floor = floor_of(segments, utterances)
    found = find_events(floor, utterances, music, PHRASES)
    waits = [(e["start_s"], e["end_s"]) for e in found if e["kind"] in ("dead_air", "hold", "retrieval")]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(waits))
    for a, b in floor.silences:
        if b - a > 3:
            covered = [(max(a, x), min(b, y)) for x, y in intersections([(a, b)], waits)]
            assert sum(y - x for x, y in covered) == pytest.approx(b - a)


@given(segment_lists)
def test_swapping_the_parties_swaps_the_events(segments):
    def by_party(found, other):
        return sorted((e["kind"], other.get(e["party"], "call"), e["start_s"], e["end_s"]) for e in found)

    same = {"agent": "agent", "customer": "customer"}
    assert by_party(events(segments), OTHER) == by_party(events(swapped(segments)), same)


@given(segment_lists)
def test_a_turn_that_begins_over_the_other_is_at_most_one_event(segments):
    floor = floor_of(segments)
    found = find_events(floor)
    over = [e for e in found if e["kind"] in ("interruption", "attempted_interruption", "terminal_overlap")]
    starts = {(t.party, t.start_s) for t in floor.turns}
    assert len({(e["party"], e["start_s"]) for e in over}) == len(over)
    assert all((e["party"], e["start_s"]) in starts for e in over)
    assert sum(e["end_s"] - e["start_s"] for e in over) <= floor.overlap_s + 1e-6


@given(segment_lists)
def test_events_have_the_contracts_columns_and_stand_in_order(segments):
    found = events(segments)
    names = {c.name for c in event_columns()} - {"interaction_id"}
    assert all(set(e) == names and e["end_s"] >= e["start_s"] >= 0 for e in found)
    assert [e["event"] for e in found] == list(range(len(found)))

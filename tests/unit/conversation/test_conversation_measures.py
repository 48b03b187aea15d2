from __future__ import annotations

import pytest
from hypothesis import given
from small_talk import agent, customer, said, segment_lists, swapped

from pipelines.contracts.measured import NotMeasured
from pipelines.contracts.metrics import METRICS
from pipelines.conversation.events import Announcements, find_events
from pipelines.conversation.floor import OTHER, Segment, Utterance, floor_of
from pipelines.conversation.metrics import conversation_measures

PHRASES = Announcements(lookup=("let me check",))
MIRRORED = {"no_agent_speech": "no_customer_speech", "no_customer_speech": "no_agent_speech"}


def measured(segments, utterances=(), music=(), **more):
    floor = floor_of(segments, utterances)
    return conversation_measures(floor, find_events(floor, utterances, music, PHRASES), utterances, **more)


def words(party, start_s, end_s, n, confidence=0.9):
    return Utterance(party, start_s, end_s, " ".join(["word"] * n), n, confidence)


def value(measures, metric, party="call"):
    found = measures[metric, party]
    return found.reason if isinstance(found, NotMeasured) else found


@given(segment_lists)
def test_swapping_the_parties_swaps_every_metric_exactly(segments):
    here, mirror = measured(segments), measured(swapped(segments))
    for (metric, party), found in here.items():
        if METRICS[metric].parties == ("agent",):
            continue
        twin = mirror[metric, OTHER.get(party, "call")]
        if isinstance(found, NotMeasured):
            assert twin.reason == MIRRORED.get(found.reason, found.reason)
        else:
            assert twin == found, metric


@given(segment_lists)
def test_every_value_is_in_the_range_of_its_metric(segments):
    for (metric, party), found in measured(segments).items():
        definition = METRICS[metric]
        assert party in definition.parties
        if not isinstance(found, NotMeasured):
            assert definition.at_least is None or found >= definition.at_least
            assert definition.at_most is None or found <= definition.at_most


@given(segment_lists)
def test_talk_ratio_and_listening_ratio_are_complements(segments):
    m = measured(segments)
    if not isinstance(m["talk_ratio", "agent"], NotMeasured):
        assert m["talk_ratio", "agent"] + m["listening_ratio", "agent"] == pytest.approx(1)
        assert m["talk_ratio", "agent"] == m["listening_ratio", "customer"]


def test_a_worked_conversation_has_its_known_figures():
    """Agent 0-6 and 10-20, customer 5-9: 1 s of overlap, 1 s of silence, 20 s in all."""
    m = measured([agent(0, 6), customer(5, 9), agent(10, 20)])
    assert value(m, "conversation_s") == 20
    assert value(m, "talk_s", "agent") == 16
    assert value(m, "talk_ratio", "agent") == pytest.approx(0.8)
    assert value(m, "listening_ratio", "agent") == pytest.approx(0.2)
    assert value(m, "overlap_ratio") == pytest.approx(0.05)
    assert value(m, "silence_ratio") == pytest.approx(0.05)
    assert value(m, "interruption_count", "customer") == 1
    assert value(m, "interruption_s", "customer") == pytest.approx(1)
    assert value(m, "interruptions_per_min", "customer") == pytest.approx(60 / 16)
    assert value(m, "interruption_count", "agent") == 0
    assert value(m, "response_latency_s", "customer") == pytest.approx(-1)
    assert value(m, "response_latency_s", "agent") == pytest.approx(1)
    assert value(m, "longest_monologue_s", "agent") == 10
    assert value(m, "turn_count", "agent") == 2


def test_two_seconds_of_silence_is_no_dead_air_and_five_are_five_seconds_of_it():
    assert value(measured([agent(0, 5), customer(7, 9)]), "dead_air_s") == 0
    m = measured([agent(0, 5), customer(10, 12)])
    assert (value(m, "dead_air_count"), value(m, "dead_air_s")) == (1, 5)


def test_a_look_up_is_retrieval_and_not_dead_air():
    m = measured([agent(0, 3), agent(13, 15), customer(16, 20)], [said("agent", 0, 3, "Let me check.")])
    assert value(m, "retrieval_longest_s", "agent") == 10
    assert value(m, "retrieval_total_s", "agent") == 10
    assert value(m, "dead_air_count") == 0


def test_without_a_look_up_the_longest_is_null_and_the_total_is_0():
    m = measured([agent(0, 3), customer(4, 6)])
    assert value(m, "retrieval_longest_s", "agent") == "no_event"
    assert value(m, "retrieval_total_s", "agent") == 0


def test_hold_music_is_hold_and_not_a_monologue():
    m = measured([agent(0, 10), agent(40, 45), customer(46, 50)], music=[(11, 39)])
    assert (value(m, "hold_count"), value(m, "hold_s"), value(m, "dead_air_s")) == (1, 30, 0)
    assert value(m, "longest_monologue_s", "agent") == 15


def test_speaking_rate_counts_turns_of_five_words_and_more():
    """20 words in 8 s and 2 words in 2 s: 150 words a minute, not 132."""
    talk = [agent(0, 8), customer(9, 12), agent(13, 15)]
    m = measured(talk, [words("agent", 0, 8, 20), words("customer", 9, 12, 6), words("agent", 13, 15, 2)])
    assert value(m, "speaking_rate_wpm", "agent") == pytest.approx(150)
    assert value(m, "articulation_rate_wpm", "agent") == pytest.approx(132)
    assert value(m, "word_count", "agent") == 22


def test_words_of_an_utterance_over_two_turns_are_shared_by_time():
    talk = [agent(0, 6), customer(7, 10), agent(11, 17)]
    m = measured(talk, [words("agent", 0, 17, 24), words("customer", 7, 10, 6)])
    assert value(m, "speaking_rate_wpm", "agent") == pytest.approx(120)


def test_turns_of_few_words_give_no_speaking_rate():
    m = measured([agent(0, 2), customer(3, 6)], [words("agent", 0, 2, 4), words("customer", 3, 6, 9)])
    assert value(m, "speaking_rate_wpm", "agent") == "no_event"


def test_uncertain_words_give_no_rates_and_no_count():
    m = measured([agent(0, 6), customer(7, 9)], [words("agent", 0, 6, 20, confidence=0.34)])
    for metric in ("speaking_rate_wpm", "articulation_rate_wpm", "word_count"):
        assert value(m, metric, "agent") == "low_asr_confidence"
    assert value(m, "asr_confidence", "agent") == pytest.approx(0.34)


def test_confidence_is_weighted_by_words():
    m = measured([agent(0, 6)], [words("agent", 0, 3, 30, 0.9), words("agent", 3, 6, 10, 0.5)])
    assert value(m, "asr_confidence", "agent") == pytest.approx(0.8)


def test_a_silent_customer_leaves_ratios_and_rates_without_a_value():
    m = measured([agent(0, 10)], [words("agent", 0, 10, 20)])
    assert value(m, "talk_s", "customer") == 0
    assert value(m, "word_count", "customer") == 0
    for metric in ("talk_ratio", "listening_ratio", "interruptions_per_min", "response_latency_s"):
        assert value(m, metric, "agent") == "no_customer_speech"
    for metric in ("speaking_rate_wpm", "asr_confidence", "longest_monologue_s"):
        assert value(m, metric, "customer") == "no_customer_speech"


def test_where_nobody_speaks_nothing_of_the_call_is_measured():
    m = measured([])
    assert value(m, "conversation_s") == "no_speech"
    assert value(m, "dead_air_count") == "no_speech"
    assert value(m, "retrieval_total_s", "agent") == "no_agent_speech"
    assert value(m, "talk_s", "agent") == 0


def test_a_transcript_without_times_gives_words_only():
    utterances = [Utterance("agent", None, None, "hello there", 2), Utterance("customer", None, None, "hi", 1)]
    m = conversation_measures(None, (), utterances)
    assert value(m, "word_count", "agent") == 2
    assert value(m, "asr_confidence", "agent") == "not_supplied"
    assert value(m, "conversation_s") == value(m, "talk_ratio", "agent") == "no_times"


def test_mono_gives_the_calls_metrics_and_a_reason_for_the_parties():
    m = measured([Segment(None, 0, 4), Segment(None, 9, 10)], [said(None, 0, 4, "hello who is there")])
    assert value(m, "conversation_s") == 10
    assert value(m, "silence_ratio") == pytest.approx(0.5)
    assert value(m, "dead_air_s") == 5
    for metric, party in (("overlap_ratio", "call"), ("talk_s", "agent"), ("word_count", "customer")):
        assert value(m, metric, party) == "mono_audio"


def test_speakers_separated_on_one_channel_have_turns_but_no_overlap():
    m = measured([agent(0, 5), customer(6, 9)], hears_overlap=False)
    assert value(m, "talk_s", "agent") == 5
    assert value(m, "overlap_ratio") == value(m, "interruption_count", "agent") == "mono_audio"


def test_backchannels_are_acknowledgements_and_do_not_enter_latency():
    m = measured([customer(0, 10), agent(4, 4.6), agent(10.5, 14)])
    assert value(m, "acknowledgements", "agent") == 1
    assert value(m, "response_latency_s", "agent") == pytest.approx(0.5)


def test_a_failed_attempt_takes_no_floor_and_has_no_latency():
    m = measured([customer(0, 10), agent(4, 5.5), agent(10.5, 14)])
    assert value(m, "response_latency_s", "agent") == pytest.approx(0.5)


def test_every_metric_of_the_stage_is_given_whatever_came_in():
    everything = set(measured([agent(0, 5), customer(6, 9)]))
    assert set(measured([])) == everything
    assert set(measured([Segment(None, 0, 4)])) == everything
    assert set(conversation_measures(None)) == everything

"""The conversation in figures: talk, pace, interruptions, latency, waiting. Each a value or why there is none."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median

from pipelines.contracts.measured import Measured, Measures, NotMeasured
from pipelines.contracts.vocabulary import PARTIES
from pipelines.conversation.events import Event
from pipelines.conversation.floor import OTHER, Floor, Turn, Utterance, intersections, length_s

# Below this mean word probability, counts of words say more about the recogniser than about the party.
LOW_CONFIDENCE = 0.35
TURN_OF_WORDS = 5
MONOLOGUE_SILENCE_OVER_S = 3.0

OVERLAPPED = ("interruption_count", "interruption_s", "interruptions_per_min")
TIMED = (
    "speaking_rate_wpm",
    "articulation_rate_wpm",
    *OVERLAPPED,
    "listening_ratio",
    "talk_ratio",
    "talk_s",
    "response_latency_s",
    "longest_monologue_s",
    "turn_count",
    "acknowledgements",
)
WORDS = ("word_count", "asr_confidence")
RETRIEVAL = ("retrieval_longest_s", "retrieval_total_s")
OF_THE_CALL = (
    "conversation_s",
    "overlap_ratio",
    "silence_ratio",
    "dead_air_count",
    "dead_air_s",
    "hold_count",
    "hold_s",
)


def conversation_measures(
    floor: Floor | None,
    events: Sequence[Event] = (),
    utterances: Sequence[Utterance] = (),
    *,
    hears_overlap: bool = True,
) -> Measures:
    """Every metric of the conversation stage for one call: (metric, party) -> value or NotMeasured.

    `floor` is None for a transcript without times: what needs times is NULL `no_times`. A floor whose parties
    aren't told apart gives the call's metrics only; the parties' are NULL `mono_audio`. `hears_overlap=False`
    (speakers separated on one audio channel) makes overlap and interruptions NULL `mono_audio`.

    Counts and totals of what did not happen are 0; longest and median of nothing are NULL `no_event`. A party
    that said nothing has talk, turns and words of 0, and no rates. Where the mean word probability is under
    0.35, words and rates are NULL `low_asr_confidence`.
    """
    measures: Measures = {}
    if floor is None:
        _fill(measures, NotMeasured("no_times"))
    elif not floor.speech:
        _nobody_spoke(measures)
    elif not floor.told_apart:
        _fill(measures, NotMeasured("mono_audio"))
        measures.update(_of_the_call(floor, events))
        measures[("overlap_ratio", "call")] = NotMeasured("mono_audio")
    else:
        for party in PARTIES:
            measures.update(_talk(floor, events, party))
            measures.update(_pace(floor, utterances, party))
        measures.update(_of_the_call(floor, events))
        measures.update(_look_ups(floor, events))
        if not hears_overlap:
            measures[("overlap_ratio", "call")] = NotMeasured("mono_audio")
            measures.update({(m, p): NotMeasured("mono_audio") for m in OVERLAPPED for p in PARTIES})
    untold = any(u.party is None and u.n_words for u in utterances) or (floor is not None and not floor.told_apart)
    for party in PARTIES:
        own = [u for u in utterances if u.party == party]
        if untold and not own:
            measures.update({(m, party): NotMeasured("mono_audio") for m in WORDS})
        else:
            measures.update(_words(own, party))
    return measures


def party_words(utterances: Sequence[Utterance], party: str) -> Measured:
    """Words that the party said; NULL `low_asr_confidence` where they are too uncertain."""
    own = [u for u in utterances if u.party == party]
    confidence = _confidence(own)
    if confidence is not None and confidence < LOW_CONFIDENCE:
        return NotMeasured("low_asr_confidence")
    return float(sum(u.n_words for u in own))


def _fill(measures: Measures, why: NotMeasured) -> None:
    measures.update({(m, p): why for m in TIMED for p in PARTIES})
    measures.update({(m, "agent"): why for m in RETRIEVAL})
    measures.update({(m, "call"): why for m in OF_THE_CALL})


def _nobody_spoke(measures: Measures) -> None:
    for party in PARTIES:
        measures.update({(m, party): _silent(party) for m in TIMED})
        measures.update({(m, party): 0.0 for m in ("talk_s", "turn_count", "acknowledgements")})
    measures.update({(m, "agent"): _silent("agent") for m in RETRIEVAL})
    measures.update({(m, "call"): NotMeasured("no_speech") for m in OF_THE_CALL})


def _silent(party: str) -> NotMeasured:
    return NotMeasured(f"no_{party}_speech")


def _duration_s(event: Event) -> float:
    return event["end_s"] - event["start_s"]


# --- who talks
def _talk(floor: Floor, events: Sequence[Event], party: str) -> Measures:
    other = OTHER[party]
    own_s, others_s = floor.talk_s[party], floor.talk_s[other]
    turns = [t for t in floor.turns if t.party == party]
    interruptions = [e for e in events if e["kind"] == "interruption" and e["party"] == party]
    acknowledgements = [s for s in floor.backchannels if s.party == party]
    values: dict[str, Measured] = {
        "talk_s": own_s,
        "turn_count": float(len(turns)),
        "acknowledgements": float(len(acknowledgements)),
    }
    silent = _silent(party) if own_s == 0 else _silent(other) if others_s == 0 else None
    if silent:
        shared = ("talk_ratio", "listening_ratio", "response_latency_s", *OVERLAPPED)
        values.update(dict.fromkeys(shared, silent))
    else:
        latencies_s = response_latencies_s(floor.turns, party)
        values |= {
            "talk_ratio": own_s / (own_s + others_s),
            "listening_ratio": others_s / (own_s + others_s),
            "response_latency_s": median(latencies_s) if latencies_s else NotMeasured("no_event"),
            "interruption_count": float(len(interruptions)),
            "interruption_s": float(sum(map(_duration_s, interruptions))),
            "interruptions_per_min": len(interruptions) * 60 / others_s,
        }
    if own_s == 0:
        values["longest_monologue_s"] = _silent(party)
    else:
        values["longest_monologue_s"] = max((_monologue_s(t, floor) for t in turns), default=NotMeasured("no_event"))
    return {(metric, party): value for metric, value in values.items()}


def response_latencies_s(turns: Sequence[Turn], party: str) -> list[float]:
    """Gaps from the other's turn's end to the party's turn's start, in seconds; negative where they overlap.

    Floor transfer offset, for turns that take the floor: one that ends before the other's turn does not.
    Source: Levinson & Torreira 2015.
    """
    latencies_s, last = [], None
    for turn in sorted(turns, key=lambda t: (t.start_s, t.party == party)):
        if turn.party != party:
            last = turn
        elif last is not None and last.start_s < turn.start_s and last.end_s < turn.end_s:
            latencies_s.append(turn.start_s - last.end_s)
    return latencies_s


def _monologue_s(turn: Turn, floor: Floor) -> float:
    """The turn's length, less the silences of more than 3 s in it (a hold is no monologue)."""
    silent_s = length_s(
        (a, b)
        for a, b in intersections([(turn.start_s, turn.end_s)], floor.silences)
        if b - a > MONOLOGUE_SILENCE_OVER_S
    )
    return turn.end_s - turn.start_s - silent_s


# --- how fast
def _confidence(utterances: Sequence[Utterance]) -> float | None:
    known = [(u.confidence, u.n_words) for u in utterances if u.confidence is not None and u.n_words > 0]
    return sum(c * n for c, n in known) / sum(n for _, n in known) if known else None


def _words(own: Sequence[Utterance], party: str) -> Measures:
    n_words, confidence = sum(u.n_words for u in own), _confidence(own)
    if confidence is not None:
        known: Measured = confidence
    else:
        known = NotMeasured("not_supplied") if n_words else _silent(party)
    return {("word_count", party): party_words(own, party), ("asr_confidence", party): known}


def _pace(floor: Floor, utterances: Sequence[Utterance], party: str) -> Measures:
    own = [u for u in utterances if u.party == party]
    n_words, confidence = sum(u.n_words for u in own), _confidence(own)
    rate: Measured
    articulation: Measured
    if floor.talk_s[party] == 0:
        rate = articulation = _silent(party)
    elif n_words == 0 or (confidence is not None and confidence < LOW_CONFIDENCE):
        rate = articulation = NotMeasured("low_asr_confidence")
    elif any(u.start_s is None or u.end_s is None for u in own):
        rate = NotMeasured("no_times")
        articulation = n_words * 60 / floor.phonation_s[party]
    else:
        turns = [(t, words) for t, words in words_by_turn(floor, own, party) if words >= TURN_OF_WORDS - 1e-9]
        speech_s = sum(t.speech_s for t, _ in turns)
        rate = sum(words for _, words in turns) * 60 / speech_s if turns else NotMeasured("no_event")
        articulation = n_words * 60 / floor.phonation_s[party]
    return {("speaking_rate_wpm", party): rate, ("articulation_rate_wpm", party): articulation}


def words_by_turn(floor: Floor, own: Sequence[Utterance], party: str) -> list[tuple[Turn, float]]:
    """The party's turns with their words.

    An utterance's words are shared out over the party's speech that it covers, by time; one that covers none
    goes to the nearest. Words of backchannels belong to no turn.
    """
    speech = floor.of(party)
    if not speech:
        return []
    starts, ends = [s.start_s for s in speech], [s.end_s for s in speech]
    words = [0.0] * len(speech)
    for u in own:
        covered = {
            i: min(ends[i], u.end_s) - max(starts[i], u.start_s)
            for i in range(bisect_right(ends, u.start_s), bisect_left(starts, u.end_s))
        }
        total_s = sum(covered.values())
        if total_s > 0:
            for i, covered_s in covered.items():
                words[i] += u.n_words * covered_s / total_s
        else:
            middle_s = (u.start_s + u.end_s) / 2
            nearest = min(range(len(speech)), key=lambda i: max(starts[i] - middle_s, middle_s - ends[i], 0.0))
            words[nearest] += u.n_words
    return [
        (
            t,
            sum(
                words[i]
                for i in range(bisect_left(starts, t.start_s), bisect_right(ends, t.end_s))
                if not speech[i].is_backchannel
            ),
        )
        for t in floor.turns
        if t.party == party
    ]


# --- the call
def _of_the_call(floor: Floor, events: Sequence[Event]) -> Measures:
    conversation_s = floor.conversation_s
    dead_air = [_duration_s(e) for e in events if e["kind"] == "dead_air"]
    holds = [_duration_s(e) for e in events if e["kind"] == "hold"]
    values = {
        "conversation_s": conversation_s,
        "overlap_ratio": min(1.0, floor.overlap_s / conversation_s),
        "silence_ratio": min(1.0, floor.silence_s / conversation_s),
        "dead_air_count": float(len(dead_air)),
        "dead_air_s": float(sum(dead_air)),
        "hold_count": float(len(holds)),
        "hold_s": float(sum(holds)),
    }
    return {(metric, "call"): value for metric, value in values.items()}


def _look_ups(floor: Floor, events: Sequence[Event]) -> Measures:
    if floor.talk_s["agent"] == 0:
        return {(m, "agent"): _silent("agent") for m in RETRIEVAL}
    lengths_s = [_duration_s(e) for e in events if e["kind"] == "retrieval" and e["party"] == "agent"]
    return {
        ("retrieval_longest_s", "agent"): max(lengths_s, default=NotMeasured("no_event")),
        ("retrieval_total_s", "agent"): float(sum(lengths_s)),
    }

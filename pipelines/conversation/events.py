"""What happens between the parties: interruptions, backchannels, dead air, holds and look-ups."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipelines.conversation.floor import (
    OTHER,
    Floor,
    Span,
    Speech,
    Utterance,
    intersections,
    is_question,
    joined,
    plain,
)

Event = dict[str, object]


@dataclass(frozen=True)
class Announcements:
    """Phrases by which somebody announces a look-up ("let me check") or a hold ("please hold")."""

    lookup: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()


@dataclass(frozen=True)
class EventOptions:
    """Limits of the event rules (metrics.md §3, acoustics.md §4 of the design)."""

    interruption_overlap_over_s: float = 0.5
    floor_held_at_least_s: float = 0.5
    attempt_up_to_s: float = 2.0
    resumes_within_s: float = 1.0
    silence_over_s: float = 3.0
    prompt_within_s: float = 10.0
    word_times_off_by_s: float = 0.5
    music_at_least_s: float = 6.0
    music_gaps_under_s: float = 2.0


def find_events(
    floor: Floor,
    utterances: Sequence[Utterance] = (),
    music: Iterable[Span] = (),
    announcements: Announcements = Announcements(),
    options: EventOptions = EventOptions(),
) -> list[Event]:
    """Events of one conversation in order of time: dicts with event, kind, party, start_s, end_s, evidence.

    `music` are the spans with music on any channel, in seconds. Party is who did it: who started to speak, who
    announced; "call" for dead air and for what a mono recording leaves open. Every silence of more than 3 s is
    exactly one of dead_air, hold and retrieval, see `waits`.
    """
    timed = sorted(
        (u for u in utterances if u.start_s is not None and u.end_s is not None),
        key=lambda u: (u.start_s, u.end_s, u.party or ""),
    )
    events = [
        *(talk_over(floor, options) if floor.told_apart else ()),
        *(_event("backchannel", s.party, s.start_s, s.end_s, _said(timed, s)) for s in floor.backchannels),
        *waits(floor, timed, music, announcements, options),
    ]
    events.sort(key=lambda e: (e["start_s"], e["end_s"], e["kind"], e["party"]))
    return [{"event": i, **e} for i, e in enumerate(events)]


def _event(kind: str, party: str | None, start_s: float, end_s: float, evidence: str | None) -> Event:
    return {
        "kind": kind,
        "party": party or "call",
        "start_s": start_s,
        "end_s": end_s,
        "evidence": evidence,
    }


def _said(utterances: list[Utterance], s: Speech) -> str | None:
    inside = [
        u.text
        for u in utterances
        if u.party == s.party and s.start_s <= (u.start_s + u.end_s) / 2 <= s.end_s and u.text.strip()
    ]
    return " ".join(inside) or None


# --- talking over each other
def talk_over(floor: Floor, options: EventOptions = EventOptions()) -> list[Event]:
    """Turns that begin while the other speaks: at most one event for each.

    - terminal_overlap: the other stops within 0.5 s (Schegloff 2000: unproblematic, not scored).
    - attempted_interruption: the other keeps the floor and the newcomer gives up within 2 s.
    - interruption: overlap over 0.5 s, and the other falls silent, or both talk on for more than 2 s.
    Nothing where the other had spoken for less than 0.5 s (both began together), and nothing for a party that
    resumes within 1 s what the other has just broken into. A backchannel is no turn, so never among these.
    """
    events = []
    own_speech = {p: [s for s in floor.of(p) if not s.is_backchannel] for p in OTHER}
    starts = {p: [s.start_s for s in own_speech[p]] for p in OTHER}
    turns = {p: [t for t in floor.turns if t.party == p] for p in OTHER}
    turn_starts = {p: [t.start_s for t in turns[p]] for p in OTHER}
    for turn in floor.turns:
        other = OTHER[turn.party]
        before = bisect_left(starts[other], turn.start_s) - 1
        if before < 0 or own_speech[other][before].end_s <= turn.start_s:
            continue
        covering = own_speech[other][before]
        others_turn = turns[other][bisect_left(turn_starts[other], turn.start_s) - 1]
        if turn.start_s - others_turn.start_s < options.floor_held_at_least_s:
            continue
        own_before = bisect_left(starts[turn.party], turn.start_s) - 1
        if own_before >= 0:
            broken = own_speech[turn.party][own_before]
            if (
                broken.start_s < others_turn.start_s < broken.end_s
                and turn.start_s - broken.end_s <= options.resumes_within_s
            ):
                continue
        end_s = min(covering.end_s, turn.first_end_s)
        overlap_s = end_s - turn.start_s
        other_goes_on = covering.end_s > turn.first_end_s
        if overlap_s <= options.interruption_overlap_over_s:
            if other_goes_on:
                continue
            kind, outcome = "terminal_overlap", "had finished"
        elif not other_goes_on:
            kind, outcome = "interruption", "fell silent"
        elif overlap_s <= options.attempt_up_to_s:
            kind, outcome = "attempted_interruption", "kept the floor"
        else:
            kind, outcome = "interruption", "talked on"
        evidence = f"{overlap_s:.1f} s of overlap; the {other} {outcome}"
        events.append(_event(kind, turn.party, turn.start_s, end_s, evidence))
    return events


# --- waiting
@dataclass(frozen=True)
class _Prompt:
    kind: str
    party: str | None
    at_s: float
    evidence: str


def waits(
    floor: Floor,
    utterances: Sequence[Utterance],
    music: Iterable[Span] = (),
    announcements: Announcements = Announcements(),
    options: EventOptions = EventOptions(),
) -> list[Event]:
    """Dead air, holds and look-ups of one conversation; none overlaps another.

    - hold: music of 6 s and more, with the silence around it; or a silence of more than 3 s after an
      announced hold.
    - retrieval: a silence of more than 3 s after an announced look-up, or after a question of the customer,
      until who looks comes back; short interjections in between ("okay", "hmm") don't end it.
    - dead_air: any other silence of more than 3 s.
    An announcement counts for a silence that begins up to 10 s after it, and for one wait only. `utterances`
    with times, in order.
    """
    if not floor.speech:
        return []
    substantive = joined(((s.start_s, s.end_s) for s in floor.speech if not s.is_minor), 0.0)
    holds = _music_holds(floor, music, options)
    prompts = _announced(utterances, announcements)
    spent: set[_Prompt] = set()
    found: list[Event] = []
    current: Event | None = None
    silences = [
        (a, b) for a, b in floor.silences if b - a > options.silence_over_s and not intersections([(a, b)], holds)
    ]
    for a, b in sorted([*silences, *holds]):
        if (a, b) in holds:
            spent.update(p for p in prompts if p.at_s < b)
            current = _event("hold", "agent" if floor.told_apart else "call", a, b, "hold music")
            found.append(current)
            continue
        prompt = _prompt_of(a, prompts, spent, utterances, floor, options)
        if prompt is not None:
            spent.update(p for p in prompts if p.at_s <= prompt.at_s)
            spent.add(prompt)
            start_s = _wait_starts(a, prompt, floor, substantive)
            end_s = _wait_ends(b, prompt.party, floor, substantive)
            current = _event(prompt.kind, prompt.party, start_s, end_s, prompt.evidence)
            found.append(current)
        elif current is not None and not intersections([(current["end_s"], a)], substantive):
            waiting = current["party"] if current["party"] != "call" else None
            current["end_s"] = _wait_ends(b, waiting, floor, substantive)
        else:
            current = None
            found.append(_event("dead_air", "call", a, b, f"{b - a:.1f} s without a word"))
    return _merged(found, substantive)


def _music_holds(floor: Floor, music: Iterable[Span], options: EventOptions) -> list[Span]:
    """Music inside the conversation, joined over channels, with the silences that it touches."""
    clipped = [(max(a, floor.start_s), min(b, floor.end_s)) for a, b in music]
    holds = [
        (a, b)
        for a, b in joined((s for s in clipped if s[1] > s[0]), options.music_gaps_under_s)
        if b - a >= options.music_at_least_s
    ]
    widened = [
        (
            min([a, *(x for x, y in floor.silences if x < b and y > a)]),
            max([b, *(y for x, y in floor.silences if x < b and y > a)]),
        )
        for a, b in holds
    ]
    return joined(widened, 0.0)


@lru_cache(maxsize=16)
def _phrases(phrases: tuple[str, ...]) -> re.Pattern[str]:
    words = sorted({plain(p) for p in phrases} - {""}, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b" if words else r"(?!)")


def _announced(utterances: Sequence[Utterance], announcements: Announcements) -> list[_Prompt]:
    """Announcements with the time of the phrase's end, guessed from its place in the utterance."""
    prompts = []
    for u in utterances:
        text = plain(u.text)
        for kind, phrases in (("hold", announcements.hold), ("retrieval", announcements.lookup)):
            for match in _phrases(phrases).finditer(text):
                at_s = u.start_s + (u.end_s - u.start_s) * match.end() / len(text)
                prompts.append(_Prompt(kind, u.party, at_s, f'announced: "{match.group()}"'))
    return sorted(prompts, key=lambda p: (p.at_s, p.kind))


def _prompt_of(
    at_s: float,
    prompts: list[_Prompt],
    spent: set[_Prompt],
    utterances: Sequence[Utterance],
    floor: Floor,
    options: EventOptions,
) -> _Prompt | None:
    """What explains the silence that begins at `at_s`: a hold before a look-up before a question."""
    since_s, until_s = at_s - options.prompt_within_s, at_s + options.word_times_off_by_s
    near = [p for p in prompts if since_s <= p.at_s <= until_s and p not in spent]
    for kind in ("hold", "retrieval"):
        of_kind = [p for p in near if p.kind == kind]
        if of_kind:
            return of_kind[-1]
    for u in reversed(utterances):
        if u.end_s > until_s or u.party != "customer":
            continue
        if u.end_s < since_s:
            break
        answered = any(
            s.party == "agent" and not s.is_minor and u.end_s < s.end_s and s.start_s < at_s for s in floor.speech
        )
        if answered:
            break
        question = _Prompt("retrieval", "agent", u.end_s, "the customer had asked")
        if is_question(u.text) and question not in spent:
            return question
    return None


def _wait_starts(silence_start_s: float, prompt: _Prompt, floor: Floor, substantive: list[Span]) -> float:
    """The end of the prompt, of the last substantive speech, or of the waiting party's last word."""
    ends = [b for _, b in substantive if b <= silence_start_s]
    ends += [s.end_s for s in floor.speech if s.end_s <= silence_start_s and s.party == prompt.party]
    return min(silence_start_s, max([*ends, prompt.at_s]))


def _wait_ends(silence_end_s: float, party: str | None, floor: Floor, substantive: list[Span]) -> float:
    """The start of the next substantive speech, or of the waiting party's next word, after the silence."""
    starts = [a for a, _ in substantive if a >= silence_end_s]
    starts += [s.start_s for s in floor.speech if s.start_s >= silence_end_s and s.party == party]
    return min(starts, default=silence_end_s)


def _merged(events: list[Event], substantive: list[Span]) -> list[Event]:
    """Holds with nothing but short interjections between them are one hold; nothing overlaps."""
    out: list[Event] = []
    for e in sorted(events, key=lambda e: (e["start_s"], e["end_s"])):
        last = out[-1] if out else None
        both_hold = last is not None and last["kind"] == e["kind"] == "hold"
        if both_hold and not intersections([(last["end_s"], e["start_s"])], substantive):
            last["end_s"] = max(last["end_s"], e["end_s"])
        elif last is not None and e["start_s"] < last["end_s"]:
            if e["end_s"] > last["end_s"]:
                out.append({**e, "start_s": last["end_s"]})
        else:
            out.append(e)
    return out

"""Who holds the floor: turns, backchannels and overlaps from the parties' speech segments."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

from pipelines.contracts.vocabulary import PARTIES

Span = tuple[float, float]
OTHER = {"agent": "customer", "customer": "agent"}


@dataclass(frozen=True)
class TurnOptions:
    """How speech becomes turns (definitions: metrics.md §2 of the design; Gravano & Hirschberg 2011).

    `acknowledgements` are the words that make no turn inside the other's, whatever their length.
    """

    bridge_gaps_under_s: float = 0.3
    drop_segments_under_s: float = 0.12
    articulation_gaps_under_s: float = 0.25
    backchannel_up_to_s: float = 1.0
    backchannel_pause_up_to_s: float = 1.0
    acknowledgements: tuple[str, ...] = (
        "mm",
        "mm hm",
        "mm hmm",
        "mhm",
        "hm",
        "hmm",
        "uh huh",
        "aha",
        "ah",
        "oh",
        "yeah",
        "yep",
        "yes",
        "ok",
        "okay",
        "right",
        "all right",
        "alright",
        "sure",
        "of course",
        "i see",
        "i understand",
        "got it",
        "great",
        "good",
        "exactly",
        "fine",
    )


@dataclass(frozen=True)
class Segment:
    """Speech of a party, in seconds from the start of the recording.

    `party` is None where the parties can't be told apart (one audio channel).
    """

    party: str | None
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """Words of a party; times in seconds from the start of the recording, None where there are none."""

    party: str | None
    start_s: float | None
    end_s: float | None
    text: str
    n_words: int
    confidence: float | None = None


@dataclass(frozen=True)
class Speech:
    """A segment after bridging and dropping, with its part in the conversation.

    `is_minor`: up to a second long, or made of acknowledgement words only.
    """

    party: str | None
    start_s: float
    end_s: float
    is_minor: bool
    is_backchannel: bool

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Turn:
    """Consecutive speech of a party; `speech_s` leaves its pauses out."""

    party: str
    start_s: float
    end_s: float
    speech_s: float
    first_end_s: float


@dataclass(frozen=True)
class Floor:
    """A conversation's floor. Times in seconds from the start of the recording.

    Holds: talk of the agent + talk of the customer + silence - overlap = end - start.
    Where the parties aren't told apart there are no turns, `talk_s` is empty and `union_s` is all speech.
    """

    speech: tuple[Speech, ...]
    turns: tuple[Turn, ...]
    overlaps: tuple[Span, ...]
    silences: tuple[Span, ...]
    start_s: float | None
    end_s: float | None
    talk_s: dict[str, float]
    phonation_s: dict[str, float]
    union_s: float
    overlap_s: float

    @property
    def told_apart(self) -> bool:
        return all(s.party is not None for s in self.speech)

    @property
    def backchannels(self) -> tuple[Speech, ...]:
        return tuple(s for s in self.speech if s.is_backchannel)

    @property
    def conversation_s(self) -> float:
        """From the first to the last speech of either party; 0 where nobody spoke."""
        return self.end_s - self.start_s if self.speech else 0.0

    @property
    def silence_s(self) -> float:
        """Time of the conversation in which nobody speaks."""
        return max(0.0, self.conversation_s - self.union_s)

    def of(self, party: str | None) -> list[Speech]:
        """The party's speech in order; backchannels too."""
        return [s for s in self.speech if s.party == party]


def floor_of(
    segments: Iterable[Segment],
    utterances: Sequence[Utterance] = (),
    options: TurnOptions = TurnOptions(),
) -> Floor:
    """Turns, backchannels, overlaps and silences of one conversation.

    `segments` in any order, of both parties (or all with party None); `utterances` with times tell
    acknowledgements from answers. Gaps under 0.3 s are bridged, then segments under 0.12 s dropped. A
    backchannel is a segment of up to 1 s, or of acknowledgement words only, inside the other's turn: the other
    spoke just before and goes on. A turn ends where the other speaks, other than in a backchannel, in its pause.

    Raises ValueError where a segment's end is not a number or lies before its start, or where some segments
    have a party and others have none.
    """
    segments = list(segments)
    for s in segments:
        if not s.end_s >= s.start_s:
            raise ValueError(f"segment of {s.party} ends before it starts: {s.start_s} s to {s.end_s} s")
    parties = {s.party for s in segments}
    if None in parties and len(parties) > 1:
        raise ValueError("segments with a party and segments without one can't make one conversation")

    raw = {p: [(s.start_s, s.end_s) for s in segments if s.party == p] for p in (*PARTIES, None)}
    spans = {
        p: [(a, b) for a, b in joined(raw[p], options.bridge_gaps_under_s) if b - a >= options.drop_segments_under_s]
        for p in raw
    }
    timed = {p: _timed(u for u in utterances if u.party == p) for p in raw}
    minor = {
        p: [
            b - a <= options.backchannel_up_to_s
            or only_acknowledges(_text_in(timed[p], (a, b)), options.acknowledgements)
            for a, b in spans[p]
        ]
        for p in raw
    }
    flagged = _backchannels({p: spans[p] for p in PARTIES}, minor, timed, options)
    speech = sorted(
        (
            Speech(p, a, b, minor[p][i], p is not None and i in flagged[p])
            for p in raw
            for i, (a, b) in enumerate(spans[p])
        ),
        key=lambda s: (s.start_s, s.end_s, s.party or ""),
    )
    both = intersections(spans["agent"], spans["customer"])
    union = joined([span for p in raw for span in spans[p]], 0.0)
    talk_s = {p: length_s(spans[p]) for p in PARTIES}
    phonation_s = {p: length_s(joined(raw[p], options.articulation_gaps_under_s)) for p in PARTIES}
    return Floor(
        speech=tuple(speech),
        turns=_turns({p: [s for s in speech if s.party == p and not s.is_backchannel] for p in PARTIES}),
        overlaps=tuple(both),
        silences=tuple((a[1], b[0]) for a, b in pairwise(union)),
        start_s=union[0][0] if union else None,
        end_s=union[-1][1] if union else None,
        talk_s={} if spans[None] else talk_s,
        phonation_s={} if spans[None] else phonation_s,
        union_s=length_s(union),
        overlap_s=length_s(both),
    )


# --- spans
def joined(spans: Iterable[Span], gap_under_s: float) -> list[Span]:
    """Spans in order, with gaps of less than `gap_under_s` between them bridged; touching ones are one."""
    out: list[Span] = []
    for a, b in sorted(spans):
        if out and (a <= out[-1][1] or a - out[-1][1] < gap_under_s):
            out[-1] = (out[-1][0], max(out[-1][1], b))
        else:
            out.append((a, b))
    return out


def intersections(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """Where spans of both lists (each sorted, without overlaps of its own) hold at once."""
    out, i, j = [], 0, 0
    while i < len(first) and j < len(second):
        a, b = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if b > a:
            out.append((a, b))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return out


def length_s(spans: Iterable[Span]) -> float:
    """Total length of spans that don't overlap."""
    return sum((b - a for a, b in spans), 0.0)


# --- words
_CONTRACTIONS = (("n't", " not"), ("'ll", " will"), ("'m", " am"), ("'re", " are"), ("'ve", " have"))


def plain(text: str) -> str:
    """Text for comparing phrases: small letters, no punctuation, single spaces, "I'll" as "i will"."""
    text = re.sub(r"[’`´]", "'", text.casefold())
    for short, long in _CONTRACTIONS:
        text = re.sub(rf"{short}\b", long, text)
    return " ".join(re.sub(r"[^\w\s]|_", " ", text.replace("'", "")).split())


@lru_cache(maxsize=16)
def _acknowledgement_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    phrases = sorted({plain(w) for w in words} - {""}, key=len, reverse=True)
    return re.compile(rf"(?:(?:{'|'.join(map(re.escape, phrases))})(?: |$))+" if phrases else r"(?!)")


def only_acknowledges(text: str, acknowledgements: tuple[str, ...]) -> bool:
    """Whether `text` is made of acknowledgement words only; an empty text is not."""
    return bool(_acknowledgement_pattern(acknowledgements).fullmatch(plain(text)))


def _timed(utterances: Iterable[Utterance]) -> list[Utterance]:
    return sorted(
        (u for u in utterances if u.start_s is not None and u.end_s is not None),
        key=lambda u: (u.start_s, u.end_s),
    )


def _text_in(utterances: list[Utterance], span: Span) -> str:
    """What a party says in the span: its utterances that share at least half of the shorter one's time."""
    a, b = span
    said = []
    for u in utterances:
        if u.start_s >= b:
            break
        shorter_s = min(b - a, u.end_s - u.start_s)
        if min(b, u.end_s) - max(a, u.start_s) >= 0.5 * shorter_s and u.end_s > a:
            said.append(u.text)
    return " ".join(said)


# --- backchannels and turns
def _backchannels(
    spans: dict[str, list[Span]],
    minor: dict[str | None, list[bool]],
    utterances: dict[str | None, list[Utterance]],
    options: TurnOptions,
) -> dict[str, set[int]]:
    """Indices of the segments that are backchannels, by party.

    In order of time, so that a chain of short segments can't make backchannels of each other; segments with
    the same times are judged together, so that neither party is preferred.
    """
    flagged: dict[str, set[int]] = {p: set() for p in spans}
    candidates = sorted((a, b, p, i) for p in spans for i, (a, b) in enumerate(spans[p]) if minor[p][i])
    for _, group in groupby(candidates, key=lambda c: c[:2]):
        found = [
            (p, i)
            for a, b, p, i in group
            if _is_inside((a, b), spans[OTHER[p]], flagged[OTHER[p]], utterances[OTHER[p]], utterances[p], options)
        ]
        for p, i in found:
            flagged[p].add(i)
    return flagged


def _is_inside(
    span: Span,
    holder: list[Span],
    flagged: set[int],
    holder_said: list[Utterance],
    said: list[Utterance],
    options: TurnOptions,
) -> bool:
    """Whether a short segment lies inside the other's turn.

    The other spoke up to 1 s before it and goes on up to 1 s after it; and half of it is overlapped, or it is
    made of acknowledgement words in a pause that follows no question (after a question it would be the answer).
    """
    a, b = span
    pause_s = options.backchannel_pause_up_to_s
    before = bisect_left(holder, (a,)) - 1
    while before >= 0 and before in flagged:
        before -= 1
    if before < 0 or holder[before][1] < a - pause_s:
        return False
    after = bisect_right([end for _, end in holder], b)
    while after < len(holder) and after in flagged:
        after += 1
    if after == len(holder) or holder[after][0] > b + pause_s:
        return False
    overlap_s = length_s(intersections([span], holder[before : after + 1]))
    if overlap_s >= 0.5 * (b - a):
        return True
    if not only_acknowledges(_text_in(said, span), options.acknowledgements):
        return False
    last = [u.text for u in holder_said if u.start_s < a]
    return not (last and is_question(last[-1]))


def is_question(text: str) -> bool:
    """Whether the text's last sentence ends in a question mark (Latin, Arabic or CJK)."""
    return text.rstrip().rstrip("\"'”’)").endswith(("?", "？", "؟"))


def _turns(speech: dict[str, list[Speech]]) -> tuple[Turn, ...]:
    turns = []
    for party, own in speech.items():
        other = speech[OTHER[party]]
        ends = [s.end_s for s in other]
        for run in _runs(own, other, ends):
            turns.append(
                Turn(
                    party,
                    run[0].start_s,
                    run[-1].end_s,
                    sum(s.duration_s for s in run),
                    run[0].end_s,
                )
            )
    return tuple(sorted(turns, key=lambda t: (t.start_s, t.end_s, t.party)))


def _runs(own: list[Speech], other: list[Speech], other_ends: list[float]) -> Iterator[list[Speech]]:
    run: list[Speech] = []
    for s in own:
        if run:
            first_after = bisect_right(other_ends, run[-1].end_s)
            if first_after < len(other) and other[first_after].start_s < s.start_s:
                yield run
                run = []
        run.append(s)
    if run:
        yield run

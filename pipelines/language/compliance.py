"""Process adherence, zero tolerance, product knowledge: rules of the house, checked in the words."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from pipelines.contracts.measured import Measured, NotMeasured
from pipelines.contracts.vocabulary import CHANNELS, PARTIES
from pipelines.language.phrases import KINDS
from pipelines.language.said import Event, Said

ANY = "any"
WHERE = ("start", "any", "end")
REQUIRED = ("yes", "no", "if_hold")
_COLUMNS = ("call_type", "step", "kinds", "party", "where_said", "channels", "required")

# The start and the end of a talk: a fifth of the utterances each, six at least.
EDGE_SHARE = 0.2
EDGE_UTTERANCES = 6

# Hits of these kinds from this weight on fail the call.
ZERO_TOLERANCE = ("profanity", "threat", "confidential_request")
ZERO_TOLERANCE_WEIGHT = 2.0

# What each weakness takes from a knowledge score of 100, and the most it may take.
HEDGING_POINTS_PER_100_WORDS = 8.0
UNRESOLVED_QUESTION_POINTS = 15.0
TRANSFER_POINTS = 15.0
LONG_RETRIEVAL_S = 30.0
RETRIEVAL_POINTS_PER_30_S = 10.0
MOST_POINTS = {"hedging": 30.0, "questions": 45.0, "transfers": 30.0, "retrieval": 30.0}
FEWEST_WORDS = 20
QUESTION_ANSWER_UTTERANCES = 2


class StepError(ValueError):
    """adherence_steps.csv can't be used; the message names file, line and reason."""


@dataclass(frozen=True)
class Step:
    """A required step: a phrase of one of `kinds`, said by `party`, at the start, anywhere or at the end."""

    call_type: str
    step: str
    kinds: tuple[str, ...]
    party: str
    where_said: str
    channels: tuple[str, ...]
    required: str


def read_steps(seeds: Path) -> tuple[Step, ...]:
    """Steps from `adherence_steps.csv` in the folder `seeds`; kinds and channels are joined by vertical bars.

    Raises StepError naming file, line and reason where a row can't be used.
    """
    path = seeds / "adherence_steps.csv"
    steps: dict[tuple[str, str], Step] = {}
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [c for c in _COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise StepError(f"{path.name}, line 1: missing columns {', '.join(missing)}")
        for row in reader:
            place = f"{path.name}, line {reader.line_num}"
            cell = {c: (row[c] or "").strip() for c in _COLUMNS}
            kinds, channels = tuple(cell["kinds"].split("|")), tuple(cell["channels"].split("|"))
            for value, known, what in (
                *((k, KINDS, "kind of phrase") for k in kinds),
                *((c, CHANNELS, "channel") for c in channels),
                (cell["party"], PARTIES, "party"),
                (cell["where_said"], WHERE, "place"),
                (cell["required"], REQUIRED, "value of required"),
            ):
                if value not in known:
                    raise StepError(f"{place}: unknown {what} {value!r}; known are {', '.join(known)}")
            if not cell["call_type"] or not cell["step"]:
                raise StepError(f"{place}: call_type and step must be given; {ANY} stands for every call type")
            key = (cell["call_type"], cell["step"])
            if key in steps:
                raise StepError(f"{place}: step {key[1]} of {key[0]} stands there twice")
            steps[key] = Step(*key, kinds, cell["party"], cell["where_said"], channels, cell["required"])
    return tuple(steps.values())


def steps_for(steps: tuple[Step, ...], call_type: str | None, channel: str) -> list[Step]:
    """The steps in force: those of the call type, which replace the general ones of the same name."""
    chosen = {s.step: s for s in steps if s.call_type == ANY}
    chosen |= {s.step: s for s in steps if s.call_type == call_type and call_type != ANY}
    return [s for s in chosen.values() if channel in s.channels]


def adherence(talk: list[Said], steps: list[Step], *, held: bool | None = None) -> tuple[Measured, list[Event]]:
    """Found ÷ required steps × 100, and an `adherence` event per step, found or missed.

    A step that is required `if_hold` counts where the customer was held (`held`; unknown: where a hold was
    announced). A step that is not required is reported when found and counts for nothing. NULL
    `not_applicable_to_call_type` where no step is required.
    """
    spoken = [s for s in talk if s.party is not None and s.has_words]
    edge = max(EDGE_UTTERANCES, round(len(spoken) * EDGE_SHARE))
    parts = {"start": spoken[:edge], "any": spoken, "end": spoken[-edge:]}
    if held is None:
        held = any(s.party == "agent" and s.heard.of("hold_announcement") for s in spoken)
    found = required = 0
    events = []
    for step in steps:
        counts = step.required == "yes" or (step.required == "if_hold" and held)
        place = next(
            (
                (said, hit)
                for said in parts[step.where_said]
                if said.party == step.party
                for hit in said.heard.of(*step.kinds)
            ),
            None,
        )
        required += counts
        if place:
            found += counts
            said, hit = place
            events.append(Event.at("adherence", said, f"{step.step}: {said.words_of(hit)}"))
        elif counts:
            events.append(Event.of_call("adherence", f"{step.step}: missed", step.party))
    if not required:
        return NotMeasured("not_applicable_to_call_type"), events
    return 100.0 * found / required, events


def zero_tolerance(talk: list[Said]) -> list[Event]:
    """The agent's abusive words, threats and requests for confidential details: one `zero_tolerance` event each.

    The evidence is the kind, the words, and the place (utterance and characters) for a human to confirm.
    """
    return [
        Event.at(
            "zero_tolerance",
            said,
            f"{kind}: {said.words_of(hit)} (utterance {said.utterance}, characters {hit.start}–{hit.end})",
        )
        for said in talk
        if said.party == "agent"
        for kind in ZERO_TOLERANCE
        for hit in said.heard.of(kind)
        if hit.weight >= ZERO_TOLERANCE_WEIGHT
    ]


def knowledge(
    talk: list[Said], *, customer_questions: list[int], transfers: float, longest_retrieval_s: float | None
) -> Measured:
    """Product knowledge 0–100: 100 less 8 points per hedging phrase and 100 agent words (30 at most), 15 per
    customer question that the agent left unanswered (45), 15 per transfer (30), and 10 per 30 s of the longest
    look-up beyond 30 s (30). An unanswered question: one of the agent's next two utterances says "I don't know",
    or the agent says nothing more. `customer_questions` are positions in `talk`. NULL `no_event` under 20 words.
    """
    agent = [s for s in talk if s.party == "agent"]
    words = sum(s.n_words for s in agent)
    if words < FEWEST_WORDS:
        return NotMeasured("no_event")
    hedges = sum(s.heard.weight("hedging") for s in agent)
    unanswered = 0
    for position in customer_questions:
        answers = [s for s in talk[position + 1 :] if s.party == "agent"][:QUESTION_ANSWER_UTTERANCES]
        unanswered += not answers or any(s.heard.of("no_answer") for s in answers)
    late_s = max(0.0, (longest_retrieval_s or 0.0) - LONG_RETRIEVAL_S)
    lost = {
        "hedging": HEDGING_POINTS_PER_100_WORDS * 100 * hedges / words,
        "questions": UNRESOLVED_QUESTION_POINTS * unanswered,
        "transfers": TRANSFER_POINTS * transfers,
        "retrieval": RETRIEVAL_POINTS_PER_30_S * late_s / 30,
    }
    return max(0.0, 100.0 - sum(min(points, MOST_POINTS[what]) for what, points in lost.items()))

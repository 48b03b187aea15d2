"""Empathy: does the agent answer what the customer feels?"""

from __future__ import annotations

from pipelines.contracts.measured import Measured, NotMeasured
from pipelines.language.said import Event, Said

# A customer's turn carries emotion from here on: one clearly negative word ("frustrated": -.66, "broken": -.47).
EMOTIONAL_SENTIMENT = -0.4
# The answer is looked for in this many of the agent's utterances that follow.
ANSWER_UTTERANCES = 2
# Points that each dismissive phrase takes away, times its weight (robotic phrases weigh half).
DISMISSIVE_POINTS = 25.0

ANSWERS = ("empathy", "apology", "ownership")


def empathy(talk: list[Said]) -> tuple[Measured, list[Event]]:
    """Empathy of the agent, 0–100, and its events (kinds `empathy`, `dismissive`).

    100 × (emotional customer turns that one of the agent's next two utterances answers with acknowledgement, apology
    or ownership) ÷ (emotional customer turns that the agent answered at all), less 25 points per dismissive phrase.
    A customer turn is the customer's utterances between two of the agent's; it carries emotion when one of them has
    a sentiment of -0.4 or less, or asks for a superior or to complain. NULL `no_event` without such a turn. Words
    only: the tone of voice is not in it.
    """
    answered = asked = 0
    events = []
    for agent_says in _answers_to_emotion(talk):
        asked += 1
        hit = next(((s, h) for s in agent_says for h in s.heard.of(*ANSWERS)), None)
        if hit:
            answered += 1
            events.append(Event.at("empathy", hit[0], hit[0].context_of(hit[1])))
    dismissed = 0.0
    for said in talk:
        if said.party == "agent":
            for hit in said.heard.of("dismissive"):
                dismissed += hit.weight
                events.append(Event.at("dismissive", said, said.context_of(hit)))
    if not asked:
        return NotMeasured("no_event"), events
    return max(0.0, 100.0 * answered / asked - DISMISSIVE_POINTS * dismissed), events


def carries_emotion(said: Said) -> bool:
    """Whether a customer's utterance is clearly negative, or asks for a superior or to complain."""
    return said.sentiment <= EMOTIONAL_SENTIMENT or any(h.weight >= 1 for h in said.heard.of("escalation"))


def _answers_to_emotion(talk: list[Said]) -> list[list[Said]]:
    """For each emotional customer turn that is answered: the agent's next utterances."""
    spoken = [s for s in talk if s.party is not None and s.has_words]
    answers = []
    emotional = False
    for i, said in enumerate(spoken):
        if said.party == "customer":
            emotional = emotional or carries_emotion(said)
        elif emotional:
            answers.append([s for s in spoken[i:] if s.party == "agent"][:ANSWER_UTTERANCES])
            emotional = False
    return answers

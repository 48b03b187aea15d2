"""Was it resolved, by what was said at the end?"""

from __future__ import annotations

from pipelines.contracts.measured import Measured, NotMeasured
from pipelines.language.said import Event, Said

# The end: the last third of the utterances, four at least.
END_SHARE = 1 / 3
END_UTTERANCES = 4
# Evidence counts from half its weight at the start of the end part to its whole weight at the last word.
FIRST_WORD_SHARE = 0.5
DECIDED = 1.0
# The customer's plain yes or no to "is it working now?", and "no" to "anything else?".
ANSWER_WEIGHT = 2.0
NOTHING_ELSE_WEIGHT = 0.6


def resolution(talk: list[Said]) -> tuple[Measured, list[Event]]:
    """1 resolved, 0 unresolved, NULL `no_event` where the end leaves it open; and the `resolution` events.

    Adds up, over the last third of the utterances, weighted from 0.5 to 1 towards the end: the customer's
    confirmations and thanks, the agent's completions, the customer's answer to "did that work?" and to "anything
    else?"; against these either party's words that it is unresolved or put off. Resolved from +1, unresolved to -1.
    """
    spoken = [s for s in talk if s.party is not None and s.has_words]
    end = spoken[-max(END_UTTERANCES, round(len(spoken) * END_SHARE)) :]
    total = 0.0
    events = []
    asked: str | None = None
    for i, said in enumerate(end):
        found, asked = _evidence(said, asked)
        share = FIRST_WORD_SHARE + (1 - FIRST_WORD_SHARE) * (i + 1) / len(end)
        for weight, words in found:
            total += weight * share
            events.append(Event.at("resolution", said, f"{'+' if weight > 0 else '−'} {words}"))
    if total >= DECIDED:
        return 1.0, events
    if total <= -DECIDED:
        return 0.0, events
    return NotMeasured("no_event"), events


def _evidence(said: Said, asked: str | None) -> tuple[list[tuple[float, str]], str | None]:
    """Signed evidence of an utterance, and what the agent is waiting to hear after it."""
    heard = said.heard
    found = [(-h.weight, said.words_of(h)) for h in heard.of("resolution_negative")]
    covered = [(h.word, h.word_end) for h in heard.of("resolution_negative")]
    if said.party == "agent":
        found += [(h.weight, said.words_of(h)) for h in heard.of("completion")]
        questions = heard.of("resolution_question", "offer_help")
        if not questions:
            return found, asked if said.n_words < 3 else None
        return found, "resolved" if questions[-1] in heard.of("resolution_question") else "anything_else"
    positive = [h for h in heard.of("resolution_positive") if not any(a <= h.word < b for a, b in covered)]
    strongest = max(positive, key=lambda h: h.weight, default=None)
    if strongest:
        found.append((strongest.weight, said.words_of(strongest)))
    if asked and not found:
        yes = next((h for h in heard.of("affirmation") if h.word == 0), None)
        no = next((h for h in heard.of("denial") if h.word == 0), None)
        if asked == "resolved" and (yes or no):
            found.append((ANSWER_WEIGHT if yes else -ANSWER_WEIGHT, said.words_of(yes or no)))
        elif asked == "anything_else" and no:
            found.append((NOTHING_ELSE_WEIGHT, said.words_of(no)))
    return found, None

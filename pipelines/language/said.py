"""One utterance with everything heard in it, and one event: what the measures of this package work on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pipelines.language.phrases import Heard, Hit, Phrases

_EVIDENCE_CHARACTERS = 200


@dataclass(slots=True)
class Said:
    """An utterance or a message. Times in seconds from the start of the recording; NULL where there are none.

    `party` is None where the speakers of a mono recording could not be told apart. `word_sentiment` and
    `sentiment_confidence` are set by `sentiment.judge`; `sentiment` is the same until the tone (`activation`, None
    where nothing was heard) is added.
    """

    utterance: int
    party: str | None
    text: str
    heard: Heard
    n_words: int
    start_s: float | None = None
    end_s: float | None = None
    sent_at: datetime | None = None
    written: bool = False
    asr_confidence: float | None = None
    sentiment: float = 0.0
    sentiment_confidence: float = 0.0
    word_sentiment: float = 0.0
    activation: float | None = None

    def words_of(self, hit: Hit) -> str:
        """The very words of a hit."""
        return self.text[hit.start : hit.end]

    def context_of(self, hit: Hit) -> str:
        """The utterance, or at most 200 characters of it around the hit, cut between words."""
        if len(self.text) <= _EVIDENCE_CHARACTERS:
            return self.text
        room = max(0, _EVIDENCE_CHARACTERS - (hit.end - hit.start)) // 2
        first, last = max(0, hit.start - room), min(len(self.text), hit.end + room)
        if first:
            first = min(self.text.find(" ", first, hit.start) + 1 or hit.start, hit.start)
        if last < len(self.text):
            last = max(self.text.rfind(" ", hit.end, last), hit.end)
        return ("…" if first else "") + self.text[first:last] + ("…" if last < len(self.text) else "")

    @property
    def has_words(self) -> bool:
        return bool(self.heard.words)


class Event(NamedTuple):
    """One event of an interaction; `utterance` orders it, None stands after all utterances."""

    kind: str
    party: str
    start_s: float | None
    end_s: float | None
    evidence: str
    utterance: int | None

    @classmethod
    def at(cls, kind: str, said: Said, evidence: str, party: str | None = None) -> Event:
        """An event in an utterance, with the utterance's times."""
        return cls(kind, party or said.party or "call", said.start_s, said.end_s, evidence, said.utterance)

    @classmethod
    def of_call(cls, kind: str, evidence: str, party: str = "call") -> Event:
        """An event of the whole interaction, without times."""
        return cls(kind, party, None, None, evidence, None)


def say(phrases: Phrases, *lines: tuple[str | None, str], language: str = "en", step_s: float = 5.0) -> list[Said]:
    """A conversation from (party, text) lines, an utterance every `step_s` seconds, sentiment judged."""
    from pipelines.language.sentiment import judge

    talk = [
        Said(i, party, text, phrases.hear(text, language), len(text.split()), i * step_s, (i + 0.9) * step_s)
        for i, (party, text) in enumerate(lines)
    ]
    judge(talk, language)
    return talk

"""Chats and e-mails: how fast the first answer came, how easily it reads."""

from __future__ import annotations

import re

from pipelines.contracts.measured import Measured, NotMeasured
from pipelines.language.said import Said

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MARK = re.compile(r"\[[a-z][a-z _-]*\]")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n+")
_VOWELS = re.compile(r"[aeiouy]+")
_TWO_VOWELS = re.compile(r"[aeouy]ing")
_SILENT = re.compile(r"(?:[^laeiouy]es|[^aeiouydt]ed|[^l]e|[aeiouy]le)$")
FEWEST_WORDS = 10


def first_response_s(talk: list[Said]) -> Measured:
    """Seconds from the customer's first message to the agent's first answer after it.

    NULL: `no_customer_speech`, `no_agent_speech`, `no_times` without the messages' times, `no_event` where no
    message of the agent follows.
    """
    for party in ("customer", "agent"):
        if not any(s.party == party for s in talk):
            return NotMeasured(f"no_{party}_speech")
    timed = [s for s in talk if s.sent_at is not None and s.party is not None]
    asked = min((s.sent_at for s in timed if s.party == "customer"), default=None)
    if asked is None or not any(s.party == "agent" for s in timed):
        return NotMeasured("no_times")
    answered = min((s.sent_at for s in timed if s.party == "agent" and s.sent_at >= asked), default=None)
    return NotMeasured("no_event") if answered is None else (answered - asked).total_seconds()


def readability(texts: list[str]) -> Measured:
    """Flesch reading ease of English texts, cut to 0–100: 206.835 - 1.015 × words ÷ sentences - 84.6 × syllables ÷
    words (Flesch 1948). Every text ends a sentence; redaction marks are no words. NULL `no_event` under 10 words.
    """
    words: list[str] = []
    sentences = 0
    for text in texts:
        text = _MARK.sub(" ", text)
        in_sentences = [w for w in (_WORD.findall(part) for part in _SENTENCE_END.split(text)) if w]
        sentences += len(in_sentences)
        words += [w for sentence in in_sentences for w in sentence]
    if len(words) < FEWEST_WORDS:
        return NotMeasured("no_event")
    ease = 206.835 - 1.015 * len(words) / sentences - 84.6 * sum(map(syllables, words)) / len(words)
    return min(max(ease, 0.0), 100.0)


def syllables(word: str) -> int:
    """Syllables of an English word: groups of vowels, less a silent ending; one at least."""
    word = word.casefold().replace("'", "").replace("’", "")
    groups = len(_VOWELS.findall(word)) + len(_TWO_VOWELS.findall(word))
    return max(1, groups - (groups > 1 and _SILENT.search(word) is not None))

"""Open and closed questions."""

from __future__ import annotations

import re

from pipelines.language.said import Said

_SENTENCE = re.compile(r"[^.?!\n]+[.?!]*")
_MARKS = re.compile(r"[.?!]")
# A question's first words may follow "so", "okay and": at most this many words.
_LEAD_IN_WORDS = 3
# What begins a question even where no question mark was written.
_CERTAIN = 2.0


def questions(said: Said) -> tuple[int, int]:
    """(open, closed) questions of an utterance.

    A sentence with a question mark is a question: open when it begins (after at most three words) as an open question
    does, else closed. In a text without any full stop, question or exclamation mark (unpunctuated recognition) the
    first words alone decide, and only beginnings of weight 2 count.
    """
    heard = said.heard
    if not heard.words:
        return 0, 0
    opens, closes = heard.of("question_open"), heard.of("question_closed")
    if not _MARKS.search(said.text):
        first = min(
            (h for h in (*opens, *closes) if h.weight >= _CERTAIN and h.word <= _LEAD_IN_WORDS),
            key=lambda h: (h.word, -h.word_end),
            default=None,
        )
        return (int(first in opens), int(first not in opens)) if first else (0, 0)
    n_open = n_closed = 0
    if "?" not in said.text:
        return 0, 0
    for sentence in _SENTENCE.finditer(said.text):
        if "?" not in sentence.group():
            continue
        words = [i for i, start in enumerate(heard.starts) if sentence.start() <= start < sentence.end()]
        if not words:
            continue
        if any(words[0] <= h.word <= words[0] + _LEAD_IN_WORDS for h in opens):
            n_open += 1
        else:
            n_closed += 1
    return n_open, n_closed

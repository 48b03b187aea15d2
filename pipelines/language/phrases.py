"""The centre's phrases: what counts as an apology, a look-up, an escalation …; rows of a seed, found in one pass.

A phrase is compared word by word: letter case, accents, both apostrophes, contractions ("I'll" is "I will", "cant" is
"can not") and hyphens don't matter. `*` in a phrase stands for up to two words. A row with weight 0 shields its words:
"no problem" keeps "problem" from being found.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

# kind -> (meaning, what a weight other than 0 may be: at least, at most)
KINDS: dict[str, tuple[str, float, float]] = {
    "lookup_announcement": ("the agent announces a look-up", 0, 3),
    "hold_announcement": ("the agent announces a hold", 0, 3),
    "hold_return": ("the agent thanks for the wait", 0, 3),
    "empathy": ("the agent acknowledges what the customer feels", 0, 3),
    "ownership": ("the agent takes the matter on", 0, 3),
    "dismissive": ("dismissive, or (weight under 1) robotic", 0, 3),
    "apology": ("an apology", 0, 3),
    "acknowledgement": ("mm-hm, right, okay", 0, 3),
    "filler": ("um, you know", 0, 3),
    "resolution_positive": ("the customer confirms that it is resolved; small weights are thanks", 0, 3),
    "resolution_negative": ("it is not resolved, or is put off", 0, 3),
    "completion": ("the agent says that it is done", 0, 3),
    "resolution_question": ("the agent asks whether it is resolved", 0, 3),
    "affirmation": ("yes", 0, 3),
    "denial": ("no", 0, 3),
    "escalation": ("the customer wants a superior, to complain, to leave, to sue", 0, 3),
    "transfer": ("the agent hands the customer on", 0, 3),
    "overpromise": ("a promise that can't be kept for sure", 0, 3),
    "hedging": ("the agent is unsure", 0, 3),
    "no_answer": ("the agent has no answer", 0, 3),
    "profanity": ("2 and more: abusive or obscene; under 2: mild", 0, 3),
    "threat": ("2 and more: a threat; under 2: a warning", 0, 3),
    "confidential_request": ("asks for a card PIN, a CVV, a password", 0, 3),
    "repetition": ("has to say it again", 0, 3),
    "greeting": ("a greeting, or the own name", 0, 3),
    "opening_help": ("offers help at the start", 0, 3),
    "identity_check": ("verifies who the customer is", 0, 3),
    "recording_disclosure": ("says that the call is recorded", 0, 3),
    "offer_help": ("asks whether there is anything else", 0, 3),
    "closing": ("a farewell", 0, 3),
    "terms_disclosure": ("names price, term or right to cancel", 0, 3),
    "question_open": ("begins an open question; weight 2: also without a question mark", 0, 3),
    "question_closed": ("begins a closed question; weight 2: also without a question mark", 0, 3),
    "negator": ("turns the sentiment of what follows", 0, 3),
    "intensifier": ("multiplies the sentiment of what follows; under 1 softens", 0, 3),
    "contrast": ("what follows outweighs what came before", 0, 3),
    "positive": ("sentiment, 0 … 3", 0, 3),
    "negative": ("sentiment, -3 … 0", -3, 0),
}
COLUMNS = ("language", "kind", "phrase", "weight")

# A negator at most this many words before, in the same clause, takes these kinds back: "I can't transfer you".
NEGATOR_REACH_WORDS = 3
NEGATABLE = frozenset(
    {
        "completion",
        "confidential_request",
        "empathy",
        "escalation",
        "hold_announcement",
        "overpromise",
        "resolution_positive",
        "threat",
        "transfer",
    }
)
_VALENCE = frozenset({"positive", "negative"})
_LONGEST_GAP_WORDS = 2

_WORD = re.compile(
    r"\[[a-z][a-z _-]*\]"  # a redaction mark is one word
    r"|[:;=]-?[()dp](?!\w)|<3"
    r"|[\u2600-\u27BF\U0001F300-\U0001FAFF]"
    r"|[^\W_]+(?:['’ʼ`´*]+[^\W_]+)*\**",
    re.IGNORECASE,
)
_STRONG_BREAK = re.compile(r"[.!?;:\n]")
_BREAK = re.compile(r"[.!?;:,\n–—()]")
_APOSTROPHES = re.compile("[’ʼ`´]")
_END = ""
_GAP = "*"

_WHOLE_WORDS = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "let's": "let us",
    "cant": "can not",
    "wont": "will not",
    "dont": "do not",
    "didnt": "did not",
    "doesnt": "does not",
    "isnt": "is not",
    "wasnt": "was not",
    "arent": "are not",
    "werent": "were not",
    "couldnt": "could not",
    "shouldnt": "should not",
    "wouldnt": "would not",
    "havent": "have not",
    "hasnt": "has not",
    "hadnt": "had not",
    "im": "i am",
    "ive": "i have",
    "youre": "you are",
    "youve": "you have",
    "youll": "you will",
    "weve": "we have",
    "theyre": "they are",
    "theyve": "they have",
    "theyll": "they will",
    "thats": "that is",
    "whats": "what is",
    "theres": "there is",
    "heres": "here is",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "lemme": "let me",
    "gimme": "give me",
    "ok": "okay",
    "okey": "okay",
    "u": "you",
    "ur": "your",
    "pls": "please",
    "plz": "please",
    "thx": "thanks",
    "thanx": "thanks",
    "apologise": "apologize",
    "apologised": "apologized",
    "realise": "realize",
}
_ENDINGS = {"n't": "not", "'ll": "will", "'re": "are", "'ve": "have", "'m": "am", "'d": "would"}
_IS = frozenset(
    ("it", "that", "this", "there", "here", "what", "who", "where", "when", "how", "why", "he", "she", "everything")
)


class PhraseError(ValueError):
    """A row of phrases.csv can't be used; the message names file, line and reason."""


class Hit(NamedTuple):
    """A phrase found: characters `start` to `end` of the text, words `word` to `word_end` of it."""

    start: int
    end: int
    phrase: str
    weight: float
    word: int
    word_end: int


@dataclass(slots=True)
class Heard:
    """A text's words as they are compared, where each stands, and the hits of every kind in order.

    `breaks[i]` is 2 where a sentence ended before word i, 1 where a clause did, else 0.
    """

    words: list[str]
    starts: list[int]
    ends: list[int]
    breaks: list[int]
    hits: dict[str, list[Hit]]

    def of(self, *kinds: str) -> list[Hit]:
        """Hits of the kinds, in the order of the text."""
        if len(kinds) == 1:
            return self.hits.get(kinds[0], [])
        return sorted(h for kind in kinds for h in self.hits.get(kind, ()))

    def weight(self, kind: str) -> float:
        return sum(h.weight for h in self.hits.get(kind, ()))

    def between(self, begin: int, end: int) -> Heard:
        """What was heard within characters `begin` to `end`, as if they were the text."""
        words = zip(self.starts, self.ends, strict=True)
        return self.only([i for i, (s, e) in enumerate(words) if begin <= s and e <= end], begin)

    def only(self, kept: list[int], begin: int = 0) -> Heard:
        """Only the words numbered in `kept` and the hits made of them alone; characters count from `begin`."""
        at = {old: new for new, old in enumerate(kept)}
        hits = {
            kind: [
                h._replace(start=h.start - begin, end=h.end - begin, word=at[h.word], word_end=at[h.word_end - 1] + 1)
                for h in found
                if all(i in at for i in range(h.word, h.word_end))
            ]
            for kind, found in self.hits.items()
        }
        return Heard(
            [self.words[i] for i in kept],
            [self.starts[i] - begin for i in kept],
            [self.ends[i] - begin for i in kept],
            [self.breaks[i] for i in kept],
            hits,
        )


@dataclass(frozen=True)
class Phrases:
    """Phrases by language, ready to be found. `default_language` is that of texts without a tag."""

    tries: dict[str, dict]
    kinds: dict[str, frozenset[str]]
    default_language: str = "en"
    phrases: int = field(default=0)

    @classmethod
    def read(cls, seeds: Path, *, default_language: str = "en") -> Phrases:
        """Phrases from `phrases.csv` in the folder `seeds` (columns language, kind, phrase, weight).

        Raises PhraseError naming file, line and reason where a row can't be used.
        """
        path = seeds / "phrases.csv"
        with open(path, newline="", encoding="utf-8-sig") as file:
            return cls.from_rows(_rows(path.name, file), default_language=default_language)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, str, str, str, float]], *, default_language: str = "en") -> Phrases:
        """Phrases from (place, language, kind, phrase, weight); PhraseError names the place of a bad one."""
        tries: dict[str, dict] = {}
        kinds: dict[str, set[str]] = {}
        first: dict[tuple, str] = {}
        for place, language, kind, phrase, weight in rows:
            words = phrase_words(phrase, language)
            if not words or words[0] == _GAP or words[-1] == _GAP:
                raise PhraseError(f"{place}: the phrase {phrase!r} must begin and end with a word")
            key = (language, "valence" if kind in _VALENCE else kind, words)
            if key in first:
                raise PhraseError(f"{place}: {phrase!r} is the same phrase as the one in {first[key]}")
            first[key] = place
            node = tries.setdefault(language, {})
            for word in words:
                node = node.setdefault(word, {})
            node.setdefault(_END, []).append((kind, phrase, weight))
            kinds.setdefault(language, set()).add(kind)
        return cls(tries, {k: frozenset(v) for k, v in kinds.items()}, default_language, len(first))

    @property
    def supported_languages(self) -> tuple[str, ...]:
        """Languages that have phrases of every kind: what isn't there can't be counted as 0."""
        return tuple(sorted(language for language, kinds in self.kinds.items() if kinds >= KINDS.keys()))

    def language(self, tag: str | None) -> str:
        """The primary language of a BCP-47 tag (en-US: en); the default where there is none."""
        return re.split("[-_]", (tag or self.default_language).strip().casefold())[0]

    def supports(self, tag: str | None) -> bool:
        return self.language(tag) in self.supported_languages

    def find(self, kind: str, text: str, language: str | None = None) -> list[Hit]:
        """Hits of one kind, leftmost and longest first, none inside another; KeyError for an unknown kind."""
        KINDS[kind]
        return self.hear(text, language).of(kind)

    def hear(self, text: str, language: str | None = None) -> Heard:
        """All hits of all kinds in one pass over the text."""
        code = self.language(language)
        words, starts, ends, breaks = _words(text, code)
        found: dict[str, list[tuple]] = {}
        trie = self.tries.get(code, {})
        for i, word in enumerate(words):
            node = trie.get(word)
            if node is not None:
                _walk(node, words, breaks, i, i + 1, found)
        hits = _choose(found, starts, ends)
        negated = {h.word_end for h in hits.get("negator", ())}
        if negated:
            for kind in NEGATABLE & hits.keys():
                hits[kind] = [h for h in hits[kind] if not is_negated(h.word, negated, breaks)]
        return Heard(words, starts, ends, breaks, hits)


def is_negated(word: int, negator_ends: set[int], breaks: list[int]) -> bool:
    """Whether a negator ends at most NEGATOR_REACH_WORDS before `word`, in the same clause."""
    for back in range(NEGATOR_REACH_WORDS):
        here = word - back
        if here <= 0 or breaks[here]:
            return False
        if here in negator_ends:
            return True
    return False


def phrase_words(phrase: str, language: str) -> tuple[str, ...]:
    """A phrase's words as they are compared; `*` stays."""
    return tuple(word for part in phrase.split() for word in ((_GAP,) if part == _GAP else _words(part, language)[0]))


def plain_words(text: str, language: str) -> list[str]:
    """A text's words as they are compared."""
    return _words(text, language)[0]


def _rows(name: str, file: Iterable[str]) -> Iterator[tuple[str, str, str, str, float]]:
    reader = csv.DictReader(file)
    missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
    if missing:
        raise PhraseError(f"{name}, line 1: missing columns {', '.join(missing)}")
    for row in reader:
        place = f"{name}, line {reader.line_num}"
        language, kind, phrase, weight_text = ((row[c] or "").strip() for c in COLUMNS)
        if not re.fullmatch("[a-z]{2,3}", language):
            raise PhraseError(f"{place}: language {language!r} is not a code such as en")
        if kind not in KINDS:
            raise PhraseError(f"{place}: unknown kind {kind!r}; known are {', '.join(KINDS)}")
        _, least, most = KINDS[kind]
        try:
            weight = float(weight_text)
        except ValueError:
            raise PhraseError(f"{place}: weight {weight_text!r} is not a number") from None
        if not least <= weight <= most:
            raise PhraseError(f"{place}: weight {weight:g} of kind {kind} is outside {least:g} … {most:g}")
        yield place, language, kind, phrase, weight


@lru_cache(maxsize=1 << 18)
def _canonical(word: str, english: bool) -> tuple[str, ...]:
    word = word.casefold()
    if not word.isascii():
        word = _APOSTROPHES.sub("'", word)
        word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    if not english:
        return (word.replace("'", ""),)
    whole = _WHOLE_WORDS.get(word)
    if whole:
        return tuple(whole.split())
    if "'" in word:
        for ending, meaning in _ENDINGS.items():
            if word.endswith(ending) and len(word) > len(ending):
                return (word.removesuffix(ending), meaning)
        if word.endswith("'s"):
            base = word.removesuffix("'s")
            return (base, "is") if base in _IS else (base,)
        return (word.replace("'", ""),)
    return (word,)


def _words(text: str, language: str) -> tuple[list[str], list[int], list[int], list[int]]:
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    breaks: list[int] = []
    english = language == "en"
    last = 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        between = 0
        gap = text[last:start]
        if gap != " " and gap and words:
            between = 2 if _STRONG_BREAK.search(gap) else 1 if _BREAK.search(gap) else 0
        for canonical in _canonical(match.group(), english):
            words.append(canonical)
            starts.append(start)
            ends.append(end)
            breaks.append(between)
            between = 0
        last = end
    return words, starts, ends, breaks


def _walk(node: dict, words: list[str], breaks: list[int], first: int, here: int, found: dict) -> None:
    while node is not None:
        entries = node.get(_END)
        if entries:
            for kind, phrase, weight in entries:
                found.setdefault(kind, []).append((first, here, phrase, weight))
        gap = node.get(_GAP)
        if gap is not None:
            for skipped in range(_LONGEST_GAP_WORDS + 1):
                at = here + skipped
                if at >= len(words) or breaks[at] == 2:
                    break
                after = gap.get(words[at])
                if after is not None:
                    _walk(after, words, breaks, first, at + 1, found)
        if here >= len(words):
            return
        node = node.get(words[here])
        here += 1


def _choose(found: dict, starts: list[int], ends: list[int]) -> dict[str, list[Hit]]:
    """Leftmost, then longest; positive and negative words compete; shields win and vanish."""
    hits: dict[str, list[Hit]] = {}
    valence = [(*m, kind) for kind in _VALENCE & found.keys() for m in found[kind]]
    groups = [[(*m, kind) for m in matches] for kind, matches in found.items() if kind not in _VALENCE]
    for group in (*groups, valence):
        free = 0
        if len(group) > 1:
            group.sort(key=lambda m: (m[0], -m[1], m[3] != 0))
        for first, end, phrase, weight, kind in group:
            if first >= free:
                free = end
                if weight:
                    hit = Hit(starts[first], ends[end - 1], phrase, weight, first, end)
                    hits.setdefault(kind, []).append(hit)
    return hits

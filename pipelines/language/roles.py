"""Who is the agent? Told from what the two voices of a conversation say, or not told at all.

A small trained head (`data/training/parties.csv`) says of each utterance whether an agent says such a thing, a
customer, or either. What it says of a voice is added up with a limit on what one utterance, and one voice, can tell.
The multilingual vectors serve every language: as right as both kinds together, at a ninth of their time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.language.embeddings import MULTILINGUAL, space_of
from pipelines.language.empathy import Vectors
from pipelines.language.head import Head
from pipelines.language.phrases import Heard, Phrases
from pipelines.language.sentiment import vectors_of
from pipelines.speech.speakers import Role, Voice

ROLES_VERSION = "roles-1"
PARTY_HEAD = "party"
PARTIES = ("agent", "customer", "either")

# Kinds of phrases that an agent says, or a customer; each counts once an utterance.
AGENT_KINDS = (
    "opening_help",
    "identity_check",
    "recording_disclosure",
    "lookup_announcement",
    "hold_announcement",
    "hold_return",
    "offer_help",
    "ownership",
    "empathy",
    "apology",
    "completion",
    "transfer",
    "terms_disclosure",
    "resolution_question",
)
CUSTOMER_KINDS = ("escalation", "resolution_positive", "resolution_negative", "repetition")
_OTHER_KINDS = ("greeting", "closing", "no_answer", "negative", "affirmation", "denial", "acknowledgement")
SAID = (*AGENT_KINDS, *CUSTOMER_KINDS, *_OTHER_KINDS, "you", "me", "asks", "log_words")
_YOU = {"en": {"you", "your", "yours", "yourself"}, "es": {"usted", "su", "sus", "le", "les", "te", "tu"}}
_ME = {"en": {"i", "me", "my", "mine"}, "es": {"yo", "me", "mi", "mis"}}

# One utterance tells no more than odds of e² = 7.
MOST_LOG_ODDS = 2.0
# Where the language has no vectors, each kind of phrase tells odds of e.
PHRASE_LOG_ODDS = 1.0
# Enough to tell, and quick: a voice's first utterances with a word.
MOST_UTTERANCES = 40
# What the utterances of one voice tell is not independent: n of them count n / (1 + .3 (n - 1)), never more than 3.3.
CORRELATION = 0.3
# Two voices of one role (prompts, two colleagues, a voice cut in two) before anything is heard, to one of each.
SAME_ROLE_ODDS = 0.1
# Below this nothing is told.
LEAST_CONFIDENCE = 0.6


@dataclass(frozen=True)
class Roles:
    """Who is the agent, by the centre's own phrases and the trained head."""

    phrases: Phrases
    version: str = ROLES_VERSION

    def who_is_agent(self, voices: Mapping[Voice, Sequence[str]], tag: str | None) -> Role:
        """As the function below; `tag`: BCP-47, the default language where it is None."""
        return who_is_agent(voices, self.phrases, tag)


def who_is_agent(voices: Mapping[Voice, Sequence[str]], phrases: Phrases, tag: str | None = None) -> Role:
    """Which of two voices of one conversation is the agent's: (voice, 0.5 … 1, what speaks for it).

    `voices`: the utterances of each voice, in order. Four stories are weighed: one of each role, either way round, and
    both voices in the same role; the last speak for neither voice. (None, 0.5 … 0.6, why) where nothing tells.
    ValueError unless there are two voices.
    """
    if len(voices) != 2:
        raise ValueError(f"two voices are compared, not {len(voices)}")
    language = phrases.language(tag)
    told = {v: [t for t in texts if any(c.isalpha() for c in t)][:MOST_UTTERANCES] for v, texts in voices.items()}
    of_texts = utterance_log_odds([t for texts in told.values() for t in texts], language, phrases)
    (first, first_texts), (second, second_texts) = told.items()
    a, b = voice_log_odds(of_texts[: len(first_texts)]), voice_log_odds(of_texts[len(first_texts) :])
    confidence = first_is_agent(a, b)
    agent, sure = (first, confidence) if confidence >= 0.5 else (second, 1 - confidence)
    if sure < LEAST_CONFIDENCE:
        return Role(None, round(sure, 4), "no words tell who is the agent")
    ours, theirs = (first_texts, second_texts) if agent == first else (second_texts, first_texts)
    log_odds = (a, b) if agent == first else (b, a)
    heard = [*_kinds(ours, AGENT_KINDS, phrases, language), *_kinds(theirs, CUSTOMER_KINDS, phrases, language)]
    detail = f"log-odds of an agent {log_odds[0]:+.1f} against {log_odds[1]:+.1f}"
    return Role(agent, round(sure, 4), detail + (f"; {', '.join(heard)}" if heard else ""))


def agent_log_odds(texts: Sequence[str], language: str, phrases: Phrases, vectors: Vectors | None = None) -> float:
    """Natural log-odds that a voice that says these texts is an agent's; 0 where nothing tells."""
    return voice_log_odds(utterance_log_odds(texts, language, phrases, vectors))


def utterance_log_odds(
    texts: Sequence[str], language: str, phrases: Phrases, vectors: Vectors | None = None
) -> np.ndarray:
    """(n,) natural log-odds, -2 … 2, that an agent says such a thing. `language`: primary part ("en"); `vectors`:
    those of the texts by space, where the caller has them already. Without vectors of the language phrases decide."""
    if not texts:
        return np.zeros(0)
    heards = [phrases.hear(t, language) for t in texts]
    if space_of(language) is None:
        told = [sum(k in h.hits for k in AGENT_KINDS) - sum(k in h.hits for k in CUSTOMER_KINDS) for h in heards]
        return np.clip(PHRASE_LOG_ODDS * np.array(told, float), -MOST_LOG_ODDS, MOST_LOG_ODDS)
    found = Head.load(PARTY_HEAD, MULTILINGUAL).probabilities(
        *role_inputs(texts, heards, language, MULTILINGUAL, vectors)
    )
    return log_odds_of(found)


def log_odds_of(probabilities: np.ndarray) -> np.ndarray:
    """(n,) limited log-odds of an agent from (n, 3) probabilities of PARTIES; what either says is nobody's."""
    agent, customer = (probabilities[:, i] + probabilities[:, 2] / 2 for i in (0, 1))
    return np.clip(np.log(agent + 1e-9) - np.log(customer + 1e-9), -MOST_LOG_ODDS, MOST_LOG_ODDS)


def voice_log_odds(of_utterances: np.ndarray) -> float:
    """Log-odds of a voice from those of its utterances: their mean, times how many independent ones they are worth."""
    n = len(of_utterances)
    return float(of_utterances.mean() * n / (1 + CORRELATION * (n - 1))) if n else 0.0


def first_is_agent(first: float, second: float) -> float:
    """Probability that of two voices with these log-odds the first is the agent's."""
    difference, both = (first - second) / 2, (first + second) / 2
    one_way, other_way = np.exp(difference), np.exp(-difference)
    same = SAME_ROLE_ODDS * (np.exp(both) + np.exp(-both))
    return float((one_way + same / 2) / (one_way + other_way + same))


def role_inputs(
    texts: Sequence[str], heards: Sequence[Heard], language: str, space: str, vectors: Vectors | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(vectors, SAID numbers) that the head "party" of a space is given; `space` may join two by "+"."""
    numbers = [_numbers(t, h, language) for t, h in zip(texts, heards, strict=True)]
    return vectors_of(texts, space, vectors), np.array(numbers)


def _numbers(text: str, heard: Heard, language: str) -> tuple[float, ...]:
    n_words = max(len(heard.words), 1)
    you, me = _YOU.get(language, frozenset()), _ME.get(language, frozenset())
    return (
        *(float(bool(heard.hits.get(kind))) for kind in (*AGENT_KINDS, *CUSTOMER_KINDS, *_OTHER_KINDS)),
        sum(w in you for w in heard.words) / n_words,
        sum(w in me for w in heard.words) / n_words,
        float("?" in text),
        float(np.log1p(len(heard.words))),
    )


def _kinds(texts: Sequence[str], kinds: tuple[str, ...], phrases: Phrases, language: str) -> list[str]:
    """Which of the kinds are heard, in words."""
    heard = {k for text in texts for k in phrases.hear(text, language).hits}
    return [k.replace("_", " ") for k in kinds if k in heard]

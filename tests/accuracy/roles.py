"""Who is the agent: two voices of one conversation told apart by what they say, beside "who speaks first".

    python -m tests.accuracy roles

(a) Dialogues written for the training, judged by heads that saw nothing of them. (b) Real and synthetic conversations
with known parties; nothing was tuned on them. The consultations are doctors and patients, not agents and customers.
(c) Voices of telephone prompts, of which none is an agent's rather than the other's: what is claimed there is wrong.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.training import train
from pipelines.language.embeddings import MULTILINGUAL
from pipelines.language.phrases import Phrases
from pipelines.language.roles import (
    PARTY_HEAD,
    first_is_agent,
    log_odds_of,
    utterance_log_odds,
    voice_log_odds,
    who_is_agent,
)
from tests.accuracy.figure import REAL_DATA, Figure
from tests.accuracy.labels.draw import intervals

ROOT = Path(__file__).resolve().parents[2]
SURE = 0.95
FIRST_S = 30.0
SEED = 1
AGENT, CUSTOMER = (0, 0), (1, 0)
_FIRST = "who speaks first"


class Line(NamedTuple):
    start_s: float
    party: str
    text: str


def consultations() -> list[list[Line]]:
    """Doctor (agent) and patient (customer) of each consultation, by start."""
    found = []
    for path in sorted((REAL_DATA / "timed_consultations").glob("*_doctor.TextGrid")):
        lines = []
        for party, name in (("agent", "_doctor"), ("customer", "_patient")):
            own = intervals(path.with_name(path.name.replace("_doctor", name)))
            lines += [Line(start_s, party, text) for _, start_s, text in own if text]
        found.append(sorted(lines))
    return found


def chats() -> list[list[Line]]:
    """The public chats; a turn counts as five seconds."""
    told = json.loads((REAL_DATA / "chats/abcd_sample.json").read_text("utf-8"))
    return [
        [Line(i * 5.0, who, text) for i, (who, text) in enumerate(chat["original"]) if who in ("agent", "customer")]
        for chat in told
    ]


def phone_call() -> list[list[Line]]:
    """The mono telephone call with a transcript that names the speakers."""
    text = (REAL_DATA / "mono_phone_calls/Call01.srt").read_text("utf-8-sig")
    blocks = re.findall(r"(\d+):(\d+):(\d+),(\d+) -->.*\n\[(CSR|Customer)\]((?:.*\n?)+?)(?:\n|$)", text)
    return [
        [
            Line(int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000, "agent" if who == "CSR" else "customer", words)
            for h, m, s, ms, who, words in blocks
        ]
    ]


def sample() -> list[list[Line]]:
    """The synthetic sample's true texts of calls with two parties, excluded calls and one word too."""
    found = []
    for path in sorted((ROOT / "data/sample/truth").glob("*.json")):
        parties = json.loads(path.read_text("utf-8"))["parties"]
        lines = [Line(s["start_s"], p, s["text"]) for p, of in parties.items() for s in of["segments"] if s.get("text")]
        if {line.party for line in lines} == {"agent", "customer"}:
            found.append(sorted(lines))
    return found


def repair_call() -> list[list[Line]]:
    """The two-channel repair call; its text has no times, so sentences take turns."""
    told = json.loads((REAL_DATA / "two_channel_auto_repair/reference_text_silver.json").read_text("utf-8"))
    names = {"agent": "agent", "customer": "customer" if "customer" in told else "caller"}
    sentences = {party: re.split(r"(?<=[.?!])\s+", told[name]) for party, name in names.items() if name in told}
    return (
        [sorted(Line(i * 5.0, party, text) for party, own in sentences.items() for i, text in enumerate(own))]
        if len(sentences) == 2
        else []
    )


def held_out() -> list[tuple[np.ndarray, np.ndarray, str]]:
    """(log-odds of the agent's utterances, of the customer's, who spoke first) of written dialogues, held out."""
    _, held = train.train(train.TASKS[PARTY_HEAD], MULTILINGUAL)
    by_group: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row, odds in zip(held.rows, log_odds_of(held.probabilities), strict=True):
        by_group[row["group"]].append((row["party"], float(odds)))
    found = []
    for rows in by_group.values():
        odds = {p: np.array([o for party, o in rows if party == p]) for p in ("agent", "customer")}
        # Blocks that list one party's sentences after the other's are no dialogues.
        if min(len(o) for o in odds.values()) >= 3 and sum(a != b for (a, _), (b, _) in pairwise(rows)) > 4:
            found.append((odds["agent"], odds["customer"], rows[0][0]))
    return found


def _judged(name: str, right: list[float], first: list[bool], note: str) -> list[Figure]:
    """Share told rightly, and of the sure ones; `right` holds the probability given to the truth."""
    sure = [p for p in right if max(p, 1 - p) >= SURE]
    wrong = sum(p < 0.5 for p in sure)
    share = float(np.mean([p > 0.5 for p in right]))
    return [
        Figure("the agent is found", name, len(right), share, "", _FIRST, float(np.mean(first)), note),
        Figure("sure (>= .95) and wrong", name, len(right), wrong / len(right), "", note=f"{len(sure)} were sure"),
    ]


def _talks(
    name: str, talks: list[list[Line]], phrases: Phrases, note: str, first_s: float | None = None
) -> list[Figure]:
    right, first = [], []
    for talk in talks:
        heard = [x for x in talk if first_s is None or x.start_s < talk[0].start_s + first_s]
        voices = {v: [x.text for x in heard if x.party == p] for v, p in ((AGENT, "agent"), (CUSTOMER, "customer"))}
        role = who_is_agent(voices, phrases, "en")
        right.append(0.5 if role.agent is None else role.confidence if role.agent == AGENT else 1 - role.confidence)
        first.append(talk[0].party == "agent")
    return _judged(name if first_s is None else f"{name}, first {first_s:.0f} s", right, first, note)


def _prompts(phrases: Phrases, n_pairs: int) -> list[Figure]:
    """Two voices of random prompts, of unequal length too: nothing may be claimed."""
    with open(REAL_DATA / "phone_prompts/prompts.tsv", newline="", encoding="utf-8") as file:
        texts = [row[-1] for row in csv.reader(file, delimiter="\t") if len(row) > 1 and len(row[-1].split()) >= 3]
    odds = utterance_log_odds(texts, "en", phrases)
    random_ = random.Random(SEED)
    claims = []
    for _ in range(n_pairs):
        drawn = random_.sample(range(len(texts)), 20)
        cut = random_.choice([4, 10, 16])
        p = first_is_agent(voice_log_odds(odds[drawn[:cut]]), voice_log_odds(odds[drawn[cut:]]))
        claims.append(max(p, 1 - p))
    note = "nothing is right here; a claim is an error"
    return [
        Figure(f"claims with {least} or more", "pairs of voices of telephone prompts", n_pairs,
               float(np.mean(np.array(claims) >= least)), "", note=note)
        for least in (0.8, SURE)
    ]  # fmt: skip


def _customers_alone(phrases: Phrases, n: int) -> list[Figure]:
    found = []
    for domain in ("airline", "fastfood", "insurance", "media"):
        with open(REAL_DATA / f"issue_types/multidogo_{domain}_test.tsv", newline="", encoding="utf-8") as file:
            texts = [r["utterance"] for r in csv.DictReader(file, delimiter="\t") if len(r["utterance"].split()) >= 3]
        odds = utterance_log_odds(random.Random(SEED).sample(texts, min(n, len(texts))), "en", phrases)
        note = f"median log-odds {np.median(odds):.2f}, a tenth above {np.quantile(odds, 0.9):.2f}"
        found.append(Figure("customers' messages taken for a customer's", f"multidogo {domain}", len(odds),
                            float((odds < 0).mean()), "", "chance", 0.5, note))  # fmt: skip
    return found


def figures(quick: bool = False) -> list[Figure]:
    """The errors of this module; FileNotFoundError where the real data are absent."""
    if not (REAL_DATA / "timed_consultations").is_dir():
        raise FileNotFoundError(f"no real conversations in {REAL_DATA}")
    phrases = Phrases.read(ROOT / "dbt_project" / "seeds")
    found: list[Figure] = []
    written = held_out()
    for label, most in (("", None), (", first 3 utterances of each", 3)):
        right = [first_is_agent(voice_log_odds(a[:most]), voice_log_odds(c[:most])) for a, c, _ in written]
        found += _judged(f"written dialogues, held out{label}", right, [f == "agent" for _, _, f in written],
                         "by the author of the measure")  # fmt: skip
    others = consultations()
    for name, talks, note in (
        ("consultations, doctor and patient", others[::4] if quick else others, "another domain; nothing tuned on it"),
        ("sample calls, true text", sample(), "written by this project, not trained on"),
        ("abcd chats", chats(), "three chats"),
        ("Call01, human transcript", phone_call(), "one call"),
        ("repair call, silver text", repair_call(), "one call"),
    ):
        if talks:
            for first_s in (None, FIRST_S):
                found += _talks(name, talks, phrases, note, first_s)
    return found + _customers_alone(phrases, 100 if quick else 300) + _prompts(phrases, 200 if quick else 1000)

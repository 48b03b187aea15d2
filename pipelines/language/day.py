"""What the words of one day mean: sentiments, events, issue types, and every measure that rests on words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from pipelines.contracts.language import EVENTS, ISSUE_TYPES
from pipelines.contracts.measured import Measured, Measures, NotMeasured
from pipelines.language import text_channels
from pipelines.language.compliance import Step, adherence, knowledge, read_steps, steps_for, zero_tolerance
from pipelines.language.empathy import EMPATHY_VERSION, empathy
from pipelines.language.escalation import EscalationWeights, escalation_risk, explain
from pipelines.language.issue_types import (
    ISSUE_TYPE_VERSION,
    IssueTypes,
    read_issue_types,
    with_own,
)
from pipelines.language.keywords import KEYWORDS_VERSION, keywords
from pipelines.language.phrases import Heard, Phrases
from pipelines.language.questions import questions
from pipelines.language.resolution import resolution
from pipelines.language.said import Event, Said
from pipelines.language.sentiment import SENTIMENT_VERSION, judge, sentiment_frame
from pipelines.language.tone import TONE_WORDS, add_tone

LANGUAGE_VERSION = (
    f"language-2 sentiment={SENTIMENT_VERSION} empathy={EMPATHY_VERSION} issue_type={ISSUE_TYPE_VERSION}"
    f" keywords={KEYWORDS_VERSION}"
)

# Interactions whose sentences are turned into vectors together: enough for full batches, little memory.
TOGETHER = 64

# A transfer that is spoken of again within so many of the agent's utterances is the same transfer.
SAME_TRANSFER_UTTERANCES = 4
# A customer's utterance that shares this part of its words with an earlier one says the same again.
SAME_WORDS_RATIO = 0.8
SAME_WORDS_FEWEST = 6

_SILENT = Heard([], [], [], [], {})
_UTTERANCE_COLUMNS = (
    "interaction_id",
    "utterance",
    "party",
    "start_s",
    "end_s",
    "sent_at",
    "text",
    "n_words",
    "confidence",
    "language",
    "source",
)


@dataclass(frozen=True)
class Rules:
    """The business rules that the measures follow: rows of seeds."""

    phrases: Phrases
    escalation: EscalationWeights
    steps: tuple[Step, ...]
    issue_types: pl.DataFrame

    @classmethod
    def read(cls, seeds: Path, *, default_language: str = "en") -> Rules:
        """From the folder `seeds`; an error (ValueError) names file, line and reason of a row that can't be used."""
        return cls(
            Phrases.read(seeds, default_language=default_language),
            EscalationWeights.read(seeds),
            read_steps(seeds),
            read_issue_types(seeds),
        )


@dataclass(frozen=True)
class Language:
    """Frames of `language/sentiments`, `/events`, `/issue_types` and `/keywords`; measures by interaction."""

    sentiments: pl.DataFrame
    events: pl.DataFrame
    issue_types: pl.DataFrame
    keywords: pl.DataFrame
    measures: dict[str, Measures]


def languages(
    interactions: pl.DataFrame,
    utterances: pl.DataFrame,
    rules: Rules,
    own_issue_types: pl.DataFrame | None = None,
    conversation: dict[str, Measures] | None = None,
    activation: pl.DataFrame | None = None,
) -> Language:
    """Everything that the words of a day tell, and the tone in which they were said.

    `interactions`: frame of `landing/interactions`; `utterances`: of `transcripts/utterances` (those of other
    interactions are left alone); `own_issue_types`: of `landing/issue_types`; `activation`: from `tone.activations`,
    of what was heard. `conversation`: measures of the conversation by interaction id, of which interruptions, the
    customer's level rise, holds and look-ups are used where they are measured. Every interaction has measures; what
    can't be measured is NotMeasured with its reason.
    """
    conversation = conversation or {}
    heard_tone = {} if activation is None else {(i, u): z for i, u, z in activation.iter_rows()}
    rows = dict(_by_interaction(utterances))
    sentiments: list[tuple] = []
    events: list[tuple] = []
    measures: dict[str, Measures] = {}
    typed: list[tuple] = []
    to_match: list[tuple[str, list[str], str]] = []
    columns = ("interaction_id", "channel", "call_type", "language", "issue_type", "transferred_at")
    listed = interactions.select(columns).sort("interaction_id").rows(named=True)
    for first in range(0, len(listed), TOGETHER):
        together = listed[first : first + TOGETHER]
        tags = {i["interaction_id"]: _tag(i, rows) for i in together}
        talks = {id_: _talk(rows.get(id_, []), rules.phrases, tag) for id_, tag in tags.items()}
        _judge(talks, tags, rules.phrases, heard_tone)
        for interaction in together:
            id_ = interaction["interaction_id"]
            talk, supported = talks[id_], rules.phrases.supports(tags[id_])
            place = _places(talk)
            if supported:
                sentiments += [
                    (
                        id_,
                        s.utterance,
                        s.party,
                        s.sentiment,
                        s.sentiment_confidence,
                        s.word_sentiment,
                        s.activation,
                        _quarter(place[s.utterance]),
                    )
                    for s in talk
                    if s.party is not None and s.has_words
                ]
            measured, heard = _interaction(
                talk,
                rules,
                language=rules.phrases.language(tags[id_]),
                supported=supported,
                channel=interaction["channel"] or "call",
                call_type=interaction["call_type"],
                transferred=interaction["transferred_at"] is not None,
                conversation=conversation.get(id_, {}),
            )
            measures[id_] = measured
            heard.sort(key=lambda e: (e.utterance is None, e.utterance or 0))
            events += [(id_, i, e.kind, e.party, e.start_s, e.end_s, e.evidence) for i, e in enumerate(heard)]
            if interaction["issue_type"]:
                typed.append((id_, interaction["issue_type"], "crm", 1.0, None))
            elif any(s.n_words for s in talk):
                to_match.append((id_, _texts_about_the_issue(talk), rules.phrases.language(tags[id_])))
    types = with_own(rules.issue_types, own_issue_types)
    matcher = _matcher(tuple(types.columns), tuple(types.rows()))
    matches = matcher.match([texts for _, texts, _ in to_match], [tag for _, _, tag in to_match])
    for (id_, texts, _), match in zip(to_match, matches, strict=True):
        evidence = None if match.text is None else texts[match.text]
        typed.append((id_, match.issue_type, "inferred", match.confidence, evidence))
    known = interactions.select("interaction_id", "language")
    return Language(
        sentiment_frame(sentiments),
        EVENTS.conform(pl.DataFrame(events, schema=EVENTS.schema, orient="row")),
        _issue_type_frame(typed),
        keywords(utterances.join(known, on="interaction_id", how="semi"), dict(known.iter_rows())),
        measures,
    )


@lru_cache(maxsize=2)
def _matcher(columns: tuple[str, ...], rows: tuple[tuple, ...]) -> IssueTypes:
    """Fitted once for all days with the same issue types."""
    return IssueTypes.fit(pl.DataFrame(rows, schema=list(columns), orient="row"))


def _tag(interaction: dict, rows: dict[str, list[tuple]]) -> str | None:
    """BCP-47 tag of the interaction's language: of its utterances, else as supplied."""
    return next((r[9] for r in rows.get(interaction["interaction_id"], ()) if r[9]), interaction["language"])


def _judge(
    talks: dict[str, list[Said]],
    tags: dict[str, str | None],
    phrases: Phrases,
    heard_tone: dict[tuple[str, int], float | None],
) -> None:
    """Set the sentiments of several talks: the words of one language in one batch, then each talk's tone."""
    by_language: dict[str, list[Said]] = defaultdict(list)
    for id_, talk in talks.items():
        if phrases.supports(tags[id_]):
            by_language[phrases.language(tags[id_])] += talk
    for language, said in by_language.items():
        judge(said, language)
    for id_, talk in talks.items():
        for said in talk:
            said.activation = heard_tone.get((id_, said.utterance))
        add_tone(talk)


def _issue_type_frame(rows: list[tuple]) -> pl.DataFrame:
    columns = [c for c in ISSUE_TYPES.schema if c != "extractor_version"]
    frame = pl.DataFrame(rows, schema={c: ISSUE_TYPES.schema[c] for c in columns}, orient="row")
    return ISSUE_TYPES.conform(frame.with_columns(extractor_version=pl.lit(ISSUE_TYPE_VERSION)))


def _by_interaction(utterances: pl.DataFrame) -> Iterator[tuple[str, list[tuple]]]:
    rows: list[tuple] = []
    for row in utterances.select(_UTTERANCE_COLUMNS).sort("interaction_id", "utterance").iter_rows():
        if rows and rows[-1][0] != row[0]:
            yield rows[0][0], rows
            rows = []
        rows.append(row)
    if rows:
        yield rows[0][0], rows


def _talk(rows: list[tuple], phrases: Phrases, language: str | None) -> list[Said]:
    supported = phrases.supports(language)
    return [
        Said(
            utterance,
            party,
            text,
            phrases.hear(text, language) if supported else _SILENT,
            n_words,
            start_s,
            end_s,
            sent_at,
            source == "message",
            confidence,
        )
        for _, utterance, party, start_s, end_s, sent_at, text, n_words, confidence, _, source in rows
    ]


def _texts_about_the_issue(talk: list[Said]) -> list[str]:
    """The customer's texts; without any, those of an unknown party, then the agent's."""
    for party in ("customer", None, "agent"):
        texts = [s.text for s in talk if s.party == party and s.n_words]
        if texts:
            return texts
    return []


def _interaction(
    talk: list[Said],
    rules: Rules,
    *,
    language: str,
    supported: bool,
    channel: str,
    call_type: str | None,
    transferred: bool,
    conversation: Measures,
) -> tuple[Measures, list[Event]]:
    """The measures and events of one interaction."""
    agent = [s for s in talk if s.party == "agent" and (s.has_words or s.n_words)]
    customer = [s for s in talk if s.party == "customer" and (s.has_words or s.n_words)]
    spoken = {"agent": bool(agent), "customer": bool(customer)}
    mono = not agent and not customer and any(s.n_words for s in talk)
    events: list[Event] = []
    measures: Measures = {}

    def missing(*parties: str, words_understood: bool = True) -> NotMeasured | None:
        """Why something that needs the speech of these parties can't be measured; None: it can."""
        if mono:
            return NotMeasured("mono_audio")
        silent = next((p for p in parties if not spoken[p]), None)
        if silent:
            nobody = len(parties) > 1 and not any(spoken.values())
            return NotMeasured("no_speech" if nobody else f"no_{silent}_speech")
        if not agent and not customer:
            return NotMeasured("no_speech")
        return None if supported or not words_understood else NotMeasured("language_unsupported")

    by_party = {"agent": agent, "customer": customer}
    for party, own in by_party.items():
        absent = missing(party)
        measures |= _sentiment_measures(party, own, talk, absent)
        if any(s.activation is not None for s in talk):
            measures["tone_activation", party] = _tone(own, missing(party, words_understood=False))
        if absent is None and channel != "call":
            absent = NotMeasured("not_applicable_to_call_type")
        measures["filler_rate", party] = absent or _per_100_words(own, "filler")
    gap = missing("agent", "customer")
    means = [measures["sentiment_mean", p] for p in ("agent", "customer")]
    gap = gap or next((m for m in means if isinstance(m, NotMeasured)), None)
    measures["sentiment_gap", "call"] = gap or means[0] - means[1]

    measures["empathy_score", "agent"] = _kept(missing("agent", "customer"), events, lambda: empathy(talk, language))
    measures["resolved_evidence", "call"] = _kept(missing(), events, lambda: resolution(talk))
    absent = missing("customer")
    measures["repetitions", "customer"] = _kept(absent, events, lambda: _repetitions(customer))
    escalating = [Event.at("escalation", s, s.context_of(h)) for s in customer for h in s.heard.of("escalation")]
    events += escalating

    absent = missing("agent")
    measures["apologies", "agent"] = _kept(absent, events, lambda: _counted(agent, "apology", "apology"))
    measures["overpromises", "agent"] = _kept(absent, events, lambda: _counted(agent, "overpromise", "keyword"))
    announced = _kept(absent, events, lambda: _transfers(agent))
    if transferred:
        announced = max(1.0, 0.0 if isinstance(announced, NotMeasured) else announced)
    measures["transfers", "call"] = announced
    asked = [questions(s) for s in agent] if absent is None else []
    measures["questions_open", "agent"] = absent or float(sum(o for o, _ in asked))
    measures["questions_closed", "agent"] = absent or float(sum(c for _, c in asked))
    failed = zero_tolerance(agent)
    events += failed
    measures["zero_tolerance_hits", "agent"] = absent or float(len(failed))
    holds = _value(conversation, "hold_count", "call")
    steps = steps_for(rules.steps, call_type, channel)
    measures["adherence_score", "agent"] = _kept(
        absent, events, lambda: adherence(talk, steps, held=None if holds is None else holds > 0)
    )
    measures["knowledge_score", "agent"] = absent or knowledge(
        talk,
        customer_questions=[i for i, s in enumerate(talk) if s.party == "customer" and any(questions(s))],
        transfers=announced,
        longest_retrieval_s=_value(conversation, "retrieval_longest_s", "agent"),
    )
    measures["escalation_risk", "call"] = _kept(
        missing("customer"), events, lambda: _risk(measures, conversation, customer, rules.escalation)
    )
    measures |= _text_measures(talk, agent, channel, language, missing("agent", words_understood=False))
    return measures, events


def _kept(absent: NotMeasured | None, events: list[Event], measure) -> Measured:
    """The measure's value, its events kept; or why it is absent."""
    if absent:
        return absent
    value, found = measure()
    events += found
    return value


def _value(measures: Measures, metric: str, party: str) -> float | None:
    value = measures.get((metric, party))
    return None if value is None or isinstance(value, NotMeasured) else value


def _sentiment_measures(party: str, own: list[Said], talk: list[Said], absent: NotMeasured | None) -> Measures:
    """Mean sentiment, by words; of each quarter of the conversation; the last quarter less the first; the tone."""
    quarters = ("sentiment_start", "sentiment_quarter_2", "sentiment_quarter_3", "sentiment_end")
    if absent:
        return {(name, party): absent for name in ("sentiment_mean", *quarters, "sentiment_shift")}
    place = _places(talk)
    found = {
        name: _mean_sentiment([s for s in own if _quarter(place[s.utterance]) == number])
        for number, name in enumerate(quarters, 1)
    }
    start, end = found["sentiment_start"], found["sentiment_end"]
    shift = next((m for m in (start, end) if isinstance(m, NotMeasured)), None)
    found |= {"sentiment_mean": _mean_sentiment(own), "sentiment_shift": shift or end - start}
    return {(name, party): value for name, value in found.items()}


def _quarter(place: float) -> int:
    """1 … 4 from a place 0 … 1."""
    return min(3, int(place * 4)) + 1


def _tone(own: list[Said], absent: NotMeasured | None) -> Measured:
    """Highest activation of an utterance long enough to hear a tone in."""
    heard = [s.activation for s in own if s.activation is not None and s.n_words >= TONE_WORDS]
    return absent or (max(heard) if heard else NotMeasured("no_event"))


def _mean_sentiment(said: list[Said]) -> Measured:
    said = [s for s in said if s.has_words]
    words = sum(max(s.n_words, 1) for s in said)
    return sum(s.sentiment * max(s.n_words, 1) for s in said) / words if words else NotMeasured("no_event")


def _places(talk: list[Said]) -> dict[int, float]:
    """Where each utterance's midpoint stands in the conversation, 0 … 1; by order where a time is missing."""
    spoken = [s for s in talk if s.has_words or s.n_words]
    if spoken and all(s.start_s is not None and s.end_s is not None for s in spoken):
        first, last = min(s.start_s for s in spoken), max(s.end_s for s in spoken)
        if last > first:
            return {s.utterance: ((s.start_s + s.end_s) / 2 - first) / (last - first) for s in spoken}
    return {s.utterance: (i + 0.5) / len(spoken) for i, s in enumerate(spoken)}


def _per_100_words(said: list[Said], kind: str) -> Measured:
    words = sum(s.n_words for s in said)
    return 100.0 * sum(len(s.heard.of(kind)) for s in said) / words if words else NotMeasured("no_event")


def _counted(said: list[Said], kind: str, event: str) -> tuple[float, list[Event]]:
    """Utterances with a phrase of the kind, an event each."""
    found = [(s, s.heard.of(kind)[0]) for s in said if s.heard.of(kind)]
    label = f"{kind}: " if event == "keyword" else ""
    return float(len(found)), [Event.at(event, s, label + s.context_of(h)) for s, h in found]


def _transfers(agent: list[Said]) -> tuple[float, list[Event]]:
    """Transfers that the agent announced; what is said of one within the next utterances is the same one."""
    events = []
    last = -SAME_TRANSFER_UTTERANCES - 1
    for i, said in enumerate(agent):
        hits = said.heard.of("transfer")
        if hits and i - last > SAME_TRANSFER_UTTERANCES:
            events.append(Event.at("keyword", said, f"transfer: {said.context_of(hits[0])}"))
        if hits:
            last = i
    return float(len(events)), events


def _repetitions(customer: list[Said]) -> tuple[float, list[Event]]:
    """Utterances in which the customer says so ("as I said"), or says nearly the same words again."""
    events = []
    earlier: list[set[str]] = []
    for said in customer:
        words = set(said.heard.words)
        hits = said.heard.of("repetition")
        long_enough = len(words) >= SAME_WORDS_FEWEST
        again = long_enough and any(len(words & e) >= SAME_WORDS_RATIO * len(words | e) for e in earlier)
        if hits or again:
            evidence = said.context_of(hits[0]) if hits else said.text
            events.append(Event.at("keyword", said, f"repetition: {evidence}"))
        if long_enough:
            earlier.append(words)
    return float(len(events)), events


def _risk(
    measures: Measures, conversation: Measures, customer: list[Said], weights: EscalationWeights
) -> tuple[float, list[Event]]:
    def below_0(value: Measured) -> Measured:
        return value if isinstance(value, NotMeasured) else max(0.0, -value)

    unknown = NotMeasured("not_supplied")
    resolved = measures["resolved_evidence", "call"]
    risk, contributions = escalation_risk(
        {
            "customer_end_negativity": below_0(measures["sentiment_end", "customer"]),
            "customer_sentiment_drop": below_0(measures["sentiment_shift", "customer"]),
            "customer_level_rise_db": conversation.get(("level_rise_db", "customer"), unknown),
            "agent_interruptions_per_min": conversation.get(("interruptions_per_min", "agent"), unknown),
            "customer_interruptions_per_min": conversation.get(("interruptions_per_min", "customer"), unknown),
            "repetitions": measures["repetitions", "customer"],
            "escalation_words": sum(s.heard.weight("escalation") for s in customer),
            "unresolved": resolved if isinstance(resolved, NotMeasured) else 1.0 - resolved,
        },
        weights,
    )
    return risk, [Event.of_call("escalation", explain(risk, contributions))]


def _text_measures(
    talk: list[Said], agent: list[Said], channel: str, language: str, absent: NotMeasured | None
) -> Measures:
    if channel == "call":
        spoken = NotMeasured("not_applicable_to_call_type")
        return {("first_response_s", "agent"): spoken, ("readability", "agent"): spoken}
    if absent:
        return {("first_response_s", "agent"): absent, ("readability", "agent"): absent}
    readable = NotMeasured("language_unsupported") if language != "en" else None
    return {
        ("first_response_s", "agent"): text_channels.first_response_s(talk),
        ("readability", "agent"): readable or text_channels.readability([s.text for s in agent]),
    }

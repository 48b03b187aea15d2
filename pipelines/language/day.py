"""What the words of one day mean: sentiments, events, issue types, and every measure that rests on words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.contracts.language import EVENTS, ISSUE_TYPES
from pipelines.contracts.measured import Measured, Measures, NotMeasured
from pipelines.language import text_channels
from pipelines.language.compliance import Step, adherence, knowledge, read_steps, steps_for, zero_tolerance
from pipelines.language.empathy import empathy
from pipelines.language.escalation import EscalationWeights, escalation_risk, explain
from pipelines.language.issue_types import (
    ISSUE_TYPE_VERSION,
    IssueTypes,
    read_issue_types,
    with_own,
)
from pipelines.language.phrases import Heard, Phrases
from pipelines.language.questions import questions
from pipelines.language.resolution import resolution
from pipelines.language.said import Event, Said
from pipelines.language.sentiment import SENTIMENT_VERSION, judge, sentiment_frame

LANGUAGE_VERSION = f"language-1 sentiment={SENTIMENT_VERSION} issue_type={ISSUE_TYPE_VERSION}"

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
    """Frames of `language/sentiments`, `language/events`, `language/issue_types`; measures by interaction."""

    sentiments: pl.DataFrame
    events: pl.DataFrame
    issue_types: pl.DataFrame
    measures: dict[str, Measures]


def languages(
    interactions: pl.DataFrame,
    utterances: pl.DataFrame,
    rules: Rules,
    own_issue_types: pl.DataFrame | None = None,
    conversation: dict[str, Measures] | None = None,
) -> Language:
    """Everything that the words of a day tell.

    `interactions`: frame of `landing/interactions`; `utterances`: of `transcripts/utterances` (those of other
    interactions are left alone); `own_issue_types`: of `landing/issue_types`. `conversation`: measures of the
    conversation by interaction id, of which interruptions, the customer's level rise, holds and look-ups are used
    where they are measured. Every interaction has measures; what can't be measured is NotMeasured with its reason.
    """
    conversation = conversation or {}
    rows = dict(_by_interaction(utterances))
    sentiments: list[tuple] = []
    events: list[tuple] = []
    measures: dict[str, Measures] = {}
    typed: list[tuple] = []
    to_match: list[tuple[str, list[str]]] = []
    columns = ("interaction_id", "channel", "call_type", "language", "issue_type", "transferred_at")
    for interaction in interactions.select(columns).sort("interaction_id").iter_rows(named=True):
        id_ = interaction["interaction_id"]
        tag = next((r[9] for r in rows.get(id_, ()) if r[9]), interaction["language"])
        supported = rules.phrases.supports(tag)
        talk = _talk(rows.get(id_, []), rules.phrases, tag, supported)
        if supported:
            sentiments += [
                (id_, s.utterance, s.party, s.sentiment, s.sentiment_confidence)
                for s in talk
                if s.party is not None and s.has_words
            ]
        measured, heard = _interaction(
            talk,
            rules,
            language=rules.phrases.language(tag),
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
            to_match.append((id_, _texts_about_the_issue(talk)))
    matcher = IssueTypes.fit(with_own(rules.issue_types, own_issue_types))
    for (id_, texts), match in zip(to_match, matcher.match([t for _, t in to_match]), strict=True):
        evidence = None if match.text is None else texts[match.text]
        typed.append((id_, match.issue_type, "inferred", match.confidence, evidence))
    return Language(
        sentiment_frame(sentiments),
        EVENTS.conform(pl.DataFrame(events, schema=EVENTS.schema, orient="row")),
        _issue_type_frame(typed),
        measures,
    )


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


def _talk(rows: list[tuple], phrases: Phrases, language: str | None, supported: bool) -> list[Said]:
    talk = []
    for _, utterance, party, start_s, end_s, sent_at, text, n_words, confidence, _, source in rows:
        said = Said(
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
        if supported:
            judge(said)
        talk.append(said)
    return talk


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
        if absent is None and channel != "call":
            absent = NotMeasured("not_applicable_to_call_type")
        measures["filler_rate", party] = absent or _per_100_words(own, "filler")
    gap = missing("agent", "customer")
    means = [measures["sentiment_mean", p] for p in ("agent", "customer")]
    gap = gap or next((m for m in means if isinstance(m, NotMeasured)), None)
    measures["sentiment_gap", "call"] = gap or means[0] - means[1]

    measures["empathy_score", "agent"] = _kept(missing("agent", "customer"), events, lambda: empathy(talk))
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
    """Mean sentiment, by words; of the first and the last quarter of the conversation; the shift between."""
    names = ("sentiment_mean", "sentiment_start", "sentiment_end", "sentiment_shift")
    if absent:
        return {(name, party): absent for name in names}
    place = _places(talk)
    start = _mean_sentiment([s for s in own if place[s.utterance] < 0.25])
    end = _mean_sentiment([s for s in own if place[s.utterance] >= 0.75])
    shift = next((m for m in (start, end) if isinstance(m, NotMeasured)), None)
    values = (_mean_sentiment(own), start, end, shift or end - start)
    return {(name, party): value for name, value in zip(names, values, strict=True)}


def _mean_sentiment(said: list[Said]) -> Measured:
    said = [s for s in said if s.has_words]
    words = sum(max(s.n_words, 1) for s in said)
    return sum(s.sentiment * max(s.n_words, 1) for s in said) / words if words else NotMeasured("no_event")


def _places(talk: list[Said]) -> dict[int, float]:
    """Where each utterance's midpoint stands in the conversation, 0 … 1; by order where a time is missing."""
    spoken = [s for s in talk if s.has_words or s.n_words]
    if all(s.start_s is not None and s.end_s is not None for s in spoken):
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

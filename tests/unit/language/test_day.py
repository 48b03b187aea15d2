from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.language import EVENTS, ISSUE_TYPES, SENTIMENTS
from pipelines.contracts.measured import NotMeasured
from pipelines.contracts.metrics import METRICS
from pipelines.contracts.transcripts import UTTERANCES
from pipelines.contracts.vocabulary import EVENT_KINDS
from pipelines.language.day import languages

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALL = [
    ("agent", "Good morning, thank you for calling. This call is recorded. How can I help?"),
    ("customer", "My order never arrived and I am really frustrated, um, this is ridiculous."),
    ("agent", "I'm so sorry about that. Let me check. Can I have your order number?"),
    ("customer", "As I said to your colleague, it is seven two nine."),
    ("agent", "Thank you for waiting. I have refunded the charge, I guarantee it."),
    ("customer", "That's great, thank you so much for your help."),
    ("agent", "Is there anything else I can help with?"),
    ("customer", "No, that's all, perfect."),
    ("agent", "Have a great day!"),
]
LANGUAGE_METRICS = {
    *((m, p) for m in ("sentiment_mean", "sentiment_start", "sentiment_quarter_2", "sentiment_quarter_3",
                           "sentiment_end", "sentiment_shift", "filler_rate")
      for p in ("agent", "customer")),
    *((m, "call") for m in ("sentiment_gap", "resolved_evidence", "escalation_risk", "transfers")),
    ("repetitions", "customer"),
    *((m, "agent") for m in (
        "empathy_score", "questions_open", "questions_closed", "apologies", "overpromises", "first_response_s",
        "readability", "adherence_score", "knowledge_score", "zero_tolerance_hits")),
}  # fmt: skip


def day(rules, lines, *, conversation=None, source="recognition", language="en", times=True, own=None, **interaction):
    rows = [
        {
            "interaction_id": "c1",
            "utterance": i,
            "party": party,
            "start_s": i * 10.0 if times and source != "message" else None,
            "end_s": i * 10.0 + 8 if times and source != "message" else None,
            "sent_at": NOON + timedelta(seconds=30 * i) if source == "message" else None,
            "text": text,
            "n_words": len(text.split()),
            "language": language,
            "source": source,
        }
        for i, (party, text) in enumerate(lines)
    ]
    frame = INTERACTIONS.frame([{"interaction_id": "c1", "channel": "call"} | interaction])
    given = None if conversation is None else {"c1": conversation}
    return languages(frame, UTTERANCES.frame(rows), rules, own, given)


def measures(rules, lines, **more):
    return day(rules, lines, **more).measures["c1"]


def test_a_call_is_measured_as_worked_out_by_hand(rules):
    m = measures(rules, CALL)
    assert 25 < m["empathy_score", "agent"] < 75  # a bare "so sorry about that" is a weak answer
    assert m["resolved_evidence", "call"] == 1
    assert m["apologies", "agent"] == 1
    assert m["overpromises", "agent"] == 1
    assert m["repetitions", "customer"] == 1
    assert m["transfers", "call"] == 0
    assert (m["questions_open", "agent"], m["questions_closed", "agent"]) == (1, 2)
    assert m["filler_rate", "customer"] == pytest.approx(100 / 37)
    assert m["filler_rate", "agent"] == 0
    assert m["adherence_score", "agent"] == 100
    assert m["zero_tolerance_hits", "agent"] == 0
    assert m["sentiment_start", "customer"] < -0.35 < 0.35 < m["sentiment_end", "customer"]
    assert m["sentiment_shift", "customer"] == m["sentiment_end", "customer"] - m["sentiment_start", "customer"]
    assert m["sentiment_gap", "call"] == m["sentiment_mean", "agent"] - m["sentiment_mean", "customer"]
    assert m["escalation_risk", "call"] < 0.2
    assert m["first_response_s", "agent"] == NotMeasured("not_applicable_to_call_type")


def test_every_measure_of_the_words_is_there_for_its_parties_in_range(rules):
    for lines in (CALL, CALL[:1], CALL[1:2], []):
        m = measures(rules, lines)
        assert set(m) == LANGUAGE_METRICS
        for (metric, party), value in m.items():
            assert party in METRICS[metric].parties
            if not isinstance(value, NotMeasured):
                assert METRICS[metric].at_least is None or value >= METRICS[metric].at_least
                assert METRICS[metric].at_most is None or value <= METRICS[metric].at_most


def test_the_frames_keep_their_contracts_and_events_carry_words_and_times(rules):
    result = day(rules, CALL)
    for frame, table in (
        (result.sentiments, SENTIMENTS), (result.events, EVENTS), (result.issue_types, ISSUE_TYPES)
    ):  # fmt: skip
        assert frame.schema == table.schema
        assert frame.select(table.key).is_unique().all()
    assert set(result.events["kind"]) <= set(EVENT_KINDS)
    assert result.events["event"].to_list() == list(range(result.events.height))
    assert result.events["evidence"].null_count() == 0
    assert result.events.filter((pl.col("party") != "call") & pl.col("start_s").is_null()).is_empty()
    assert result.sentiments.height == len(CALL)


def test_silence_of_a_party_is_null_with_its_reason_not_0(rules):
    m = measures(rules, CALL[:1])
    for key in (("sentiment_mean", "customer"), ("repetitions", "customer"), ("empathy_score", "agent")):
        assert m[key] == NotMeasured("no_customer_speech")
    m = measures(rules, CALL[1:2])
    for metric in ("apologies", "adherence_score", "knowledge_score", "zero_tolerance_hits", "empathy_score"):
        assert m[metric, "agent"] == NotMeasured("no_agent_speech")
    assert m["transfers", "call"] == NotMeasured("no_agent_speech")
    assert measures(rules, [])["resolved_evidence", "call"] == NotMeasured("no_speech")
    assert measures(rules, [])["sentiment_gap", "call"] == NotMeasured("no_speech")


def test_a_mono_call_without_parties_is_null_because_of_mono_audio_but_has_an_issue_type(rules):
    result = day(rules, [(None, "I want to cancel my subscription")])
    words = {k: v for k, v in result.measures["c1"].items() if k[0] not in ("first_response_s", "readability")}
    assert set(words.values()) == {NotMeasured("mono_audio")}
    assert result.sentiments.is_empty()
    assert result.issue_types["issue_type"].to_list() == ["cancellation"]


def test_a_language_without_phrases_is_null_because_of_the_language(rules):
    result = day(rules, [("agent", "Bonjour, comment allez-vous"), ("customer", "c'est terrible")], language="fr-FR")
    assert result.measures["c1"]["sentiment_mean", "customer"] == NotMeasured("language_unsupported")
    assert result.measures["c1"]["zero_tolerance_hits", "agent"] == NotMeasured("language_unsupported")
    assert result.sentiments.is_empty()
    assert result.events.is_empty()


def test_a_spanish_call_is_understood(rules):
    lines = [
        ("agent", "Buenos días, gracias por llamar. ¿En qué le puedo ayudar?"),
        ("customer", "Mi pedido nunca llegó, esto es inaceptable."),
        ("agent", "¿Me puede dar su número de pedido?"),
        ("customer", "Es el siete dos nueve."),
        ("agent", "Lo siento mucho, entiendo su molestia. Ya está resuelto."),
        ("customer", "Perfecto, muchas gracias por su ayuda."),
    ]
    m = measures(rules, lines, language="es-MX")
    assert m["empathy_score", "agent"] > 50
    assert m["resolved_evidence", "call"] == 1
    assert m["sentiment_start", "customer"] < -0.35 < 0.35 < m["sentiment_end", "customer"]


def test_a_quarter_is_told_by_the_midpoint_in_time_and_by_order_without_times(rules):
    lines = [("customer", "terrible"), ("agent", "okay"), ("agent", "okay"), ("customer", "wonderful")]
    for times in (True, False):
        m = measures(rules, lines, times=times)
        assert m["sentiment_start", "customer"] < 0 < m["sentiment_end", "customer"]
        assert m["sentiment_start", "agent"] == NotMeasured("no_event")


def test_a_mean_is_weighted_by_words(rules):
    alone = measures(rules, [("customer", "terrible")])["sentiment_mean", "customer"]
    neutral = measures(rules, [("customer", "it was seven")])["sentiment_mean", "customer"]
    assert (alone < -0.3, neutral) == (True, 0)
    m = measures(rules, [("customer", "terrible"), ("customer", "it was seven")])
    assert m["sentiment_mean", "customer"] == pytest.approx((alone + 3 * neutral) / 4)


def test_a_chat_has_a_first_response_and_readability_and_no_fillers(rules):
    m = measures(rules, CALL[1:], source="message", channel="chat")
    assert m["first_response_s", "agent"] == 30
    assert 0 <= m["readability", "agent"] <= 100
    assert m["filler_rate", "agent"] == NotMeasured("not_applicable_to_call_type")


def test_a_supplied_transfer_counts_once_with_the_announced_one(rules):
    lines = [*CALL, ("agent", "I'll transfer you now."), ("customer", "ok"), ("agent", "I am transferring you.")]
    assert measures(rules, lines)["transfers", "call"] == 1
    assert measures(rules, lines, transferred_at=NOON)["transfers", "call"] == 1
    assert measures(rules, CALL, transferred_at=NOON)["transfers", "call"] == 1


def test_the_same_words_again_are_a_repetition(rules):
    said = ("customer", "I have not received the parcel that I ordered")
    assert measures(rules, [said, ("agent", "Okay."), said])["repetitions", "customer"] == 1


def test_the_conversation_raises_the_risk_and_is_explained(rules):
    calm = measures(rules, CALL)["escalation_risk", "call"]
    heated = {("interruptions_per_min", "agent"): 3.0, ("level_rise_db", "customer"): 6.0}
    result = day(rules, CALL, conversation=heated)
    assert result.measures["c1"]["escalation_risk", "call"] > calm
    (risk,) = result.events.filter((pl.col("kind") == "escalation") & (pl.col("party") == "call"))["evidence"]
    assert "agent_interruptions_per_min +1.05" in risk
    assert "customer_level_rise_db +0.90" in risk


def test_an_angry_unresolved_call_is_riskier_than_a_resolved_one(rules):
    angry = [*CALL[:4], ("agent", "There is nothing I can do."), ("customer", "I want to speak to a supervisor!")]
    m = measures(rules, angry)
    assert m["escalation_risk", "call"] > 0.5
    assert m["resolved_evidence", "call"] == 0
    assert m["empathy_score", "agent"] < 100


def test_a_zero_tolerance_hit_is_counted_with_its_words(rules):
    result = day(rules, [*CALL, ("agent", "What is your PIN?")])
    assert result.measures["c1"]["zero_tolerance_hits", "agent"] == 1
    (event,) = result.events.filter(pl.col("kind") == "zero_tolerance").iter_rows(named=True)
    assert event["evidence"].startswith("confidential_request: What is your PIN")
    assert (event["start_s"], event["end_s"]) == (90.0, 98.0)


def test_the_issue_type_of_the_crm_wins_with_confidence_1(rules):
    (row,) = day(rules, CALL, issue_type="vip_desk").issue_types.iter_rows(named=True)
    assert (row["issue_type"], row["source"], row["confidence"], row["evidence"]) == ("vip_desk", "crm", 1.0, None)
    (row,) = day(rules, CALL).issue_types.iter_rows(named=True)
    assert (row["issue_type"], row["source"], row["evidence"]) == ("delivery_delay", "inferred", CALL[1][1])
    assert day(rules, []).issue_types.is_empty()


def test_a_day_without_interactions_gives_empty_tables(rules):
    result = languages(INTERACTIONS.empty(), UTTERANCES.empty(), rules)
    assert (result.sentiments.height, result.events.height, result.issue_types.height, result.measures) == (0, 0, 0, {})


def test_the_order_of_the_rows_does_not_matter(rules):
    interactions = INTERACTIONS.frame([{"interaction_id": i, "channel": "call"} for i in ("b", "a")])
    rows = [
        {"interaction_id": i, "utterance": n, "party": p, "text": t, "n_words": len(t.split()), "source": "supplied"}
        for i in ("a", "b")
        for n, (p, t) in enumerate(CALL)
    ]
    first = languages(interactions, UTTERANCES.frame(rows), rules)
    second = languages(interactions.reverse(), UTTERANCES.frame(rows[::-1]), rules)
    assert first.events.equals(second.events)
    assert first.sentiments.equals(second.sentiments)
    assert first.measures == second.measures


LINE = st.tuples(
    st.sampled_from(["agent", "customer", None]),
    st.lists(
        st.sampled_from([*" ".join(t for _, t in CALL).split(), "supervisor", "not", "idiot", "?", "!!", "fuck"]),
        max_size=15,
    ).map(" ".join),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINE, max_size=12), st.sampled_from(["call", "chat"]))
def test_whatever_is_said_the_measures_keep_their_ranges(rules, lines, channel):
    m = measures(rules, lines, channel=channel, source="message" if channel == "chat" else "recognition")
    assert set(m) == LANGUAGE_METRICS
    for (metric, _), value in m.items():
        if not isinstance(value, NotMeasured):
            least, most = METRICS[metric].at_least, METRICS[metric].at_most
            assert least is None or value >= least
            assert most is None or value <= most

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.language.phrases import Phrases
from pipelines.language.roles import (
    MOST_LOG_ODDS,
    Roles,
    agent_log_odds,
    first_is_agent,
    log_odds_of,
    utterance_log_odds,
    voice_log_odds,
    who_is_agent,
)

AGENT, CUSTOMER = (0, 0), (0, 1)
AGENT_SAYS = [
    "Good morning, you're through to Lakeside Broadband, my name's Ada, how can I help?",
    "Could you confirm the postcode on the account for me please?",
    "Thank you. Let me just bring up your details.",
    "I've sent you a new router, it'll be with you on Friday.",
    "Is there anything else I can help you with today?",
]
CUSTOMER_SAYS = [
    "Hi, I'm calling because my internet has stopped working.",
    "Yes, it's N seven, four B Q.",
    "It was fine until yesterday and then it just went off.",
    "Okay, when am I going to get it?",
    "No, that's all, thanks for your help.",
]
log_odds = st.floats(-8, 8)


def test_the_voice_that_serves_is_the_agents_whichever_comes_first(phrases):
    one = who_is_agent({AGENT: AGENT_SAYS, CUSTOMER: CUSTOMER_SAYS}, phrases)
    other = who_is_agent({CUSTOMER: CUSTOMER_SAYS, AGENT: AGENT_SAYS}, phrases)
    assert one.agent == other.agent == AGENT
    assert one.confidence == other.confidence > 0.95
    assert "identity check" in one.detail


def test_the_same_voices_on_the_other_channels_give_the_other_answer(phrases):
    assert who_is_agent({AGENT: CUSTOMER_SAYS, CUSTOMER: AGENT_SAYS}, phrases).agent == CUSTOMER


@pytest.mark.parametrize(
    "voices",
    [
        {AGENT: ["Okay."], CUSTOMER: ["Yeah."]},
        {AGENT: [], CUSTOMER: ["Mm-hm."]},
        {AGENT: ["12 34"], CUSTOMER: ["!"]},
        {AGENT: AGENT_SAYS, CUSTOMER: AGENT_SAYS},
        {AGENT: CUSTOMER_SAYS, CUSTOMER: CUSTOMER_SAYS},
    ],
)
def test_where_nothing_tells_nothing_is_claimed(phrases, voices):
    assert who_is_agent(voices, phrases).confidence < 0.95


def test_two_voices_that_say_the_same_are_told_apart_by_nothing(phrases):
    role = who_is_agent({AGENT: AGENT_SAYS, CUSTOMER: AGENT_SAYS}, phrases)
    assert (role.agent, role.confidence) == (None, 0.5)


def test_more_or_fewer_than_two_voices_are_refused(phrases):
    with pytest.raises(ValueError, match="two voices"):
        who_is_agent({AGENT: AGENT_SAYS}, phrases)


def test_agents_have_positive_log_odds_and_customers_negative_ones(phrases):
    assert agent_log_odds(AGENT_SAYS, "en", phrases) > 1
    assert agent_log_odds(CUSTOMER_SAYS, "en", phrases) < -1
    assert agent_log_odds([], "en", phrases) == 0


def test_spanish_voices_are_told_apart(phrases):
    agent = ["Gracias por llamar, le atiende Julia, ¿en qué le puedo ayudar?", "¿Me confirma su domicilio, por favor?"]
    customer = ["Buenas tardes, es que no me ha llegado mi pedido.", "Vivo en la calle Pino número ocho."]
    role = Roles(phrases).who_is_agent({AGENT: agent, CUSTOMER: customer}, "es-MX")
    assert role.agent == AGENT
    assert role.confidence > 0.8


def test_one_utterance_tells_only_so_much(phrases):
    found = utterance_log_odds([*AGENT_SAYS, *CUSTOMER_SAYS], "en", phrases)
    assert np.abs(found).max() <= MOST_LOG_ODDS
    assert np.array_equal(log_odds_of(np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])), [2.0, -2.0, 0.0])


def test_a_voice_tells_no_more_than_three_and_a_third_of_its_utterances():
    assert voice_log_odds(np.full(1, 1.5)) == 1.5
    assert voice_log_odds(np.full(10_000, 1.5)) == pytest.approx(1.5 / 0.3, rel=1e-3)
    assert voice_log_odds(np.zeros(0)) == 0


@given(log_odds, log_odds)
def test_the_chances_of_either_voice_add_up_to_one(a, b):
    assert first_is_agent(a, b) + first_is_agent(b, a) == pytest.approx(1)
    assert (first_is_agent(a, b) >= 0.5) == (a >= b) or first_is_agent(a, b) == pytest.approx(0.5)


@given(st.floats(3, 8), st.floats(0, 3))
def test_two_voices_of_one_role_are_never_claimed_with_certainty(both, apart):
    assert 0.5 <= first_is_agent(both + apart / 2, both - apart / 2) < 0.95


def test_a_language_without_vectors_is_told_by_its_phrases():
    rows = [("1", "xx", "identity_check", "ita numero", 1.0), ("2", "xx", "escalation", "rufa boso", 1.0)]
    found = utterance_log_odds(["ita numero", "rufa boso", "lala"], "xx", Phrases.from_rows(rows))
    assert list(found) == [1.0, -1.0, 0.0]

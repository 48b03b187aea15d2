import pytest

from pipelines.contracts.measured import NotMeasured
from pipelines.language.compliance import (
    StepError,
    adherence,
    knowledge,
    read_steps,
    steps_for,
    zero_tolerance,
)
from pipelines.language.said import say

HEADER = "call_type,step,kinds,party,where_said,channels,required\n"
GREETING = ("agent", "Good morning, thank you for calling. This call is being recorded. How may I help you?")
VERIFY = ("agent", "Could you confirm your date of birth?")
FURTHER = ("agent", "Is there anything else I can help you with?")
FAREWELL = ("agent", "Have a great day!")
MIDDLE = [("customer", "My internet is down."), ("agent", "The line is fine.")] * 10


def steps(tmp_path, *rows):
    (tmp_path / "adherence_steps.csv").write_text(HEADER + "\n".join(rows) + "\n")
    return read_steps(tmp_path)


def score(rules, *lines, call_type="support", channel="call", held=False):
    return adherence(say(rules.phrases, *lines), steps_for(rules.steps, call_type, channel), held=held)


def test_all_required_steps_found_is_100(rules):
    value, events = score(rules, GREETING, VERIFY, *MIDDLE, FURTHER, FAREWELL)
    assert value == 100
    assert {e.evidence.split(":")[0] for e in events} >= {
        "greeting",
        "recording_disclosure",
        "identity_check",
        "further_help",
        "closing",
    }


def test_three_of_five_is_60_and_the_missed_steps_are_named(rules):
    value, events = score(rules, GREETING, *MIDDLE, FAREWELL)
    assert value == 60
    assert [e.evidence for e in events if e.evidence.endswith("missed")] == [
        "identity_check: missed",
        "further_help: missed",
    ]


def test_a_step_said_at_the_wrong_end_or_by_the_other_party_is_missed(rules):
    _, events = score(rules, GREETING, VERIFY, *MIDDLE, GREETING, ("customer", FURTHER[1]), ("customer", "Goodbye"))
    evidence = {e.evidence for e in events}
    assert "further_help: missed" in evidence
    late, _ = score(rules, *MIDDLE, GREETING), None
    assert "greeting: missed" in {e.evidence for e in late[1]}


def test_hold_etiquette_is_required_only_of_a_held_customer(rules):
    lines = (GREETING, VERIFY, *MIDDLE, FURTHER, FAREWELL)
    assert score(rules, *lines, held=False)[0] == 100
    assert score(rules, *lines, held=True)[0] == pytest.approx(500 / 7)


def test_an_announced_hold_counts_as_one_where_holds_are_not_measured(rules):
    hold = ("agent", "May I put you on hold?")
    value, events = score(rules, GREETING, VERIFY, hold, *MIDDLE, FURTHER, FAREWELL, held=None)
    assert value == pytest.approx(600 / 7)
    assert "thanks_for_holding: missed" in {e.evidence for e in events}


def test_steps_of_the_call_type_replace_the_general_ones_and_channels_choose(rules):
    sales = {s.step: s.required for s in steps_for(rules.steps, "sales", "call")}
    assert sales["terms"] == "yes"
    assert sales["identity_check"] == "no"
    assert "recording_disclosure" not in {s.step for s in steps_for(rules.steps, None, "email")}


def test_without_a_required_step_adherence_does_not_apply(rules):
    assert adherence(say(rules.phrases, GREETING), [])[0] == NotMeasured("not_applicable_to_call_type")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("any,greeting,hello,agent,start,call,yes", "unknown kind of phrase 'hello'"),
        ("any,greeting,greeting,boss,start,call,yes", "unknown party 'boss'"),
        ("any,greeting,greeting,agent,middle,call,yes", "unknown place 'middle'"),
        ("any,greeting,greeting,agent,start,fax,yes", "unknown channel 'fax'"),
        ("any,greeting,greeting,agent,start,call,maybe", "unknown value of required 'maybe'"),
        (",greeting,greeting,agent,start,call,yes", "call_type and step must be given"),
    ],
)
def test_a_bad_step_is_refused_with_file_line_and_reason(tmp_path, row, reason):
    with pytest.raises(StepError, match=r"adherence_steps\.csv, line 2: ") as error:
        steps(tmp_path, row)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("You are an idiot.", "profanity"),
        ("What the fuck do you want?", "profanity"),
        ("I know where you live.", "threat"),
        ("Could you confirm your debit card PIN for me?", "confidential_request"),
        ("Can I have the CVV, please?", "confidential_request"),
        ("Please tell me your full password.", "confidential_request"),
        ("I need the three digits on the back of the card.", "confidential_request"),
    ],
)
def test_zero_tolerance_is_hit_with_its_words_and_place(phrases, text, kind):
    (event,) = zero_tolerance(say(phrases, ("agent", text)))
    assert event.kind == "zero_tolerance"
    assert event.evidence.startswith(kind)
    assert "(utterance 0, characters " in event.evidence


@pytest.mark.parametrize(
    "text",
    [
        "Never share your PIN with anybody.",
        "Please do not tell me your password.",
        "I will help you to reset your password.",
        "I need to reset your password.",
        "Can I have your PIN code for the delivery address?",
        "I'll text you the security code.",
        "Your PIN will arrive by post.",
        "That's a damn shame.",
        "The last four digits of your card, please.",
    ],
)
def test_what_agents_may_say_is_no_hit(phrases, text):
    assert zero_tolerance(say(phrases, ("agent", text))) == []


def test_the_customer_may_swear(phrases):
    assert zero_tolerance(say(phrases, ("customer", "You are a fucking idiot"))) == []


WELL = ("agent", "The router has to be restarted once a week because its memory is small, and then the light is green.")


def know(phrases, *lines, questions=(), transfers=0.0, retrieval=None):
    return knowledge(
        say(phrases, *lines),
        customer_questions=list(questions),
        transfers=transfers,
        longest_retrieval_s=retrieval,
    )


def test_a_sure_agent_has_all_the_points(phrases):
    assert know(phrases, ("customer", "Why is it slow?"), WELL, questions=[0]) == 100


def test_unanswered_questions_transfers_and_long_lookups_cost_points(phrases):
    lines = (("customer", "Why is it slow?"), ("agent", "I don't know."), WELL)
    assert know(phrases, *lines, questions=[0]) == 85
    assert know(phrases, *lines, questions=[0], transfers=1.0) == 70
    assert know(phrases, *lines, questions=[0], transfers=1.0, retrieval=60.0) == 60
    assert know(phrases, WELL, retrieval=30.0) == 100


def test_hedging_costs_8_points_per_phrase_and_100_words(phrases):
    line = ("agent", "maybe " + "word " * 99)
    assert know(phrases, line) == 92


def test_too_few_words_tell_nothing(phrases):
    assert know(phrases, ("agent", "Maybe.")) == NotMeasured("no_event")

from pipelines.contracts.measured import NotMeasured
from pipelines.language.resolution import resolution
from pipelines.language.said import say

TALK = [("customer", "My internet is down."), ("agent", "What do you see?")] * 4


def outcome(phrases, *end):
    return resolution(say(phrases, *TALK, *end))[0]


def test_the_customers_confirmation_resolves(phrases):
    assert outcome(phrases, ("agent", "Please try it."), ("customer", "Yes, that worked, thank you!")) == 1


def test_completion_and_thanks_resolve_and_thanks_alone_do_not(phrases):
    done = ("agent", "I've gone ahead and refunded the charge.")
    assert outcome(phrases, done, ("customer", "Thank you.")) == 1
    assert outcome(phrases, ("agent", "Okay."), ("customer", "Thank you.")) == NotMeasured("no_event")


def test_the_answer_to_did_that_work_decides(phrases):
    asks = ("agent", "Is it working now?")
    assert outcome(phrases, asks, ("customer", "Yes.")) == 1
    assert outcome(phrases, asks, ("customer", "No.")) == 0


def test_still_broken_or_put_off_is_unresolved(phrases):
    assert outcome(phrases, ("agent", "Try again."), ("customer", "It's still not working.")) == 0
    put_off = ("agent", "I have opened a ticket and someone will call you back.")
    assert outcome(phrases, put_off, ("customer", "Okay.")) == 0


def test_thanks_for_nothing_is_no_thanks(phrases):
    assert outcome(phrases, ("agent", "That is all."), ("customer", "Thanks for nothing.")) == 0


def test_what_is_not_done_is_not_completed(phrases):
    text = "I'm afraid it has not been processed"
    assert phrases.find("completion", text) == []


def test_only_the_end_counts(phrases):
    early = [("customer", "That worked, thank you so much for your help!"), *TALK, *TALK]
    assert resolution(say(phrases, *early))[0] == NotMeasured("no_event")


def test_a_later_yes_outweighs_an_earlier_no(phrases):
    end = (("customer", "It is still not working."), ("agent", "And now?"), ("customer", "Yes, it works now!"))
    assert outcome(phrases, *end, ("customer", "That's all I needed.")) == 1


def test_every_piece_of_evidence_is_an_event_with_its_sign(phrases):
    _, events = resolution(say(phrases, *TALK, ("customer", "It's still not working.")))
    assert [(e.kind, e.party, e.evidence) for e in events] == [("resolution", "customer", "− still not working")]

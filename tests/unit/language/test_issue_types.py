import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.landing import ISSUE_TYPES as OWN
from pipelines.language.issue_types import (
    OTHER,
    IssueTypeError,
    IssueTypeOptions,
    IssueTypes,
    Match,
    read_issue_types,
    with_own,
)

COFFEE = {
    "broken_machine": ["the machine makes no coffee", "it leaks water everywhere", "the grinder is stuck"],
    "order_beans": ["I need two bags of beans", "can I order more coffee beans", "send me the dark roast"],
    "cancel_subscription": [
        "please stop my monthly delivery",
        "I want to end the subscription",
        "no more beans please",
    ],
}


@pytest.fixture(scope="module")
def matcher(seeds):
    return IssueTypes.fit(with_own(read_issue_types(seeds), None))


def types(examples, **options):
    rows = [(name, "|".join(texts)) for name, texts in examples.items()]
    return IssueTypes.fit(
        pl.DataFrame(rows, schema=["issue_type", "examples"], orient="row"), IssueTypeOptions(**options)
    )


@pytest.mark.parametrize(
    ("text", "issue_type"),
    [
        ("I've been charged twice on my last bill", "billing_dispute"),
        ("my parcel still hasn't been delivered, it was supposed to come on Monday", "delivery_delay"),
        ("hi I'd like to cancel my subscription please", "cancellation"),
        ("the app crashes and gives me an error message", "technical_fault"),
        ("I forgot my password and can't log in", "account_access"),
        ("could you tell me the status of my order", "order_status"),
        ("I would like my money back, when do I get the refund", "refund"),
        ("I need to reschedule the appointment with the technician", "appointment"),
        ("my wallet was stolen, please block my card", "fraud_security"),
        ("do you know what your opening hours are", "general_inquiry"),
    ],
)
def test_an_unseen_wording_finds_its_issue_type(matcher, text, issue_type):
    (match,) = matcher.match([[text]])
    assert match.issue_type == issue_type
    assert match.text == 0


@pytest.mark.parametrize(
    "text",
    [
        "yeah that's fine",
        "my name is Crystal Minh",
        "it's four five, two two, nine",
        "[card] 4421",
        "hi, how are you doing today",
        "",
    ],
)
def test_small_talk_is_other(matcher, text):
    (match,) = matcher.match([[text]])
    assert (match.issue_type, match.text) == (OTHER, None)


def test_the_text_that_decided_is_named(matcher):
    talk = ["hello", "good thanks and you", "I want to cancel my subscription", "yes it is John"]
    assert matcher.match([talk])[0].text == 2


def test_what_is_said_early_outweighs_the_same_said_late(matcher):
    filler = ["yes that is right"] * 6
    refund, cancel = "I want a refund", "I want to cancel my subscription"
    assert matcher.match([[refund, *filler, refund, cancel]])[0].issue_type == "refund"


def test_a_clear_match_is_surer_than_a_vague_one(matcher):
    clear, vague = matcher.match([["I want to cancel my subscription"], ["I want to change something"]])
    assert clear.confidence > 0.9
    assert vague.confidence < 0.8


def test_nobody_said_anything_is_other_with_confidence_0(matcher):
    assert matcher.match([[], ["okay, yes"], ["um"]]) == [Match(OTHER, 0.0, None)] * 3
    assert matcher.match([]) == []


@pytest.mark.parametrize("text", ["the hippopotamus ate a violin", "photosynthesis takes place in the leaves"])
def test_what_no_type_is_for_is_other_unless_it_must_be_named(text):
    assert types(COFFEE).match([[text]])[0].issue_type == OTHER
    assert types(COFFEE, strictness=0).match([[text]])[0].issue_type in COFFEE


def test_an_issue_between_other_sentences_is_found(matcher):
    text = "Good morning. It's five five two, one nine oh. I'd like to cancel, please. My husband died in January."
    match = matcher.match([[text]])[0]
    assert (match.issue_type, match.text) == ("cancellation", 0)


def test_an_issue_late_in_a_long_text_is_found(matcher):
    story = "We were on holiday by the sea with the children and the weather was lovely the whole time. " * 8
    match = matcher.match([[story + "Now I can't log in because I forgot my password."]])[0]
    assert match.issue_type == "account_access"


def test_the_order_of_talks_does_not_matter(matcher):
    talks = [["I want a refund"], ["hello there"], ["my internet is down"]]
    assert matcher.match(talks[::-1]) == matcher.match(talks)[::-1]


def test_the_centres_own_types_join_the_seed_and_replace_those_of_the_same_name(seeds):
    own = OWN.frame(
        [
            {"issue_type": "loyalty_points", "examples": "my points are missing|bonus miles", "source_file": "x"},
            {"issue_type": "refund", "examples": "erstattung bitte", "source_file": "x"},
        ]
    )
    both = with_own(read_issue_types(seeds), own)
    assert both["issue_type"].is_unique().all()
    assert both.filter("own")["issue_type"].to_list() == ["loyalty_points", "refund"]
    matches = IssueTypes.fit(both).match([["where are my bonus points"], ["ich will eine erstattung"]], ["en", "de"])
    assert [m.issue_type for m in matches] == ["loyalty_points", "refund"]


def test_the_centres_own_types_stand_before_the_seeds_where_both_fit(seeds):
    own = OWN.frame(
        [
            {"issue_type": f"own_{name}", "examples": examples, "source_file": "x"}
            for name, examples in (
                ("login", "I can't log in|my password does not work"),
                ("refunds", "I want my money back|where is my refund"),
                ("late", "my parcel is late|the package has not arrived"),
                ("goodbye", "I want to cancel|end my contract"),
                ("bills", "my bill is too high|I was charged twice"),
                ("faults", "it is broken|the app crashes"),
            )
        ]
    )
    matcher = IssueTypes.fit(with_own(read_issue_types(seeds), own))
    said = [
        "the password does not work",
        "when do I get my refund",
        "my package is late",
        "close my account",
        "a double charge",
    ]
    named = [m.issue_type for m in matcher.match([[s] for s in said])]
    assert named == ["own_login", "own_refunds", "own_late", "own_goodbye", "own_bills"]
    assert matcher.match([["do you have a branch in my town"]])[0].issue_type == "general_inquiry"


@pytest.mark.parametrize(
    ("language", "text", "issue_type"),
    [
        ("es-MX", "Me han cobrado dos veces la misma factura", "billing_dispute"),
        ("de", "Ich habe mein Passwort vergessen", "account_access"),
        ("fr_FR", "On m'a volé ma carte bancaire", "fraud_security"),
        ("es", "Hola, buenos días", OTHER),
    ],
)
def test_english_examples_serve_other_languages(matcher, language, text, issue_type):
    assert matcher.match([[text]], [language])[0].issue_type == issue_type


def test_a_language_without_a_space_is_other_with_confidence_0(matcher):
    talks, languages = [["jag vill säga upp mitt avtal"], ["I want a refund"]], ["sv", None]
    swedish, english = matcher.match(talks, languages)
    assert swedish == Match(OTHER, 0.0, None)
    assert english.issue_type == "refund"


def test_one_example_of_two_types_is_enough():
    few = types({"refund": ["I want my money back"], "log_in": ["I forgot my password"]})
    assert few.match([["please refund me"], ["the password is wrong"]])[0].issue_type == "refund"
    assert few.match([["please refund me"], ["the password is wrong"]])[1].issue_type == "log_in"


def test_examples_of_small_talk_alone_are_left_out_where_there_are_others():
    assert types({"a": ["okay", "hi", "I want a refund"], "b": ["ok"]}).examples == (("I want a refund",), ("ok",))


def test_a_type_with_many_examples_is_no_likelier_for_it():
    verbs = ("pay", "settle", "clear", "cover", "transfer")
    many = [f"I want to {v} my {n} {w}" for v in verbs for n in ("bill", "invoice", "fee", "rent", "balance")
            for w in ("today", "by card")]  # fmt: skip
    lopsided = types({"payment": many, "password": ["I forgot my password"]})
    payment, password = lopsided.match([["I'd like to pay"], ["the login does not take my password"]])
    assert (payment.issue_type, password.issue_type) == ("payment", "password")
    assert password.confidence > 0.8


def test_the_words_of_a_types_name_count():
    a = types({"card_arrival": ["it is not here yet"], "CashWithdrawal": ["it did not work"]})
    assert a.match([["when does my card arrive"]])[0].issue_type == "card_arrival"
    assert a.match([["I wanted to withdraw cash"]])[0].issue_type == "CashWithdrawal"


def test_fits_and_matches_give_the_same_last_digit_again(seeds):
    talks = [["I was charged twice"], ["hi", "my app is broken. It crashes all the time, and I need it."], ["a refund"]]
    first, second = (types(COFFEE, strictness=0).match(talks) for _ in range(2))
    assert first == second
    assert types(COFFEE, strictness=0).match(talks[1:]) == first[1:]


def test_seventy_seven_types_of_five_examples_are_fitted_in_under_a_second(monkeypatch):
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(77, 384))

    def embed(texts, space):
        rows = [centres[int(t.split("class")[1][:2])] + rng.normal(size=384) if "class" in t else rng.normal(size=384)
                for t in texts]  # fmt: skip
        return np.array([r / np.linalg.norm(r) for r in rows], np.float32)

    monkeypatch.setattr("pipelines.language.issue_types.embed", embed)
    matcher = types({f"class{c:02}": [f"say class{c:02} example{i}" for i in range(5)] for c in range(77)})
    begun = time.process_time()
    named = [m.issue_type for m in matcher.match([[f"test class{c:02} words"] for c in range(77)])]
    assert time.process_time() - begun < 3  # .3 s where nothing else runs
    assert np.mean([n == f"class{c:02}" for c, n in enumerate(named)]) > 0.9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.text(max_size=80), max_size=3), max_size=3))
def test_any_talk_gets_one_match_in_range_that_names_a_text_of_it(talks):
    coffee = types(COFFEE)
    for talk, match in zip(talks, coffee.match(talks), strict=True):
        assert 0 <= match.confidence <= 1
        assert (match.text is None) == (match.issue_type == OTHER)
        assert match.text is None or match.text < len(talk)


def test_without_any_type_everything_is_other(seeds):
    empty = read_issue_types(seeds).clear()
    assert IssueTypes.fit(empty).match([["I want a refund"]])[0].issue_type == OTHER


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("refund,billing,,", "line 2: issue_type and examples must be given"),
        ("refund,billing,,a\nrefund,billing,,b", "line 3: refund stands there twice"),
    ],
)
def test_a_bad_seed_row_is_refused_with_file_line_and_reason(tmp_path, rows, reason):
    (tmp_path / "issue_types.csv").write_text(f"issue_type,driver,sub_driver,examples\n{rows}\n")
    with pytest.raises(IssueTypeError, match=reason):
        read_issue_types(tmp_path)


def test_the_seed_has_drivers_for_every_type(seeds):
    seed = read_issue_types(seeds)
    assert seed.filter((pl.col("driver") == "") | (pl.col("sub_driver") == "")).is_empty()
    assert seed.height == 30
    assert (seed["examples"].str.split("|").list.len() >= 8).all()


def test_each_type_of_the_seed_hears_its_own_sub_driver_and_examples(seeds, matcher):
    seed = read_issue_types(seeds)
    for issue_type, examples in seed.select("issue_type", "examples").iter_rows():
        named = [m.issue_type for m in matcher.match([[e] for e in examples.split("|")])]
        assert named.count(issue_type) >= 7, (issue_type, named)

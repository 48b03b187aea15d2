import polars as pl
import pytest

from pipelines.contracts.landing import ISSUE_TYPES as OWN
from pipelines.language.issue_types import (
    OTHER,
    IssueTypeError,
    IssueTypes,
    read_issue_types,
    with_own,
)


@pytest.fixture(scope="module")
def matcher(seeds):
    return IssueTypes.fit(read_issue_types(seeds))


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


@pytest.mark.parametrize("text", ["yeah that's fine", "my name is Crystal Minh", "tuesday at ten works for me", ""])
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
    assert clear.confidence > 0.8 > vague.confidence
    assert vague.confidence >= 0


def test_nobody_said_anything_is_other_with_confidence_0(matcher):
    assert matcher.match([[]])[0] == (OTHER, 0.0, 0.0, None)


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
    matches = IssueTypes.fit(both).match([["where are my bonus points"], ["ich will eine erstattung"]])
    assert [m.issue_type for m in matches] == ["loyalty_points", "refund"]


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

"""Cards, social security numbers and e-mail addresses are found; what only looks like them is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.quality.leaks import holds_card, holds_email, holds_ssn, luhn, readable


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "it is 4111 1111 1111 1111, thanks",
        "4111. 1111. 1111. 1111.",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "2223003122003222",
        "6011 1111 1111 1117",
        "call 12 then 4111 1111 1111 1111 and 34",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    ],
)
def test_card_numbers_are_found(text):
    assert holds_card(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "20260302090000",
        "1772442000000",
        "order 12345678",
        "0f4111111111111111ab",
        "d3b07384-d113-4ec6-a7d1-411111111111",
        "[card]",
        "",
    ],
)
def test_what_only_looks_like_a_card_is_left_alone(text):
    assert not holds_card(text)


@pytest.mark.parametrize(
    ("text", "found"), [("078-05-1120", True), ("it's 078 05 1120.", True), ("000-12-3456", False)]
)
def test_social_security_numbers_are_found(text, found):
    assert holds_ssn(text) is found


@pytest.mark.parametrize(
    "text", ["2026-03-02", "078-051120", "1078-05-1120", "078-05 1120", "666-12-3456", "900-12-3456"]
)
def test_dates_and_impossible_numbers_are_no_social_security_numbers(text):
    assert not holds_ssn(text)


@pytest.mark.parametrize(("text", "found"), [("write to a.b@mail.example.com", True), ("@agent at 5", False)])
def test_e_mail_addresses_are_found(text, found):
    assert holds_email(text) is found


@given(st.text("0123456789", min_size=1, max_size=18))
def test_exactly_one_last_digit_completes_a_number(digits):
    assert sum(luhn(digits + last) for last in "0123456789") == 1


@given(st.text("0123456789", min_size=12, max_size=12))
def test_every_sixteen_digit_visa_number_is_found_however_it_is_written(digits):
    body = "400" + digits
    number = body + next(d for d in "0123456789" if luhn(body + d))
    groups = [number[i : i + 4] for i in range(0, 16, 4)]
    assert all(holds_card(f"it is {s.join(groups)} ok") for s in ("", " ", "-", ". "))


def test_of_a_page_the_texts_comments_and_telling_attributes_are_read():
    page = """<style>.a { width: 1px }</style><p class="a" title="one">two &amp; three</p><!--four-->
    <svg><path d="M 1 2"/><text x="9">five</text></svg><img src="data:image/png;base64,AAAA" alt="six">"""
    assert readable(page, ".html") == {"one", "two & three", "four", "five", "six"}


def test_of_json_keys_and_texts_are_read_and_of_others_the_lines():
    assert readable('{"a": ["b", {"c": 1, "d": "e"}]}', ".json") == {"a", "b", "c", "d", "e"}
    assert readable("a b\n\nc", ".csv") == {"a b", "c"}
    assert readable("{broken", ".json") == {"{broken"}

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.language.redaction import (
    KINDS,
    MARKS,
    luhn,
    redact,
    redact_channels,
    redact_field,
    redact_texts,
    redact_turns,
    redact_words,
    spans,
)

CARD = "4111111111111111"

PERSONAL = {
    # cards, typed
    "my card number is 4111 1111 1111 1111 thanks": "my card number is [card] thanks",
    "4111-1111-1111-1111": "[card]",
    "4111.1111.1111.1111.": "[card].",
    "It is 4111111111111111, okay?": "It is [card], okay?",
    "Amex 3782 822463 10005": "Amex [card]",
    "2221000000000009": "[card]",
    "(card:4111111111111111)": "(card:[card])",
    "4111111111111111 and 5555555555554444": "[card] and [card]",
    "4\u00a0111\u20111111 1111\u200b1111": "[card]",
    # cards, as recognition writes them: digits lost, sentence ends invented
    "my card is 4111. 11111. 11111.": "my card is [card].",
    "card number: 4111, 1111, 1111": "card number: [card]",
    "The card ends in 4242": "The card ends in [card]",
    "Visa ending in 4242 please": "Visa ending in [card] please",
    "4 1 1 1 is my card": "[card] is my card",
    "I'd like to pay with 4111 11": "I'd like to pay with [card]",
    "my card number is 4111, and then 22 and 33": "my card number is [card] and [card]",
    # cards, spoken
    "it's four one one one one one one one one one one one one one one one okay": "it's [card] okay",
    "my credit card number is double four triple one": "my credit card number is [card]",
    "forty one eleven eleven eleven eleven eleven eleven eleven": "[card]",
    "card number is four, uh, one, one, one": "card number is [card]",
    "four one one one dash one one one one dash one one one one dash one one one one": "[card]",
    # cvv and codes
    "the CVV is 123": "the CVV is [cvv]",
    "security code is one two three": "security code is [cvv]",
    "The three digits on the back? 7 3 7": "The three digits on the back? [cvv]",
    "my pin is 4 3 2 1": "my pin is [cvv]",
    # social security
    "My social is 123-45-6789": "My social is [ssn]",
    "123-45-6789": "[ssn]",
    "last four of your social? 6 7 8 9": "last four of your social? [ssn]",
    "social security number one two three four five six seven eight nine": "social security number [ssn]",
    # phones
    "call me at 555-123-4567": "call me at [phone]",
    "(555) 123-4567 please": "[phone] please",
    "+44 20 7946 0958": "[phone]",
    "+1 (555) 123-4567": "[phone]",
    "555-0199": "[phone]",
    "my number is five five five one two three four five six seven": "my number is [phone]",
    "one eight hundred five five five one two one two": "[phone]",
    "It’s 555, 123, 4567.": "It’s [phone].",
    # accounts
    "My account number is 12345.": "My account number is [account].",
    "account number is 1,2,3,4,5": "account number is [account]",
    "policy number AB1234567": "policy number [account]",
    "routing number 021000021": "routing number [account]",
    "GB82 WEST 1234 5698 7654 32": "[account]",
    # e-mail
    "john.smith@example.com": "[email]",
    "Write to <john@example.co.uk>.": "Write to <[email]>.",
    "john @ example . com": "[email]",
    "my email is john at example dot com": "my email is [email]",
    "john dot smith at gmail dot com": "[email]",
    "john underscore smith at gmail.com": "[email]",
    "J-O-H-N at gmail.com": "[email]",
    "my email is john smith at gmail dot com": "my email is [email]",
    "the associated email is www.example.com": "the associated email is [email]",
    "reach me at j o h n 2 3 at yahoo dot co dot uk": "reach me at [email]",
    # Spanish
    "mi tarjeta es cuatro uno uno uno uno uno uno uno": "mi tarjeta es [card]",
    "mi correo es juan arroba ejemplo punto com": "mi correo es [email]",
    "número de cuenta es 12345678": "número de cuenta es [account]",
    "mi teléfono es cincuenta y cinco doce treinta y cuatro": "mi teléfono es [phone]",
    "el código de seguridad es 123": "el código de seguridad es [cvv]",
    "mi seguro social es uno dos tres cuatro cinco seis siete ocho nueve": "mi seguro social es [ssn]",
    "mi tarjeta es cuatro uno, eh, uno uno, a ver, uno uno": "mi tarjeta es [card]",
    "llámeme al seiscientos doce treinta y cuatro cincuenta y seis once": "llámeme al [phone]",
    "mi teléfono es treinta y tres once sesenta y ocho cero tres veintiuno": "mi teléfono es [phone]",
    "es olivia, arroba ejemplo, punto es": "es [email]",
    "me puede escribir a maria dos arroba gmail punto com": "me puede escribir a [email]",
    # corrections
    "it's four one one one two, sorry, five one three two six six seven": "it's [account]",
    "my cell is four one five eight two six no wait, five one four": "my cell is [phone]",
    # account numbers with letters
    "GB82WEST12345698765432": "[account]",
    "gb82 west 1234 5698 7654 32 please": "[account] please",
    "My IBAN is G B eight two W E S T one two three four five six nine eight seven six five": "My IBAN is [account]",
    "the policy is HX-883-22119": "the policy is [account]",
    "policy L R P seven two seven five four": "policy [account]",
    # e-mail
    "write me at Z-O-L-T-A-N at example.es": "write me at [email]",
    "robert fifty one at gmail dot com": "[email]",
    "so that's maria smith at example dot co dot uk": "so that's [email]",
    "555 123 4567\nOne moment please": "[phone]\nOne moment please",
    # said afterwards
    "It was charged to 4111. 1111. which is my debit card": "It was charged to [card]. which is my debit card",
}

HARMLESS = [
    "I waited two days for it",
    "twenty percent off",
    "a 2018 Tesla",
    "12 to 24 hours",
    "it costs $1,234.56",
    "on 03/12/2024 at 10:30 am",
    "2024-03-01",
    "el 5 de mayo de 2020",
    "I ordered 3 of those and 2 of these",
    "order number 45123",
    "my card was charged 49 dollars",
    "$45 on my credit card",
    "my credit card balance is 1200",
    "I opened my account in 2018",
    "I have had my account for 3 years",
    "my account is 20 years old",
    "your total is 1,234,567",
    "between 8 a.m. and 10 a.m.",
    "press 1, 2, 3 or 4",
    "a 16 digit card number",
    "the three digits on the back",
    "look at our website at example dot com",
    "we met at the store. Come here",
    "iPhone 12 Pro",
    "my phone is an iPhone 12",
    "1080p",
    "I called you 3 times in 2 days",
    "since 2015 with 200 minutes",
    "the 2018-2019 model",
    "we need 12, 15, 20, 25 units",
    "version 10.15.7",
    "one or two, maybe three times",
    "5 years, 10 months and 2 weeks",
    "room 1204",
    "24/7 service",
    "192.168.1.1",
    "the 21st of May 2019",
    "two thousand five hundred",
    "tres días y dos noches",
    "veinte por ciento",
    "de 10:30 a 11:45",
    "I've a 30 day trial",
    "4.5 stars",
    "call me in 2 hours",
    "for one, I want to speak to someone",
    "oh no, oh dear",
    "We have two options right now, one of them at no charge",
    "the first availability we have is two days from now",
    "my order number is 306570454557",
    "order number five three eight two nine zero one three six two",
    "306 570 45 is my order number",
    "número de pedido 3065704545",
    "tracking says 1Z999AA10123456784X",
    "the zip is 12345-6789",
    "your bill is $32002.29",
    "born 02 22 1977",
    "on September ninth twenty twenty-two I lost my credit card",
    "somebody made a withdrawal from my account for 300",
    "I bought shoes at example dot com",
    "I ordered a size 7 at example dot com",
    "I was at home. Us two were there",
    "the firmware is 16.15.7.13.",
    "I called once. Two of them answered",
    "el cinco por ciento de ciento veinte",
    "dos mil doscientos cincuenta",
]


@pytest.mark.parametrize(("text", "expected"), PERSONAL.items())
def test_personal_data_becomes_a_mark(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize("text", HARMLESS)
def test_prices_dates_times_quantities_and_years_stay(text):
    assert redact(text) == text


def test_text_without_numbers_stays_to_the_letter():
    text = "  Hello,\n\nthank you  for calling… "
    assert redact(text) == text


def said(text: str) -> list[str]:
    return text.split()


def test_words_keep_their_places_and_the_first_of_a_span_carries_the_mark():
    words = said("Yes, it's 4111 1111 1111 1111, and john at example dot com.")
    assert redact_words(words) == ["Yes,", "it's", "[card],", "", "", "", "and", "[email].", "", "", "", ""]
    assert spans(words) == [(2, 5, "card"), (7, 11, "email")]


def test_a_word_that_recognition_split_without_a_blank_is_one_number():
    assert redact_words(["555", "-123", "-4567"]) == ["[phone]", "", ""]


def test_words_that_are_harmless_come_back_as_they_were():
    words = said("I waited two days")
    assert redact_words(words) == words
    assert spans(words) == []


def test_a_number_split_over_turns_is_one_number_and_each_turn_gets_its_mark():
    turns = [
        ["What's", "your", "card", "number?"],
        ["Sure.", "4111", "1111"],
        ["Okay."],
        ["1111", "one", "one"],
        ["mm-hmm"],
        ["one", "1."],
    ]
    assert redact_turns(turns) == [
        ["What's", "your", "card", "number?"],
        ["Sure.", "[card]", ""],
        ["Okay."],
        ["[card]", "", ""],
        ["mm-hmm"],
        ["[card].", ""],
    ]


def test_a_card_dictated_over_turns_without_any_context_is_found():
    turns = [["four", "one", "one", "one"], ["okay"], ["one"] * 4, ["yes"], ["one"] * 4, ["mm-hmm"], ["one"] * 4]
    redacted = redact_turns(turns)
    assert [t[0] for t in redacted] == ["[card]", "okay", "[card]", "yes", "[card]", "mm-hmm", "[card]"]


def test_the_question_of_one_party_explains_the_digits_of_the_other():
    turns = [["Can", "I", "have", "your", "account", "number,", "please?"], ["Yes,", "it's", "9", "9", "3", "1."]]
    assert redact_turns(turns)[1] == ["Yes,", "it's", "[account].", "", "", ""]


def test_a_question_on_one_channel_explains_the_digits_on_the_other():
    agent, customer = said("What is your card number? Thank you."), said("It's 4111. 111. for two days")
    assert redact_words(customer) == customer
    redacted = redact_channels([agent, customer], [[0, 0.2, 0.4, 0.6, 0.8, 9, 9.2], [2, 3, 4, 5, 6, 7]])
    assert redacted == [agent, [*said("It's [card]."), "", *said("for two days")]]


def test_somebody_talking_in_between_does_not_hide_a_number():
    agent, customer = said("I see that you called"), said("555 123 4567 please")
    redacted = redact_channels([agent, customer], [[0.5, 1.5, 2.5, 3, 4], [0, 1, 2, 5]])
    assert redacted == [agent, ["[phone]", "", "", "please"]]


def test_texts_of_a_conversation_explain_each_other_and_keep_their_lines():
    texts = [
        "Hi,\n\nwhat is the account number?",
        "It's 9931",
        "Anything else?\n",
        "5500 0055",
        "One moment.",
        "5555 5559",
    ]
    redacted = redact_texts(texts, ["agent", "customer"] * 3)
    assert redacted == [texts[0], "It's [account]", texts[2], "[account]", texts[4], "[account]"]
    assert redact_texts([], []) == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("card_cvv", "123", "[cvv]"),
        ("account-no", "30281", "[account]"),
        ("SSN", "6789", "[ssn]"),
        ("notes", "call me at 555-123-4567", "call me at [phone]"),
        ("order_id", "30281947", "30281947"),
        ("floor", "12", "12"),
        ("a@b.com", "yes", "yes"),
    ],
)
def test_the_name_of_a_column_tells_what_its_value_is(name, text, expected):
    assert redact_field(name, text) == expected


def test_quantities_of_different_turns_are_not_added_up_to_a_number():
    turns = [["How", "many?"], ["2."], ["And", "for", "how", "long?"], ["3", "days."]]
    assert redact_turns(turns) == turns


def test_empty_input_gives_empty_output():
    assert redact("") == ""
    assert redact_words([]) == []
    assert redact_turns([]) == []
    assert redact_turns([[], ["hi"]]) == [[], ["hi"]]


@pytest.mark.parametrize(
    ("digits", "valid"), [("4111111111111111", True), ("4111111111111112", False), ("79927398713", True)]
)
def test_the_check_digit_is_that_of_the_standard(digits, valid):
    assert luhn(digits) is valid


def test_ten_thousand_messages_take_less_than_two_seconds():
    messages = [*PERSONAL, *HARMLESS, *["Thank you for calling, how can I help you today with your order?"] * 400]
    messages = (messages * 25)[:10_000]
    started = time.process_time()
    for message in messages:
        redact(message)
    assert time.process_time() - started < 2


@st.composite
def cards(draw) -> tuple[str, str]:
    """A number of 13 to 19 digits that passes the check, and the same in some spacing."""
    body = draw(st.text("0123456789", min_size=12, max_size=18))
    number = next(body + d for d in "0123456789" if luhn(body + d))
    separators = draw(st.lists(st.text(" -.", max_size=3), min_size=len(number) - 1, max_size=len(number) - 1))
    return number, number[0] + "".join(s + d for s, d in zip(separators, number[1:], strict=True))


@settings(max_examples=300, deadline=None)
@given(cards(), st.sampled_from(["", "it is ", "I ordered on 2024-03-01 with ", "Total: $45. "]))
@example((CARD, "2018-03-01 4111 1111"), "")
def test_no_number_with_a_valid_check_digit_survives_in_any_spacing(card, before):
    number, spaced = card
    left = re.sub(r"\D", "", redact(f"{before}{spaced} thanks"))
    assert number not in left


PIECES = said(
    "0 1 2 3 4 5 6 7 8 9 four one oh double 4111 2018 555-1234 card number is my email at dot com john @ . , okay and "
    "[card] [phone] $5 days phone a@b.co account social 12/24 cvv uno treinta y arroba ( ) +1"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "\n"]), max_size=25))
def test_redacting_twice_changes_nothing(words):
    once = redact(" ".join(words))
    assert redact(once) == once
    redacted = redact_words(words)
    assert len(redacted) == len(words)
    assert redact_words(redacted) == redacted
    assert all(kind in KINDS and 0 <= first <= last < len(words) for first, last, kind in spans(words))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_redacted_without_an_error_and_once_is_enough(text):
    once = redact(text)
    assert redact(once) == once


def test_every_kind_has_a_mark_in_square_brackets():
    assert {MARKS[kind] for kind in KINDS} == {"[card]", "[email]", "[ssn]", "[phone]", "[account]", "[cvv]"}

"""Patterns that must not be left in a text: payment cards, social security numbers, e-mail addresses."""

from __future__ import annotations

import re

# Cheap conditions in the syntax that DuckDB's RE2 and Polars' regex share; what fits is looked at closely below.
CARD_CANDIDATE = r"[0-9](?:[ .-]{0,2}[0-9]){12,18}"
SSN_CANDIDATE = r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}"
EMAIL_CANDIDATE = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"

_DIGITS = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ .-]{0,2}[0-9]){12,}(?![0-9A-Za-z])")
_SSN = re.compile(r"(?<![0-9A-Za-z-])(?!000|666|9)[0-9]{3}([- ])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![0-9A-Za-z-])")
_EMAIL = re.compile(EMAIL_CANDIDATE)
# Leading digits and lengths by ISO/IEC 7812 network: they tell a card from a timestamp or a counter.
_NETWORKS = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[0-9]|6[0-9]|2[2-7]"), (16, 17, 18, 19)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"3(?:0[0-5]|[689])"), (14, 16, 17, 18, 19)),
    (re.compile(r"35"), (16, 17, 18, 19)),
)


def luhn(digits: str) -> bool:
    """Whether the digits fulfil the Luhn checksum (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def holds_card(text: str) -> bool:
    """Whether digits in the text (blanks, dots, hyphens between them) are a payment card's number.

    A number is looked for from each group of digits to the end of each later one: 13-19 digits, Luhn, a known
    network. So a card that stands among other digits is found too.
    """
    for run in _DIGITS.finditer(text):
        groups = re.findall(r"[0-9]+", run.group())
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) > 19:
                    break
                if len(digits) >= 13 and _is_card(digits):
                    return True
    return False


def holds_ssn(text: str) -> bool:
    """Whether the text holds a US social security number in its written form (3-2-4 digits)."""
    return _SSN.search(text) is not None


def holds_email(text: str) -> bool:
    """Whether the text holds an e-mail address."""
    return _EMAIL.search(text) is not None


def _is_card(digits: str) -> bool:
    return luhn(digits) and any(pattern.match(digits) and len(digits) in lengths for pattern, lengths in _NETWORKS)

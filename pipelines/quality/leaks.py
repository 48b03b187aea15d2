"""Patterns that must not be left in a text: payment cards, social security numbers, e-mail addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

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


def readable(content: str, suffix: str) -> set[str]:
    """The pieces of a file's content in which something personal could stand.

    Of HTML and SVG (by `suffix`) the texts, comments and attributes that are no drawing; of JSON every key and text;
    of anything else the lines. Coordinates, styles and embedded images are left out: their digits look like cards.
    """
    if suffix.lower() in (".html", ".htm", ".svg", ".xml"):
        pages = _Page()
        pages.feed(content)
        pages.close()
        return pages.pieces
    if suffix.lower() == ".json":
        try:
            return set(_strings(json.loads(content)))
        except ValueError:
            pass
    return {line for line in content.splitlines() if line.strip()}


# Attributes that draw or style. An address in a link counts, an image that is embedded in one doesn't.
_DRAWING = frozenset(
    [
        "d",
        "points",
        "transform",
        "viewbox",
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "cx",
        "cy",
        "dx",
        "dy",
        "r",
        "rx",
        "ry",
        "width",
        "height",
        "style",
        "class",
        "fill",
        "stroke",
        "stroke-dasharray",
        "stroke-width",
        "clip-path",
        "gradienttransform",
        "offset",
        "nonce",
        "integrity",
    ]
)


class _Page(HTMLParser):
    """The texts, comments and telling attributes of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: set[str] = set()
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag == "style"
        for name, value in attrs:
            if value and name not in _DRAWING and not value.startswith("data:"):
                self.pieces.add(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag == "style"

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._silent:
            self.pieces.add(data)

    def handle_comment(self, data: str) -> None:
        self.pieces.add(data)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _is_card(digits: str) -> bool:
    return luhn(digits) and any(pattern.match(digits) and len(digits) in lengths for pattern, lengths in _NETWORKS)

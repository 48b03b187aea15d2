"""Personal data out of texts before anything is written: cards, CVV, SSN, account and phone numbers, e-mail addresses.

Numbers may be typed or spoken, in English or Spanish, in any grouping, and split over turns. What a run of digits is
depends on its length, its shape, its check digit and the words around it. Recognition loses digits, so near the words
for a card, an account or a social security number even short runs go. Prices, dates, times, quantities, years and
short numbers stay. Pure, one regular expression per question.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

REDACTION_VERSION = "redaction-2"
KINDS = ("card", "email", "ssn", "phone", "account", "cvv")
MARKS = {kind: f"[{kind}]" for kind in KINDS}

Span = tuple[int, int, str]


def redact(text: str) -> str:
    """`text` with every span of personal data replaced by its mark: `[card]`, `[email]`, `[ssn]`, `[phone]`,
    `[account]`, `[cvv]`. Redacting twice gives the same text."""
    while found := _find(text):
        for start, end, kind in reversed(found):
            text = text[:start] + MARKS[kind] + text[end:]
    return text


def redact_words(words: list[str]) -> list[str]:
    """`words` with marks, as many as before, so that words keep their times.

    Where a span covers several words its first becomes the mark (with the punctuation around the span) and the
    others become "": drop them, or give their time to the mark with the help of `spans`.
    """
    return redact_turns([words])[0]


def redact_turns(turns: list[list[str]]) -> list[list[str]]:
    """As `redact_words` for the turns of a conversation in their order: a number that is dictated over several
    turns, or asked for by one party and given by the other, is one number. Each turn gets marks of its own."""
    return _redacted(turns)[0]


def redact_texts(texts: list[str], parties: list[str]) -> list[str]:
    """As `redact` for the texts of a conversation in their order, each said by one of `parties`.

    They are read together, so that a question explains the digits of the answer and a number may go over several
    texts, and each party's once more by themselves, so that what the other says in between does not hide a number.
    """
    redacted = _texts_redacted(texts)
    for party in set(parties):
        places = [i for i, p in enumerate(parties) if p == party]
        for i, text in zip(places, _texts_redacted([redacted[i] for i in places]), strict=True):
            redacted[i] = text
    return redacted


def _texts_redacted(texts: list[str]) -> list[str]:
    # No span goes over a line break, so that each text keeps its lines.
    lines = iter(redact("\n".join(texts)).split("\n"))
    return ["\n".join(next(lines) for _ in range(text.count("\n") + 1)) for text in texts]


def redact_field(name: str, text: str) -> str:
    """As `redact` for the value of a column, of which the column's name tells what it is (`card_cvv`: 123)."""
    said = re.sub(r"[\W_]+", " ", name).strip() + ": "
    redacted = redact(said + text)
    return redacted.removeprefix(said) if redacted.startswith(said) else redact(text)


def redact_channels(channels: list[list[str]], starts_s: list[list[float]]) -> list[list[str]]:
    """As `redact_words` for the channels of one recording, with the start of each word in s.

    The channels are read together in the order of time, so that a question on one explains the digits on the other,
    and each once more by itself, so that somebody talking in between does not hide a number.
    """
    order = sorted((start, c, i) for c, starts in enumerate(starts_s) for i, start in enumerate(starts))
    turns: list[list[tuple[int, int]]] = []
    for _, c, i in order:
        if not turns or turns[-1][-1][0] != c:
            turns.append([])
        turns[-1].append((c, i))
    redacted = [list(words) for words in channels]
    texts = redact_turns([[channels[c][i] for c, i in turn] for turn in turns])
    for turn, words in zip(turns, texts, strict=True):
        for (c, i), word in zip(turn, words, strict=True):
            redacted[c][i] = word
    return [redact_words(words) for words in redacted]


def spans(words: list[str]) -> list[tuple[int, int, str]]:
    """Where `redact_words` redacts: index of the first and of the last word, and the kind, in order."""
    return sorted((first, last, kind) for _, first, last, kind in _redacted([words])[1])


def _redacted(turns: list[list[str]]) -> tuple[list[list[str]], list[tuple[int, int, int, str]]]:
    turns = [list(turn) for turn in turns]
    places: list[tuple[int, int, int, str]] = []
    while True:
        text, offsets, owners = _joined(turns)
        found = _find(text)
        if not found:
            return turns, places
        for start, end, kind in reversed(found):
            first, last = bisect_right(offsets, start) - 1, bisect_right(offsets, end - 1) - 1
            turn, i = owners[first]
            _, j = owners[last]
            words = turns[turn]
            words[i] = words[i][: start - offsets[first]] + MARKS[kind] + words[j][end - offsets[last] :]
            words[i + 1 : j + 1] = [""] * (j - i)
            places.append((turn, i, j, kind))


def _joined(turns: list[list[str]]) -> tuple[str, list[int], list[tuple[int, int]]]:
    """The words that aren't empty as one text, turns parted by a line break; each word's offset and place."""
    pieces: list[str] = []
    offsets: list[int] = []
    owners: list[tuple[int, int]] = []
    position = 0
    for t, words in enumerate(turns):
        if t:
            pieces.append("\n")
            position += 1
        for w, word in enumerate(words):
            if word:
                offsets.append(position)
                owners.append((t, w))
                clean = word.replace("\n", " ")
                pieces += (clean, " ")
                position += len(clean) + 1
    return "".join(pieces), offsets, owners


# --- numbers as they are said
def _counted(first: int, words: str) -> dict[str, str]:
    """Number words in their order, from `first`; forms of the same number are joined by a bar."""
    return {form: str(first + i) for i, forms in enumerate(words.split()) for form in forms.split("|")}


_UNITS = _counted(0, "zero|oh|o|nought|cero one|uno|una|un two|dos three|tres four|cuatro") | _counted(
    5, "five|cinco six|seis seven|siete eight|ocho nine|niner|nueve"
)
_TEENS = _counted(10, "ten|diez eleven twelve|doce thirteen|trece fourteen|catorce fifteen|quince") | _counted(
    16, "sixteen|dieciséis|dieciseis seventeen|diecisiete eighteen|dieciocho nineteen|diecinueve"
)
_TEENS |= _counted(21, "veintiuno|veintiún veintidós|veintidos veintitrés|veintitres veinticuatro veinticinco")
_TEENS |= _counted(26, "veintiséis|veintiseis veintisiete veintiocho veintinueve")
_TENS = _counted(2, "twenty|veinte thirty|treinta forty|cuarenta fifty|cincuenta sixty|sesenta") | _counted(
    7, "seventy|setenta eighty|ochenta ninety|noventa"
)


_HUNDREDS = _counted(1, "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos")
_HUNDREDS |= _counted(9, "novecientos")


def _any(words: dict[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_ATOM = re.compile(
    rf"(?P<typed>\d++)(?!(?:st|nd|rd|th)\b)"
    rf"|\b(?P<times>double|triple|treble|doble)[\s-]+(?P<timed>{_any(_UNITS)}|\d)\b"
    rf"|\b(?P<tens>{_any(_TENS)})(?:(?:[\s-]+|\s+y\s+)(?P<unit>{_any(_UNITS)})(?!\s+(?:{_any(_UNITS)})\b(?!\s)))?\b"
    rf"|\b(?<!por )(?P<hundreds>{_any(_HUNDREDS)})(?:\s+(?:"
    rf"(?P<h_tens>{_any(_TENS)})(?:\s+y\s+(?P<h_unit>{_any(_UNITS)}))?"
    rf"|(?P<h_teen>{_any(_TEENS)})|(?P<h_single>{_any(_UNITS)})))?\b"
    rf"|\b(?P<single>{_any(_UNITS)})(?P<hundred>\s+hundred)?\b"
    rf"|\b(?P<teen>{_any(_TEENS)})\b|\b(?P<once>once)\b"
    rf"|\b(?P<large>hundreds?|thousands?|millions?|billions?|cien|cientos|mil|mill[oó]n(?:es)?)\b",
    re.IGNORECASE,
)
# "once" is eleven beside another Spanish number only.
_SPANISH = (
    r"(?:cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieci\w+|veint\w+|"
    r"treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien|ciento|\w+cientos|quinientos|novecientos)"
)
_ONCE = re.compile(rf"(?<=\w)[\s,.-]+{_SPANISH}\b", re.IGNORECASE)
_SPANISH_BEFORE = re.compile(rf"\b{_SPANISH}[\s,.-]*$", re.IGNORECASE)
_NO_NUMBER = re.compile(r"\s+(?:moment|second|sec|minute|more|thing|of|momento|segundo|minuto)\b", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGIT_OR_AT = re.compile(r"[\d@]")
_AT_DOMAIN = re.compile(r"\s(?:at|arroba)[\s,]+[\w-]+\.\w", re.IGNORECASE)
_TELLTALE = frozenset(
    [
        *_UNITS,
        *_TEENS,
        *_TENS,
        *_HUNDREDS,
        *_LETTERS.findall("dot punto arroba email mail correo com net org edu gov info io"),
    ]
)
_BLANK = r"[\s\u00ad\u200b-\u200d\u2060\ufeff]"
_SEP = r"[\s.,;:/()_*#·•\u00ad\u200b-\u200d\u2060\ufeff\u2010-\u2015\u2212-]"
_ACK = (
    r"(?:okay|ok|mm-?hm+|m+hm+|uh-?huh|yes|yeah|yep|right|got it|go ahead|sure|perfect|alright|all right|great|thanks|"
    r"thank you|sí|si|vale|ajá|aja|bueno|claro|adelante|listo|perfecto|correcto)"
)
_FILLER = (
    r"(?:um+|uh+|er|eh+|este|pues|sorry|perd[oó]n|wait|espere|espera|no|i mean|digo|actually|correction|correcci[oó]n|"
    r"let me see|a ver|dash|hyphen|gui[oó]n|space|espacio|"
    r"(?:and )?then|y luego|luego|comma|coma|dot|point|punto|period)"
)
_GAP = re.compile(
    rf"(?!.*:\d){_SEP}{{0,8}}(?:{_FILLER}\b{_SEP}{{0,6}}){{0,4}}"
    rf"|{_SEP}*\n{_SEP}*(?:{_ACK}\b{_SEP}*){{1,3}}\n{_SEP}*(?:{_FILLER}\b{_SEP}*){{0,2}}",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"[,;:\n]|\.\s")
_IBAN = re.compile(r"\b[A-Z]{2}\d\d(?:[ -]?[A-Z\d]{4}){3,7}(?:[ -]?[A-Z\d]{1,3})?\b")
# Characters by country (ISO 13616 registry).
_IBAN_LENGTHS = {
    **dict.fromkeys(("no",), 15),
    **dict.fromkeys(("be",), 16),
    **dict.fromkeys(("dk", "fi", "nl"), 18),
    **dict.fromkeys(("at", "lt", "lu", "ee", "ba"), 20),
    **dict.fromkeys(("ch", "li", "lv", "hr"), 21),
    **dict.fromkeys(("gb", "de", "ie", "bg", "me", "rs"), 22),
    **dict.fromkeys(("es", "se", "cz", "sk", "ro", "ad", "md", "pk", "sa"), 24),
    **dict.fromkeys(("pt",), 25),
    **dict.fromkeys(("is", "tr"), 26),
    **dict.fromkeys(("fr", "it", "gr", "mc", "sm"), 27),
    **dict.fromkeys(("hu", "pl", "cy", "al", "do", "gt"), 28),
    **dict.fromkeys(("br", "ua", "ps", "qa"), 29),
    **dict.fromkeys(("mt",), 31),
}
_MAYBE_IBAN = re.compile(r"\b(?P<country>[a-z] ?[a-z]) ?\d\d(?:[ .-]?[a-z\d]){11,27}\b", re.IGNORECASE)
_SHAPES = {(3, 3, 4), (1, 3, 3, 4), (3, 4), (3, 2, 4), (3, 7), (1, 10), (1, 3, 7)}

# --- what is no personal number
_CURRENCY = (
    r"(?:dollars?|bucks|cents?|euros?|usd|eur|gbp|mxn|pesos?|pounds sterling|d[oó]lares|d[oó]lar|centavos?|quid)"
)
_AMOUNT = r"\d{1,3}(?:[,.]\d{3}){0,2}(?:[.,]\d{1,2})?"
_PROTECTED = re.compile(
    rf"[$€£¥]\s?(?:{_AMOUNT}|\d{{1,9}}(?:[.,]\d\d?)?)(?![\d-])"
    rf"|(?<![\d.,-])(?:{_AMOUNT}|\d{{1,9}}(?:\.\d\d)?)\s?(?:[€£%]|{_CURRENCY}\b|percent\b|por ciento\b)"
    r"|(?<![\d.,-])\d{1,3}(?:,\d{3}){1,2}(?:\.\d\d?)?(?![\d,-]|\.\d)"
    r"|(?<![\d.,/-])(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d\d)|(?:19|20)\d\d([/.-])\d{1,2}\1\d{1,2})(?![\d/-]|[.,]\d)"
    r"|(?<![\d.,/-])(?<!\d )(?:0?[1-9]|[12]\d|3[01]) (?:0?[1-9]|[12]\d|3[01]) (?:19|20)\d\d(?! ?[\d-])"
    r"|(?<![\d.,/-])\d{1,2}/\d{2,4}(?![\d/-])"
    r"|(?<![\d.,/-])(?:19|20)\d\d\s?[-–/]\s?(?:(?:19|20)\d\d|\d\d)(?![\d/-])"
    r"|(?<![\d:])[0-2]?\d:[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?![\d:])"
    r"|(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?!\d|\.\d)",
    re.IGNORECASE,
)
_UNIT = re.compile(
    rf"[\s-]*(?:{_CURRENCY}|[%€£°]|percent|por ciento|seconds?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|months?|"
    r"years?|yrs?|a\.?m\b|p\.?m\b|o'?clock|times?|items?|people|persons?|guests?|adults?|kids|children|units?|pieces?|"
    r"boxes|packs?|pairs?|copies|orders?|miles?|km|kilometers?|meters?|feet|foot|inch(?:es)?|degrees|points?|stars?|"
    r"pounds|lbs?|kgs?|grams?|ounces|oz|[gmkt]bs?|mbps|gbps|gigs?|megs?|gigabytes?|megabytes?|kwh|watts?|volts?|"
    r"digits?|numbers?|letters|characters|lines?|calls?|messages?|e-?mails|customers|cards|accounts|limit|credits|"
    r"segundos?|minutos?|horas?|d[ií]as?|noches?|semanas?|meses|mes|años?|veces|personas?|unidades|piezas|cajas|"
    r"puntos|d[ií]gitos|números|kil[oó]metros|grados|copias)(?!\w)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_BEFORE_YEAR = re.compile(
    r"(?:\b(?:in|since|from|of|a|an|the|until|till|by|during|year|early|late|mid|my|our|your|back|before|after|was|en|"
    r"desde|de|del|un|una|hasta|año|antes|january|february|march|april|may|june|july|august|september|october|november|"
    r"december|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|\d{1,2},?|\w*(?:first|second|third|eth|nth|fifth|sixth|eighth|ninth|twelfth),?)\s+)$",
    re.IGNORECASE,
)

# --- what the words around a number say; the nearest one counts
_CVV = (
    r"cvv2?|cvc2?|cv2|c\.?v\.?v|(?:security|verification) code(?: (?:on|of|for|from) (?:the|your|my) (?:\w+ )?card)?|"
    r"(?:code|digits?|number) on the (?:back|front|reverse)|"
    r"pin|passcode|access code|one[- ]time (?:code|password|passcode|pin)|"
    r"c[oó]digo de (?:seguridad|verificaci[oó]n)(?: de (?:la|su|mi) tarjeta)?|"
    r"d[ií]gitos (?:de|en) (?:la parte de )?(?:atr[aá]s|el reverso)"
)
_CARD = (
    r"cards?|visa|master\s?card|amex|american express|tarjetas?|cc number|(?:pay|paying) (?:with|by|over the phone)|"
    r"payment (?:method|details|info(?:rmation)?)|billing (?:details|info(?:rmation)?)|m[eé]todo de pago|forma de pago|"
    r"pag(?:ar|ando) con|va a pagar"
)
_SSN = (
    r"social security|social(?! (?:media|network|work|event|distanc))|ssn|s\.s\.n|seguro social|seguridad social|"
    r"tax id|taxpayer id|itin"
)
_PHONE = (
    r"phones?|telephone|cell|cellular|cellphone|mobile|fax|whatsapp|callback|contact number|"
    r"call(?:ing|ed)? (?:me|you|us|him|her|them|back)|calling from|"
    r"(?:reach|text) (?:me|you|us|him|her|them)|reached (?:at|on)|"
    r"tel[eé]fono|tel|celular|m[oó]vil|ll[aá]m[ae](?:me|nos|le|lo|la)|llamar(?:me|le|lo|la|nos)?|llamando"
)
_ACCOUNT = (
    r"accounts?|acct|routing|iban|sort code|policy|membership|member (?:id|number)|customer (?:id|number)|"
    r"client (?:id|number)|id number|passport|driver'?s licen[cs]e|licen[cs]e number|last (?:four|4)|"
    r"cuentas?|p[oó]liza|clabe|dni|nie|curp|rfc|pasaporte|n[uú]mero de (?:cliente|socio|identificaci[oó]n)|"
    r"[uú]ltimos (?:cuatro|4)"
)
# Numbers of things that the centre itself gave out: they say nothing without its own tables.
_THING = (
    r"(?:orders?|purchase|reference|ref|ticket|case|confirmation|tracking|shipment|package|invoice|booking|reservation|"
    r"item|product|part|po|sku|pedidos?|orden|compra|referencia|caso|incidencia|seguimiento|env[ií]o|paquete|reserva|"
    r"factura|art[ií]culo|producto)"
)
_REFERENCE = (
    rf"{_THING}(?:\s+(?:numbers?|no|num|id|code|nr|n[uú]mero)|(?=\W{{0,3}}$|\s(?:is|es el|es|says|dice)\s))|"
    rf"n[uú]mero de(?:l| su| mi| la)? {_THING}"
)
_OTHER = (
    r"balance|charged?|charges|amount|limit|fee|total|paid|price|costs?|owe|refund(?:ed)?|payment of|worth|bill|"
    r"orders?|reference|ticket|case|confirmation|tracking|extension|ext|zip|postal|press|serial|model|version|room|"
    r"flight|gate|option|channel|step|page|floor|street|avenue|saldo|cargo|monto|precio|cuesta|pagu[eé]|reembolso|"
    r"pedido|referencia|factura|modelo|calle|opci[oó]n|marque"
)
_CONTEXT = re.compile(
    rf"\b(?:(?P<cvv>{_CVV})|(?P<card>{_CARD})|(?P<ssn>{_SSN})|(?P<phone>{_PHONE})|(?P<account>{_ACCOUNT})|"
    rf"(?P<reference>{_REFERENCE})|(?P<other>{_OTHER}))\b",
    re.IGNORECASE,
)
_AFTERWARDS = re.compile(
    rf"\W{{0,3}}(?:(?:which|that|que)\s+)?(?:is|was|are|that's|es|era|son)\s+(?:my|the|his|her|our|their|mi|el|la|los|su)\s+"
    rf"(?:[^\W\d_]+\s+){{0,3}}?"
    rf"(?:(?P<cvv>{_CVV})|(?P<card>{_CARD})|(?P<ssn>{_SSN})|(?P<phone>{_PHONE})|(?P<account>{_ACCOUNT})|"
    rf"(?P<reference>{_THING}\s+(?:number|no|id|code)|n[uú]mero de {_THING}))\b",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"[^\w\[\]]*(?:(?:numbers?|no|num|digits?|is|are|was|it's|its|it|that's|that|the|my|your|on file|please|sure|"
    r"yes|yeah|yep|ok|okay|so|um|uh|well|ending (?:in|with)|ends (?:in|with)|start(?:s|ing) with|beginning with|"
    r"last|first|four|three|for|with|you|can i|could i|may i|have|get|at|to|on|of|be|would|will|full|whole|"
    r"complete|id|code|card|security|social|credit|debit|bank|me|back|read|go ahead|let me|see|here|es|son|"
    r"n[uú]mero|d[ií]gitos|el|la|los|mi|su|de|s[ií]|claro|bueno|termina(?:da)? en|con|por favor|empieza con|"
    r"cr[eé]dito|d[eé]bito|al|one|this|these|those|which|also|too|as|well|from|by|in|and|then|front|not|we|he|she|they|"
    r"his|her|our|their|there|now|just|actually|think|believe|i|i'm|i'll|need|give|got|has|had|does|do|did|under|using|"
    r"siendo|being|question|ahorros|corriente|calling|about|checking|savings|looking|use|used|want|like|you'd|i'd|charged|listed|ends?|other|different|va|voy|"
    r"alright|right|sir|ma'am|hold|moment|second|sec|momento|segundo|un|una|y|o|que|lo|se|le|me|te|a|ver|tengo|tiene|"
    r"tienen|dar|dame|da|doy|dígame|digame|est[aá]|este|esta|ese|esa|son|fue|su|sus|mis|para|por|del|desde|otro|otra|"
    r"nuevo|nueva|new|old|old one|registrado|registrada|se[ñn]or|se[ñn]ora|aqu[ií]|termina|anota|"
    r"apunte|anote)\b[^\w\[\]]*){0,14}",
    re.IGNORECASE,
)
_CARD_AFTER = re.compile(rf"^[^\d\n.?!]*\b(?:{_CARD})\b", re.IGNORECASE)
_FOR = re.compile(r"\b(?:for|por)\s+$", re.IGNORECASE)
_GOES_ON = re.compile(
    rf"[^\w\[\]]*(?:(?:{_ACK}|{_FILLER}|and|y|next|it's|is|es|then it's)\b[^\w\[\]]*){{0,5}}", re.IGNORECASE
)
_MARK = re.compile(r"\[(card|email|ssn|phone|account|cvv)\]")
_REACH = 120
_FEWEST_LINKED = {"card": 2, "ssn": 2, "account": 3, "phone": 4}
_FEWEST_NEAR = {"card": 4, "ssn": 4, "account": 5, "phone": 7}


@dataclass
class _Run:
    """Digits that belong together: where each unbroken stretch is, what they are, how they were grouped."""

    parts: list[tuple[int, int]]
    digits: str
    groups: list[int] = field(default_factory=list)
    typed: bool = True
    loose: bool = False
    round_: bool = False

    @property
    def start(self) -> int:
        return self.parts[0][0]

    @property
    def end(self) -> int:
        return self.parts[-1][1]


def _find(text: str) -> list[Span]:
    """Spans of personal data in `text` as (start, end, kind) in characters, in order, none over a line break."""
    text = text.replace("’", "'")
    if (
        not _DIGIT_OR_AT.search(text)
        and _TELLTALE.isdisjoint(_LETTERS.findall(text.lower()))
        and not _AT_DOMAIN.search(text)
    ):
        return []
    found = _emails(text)
    found += [(m.start(), m.end(), "account") for m in _IBAN.finditer(text) if not _overlaps(*m.span(), found)]
    found += [s for s in _checked_ibans(text) if not _overlaps(s[0], s[1], found)]
    found += [s for s in _checked_cards(text) if not _overlaps(s[0], s[1], found)]
    taken = sorted([(s, e) for s, e, _ in found] + [m.span() for m in _PROTECTED.finditer(text)])
    known = [(m.start(), m.end(), m[1]) for m in _MARK.finditer(text)] + found
    for run in _runs(text, taken):
        ended = max(((e, kind) for _, e, kind in known if e <= run.start), default=(0, None))
        kind = _kind(run, text, *ended)
        if kind:
            for start, end in run.parts:
                span = (*_widened(text, start, end, kind), kind)
                if not _overlaps(span[0], span[1], known):
                    found.append(span)
                    known.append(span)
    return sorted(part for span in found for part in _lines(text, span))


def _overlaps(start: int, end: int, others: list[Span]) -> bool:
    return any(start < e and s < end for s, e, *_ in others)


def _lines(text: str, span: Span) -> list[Span]:
    """The span, parted at line breaks, without blanks at the ends."""
    start, end, kind = span
    parts = [(m.start() + start, m.end() + start, kind) for m in re.finditer(r"[^\n]+", text[start:end])]
    trimmed = []
    for s, e, k in parts:
        piece = text[s:e]
        if piece.strip():
            trimmed.append((s + len(piece) - len(piece.lstrip()), e - len(piece) + len(piece.rstrip()), k))
    return trimmed


_SAID = rf"(?:\d|{_any(_UNITS)})"
_CAPITALS = re.compile(
    rf"(?<![\w'])(?:(?:[A-Z][\s,.-]{{1,2}}){{2}}(?:(?i:{_SAID})[\s,.-]{{1,2}}){{2}}(?:[A-Z][\s,.-]{{1,2}}){{1,4}}"
    r"|[A-Z]{1,4}-|(?:(?!I\b)[A-Z][\s,.-]{1,2}){1,4}|(?!NO\b|IS\b|ES\b|ID\b|VISA\b|AMEX\b)[A-Z]{2,4} )$"
)


def _widened(text: str, start: int, end: int, kind: str = "") -> tuple[int, int]:
    """The rest of a word that the digits are part of, a leading plus, brackets around an area code; for an account
    also the capitals that it begins with."""
    while start and (text[start - 1].isalnum() or text[start - 1] in "+_"):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    if kind in ("account", "card") and (letters := _CAPITALS.search(text[max(0, start - 40) : start])):
        start -= len(letters[0])
    if start and text[start - 1] == "(" and ")" in text[start:end]:
        start -= 1
        if start and text[start - 1] == "+":
            start -= 1
    return start, end


# --- cards by their check digit
_LONG = re.compile(rf"(?<!\d)\d(?:(?:{_BLANK}|[.,_·*\u2010-\u2015\u2212-]){{0,6}}\d){{12,}}")


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (2 if i % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


def _checked_cards(text: str) -> list[Span]:
    """Typed digits, however spaced, of which 13 to 19 in whole groups pass the check."""
    out = []
    for m in _LONG.finditer(text):
        groups = list(re.finditer(r"\d+", m[0]))
        digits = [_plain(g[0]) for g in groups]
        if any(_check_passes(digits[i:]) for i in range(len(digits))):
            out.append((*_widened(text, m.start(), m.end()), "card"))
    return out


def _check_passes(groups: list[str]) -> bool:
    joined = ""
    for group in groups:
        joined += group
        if len(joined) > 19:
            return False
        if len(joined) >= 13 and luhn(joined):
            return True
    return False


def _checked_ibans(text: str) -> list[Span]:
    """Account numbers whose check digits are right (ISO 13616: the remainder by 97 is 1), however they are written."""
    out = []
    for m in _MAYBE_IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(m["country"].replace(" ", "").lower())
        if length is None:
            continue
        places = [i for i, c in enumerate(m[0]) if c.isalnum()]
        number = "".join(m[0][i] for i in places[:length]).lower()
        if (
            len(number) < length
            or not number.isascii()
            or (len(places) > length and places[length] == places[length - 1] + 1)
        ):
            continue
        if int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97 == 1:
            out.append((m.start(), m.start() + places[length - 1] + 1, "account"))
    return out


def _plain(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(int(d)) for d in digits)


# --- runs of digits
def _runs(text: str, taken: list[tuple[int, int]]) -> list[_Run]:
    runs: list[_Run] = []
    current: _Run | None = None
    position, large_until = 0, -2
    for m in _ATOM.finditer(text):
        while position < len(taken) and taken[position][1] <= m.start():
            position += 1
        if m["once"] and not (
            _ONCE.match(text, m.end()) or _SPANISH_BEFORE.search(text[max(0, m.start() - 20) : m.start()])
        ):
            continue
        if m["single"] and _NO_NUMBER.match(text, m.end()):
            continue
        if m["large"] or (position < len(taken) and taken[position][0] < m.end()):
            if m["large"] and current and m.start() - current.end <= 1:
                current.round_ = True
            large_until = m.end() if m["large"] else large_until
            current = None
            continue
        digits = _digits_of(m)
        gap = text[current.end : m.start()] if current else ""
        if current and _GAP.fullmatch(gap):
            current.loose |= bool(_LOOSE.search(gap))
            if "\n" in gap:
                current.parts.append(m.span())
            else:
                current.parts[-1] = (current.parts[-1][0], m.end())
        else:
            current = _Run([m.span()], "", round_=m.start() - large_until == 1)
            runs.append(current)
        current.digits += digits
        current.groups.append(len(digits))
        current.typed &= m["typed"] is not None
        current.round_ |= m["hundred"] is not None
    return runs


def _digits_of(m: re.Match) -> str:
    if m["typed"]:
        return _plain(m["typed"])
    if m["times"]:
        digit = _UNITS.get(m["timed"].lower(), m["timed"])
        return digit * (3 if m["times"].lower() in ("triple", "treble") else 2)
    if m["tens"]:
        return _TENS[m["tens"].lower()] + (_UNITS[m["unit"].lower()] if m["unit"] else "0")
    if m["hundreds"]:
        rest = _TENS[m["h_tens"].lower()] + (_UNITS[m["h_unit"].lower()] if m["h_unit"] else "0") if m["h_tens"] else ""
        rest += _TEENS[m["h_teen"].lower()] if m["h_teen"] else _UNITS[m["h_single"].lower()] if m["h_single"] else ""
        return _HUNDREDS[m["hundreds"].lower()] + rest.rjust(2, "0")
    if m["once"]:
        return "11"
    if m["single"]:
        return _UNITS[m["single"].lower()] + ("00" if m["hundred"] else "")
    return _TEENS[m["teen"].lower()]


def _kind(run: _Run, text: str, boundary: int, before_kind: str | None) -> str | None:
    """What the run is, or None where it may stay. `boundary` is where the span before it ended."""
    n, digits = len(run.digits), run.digits
    if n == 1 or (run.round_ and n < 10):
        return None
    before, after = text[max(boundary, run.start - _REACH) : run.start], text[run.end : run.end + _REACH]
    measured = _UNIT.match(after) is not None and n < 13
    if 13 <= n <= 19 and luhn(digits):
        return "card"
    word, linked = _context(before, after)
    if word == "reference" and linked:
        return None
    if word == "cvv" and 3 <= n <= 8 and not measured and (linked or n <= 4):
        return "cvv"
    if word == "account" and n <= 4 and run.typed and _FOR.search(before):
        word = None  # "my account for 300"
    if n == 4 and _YEAR.fullmatch(digits) and _BEFORE_YEAR.search(before):
        word = None
    if word in _FEWEST_NEAR and not measured and n >= (_FEWEST_LINKED if linked else _FEWEST_NEAR)[word]:
        return "card" if n >= 13 else word
    if run.typed and run.groups == [3, 2, 4] and "-" in text[run.start : run.end]:
        return "ssn"
    goes_on = before_kind not in (None, "email") and _GOES_ON.fullmatch(text[boundary : run.start])
    if goes_on and not measured:
        return before_kind
    return _kind_by_length(run, text, after, word, measured)


def _context(before: str, after: str) -> tuple[str | None, bool]:
    """What the nearest word of context says the number is, and whether nothing but small words lies between."""
    nearest = max(_CONTEXT.finditer(before), key=lambda m: m.end(), default=None)
    if later := _AFTERWARDS.match(after):
        return later.lastgroup, True
    if nearest is None:
        return None, False
    return nearest.lastgroup, _LINK.fullmatch(before[nearest.end() :]) is not None


def _kind_by_length(run: _Run, text: str, after: str, word: str | None, measured: bool) -> str | None:
    n, groups = len(run.digits), tuple(run.groups)
    if n < 7 or measured:
        return None
    if n < 13 and run.loose and run.typed and max(groups) > 1 and groups not in _SHAPES:
        return "card" if _CARD_AFTER.search(after[:40]) else None
    word = "other" if word == "reference" else word
    if run.typed and groups == (5, 4):
        return None  # a ZIP code
    if run.typed and len(groups) == 1 and (text[run.start - 1 : run.start].isalpha() or after[:1].isalpha()):
        return None  # a code of letters and digits
    if word == "other" and run.typed and len(groups) == 1 and n < 10:
        return None
    if 13 <= n <= 19:
        return "card"
    international = run.start > 0 and text[run.start - 1] == "+"
    if word != "other" and (international or n == 10 or (n == 11 and run.digits[0] == "1") or groups == (3, 4)):
        return "phone"
    return "account"


# --- e-mail addresses
_SURE_TLD = r"(?:com|net|org|edu|gov|mil|info|biz)"
_TLD = rf"(?:{_SURE_TLD}|io|co|me|tv|us|uk|es|mx|ar|cl|pe|ca|au|de|fr|it|br|in|eu|app|dev|ai|online)"
_DOT_WORD = r"[\s,]+(?:dot|punto|period|point)[\s,]+"
_JOIN = rf"(?:\s*\.\s*|{_DOT_WORD}|[\s,]+(?:underscore|dash|hyphen|minus|plus|gui[oó]n bajo|gui[oó]n|bajo)[\s,]+)"
# A stop with a blank after it may end a sentence: then only what is no word can be the end of an address.
_END = rf"(?:\s?\.{_TLD}\b|\s*\.\s*{_SURE_TLD}\b|{_DOT_WORD}{_TLD}\b)(?:(?:\.|{_DOT_WORD}){_TLD}\b)?"
_TYPED_EMAIL = re.compile(
    rf"(?<![\w.+'-])[\w.+'-]++(?:@|\s@\s?|\s?@\s)[\w-]+(?:(?:\.[\w-]+)+|\s*\.\s*{_TLD}\b(?:\s*\.\s*{_TLD}\b)?|{_END})"
    r"|(?<![\w.+'-])[\w.+'-]++@[\w-]+(?:\.[\w-]+)*",
    re.IGNORECASE,
)
_SPOKEN_AT = re.compile(r"[\s,]+(?:at(?: sign)?|arroba|@)[\s,]+", re.IGNORECASE)
_SAID_NUMBER = rf"(?:\d+|{_any(_UNITS | _TEENS | _TENS)})"
_MAILBOX = re.compile(
    rf"(?<!\w)(?:[^\W\d][\w+.-]*{_JOIN})?(?:[^\W\d][\w+.-]*[\s,]+(?={_SAID_NUMBER}\b))?"
    rf"(?:(?:\w|{_SAID_NUMBER})[\s,.-]+){{0,24}}[\w+-]+(?:{_JOIN}[\w+-]+){{0,4}}$",
    re.IGNORECASE,
)
_SPOKEN_DOMAIN = re.compile(
    rf"(?:the\s+)?(?:[\w-]+\s+){{0,2}}?[\w-]+(?:(?:\.|{_DOT_WORD})[\w-]+){{0,2}}?{_END}"
    rf"|[\w-]+(?:[\s,]+(?:dash|hyphen|gui[oó]n)[\s,]+[\w-]+){{1,2}}{_END}",
    re.IGNORECASE,
)
# "so that's maria smith at": the words after the verb are the mailbox's too.
_NAMED = re.compile(
    r"(?:^|\n|\b(?:that's|it's|that is|it is|this is|es|used|usé|to|a|at|from|en|have|tengo|tener|tiene)\s+)"
    r"(?P<name>(?:[\w'-]+\s+){1,2})$",
    re.IGNORECASE,
)
# "I bought shoes at example dot com" names a shop.
_SHOPPING = re.compile(
    r"\b(?:bought|buy|ordered|purchased|saw|seen|found|got|shop|shopping|shopped|compr[éóaoi]\w*|ped[ií]\w*|vi|vimos|"
    r"encontr\w+)\b[^.?!\n]*$",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?:(?:es|son|is|it's|it is|that's|that would be|sí|yes|yeah|sure|claro|um+|uh+|eh+|a ver)\b[\s,.]*)+",
    re.IGNORECASE,
)
_MAILBOX_REACH = 120
_EMAIL_WORD = re.compile(
    r"\b(?:e-?mail|correo|(?:write|escrib[ei]\w*) (?:to )?(?:me |us )?(?:at|to|a)|address on file|"
    r"(?:send|sent|mail)(?: \w+){0,3} to)"
    r"(?:\s+(?:address|id|electr[oó]nico|account|on file|que tengo registrado|"
    r"is|it's|would be|es|that|you have|we have))*"
    r"\s*[:,]?\s*",
    re.IGNORECASE,
)
_BARE_ADDRESS = re.compile(r"[\w.+-]+\.[a-z]{2,}\b", re.IGNORECASE)
_NO_MAILBOX = frozenset(
    _LETTERS.findall(
        "look looking us me it available visit online order orders site website page find store shop here more out is "
        "are them him her you that this now work works started start bought purchased up or and web anything found "
        "everything click go going sold reviews ordered buy back arrive arrived"
    )
)


def _emails(text: str) -> list[Span]:
    found: list[Span] = []
    if "@" in text:
        found = [(m.start(), m.end(), "email") for m in _TYPED_EMAIL.finditer(text)]
    for at in _SPOKEN_AT.finditer(text):
        domain = _SPOKEN_DOMAIN.match(text, at.end())
        if not domain or _overlaps(at.start(), domain.end(), found):
            continue
        reach = max([at.start() - _MAILBOX_REACH, 0, *(end for _, end, _ in found if end <= at.start())])
        mailbox = _MAILBOX.search(text[reach : at.start()])
        if not mailbox:
            continue
        start = reach + mailbox.start()
        near = [w for w in _EMAIL_WORD.finditer(text, max(0, start - 80), at.start()) if w.end() < at.start()]
        if near:
            start = _sentence_start(text, near[-1].end(), start)
        elif re.split(r"\W+", mailbox[0])[-1].lower() in _NO_MAILBOX or _SHOPPING.search(text[reach:start]):
            continue
        elif named := _NAMED.search(text[reach:start]):
            start = reach + named.start("name")
        if (verb := _VERB.match(text, start)) and verb.end() <= reach + mailbox.start():
            start = verb.end()
        found.append((start, domain.end(), "email"))
    for w in _EMAIL_WORD.finditer(text) if "." in text else ():
        m = _BARE_ADDRESS.match(text, w.end()) if w[0][0] in "eEcC" else None
        if m and not _overlaps(m.start(), m.end(), found):
            found.append((m.start(), m.end(), "email"))
    return found


def _sentence_start(text: str, earliest: int, start: int) -> int:
    """Where the words that name the mailbox begin: after `earliest`, the last line break or sentence end, 8 words."""
    between = text[earliest:start]
    ends = [m.end() for m in re.finditer(r"[\n?!]\s*|\w{2,}\.\s+", between)]
    at = earliest + (ends[-1] if ends else 0)
    return at if earliest > start or len(text[at:start].split()) <= 8 else start

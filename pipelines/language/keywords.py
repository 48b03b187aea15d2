"""What an interaction speaks of: telling words, and phrases of two or three words, of each party.

A text is parted at punctuation, numbers, redaction marks, names, and words that carry no topic; what stands between
are the candidates, in the manner of RAKE (Rose et al. 2010). "not", "never" and "no" stay with the word that follows,
since "not working" and "no signal" are what complaints are made of; "of" stays between two words ("proof of
insurance"). English and Spanish; texts of other languages have no keywords.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from pipelines.contracts.language import KEYWORDS
from pipelines.contracts.vocabulary import PARTIES

KEYWORDS_VERSION = "keywords-1"

_Key = frozenset[str]  # the stems of a candidate's words, whatever their order: "status of claim" is "claim status"

_ENGLISH_STOP = """
a an the this that these those there here it its itself i me my mine myself you your yours yourself he him his himself
she her hers herself we us our ours ourselves they them their theirs themselves who whom whose which what whatever
when whenever where wherever why how however and or but nor so yet if then than because as while until till though
although unless whether since of at by for with without about against between among into through during before after
above below to from up down in out on off over under again further once within along across toward towards upon onto
per via like am is are was were be been being have has had having do does did doing done will would shall should can
could may might must ought cannot all any both each few more most other others another some such only own same too
very just also even still already ever anymore else either neither instead rather almost enough much many quite
especially exactly one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million zero oh dot
dash first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth every com last next half pm
o'clock get gets got getting gotten go goes going gone went come comes came coming let lets make makes made making
take takes took taken taking put puts give gives gave given giving know knows knew known see sees saw seen say says
said saying tell tells told telling think thinks thought thinking mean means meant want wants wanted wanting need
needs needed try tries tried trying look looks looked looking use uses used using keep keeps kept seem seems seemed
feel feels felt happen happens happened happening find finds found ask asks asked asking speak speaks spoke speaking
talk talks talked talking hear hears heard understand understood help helps helped helping start started stop show
shows showed bring believe suppose supposed guess hope wonder wondering appreciate assist provide able possible yes
yeah yep yup nope nah ok okay alright right sure fine good great perfect awesome wonderful excellent lovely nice cool
cheers thanks thank thankyou please sorry pardon excuse apologize apologies apology hello hii hai hi hey goodbye bye
welcome morning afternoon evening night sir madam maam mr mrs ms miss dear sincerely regards um uh uhm erm er hmm mm
mhm hm huh ah eh wow gosh god well now today tonight yesterday tomorrow soon later ago maybe perhaps probably really
actually basically literally honestly definitely absolutely certainly totally obviously correct course indeed thing
things stuff something anything everything nothing someone anyone everyone somebody anybody everybody nobody none way
lot lots bit kind sort kinda sorta guys gonna wanna gotta lemme im ive id ill youre thats whats dont didnt doesnt cant
wont isnt wasnt arent couldnt wouldnt shouldnt havent hasnt hadnt monday tuesday wednesday thursday friday saturday
sunday january february march april june july august september october november december moment minute minutes hour
hours seconds day days week weeks weekend month months year years time times name names question questions number
numbers reference back anyway ahead bear sit
"""
# May stand in a phrase ("billing problem"), but say nothing alone.
_ENGLISH_WEAK = """
problem issue account service customer company phone email mail people person day order line information dollar dollars
euro euros pound pounds detail case matter reason part place point new old big little long short high low bad wrong
different whole real own full able regard system agent address
"""
# As these, but say something with a negator ("not working").
_ENGLISH_WEAK_VERBS = """
work works worked working call calls called calling change changed check checked confirm confirmed receive received send
sent set open opened
"""
_SPANISH_STOP = """
a al algo algún alguna algunas alguno algunos allá allí ante antes aquel aquella aquello aquí así aun aún aunque bajo
cada casi como cómo con contra cosa cosas cual cuál cuales cuáles cualquier cuando cuándo cuanto cuánto cuánta de del
demás desde donde dónde dos durante e el él ella ellas ello ellos en entonces entre era eran es esa esas ese eso esos
esta está estaba estaban están estamos estar estas este esté esto estos estoy estuve fue fueron fui fuera ha había
habían haber hace hacen hacer haciendo hago han has hasta hay haya he hecho hemos hice hizo hoy incluso ir iba la las
le les lo los luego más me mejor menos mi mí mía mientras mío mis misma mismo mucha muchas mucho muchos muy nada nadie
ni ningún ninguna ninguno nos nosotros nuestra nuestro nuestros o os otra otras otro otros para pero poco por porque
pues que qué quien quién quienes sea según ser será si sí sido siempre sin sino sobre sois solo sólo somos son soy su
sus suya suyo tal también tampoco tan tanta tanto te tener tenía tengo tenemos ti tiene tienen tienes toda todas
todavía todo todos tras tu tú tus tuve tuvo un una unas uno unos usted ustedes va vamos van vez veces vosotros voy y
ya yo quiero quiere quisiera quería queremos querer necesito necesita necesitamos puedo puede pueden podría podrían
podemos poder pude pudo debe deben debo saber sé sabe sabemos decir digo dice dicen dijo dijeron dígame dime ver veo
vi mire mira miren ayudar ayuda ayudarle ayudarme favor gracias perdón disculpe disculpa hola buenos buenas buen bueno
buena días día tardes tarde noches noche adiós saludos claro vale bien perfecto perfecta genial estupendo excelente
correcto exacto eh ah oh mmm mm ajá entiendo señor señora señorita don doña ahora mañana ayer anoche después momento
minuto minutos hora horas segundo segundos semana semanas mes meses año años lunes martes miércoles jueves viernes
sábado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre cero tres
cuatro cinco seis siete ocho nueve diez once doce trece catorce quince veinte treinta cuarenta cincuenta sesenta
setenta ochenta noventa cien ciento doscientos mil primera primero segunda tercera último última próximo próxima llamo
llama nombre apellido número números pregunta tema manera forma parte gustaría gusta parece creo cree pasa pasó pasado
sigue sigo quedó queda dar doy da dan dio dieron pongo poner puesto estado fuese fueran haría hablar hablo hablando
habla espere espero esperando llevo lleva llevan acaba acabo vengo viene
"""
_SPANISH_WEAK = """
problema problemas cuenta servicio cliente empresa llamada teléfono correo persona personas trabajo pedido línea
información dato datos caso asunto motivo lugar cambio nuevo nueva viejo mal grande dirección sistema
"""
_SPANISH_WEAK_VERBS = """
llamar llamado llama cambiar cambiado recibido recibí recibir enviado enviar envié funciona funcionando funcionan
"""
_STOP = {"en": _ENGLISH_STOP, "es": _SPANISH_STOP}
_WEAK = {"en": _ENGLISH_WEAK, "es": _SPANISH_WEAK}
_WEAK_VERBS = {"en": _ENGLISH_WEAK_VERBS, "es": _SPANISH_WEAK_VERBS}
_APOSTROPHE = re.compile("['’]")
_NEGATORS = {"en": frozenset(("not", "never", "no")), "es": frozenset(("no", "nunca", "sin"))}
_CONNECTORS = {"en": frozenset(("of",)), "es": frozenset(("de", "del"))}
_CONTRACTED_NOT = re.compile(
    r"(?:can|wo|do|did|does|is|was|are|were|could|would|should|have|has|had)nt|cannot|.*n['’]t"
)
# Stems that mean the same: "charged twice" is a "double charge".
_SAME = {"twic": "doubl"}
# What follows these two words is a name, whatever its letter case; so many words of it.
_BEFORE_A_NAME = frozenset((("name", "is"), ("names", "are"), ("nombre", "es"), ("me", "llamo")))
_LONGEST_NAME_WORDS = 2
_TOKEN = re.compile(
    r"(?P<skip>\S+@\S+|(?:https?://|www\.)\S+|\[[a-z][a-z _-]*\]|\w*\d[\w.,:/-]*)"
    r"|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)"
    r"|(?P<end>[.!?\n…]+)"
    r"|(?P<mark>[^\s\w])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class KeywordOptions:
    """`most`: keywords of a party in an interaction; `most_words`: of a phrase. `busy_day`: from so many interactions
    on, a word that only one of them uses is left out: mostly a name, or misheard."""

    most: int = 12
    most_words: int = 3
    busy_day: int = 100


class _Word(NamedTuple):
    text: str  # lower case
    lemma: str
    stem: str


def content_words(text: str, language: str) -> list[str]:
    """The text's words, in lower case, that say something of a topic: no stop words, numbers, redaction marks, single
    letters. Of languages other than English and Spanish all words."""
    stop = _words_of(_STOP.get(language, "")) | _NEGATORS.get(language, frozenset())
    found = (m.group("word") for m in _TOKEN.finditer(text) if m.group("word"))
    lower = (_base(word.casefold(), language) for word in found)
    return [w for w in lower if w not in stop and (len(w) > 1 or not w.isascii())]


def keywords(
    utterances: pl.DataFrame,
    languages: Mapping[str, str | None] | None = None,
    *,
    default_language: str = "en",
    options: KeywordOptions | None = None,
) -> pl.DataFrame:
    """Frame of `language/keywords`: up to 12 keywords of each party of each interaction.

    `utterances`: frame of `transcripts/utterances`, of a day; an interaction's language is that of its first utterance
    with one, else of `languages` (BCP-47 tag by interaction id), else the default. What the parties of a day say
    decides three things: a word that is mostly written with a capital inside sentences is a name and left out; of forms
    of the same words ("charged twice", "double charge") the most frequent stands for all; and of an interaction's
    candidates those come first that several interactions of the day share, but not all of them: the score is
    n x ln(1 + shared by) x ln(1 + interactions / shared by) x ln(1 + words), after which a phrase's own parts are
    left out where they stand nowhere else. Meaning is not compared: in the space of embeddings.py "thick crust" and
    "thin crust" (.93) lie nearer than "refund" and "money back" (.67).
    """
    o = options or KeywordOptions()
    spoken = list(_spoken(utterances, languages or {}, default_language))
    names = _names((text, language) for _, _, _, text, language in spoken)
    # (interaction, party) -> candidate -> [first utterance, times]
    said: dict[tuple[str, str], dict[_Key, list[int]]] = defaultdict(dict)
    forms: dict[_Key, Counter[str]] = defaultdict(Counter)
    for interaction, party, utterance, text, language in spoken:
        own = said[interaction, party]
        for candidate in _candidates(text, language, names, o.most_words):
            key = frozenset(w.stem for w in candidate if w.text not in _CONNECTORS[language])
            if len(key) == 1 and len(candidate) > 1:
                continue
            forms[key][" ".join(w.lemma for w in candidate)] += 1
            own.setdefault(key, [utterance, 0])[1] += 1
    shown = {key: min(found, key=lambda form: (-found[form], len(form), form)) for key, found in forms.items()}
    by_interaction = _by_interaction(said)
    shared = Counter(key for keys in by_interaction for key in keys)
    words_shared = Counter(stem for keys in by_interaction for stem in frozenset().union(*keys))
    n_interactions = len(by_interaction)
    words_of_one = {w for w, n in words_shared.items() if n == 1} if n_interactions >= o.busy_day else set()
    rows = []
    for (interaction, party), own in said.items():
        score = {
            key: n * math.log1p(shared[key]) * math.log1p(n_interactions / shared[key]) * math.log1p(len(key))
            for key, (_, n) in own.items()
            if words_of_one.isdisjoint(key)
        }
        ordered = sorted(score, key=lambda key: (-score[key], own[key][0], shown[key]))
        rows += [
            (interaction, party, shown[key], own[key][1], own[key][0])
            for key in _without_parts(ordered, own, shared, o.most)
        ]
    return _frame(rows)


def _frame(rows: list[tuple]) -> pl.DataFrame:
    """Rows of the contract; two keys may be shown in the same form, which is then one row."""
    columns = {c: KEYWORDS.schema[c] for c in ("interaction_id", "party", "keyword", "n", "utterance")}
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    frame = frame.group_by("interaction_id", "party", "keyword").agg(pl.col("n").sum(), pl.col("utterance").min())
    frame = frame.sort("interaction_id", "party", pl.col("n") * -1, "keyword")
    return KEYWORDS.conform(frame.with_columns(extractor_version=pl.lit(KEYWORDS_VERSION)))


def _spoken(
    utterances: pl.DataFrame, languages: Mapping[str, str | None], default: str
) -> Iterator[tuple[str, str, int, str, str]]:
    """(interaction, party, utterance, text, primary language) of the rows that can have keywords, in order."""
    columns = ("interaction_id", "party", "utterance", "text", "language")
    rows = utterances.select(columns).sort("interaction_id", "utterance").rows()
    tags = {interaction: tag for interaction, _, _, _, tag in reversed(rows) if tag}
    for interaction, party, utterance, text, _ in rows:
        tag = tags.get(interaction) or languages.get(interaction) or default
        language = re.split("[-_]", tag.strip().casefold())[0]
        if party in PARTIES and text and language in _NEGATORS:
            yield interaction, party, utterance, text, language


def _by_interaction(said: Mapping[tuple[str, str], Mapping[_Key, list[int]]]) -> list[set[_Key]]:
    merged: dict[str, set[_Key]] = defaultdict(set)
    for (interaction, _), own in said.items():
        merged[interaction].update(own)
    return list(merged.values())


def _without_parts(ordered: list[_Key], own: Mapping[_Key, list[int]], shared: Counter[_Key], most: int) -> list[_Key]:
    """The first `most` candidates, leaving out what says no more than a chosen one.

    That is: a part of it that hardly stands anywhere else that day, and a phrase that only adds a word to it.
    """
    chosen: list[_Key] = []
    for key in ordered:
        n = own[key][1]
        if not any(
            n <= own[other][1]
            and ("not" in key) == ("not" in other)
            and ((key <= other and shared[key] <= 2 * shared[other]) or (key >= other and len(other) > 1))
            for other in chosen
        ):
            chosen.append(key)
        if len(chosen) == most:
            break
    return chosen


def _candidates(text: str, language: str, names: frozenset[str], most_words: int) -> Iterator[tuple[_Word, ...]]:
    """Words and phrases of the text: no connector at an end, a negator only in front, not of weak words alone."""
    negators, connectors = _NEGATORS[language], _CONNECTORS[language]
    weak, weak_verbs = _words_of(_WEAK[language]), _words_of(_WEAK_VERBS[language])
    says_nothing = negators | connectors | weak | weak_verbs
    for run in _runs(text, language, names):
        for length in range(1, most_words + 1):
            for first in range(len(run) - length + 1):
                words = [w.text for w in run[first : first + length]]
                negated = first and run[first - 1].text in negators
                if negated or words[0] in connectors or words[-1] in connectors or negators.intersection(words[1:]):
                    continue
                if not says_nothing.issuperset(words) or (words[0] in negators and weak_verbs.intersection(words)):
                    yield tuple(run[first : first + length])


def _runs(text: str, language: str, names: frozenset[str]) -> Iterator[list[_Word]]:
    """Stretches of words that stand together: content words, negators and connectors."""
    stop = _words_of(_STOP[language]) - _NEGATORS[language] - _CONNECTORS[language]
    run: list[_Word] = []
    before = ("", "")
    in_name = 0
    for match in _TOKEN.finditer(text):
        word = _base(match.group("word").casefold(), language) if match.group("word") else ""
        in_name = _LONGEST_NAME_WORDS if before in _BEFORE_A_NAME else max(0, in_name - 1)
        if not word or word in stop:
            in_name = 0
        if not word or word in stop or word in names or in_name or len(word) < 2:
            if run:
                yield run
            run = []
        else:
            run.append(_word(word, language))
        before = (before[1], word)
    if run:
        yield run


def _names(texts: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Words (lower case) that stand more often with a capital as names do than without one.

    That is: inside a sentence, before such a word, or as a sentence of their own. Texts with a capital in front of most
    words show nothing; acronyms (PIN, VPN) are no names.
    """
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for text, language in texts:
        stop = _words_of(_STOP[language])
        sentences = list(_sentences(text))
        inside = [w for sentence in sentences for w in sentence[1:] if w.casefold() not in stop]
        if sum(w[0].isupper() for w in inside) * 2 > len(inside) > 5:
            continue
        for sentence in sentences:
            like_names = [w[0].isupper() and not w.isupper() and w.casefold() not in stop for w in sentence]
            for i, word in enumerate(sentence):
                if like_names[i] and (i or len(sentence) == 1 or like_names[1]):
                    capital[word.casefold()] += 1
                elif not word[0].isupper():
                    small[word.casefold()] += 1
    return frozenset(w for w, n in capital.items() if n > small[w])


def _sentences(text: str) -> Iterator[list[str]]:
    words: list[str] = []
    for match in _TOKEN.finditer(text):
        if match.group("word"):
            words.append(_APOSTROPHE.split(match.group("word"))[0])
        elif match.group("end"):
            yield words
            words = []
    yield words


@lru_cache(maxsize=1 << 16)
def _base(word: str, language: str) -> str:
    """A word in lower case without what an apostrophe adds; "not" for every contracted one."""
    if language == "en":
        if _CONTRACTED_NOT.fullmatch(word):
            return "not"
        return _APOSTROPHE.split(word)[0]
    return word


@lru_cache(maxsize=1 << 16)
def _word(word: str, language: str) -> _Word:
    lemma = _singular(word, language)
    stem = "".join(c for c in unicodedata.normalize("NFKD", lemma) if not unicodedata.combining(c))
    if language == "en":
        stem = _english_stem(stem)
    elif len(stem) > 4:
        stem = stem.rstrip("aeo")
    return _Word(word, lemma, "not" if word in _NEGATORS[language] else _SAME.get(stem, stem))


def _singular(word: str, language: str) -> str:
    if len(word) <= 3 or not word.endswith("s"):
        return word
    if language == "es":
        return word[:-2] if word.endswith("es") and word[-3] not in "aeiouéí" else word[:-1]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is", "ous")) else word[:-1]


def _english_stem(word: str) -> str:
    """charge, charged, charging: charg. Only to see that forms belong together; never shown."""
    for ending in ("ing", "ed", "e"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 4 and re.search("[aeiouy]", rest):
            word = rest
            break
        if (
            rest != word
            and ending != "e"
            and len(rest) == 3
            and re.search("[aeiouy]", rest)
            and rest[-1] not in "aeiou"
        ):
            word = rest
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sz":
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


@lru_cache(maxsize=8)
def _words_of(listed: str) -> frozenset[str]:
    return frozenset(listed.split())

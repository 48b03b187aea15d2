import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.language.phrases import KINDS, PhraseError, Phrases

HEADER = "language,kind,phrase,weight\n"


def made(tmp_path, *rows: str, header: str = HEADER) -> Phrases:
    (tmp_path / "phrases.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return Phrases.read(tmp_path)


def texts(phrases: Phrases, kind: str, text: str, language: str | None = "en") -> list[str]:
    return [text[h.start : h.end] for h in phrases.find(kind, text, language)]


def test_english_and_spanish_are_supported_and_french_is_not(phrases):
    assert phrases.supported_languages == ("en", "es")
    assert phrases.supports("en-US")
    assert phrases.supports("ES_mx")
    assert phrases.supports(None)
    assert not phrases.supports("fr-FR")


def test_a_text_without_a_language_is_in_the_default_language(seeds):
    assert Phrases.read(seeds, default_language="es").language(None) == "es"


def test_a_language_that_lacks_a_kind_is_not_supported(tmp_path):
    assert made(tmp_path, "de,apology,tut mir leid,1").supported_languages == ()


def test_a_hit_names_the_place_the_phrase_and_the_weight(tmp_path):
    (hit,) = made(tmp_path, "en,apology,so sorry,1.5").find("apology", "Oh, I'm SO sorry!", "en")
    assert (hit.start, hit.end, hit.phrase, hit.weight) == (8, 16, "so sorry", 1.5)


@pytest.mark.parametrize(
    "text", ["let me check", "LET ME CHECK", "Let me check.", "lemme check", "so let me check that for you"]
)
def test_case_punctuation_and_spoken_forms_do_not_matter(phrases, text):
    assert texts(phrases, "lookup_announcement", text)


@pytest.mark.parametrize("apostrophe", ["'", "’", "ʼ"])
def test_both_apostrophes_and_the_written_out_form_are_the_same(phrases, apostrophe):
    text = f"I{apostrophe}ll transfer you now"
    assert texts(phrases, "transfer", text) == [f"I{apostrophe}ll transfer"]
    assert texts(phrases, "transfer", "I will transfer you now") == ["I will transfer"]


def test_a_contraction_without_its_apostrophe_still_negates(phrases):
    assert texts(phrases, "transfer", "I cant transfer you") == []
    assert texts(phrases, "transfer", "I can transfer you") == ["transfer you"]


def test_accents_do_not_matter(phrases):
    assert texts(phrases, "empathy", "Tiene razon", "es") == ["Tiene razon"]
    assert texts(phrases, "empathy", "Tiene razón", "es-MX") == ["Tiene razón"]


def test_phrases_are_found_at_word_boundaries_only(phrases):
    assert texts(phrases, "profanity", "I live in Scunthorpe, this is a classic bass assessment") == []
    assert texts(phrases, "filler", "the umbrella is here") == []


def test_a_star_stands_for_up_to_two_words_within_a_sentence(tmp_path):
    phrases = made(tmp_path, "en,confidential_request,give me your * pin,3")
    assert texts(phrases, "confidential_request", "give me your pin")
    assert texts(phrases, "confidential_request", "give me your debit card pin")
    assert not texts(phrases, "confidential_request", "give me your very own debit card pin")
    assert not texts(phrases, "confidential_request", "give me your name. Pin it")


def test_the_longest_phrase_wins_and_none_is_found_inside_another(tmp_path):
    phrases = made(tmp_path, "en,apology,sorry,1", "en,apology,sorry about that,1", "en,apology,about,1")
    assert texts(phrases, "apology", "sorry about that, sorry") == ["sorry about that", "sorry"]


def test_a_row_with_weight_0_shields_its_words(phrases):
    assert texts(phrases, "escalation", "I want to speak to a manager") == ["speak to a manager"]
    assert texts(phrases, "escalation", "my account manager called") == []
    assert texts(phrases, "negative", "no problems so far") == []


def test_a_redaction_mark_is_no_word_of_the_customer(phrases):
    assert texts(phrases, "confidential_request", "so that is [card] and [pin]") == []


def test_every_kind_can_be_asked_for_and_no_other(phrases):
    for kind in KINDS:
        phrases.find(kind, "hello")
    with pytest.raises(KeyError):
        phrases.find("kindness", "hello")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("en,apologies,sorry,1", "unknown kind 'apologies'"),
        ("en,apology,sorry,lots", "weight 'lots' is not a number"),
        ("en,apology,sorry,", "weight '' is not a number"),
        ("en,apology,sorry,nan", "outside"),
        ("en,negative,awful,2", "outside -3 … 0"),
        ("english,apology,sorry,1", "language 'english'"),
        ("en,apology,!!!,1", "must begin and end with a word"),
        ("en,apology,sorry *,1", "must begin and end with a word"),
        ("en,apology,I'm sorry,1", "the same phrase as the one in phrases.csv, line 2"),
    ],
)
def test_a_bad_row_is_refused_with_file_line_and_reason(tmp_path, row, reason):
    with pytest.raises(PhraseError, match=r"phrases\.csv, line 3: ") as error:
        made(tmp_path, "en,apology,i am sorry,1", row)
    assert reason in str(error.value)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(PhraseError, match="missing columns weight"):
        made(tmp_path, "en,apology,sorry", header="language,kind,phrase\n")


@given(st.text(max_size=200))
def test_any_text_can_be_heard_and_every_hit_lies_in_it(text):
    phrases = Phrases.from_rows([("row 1", "en", "apology", "so sorry", 1.0), ("row 2", "en", "filler", "um", 1.0)])
    for hits in phrases.hear(text).hits.values():
        for hit in hits:
            assert 0 <= hit.start < hit.end <= len(text)

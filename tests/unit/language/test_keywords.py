import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.language import KEYWORDS
from pipelines.contracts.transcripts import UTTERANCES
from pipelines.language.keywords import KeywordOptions, content_words, keywords


def day(*talks, party="customer", language=None):
    """Utterances of interactions 0, 1, …; each talk a list of texts, or of (party, text)."""
    rows = []
    for i, talk in enumerate(talks):
        for j, said in enumerate(talk):
            who, text = said if isinstance(said, tuple) else (party, said)
            rows.append(
                {
                    "interaction_id": str(i),
                    "utterance": j,
                    "party": who,
                    "text": text,
                    "n_words": len(text.split()),
                    "language": language,
                    "source": "supplied",
                }
            )
    return UTTERANCES.frame(rows)


def found(frame, interaction="0", party="customer"):
    rows = frame.filter(interaction_id=interaction, party=party).sort("utterance", "keyword")
    return rows["keyword"].to_list()


def test_a_call_is_parted_as_worked_out_by_hand():
    talk = ["Hello, I was charged a late fee on my last bill.", "The late fee is wrong and my app is not working."]
    rows = keywords(day(talk)).sort("keyword").select("keyword", "n", "utterance").rows()
    assert rows == [("app", 1, 1), ("bill", 1, 0), ("charged", 1, 0), ("late fee", 2, 0), ("not working", 1, 1)]


def test_the_frame_keeps_its_contract_and_each_party_has_its_own():
    frame = keywords(day([("agent", "Your refund was sent"), ("customer", "my refund never arrived")]))
    assert frame.schema == KEYWORDS.schema
    assert frame.select(KEYWORDS.key).is_unique().all()
    assert found(frame, party="agent") == ["refund"]
    assert "never arrived" in found(frame)
    assert keywords(day()).schema == KEYWORDS.schema


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it is not working", ["not working"]),
        ("it doesn't work", ["not work"]),
        ("there is no signal here", ["no signal"]),
        ("the parcel never arrived", ["never arrived", "parcel", "parcel"]),
        ("I can't connect", ["not connect"]),
    ],
)
def test_a_negator_stays_with_its_word(text, expected):
    assert set(found(keywords(day([text])))) == set(expected)


def test_a_negated_word_is_not_counted_as_the_word():
    frame = keywords(day(["it is not solved", "now it is solved"]))
    assert frame.sort("keyword").select("keyword", "n").rows() == [("not solved", 1), ("solved", 1)]


def test_of_joins_two_words_and_their_order_does_not_matter():
    frame = keywords(day(["the status of my claim"], ["the claim status"], ["status of claim"], ["claim status"]))
    assert "claim status" in found(frame, "1")
    assert "claim status" in found(frame, "2")
    assert "proof of insurance" in found(keywords(day(["I need proof of insurance"])))


def test_forms_of_the_same_words_share_the_most_frequent_form():
    frame = keywords(day(["I was charged twice"], ["charged twice again"], ["you charge twice"], ["a double charge"]))
    assert frame.filter(keyword="charged twice")["interaction_id"].to_list() == ["0", "1", "2", "3"]
    assert set(frame["keyword"]) == {"charged twice"}


def test_plurals_are_their_singular():
    assert found(keywords(day(["my batteries and boxes and parcels"]))) == ["battery", "box", "parcel"]


@pytest.mark.parametrize(
    "text",
    [
        "Hello, good morning, how are you?",
        "yes please, thank you very much",
        "um, you know, I mean, okay",
        "[card] and [account] and 4111 1111 and one two three",
        "BP7710, order 55-12, 12.50, the 3rd",
        "it is j@example.com or www.example.com/x",
        "my name is maria lopez",
        "",
    ],
)
def test_small_talk_numbers_marks_addresses_and_introduced_names_are_no_keywords(text):
    assert found(keywords(day([text]))) == []


def test_words_written_like_names_are_left_out_wherever_they_stand():
    talks = ["Thanks Dana, the meter from Larkfield is broken", "Dana said the meter is fine.", "Robert Lane."]
    assert found(keywords(day(talks))) == ["broken", "meter"]


def test_a_capital_at_the_start_of_a_sentence_is_no_name_and_an_acronym_neither():
    talks = [
        "Refunds are slow. My refund is late.",
        "the VPN and the PIN",
        "MY ROUTER IS BROKEN AND NOBODY CARES AT ALL",
    ]
    assert {"refund", "vpn", "pin", "router"} <= {w for k in found(keywords(day(talks))) for w in k.split()}


def test_what_several_interactions_share_comes_before_what_one_alone_says_and_what_all_say():
    common = [["the account", f"number{i}"] for i in range(40)]
    talks = [["phone bill, roaming charge, teapot"]] * 4 + [["phone bill, teapot"] for _ in range(40)] + common
    frame = keywords(day(*talks), options=KeywordOptions(most=1))
    assert found(frame, "0") == ["roaming charge"]


def test_at_most_twelve_and_parts_of_a_chosen_phrase_are_left_out():
    words = [a + b for a in ("red", "blue", "green") for b in ("box", "cup", "hat", "pen", "sock")]
    assert len(found(keywords(day([", ".join(words)])))) == 12
    assert found(keywords(day(["a broken router cable"]))) == ["broken router cable"]


def test_on_a_busy_day_a_word_of_one_interaction_alone_is_left_out():
    talks = [["my router, callie madden"], *(["my router"] for _ in range(5))]
    assert found(keywords(day(*talks), options=KeywordOptions(busy_day=6))) == ["router"]
    assert "callie madden" in found(keywords(day(*talks), options=KeywordOptions(busy_day=7)))


def test_spanish_has_its_own_words():
    frame = keywords(
        day(["Hola, buenos días, no funciona la aplicación.", "Las facturas llegan tarde"], language="es-MX")
    )
    assert {"no funciona", "aplicación"} <= set(found(frame))
    assert any("factura" in k for k in found(frame))


def test_texts_of_another_language_have_none():
    assert keywords(day(["Die Rechnung ist falsch"], language="de")).is_empty()
    assert keywords(day(["Die Rechnung ist falsch"]), {"0": "de-AT"}).is_empty()
    assert not keywords(day(["the bill is wrong"], language="en"), {"0": "de-AT"}).is_empty()


@given(st.lists(st.lists(st.text(max_size=60), max_size=4), max_size=4))
def test_any_text_keeps_the_contract(talks):
    frame = keywords(day(*talks))
    assert frame.select(KEYWORDS.key).is_unique().all()
    assert frame.filter(pl.col("keyword").str.split(" ").list.len() > 3).is_empty()
    assert frame.filter(pl.col("keyword").str.contains(r"\d")).is_empty()
    assert frame.group_by("interaction_id", "party").len().filter(pl.col("len") > 12).is_empty()


def test_the_order_of_the_rows_does_not_matter():
    frame = day(["the late fee", "a late fee"], ["late fees", "my bill"], ["bill"])
    assert keywords(frame).equals(keywords(frame.reverse()))


def test_content_words_are_what_says_something():
    assert content_words("Hi, I don't get my [card] number 12, the refund's late", "en") == ["refund", "late"]
    assert content_words("okay thank you 4411", "en") == []
    assert content_words("Ich möchte", "de") == ["ich", "möchte"]

"""A language is rows of the phrases seed: with them its talks are measured, without them none is mis-scored."""

import shutil
from pathlib import Path

import pytest

from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.measured import NotMeasured
from pipelines.contracts.transcripts import UTTERANCES
from pipelines.language.day import Rules, languages
from pipelines.language.phrases import KINDS

SEEDS = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds"

# One row of each kind is the least that a language needs: what isn't there can't be counted as 0.
FRENCH = {
    "lookup_announcement": "laissez moi vérifier",
    "hold_announcement": "je vous mets en attente",
    "hold_return": "merci d'avoir patienté",
    "empathy": "je comprends votre frustration",
    "ownership": "je m'en occupe",
    "dismissive": "ce n'est pas mon problème",
    "apology": "je suis désolé",
    "acknowledgement": "d'accord",
    "filler": "euh",
    "resolution_positive": "ça marche maintenant",
    "resolution_negative": "ça ne marche toujours pas",
    "completion": "j'ai remboursé",
    "resolution_question": "est-ce que ça marche",
    "affirmation": "oui",
    "denial": "non",
    "escalation": "je veux parler à votre responsable",
    "transfer": "je vous transfère",
    "overpromise": "je vous garantis",
    "hedging": "je ne suis pas sûr",
    "no_answer": "je ne sais pas",
    "profanity": "merde",
    "threat": "vous allez le regretter",
    "confidential_request": "donnez moi votre code secret",
    "repetition": "comme je l'ai dit",
    "greeting": "bonjour",
    "opening_help": "comment puis je vous aider",
    "identity_check": "votre date de naissance",
    "recording_disclosure": "cet appel est enregistré",
    "offer_help": "autre chose",
    "closing": "bonne journée",
    "terms_disclosure": "droit de rétractation",
    "question_open": "comment",
    "question_closed": "est-ce que",
    "negator": "ne",
    "intensifier": "très",
    "contrast": "mais",
    "positive": "parfait",
    "negative": "inacceptable",
}
CHAT = (
    ("agent", "Bonjour, comment puis-je vous aider ?"),
    ("customer", "Mon colis n'est jamais arrivé, c'est inacceptable, je suis vraiment en colère !"),
    ("agent", "Je suis désolé, je comprends votre frustration. J'ai remboursé la commande."),
    ("customer", "Merci beaucoup, c'est parfait, ça marche maintenant."),
    ("agent", "Bonne journée !"),
)


@pytest.fixture
def with_french(tmp_path: Path) -> Rules:
    seeds = tmp_path / "seeds"
    shutil.copytree(SEEDS, seeds)
    with (seeds / "phrases.csv").open("a", encoding="utf-8") as file:
        for kind, phrase in FRENCH.items():
            file.write(f'fr,{kind},"{phrase}",{-2 if kind == "negative" else 2}\n')
    return Rules.read(seeds)


def measured(rules: Rules) -> dict:
    rows = [
        {
            "interaction_id": "a",
            "utterance": i,
            "party": party,
            "text": text,
            "n_words": len(text.split()),
            "language": "fr-FR",
            "source": "message",
        }
        for i, (party, text) in enumerate(CHAT)
    ]
    chat = INTERACTIONS.frame([{"interaction_id": "a", "channel": "chat", "language": "fr-FR"}])
    return languages(chat, UTTERANCES.frame(rows), rules).measures["a"]


def test_every_kind_has_its_french_row():
    assert set(FRENCH) == set(KINDS)


def test_a_third_language_is_rows_of_a_seed(with_french):
    assert "fr" in with_french.phrases.supported_languages
    found = measured(with_french)
    assert found["sentiment_quarter_2", "customer"] < -0.3 < 0.3 < found["sentiment_quarter_3", "customer"]
    assert found["empathy_score", "agent"] > 30
    assert found["apologies", "agent"] == 1
    assert found["resolved_evidence", "call"] == 1
    assert found["questions_open", "agent"] == 1


def test_without_its_rows_nothing_of_it_is_measured():
    found = measured(Rules.read(SEEDS))
    worded = [v for (m, _), v in found.items() if m in ("sentiment_mean", "empathy_score", "resolved_evidence")]
    assert len(worded) == 4
    assert set(worded) == {NotMeasured("language_unsupported")}

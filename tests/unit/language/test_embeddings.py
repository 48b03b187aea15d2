import numpy as np
import pytest

from pipelines.language.embeddings import ENGLISH, MULTILINGUAL, embed, space_of

TEXTS = ["I want my money back", "hello", "the internet has been down since yesterday evening and I work from home", ""]


@pytest.mark.parametrize(("space", "dimensions"), [(ENGLISH, 384), (MULTILINGUAL, 512)])
def test_every_text_has_a_vector_of_length_1(space, dimensions):
    vectors = embed(TEXTS, space)
    assert vectors.shape == (4, dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert embed([], space).shape == (0, dimensions)


@pytest.mark.parametrize(("space", "within"), [(ENGLISH, 0.0), (MULTILINGUAL, 1e-6)])
def test_which_texts_come_along_does_not_matter(space, within):
    together = embed([*TEXTS, *(f"filler text number {i}" for i in range(70)), TEXTS[0]], space)
    alone = np.concatenate([embed([text], space) for text in TEXTS])
    assert np.abs(together[:4] - alone).max() <= within
    assert (together[0] == together[-1]).all()


@pytest.mark.parametrize(
    ("space", "text", "near", "far"),
    [
        (ENGLISH, "I want my money back", "can I get a refund", "what is the weather like"),
        (ENGLISH, "I can't log in", "I am locked out of my account", "do you sell umbrellas"),
        (MULTILINGUAL, "quiero que me devuelvan el dinero", "I want a refund", "I forgot my password"),
        (MULTILINGUAL, "Mein Paket ist noch nicht angekommen", "my parcel has not arrived", "cancel my contract"),
    ],
)
def test_what_means_the_same_lies_near(space, text, near, far):
    a, b, c = embed([text, near, far], space)
    assert float(a @ b) > float(a @ c) + 0.2


def test_a_very_long_text_is_cut_not_refused():
    vectors = embed(["refund " * 5000, "refund " * 90], ENGLISH)
    assert np.isfinite(vectors).all()


def test_each_language_has_its_space_or_none():
    assert space_of("en") == ENGLISH
    assert space_of("es") == space_of("ja") == MULTILINGUAL
    assert space_of("xx") is None
    with pytest.raises(KeyError):
        embed(["x"], "no such space")

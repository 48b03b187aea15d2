import pytest

from pipelines.language.questions import questions
from pipelines.language.said import say


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How can I help you?", (1, 0)),
        ("Okay, and what happened then?", (1, 0)),
        ("Why do you want to cancel?", (1, 0)),
        ("Could you describe the problem?", (1, 0)),
        ("Is it working now?", (0, 1)),
        ("How many lights are on?", (0, 1)),
        ("What is your name?", (0, 1)),
        ("Did you restart it? And what did you see?", (1, 1)),
        ("I know what you mean.", (0, 0)),
        ("That is how it works.", (0, 0)),
        ("do you have the order number", (0, 1)),
        ("so how did that happen", (1, 0)),
        ("what i can do is send you a new one", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_open_and_closed_questions(phrases, text, expected):
    assert questions(say(phrases, ("agent", text))[0]) == expected

import shutil
from datetime import date

import pytest

from pipelines.quality.rules_in_force import accept, edits_of_history, freeze, frozen_until
from tests.conftest import REPOSITORY

UNTIL = date(2026, 3, 6)


@pytest.fixture
def seeds(tmp_path):
    """The shipped rules, frozen after calls up to 2026-03-06 were scored by them."""
    folder = tmp_path / "seeds"
    shutil.copytree(REPOSITORY / "dbt_project" / "seeds", folder)
    freeze(folder, tmp_path, UNTIL)
    return folder


def edit(seeds, name, old, new):
    path = seeds / f"{name}.csv"
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def problems(seeds):
    return edits_of_history(seeds, seeds.parent)


def test_rules_as_they_were_are_no_edit_however_the_numbers_are_written(seeds):
    assert frozen_until(seeds.parent) == UNTIL
    assert problems(seeds) == []
    edit(seeds, "scorecard_weights", "voice_support,1,speaking_rate,6,", "voice_support,1,speaking_rate,6.00,")
    assert problems(seeds) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "scorecard_weights",
            "voice_support,1,volume,4,",
            "voice_support,1,volume,5,",
            "scorecard_weights.csv: voice_support version 1 was",
        ),
        ("scorecard_weights", "voice_support,1,volume,4,false,\n", "", "voice_support version 1 was"),
        (
            "score_curves",
            "speaking_rate,speaking_rate_wpm,90,60,",
            "speaking_rate,speaking_rate_wpm,95,60,",
            "score_curves.csv: speaking_rate by speaking_rate_wpm, valid from 2000-01-01 was 60→0, 90→60,",
        ),
        ("scorecards", "voice_support,call,*,1,2000-01-01", "voice_support,call,*,1,2025-01-01", "was valid from 2000"),
        ("scorecards", "text_support,chat,*,1,2000-01-01\n", "", "text_support version 1 for chat * is gone"),
        ("parameters", ",level_db,agent,", ",level_dbfs,agent,", "parameters.csv: volume was level_db of agent"),
    ],
)
def test_an_edit_of_a_rule_that_has_scored_is_named_with_what_it_was(seeds, name, old, new, said):
    edit(seeds, name, old, new)
    found = problems(seeds)
    assert any(said in p for p in found), found
    assert "rescore --accept-edits" in found[-1]


def test_a_new_version_is_taken_from_the_first_day_that_has_no_score(seeds):
    with open(seeds / "scorecards.csv", "a") as file:
        file.write("voice_support,call,*,2,2026-03-07\n")
    with open(seeds / "scorecard_weights.csv", "a") as file:
        file.write("voice_support,2,empathy,100,false,\n")
    with open(seeds / "score_curves.csv", "a") as file:
        file.write("empathy,empathy_score,0,0,2026-03-07\nempathy,empathy_score,90,100,2026-03-07\n")
    assert problems(seeds) == []


@pytest.mark.parametrize(
    ("name", "row"),
    [("scorecards", "voice_support,call,sales,1,2026-03-06"), ("score_curves", "volume,level_db,0,0,2026-03-06")],
)
def test_a_new_rule_for_days_that_are_scored_is_an_edit_too(seeds, name, row):
    with open(seeds / f"{name}.csv", "a") as file:
        file.write(row + "\n")
    assert any("calls up to 2026-03-06 are scored already" in p for p in problems(seeds))


def test_accepted_edits_are_the_rules_from_then_on(seeds):
    edit(seeds, "scorecard_weights", "voice_support,1,volume,4,", "voice_support,1,volume,5,")
    accept(seeds.parent)
    assert problems(seeds) == []
    freeze(seeds, seeds.parent, UNTIL)
    assert problems(seeds) == []


def test_nothing_is_frozen_before_the_first_publication(tmp_path):
    assert frozen_until(tmp_path) is None
    assert edits_of_history(REPOSITORY / "dbt_project" / "seeds", tmp_path) == []

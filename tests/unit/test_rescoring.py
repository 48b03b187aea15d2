from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.rescoring import Proposal, ProposalError, by

TODAY = date(2026, 4, 1)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    (tmp_path / "scorecards.csv").write_text(
        "scorecard,channel,call_type,version,valid_from\n"
        "text,chat,*,1,2020-01-01\ntext,email,*,1,2020-01-01\nvoice,call,*,1,2020-01-01\n"
    )
    (tmp_path / "scorecard_weights.csv").write_text(
        "scorecard,version,parameter,weight,is_critical,threshold\ntext,1,empathy,100,false,\nvoice,1,empathy,100,,"
    )
    return tmp_path


def proposed(seeds: Path, text: str) -> Proposal:
    path = seeds / "new.csv"
    path.write_text(text)
    return Proposal.read(path, seeds, TODAY)


def test_a_proposal_is_the_next_version_from_today_wherever_the_scorecard_applies(seeds):
    found = proposed(seeds, "scorecard,parameter,weight\ntext,empathy,60\ntext,sentiment,40\n")
    assert (found.version, found.valid_from) == (2, TODAY)
    assert found.applies_to == (("chat", "*"), ("email", "*"))
    assert found.rows == (("empathy", "60", "false", ""), ("sentiment", "40", "false", ""))


def test_writing_adds_rows_and_leaves_the_old_version_alone(seeds):
    proposed(seeds, "scorecard,parameter,weight,is_critical,threshold\nvoice,empathy,100,true,50\n").write(seeds)
    cards = (seeds / "scorecards.csv").read_text().splitlines()
    weights = (seeds / "scorecard_weights.csv").read_text().splitlines()
    assert cards[:4] == [
        "scorecard,channel,call_type,version,valid_from",
        "text,chat,*,1,2020-01-01",
        "text,email,*,1,2020-01-01",
        "voice,call,*,1,2020-01-01",
    ]
    assert cards[4:] == ["voice,call,*,2,2026-04-01"]
    assert weights[2:] == ["voice,1,empathy,100,,", "voice,2,empathy,100,true,50"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("scorecard,weight\nvoice,100\n", "lacks parameter"),
        ("scorecard,parameter,weight,colour\nvoice,empathy,100,red\n", "unknown columns colour"),
        ("scorecard,parameter,weight\n", "has no rows"),
        ("scorecard,parameter,weight\nvoice,empathy,50\ntext,empathy,50\n", "one scorecard in one file"),
        ("scorecard,parameter,weight\nvideo,empathy,100\n", "no scorecard 'video'; known are text, voice"),
        ("scorecard,parameter,weight,version\nvoice,empathy,100,1\n", "version 1 is in force already"),
        ("scorecard,parameter,weight,version\nvoice,empathy,100,two\n", "whole number"),
        ("scorecard,parameter,weight,valid_from\nvoice,empathy,100,2019-01-01\n", "not after 2020-01-01"),
    ],
)
def test_a_proposal_that_cannot_be_used_says_why(seeds, text, why):
    with pytest.raises(ProposalError, match=why):
        proposed(seeds, text)


def test_a_proposal_begins_after_the_last_day_that_has_a_score(seeds):
    path = seeds / "new.csv"
    path.write_text("scorecard,parameter,weight\nvoice,empathy,100\n")
    assert Proposal.read(path, seeds, TODAY, date(2026, 4, 3)).valid_from == date(2026, 4, 4)
    path.write_text("scorecard,parameter,weight,valid_from\nvoice,empathy,100,2026-04-03\n")
    with pytest.raises(ProposalError, match="propose 2026-04-04 or later"):
        Proposal.read(path, seeds, TODAY, date(2026, 4, 3))


def test_a_missing_file_is_named(seeds):
    with pytest.raises(ProposalError, match=r"nowhere\.csv can't be read"):
        Proposal.read(seeds / "nowhere.csv", seeds, TODAY)


def test_groups_are_ordered_by_what_they_lose():
    frame = pl.DataFrame(
        {
            "agent_id": ["a", "a", "b"],
            "iqs_before": [Decimal("80"), Decimal("60"), Decimal("50")],
            "iqs_after": [Decimal("90"), Decimal("60"), Decimal("40")],
            "change": [Decimal("10"), Decimal("0"), Decimal("-10")],
        }
    )
    assert by(frame, "agent_id").rows() == [("b", 1, 50.0, 40.0, -10.0), ("a", 2, 70.0, 75.0, 5.0)]

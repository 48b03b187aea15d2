import csv
from datetime import date

import pytest

from pipelines.contracts.acoustics import VOICES
from pipelines.contracts.landing import AGENTS, INTERACTIONS
from pipelines.contracts.transcripts import SPEAKERS
from pipelines.metrics.level_offsets import OffsetError, freeze, measured_offsets, read_offsets


def test_the_median_agent_of_a_site_is_put_at_conversational_level():
    levels = {"a": -20.0, "b": -30.0, "c": -24.0, "d": -50.0}
    voices = [
        {"interaction_id": i, "audio_channel": c, "speaker": 0, "speech_s": 3.0 if i == "d" else 60.0, "level_dbfs": db}
        for i, db in levels.items()
        for c in (0, 1)
    ]
    speakers = [
        {"interaction_id": i, "audio_channel": c, "speaker": 0, "party": p}
        for i in levels
        for c, p in enumerate(("agent", "customer"))
    ]
    interactions = [{"interaction_id": i, "agent_id": "x" if i != "b" else "y"} for i in levels]
    found = measured_offsets(
        VOICES.frame(voices),
        SPEAKERS.frame(speakers),
        INTERACTIONS.frame(interactions),
        AGENTS.frame([{"agent_id": "x", "site": "Bremen"}, {"agent_id": "y"}]),
    )
    assert found.select("site", "voices", "median_dbfs", "offset_db").rows() == [
        ("", 1, -30.0, 85.0),
        ("Bremen", 2, -22.0, 77.0),
    ]


def test_frozen_offsets_are_read_back_and_other_sites_stay(tmp_path):
    assert read_offsets(tmp_path) == {}
    freeze([{"site": "Bremen", "offset_db": 77.0, "median_dbfs": -22.0, "voices": 300}], tmp_path, date(2026, 4, 1))
    freeze([{"site": "Portland", "offset_db": 80.5, "median_dbfs": -25.5, "voices": 200}], tmp_path, date(2026, 4, 2))
    assert read_offsets(tmp_path) == {"Bremen": 77.0, "Portland": 80.5}
    assert "Bremen,77.0,-22.0,300,2026-04-01" in (tmp_path / "level_offsets.csv").read_text()


@pytest.mark.parametrize("row", ["Bremen,loud,,,", "Bremen,300,,,", ",80,,,", "Bremen,80,,,\nBremen,81,,,"])
def test_an_offset_that_cannot_be_used_is_named(tmp_path, row):
    (tmp_path / "level_offsets.csv").write_text(f"site,offset_db,median_dbfs,voices,calibrated_on\n{row}\n")
    with pytest.raises(OffsetError, match=r"level_offsets\.csv, line"):
        read_offsets(tmp_path)


@pytest.mark.parametrize(
    "site", ["=HYPERLINK(1)", "@SUM(1)", "+1 Boston", "-2", "\tx", "Bremen, north", 'the "Loop"', "'a"]
)
def test_a_sites_name_is_never_a_formula_and_comes_back_as_it_was(tmp_path, site):
    freeze([{"site": site, "offset_db": 77.0, "median_dbfs": -22.0, "voices": 300}], tmp_path, date(2026, 4, 1))
    freeze([{"site": "A", "offset_db": 80.5, "median_dbfs": -25.5, "voices": 200}], tmp_path, date(2026, 4, 2))
    assert read_offsets(tmp_path) == {site: 77.0, "A": 80.5}
    with (tmp_path / "level_offsets.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["site"][0] not in "=+-@\t\r" for row in rows)
    assert {row["median_dbfs"] for row in rows} == {"-22.0", "-25.5"}

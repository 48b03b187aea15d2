"""The lake: what stands is whole, what an earlier version made is made anew."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from pipelines.contracts.landing import MESSAGES
from pipelines.lake import Lake

DAY = date(2026, 3, 2)
ROW = {"interaction_id": "c1", "seq": 0, "party": "agent", "text": "hello", "source_file": "m.csv"}


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    lake.write(MESSAGES, MESSAGES.frame([ROW]), DAY, inputs="x")
    return lake


def test_what_was_written_is_read_back_and_known_by_its_inputs(lake):
    assert lake.read(MESSAGES, DAY).to_dicts() == [MESSAGES.frame([ROW]).to_dicts()[0]]
    assert lake.days(MESSAGES) == [DAY]
    assert lake.is_current(MESSAGES, DAY, "x")
    assert not lake.is_current(MESSAGES, DAY, "y")


def test_a_partition_of_an_earlier_contract_counts_as_none(lake):
    earlier = replace(MESSAGES, columns=MESSAGES.columns[:-1])
    assert lake.manifest(earlier, DAY) is None
    assert lake.days(earlier) == []
    assert not lake.is_current(earlier, DAY, "x")
    assert lake.read(earlier, DAY).equals(earlier.empty())


def test_a_file_that_is_not_that_of_its_manifest_is_not_trusted(lake):
    pl.DataFrame([ROW]).write_parquet(lake.path(MESSAGES, DAY))
    assert lake.manifest(MESSAGES, DAY) is None

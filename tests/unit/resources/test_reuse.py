from datetime import date

import polars as pl
import pytest

from pipelines.contracts.transcripts import RECOGNITIONS, WORDS
from pipelines.lake import Lake
from pipelines.landing import expired
from pipelines.landing.expired import ExpiredRecording
from pipelines.resources.reuse import Reuse

DAY = date(2026, 3, 2)
TABLES = (WORDS, RECOGNITIONS)
RECORDINGS = pl.DataFrame(
    {"interaction_id": ["A", "B", "C"], "audio_sha256": ["a", "b", "b"], "recording": ["a.wav", "b.wav", "c.wav"]}
)


def rows(version: str, word: str = "hello", outcome: str = "transcribed") -> dict:
    common = {"audio_channel": 0, "extractor_version": version}
    said = {"word_index": 0, "start_s": 0.0, "end_s": 0.5, "word": word, "confidence": 0.9}
    counts = {"outcome": outcome, "n_words": 1, "n_words_dropped": 0, "speech_s": 0.5}
    return {WORDS: [common | said], RECOGNITIONS: [common | counts]}


@pytest.fixture
def lake(tmp_path) -> Lake:
    """A day on which both recordings were recognised: a in version en, b in version auto."""
    lake = Lake(tmp_path)
    reuse = Reuse(lake, DAY, TABLES, master=RECOGNITIONS, version={"a": "en", "b": "auto"})
    assert reuse.missing(RECORDINGS) == {"a": "a.wav", "b": "c.wav"}
    reuse.add("a", rows("en"))
    reuse.add("b", rows("auto"))
    for table, frame in reuse.frames(RECORDINGS).items():
        lake.promote(table, lake.stage(table, frame, DAY, inputs="x"))
    reuse.done()
    return lake


def again(lake: Lake, version) -> Reuse:
    return Reuse(lake, DAY, TABLES, master=RECOGNITIONS, version=version)


def test_what_has_its_version_is_kept_for_every_interaction_that_holds_it(lake):
    reuse = again(lake, {"a": "en", "b": "auto"})
    assert reuse.missing(RECORDINGS) == {}
    assert reuse.frames(RECORDINGS)[WORDS]["interaction_id"].sort().to_list() == ["A", "B", "C"]


def test_a_recording_whose_own_version_changed_is_done_again_and_no_other(lake):
    reuse = again(lake, {"a": "de", "b": "auto"})
    assert list(reuse.missing(RECORDINGS)) == ["a"]
    reuse.add("a", rows("de", "hallo"))
    assert reuse.frames(RECORDINGS)[WORDS].sort("interaction_id")["word"].to_list() == ["hallo", "hello", "hello"]


def test_one_version_for_all_keeps_only_what_has_it(lake):
    assert list(again(lake, "en").missing(RECORDINGS)) == ["b"]


def test_an_interrupted_run_goes_on_where_it_stopped(lake):
    again(lake, {"a": "de", "b": "de"}).add("a", rows("de"))
    assert list(again(lake, {"a": "de", "b": "de"}).missing(RECORDINGS)) == ["b"]


def test_what_failed_is_tried_again(lake):
    again(lake, {"a": "de", "b": "auto"}).add("a", rows("de", outcome="failed"))
    assert list(again(lake, {"a": "de", "b": "auto"}).missing(RECORDINGS)) == ["a"]


def test_a_recording_that_is_not_of_the_day_any_more_is_nobodys(lake):
    reuse = again(lake, {"b": "auto"})
    left = RECORDINGS.filter(pl.col("audio_sha256") == "b")
    assert reuse.missing(left) == {}
    assert reuse.frames(left)[WORDS]["interaction_id"].sort().to_list() == ["B", "C"]


def test_what_was_measured_of_a_recording_that_retention_removed_stands_in_any_version(lake):
    known = ExpiredRecording("recordings/a.wav", "a", 1, 2, "2026-06-01T00:00:00+00:00")
    expired.add(expired.list_in(lake.root), [known])
    reuse = again(lake, "another")
    assert list(reuse.missing(RECORDINGS)) == ["b"]
    assert reuse.frames(RECORDINGS)[WORDS]["interaction_id"].to_list() == ["A"]

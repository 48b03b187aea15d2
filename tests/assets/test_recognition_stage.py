"""The recognition stage with a transcriber that says which language it was asked for."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from assets.transcripts import _recognise
from pipelines.contracts.acoustics import MEASUREMENTS, SEGMENTS
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import RECOGNITIONS, WORDS
from pipelines.lake import Lake
from pipelines.speech.recognition import Language, Recognition, RecognitionOptions, Word

DAY = date(2026, 3, 2)
IDS = ("A", "B", "C")


class Engine:
    """Hears Spanish where nothing is supplied; every word is the language that it was asked for."""

    def __init__(self):
        self.done = 0

    def version(self, language=None):
        return RecognitionOptions().version(language)

    def language(self, audio, speech, supplied=None):
        return Language(supplied[:2]) if supplied else Language("es", 0.9)

    def transcribe(self, samples, speech, language):
        self.done += 1
        return Recognition([Word(speech[0][0], speech[0][1], language, 0.9)])


class Stage:
    def __init__(self, lake):
        self.lake, self.numbers = lake, {}

    def progress(self, day, done, results, total, audio_s=None):
        return results

    def write(self, day, frames, *, inputs):
        for table, frame in frames.items():
            self.lake.promote(table, self.lake.stage(table, frame, day, inputs=inputs))
        return True

    def add(self, **numbers):
        self.numbers = numbers


class Box:
    def starmap(self, function, items):
        return ((item, np.zeros((16_000 * 4, 1), np.float32)) for item in items)


class Landing:
    def path(self, name):
        return Path("landing") / name


def row(table, **known):
    """A row with something valid in every column that is not known."""
    filler = {"String": "x", "Float64": 0.0, "Int64": 0, "Int32": 0, "Int8": 0, "Boolean": True}
    columns = {c.name: None if c.nullable else filler.get(str(c.dtype)) for c in table.columns}
    return columns | {k: v for k, v in known.items() if k in columns}


@pytest.fixture
def lake(tmp_path) -> Lake:
    """Three mono recordings; the interactions' languages are written by `deliver`."""
    lake = Lake(tmp_path)
    audio = [{"interaction_id": i, "audio_sha256": f"sha {i}", "recording": f"{i}.wav"} for i in IDS]
    for table, more in (
        (RECORDINGS, {"outcome": "accepted", "layout": "mono", "n_channels": 1, "duration_s": 4.0}),
        (MEASUREMENTS, {"outcome": "measured"}),
        (SEGMENTS, {"kind": "speech", "audio_channel": 0, "segment": 0, "start_s": 1.0, "end_s": 3.0}),
    ):
        put(lake, table, [row(table, **a, **more) for a in audio])
    return lake


def put(lake, table, rows):
    lake.promote(table, lake.stage(table, table.frame(rows), DAY, inputs="x"))


def recognised(lake, languages) -> tuple[dict, int]:
    """{interaction: word}, and how many recordings were recognised for it."""
    put(
        lake,
        INTERACTIONS,
        [
            row(INTERACTIONS, interaction_id=i, call_date=DAY, channel="call", language=tag)
            for i, tag in zip(IDS, languages, strict=True)
        ],
    )
    engine, stage = Engine(), Stage(lake)
    _recognise(stage, DAY, "x", Landing(), Box(), None, engine, 1)
    assert stage.numbers["recognised"] == engine.done
    words = lake.read(WORDS, DAY).select("interaction_id", "word").iter_rows()
    return dict(words), engine.done


def test_a_supplied_language_counts_and_the_others_are_heard(lake):
    assert recognised(lake, ["en-GB", None, "de"]) == ({"A": "en", "B": "es", "C": "de"}, 3)
    found = lake.read(RECOGNITIONS, DAY).sort("interaction_id")
    assert found["language_confidence"].to_list() == [None, 0.9, None]


def test_a_changed_language_is_recognised_again_and_nothing_else(lake):
    recognised(lake, ["en", None, "de"])
    assert recognised(lake, ["en", None, "en"]) == ({"A": "en", "B": "es", "C": "en"}, 1)
    assert recognised(lake, ["en-US", "fr", "en"]) == ({"A": "en", "B": "fr", "C": "en"}, 1)
    assert recognised(lake, ["en-US", "fr", "en"])[1] == 0

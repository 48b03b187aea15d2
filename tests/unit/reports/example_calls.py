"""A small generation with a restricted file, a lake and recordings: what call pages are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import soundfile
from example_publication import EVIL, build

from pipelines.audio.channels import file_sha256
from pipelines.audio.decode import DecodeLimits
from pipelines.audio.sandbox import Sandbox
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import RECOGNITIONS, WORDS
from pipelines.lake import Lake
from pipelines.reports.calls import Sound

RATE_HZ, LENGTH_S = 8000, 40.0
# Where the card number was said; its mark among the words is as long.
CARD_S = (16.0, 19.0)
COMMENT = f'Kind at the end, {EVIL} but "sorry" came late'
SAID = (
    ("agent", 0.5, 2.0, "Good morning, how can I help?", 0.1),
    ("customer", 3.0, 9.0, f"Your {EVIL} parcel never came & I am furious.", -0.82),
    ("agent", 11.0, 14.0, "Let me have a look.", 0.0),
    ("customer", 15.0, 20.0, "My card is [card].", None),
    ("customer", 30.0, 33.0, "That was kind of you.", 0.64),
)


@dataclass(frozen=True)
class Example:
    """`heard` has its recording, `gone` lost it, `untimed` has a redacted place without a time; `failed` failed."""

    generation: Path
    landing: Path
    lake: Lake
    heard: str
    gone: str
    untimed: str
    failed: str

    def sound(self) -> Sound:
        return Sound(self.lake, self.landing, lambda: Sandbox(1, DecodeLimits()))


def make(folder: Path) -> Example:
    """Write the example into `folder`."""
    generation, landing, lake = folder / "gen", folder / "landing", Lake(folder / "lake")
    (generation / "restricted").mkdir(mode=0o700, parents=True)
    landing.mkdir()
    public = build(generation / "iqs.duckdb")
    with duckdb.connect(str(public), read_only=True) as connection:
        to_coach = connection.execute(
            "select distinct interaction_id, call_date from coaching_queue where clip_start_s is not null order by all"
        ).fetchall()
        ((failed, failed_on),) = connection.execute(
            "select interaction_id, call_date from fct_interactions where is_failed order by all limit 1"
        ).fetchall()
    by_day: dict[date, list[str]] = {}
    for name, day in to_coach:
        by_day.setdefault(day, []).append(name)
    (heard, _), (gone, _), (untimed, _) = to_coach[:3]
    hidden = generation / "restricted" / "iqs_restricted.duckdb"
    _utterances(hidden, dict([*to_coach, (failed, failed_on)]), untimed)
    _reviews(hidden, heard, dict(to_coach)[heard])
    for day, names in by_day.items():
        _recorded(lake, landing, day, names)
    (landing / f"{gone}.wav").unlink()
    return Example(generation, landing, lake, heard, gone, untimed, failed)


def _utterances(path: Path, calls: dict[str, date], untimed: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table fct_utterances (interaction_id varchar, utterance bigint, call_date date, party varchar,"
            " start_s double, end_s double, sent_at timestamp, text varchar, sentiment double)"
        )
        for name, day in calls.items():
            for i, (party, start_s, end_s, text, sentiment) in enumerate(SAID):
                times = (None, None) if name == untimed else (start_s, end_s)
                connection.execute(
                    "insert into fct_utterances values (?, ?, ?, ?, ?, ?, null, ?, ?)",
                    [name, i, day, party, *times, text, sentiment],
                )


def _reviews(path: Path, name: str, day: date) -> None:
    """An expert and a reviewer rated the call; a parameter of the centre's own and one that does not apply."""
    rated = (
        ("R1", "ops", False, "empathy", 9.0, 15.0, False, COMMENT),
        ("R3", "quality", True, "empathy", 50.0, 100.0, False, None),
        ("R1", "ops", False, "courtesy", 12.0, 15.0, False, None),
        ("R1", "ops", False, "hold_etiquette", None, 15.0, True, "nobody was put on hold"),
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table fct_reviews (interaction_id varchar, session_id varchar, reviewer_id varchar,"
            " parameter varchar, call_date date, department varchar, is_expert boolean, rating double,"
            " max_rating double, points double, not_applicable boolean, comment varchar, rated_at timestamp)"
        )
        for reviewer, department, is_expert, parameter, rating, most, absent, comment in rated:
            points = None if rating is None else 100 * rating / most
            row = [
                name,
                "CAL-01",
                reviewer,
                parameter,
                day,
                department,
                is_expert,
                rating,
                most,
                points,
                absent,
                comment,
            ]
            connection.execute(f"insert into fct_reviews values ({'?, ' * 12} timestamp '2026-03-04 15:30:00')", row)


def _recorded(lake: Lake, landing: Path, day: date, names: list[str]) -> None:
    recordings, words, recognitions = [], [], []
    for name in names:
        path = landing / f"{name}.wav"
        seed = int.from_bytes(name.encode()) % 1000
        samples = np.random.default_rng(seed).normal(0, 800, (round(LENGTH_S * RATE_HZ), 2)).astype(np.int16)
        soundfile.write(path, samples, RATE_HZ)
        common = {"interaction_id": name, "audio_sha256": file_sha256(path), "extractor_version": "example"}
        recordings.append(
            common
            | {"recording": path.name, "size_bytes": path.stat().st_size, "format": "WAV/PCM_16"}
            | {"sample_rate_hz": RATE_HZ, "n_channels": 2, "duration_s": LENGTH_S, "layout": "two_channel"}
            | {"agent_channel": 0, "agent_channel_source": "default", "outcome": "accepted"}
        )
        words.append(
            common
            | {"audio_channel": 1, "word_index": 0, "start_s": CARD_S[0], "end_s": CARD_S[1]}
            | {"word": "[card].", "confidence": 0.9}
        )
        recognitions.append(common | {"audio_channel": 1, "outcome": "transcribed", "n_words": 1})
    for table, rows in ((RECORDINGS, recordings), (WORDS, words), (RECOGNITIONS, recognitions)):
        lake.write(table, table.frame(rows), day, inputs="example")

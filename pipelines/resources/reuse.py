"""No recording is processed twice: what was measured stands while its hash and the extractor's version stand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date

import polars as pl

from pipelines.contracts import Table
from pipelines.lake import Lake
from pipelines.landing import expired


class Reuse:
    """Rows of one day by recording: those of the partition that stands, of an interrupted run, and new ones.

    `master` has rows for every recording that was processed, `tables` are all tables of the stage with `master` last.
    Rows are kept by the recording's hash; `frames` puts the interactions' ids on them. `version` is the extractor's,
    or one for each hash where it depends on what came with the recording (its language). What was measured of a
    recording that retention has removed since stands in any version.
    """

    def __init__(
        self, lake: Lake, day: date, tables: tuple[Table, ...], *, master: Table, version: str | Mapping[str, str]
    ):
        self._lake, self._day, self._tables, self._master = lake, day, tables, master
        self._kept: dict[Table, pl.DataFrame] = {}
        gone = [r.audio_sha256 for r in expired.read(expired.list_in(lake.root)).values()]
        stands = _stands(version) | pl.col("audio_sha256").is_in(gone)
        for table in tables:
            before = pl.concat([lake.read(table, day), lake.parts(table, day)])
            key = [c if c != "interaction_id" else "audio_sha256" for c in table.key]
            same = before.filter(stands).unique(key, keep="last", maintain_order=True)
            self._kept[table] = same.drop("interaction_id")
        done = self._kept[master]
        if "outcome" in done.columns:  # what failed is tried again
            failed = done.filter(outcome="failed").filter(~pl.col("audio_sha256").is_in(gone))["audio_sha256"].implode()
            for table in tables:
                self._kept[table] = self._kept[table].filter(~pl.col("audio_sha256").is_in(failed))
        self._have = set(self._kept[master]["audio_sha256"])

    def missing(self, recordings: pl.DataFrame) -> dict[str, str]:
        """Hash → path of the recordings that have to be processed; one path where several hold the same audio."""
        rows = recordings.select("audio_sha256", "recording").iter_rows()
        return {sha: path for sha, path in rows if sha not in self._have}

    def add(self, sha256: str, rows: dict[Table, list[dict]]) -> None:
        """Keep the rows of one recording, also on disk, so that an interrupted run goes on where it stopped."""
        part = uuid.uuid4().hex
        for table in (t for t in self._tables if t in rows):  # the master is last: it says that all is there
            keyed = [r | {"audio_sha256": sha256, "interaction_id": ""} for r in rows[table]]
            frame = table.frame(keyed)
            self._lake.save_part(table, self._day, part, frame)
            self._kept[table] = pl.concat([self._kept[table], frame.drop("interaction_id")])

    def frames(self, recordings: pl.DataFrame) -> dict[Table, pl.DataFrame]:
        """The stage's tables for these recordings, with the interactions' ids."""
        ids = recordings.select("interaction_id", "audio_sha256")
        return {
            t: t.conform(ids.join(self._kept[t], on="audio_sha256", how="inner").select(t.schema.names()))
            for t in self._tables
        }

    def done(self) -> None:
        """The day is written: its parts aren't needed any more."""
        for table in self._tables:
            self._lake.drop_parts(table, [self._day])


def _stands(version: str | Mapping[str, str]) -> pl.Expr:
    if isinstance(version, str):
        return pl.col("extractor_version") == version
    own = pl.col("audio_sha256").replace_strict(version, default=None, return_dtype=pl.String)
    return (pl.col("extractor_version") == own).fill_null(False)

"""From dBFS to an estimated sound level: one offset per site, measured from its own agents' voices.

A recording only holds dBFS. Conversational speech at 1 m has about 55 dB; so the offset that puts the median agent of a
site at 55 dB is the best guess for its recorder (van Heusden, Plomp & Pols; ITU-T P.800 lines come to 81). It is
measured once, frozen with its date in the seed level_offsets.csv, and never follows the agents from day to day.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.lake import write_text

CONVERSATIONAL_DB = 55.0
FEWEST_VOICES = 200
SEED = "level_offsets.csv"
_FORMULA = tuple("=+-@\t\r")
COLUMNS = ("site", "offset_db", "median_dbfs", "voices", "calibrated_on")


class OffsetError(ValueError):
    """level_offsets.csv can't be used; the message names file, line and reason."""


def read_offsets(seeds: Path) -> dict[str, float]:
    """Site → dB SPL at 0 dBFS, from the seed in the folder `seeds`; empty where nothing was calibrated."""
    path = seeds / SEED
    if not path.exists():
        return {}
    found: dict[str, float] = {}
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        for row in reader:
            place = f"{path.name}, line {reader.line_num}"
            try:
                offset_db = float(row.get("offset_db") or "")
            except ValueError:
                raise OffsetError(f"{place}: offset_db {row.get('offset_db')!r} is not a number of dB") from None
            if not 40 <= offset_db <= 130 or not row.get("site"):
                raise OffsetError(
                    f"{place}: a site, and an offset of 40 to 130 dB, not {row.get('site')!r} {offset_db:g}"
                )
            site = _plain(row["site"])
            if site in found:
                raise OffsetError(f"{place}: {site} stands there twice")
            found[site] = offset_db
    return found


def measured_offsets(voices: pl.DataFrame, speakers: pl.DataFrame, interactions: pl.DataFrame, agents: pl.DataFrame):
    """A row per site of the agents: site, voices (agents' voices with a level), median_dbfs, offset_db.

    Frames of acoustics/voices, transcripts/speakers, landing/interactions and landing/agents, of as many days as are at
    hand. Agents without a site count as site "". Voices under 10 s of speech are left out.
    """
    voice = ["interaction_id", "audio_channel", "speaker"]
    return (
        voices.filter(pl.col("level_dbfs").is_not_null() & (pl.col("speech_s") >= 10))
        .join(speakers.filter(party="agent").select(voice), on=voice)
        .join(interactions.select("interaction_id", "agent_id"), on="interaction_id")
        .join(agents.select("agent_id", "site"), on="agent_id", how="left")
        .group_by(pl.col("site").fill_null(""))
        .agg(voices=pl.len(), median_dbfs=pl.col("level_dbfs").median().round(2))
        .with_columns(offset_db=(CONVERSATIONAL_DB - pl.col("median_dbfs")).round(1))
        .sort("site")
    )


def freeze(rows: Iterable[dict], seeds: Path, on: date) -> None:
    """Write the offsets of these sites into the seed, those of other sites stay."""
    path = seeds / SEED
    kept: dict[str, dict] = {}
    if path.exists():
        with open(path, newline="", encoding="utf-8-sig") as file:
            kept = {_plain(row["site"]): row for row in csv.DictReader(file)}
    kept |= {row["site"]: row | {"calibrated_on": on.isoformat()} for row in rows}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((_no_formula(site), *(row[c] for c in COLUMNS[1:])) for site, row in sorted(kept.items()))
    write_text(path, text.getvalue())


def _no_formula(text: str) -> str:
    """Text that a spreadsheet would take for a formula, marked as text; a name of a site comes from outside."""
    return "'" + text if text[:1] in _FORMULA else text


def _plain(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text

"""The real ids behind the customers' pseudonyms: one small table, readable by its owner only.

It is kept apart from the other tables of the lake (`restricted/`, mode 0700; the file 0600), never goes into the
warehouse or a public file, and is published in the restricted database only.
"""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from pipelines.lake import Lake
from pipelines.privacy.search import Names

SCHEMA = pl.Schema({"customer_key": pl.String, "customer_id": pl.String})
MEANING = "Who is behind a pseudonym. One row per customer."
COLUMNS = {
    "customer_key": "Pseudonym of the customer, as in fct_interactions.",
    "customer_id": "The customer's id as the centre knows it.",
}


def path(lake: Lake) -> Path:
    """Where the table is."""
    return lake.root / "restricted" / "customer_keys.parquet"


def read(lake: Lake) -> pl.DataFrame:
    """customer_key, customer_id; one row per customer, empty where there is none."""
    return pl.read_parquet(path(lake)) if path(lake).exists() else pl.DataFrame(schema=SCHEMA)


def write(lake: Lake, keys: pl.DataFrame) -> bool:
    """Replace the table at once; whether it changed. It is private before the first byte is in it."""
    keys, target = keys.select(SCHEMA.names()).sort("customer_key"), path(lake)
    if target.exists() and read(lake).equals(keys):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o700)
    temporary = target.with_name(f".{os.getpid()}.tmp")
    try:
        temporary.touch(mode=0o600)
        keys.write_parquet(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def ids_to_look_for(lake: Lake) -> tuple[str, ...]:
    """The ids that must be in nothing public; those that could be any word or number (17, unknown) are left out."""
    return Names(tuple(read(lake)["customer_id"])).telling

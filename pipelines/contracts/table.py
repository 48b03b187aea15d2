"""Column and Table: the two words in which every contract is written."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, and what it may hold.

    `unit` is s, dB, Hz, … or None. `null_because` names the column that carries the reason of a NULL;
    a column with neither `null_because` nor `optional` is never NULL.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    unit: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[str, ...] | None = None
    optional: bool = False
    null_because: str | None = None

    @property
    def nullable(self) -> bool:
        return self.optional or self.null_because is not None


@dataclass(frozen=True)
class Table:
    """One table of the lake. `name` (`stage/name`) is its asset key, its folder and its dbt source."""

    name: str
    meaning: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    daily: bool = True

    @property
    def stage(self) -> str:
        return self.name.split("/")[0]

    @property
    def schema(self) -> pl.Schema:
        return pl.Schema({c.name: c.dtype for c in self.columns})

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def empty(self) -> pl.DataFrame:
        """A frame without rows in this table's schema."""
        return pl.DataFrame(schema=self.schema)

    def frame(self, rows: list[dict]) -> pl.DataFrame:
        """Rows (dicts; a missing key is NULL) as a frame in this table's schema and column order."""
        return pl.DataFrame(rows, schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`frame` with this table's columns, order and types, sorted by key; extra columns are refused.

        Raises ValueError naming the table and the columns that don't fit.
        """
        missing = [c for c in self.schema if c not in frame.columns]
        extra = [c for c in frame.columns if c not in self.schema]
        if missing or extra:
            raise ValueError(f"{self.name}: missing columns {missing}, unknown columns {extra}")
        return frame.select(pl.col(n).cast(t) for n, t in self.schema.items()).sort(self.key, nulls_last=True)

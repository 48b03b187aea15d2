"""The business rules (seeds) as a resource: SQL reads them as tables, the language stage as phrases."""

from pathlib import Path

import dagster as dg
import polars as pl

from pipelines.lake import fingerprint

_READ_BY_PYTHON = ("phrases", "issue_types", "escalation_weights", "adherence_steps")


class SeedsResource(dg.ConfigurableResource):
    """`folder` holds the seed files."""

    folder: str

    @property
    def path(self) -> Path:
        return Path(self.folder)

    def phrases(self, kind: str) -> tuple[str, ...]:
        """The phrases of one kind, in all languages."""
        rows = pl.read_csv(self.path / "phrases.csv", columns=["kind", "phrase"], infer_schema=False)
        return tuple(rows.filter(pl.col("kind").str.strip_chars() == kind)["phrase"])

    def fingerprint(self) -> str:
        """Changes when a seed that the language stage reads changes."""
        return fingerprint(*((self.path / f"{name}.csv").read_bytes() for name in _READ_BY_PYTHON))

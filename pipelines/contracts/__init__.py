"""What every table in the lake holds, declared once: the writer, the checks and the catalogue read it here."""

from pipelines.contracts.table import Column, Table

__all__ = ["Column", "Table", "all_tables", "schemas", "table"]


def all_tables() -> dict[str, Table]:
    """Every table of the lake by its name (`stage/name`), in the order of the pipeline."""
    from pipelines.contracts import (
        acoustics,
        calibration,
        conversation,
        landing,
        language,
        metrics,
        recordings,
        transcripts,
    )

    modules = (landing, recordings, acoustics, transcripts, conversation, language, metrics, calibration)
    return {t.name: t for module in modules for t in module.TABLES}


def schemas() -> tuple[str, ...]:
    """Every table's columns and types in one text each: another text, and what is in the lake is made anew."""
    return tuple(f"{name} {t.schema}" for name, t in all_tables().items())


def table(name: str) -> Table:
    """The contract of the table `name`; KeyError where there is none."""
    return all_tables()[name]

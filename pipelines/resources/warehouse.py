"""The warehouse and the publications as resources."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipelines.lake import Lake, up_to_date
from pipelines.warehouse import Warehouse


class WarehouseResource(dg.ConfigurableResource):
    """The DuckDB file that dbt builds from the lake."""

    path: str
    lake: str
    project: str
    threads: int = 4
    memory: str = ""

    def open(self) -> Warehouse:
        return Warehouse(Path(self.path), Lake(Path(self.lake)), Path(self.project), self.threads, self.memory)


class MirroredWarehouseResource(WarehouseResource):
    """The warehouse where steps have processes of their own: its lake is fetched and sent as MirroredLakeResource's."""

    bucket: str

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[WarehouseResource]:
        with up_to_date(Path(self.lake), self.bucket, alone=False):
            yield self


class PublicationsResource(dg.ConfigurableResource):
    """The folder of the published generations."""

    folder: str
    keep: int
    table_rows: int

    @property
    def path(self) -> Path:
        return Path(self.folder)


class LevelResource(dg.ConfigurableResource):
    """How a level in dBFS becomes an estimated dB SPL; agents' own offsets come first."""

    offset_db: float

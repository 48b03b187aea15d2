"""The lake as a resource."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from pipelines.lake import Lake
from pipelines.quality.limits import read_limits


class LakeResource(dg.ConfigurableResource):
    """Parquet store: `root` is the folder of the tables, `seeds` that of the rules whose limits its checks read.

    Without `seeds` the shipped limits hold.
    """

    root: str
    seeds: str = ""

    @property
    def limits(self) -> Mapping[str, float]:
        return read_limits(Path(self.seeds) if self.seeds else None)

    def open(self) -> Lake:
        return Lake(Path(self.root))

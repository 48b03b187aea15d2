"""The lake as a resource."""

from pathlib import Path

import dagster as dg

from pipelines.lake import Lake


class LakeResource(dg.ConfigurableResource):
    """Parquet store: `root` is the folder of the tables."""

    root: str

    def open(self) -> Lake:
        return Lake(Path(self.root))

"""The lake as a resource."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pipelines.lake import Lake, up_to_date
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


class MirroredLakeResource(LakeResource):
    """The lake of steps that have processes of their own, maybe on machines of their own; `bucket` is what they share.

    Each step fetches what others wrote before it begins, and sends the logs that it wrote when it ends; partitions and
    parts are sent when they are written. In one process the run itself does it, once.
    """

    bucket: str

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[LakeResource]:
        with up_to_date(Path(self.root), self.bucket, alone=False):
            yield self

"""The whole chain with its lake in a bucket: the tables of a lake on a disk, from any machine."""

import shutil
from uuid import uuid4

import pytest

from pipelines.bucket import Bucket
from tests.faults.chain import AGAIN, DONE, Runner, differing, dump, new_root

pytestmark = pytest.mark.promise


def test_published_tables_are_those_of_a_lake_on_a_disk_and_a_new_machine_makes_nothing_twice(s3, tmp_path):
    address = f"s3://iqs/{uuid4().hex}"
    disk, first, second = (new_root(tmp_path / name) for name in ("disk", "first", "second"))
    for data in (first, second):
        shutil.copytree(disk / "landing", data / "landing", dirs_exist_ok=True, copy_function=shutil.copy2)
    with Runner() as runner:
        assert runner.run(disk).code in DONE
        expected = dump(disk)
        in_s3 = {"IQS_DATA": address, **s3}
        made = runner.run(first, environment=in_s3 | {"IQS_LOCAL": str(first)})
        assert made.code in DONE, made.said
        assert differing(dump(first), expected) == []
        objects = set(Bucket(address).list())
        assert not [k for k in objects if k.startswith((".staging", ".parts", "warehouse", "published"))]
        # Another machine, with nothing but the landing folder and the address: it publishes from what is there.
        again = runner.run(second, AGAIN, environment=in_s3 | {"IQS_LOCAL": str(second)})
        assert again.code in DONE, again.said
    assert differing(dump(second), expected) == []
    written = [s for s in again.steps if s.startswith("promoted")]
    assert written == [], "partitions that stood in the bucket were made again"
    partitions = {k for k in objects if "/data-" in k}
    assert partitions == {k for k in Bucket(address).list() if "/data-" in k}

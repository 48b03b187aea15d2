"""The servers that the tests of this folder share: started at the first use, ended with the module."""

import pytest

from tests.distributed.servers import s3_server


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A real S3 server; its AWS_* variables hold for the tests of the module."""
    with s3_server(tmp_path_factory.mktemp("s3")) as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield environment

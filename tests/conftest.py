"""Every test gets its own temporary data root; nothing reads or writes the project's data folder."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
REALDATA = REPOSITORY.parent / "shared" / "realdata"


def pytest_configure(config):
    for name in [n for n in os.environ if n.startswith("IQS_") and not n.startswith("IQS_TEST_")]:
        del os.environ[name]
    os.environ["HF_HUB_OFFLINE"] = "1"


def real_recordings() -> Path:
    """Real recordings beside the repository; the test is skipped where they are absent."""
    if not REALDATA.is_dir():
        pytest.skip("the real recordings are not beside this repository (shared/realdata)")
    return REALDATA


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of the real recordings."""
    return real_recordings()

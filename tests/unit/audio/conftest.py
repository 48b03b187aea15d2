from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parents[3] / "../shared/realdata"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public real recordings, where it lies beside the repository."""
    if not REAL.is_dir():
        pytest.skip(f"needs the real recordings in {REAL}")
    return REAL.resolve()

"""What the documentation names exists."""

import re

from pipelines.cli import app
from pipelines.contracts.landing import TABLES
from pipelines.settings import Settings
from tests.accuracy.__main__ import MODULES
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text()


def test_every_file_that_the_readme_links_to_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (REPOSITORY / target).exists(), target


def test_every_command_that_the_readme_runs_exists():
    commands = {c.name or c.callback.__name__.replace("_", "-") for c in app.registered_commands}
    known = commands | {g.name for g in app.registered_groups}
    for command in re.findall(r"`(?:\.venv/bin/)?iqs (?!init)([\w-]+)", README):
        assert command in known, command


def test_every_script_that_the_readme_runs_exists():
    for script in re.findall(r"python (tests/\S+\.py)", README):
        assert (REPOSITORY / script).exists(), script


def test_every_measuring_command_that_the_readme_runs_exists():
    named = set(re.findall(r"python -m tests\.accuracy (\w+)", README))
    assert "sound" in MODULES
    assert named <= set(MODULES), named
    for module in MODULES:
        assert (REPOSITORY / "tests" / "accuracy" / f"{module}.py").exists(), module


def test_every_setting_that_the_readme_names_is_read_and_the_other_way_round():
    known = {f.metadata["variable"] for f in Settings.__dataclass_fields__.values()}
    named = set(re.findall(r"IQS_[A-Z_]+[A-Z]", README)) - {"IQS_DEBUG"}
    assert named == known


def test_the_landing_page_names_every_column_that_is_delivered():
    page = (REPOSITORY / "docs" / "landing.md").read_text()
    made_here = {"call_date", "customer_key", "extra", "landing_reason", "landing_detail", "source_file"}
    for table in TABLES:
        if table.name.split("/")[1] in ("files", "rejects", "days"):
            continue
        for column in set(table.schema) - made_here:
            assert re.search(rf"\b{column}\b", page), f"{table.name} {column}"

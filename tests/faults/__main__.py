"""Break everything that can break, and print what became of it.

    python -m tests.faults                # all 25 faults; hours on a small machine, most of it the 100 kills
    python -m tests.faults --kills 10     # fewer kills over the whole chain
    python -m tests.faults --quick        # what the test suite runs by default
    python -m tests.faults --only 3 4 9   # some of them
    python -m tests.faults --jobs 2       # two tests at a time

The outcome of a fault is that of its tests: they are named in `FAULTS`, and their assertions state what has to be true
afterwards. Rows are those of all public tables (of the small table that the test is about, where there is no
chain), before the fault and after the run that follows it. Exit code 1 where a fault does harm, or has no test.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
_CHAIN, _RUNS, _WRITES, _PUBLISHING = (f"faults/test_{m}.py" for m in ("chain", "runs", "writes", "publishing"))


@dataclass(frozen=True)
class Fault:
    """A fault and its tests: files, or `file::start of a test's name`, under tests/."""

    title: str
    tests: tuple[str, ...]


FAULTS = {
    1: Fault(
        "Killed at every step of the chain, and at random",
        (f"{_CHAIN}::test_killed", f"{_PUBLISHING}::test_a_publisher_killed"),
    ),
    2: Fault("Killed inside a Parquet write", (f"{_WRITES}::test_a_writer_killed",)),
    3: Fault(
        "Warehouse damaged, cut, its log torn; lake restored",
        (f"{_CHAIN}::test_a_damaged", f"{_PUBLISHING}::test_a_truncated", "faults/test_restore.py"),
    ),
    4: Fault(
        "Disk full at extract, build, publish", (f"{_CHAIN}::test_on_a_full_disk", f"{_WRITES}::test_on_a_full_disk")
    ),
    5: Fault("A reader open throughout", (f"{_PUBLISHING}::test_readers_of_a_publication",)),
    6: Fault("Foreign write lock", (f"{_PUBLISHING}::test_a_foreign_lock", f"{_WRITES}::test_a_build_waits")),
    7: Fault("Older DuckDB clients", (f"{_PUBLISHING}::test_an_older_client",)),
    8: Fault("Reader loop over 100 publications", (f"{_PUBLISHING}::test_a_reader_meets",)),
    9: Fault(
        "Two runs and a 30-day backfill at once",
        (f"{_RUNS}::test_two_runs", f"{_RUNS}::test_a_second_run"),
    ),
    10: Fault(
        "Run three times, permuted, 1 against all threads",
        (f"{_CHAIN}::test_run_again", "assets/test_refusals.py::test_days_in_any_order"),
    ),
    11: Fault("Blocking check failed, then published alone", ("assets/test_refusals.py::test_a_failed_blocking",)),
    12: Fault("Run worker killed", (f"{_RUNS}::test_a_killed_run_worker", f"{_RUNS}::test_a_run_that_was_killed")),
    13: Fault("Hostile audio", ("faults/test_hostile_audio.py",)),
    14: Fault(
        "Decoder crashes, hangs, takes all memory", ("faults/test_hostile_audio.py", "unit/audio/test_sandbox.py")
    ),
    15: Fault("Silence, music, mono, swapped channels", ("faults/test_hostile_audio.py",)),
    16: Fault("Duplicate, late, drifted, escaping metadata", ("faults/test_hostile_metadata.py",)),
    17: Fault("Weights that don't sum to 100 %", ("dbt/test_project.py::test_bad_rules",)),
    18: Fault("XSS corpus in a browser", ("browser/test_report_in_browser.py",)),
    19: Fault("Formulas in CSV", ("faults/test_hostile_metadata.py",)),
    20: Fault("Personal data", ("faults/test_personal_data.py",)),
    21: Fault("Erased, then a backfill", ("faults/test_erase.py",)),
    22: Fault("No network", (f"{_RUNS}::test_without_a_network",)),
    23: Fault("Scheduler down three days", ("assets/test_runs.py::test_after_three_days",)),
    24: Fault("Alert channel down", ("faults/test_alerts.py",)),
    25: Fault("Each check deleted in turn", ("faults/test_every_check_bites.py",)),
}
_WANTED = "IQS_TEST_FAULTS"
_FIGURES = ("injected", "rows_before", "rows_after", "readers_errors")


@dataclass
class Seen:
    """What became of a fault's tests."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        if self.failed:
            return f"FAILED: {', '.join(self.failed)}"
        if not self.passed:
            return f"not run: {self.skipped[0]}" if self.skipped else "NO TEST"
        return f"{self.passed} passed" + (f", {len(self.skipped)} not run: {self.skipped[0]}" if self.skipped else "")


def pytest_collection_modifyitems(config, items):
    """Pytest plugin, in each of its processes: only the tests of the wanted faults."""
    faults = [FAULTS[int(number)] for number in os.environ[_WANTED].split()]
    wanted = [item for item in items if any(_is(item.nodeid, test) for fault in faults for test in fault.tests)]
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted


class Collect:
    """Pytest plugin: keeps what became of the tests of each fault."""

    def __init__(self, numbers: list[int]):
        self.seen = {number: Seen() for number in numbers}

    def faults_of(self, nodeid: str) -> list[int]:
        return [n for n in self.seen if any(_is(nodeid, test) for test in FAULTS[n].tests)]

    def pytest_collectreport(self, report):
        if report.failed:
            for number in self.faults_of(report.nodeid):
                self.seen[number].failed.append(f"{report.nodeid} can't be read")

    def pytest_runtest_logreport(self, report):
        for number in self.faults_of(report.nodeid):
            seen, name = self.seen[number], report.nodeid.split("::")[-1]
            if report.failed:
                seen.failed.append(name)
            elif report.skipped:
                reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
                seen.skipped.append(str(reason).removeprefix("Skipped: "))
            elif report.when == "call":
                seen.passed += 1
                figures = {k: v for k, v in report.user_properties if k in _FIGURES}
                seen.figures["injected"] = seen.figures.get("injected", 0) + figures.get("injected", 1)
                for figure in _FIGURES[1:]:
                    if figure in figures:
                        seen.figures[figure] = seen.figures.get(figure, 0) + figures[figure]


def _is(nodeid: str, test: str) -> bool:
    file, _, name = test.partition("::")
    path, _, rest = nodeid.partition("::")
    return path == f"tests/{file}" and (rest == "" or rest.split("::")[-1].startswith(name))


def table(seen: dict[int, Seen]) -> str:
    """The faults as a Markdown table."""
    rows = [("fault", "what", "injected", "rows before", "rows after", "readers' errors", "outcome")]
    for number, found in seen.items():
        figures = [f"{found.figures[f]:,}" if f in found.figures else "" for f in _FIGURES]
        rows.append((str(number), FAULTS[number].title, *figures, found.outcome))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=int, nargs="+", choices=sorted(FAULTS), metavar="N", help="these faults only")
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="random kills over the whole chain")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="tests at a time, in processes of their own")
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    options = parser.parse_args(arguments)
    import pytest

    collect = Collect(options.only or list(FAULTS))
    os.environ |= {"IQS_TEST_KILLS": str(options.kills), _WANTED: " ".join(map(str, collect.seen))}
    files = {test.partition("::")[0] for number in collect.seen for test in FAULTS[number].tests}
    paths = sorted(str(TESTS / file) for file in files if (TESTS / file).exists())
    which = "not slow and not promise" if options.quick else "slow or promise or not slow"
    own = ["--rootdir", str(TESTS.parent), "-p", "no:cacheprovider", "-p", "tests.faults.__main__", "-m", which, "-q"]
    if paths:
        pytest.main([*own, "-n", str(options.jobs), "--dist", "worksteal", *paths], plugins=[collect])
    print(f"\n{table(collect.seen)}")
    harmless = [n for n, seen in collect.seen.items() if seen.passed and not seen.failed]
    not_run = [n for n, seen in collect.seen.items() if seen.skipped and not (seen.passed or seen.failed)]
    print(f"\n{len(harmless)} of {len(collect.seen)} faults did no harm, {len(not_run)} could not be tried here")
    return 0 if len(harmless) + len(not_run) == len(collect.seen) else 1


if __name__ == "__main__":
    sys.exit(main())

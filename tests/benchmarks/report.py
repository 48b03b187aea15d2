"""CPU time of the report of a big centre: all pages drawn, and after a day on which one agent had calls.

    python -m tests.benchmarks.report [--agents 2000] [--weeks 156]

The publication is generated. Printed with the greatest and the whole size of the pages.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from pipelines.reports.report import render

sys.path.append(str(Path(__file__).resolve().parents[1] / "unit" / "reports"))
from large_publication import build_large


def cpu_s(database: Path, out: Path, before: Path | None) -> float:
    begin = time.process_time()
    render(database, out, before=before)
    return time.process_time() - begin


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--agents", type=int, default=2000)
    options.add_argument("--weeks", type=int, default=156)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = build_large(folder / "iqs.duckdb", agents=arguments.agents, weeks=arguments.weeks)
        whole = cpu_s(database, folder / "first" / "index.html", None)
        sizes = [p.stat().st_size / 1e6 for p in (folder / "first").rglob("*.html")]
        print(f"{len(sizes)} pages, {sum(sizes):.0f} MB, the greatest {max(sizes):.1f} MB: {whole:.1f} CPU s")
        again = cpu_s(database, folder / "again" / "index.html", folder / "first")
        print(f"nothing changed: {again:.1f} CPU s")
        with duckdb.connect(str(database)) as connection:
            connection.execute("update trend_iqs set iqs = iqs + 1 where dimension = 'agent' and value = 'A0007'")
        one = cpu_s(database, folder / "one" / "index.html", folder / "again")
        print(f"one agent's trend changed: {one:.1f} CPU s")


if __name__ == "__main__":
    main()

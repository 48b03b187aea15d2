"""What a small day costs in CPU time, beside a run that has nothing to do and one that finds everything unchanged.

    python -m tests.benchmarks.small_day [--calls 10] [--folder F]

Days of calls with ready-made transcripts, so that no recognition is in it. Each row but the last is `iqs run` in a
process of its own (user and system time, children included); the last is one more day in a process that has run one
before.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from tests.faults.chain import FIRST_DAY, REPOSITORY, deliver

_FURTHER = """
import json, resource, sys
from datetime import date
from pipelines.automation.launch import run_days
from pipelines.definitions import build
from pipelines.settings import Settings
settings = Settings.from_environment()
definitions, costs = build(settings), []
for text in sys.argv[1:]:
    day, before = date.fromisoformat(text), resource.getrusage(resource.RUSAGE_SELF)
    assert run_days(definitions, settings, day, day).success
    after = resource.getrusage(resource.RUSAGE_SELF)
    costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
print(json.dumps(costs))
"""


def cpu_s(data: Path, *arguments: str) -> tuple[float, str]:
    """CPU seconds of a Python process on the data root, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"IQS_DATA": str(data), "IQS_WORKERS": "1", "OMP_NUM_THREADS": "1"}
    ran = subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    if ran.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(arguments[:4])} failed:\n{ran.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ran.stdout


def new_day(data: Path, number: int, calls: int) -> date:
    """Deliver one more day, in files of its own; the same agents."""
    folder, day = data / f"delivery-{number}", FIRST_DAY + timedelta(days=number)
    deliver(folder, days=1, calls=calls, first=day)
    for path in folder.glob("*.csv"):
        if path.stem in ("interactions", "transcripts", "messages"):
            text = path.read_text().replace("call-0-", f"call-{number}-").replace("chat-0", f"chat-{number}")
            (data / "landing" / f"{path.stem}-{number}.csv").write_text(text.replace("odd-0", f"odd-{number}"))
    return day


def measure(data: Path, calls: int) -> list[tuple[str, float]]:
    run = ("-c", "from pipelines.cli import main; main()", "run")
    deliver(data / "landing", days=3, calls=calls)
    rows = [(f"the first run: 3 days of {calls} calls, a new warehouse", cpu_s(data, *run)[0])]
    rows.append(("nothing new", cpu_s(data, *run)[0]))
    rows.append(("a day asked for again, nothing changed", cpu_s(data, *run, "--date", str(FIRST_DAY))[0]))
    new_day(data, 3, calls)
    rows.append((f"one more day of {calls} calls", cpu_s(data, *run)[0]))
    days = [str(new_day(data, number, calls)) for number in (4, 5, 6)]
    costs = json.loads(cpu_s(data, "-c", _FURTHER, *days)[1].splitlines()[-1])
    rows.append(("a further day in the same process", min(costs[1:])))
    return rows


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.small_day", description=__doc__.splitlines()[0])
    options.add_argument("--calls", type=int, default=10)
    options.add_argument("--folder", type=Path, help="an empty folder for the data; default: a temporary one")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="small-day-") as temporary:
        rows = measure(arguments.folder or Path(temporary), arguments.calls)
    print("| | CPU s |\n|---|---|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.1f} |")
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()

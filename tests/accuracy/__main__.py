"""How wrong each metric is, on data that nobody tuned it on, beside a named baseline.

    python -m tests.accuracy                    # everything; about half an hour on two cores
    python -m tests.accuracy sentiment sound    # some of it
    python -m tests.accuracy --quick            # smaller samples
    python -m tests.accuracy --write docs/accuracy.md

Real recordings and labelled messages are read from `../shared/realdata`; a module whose data is not there says so and
is left out.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from time import perf_counter

from tests.accuracy.figure import Figure, table

MODULES = {
    "sound": "Voice activity, turns, interruptions, level, noise, pitch",
    "turns": "Turns from hand-made times",
    "sample": "The synthetic sample against its truth",
    "speakers": "Speakers of mono recordings",
    "roles": "Who is the agent",
    "wer": "Recognition",
    "false_words": "Words where nobody speaks",
    "sentiment": "Sentiment",
    "empathy": "Empathy",
    "issue_types": "Issue types",
    "redaction": "Personal data",
    "calibration": "Calibration of raters",
    "trends": "Intervals, control limits and variance components",
}
_HEAD = """# Accuracy

What `python -m tests.accuracy` printed. Each row is one error on one data set, beside a baseline that a person might
use instead. A note says what was tuned on what, and what the row can't show.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", choices=[[], *MODULES], help="what to measure; everything by default")
    parser.add_argument("--quick", action="store_true", help="smaller samples")
    parser.add_argument("--write", type=Path, help="also write the tables to this file")
    options = parser.parse_args()
    written = [_HEAD]
    failed = 0
    for name in options.modules or MODULES:
        begin = perf_counter()
        try:
            figures: list[Figure] = importlib.import_module(f"tests.accuracy.{name}").figures(quick=options.quick)
        except FileNotFoundError as error:
            print(f"{name}: left out, {error}", file=sys.stderr)
            failed += 1
            continue
        part = f"\n## {MODULES[name]}\n\n`python -m tests.accuracy {name}`\n\n{table(figures)}\n"
        print(part, f"({perf_counter() - begin:.0f} s)", flush=True)
        written.append(part)
    if options.write:
        options.write.write_text("".join(written), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

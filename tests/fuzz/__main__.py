"""`python -m tests.fuzz [--inputs 10000] [--seed 1]`: damaged inputs through the real readers, and a table of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.campaign import AUDIO_LIMITS, SHARES, Outcome, campaign


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--inputs", type=int, default=10_000, help="how many inputs, of all kinds together")
    options.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs")
    options.add_argument("--workers", type=int, default=2, help="child processes at work")
    options.add_argument("--kind", choices=SHARES, action="append", help="only this kind; may be given again")
    options.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "iqs-fuzz", help="for failures")
    options.add_argument("--replay", type=Path, help="only read this kept file, and say what becomes of it")
    given = options.parse_args()
    if given.replay:
        return replay(given.replay)
    started = time.monotonic()
    print(
        f"{'kind':<9}{'inputs':>7}{'accepted':>10}{'crashes':>9}{'hangs':>7}{'good':>7}{'lost':>6}{'s':>6}  quarantined"
    )
    outcomes = []
    for outcome in campaign(given.inputs, given.seed, given.workers, tuple(given.kind or SHARES)):
        outcomes.append(outcome)
        print(line(outcome), flush=True)
    total = sum(o.inputs for o in outcomes)
    print(f"{total} inputs with seed {given.seed} in {time.monotonic() - started:.0f} s")
    for outcome in outcomes:
        for failure in outcome.failures:
            given.keep.mkdir(parents=True, exist_ok=True)
            kept = given.keep / f"seed{given.seed}-{failure.name}"
            kept.write_bytes(failure.content)
            print(f"FAILED {failure.kind} {failure.number} of seed {given.seed}: {failure.what[:400]}")
            print(f"       python -m tests.fuzz --replay {kept}")
    return 0 if all(o.passed for o in outcomes) else 1


def line(outcome: Outcome) -> str:
    """One kind as a row of the table; reasons are counted per file."""
    reasons = ", ".join(f"{reason} {n}" for reason, n in outcome.reasons.most_common()) or "-"
    numbers = f"{outcome.inputs:>7}{outcome.accepted:>10}{outcome.crashes:>9}{outcome.hangs:>7}{outcome.good:>7}"
    return f"{outcome.kind:<9}{numbers}{outcome.good_lost:>6}{outcome.seconds:>6.0f}  {reasons}"


def replay(path: Path) -> int:
    """Read one file again: a recording as `iqs run` does, any other file as the only one of a landing folder."""
    from pipelines.audio.channels import inspect
    from pipelines.audio.sandbox import Sandbox
    from tests.fuzz.campaign import TABLE_LIMITS
    from tests.fuzz.tables import look

    name = path.name.split("-", 1)[1] if path.name.startswith("seed") else path.name
    with tempfile.TemporaryDirectory() as folder:
        if name.startswith(("interactions", "messages")):
            landing = Path(folder) / "landing"
            landing.mkdir()
            (landing / name).write_bytes(path.read_bytes())
            job, limits = (look, (str(landing), str(Path(folder) / "cache"))), TABLE_LIMITS
        else:
            job, limits = (inspect, (str(path), AUDIO_LIMITS)), AUDIO_LIMITS
        with Sandbox(1, limits) as box:
            for _, result in box.starmap(job[0], [job[1]]):
                print(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())

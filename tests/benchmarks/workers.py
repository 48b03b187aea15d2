"""How fast recordings are recognised by 1 and by 2 Celery workers on this machine: throughput, and what it costs.

    python -m tests.benchmarks.workers [--recordings 12] [--length-s 20] [--workers 1 2]

Real Redis, Postgres and workers of one process each (`dagster-celery worker start`), on pieces of the sample's calls.
Timed is what fans out: from the first recognition step's begin to the last one's end, by Dagster's own event log, and
the whole run beside it. Needs `iqs[distributed]`, redis-server and postgresql.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from tests.distributed.deployment import deliver_sound, deployment, step_times
from tests.faults.chain import DONE


def measure(workers: int, recordings: int, length_s: float) -> None:
    with tempfile.TemporaryDirectory(prefix="workers-") as folder:
        batch_s = recordings * length_s / 6  # six batches: enough for two workers, and few model loads
        with deployment(Path(folder), IQS_BATCH_AUDIO_S=str(batch_s)) as made:
            deliver_sound(made.data / "landing", recordings=recordings, length_s=length_s, days=1)
            for number in range(workers):
                made.worker(f"worker-{number}", "gpu", "cpu", *(["warehouse"] if number == 0 else []))
            begin = time.perf_counter()
            code, said = made.run(timeout_s=3600)
            whole_s = time.perf_counter() - begin
            if code not in DONE:
                raise SystemExit(f"the run failed:\n{said}")
            times = list(step_times(made.environment))
            batches = [(b, e) for step, b, e in times if step.startswith("recognition.recognition_batch[")]
            wall_s = max(e for _, e in batches) - min(b for b, _ in batches)
            audio_s = recordings * length_s
            print(
                f"{workers} worker{'s' if workers > 1 else ' '}  {len(batches)} batches  recognition {wall_s:6.1f} s, "
                f"{audio_s / wall_s:5.1f} x real time  whole run {whole_s:6.1f} s  load {os.getloadavg()[0]:.1f}",
                flush=True,
            )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--recordings", type=int, default=12)
    options.add_argument("--length-s", type=float, default=20.0)
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = options.parse_args()
    print(f"{arguments.recordings} two-channel recordings of {arguments.length_s:g} s")
    for workers in arguments.workers:
        measure(workers, arguments.recordings, arguments.length_s)


if __name__ == "__main__":
    main()

"""CPU time of Dagster's event log: ours beside the one that Dagster ships, same events into the same kind of files.

    python -m tests.benchmarks.event_log [--events 500] [--repeat 3]

A run's materialisations of one day each, stored one by one, as while steps go on, and at once, as after a table's
backfill. The rounds of both sides alternate; the best of each counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import date, timedelta

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.automation.event_log import EventLog

FIRST_DAY = date(2020, 1, 1)


def materialised(run: str, day: date) -> EventLogEntry:
    about = StepMaterializationData(dg.AssetMaterialization("measured", partition=str(day), metadata={"rows": 10}))
    event = DagsterEvent(DagsterEventType.ASSET_MATERIALIZATION.value, "daily", event_specific_data=about)
    return EventLogEntry(None, 10, "", run, 1.7e9, dagster_event=event, job_name="daily")


def cpu_ms(storage: SqliteEventLogStorage, run: str, days: int, at_once: bool) -> float:
    """Milliseconds of CPU for each event."""
    events = [materialised(run, FIRST_DAY + timedelta(days=n)) for n in range(days)]
    begin = time.process_time()
    if at_once:
        storage.store_event_batch(events)
    else:
        for event in events:
            storage.store_event(event)
    spent = time.process_time() - begin
    assert len(storage.get_logs_for_run(run)) == days
    return 1000 * spent / days


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--events", type=int, default=500)
    options.add_argument("--repeat", type=int, default=3)
    arguments = options.parse_args()
    sides = {"Dagster's": SqliteEventLogStorage, "ours": EventLog}
    with tempfile.TemporaryDirectory() as folder:
        storages = {name: kind(f"{folder}/{kind.__name__}") for name, kind in sides.items()}
        instances = []
        for storage in storages.values():
            instances.append(dg.DagsterInstance.ephemeral())
            storage.register_instance(instances[-1])
        for at_once in (False, True):
            best = dict.fromkeys(sides, float("inf"))
            for turn in range(arguments.repeat + 1):  # the first one warms up
                for name, storage in storages.items():
                    spent = cpu_ms(storage, f"run-{at_once}-{turn}", arguments.events, at_once)
                    best[name] = min(best[name], spent) if turn else best[name]
            ratio = best["Dagster's"] / best["ours"]
            how = "at once" if at_once else "one by one"
            print(f"{how:<12}" + "".join(f"{n}: {ms:6.2f} ms   " for n, ms in best.items()) + f"{ratio:.1f} x")


if __name__ == "__main__":
    main()

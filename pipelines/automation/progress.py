"""A logger for the command line: one line per finished stage, and what a person should know at once."""

from __future__ import annotations

import logging
import sys

import dagster as dg

_NUMBERS = ("audio_s", "times_real_time", "recognised", "measured", "decoded", "quarantined", "days_unchanged")


class _Lines(logging.Handler):
    """Turns Dagster's events into lines. `started` keeps when each step began."""

    def __init__(self) -> None:
        super().__init__()
        self.started: dict[str, float] = {}
        self.rows: dict[str, dict] = {}

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {}) or {}
        event = meta.get("dagster_event")
        if event is None:
            said = meta.get("orig_message", "")
            if record.levelno >= logging.INFO and meta.get("step_key") and not said.startswith("Dependencies for step"):
                self.say(f"    {said}")
            return
        step = event.step_key
        if event.event_type_value == "STEP_START":
            self.started[step] = record.created
            self.rows[step] = {}
        elif event.event_type_value == "ASSET_MATERIALIZATION":
            materialization = event.event_specific_data.materialization
            figures = {k: v.value for k, v in materialization.metadata.items() if isinstance(v.value, int | float)}
            self.rows.setdefault(step, {})[materialization.asset_key.to_user_string()] = figures
        elif event.event_type_value == "STEP_SUCCESS":
            self._finished(step, record.created)
        elif event.event_type_value in ("STEP_FAILURE", "STEP_UP_FOR_RETRY"):
            error = getattr(event.event_specific_data, "error", None)
            cause = error.cause if error and error.cause else error
            self.say(
                f"  {step}: {'will be tried again: ' if 'RETRY' in event.event_type_value else 'FAILED: '}"
                f"{(cause.message if cause else '').strip()[:2000]}"
            )

    def _finished(self, step: str, at: float) -> None:
        tables = self.rows.pop(step, {})
        rows = sum(int(f.get("dagster/row_count", 0)) for f in tables.values())
        one = next(iter(tables.values()), {})
        shown = [f"{one[n]:g} {n.replace('_', ' ')}" for n in _NUMBERS if one.get(n)]
        seconds = at - self.started.get(step, at)
        self.say(f"  {step:<18}{len(tables):>3} tables {rows:>8,} rows {seconds:>8.1f} s   {', '.join(shown)}")

    @staticmethod
    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)


@dg.logger(description="One line per finished stage, for people at a terminal.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    log = logging.Logger("iqs.progress", level=logging.DEBUG)
    log.addHandler(_Lines())
    return log

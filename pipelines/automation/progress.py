"""A logger for the command line: one line per finished stage, and what a person should know at once.

On a terminal a live line below them shows the running stage: audio hours, × real time, time left.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from pipelines.resources.advance import Advance, minutes, watched

_NUMBERS = ("audio_s", "times_real_time", "recognised", "measured", "decoded", "quarantined", "days_unchanged")


class Lines(logging.Handler):
    """Turns Dagster's events into lines on stderr, with a live line below where stderr is a terminal.

    `started` keeps when each step began.
    """

    def __init__(self, live: LiveLine | None = None) -> None:
        super().__init__()
        self.live = live
        self.started: dict[str, float] = {}
        self.rows: dict[str, dict] = {}

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {}) or {}
        event = meta.get("dagster_event")
        if event is None:
            said = meta.get("orig_message", "")
            of_a_step = meta.get("step_key") and not said.startswith("Dependencies for step")
            if record.levelno >= logging.INFO and of_a_step and not (self.live and self.live.shows(said)):
                self.say(f"    {said}")
            return
        step = event.step_key
        if event.event_type_value == "STEP_START":
            self.started[step] = record.created
            self.rows[step] = {}
            if self.live:
                self.live.begin(step)
        elif event.event_type_value == "ASSET_MATERIALIZATION":
            materialization = event.event_specific_data.materialization
            figures = {k: v.value for k, v in materialization.metadata.items() if isinstance(v.value, int | float)}
            self.rows.setdefault(step, {})[materialization.asset_key.to_user_string()] = figures
        elif event.event_type_value == "STEP_SUCCESS":
            self._finished(step, record.created)
        elif event.event_type_value in ("STEP_FAILURE", "STEP_UP_FOR_RETRY"):
            if self.live:
                self.live.end(step)
            error = getattr(event.event_specific_data, "error", None)
            cause = error.cause if error and error.cause else error
            self.say(
                f"  {step}: {'will be tried again: ' if 'RETRY' in event.event_type_value else 'FAILED: '}"
                f"{(cause.message if cause else '').strip()[:2000]}"
            )

    def _finished(self, step: str, at: float) -> None:
        if self.live:
            self.live.end(step)
        tables = self.rows.pop(step, {})
        rows = sum(int(f.get("dagster/row_count", 0)) for f in tables.values())
        one = next(iter(tables.values()), {})
        shown = [f"{one[n]:g} {n.replace('_', ' ')}" for n in _NUMBERS if one.get(n)]
        seconds = at - self.started.get(step, at)
        self.say(f"  {step:<18}{len(tables):>3} tables {rows:>8,} rows {seconds:>8.1f} s   {', '.join(shown)}")

    def say(self, line: str) -> None:
        if self.live:
            self.live.say(line)
        else:
            print(line, file=sys.stderr, flush=True)


class LiveLine:
    """One line for the running stage, drawn again twice a second; it is gone when the stage is through."""

    def __init__(self, console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.progress = Progress(
            TextColumn("  {task.fields[step]:<18}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[words]}"),
            console=console,
            transient=True,
            refresh_per_second=2,
        )
        self._task: int | None = None
        self._step = self._words = ""

    def begin(self, step: str) -> None:
        """A stage has begun: how long it takes is not known yet."""
        self.end(self._step)
        self._step = step
        self._task = self.progress.add_task("", total=None, step=step, words="")
        self.progress.start()

    def advance(self, advance: Advance) -> None:
        """It has come so far."""
        if self._task is None:
            return
        self._words = advance.words
        self.progress.update(self._task, total=1.0, completed=advance.share, words=_short(advance))

    def shows(self, said: str) -> bool:
        """Whether the live line tells this already."""
        return said == self._words

    def end(self, step: str) -> None:
        """The stage is through, or has failed."""
        if self._task is not None and step == self._step:
            self.progress.remove_task(self._task)
            self._task, self._words = None, ""
            self.progress.stop()

    def say(self, line: str) -> None:
        """A line that stays, above the live one."""
        self.progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _short(advance: Advance) -> str:
    parts = [f"{advance.day} {advance.count}/{advance.total}"]
    if advance.total_audio_s:
        parts.append(f"{advance.audio_s / 3600:.2f}/{advance.total_audio_s / 3600:.2f} h of audio")
    if advance.times_real_time:
        parts.append(f"{advance.times_real_time:.0f} × real time")
    if advance.left_s is not None and advance.share < 1:
        parts.append(f"{minutes(advance.left_s)} left")
    return "  ".join(parts)


@contextmanager
def shown() -> Iterator[None]:
    """For the length of the block, the progress logger draws a live line where stderr is a terminal.

    A redirected stderr and TERM=dumb get plain lines.
    """
    global _live
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    from rich.console import Console

    _live = LiveLine(Console(stderr=True))
    try:
        with watched(_live.advance):
            yield
    finally:
        _live.progress.stop()
        _live = None


_live: LiveLine | None = None


@dg.logger(description="One line per finished stage, for people at a terminal.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    log = logging.Logger("iqs.progress", level=logging.DEBUG)
    log.addHandler(Lines(_live))
    return log

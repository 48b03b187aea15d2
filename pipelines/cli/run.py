"""Run the pipeline, on the landing folder or on the sample; and see where it stands."""

from __future__ import annotations

import json
import os
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import (
    DONE,
    DONE_WITH_WARNINGS,
    USED_WRONGLY,
    CommandError,
    Json,
    app,
    day_of,
    open_landing,
    print_summary,
    run_ranges,
    say,
    summary_of,
)
from pipelines.settings import PROJECT, Settings


@app.command()
def run(
    date_: Annotated[str | None, typer.Option("--date", help="One day.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="First day of a range.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Last day of a range.")] = None,
    new: Annotated[bool, typer.Option("--new", help="The days for which something came in (the default).")] = False,
    as_json: Json = False,
) -> int:
    """Measure, score, check and publish: a day, a range of days, or all that is new."""
    day, first, last = day_of(date_, "--date"), day_of(from_, "--from"), day_of(to, "--to")
    if sum((day is not None, first is not None or last is not None, new)) > 1:
        raise CommandError("give --date, or --from and --to, or --new", USED_WRONGLY)
    if (first is None) != (last is None) or (first and last and first > last):
        raise CommandError("--from and --to go together, the earlier day first", USED_WRONGLY)
    settings = Settings.from_environment()
    return run_ranges(settings, [(first or day, last or day)] if first or day else None, as_json=as_json)


@app.command()
def demo(open_: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False) -> int:
    """Run everything on the sample recordings, offline, into data/demo."""
    data = Path(os.environ.get("IQS_DATA", PROJECT / "data" / "demo"))
    os.environ |= {"IQS_DATA": str(data), "IQS_LANDING": str(PROJECT / "data" / "sample" / "landing")}
    settings = Settings.from_environment()
    code = run_ranges(settings, None)
    if code in (DONE, DONE_WITH_WARNINGS):
        # The sample holds a few bad files on purpose, so that the quarantine has something to show.
        if open_:
            _open(settings)
        return DONE
    return code


@app.command()
def status(as_json: Json = False) -> int:
    """What is published, what waits in the landing folder, what is in quarantine."""
    settings = Settings.from_environment()
    from pipelines.lake import Lake
    from pipelines.publishing.days import unpublished_days

    summary = summary_of(settings)
    if settings.landing.is_dir():
        landing = open_landing(settings)
        summary["waiting_days"] = [d.isoformat() for d in unpublished_days(Lake(settings.lake), landing.day_table())]
    stale = settings.published / "STALE.json"
    summary["stale"] = json.loads(stale.read_text()) if stale.exists() else None
    if as_json:
        say(json.dumps(summary))
        return DONE
    print_summary(settings, summary)
    waiting = summary.get("waiting_days")
    if waiting is None:
        say(f"landing      {settings.landing} does not exist")
    else:
        say(f"waiting      {', '.join(waiting) if waiting else 'nothing'}")
    if summary["stale"]:
        say(f"STALE        {'; '.join(summary['stale'].get('reasons', []))}")
    return DONE


@app.command()
def report(
    open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Print it to this PDF file, with Chromium.")] = None,
) -> int:
    """Where the trend report of the current publication is."""
    settings = Settings.from_environment()
    path = settings.published / "current" / "report" / "index.html"
    if not path.exists():
        raise CommandError("nothing is published yet; `iqs run` makes a publication with its report")
    if pdf is not None:
        from pipelines.reports import ReportError, print_pdf

        try:
            path = print_pdf(path, pdf)
        except ReportError as error:
            raise CommandError(str(error)) from error
    say(str(path))
    if open_:
        webbrowser.open(path.resolve().as_uri())
    return DONE


def _open(settings: Settings) -> None:
    webbrowser.open((settings.published / "current" / "report" / "index.html").resolve().as_uri())

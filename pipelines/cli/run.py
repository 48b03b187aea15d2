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
    unfinished = sorted((settings.data / "erasures").glob(".unfinished-*.json"))
    summary["unfinished_erasures"] = [p.stem.removeprefix(".unfinished-") for p in unfinished]
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
    for digest in summary["unfinished_erasures"]:
        say(f"ERASURE      {digest} is not finished: give the same `iqs erase` command again")
    if summary["stale"]:
        say(f"STALE        {'; '.join(summary['stale'].get('reasons', []))}")
    return DONE


@app.command()
def report(
    open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Print it to this PDF file, with Chromium.")] = None,
    call: Annotated[
        str | None, typer.Option("--call", help="Make the page of this call instead, with its sound.")
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", help="Make a report of this client's interactions alone, for the client.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File of the call's page, or folder of the client's report.")
    ] = None,
) -> int:
    """Where the trend report of the current publication is; or make a call's page, or a client's own report."""
    settings = Settings.from_environment()
    if call is not None or client is not None:
        if pdf is not None or (call is not None and client is not None):
            raise CommandError("give one of --call, --client and --pdf", USED_WRONGLY)
        if call is not None:
            return _call_page(settings, call, out, open_=open_)
        return _client_report(settings, client, out, open_=open_)
    if out is not None:
        raise CommandError("--out goes with --call or --client; give one of them, too", USED_WRONGLY)
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


def _call_page(settings: Settings, call: str, out: Path | None, *, open_: bool) -> int:
    """Make the page of one call, from the current publication, the lake and the landing folder."""
    from pipelines.audio.decode import DecodeLimits
    from pipelines.audio.sandbox import Sandbox
    from pipelines.lake import Lake
    from pipelines.privacy import handed_out
    from pipelines.reports import ReportError
    from pipelines.reports.calls import Sound, render_call
    from pipelines.reports.parts import page_name

    current = settings.published / "current"
    if not current.exists():
        raise CommandError("nothing is published yet; `iqs run` makes a publication")
    if out is not None and out.is_dir():
        raise CommandError(f"{out} is a folder; name the file, such as {out / page_name(call)}", USED_WRONGLY)
    limits = DecodeLimits(settings.max_recording_s, settings.decode_timeout_s, settings.decode_memory_mb)
    sound = Sound(Lake(settings.lake), settings.landing, lambda: Sandbox(1, limits), limits)
    try:
        path = render_call(current, call, out or Path(page_name(call)), sound)
        handed_out.note(settings, path)
    except ReportError as error:
        raise CommandError(str(error)) from error
    say(str(path))
    if open_:
        webbrowser.open(path.resolve().as_uri())
    return DONE


def _client_report(settings: Settings, client: str, out: Path | None, *, open_: bool) -> int:
    """Make the report of one client, from the lake."""
    from pipelines.clients import ClientBuildError, render_client
    from pipelines.privacy import handed_out
    from pipelines.warehouse import BuildError, Warehouse

    if out is None or out.is_file():
        raise CommandError("--client needs a folder for its files: --out FOLDER", USED_WRONGLY)
    warehouse = Warehouse.of(settings)
    try:
        path = render_client(client, warehouse, out)
        handed_out.note(settings, out)
    except (ClientBuildError, BuildError) as error:
        raise CommandError(str(error)) from error
    say(str(path))
    if open_:
        webbrowser.open(path.resolve().as_uri())
    return DONE


def _open(settings: Settings) -> None:
    webbrowser.open((settings.published / "current" / "report" / "index.html").resolve().as_uri())

"""Setting up: a project folder from nothing, what is wrong with an installation, and how BI tools connect."""

from __future__ import annotations

import json
import os
import sys
import webbrowser
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import DONE, DONE_WITH_WARNINGS, FAILED, USED_WRONGLY, CommandError, Json, app, say
from pipelines.settings import PROJECT, Settings

_MARKS = {"ok": "ok", "warning": "!", "broken": "X"}
_CODES = {"ok": DONE, "warning": DONE_WITH_WARNINGS, "broken": FAILED}


def _areas(begun: str) -> list[str]:
    from pipelines.installation.doctor import AREAS

    return [area for area in AREAS if area.startswith(begun)]


def _tools(begun: str) -> list[str]:
    from pipelines.bi import TOOLS

    return [tool for tool in TOOLS if tool.startswith(begun.lower())]


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="The folder to make.")], as_json: Json = False) -> int:
    """Make a project folder: landing folder, settings with their meaning, an example of every file."""
    from pipelines.installation.scaffold import CantMake, make_project

    try:
        made = make_project(folder)
    except CantMake as error:
        raise CommandError(str(error), USED_WRONGLY) from error
    if as_json:
        say(json.dumps({"folder": str(made.folder), "written": made.written, "kept": made.kept}))
        return DONE
    say(f"{made.folder}: {len(made.written)} files written")
    if made.kept:
        say(f"kept as they were: {', '.join(made.kept)}")
    say(f"next: cd {folder}; cp examples/*.csv landing/; iqs run   (README.md there says the rest)")
    return DONE


@app.command()
def doctor(
    areas: Annotated[
        list[str] | None, typer.Argument(help="Only these: disk, lake, landing, …", autocompletion=_areas)
    ] = None,
    as_json: Json = False,
) -> int:
    """Look for what is wrong with this installation, and say how it is mended. Changes nothing.

    Exit codes: 0 all well, 3 something to look at, 1 something is broken.
    """
    from pipelines.installation.doctor import AREAS, examine, worst

    if unknown := [a for a in areas or () if a not in AREAS]:
        raise CommandError(f"{unknown[0]!r} is nothing that is looked at; there are {', '.join(AREAS)}", USED_WRONGLY)
    findings = examine(os.environ, Path.cwd(), areas=areas or ())
    state = worst(findings)
    if as_json:
        say(json.dumps({"state": state, "findings": [asdict(f) for f in findings]}))
        return _CODES[state]
    for f in findings:
        say(f"{_MARKS[f.state]:<3}{f.area:<12} {f.what}")
        if f.remedy and f.state != "ok":
            say(f"{'':<16}→ {f.remedy}")
    counts = {s: sum(f.state == s for f in findings) for s in _MARKS}
    say(f"{counts['ok']} well, {counts['warning']} to look at, {counts['broken']} broken")
    return _CODES[state]


@app.command()
def bi(
    tool: Annotated[
        str, typer.Argument(help="metabase, superset, dbeaver, …; without: the list.", autocompletion=_tools)
    ] = "",
    as_json: Json = False,
) -> int:
    """How a BI tool opens the publication of this installation: path, driver, first query."""
    from pipelines.bi import TOOLS, Places, UnknownTool, connection

    places = Places.of(Settings.from_environment())
    if not tool:
        titles = {name: connection(name, places).title for name in TOOLS}
        say(json.dumps(titles) if as_json else "\n".join(f"iqs bi {n:<10} {t}" for n, t in titles.items()))
        return DONE
    try:
        found = connection(tool, places)
    except UnknownTool as error:
        raise CommandError(str(error), USED_WRONGLY) from error
    if not places.is_published:
        print("nothing is published yet: `iqs run` makes these files", file=sys.stderr)
    if as_json:
        say(json.dumps(found.as_json() | {"is_published": places.is_published}))
        return DONE
    say(f"{found.title}\n")
    say(f"driver     {found.driver}")
    for n, step in enumerate(found.steps, 1):
        say(f"step {n}     {step}")
    for name, value in found.settings.items():
        say(f"{name}:" + (f" {value}" if "\n" not in value else "\n" + _indented(value)))
    if found.docker:
        say(f"docker     {found.docker}")
    say(f"first open {found.first_table}; a first query:\n{_indented(found.first_query)}")
    say("what was said is not in this file, and nothing that a tool does here holds up the pipeline")
    return DONE


@app.command()
def docs(
    out: Annotated[Path | None, typer.Option(help="Where to; default: docs/index.html of the data folder.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> int:
    """Write dbt's documentation (lineage, columns, tests, rules) as one HTML file that needs no network."""
    from pipelines.publishing.lock import writer_lock
    from pipelines.warehouse import Warehouse

    settings = Settings.from_environment()
    warehouse = Warehouse.of(settings)
    path = (out or settings.data / "docs" / "index.html").resolve()
    with writer_lock(settings.warehouse.with_suffix(".lock"), "iqs docs"):
        warehouse.docs(path)
    say(str(path))
    if open_:
        webbrowser.open(path.as_uri())
    return DONE


@app.command()
def lineage(
    column: Annotated[str, typer.Argument(help="trend_iqs.iqs; a table alone: each of its columns.")],
    as_json: Json = False,
) -> int:
    """Tell what a column is made of, through every table of the warehouse down to the lake and the rules."""
    from pipelines.column_lineage import UnknownColumn, column_lineage, find_column, sources_of
    from pipelines.warehouse import Warehouse

    found = column_lineage(Warehouse.of(Settings.from_environment()))
    try:
        table, name = find_column(found, column)
    except UnknownColumn as error:
        raise CommandError(str(error), USED_WRONGLY) from error
    if not name:
        say(json.dumps(found[table]) if as_json else "\n".join(_column(c, s) for c, s in found[table].items()))
        return DONE
    sources = list(sources_of(found, f"{table}.{name}"))
    if as_json:
        say(json.dumps([asdict(s) for s in sources]))
        return DONE
    for source in sources:
        say(f"{'  ' * source.depth}{source.column}{'  (see above)' if source.shown_above else ''}")
    return DONE


def _column(name: str, sources: list[str]) -> str:
    return f"{name:<28} {', '.join(sources) or 'a constant, or rows counted'}"


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dev(context: typer.Context) -> int:
    """Start Dagster's UI with the landing sensor and the schedule; further options go to `dagster dev`."""
    from pipelines.automation.launch import instance
    from pipelines.column_lineage import column_lineage
    from pipelines.warehouse import BuildError, Warehouse

    settings = Settings.from_environment()
    with instance(settings):  # its databases are there before its processes open them, all at once
        pass
    with suppress(BuildError):  # nothing is built yet: the columns have no lineage to show
        column_lineage(Warehouse.of(settings))
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(PROJECT / "workspace.yaml"), *context.args]
    # In this process's place: a signal or a service manager then reaches Dagster itself.
    os.execv(sys.executable, command)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())

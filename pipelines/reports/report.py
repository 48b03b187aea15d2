"""The manager's trend report: reads a published file, draws the charts, fills the pages. Equal data, equal bytes."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipelines.reports import explore, facts, groups, sections, words
from pipelines.reports.facts import Publication, ReportError
from pipelines.reports.parts import Pages, ReportOptions, missing, page_name
from pipelines.reports.words import count, number, percent

__all__ = ["ReportError", "ReportOptions", "render"]

BASES = ("as_scored", "restated")
FOLDERS = ("agents", "campaigns")


def render(database: Path, out: Path, *, basis: str = "as_scored", options: ReportOptions = ReportOptions()) -> Path:
    """Write the report of the published `database` (opened read-only) to `out`, replaced whole; returns `out`.

    Beside it the folders agents/ and campaigns/ get a page for each agent and campaign; they belong to the report and
    are replaced whole, too. `basis` is as_scored (the scorecard in force on the day) or restated (the newest one over
    all history). Raises ReportError where the file can't be read or lacks a table, ValueError for another basis.
    """
    if basis not in BASES:
        raise ValueError(f"basis={basis!r}: use one of {', '.join(BASES)}")
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = out.parent / f".{out.name}.{uuid.uuid4().hex}.tmp"
    staging.mkdir()
    try:
        with facts.opened(Path(database), basis) as publication:
            for name, page in _pages(publication, options, out.name):
                target = staging / name
                target.parent.mkdir(exist_ok=True)
                target.write_text(page, encoding="utf-8")
        for folder in FOLDERS:
            shutil.rmtree(out.parent / folder, ignore_errors=True)
            if (staging / folder).is_dir():
                os.replace(staging / folder, out.parent / folder)
        # Last, so that its links never lead to pages that aren't there yet.
        os.replace(staging / "index", out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return out


@cache
def _environment():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pipelines.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        number=number,
        percent=percent,
        interval=words.interval,
        count=count,
        day=words.day,
        days=words.days,
        title=words.title,
        clock=words.clock,
        missing=missing,
        style=Markup(environment.loader.get_source(environment, "report.css")[0]),
    )
    return environment


def _script(*files: str) -> dict[str, Any]:
    """The page's own script, and the hash by which its policy knows it."""
    environment = _environment()
    script = "\n".join(environment.loader.get_source(environment, file)[0].strip() for file in files)
    digest = hashlib.sha256(script.encode()).digest()
    return {"script": Markup(script), "script_hash": base64.b64encode(digest).decode()}


def _pages(publication: Publication, options: ReportOptions, index: str) -> Iterator[tuple[str, str]]:
    """(file, text) of each page, the index last; `index` is the name under which the others link to it."""
    about = facts.published(publication)
    found = facts.periods(publication)
    week = facts.headline(found["week"])
    pages = Pages(facts.names(publication, "agent"), facts.names(publication, "campaign"))
    common = {"about": about, "basis": publication.basis, "options": options, "index": index}
    if week is not None:
        template = _environment().get_template("group.html.j2")
        script = _script("report.js")
        inner = replace(pages, root="../")
        for kind, folder in (("agent", "agents"), ("campaign", "campaigns")):
            for value, page in groups.pages(publication, kind, week, inner, options):
                yield f"{folder}/{page_name(value)}", template.render(common | script | page)
    page = common | _script("report.js", "explore.js") | _index(publication, about, found, week, pages, options)
    yield "index", _environment().get_template("report.html.j2").render(page)


def _index(publication: Publication, about: dict, found: dict, week: Any, pages: Pages, options: ReportOptions) -> dict:
    page: dict[str, Any] = {
        "week": week,
        "trust": sections.trust(publication, about, week, pages, options),
        "glossary": sections.glossary(publication),
        "pages": pages,
    }
    if week is None:
        empty = ("how", "why", "where", "process", "actions", "worked", "explore")
        return page | dict.fromkeys(empty)
    week_before = facts.before(found["week"], week)
    page["how"] = sections.how(publication, found, week, week_before, options)
    page["why"] = sections.why(publication, week, week_before, pages, options)
    page["where"] = sections.where(publication, week, pages, options)
    page["process"] = sections.process(publication, week, pages)
    page["actions"] = sections.actions(publication, week, pages, options)
    page["worked"] = sections.worked(publication, week)
    page["explore"] = explore.data(publication, pages, options.cells_at_most)
    page["short"] = sections.in_short(page)
    return page

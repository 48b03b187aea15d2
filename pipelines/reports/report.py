"""The manager's trend report: reads a published file, draws the charts, fills the pages. Equal data, equal bytes."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from pipelines.reports import explore, facts, groups, sections, words
from pipelines.reports.facts import Publication, ReportError
from pipelines.reports.parts import Pages, ReportOptions, missing, page_name
from pipelines.reports.words import count, number, percent

__all__ = ["ReportError", "ReportOptions", "render"]

BASES = ("as_scored", "restated")
FOLDERS = {"agent": "agents", "campaign": "campaigns"}
# What differs from publication to publication on a page whose facts are the same.
_STAMP = re.compile(r'(<(?:span|code) data-stamp="(\w+)">)(.*?)(</)', re.S)
_SEAL = re.compile(r"<!-- facts ([a-p]{20}), page ([a-p]{20}) -->\n\Z")
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def render(
    database: Path,
    out: Path,
    *,
    basis: str = "as_scored",
    options: ReportOptions = ReportOptions(),
    before: Path | None = None,
) -> Path:
    """Write the report of the published `database` (opened read-only) to `out`, replaced whole; returns `out`.

    Beside it the folders agents/ and campaigns/ get a page for each agent and campaign; they belong to the report and
    are replaced whole, too. `basis` is as_scored (the scorecard in force on the day) or restated (the newest one over
    all history). `before` is the folder of an earlier report: a page of an agent or a campaign whose facts are the
    same, and whose file is as it was written, is taken over from there instead of being drawn; the outcome is the
    same to the byte. Raises ReportError where the file can't be read or lacks a table, ValueError for another basis.
    """
    if basis not in BASES:
        raise ValueError(f"basis={basis!r}: use one of {', '.join(BASES)}")
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = out.parent / f".{out.name}.{uuid.uuid4().hex}.tmp"
    staging.mkdir()
    try:
        with facts.opened(Path(database), basis) as publication:
            for name, page in _pages(publication, options, out.name, before):
                target = staging / name
                target.parent.mkdir(exist_ok=True)
                target.write_text(page, encoding="utf-8")
        for folder in FOLDERS.values():
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


def _pages(
    publication: Publication, options: ReportOptions, index: str, before: Path | None
) -> Iterator[tuple[str, str]]:
    """(file, text) of each page, the index last; `index` is the name under which the others link to it."""
    about = facts.published(publication)
    found = facts.periods(publication)
    week = facts.headline(found["week"])
    pages = Pages(facts.names(publication, "agent"), facts.names(publication, "campaign"))
    common = {"about": about, "basis": publication.basis, "options": options, "index": index}
    if week is not None:
        stamps = _stamps(about)
        made_by = (_program(), publication.basis, index, options, sorted(stamps))
        inner = replace(pages, root="../")
        shell = common | _script("report.js") | {"stamps": stamps}
        for kind, folder in FOLDERS.items():
            for group in groups.facts_of(publication, kind, week, inner, options):
                name = f"{folder}/{page_name(group.value)}"
                key = _letters(repr((made_by, group)))
                yield name, _taken_over(before, name, key, stamps) or _sealed(_drawn(group, shell), key)
    page = common | _script("report.js", "explore.js") | _index(publication, about, found, week, pages, options)
    yield "index", _environment().get_template("report.html.j2").render(page)


def _drawn(group: groups.GroupFacts, shell: dict[str, Any]) -> str:
    return _environment().get_template("group.html.j2").render(shell | groups.page(group))


def _stamps(about: dict[str, Any]) -> dict[str, Markup]:
    """What the pages say about the publication, by name; equal pages of two publications differ in nothing else."""
    stamps = {}
    if about["last_day"]:
        stamps["day"] = escape(f"Calls to {words.day(about['last_day'], year=True, weekday=True)}")
    if about["publish_id"]:
        stamps["publication"] = escape(about["publish_id"])
    return stamps


def _sealed(text: str, key: str) -> str:
    """The page with a last line that tells the facts it was drawn from and its own text but for the stamps."""
    return f"{text}\n<!-- facts {key}, page {_unstamped(text)} -->\n"


def _taken_over(before: Path | None, name: str, key: str, stamps: dict[str, Markup]) -> str | None:
    """The earlier page with today's stamps; None where there is none of these facts, or not as it was written."""
    if before is None:
        return None
    try:
        page = (before / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    seal = _SEAL.search(page)
    if seal is None or seal[1] != key:
        return None
    text = page[: seal.start()].removesuffix("\n")
    if seal[2] != _unstamped(text):
        return None
    return _STAMP.sub(lambda m: f"{m[1]}{stamps[m[2]]}{m[4]}", text) + "\n" + seal[0]


def _unstamped(text: str) -> str:
    """Digest of a page but for its stamps."""
    return _letters(_STAMP.sub(r"\1\4", text))


def _letters(text: str) -> str:
    """A digest in letters alone: digits could look like a card number to the search for leaks."""
    return hashlib.sha256(text.encode()).hexdigest()[:20].translate(_LETTERS)


@cache
def _program() -> str:
    """A digest of all that turns facts into pages: this package with its templates, and the vocabulary."""
    digest = hashlib.sha256()
    package = resources.files("pipelines.reports")
    files = [*package.iterdir(), *(package / "templates").iterdir()]
    files.append(resources.files("pipelines.contracts") / "vocabulary.py")
    for file in sorted((f for f in files if f.is_file()), key=lambda f: f.name):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _index(publication: Publication, about: dict, found: dict, week: Any, pages: Pages, options: ReportOptions) -> dict:
    page: dict[str, Any] = {
        "week": week,
        "trust": sections.trust(publication, about, week, pages, options),
        "glossary": sections.glossary(publication),
        "client": facts.only_client(publication),
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

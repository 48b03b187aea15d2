"""Take a picture of every kind of page at two widths: those that docs/ shows.

python tests/browser/screenshots.py OUT_FOLDER [DATA_FOLDER]

Those of docs/ are of the sample: `make demo`, then
`IQS_LANDING=data/sample/landing python tests/browser/screenshots.py docs data/demo`. DATA_FOLDER is that of an
installation, which is only read: its current publication, a call of it, and the report of its first client (a minute)
are drawn. Without it the invented publication of the unit tests is drawn, which has no client. A picture holds the top
of a page or a section. --all takes every section, in dark colours too, for whoever looks the report over; --whole each
page from top to end. Needs Chromium; says so and stops where there is none.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "unit" / "reports"), str(HERE.parents[1])]

from chromium import find, tab  # noqa: E402

from pipelines.lake import Lake  # noqa: E402
from pipelines.settings import Settings  # noqa: E402

# What is added to a picture's name -> width and greatest height in pixels: about 150 kB each.
SIZES = {"": (1280, 1400), "_phone": (390, 1500)}
IN_DOCS = ("report", "report_where", "agent", "campaign", "call", "call_transcript", "client")


@dataclass(frozen=True)
class Shot:
    """A picture: its name, the page, and the part that it shows (a CSS selector; the top of the page where empty)."""

    name: str
    page: Path
    part: str = ""


def shots(report: Path, call: Path, client: Path | None) -> list[Shot]:
    """One picture of each kind of page, and of each question of the report."""
    pages = {kind: sorted((report / kind).glob("*.html")) for kind in ("agents", "campaigns")}
    # The pages with most to show.
    richest = {kind: max(found, key=lambda p: p.stat().st_size) for kind, found in pages.items() if found}
    index = report / "index.html"
    found = [Shot("report", index)]
    found += [Shot(f"report_{part}", index, f"#{part}") for part in ("why", "where", "process", "actions", "trust")]
    if richest:
        found += [Shot("agent", richest["agents"]), Shot("campaign", richest["campaigns"])]
        found += [Shot("campaign_agents", richest["campaigns"], "#agents-here")]
    found += [Shot("call", call), Shot("call_transcript", call, "#transcript"), Shot("call_people", call, "#reviews")]
    return [*found, Shot("client", client)] if client else found


def of_installation(settings: Settings, folder: Path, *, with_client: bool) -> list[Shot]:
    """The pages of an installation's current publication, and its first client's report, drawn anew."""
    import polars as pl

    from pipelines.audio.decode import DecodeLimits
    from pipelines.audio.sandbox import Sandbox
    from pipelines.clients import render_client
    from pipelines.contracts.landing import INTERACTIONS
    from pipelines.reports import facts, render
    from pipelines.reports.calls import CallOptions, Sound, chosen, render_call
    from pipelines.reports.parts import page_name
    from pipelines.warehouse import Warehouse

    generation = (settings.published / "current").resolve()
    report = render(generation / "iqs.duckdb", folder / "report" / "index.html").parent
    with facts.opened(generation / "iqs.duckdb", "as_scored") as publication:
        calls = chosen(publication, CallOptions())
    for call in calls:
        render_call(generation, call, folder / "calls" / page_name(call))
    lake = Lake(settings.lake)
    richest = _richest_call(folder / "calls")
    name = next(c for c in calls if page_name(c) == richest.name)
    sound = Sound(lake, settings.landing, lambda: Sandbox(1, DecodeLimits()))
    call = render_call(generation, name, folder / "call.html", sound)
    clients = [lake.read(INTERACTIONS, day)["client"].drop_nulls() for day in lake.days(INTERACTIONS)]
    names = sorted(set(pl.concat(clients))) if clients and with_client else []
    warehouse = Warehouse.of(settings)
    return shots(report, call, render_client(names[0], warehouse, folder / "client") if names else None)


def of_example(folder: Path) -> list[Shot]:
    """The pages of the invented publication."""
    from example_calls import make

    from pipelines.reports import render
    from pipelines.reports.calls import render_call

    example = make(folder / "example")
    report = render(example.generation / "iqs.duckdb", folder / "report" / "index.html").parent
    call = render_call(example.generation, example.heard, folder / "calls" / "call.html", example.sound())
    return shots(report, call, None)


def _richest_call(folder: Path) -> Path:
    """The page with most flags, of those of calls that people rated where there are any."""

    def rich(page: Path) -> tuple[bool, int, str]:
        text = page.read_text("utf-8")
        return 'id="reviews"' in text, text.count('class="flags"'), page.name

    return max(folder.glob("*.html"), key=rich)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT_FOLDER")
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA_FOLDER")
    parser.add_argument("--all", action="store_true", help="every section, in dark colours too")
    parser.add_argument("--whole", action="store_true", help="each page from top to end")
    parser.add_argument("--only", default="", help="pictures whose name begins with this")
    given = parser.parse_args(arguments)
    if find() is None:
        print("skipped: no Chromium here; install chromium, or name it in CHROMIUM")
        return 0
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, tab() as opened:
        folder = Path(temporary)
        if given.data:
            os.environ["IQS_DATA"] = str(given.data.resolve())
            with_client = "client".startswith(given.only)
            found = of_installation(Settings.from_environment(), folder, with_client=with_client)
        else:
            found = of_example(folder)
        for shot in found:
            wanted = given.all or (not shot.part if given.whole else shot.name in IN_DOCS)
            if not wanted or not shot.name.startswith(given.only):
                continue
            for suffix, (width, most_px) in SIZES.items():
                for dark in (False, True) if given.all else (False,):
                    out = given.out / f"{shot.name}{suffix}{'_dark' if dark else ''}.png"
                    most = None if given.whole else most_px
                    if opened.picture(shot.page, out, width, dark=dark, part=shot.part, most_px=most):
                        print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

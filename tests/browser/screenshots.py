"""Take pictures of a report and a page of an agent and of a campaign, at two widths, light and dark:

python tests/browser/screenshots.py OUT_FOLDER [PUBLISHED.duckdb]

Without a database it draws the invented one of the unit tests. Needs Chromium; says so and stops where there is none.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "unit" / "reports"), str(HERE.parents[1])]

from chromium import find, tab  # noqa: E402
from example_publication import build  # noqa: E402

from pipelines.reports import render  # noqa: E402

SIZES = {"desktop": 1280, "phone": 390}


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__)
        return 2
    if find() is None:
        print("skipped: no Chromium here; install chromium, or name it in CHROMIUM")
        return 0
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        database = Path(arguments[1]) if len(arguments) > 1 else build(Path(temporary) / "iqs.duckdb")
        page = render(database, folder / "report.html")
    pages = {"report": page}
    for kind in ("agents", "campaigns"):
        pages |= {kind.removesuffix("s"): path for path in sorted(folder.glob(f"{kind}/*.html"))[:1]}
    with tab() as opened:
        for name, path in pages.items():
            for size, width in SIZES.items():
                for dark in (False, True):
                    out = folder / f"{name}_{size}{'_dark' if dark else ''}.png"
                    print(opened.picture(path, out, width, dark=dark))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

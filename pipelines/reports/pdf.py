"""The report as PDF, printed by a headless Chromium where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from pipelines.reports.facts import ReportError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
QUIET = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
)


def find_browser() -> str | None:
    """Path of a Chromium or a browser made from it, or None. The variable CHROMIUM comes first."""
    names = (os.environ.get("CHROMIUM"), *BROWSERS)
    return next((path for name in names if name and (path := shutil.which(name))), None)


def print_pdf(page: Path, out: Path, *, timeout_s: float = 120) -> Path:
    """Print the HTML file `page` to `out`, replaced whole; returns `out`.

    Raises ReportError where there is no browser, no page, no place to write to, or nothing comes out in time.
    """
    browser = find_browser()
    if browser is None:
        raise ReportError("a PDF needs Chromium or Chrome: install one, or name it in the variable CHROMIUM")
    if not page.is_file():
        raise ReportError(f"there is no report at {page}")
    if not out.parent.is_dir():
        raise ReportError(f"{out.parent} is no folder: make it, or name another place for the PDF")
    if out.is_dir():
        raise ReportError(f"{out} is a folder: name a file for the PDF")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "report.pdf"
        # Chromium's sandbox refuses to run as root, as in most containers; the page is ours and loads nothing.
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        profile = f"--user-data-dir={folder}/profile"
        command = [browser, *QUIET, *as_root, profile, f"--print-to-pdf={made}", page.resolve().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise ReportError(f"{browser} printed nothing within {timeout_s:g} s") from error
        except OSError as error:
            raise ReportError(f"{browser} can't be started: {error}") from error
        if not made.exists() or not made.read_bytes().startswith(b"%PDF"):
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ReportError(f"{browser} made no PDF (exit code {done.returncode}): {last}")
        # Copied beside the target first: the temporary folder may lie on another disk.
        beside = out.with_name(f".{out.name}.tmp")
        try:
            shutil.copyfile(made, beside)
            os.replace(beside, out)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise ReportError(f"{out} can't be written: {error.strerror}") from error
    return out

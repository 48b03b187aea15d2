"""Drive a headless Chromium by its command line: no driver, no socket."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def find() -> str | None:
    """Path of a Chromium, or None. The variable CHROMIUM comes first."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def run(page: Path, *flags: str, timeout_s: float = 90) -> subprocess.CompletedProcess[str]:
    """Open `page` with a profile of its own and these flags; returns what was written to stdout and stderr."""
    with tempfile.TemporaryDirectory() as profile:
        command = [find(), *QUIET, f"--user-data-dir={profile}", *flags, page.resolve().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def screenshot(page: Path, out: Path, width: int, *, dark: bool = False, height: int | None = None) -> Path:
    """A picture of the whole page (or its first `height` pixels) at this width."""
    # Chromium's window is at least 500 wide, so a phone is a frame of its width in a window of ours.
    with tempfile.TemporaryDirectory() as folder:
        tall = height or page_size(page, width)[1]
        frame = Path(folder) / "frame.html"
        frame.write_text(
            "<!doctype html><style>body{margin:0;background:#888}iframe{border:0;display:block}</style>"
            f'<iframe src="{page.resolve().as_uri()}" width="{width}" height="{tall}"></iframe>'
        )
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        run(frame, scheme, f"--screenshot={out.resolve()}", f"--window-size={max(width, 500)},{tall}")
    if not out.exists():
        raise RuntimeError(f"Chromium took no picture of {page}")
    return out


def page_size(page: Path, width: int) -> tuple[int, int]:
    """(width, height) in pixels that the whole page takes at this `width`, told by a copy that measures itself."""
    with tempfile.TemporaryDirectory() as folder:
        copy, frame = Path(folder) / "copy.html", Path(folder) / "frame.html"
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"), count=1)
        root = "document.documentElement"
        tell = f"parent.postMessage({root}.scrollWidth+'x'+document.body.scrollHeight,'*')"
        measure = f"<script>addEventListener('load',()=>{tell})</script>"
        copy.write_text(text.replace("</body>", f"{measure}</body>"), "utf-8")
        frame.write_text(
            "<!doctype html><script>addEventListener('message',e=>{document.title='size='+e.data})</script>"
            f'<iframe src="{copy.as_uri()}" width="{width}" height="600" style="border:0"></iframe>'
        )
        dom = run(frame, "--dump-dom", "--virtual-time-budget=3000", "--window-size=1400,900").stdout
    found = re.search(r"<title>size=(\d+)x(\d+)</title>", dom)
    if not found:
        raise RuntimeError(f"Chromium could not measure {page}")
    return int(found.group(1)), int(found.group(2))


@dataclass(frozen=True)
class Visit:
    """What a page did when it was opened: its DOM, what the console said, and the URLs that it asked for."""

    dom: str
    console: list[str]
    requests: list[str]


def visit(page: Path, *flags: str) -> Visit:
    """Open `page` and record the console and every request but the page itself."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "net.json"
        logging = ("--enable-logging=stderr", f"--log-net-log={log}", "--net-log-capture-mode=Default")
        nowhere = "--host-resolver-rules=MAP * ~NOTFOUND"
        done = run(page, "--dump-dom", "--virtual-time-budget=3000", nowhere, *logging, *flags)
        net = log.read_text("utf-8", errors="replace") if log.exists() else ""
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return Visit(done.stdout, console, _asked_by_pages(net))


def _asked_by_pages(net_log: str) -> list[str]:
    """URLs that pages asked for; the browser's own errands have no origin as their initiator."""
    found = set()
    for line in net_log.splitlines():
        initiator = re.search(r'"initiator":"([^"]*)"', line)
        url = re.search(r'"url":"((?!file:|data:)[^"]+)"', line)
        if initiator and url and initiator.group(1) != "not an origin":
            found.add(url.group(1))
    return sorted(found)

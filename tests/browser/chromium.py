"""Drive a headless Chromium by its command line, or over a pipe of its debugging protocol: no driver, no socket."""

from __future__ import annotations

import base64
import fcntl
import importlib.util
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


def axe_script() -> Path:
    """axe.min.js: the file that AXE_JS names, or the one of the installed package. Raises FileNotFoundError."""
    if named := os.environ.get("AXE_JS"):
        return Path(named)
    for package in ("axe_core_python", "axe_playwright_python"):
        found = importlib.util.find_spec(package)
        if found and found.origin and (script := Path(found.origin).parent / "axe.min.js").exists():
            return script
    raise FileNotFoundError("no axe.min.js here: `make setup` installs axe-core-python, or name the file in AXE_JS")


@dataclass
class Tab:
    """An open page that can be asked and operated; `console` and `requests` hold what it said and asked for."""

    process: subprocess.Popen
    to_browser: int
    from_browser: int
    session: str = ""
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _last: int = 0
    _rest: bytes = b""

    def call(self, method: str, timeout_s: float = 60, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer; events that come meanwhile are kept."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.from_browser], [], [], left)[0]:
                raise TimeoutError("Chromium did not answer in time")
            got = os.read(self.from_browser, 1 << 20)
            if not got:
                raise RuntimeError("Chromium ended")
            self._rest += got
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def _note(self, event: dict[str, Any]) -> None:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(a.get("value", a.get("description"))) for a in parameters["args"]))
        elif method == "Runtime.exceptionThrown":
            self.console.append(parameters["exceptionDetails"]["text"])
        elif method == "Log.entryAdded":
            self.console.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    def open(self, page: Path, fragment: str = "") -> float:
        """Load `page`; returns the seconds until its load event."""
        self.console.clear()
        self.requests.clear()
        began = time.monotonic()
        self.call("Page.navigate", url=page.resolve().as_uri() + fragment)
        while self.ask("document.readyState") != "complete":
            time.sleep(0.01)
        return time.monotonic() - began

    def ask(self, expression: str, timeout_s: float = 60) -> Any:
        """Value of a JavaScript expression in the page; a promise is awaited."""
        answer = self.call("Runtime.evaluate", timeout_s, expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "failed"))
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key: Tab, Enter, Space, or a character."""
        codes = {"Tab": 9, "Enter": 13, "Space": 32}
        known = {"key": " " if key == "Space" else key, "windowsVirtualKeyCode": codes.get(key, 0)}
        text = {"Enter": "\r", "Space": " ", "Tab": ""}.get(key, key)
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def show_as(self, *, width: int = 1280, height: int = 900, dark: bool = False, media: str = "screen") -> None:
        """Show the page on a screen of this size (or as printed), light or dark."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def picture(
        self, page: Path, out: Path, width: int, *, dark: bool = False, part: str = "", most_px: int | None = None
    ) -> Path | None:
        """A picture of the page at this width, or of its part (a CSS selector), at most so many pixels high.

        None where the page has no such part.
        """
        self.show_as(width=width, dark=dark)
        self.open(page)
        height = self.ask("document.documentElement.scrollHeight")
        self.show_as(width=width, height=height, dark=dark)
        box = "(e => e && (r => [r.top + scrollY, r.height])(e.getBoundingClientRect()))"
        found = self.ask(f"{box}(document.querySelector({json.dumps(part or 'html')}))")
        if found is None:
            return None
        top, tall = found
        clip = {"x": 0, "y": top, "width": width, "height": min(tall, most_px or tall), "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        out.write_bytes(base64.b64decode(shot["data"]))
        return out


@contextmanager
def tab(*, scripting: bool = True) -> Iterator[Tab]:
    """A tab of a browser of its own, ended with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        pipes = [os.pipe(), os.pipe()]
        # Chromium reads from 3 and writes to 4; ours stay clear of these numbers.
        child_in, child_out = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 50) for fd in (pipes[0][0], pipes[1][1]))
        to_browser, from_browser = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 50) for fd in (pipes[0][1], pipes[1][0]))
        for fd in (*pipes[0], *pipes[1]):
            os.close(fd)

        def connect() -> None:
            os.dup2(child_in, 3)
            os.dup2(child_out, 4)

        process = subprocess.Popen(
            [find(), *QUIET, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=connect,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(child_in)
        os.close(child_out)
        try:
            opened = Tab(process, to_browser, from_browser)
            target = opened.call("Target.createTarget", url="about:blank")["targetId"]
            session = opened.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            opened.session = session
            for domain in ("Page", "Runtime", "Log", "Network"):
                opened.call(f"{domain}.enable")
            if not scripting:
                opened.call("Emulation.setScriptExecutionDisabled", value=True)
            yield opened
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(to_browser)
            os.close(from_browser)

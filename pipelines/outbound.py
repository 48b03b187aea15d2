"""Requests that leave the house: bounded in time and size, and tried again where that may help."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_LARGEST_ANSWER = 65_536
# 408 and 425 say "again", 429 "later"; 5xx are the receiver's own trouble. Anything else would come again.
_MAY_PASS = {408, 425, 429}


@dataclass(frozen=True)
class Patience:
    """How long and how often something outside is tried: waits double from `first_wait_s`, with jitter.

    A receiver that asks for more than `longest_wait_s` is left alone until the next run.
    """

    tries: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    timeout_s: float = 10.0

    def wait_s(self, tried: int, asked_s: float | None = None) -> float | None:
        """Seconds to wait after `tried` tries; None: give up."""
        if tried >= self.tries or (asked_s or 0) > self.longest_wait_s:
            return None
        own = min(self.first_wait_s * 2 ** (tried - 1) * random.uniform(0.75, 1.25), self.longest_wait_s)
        return max(own, asked_s or 0.0)


@dataclass(frozen=True)
class Answer:
    """What came of a request. `status` is None where there was no answer; then `reason` is the kind of error."""

    status: int | None
    reason: str
    tries: int = 1
    body: bytes = b""
    retry_after_s: float | None = None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status is None or self.status in _MAY_PASS or self.status >= 500

    @property
    def words(self) -> str:
        """The answer in a few words, without anything that the receiver wrote."""
        return f"{self.status} {self.reason}".strip() if self.status else self.reason


def usable_url(url: str) -> bool:
    """Whether this is an http(s) address with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def request(method: str, url: str, body: bytes, headers: Mapping[str, str], patience: Patience | None = None) -> Answer:
    """Send, and again while the answer may pass and the patience lasts; never raises for what happens outside.

    Redirects are not followed: a body with scores goes to the configured address only.
    """
    patience, tried = patience or Patience(), 0
    while True:
        tried += 1
        answer = _once(method, url, body, headers, patience.timeout_s)
        wait_s = patience.wait_s(tried, answer.retry_after_s) if answer.may_pass else None
        if answer.ok or wait_s is None:
            return Answer(answer.status, answer.reason, tried, answer.body, answer.retry_after_s)
        time.sleep(wait_s)


def _once(method: str, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    asked = Request(url, data=body, method=method, headers={"User-Agent": "iqs", **headers})
    try:
        with build_opener(Stay).open(asked, timeout=timeout_s) as response:
            return Answer(response.status, _phrase(response.status), body=_read(response, timeout_s))
    except HTTPError as error:
        with error:
            try:
                found = _read(error, timeout_s)
            except (OSError, HTTPException):
                found = b""
            return Answer(error.code, _phrase(error.code), body=found, retry_after_s=_retry_after_s(error.headers))
    except URLError as error:
        return Answer(None, error_words(error.reason))
    except (OSError, HTTPException) as error:
        return Answer(None, error_words(error))


def _read(response, timeout_s: float) -> bytes:
    """The answer's body, cut at 64 kB and after `timeout_s`: a receiver that drips must not hold the run."""
    found, until = b"", time.monotonic() + timeout_s
    while len(found) < _LARGEST_ANSWER and time.monotonic() < until:
        piece = response.read1(8192)
        if not piece:
            break
        found += piece
    return found[:_LARGEST_ANSWER]


def _phrase(status: int) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _retry_after_s(headers) -> float | None:
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    text = (headers.get("Retry-After") or "").strip()
    if not text:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def error_words(error: object) -> str:
    """The kind of an error in words, without addresses: `connection refused`, `timed out`, …"""
    import os
    import socket
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return "the certificate is not trusted"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, socket.gaierror):
        return "the host's name is not known"
    if isinstance(error, OSError) and error.errno and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno).lower()
    return type(error).__name__ if isinstance(error, BaseException) else "no connection"

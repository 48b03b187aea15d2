from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from pipelines.reports import ReportError, print_pdf


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("<!doctype html><p>report</p>")
    return page


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """A program in place of the browser; returns how to write what it does."""

    def does(shell: str) -> None:
        program = tmp_path / "browser"
        program.write_text(f"#!/bin/sh\n{shell}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("CHROMIUM", str(program))

    return does


def test_without_a_browser_the_message_says_what_to_install(page, tmp_path, monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReportError, match="install one, or name it in the variable CHROMIUM"):
        print_pdf(page, tmp_path / "out.pdf")


def test_a_browser_that_fails_is_quoted_and_leaves_no_file(page, tmp_path, browser):
    browser("echo 'no display' >&2; exit 3")
    with pytest.raises(ReportError, match=r"made no PDF \(exit code 3\): no display"):
        print_pdf(page, tmp_path / "out.pdf")
    assert not (tmp_path / "out.pdf").exists()


def test_a_browser_that_hangs_is_given_up(page, tmp_path, browser):
    browser("exec sleep 60")
    with pytest.raises(ReportError, match=r"printed nothing within 0\.5 s"):
        print_pdf(page, tmp_path / "out.pdf", timeout_s=0.5)


@pytest.mark.parametrize(("name", "message"), [("nowhere/out.pdf", "is no folder"), ("", "is a folder")])
def test_a_place_that_can_not_be_written_to_is_named(page, tmp_path, browser, name, message):
    browser("exit 0")
    with pytest.raises(ReportError, match=message):
        print_pdf(page, tmp_path / name)


def test_a_missing_report_is_named(tmp_path, browser):
    browser("exit 0")
    with pytest.raises(ReportError, match="there is no report at"):
        print_pdf(tmp_path / "index.html", tmp_path / "out.pdf")


def test_the_command_without_a_browser_says_so_and_shows_no_trace(tmp_path):
    report = tmp_path / "published" / "current" / "report"
    report.mkdir(parents=True)
    (report / "index.html").write_text("<!doctype html><p>report</p>")
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "report", "--pdf", str(tmp_path / "out.pdf")],
        env={"IQS_DATA": str(tmp_path), "PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "a PDF needs Chromium or Chrome" in done.stderr
    assert "Traceback" not in done.stderr

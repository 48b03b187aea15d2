"""Call pages: contributions add up, flags and feelings have labels, clips are beeped, nothing is shown to others."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import numpy as np
import pytest
import soundfile
from example_calls import CARD_S, LENGTH_S, RATE_HZ, Example, make
from example_publication import EVIL

from pipelines.publishing.publisher import LeakFound, _scan
from pipelines.reports.calls import (
    FOLDER,
    CallOptions,
    costliest,
    personal_spans,
    render_call,
    render_calls,
    sentiment_label,
    transcript,
)
from pipelines.reports.facts import ReportError
from pipelines.reports.parts import page_name

SEEDS = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds"


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> Example:
    made = make(tmp_path_factory.mktemp("calls"))
    render_calls(made.generation, made.sound())
    return made


def page_of(example: Example, name: str) -> str:
    return (example.generation / FOLDER / page_name(name)).read_text("utf-8")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def text_of(html: str) -> str:
    parser = _Text()
    parser.feed(re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.S))
    return " ".join(" ".join(parser.pieces).split())


def clips_of(html: str) -> list[str]:
    return re.findall(r'<audio [^>]*src="([^"]+)"', html)


def share_at_1_khz(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples)))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return float(power[np.abs(hz - 1000) < 50].sum() / power.sum())


# --- which calls, and for whom


def test_calls_to_coach_good_examples_failed_ones_and_those_with_alerts_get_a_page(example):
    with duckdb.connect(str(example.generation / "iqs.duckdb"), read_only=True) as connection:
        expected = {
            name
            for (name,) in connection.execute(
                "select interaction_id from coaching_queue union select interaction_id from prime_calls"
                " union select interaction_id from fct_call_scores where is_failed"
                " union select a.interaction_id from alerts a join fct_call_scores using (interaction_id)"
            ).fetchall()
        }
    found = {p.name for p in (example.generation / FOLDER).glob("*.html")} - {"index.html"}
    assert found == {page_name(name) for name in expected}


def test_never_more_pages_than_the_setting_allows_and_the_newest_first(example, tmp_path):
    folder = tmp_path / "gen"
    shutil.copytree(example.generation, folder, ignore=shutil.ignore_patterns("calls"))
    assert render_calls(folder, options=CallOptions(call_pages=2)) == 2
    assert len(list((folder / FOLDER).glob("*.html"))) == 3
    index = (folder / FOLDER / "index.html").read_text("utf-8")
    with duckdb.connect(str(folder / "iqs.duckdb"), read_only=True) as connection:
        (newest,) = connection.execute("select max(call_date) from coaching_queue").fetchone()
    assert f"{newest.day} {newest:%b %Y}" in index


def test_the_shipped_settings_are_read():
    assert CallOptions.read(SEEDS) == CallOptions(call_page_days=28, call_pages=300, call_clips=100)


def test_nobody_else_may_read_the_pages_and_clips(example):
    folder = example.generation / FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "clips").stat().st_mode & 0o777 == 0o700
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert files
    assert {p.stat().st_mode & 0o777 for p in files} == {0o600}


# --- the score


def test_the_contributions_add_up_to_the_score_that_is_shown(example):
    with duckdb.connect(str(example.generation / "iqs.duckdb"), read_only=True) as connection:
        (unfailed,) = connection.execute(
            "select iqs_unfailed from fct_interactions where interaction_id = ?", [example.heard]
        ).fetchone()
    table = re.search(
        r"<caption[^>]*>How the score came about</caption>.*?</table>", page_of(example, example.heard), re.S
    )
    body, foot = table.group().split("<tfoot>")
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)[-1] for row in re.findall(r"<tr><th scope=\"row\".*", body)]
    contributions = [Decimal(c) for c in cells if c != "–"]
    assert len(contributions) >= 10
    assert sum(contributions) == round(unfailed, 2)
    assert f">{round(unfailed, 2)}</td>" in foot


def test_a_failed_call_says_what_failed_it_and_what_it_would_have_had(example):
    text = text_of(page_of(example, example.failed))
    assert "0.0 IQS" in text
    assert re.search(r"Failed: .* is critical and below its threshold, which makes the score 0\. Without it: \d", text)


# --- the transcript


def test_every_line_has_its_feeling_as_a_word_not_as_a_colour_alone(example):
    html = page_of(example, example.heard)
    assert re.search(r'<li id="u1" class="customer negative".*?▼</span> negative', html, re.S)
    assert re.search(r'<li id="u4" class="customer positive".*?▲</span> positive', html, re.S)
    assert re.search(r'<li id="u3" class="customer" data-start="15.0" data-end="20.0">', html)


@pytest.mark.parametrize(
    ("value", "label"),
    [(-1, "negative"), (-0.3, "negative"), (-0.29, "neutral"), (0, "neutral"), (0.3, "positive"), (None, None)],
)
def test_sentiment_is_felt_from_0_3_on(value, label):
    assert sentiment_label(value) == label


def line(i: int, party: str | None, start_s: float | None, end_s: float | None, text: str = "") -> dict:
    times = {"start_s": start_s, "end_s": end_s, "sent_at": None}
    return {"utterance": i, "party": party, "text": text, "sentiment": None} | times


def event(kind: str, party: str, start_s: float | None, end_s: float | None, evidence: str | None = None) -> dict:
    return {"event": 0, "kind": kind, "party": party, "start_s": start_s, "end_s": end_s, "evidence": evidence}


def test_a_flag_stands_at_the_line_of_the_same_party():
    said = [line(0, "customer", 0, 10), line(1, "agent", 8, 12)]
    lines, loose = transcript({"utterances": said, "events": [event("interruption", "agent", 8.0, 10.0)]})
    assert [[f["name"] for f in x["flags"]] for x in lines] == [[], ["interruption"]]
    assert loose == []


def test_silence_is_a_line_of_its_own_in_its_place():
    said = [line(0, "agent", 0, 5), line(1, "customer", 17, 20)]
    lines, _ = transcript({"utterances": said, "events": [event("dead_air", "call", 5.0, 17.0)]})
    assert [(x["id"], x["text"]) for x in lines] == [("u0", ""), ("e0", "(12.0 s)"), ("u1", "")]


def test_a_flag_of_a_chat_stands_at_the_message_that_holds_its_evidence_and_else_below():
    said = [line(0, "agent", None, None, "As per policy, no."), line(1, "customer", None, None, "Oh.")]
    events = [
        event("dismissive", "agent", None, None, "As per policy"),
        event("adherence", "agent", None, None, "x: missed"),
    ]
    lines, loose = transcript({"utterances": said, "events": events})
    assert [[f["name"] for f in x["flags"]] for x in lines] == [["dismissive"], []]
    assert [f["evidence"] for f in loose] == ["x: missed"]


def test_ratings_of_people_stand_beside_the_machines_score_with_what_they_wrote(example):
    text = text_of(page_of(example, example.heard))
    part = text.partition("Ratings by people")[2].partition("Rate it yourself")[0]
    # 9 of 15 points are 60; the expert comes first; a parameter of the centre's own has no score of the machine.
    assert re.search(r"Empathy 50 (\d+|– no score) R3, expert \(quality\) – none CAL-01, 4 Mar 2026", part)
    assert re.search(r"Empathy 60 (\d+|– no score) R1 \(ops\) Kind at the end, .* but .*sorry.* came late", part)
    assert "Courtesy 80 – no score R1 (ops)" in part
    assert re.search(r"– does not apply (\d+|– no score) R1 \(ops\) nobody was put on hold", part)
    assert "Ratings by people" not in text_of(page_of(example, example.gone))


def test_the_parameters_that_cost_most_stand_beside_the_score():
    lost = {"empathy": 3.25, "resolution": 16.0, "volume": 0.4, "hold": None, "pace": 3.25, "silence": 9.0}
    rows = [{"parameter": p, "points_lost": x} for p, x in lost.items()]
    assert [r["parameter"] for r in costliest(rows)] == ["resolution", "silence", "empathy"]
    assert costliest([]) == []


def test_a_publication_from_before_there_were_comments_has_pages(example, tmp_path):
    folder = tmp_path / "gen"
    shutil.copytree(example.generation, folder, ignore=shutil.ignore_patterns("calls"))
    with duckdb.connect(str(folder / "restricted" / "iqs_restricted.duckdb")) as connection:
        connection.execute("drop table fct_reviews")
    html = render_call(folder, example.heard, tmp_path / "page.html").read_text("utf-8")
    assert "Ratings by people" not in html


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        ("Hello there", ""),
        ("greeting: Hello there", "greeting"),
        ("offer_to_help: missed", "offer to help: missed"),
        ("At 12: Hello there", "At 12: Hello there"),
    ],
)
def test_a_flag_does_not_repeat_the_line_that_it_stands_at(evidence, shown):
    lines, _ = transcript(
        {
            "utterances": [line(0, "agent", 0, 5, "Hello there, this is Ann.")],
            "events": [event("adherence", "agent", 0.0, 2.0, evidence)],
        }
    )
    assert [f["evidence"] for f in lines[0]["flags"]] == [shown]


def test_what_people_said_is_never_markup(example):
    for path in (example.generation / FOLDER).glob("*.html"):
        html = path.read_text("utf-8")
        assert EVIL not in html
        assert html.count("<script") == (0 if path.name == "index.html" else 1)
    assert EVIL.replace("<", "&lt;").replace(">", "&gt;") in page_of(example, example.heard)


def test_a_page_may_run_its_own_script_and_fetch_nothing_but_sound(example):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page_of(example, example.heard)).group(1)
    assert policy.startswith("default-src 'none';")
    assert "media-src 'self' file:" in policy
    assert "script-src 'sha256-" in policy
    assert "http" not in policy


def test_a_card_number_on_a_page_stops_the_publication_and_the_bytes_of_sound_do_not(tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "clip.ogg").write_bytes(b"OggS 4111 1111 1111 1111 \xff")
    _scan(tmp_path, ())
    (folder / "c.html").write_text("<p>My card is 4111 1111 1111 1111.</p>")
    with pytest.raises(LeakFound, match=r"restricted/calls/c\.html: card numbers in 1 places"):
        _scan(tmp_path, ())


# --- sound


def test_a_call_to_coach_has_its_clip_around_the_moment_with_the_card_beeped(example):
    (clip, *_) = clips_of(page_of(example, example.heard))
    heard, _ = soundfile.read(example.generation / FOLDER / clip, dtype="int16")
    # The interruption at 12.0 to 14.2 s with 4 s before and after: 8.0 to 18.2 s of the recording.
    assert len(heard) / RATE_HZ == pytest.approx(10.2, abs=0.05)
    beep = heard[round((CARD_S[0] - 8.0 - 0.4) * RATE_HZ) : round(10.1 * RATE_HZ)]
    assert share_at_1_khz(beep[:, 0]) > 0.9
    assert share_at_1_khz(beep[:, 1]) > 0.9
    assert share_at_1_khz(heard[: round(7.0 * RATE_HZ), 1]) < 0.2


def test_a_recording_that_is_gone_is_said_to_be_gone(example):
    html = page_of(example, example.gone)
    assert clips_of(html) == []
    assert "No sound here: the recording is gone from the landing folder." in text_of(html)


def test_what_is_personal_at_an_unknown_time_keeps_the_call_silent(example):
    html = page_of(example, example.untimed)
    assert clips_of(html) == []
    assert "something personal was said at a time that is not known" in text_of(html)


def test_a_mark_among_the_words_tells_the_time():
    assert personal_spans([line(0, "customer", 10, 20, "It is [card].")], [(12.0, 15.0)]) == [(12.0, 15.0)]


def test_a_mark_without_a_word_of_its_own_covers_the_whole_utterance():
    said = [line(0, "customer", 10, 20, "[card] and [email]")]
    assert personal_spans(said, [(12.0, 15.0)]) == [(10, 20), (12.0, 15.0)]
    assert personal_spans(said, []) == [(10, 20)]


def test_a_mark_without_any_time_tells_nothing():
    assert personal_spans([line(0, "customer", None, None, "[ssn]")], []) is None


def test_brackets_that_are_no_mark_cover_nothing():
    assert personal_spans([line(0, "customer", 1, 2, "[laughs] [phones]")], []) == []


def test_clips_of_the_publication_before_are_taken_over_without_opening_a_recording(example, tmp_path):
    folder = tmp_path / "gen"
    shutil.copytree(example.generation, folder, ignore=shutil.ignore_patterns("calls"))
    before = example.generation / FOLDER / "clips"
    render_calls(folder, example.sound(), CallOptions(call_clips=0), clips_before=before)
    taken = {p.name: p.read_bytes() for p in (folder / FOLDER / "clips").iterdir()}
    assert taken == {p.name: p.read_bytes() for p in before.iterdir()}
    assert (folder / FOLDER / page_name(example.heard)).read_text("utf-8") == page_of(example, example.heard)


def test_without_a_clip_from_before_a_publication_opens_no_more_recordings_than_it_may(example, tmp_path):
    folder = tmp_path / "gen"
    shutil.copytree(example.generation, folder, ignore=shutil.ignore_patterns("calls"))
    render_calls(folder, example.sound(), CallOptions(call_clips=1))
    assert len(list((folder / FOLDER / "clips").iterdir())) == 1


# --- any call, on demand


def test_the_page_of_any_call_has_the_whole_call_with_the_card_beeped(example, tmp_path):
    out = render_call(example.generation, example.heard, tmp_path / "page.html", example.sound())
    assert clips_of(out.read_text("utf-8")) == ["page.ogg"]
    heard, _ = soundfile.read(tmp_path / "page.ogg", dtype="int16")
    assert len(heard) / RATE_HZ == pytest.approx(LENGTH_S, abs=0.05)
    inside = heard[round((CARD_S[0] - 0.4) * RATE_HZ) : round((CARD_S[1] + 0.4) * RATE_HZ)]
    assert share_at_1_khz(inside[:, 1]) > 0.95
    assert share_at_1_khz(heard[round(21 * RATE_HZ) :, 1]) < 0.2
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o600}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["page.html", "page.ogg"]


def test_a_call_that_does_not_exist_is_named(example, tmp_path):
    with pytest.raises(ReportError, match="no interaction 'C-404'"):
        render_call(example.generation, "C-404", tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_call_whose_customer_did_not_consent_is_not_shown(example, tmp_path):
    folder = tmp_path / "gen"
    shutil.copytree(example.generation, folder, ignore=shutil.ignore_patterns("calls"))
    with duckdb.connect(str(folder / "iqs.duckdb")) as connection:
        connection.execute(
            "update fct_interactions set status = 'excluded', reason = 'opted_out' where interaction_id = ?",
            [example.heard],
        )
    with pytest.raises(ReportError, match="did not consent"):
        render_call(folder, example.heard, tmp_path / "page.html", example.sound())
    assert not (tmp_path / "page.html").exists()


def test_a_publication_without_its_restricted_file_says_so(example, tmp_path):
    shutil.copy(example.generation / "iqs.duckdb", tmp_path)
    with pytest.raises(ReportError, match=r"iqs_restricted\.duckdb is missing"):
        render_calls(tmp_path)


# --- the command


@pytest.fixture(scope="module")
def installed(example) -> dict[str, str]:
    """The environment of an installation that has published the example."""
    data = example.generation.parent
    (data / "published").mkdir()
    (data / "published" / "current").symlink_to(example.generation)
    return {**os.environ, "IQS_DATA": str(data), "IQS_LANDING": str(example.landing), "OMP_NUM_THREADS": "1"}


def iqs(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    here = environment | {"PYTHONPATH": str(SEEDS.parents[1])}
    return subprocess.run(command, capture_output=True, text=True, env=here, cwd=folder, timeout=120, check=False)


def test_the_command_makes_the_page_of_a_call_with_its_sound_and_says_where(example, installed, tmp_path):
    done = iqs(installed, tmp_path, "report", "--call", example.heard, "--out", "pages/one.html")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "pages/one.html", "")
    assert sorted(p.name for p in (tmp_path / "pages").iterdir()) == ["one.html", "one.ogg"]
    assert example.heard in (tmp_path / "pages" / "one.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--call", "C-404"), 1, "no interaction 'C-404' is published"),
        (("--call", "C-404", "--pdf", "x.pdf"), 2, "give one of --call, --client and --pdf"),
        (("--out", "x.html"), 2, "goes with --call or --client"),
        (("--call", "C-404", "--out", "."), 2, "is a folder; name the file"),
    ],
)
def test_the_command_says_what_is_wrong(installed, tmp_path, arguments, code, says):
    done = iqs(installed, tmp_path, "report", *arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []

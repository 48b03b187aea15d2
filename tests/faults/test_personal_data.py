"""Personal data in everything that a centre delivers: after a run none of it is anywhere below the data root."""

from __future__ import annotations

import html
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.accuracy.personal_data import TURN, Case, cases
from tests.assets.conftest import MONDAY, Installation, made_in, parsed_project  # noqa: F401

pytestmark = pytest.mark.promise

# Below this many letters and digits a piece is found anywhere by chance.
_SHORTEST = 7
# What the corpus itself says is missed: a letter typed into a number.
_LEFT_OUT = ("typos",)
# Supplied transcripts are redacted by the same code as messages: some kinds will do.
_CALLS = (("card", "en"), ("ssn", "es"), ("email", "en"))
CARD, AMEX, SSN, PHONE, MAIL = (
    "4929 1184 2731 4909",
    "3782-822463-10005",
    "219-09-7436",
    "(415) 867-5301",
    "zenobia.quist@mailbox.example",
)
# Planted beside the corpus: where it stands -> what must not be left of it.
PLANTED = {
    "chat, split over messages": ["5500 0055", "5555 5559"],
    "survey comment": [CARD, MAIL],
    "review note and comment": [SSN],
    "ticket status": [PHONE],
    "ticket issue type": ["yara.voss@mailbox.example"],
    "extra column": ["4485 2753 1170 8847", "087-65-4321", "wilma.orlov@mailbox.example", "(628) 555-3471"],
    "extra column, told by its name only": ["30281947"],
    "extra column that names the customer": ["K-55501938"],
    "agent's name": ["agent.anders@mailbox.example"],
    "customer id": ["K-55501938", "customer.ida@mailbox.example"],
    "process change": ["boss.boris@mailbox.example"],
    "example of an issue type": [AMEX],
    "column's name": ["column.carl@mailbox.example"],
    "time of a row that is refused": ["6011 0009 9013 9424"],
    "rating of a row that is refused": ["4556737586899855"],
    "id of a row that is refused": ["5105 1051 0510 5100"],
    "line that is no JSON": ["4024007103939509"],
    "row with too many fields": ["519-44-8260"],
    "file that is not read": ["stray.stella@mailbox.example"],
}


def corpus() -> dict[tuple[str, str], list[Case]]:
    """Of each kind and language every form once, in the first two held-out templates in turn."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases():
        if case.part == "held out" and case.form not in _LEFT_OUT:
            chosen = found.setdefault((case.kind, case.language), [])
            if case.form not in {c.form for c in chosen}:
                chosen.append(case)
    return found


def pieces(case: Case) -> list[str]:
    """What must not be left of a case: what each of its turns says, where that is long enough to be looked for."""
    said = case.value.split(TURN)[::2]  # every second turn acknowledges
    return [p for p in said if sum(c.isalnum() for c in p) >= _SHORTEST]


def deliver(installation: Installation) -> None:
    common = {"started_at": f"{MONDAY}T09:00:00Z", "agent_id": "007", "campaign": "billing"}
    rows, messages, segments = [], [], []
    for (kind, language), found in corpus().items():
        chat, call = f"chat-{kind}-{language}", f"call-{kind}-{language}"
        rows.append({"interaction_id": chat, "channel": "chat", "language": language} | common)
        if (kind, language) in _CALLS:
            supplied = {"channel": "call", "language": language, "call_type": "support"}
            rows.append({"interaction_id": call} | supplied | common)
        turns = [turn for case in found for turn in case.text.split(TURN)]
        for n, turn in enumerate(turns):
            party = ("agent", "customer")[n % 2]
            messages.append({"interaction_id": chat, "seq": n, "party": party, "text": turn})
            if (kind, language) in _CALLS:
                segments.append(
                    {"interaction_id": call, "party": party, "text": turn, "start_s": 4.0 * n, "end_s": 4.0 * n + 3}
                )
    split = ("What is it for?", "you can use 5500 0055", "okay", "5555 5559", "thank you")
    rows[0] |= {
        "customer_id": PLANTED["customer id"][0],
        "card_number": PLANTED["extra column"][0],
        "Notes": f"SSN {PLANTED['extra column'][1]}",
        "crm_mail": PLANTED["extra column"][2],
        "phone-no": PLANTED["extra column"][3],
        "account_no": PLANTED["extra column, told by its name only"][0],
        "crm": f"see {PLANTED['extra column that names the customer'][0]}",
        PLANTED["column's name"][0]: "yes",
    }
    rows[1] |= {"customer_id": PLANTED["customer id"][1]}
    rows.append({"interaction_id": "chat-split", "channel": "chat"} | common)
    messages += [
        {"interaction_id": "chat-split", "seq": n, "party": ("agent", "customer")[n % 2], "text": text}
        for n, text in enumerate(split)
    ]
    refused = {"interaction_id": "refused", "channel": "chat"} | common
    rows.append(refused | {"started_at": PLANTED["time of a row that is refused"][0]})
    installation.deliver("interactions.csv", rows)
    installation.deliver("messages.jsonl", messages)
    with (installation.landing / "messages.jsonl").open("a") as file:
        file.write(f'{{"interaction_id": "chat-split", "text": "{PLANTED["line that is no JSON"][0]}\n')
    lost = f"my card is {PLANTED['id of a row that is refused'][0]}"
    segments.append({"interaction_id": lost, "party": "agent", "text": "hello"})
    installation.deliver("transcripts.csv", segments)
    with (installation.landing / "transcripts.csv").open("a") as file:
        file.write(f"call-card-en,agent,hello,{PLANTED['row with too many fields'][0]},,,,,\n")
    installation.deliver(
        "surveys.csv",
        [
            {"interaction_id": "chat-card-en", "csat": 4, "comment": f"I gave {CARD} and {MAIL}"},
            {"interaction_id": "chat-card-es", "csat": PLANTED["rating of a row that is refused"][0]},
        ],
    )
    review = {"session_id": "s1", "interaction_id": "call-card-en", "parameter": "empathy", "rating": 70}
    installation.deliver(
        "reviews.csv",
        [
            review
            | {"reviewer_id": r, "note": f"the customer said {SSN}", "comment": f"ask for {SSN}", "department": MAIL}
            for r in ("rita", "sam")
        ],
    )
    installation.deliver(
        "tickets.csv",
        [
            {
                "ticket_id": "t1",
                "interaction_id": "call-card-en",
                "customer_id": PLANTED["customer id"][1],
                "status": f"call {PHONE}",
                "issue_type": PLANTED["ticket issue type"][0],
                "opened_at": f"{MONDAY}T10:00:00Z",
            }
        ],
    )
    installation.deliver("agents.csv", [{"agent_id": "007", "name": PLANTED["agent's name"][0], "team": MAIL}])
    installation.deliver(
        "process_changes.csv", [{"changed_on": MONDAY, "name": f"new form by {PLANTED['process change'][0]}"}]
    )
    installation.deliver(
        "issue_types.csv", [{"issue_type": "odd_charge", "examples": f"a charge on {AMEX}|an odd charge"}]
    )
    installation.deliver("contacts.csv", [{"mail": PLANTED["file that is not read"][0]}])


@pytest.fixture(scope="module")
def run(tmp_path_factory, parsed_project):  # noqa: F811
    """The installation after `iqs run` in a process of its own, and what that printed."""
    installation = made_in(tmp_path_factory.mktemp("personal"), parsed_project)
    deliver(installation)
    environment = os.environ | {
        "IQS_DATA": str(installation.root),
        "IQS_LANDING": str(installation.landing),
        "IQS_WORKERS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run"], env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 3, done.stdout[-2000:] + done.stderr[-2000:]
    return installation, done.stdout + done.stderr


def texts(path: Path) -> Iterator[str]:
    """Everything that a file holds, compressed or not: its bytes, and its values as texts."""
    yield (content := path.read_bytes().decode("utf-8", errors="ignore"))
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path, hive_partitioning=False)
        yield "\n".join(map(str, [frame.columns, *frame.iter_rows()]))
        yield str(pl.read_parquet_metadata(path))
    elif path.suffix == ".html":
        yield html.unescape(content)
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            catalogue = connection.execute("select * from duckdb_columns() where not internal").fetchall()
            yield str(catalogue)
            tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            for schema, table in tables:
                yield "\n".join(map(str, connection.execute(f'from "{schema}"."{table}"').fetchall()))
    elif path.read_bytes()[:15] == b"SQLite format 3":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            yield "\n".join(connection.iterdump())


_NO_LETTER = bytes(b for b in range(256) if not chr(b).isalnum() or b > 127)


def squashed(text: str) -> bytes:
    """ASCII letters and digits alone, in lower case."""
    return text.lower().encode("utf-8", "ignore").translate(None, _NO_LETTER)


def found_in(text: str, wanted: set[str]) -> set[str]:
    """Which of the wanted texts stand there, with any blanks and marks between their pieces, as JSON and HTML hold
    them, too: first looked for among letters and digits alone, which is fast, then as whole words."""
    whole = squashed(text)
    return {w for w in wanted if squashed(w) in whole and re.search(needle(w), text, re.IGNORECASE)}


def needle(text: str) -> str:
    """A pattern for the text with any blanks and marks between its pieces."""
    joined = r"[^A-Za-z0-9]{0,8}?".join(map(re.escape, re.findall(r"[^\W_]+", text)))
    return f"(?<![A-Za-z0-9]){joined}(?![A-Za-z0-9])"


def test_nothing_personal_that_was_delivered_is_left_in_any_file(run):
    installation, printed = run
    wanted = {p for planted in PLANTED.values() for p in planted}
    wanted |= {p for found in corpus().values() for case in found for p in pieces(case)}
    assert len(wanted) > 250
    searched: dict[str, int] = {}
    left = []
    for path in sorted(p for p in installation.root.rglob("*") if p.is_file()):
        name = path.relative_to(installation.root).as_posix()
        if name.startswith("landing/"):
            assert path.is_relative_to(installation.landing)
            continue
        if path.name.endswith("-customers.parquet") or path.name == "customer_keys.parquet":
            # Who is behind a pseudonym, so that a customer can be erased: for the owner alone.
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            continue
        searched[path.suffix] = searched.get(path.suffix, 0) + 1
        for text in texts(path):
            # Who is behind a pseudonym is in the restricted file, and in no other.
            known = set(PLANTED["customer id"]) if name.endswith("restricted/iqs_restricted.duckdb") else set()
            left += [f"{name}: {one!r}" for one in found_in(text, wanted - known)]
    left += [f"printed: {one!r}" for one in found_in(printed, wanted)]
    assert not left, "\n".join(sorted(set(left))[:60])
    # The search saw the lake, the warehouse, the publication, Dagster's storage, dbt's target and the report.
    assert searched[".parquet"] > 60
    assert searched[".duckdb"] >= 4
    assert searched[".html"] >= 1
    assert searched[".db"] >= 1
    assert searched[".json"] > 5


def test_the_search_itself_finds_what_is_planted(run, tmp_path):
    pl.DataFrame({"t": ["x" * 1000, f"so {CARD}"]}).write_parquet(tmp_path / "a.parquet", compression="zstd")
    with duckdb.connect(str(tmp_path / "b.duckdb")) as connection:
        connection.execute(f"create table t as select '{CARD}' as t")
    with closing(sqlite3.connect(tmp_path / "c.db")) as connection:
        connection.execute("create table t (t text)")
        connection.execute("insert into t values (?)", [CARD.replace(" ", "-")])
        connection.commit()
    (tmp_path / "d.html").write_text(f"<td>{CARD.replace(' ', '&nbsp;')}</td>")
    for path in sorted(tmp_path.iterdir()):
        assert any(found_in(text, {CARD}) for text in texts(path)), path.name
    installation, _ = run
    landed = "".join(p.read_text() for p in installation.landing.iterdir())
    assert found_in(landed, {CARD, SSN, PHONE, MAIL}) == {CARD, SSN, PHONE, MAIL}


def test_what_was_delivered_is_there_with_its_marks(run):
    installation, _ = run
    with duckdb.connect(str(next((installation.root / "published" / "current").glob("restricted/*.duckdb")))) as db:
        marks = dict(
            db.execute(
                "select regexp_extract(text, '\\[(\\w+)\\]', 1) as mark, count(*) from fct_utterances group by all"
            ).fetchall()
        )
    assert {"card", "cvv", "ssn", "email", "phone", "account"} <= set(marks)
    assert min(marks[m] for m in ("card", "ssn", "email", "phone", "account")) > 20
    assert installation.sql("select count(*) from fct_interactions where status = 'scored'") == [(20,)]

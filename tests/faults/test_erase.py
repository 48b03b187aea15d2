"""Erasure: nothing is left anywhere, nothing comes back, and a kill at any step loses nothing."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import wave
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.cli.terminal import run_ranges
from pipelines.contracts.landing import FILES, REJECTS
from pipelines.landing import LandingOptions
from pipelines.privacy import handed_out
from pipelines.privacy.erasure import CUSTOMER, INTERACTION, STEPS, ErasureError, NotThere, erase, find
from pipelines.publishing.days import ranges
from pipelines.publishing.generations import current_id, publications
from pipelines.publishing.lock import LockHeld, writer_lock
from tests.assets.conftest import DIALOGUE, MONDAY, TUESDAY, Installation, made_in, parsed_project  # noqa: F401

pytestmark = pytest.mark.promise

ERASED, CUSTOMERS_OWN = "call-of-Zebulon-77", "customer-Zebulon-4711"
# Said in the erased call only; nothing that redaction takes out.
SAID = "my purple xylophone arrived cracked yesterday"
COMMENT = "the xylophone quarrel was dreadful"

# One process that forks for each step: the child dies there, and the next one finds what it left.
ERASE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from pipelines.privacy.erasure import STEPS, erase, find
from pipelines.settings import Settings

root = Path(sys.argv[1])
settings = Settings(data=root, landing=root / "landing", workers=1)
for step in STEPS:
    child = os.fork()
    if child == 0:
        die = lambda done: done == step and os.kill(os.getpid(), signal.SIGKILL)
        erase(settings, find(settings, sys.argv[2], sys.argv[3]), lambda days: 0, on_step=die)
        os._exit(0)
    print(step, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def tone(path: Path, seed: int) -> bytes:
    """A quiet noise of 3 s, 8 kHz, on two channels; its bytes are its own."""
    generator = random.Random(seed)
    sound = generator.randbytes(2 * 2 * 8000 * 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(sound)
    return path.read_bytes()


def deliver_the_call(installation: Installation, *, again: bool = False) -> bytes:
    """The call that is erased: a row among others' rows, a transcript, a survey, a ticket, reviews, a recording."""
    suffix = "-again" if again else ""
    others = [] if again else [f"call-0{i}" for i in range(2)]
    common = {"channel": "call", "agent_id": "007", "campaign": "billing", "call_type": "support"}
    started = {"started_at": f"{MONDAY}T09:00:00Z"}
    rows = [{"interaction_id": ERASED, "customer_id": CUSTOMERS_OWN, "recording": "recordings/sound.wav"}]
    rows += [{"interaction_id": i, "customer_id": f"customer-{i}"} for i in others]
    installation.deliver(f"interactions-monday{suffix}.csv", [r | common | started for r in rows])
    words = {ERASED: (*DIALOGUE[:2], ("customer", SAID), *DIALOGUE[2:])} | dict.fromkeys(others, DIALOGUE)
    transcript = [
        {"interaction_id": i, "party": p, "text": t, "start_s": 7.0 * n, "end_s": 7.0 * n + 6}
        for i, said in words.items()
        for n, (p, t) in enumerate(said)
    ]
    pl.DataFrame(transcript).write_parquet(installation.landing / f"transcripts-monday{suffix}.parquet")
    installation.deliver(
        f"surveys{suffix}.jsonl",
        [{"interaction_id": i, "csat": 2, "comment": COMMENT if i == ERASED else "fine"} for i in words],
    )
    installation.deliver(
        f"tickets{suffix}.csv",
        [{"ticket_id": "t-1", "interaction_id": ERASED, "customer_id": CUSTOMERS_OWN, "status": "open"}]
        + [{"ticket_id": f"t-{i}", "interaction_id": i, "customer_id": f"customer-{i}"} for i in others],
    )
    installation.deliver(
        f"reviews{suffix}.csv",
        [
            {"session_id": "s", "interaction_id": i, "reviewer_id": r, "parameter": "empathy", "rating": 70}
            | {"comment": COMMENT if i == ERASED else "fine"}
            for i in words
            for r in ("rita", "sam")
        ],
    )
    return tone(installation.landing / "recordings" / "sound.wav", 1)


def run(installation: Installation, days: list[date] | None = None) -> int:
    return run_ranges(installation.settings, ranges(days or installation.waiting(), bridge_days=7))


def run_again(installation: Installation):
    return lambda days: run_ranges(installation.settings, ranges(days, bridge_days=1))


@pytest.fixture(scope="module")
def base(tmp_path_factory, parsed_project) -> Installation:  # noqa: F811
    """Two publications: one of Tuesday only, which never held the call, and one of both days."""
    installation = made_in(tmp_path_factory.mktemp("erase"), parsed_project)
    installation.deliver_calls(TUESDAY, 1)
    assert run(installation) == 0
    installation.secret_sound = deliver_the_call(installation)
    assert run(installation) == 0
    return installation


@pytest.fixture
def copy(base, tmp_path) -> Installation:
    shutil.copytree(base.root, tmp_path / "copy", symlinks=True)
    made = Installation(tmp_path / "copy")
    made.secret_sound = base.secret_sound
    return made


def texts_of(path: Path) -> str:
    """Everything that a file says: its bytes, and where it is a table or database its cells, decompressed."""
    said = path.name + "\n" + path.read_bytes().decode("latin-1")
    if path.suffix == ".parquet":
        said += (
            pl.read_parquet(path, hive_partitioning=False).select(pl.all().cast(pl.String, strict=False)).write_csv()
        )
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute("select database_name, schema_name, table_name from duckdb_tables()").fetchall()
            for name in tables:
                quoted = ".".join(f'"{n}"' for n in name)
                said += repr(connection.execute(f"select * from {quoted}").fetchall())
    if path.read_bytes()[:15] == b"SQLite format 3":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            said += "\n".join(connection.iterdump())
    return said


def found(root: Path, needles: dict[str, str], sound: bytes, *, skip: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """Where each needle is, below `root`: file by needle. The recording is looked for by pieces of its bytes."""
    pieces = {sound[i : i + 64].decode("latin-1") for i in range(44, len(sound) - 64, 4096)}
    hits: dict[str, set[str]] = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        relative = path.relative_to(root)
        if relative.parts[0] in skip:
            continue
        said = texts_of(path)
        for name, needle in needles.items():
            if needle in said:
                hits.setdefault(name, set()).add(relative.parts[0])
        if any(piece in said for piece in pieces):
            hits.setdefault("sound", set()).add(relative.parts[0])
    return hits


def needles(installation: Installation) -> dict[str, str]:
    from pipelines.landing.rows import pseudonym

    key = LandingOptions.of(installation.settings).key()
    return {
        "id": ERASED,
        "customer": CUSTOMERS_OWN,
        "pseudonym": pseudonym(CUSTOMERS_OWN, key),
        "words": SAID,
        "comment": COMMENT,
        "keyword": "xylophone",
    }


def test_the_search_finds_the_call_before_it_is_erased(base):
    hits = found(base.root, needles(base), base.secret_sound)
    assert hits["id"] >= {"landing", "lake", "warehouse", "published", "dagster"}
    assert hits["words"] >= {"landing", "lake", "warehouse", "published"}
    assert hits["sound"] == {"landing"}
    assert hits["pseudonym"] >= {"lake", "warehouse", "published"}
    assert hits["customer"] == {"landing", "lake", "published"}  # the key table: private, and in no warehouse
    hidden = base.root / "published" / "current" / "restricted" / "iqs_restricted.duckdb"
    with duckdb.connect(str(hidden), read_only=True) as connection:
        keys = connection.execute("select customer_key from customer_keys where customer_id = ?", [CUSTOMERS_OWN])
        assert keys.fetchall() == [(needles(base)["pseudonym"],)]


def test_after_an_erasure_nothing_is_left_and_neither_backfill_nor_delivery_brings_it_back(copy):
    looked_for = needles(copy)
    page, other = (copy.root / "elsewhere" / name for name in ("call.html", "client.html"))
    page.parent.mkdir()
    for path, text in ((page, f"<p>{ERASED}"), (page.with_suffix(".ogg"), "sound"), (other, "<p>nothing of it")):
        path.write_text(text)
    handed_out.note(copy.settings, page)
    handed_out.note(copy.settings, other)
    before = dict(copy.sql("select interaction_id, iqs from fct_interactions"))
    untouched, held = (p.publish_id for p in publications(copy.settings.published))
    others = (copy.landing / "interactions-monday.csv").read_text().splitlines()

    path = erase(copy.settings, find(copy.settings, INTERACTION, ERASED), run_again(copy))
    assert found(copy.root, looked_for, copy.secret_sound) == {}
    assert dict(copy.sql("select interaction_id, iqs from fct_interactions")) == {
        i: iqs for i, iqs in before.items() if i != ERASED
    }
    assert copy.sql("select received from ops_ledger order by call_date") == [(2,), (1,)]
    assert copy.sql("select sum(received) from trend_iqs_by_campaign where period = 'day' and basis = 'as_scored'") == [
        (3,)
    ]
    # The publication that never held it stays, the other is gone; the landing file's other rows are the same bytes.
    assert [p.publish_id for p in publications(copy.settings.published)] == [
        untouched,
        current_id(copy.settings.published),
    ]
    assert held != current_id(copy.settings.published)
    left = (copy.landing / "interactions-monday.csv").read_text().splitlines()
    assert left == [line for line in others if ERASED not in line]

    assert [p.name for p in page.parent.iterdir()] == ["client.html"]
    assert [e.files for e in handed_out.there(copy.settings)] == [(str(other),)]
    about = json.loads(path.read_text())
    assert about["interactions"] == 1
    assert len(about["recordings"]) == 1
    removed = {r["where"]: r for r in about["removed"]}
    assert removed["landing/interactions-monday.csv"]["rows"] == 1
    assert removed["landing/transcripts-monday.parquet"]["rows"] == 7
    assert removed["landing/recordings"] == {"where": "landing/recordings", "files": 1, "bytes": 96044}
    assert removed[f"published/gen={held}"]["publications"] == 1
    assert not list(path.parent.glob(".unfinished*"))

    deliver_the_call(copy, again=True)
    assert run(copy, [MONDAY, TUESDAY]) == 0
    assert found(copy.root, looked_for, copy.secret_sound, skip=("landing",)) == {}
    assert copy.sql("select count(*) from fct_interactions") == [(3,)]
    counted = copy.lake.read(FILES).filter(pl.col("rows_erased") > 0)
    assert dict(counted.select("source_file", "rows_erased").iter_rows()) == {
        "interactions-monday-again.csv": 1,
        "reviews-again.csv": 2,
        "surveys-again.jsonl": 1,
        "tickets-again.csv": 1,
        "transcripts-monday-again.parquet": 7,
    }
    assert copy.lake.read(REJECTS).height == 0

    # What was delivered again is taken out of the landing folder by the same command.
    erase(copy.settings, find(copy.settings, INTERACTION, ERASED), lambda days: 0)
    assert found(copy.root, looked_for, copy.secret_sound) == {}
    with pytest.raises(NotThere, match="was erased before"):
        find(copy.settings, INTERACTION, ERASED)


@pytest.mark.slow
def test_an_erasure_killed_at_each_of_its_steps_goes_on_where_it_died(copy):
    looked_for = needles(copy)
    arguments = [str(copy.root), CUSTOMER, CUSTOMERS_OWN]
    died = subprocess.run(
        [sys.executable, "-c", ERASE_AND_DIE, *arguments], capture_output=True, text=True, timeout=600, check=True
    )
    assert died.stdout.split("\n")[:-1] == [f"{step} {-signal.SIGKILL}" for step in STEPS], died.stderr
    # The last one died before it put its journal away, which is private.
    (journal,) = (copy.root / "erasures").glob(".unfinished*")
    assert (journal.stat().st_mode & 0o777, journal.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path = erase(copy.settings, find(copy.settings, CUSTOMER, CUSTOMERS_OWN), run_again(copy))
    assert found(copy.root, looked_for, copy.secret_sound) == {}
    assert copy.sql("select count(*), count(*) filter (iqs is null) from fct_interactions") == [(3, 0)]
    about = json.loads(path.read_text())
    assert about["attempts"] == len(STEPS) + 1
    # What the killed attempts removed stands in the certificate.
    removed = {r["where"]: r.get("rows", r.get("files")) for r in about["removed"]}
    assert removed["landing/transcripts-monday.parquet"] == 7
    assert removed["landing/recordings"] == 1


def test_an_unknown_id_a_running_pipeline_and_a_lost_landing_file_are_refused_and_nothing_is_touched(copy):
    before = {p: p.stat().st_mtime_ns for p in copy.landing.rglob("*")}
    with pytest.raises(NotThere, match="no interaction of this id"):
        find(copy.settings, INTERACTION, "call-of-Zebulon-7")
    with pytest.raises(NotThere, match="no customer of this id"):
        find(copy.settings, CUSTOMER, "nobody")
    subject = find(copy.settings, INTERACTION, ERASED)
    assert ERASED not in repr(subject)
    with writer_lock(copy.root / "run.lock", "run 17"), pytest.raises(LockHeld, match="run 17"):
        erase(copy.settings, subject, lambda days: 0)
    assert {p: p.stat().st_mtime_ns for p in copy.landing.rglob("*")} == before

    rows = (copy.landing / "interactions-monday.csv").read_text().splitlines(keepends=True)
    (copy.landing / "interactions-monday.csv").write_text("".join(r for r in rows if "call-01" not in r))
    with pytest.raises(ErasureError, match=r"1 other interactions .* Put the files of 2026-03-02 back"):
        find(copy.settings, INTERACTION, ERASED)


def test_where_no_publication_can_be_made_the_old_ones_stay_until_they_are_withdrawn(copy):
    held = current_id(copy.settings.published)
    with pytest.raises(ErasureError, match="--withdraw"):
        erase(copy.settings, find(copy.settings, INTERACTION, ERASED), lambda days: 4)
    assert current_id(copy.settings.published) == held
    erase(copy.settings, find(copy.settings, INTERACTION, ERASED), lambda days: 4, withdraw=True)
    assert current_id(copy.settings.published) is None
    assert found(copy.root, needles(copy), copy.secret_sound) == {}

"""The lake in a bucket: whole or not there, whoever writes, reads, dies or is slow."""

import multiprocessing
import os
import signal
import threading
from datetime import date
from uuid import uuid4

import polars as pl
import pytest

from pipelines.bucket import Bucket, BucketError, attach, united
from pipelines.contracts.landing import AGENTS, MESSAGES
from pipelines.lake import Lake, up_to_date
from pipelines.quality.ledger import append_lines, read_lines
from pipelines.settings import SettingError, Settings

DAY, NEXT_DAY = date(2026, 3, 2), date(2026, 3, 3)


def messages(text: str, rows: int = 3) -> pl.DataFrame:
    row = {"interaction_id": "c1", "party": "agent", "source_file": "m.csv", "text": text}
    return MESSAGES.frame([row | {"seq": n} for n in range(rows)])


@pytest.fixture
def address(s3):
    """An empty prefix of the bucket."""
    return f"s3://iqs/{uuid4().hex}"


@pytest.fixture
def machine(address, tmp_path):
    """A machine by name: a lake in a folder of its own that mirrors the bucket."""

    def made(name: str) -> Lake:
        attach(tmp_path / name, address)
        return Lake(tmp_path / name)

    return made


def objects(address: str) -> set[str]:
    return set(Bucket(address).list())


def test_what_one_machine_wrote_another_reads(machine, address):
    one, other = machine("one"), machine("other")
    one.write(MESSAGES, messages("hello"), DAY, inputs="x")
    one.write(AGENTS, AGENTS.frame([{"agent_id": "007"}]), inputs="y")
    assert other.read(MESSAGES, DAY).is_empty()
    other.pull()
    assert other.read(MESSAGES, DAY).equals(messages("hello"))
    assert other.read(AGENTS)["agent_id"].to_list() == ["007"]
    assert other.days(MESSAGES) == [DAY]
    assert other.is_current(MESSAGES, DAY, "x")


def test_data_is_named_by_its_fingerprint_and_of_what_was_replaced_nothing_is_left(machine, address):
    lake = machine("one")
    for text in ("first", "second"):
        written = lake.write(MESSAGES, messages(text), DAY, inputs=text)
    folder = f"{MESSAGES.name}/date={DAY}"
    assert objects(address) == {f"{folder}/manifest.json", f"{folder}/data-{written.fingerprint}.parquet"}


def test_only_what_changed_is_fetched(machine):
    one, other = machine("one"), machine("other")
    for day in (DAY, NEXT_DAY):
        one.write(MESSAGES, messages("hello"), day, inputs="x")
    assert other.mirror.pull() == 2
    assert other.mirror.pull() == 0
    one.write(MESSAGES, messages("news"), DAY, inputs="x")
    assert other.mirror.pull() == 1
    assert other.read(MESSAGES, DAY)["text"].unique().to_list() == ["news"]


def die_before_the_manifest(root) -> None:
    write = Bucket.write

    def killed(self, key, content, **more):
        if key.endswith("manifest.json"):
            os.kill(os.getpid(), signal.SIGKILL)
        return write(self, key, content, **more)

    Bucket.write = killed
    Lake(root).write(MESSAGES, messages("new"), DAY, inputs="new")


def test_a_writer_killed_between_data_and_manifest_changes_nothing_for_readers(machine, address):
    one, other = machine("one"), machine("other")
    one.write(MESSAGES, messages("old"), DAY, inputs="old")
    writer = multiprocessing.get_context("spawn").Process(target=die_before_the_manifest, args=(one.root,))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    assert len(objects(address)) == 3  # the new data is there, and nobody names it
    other.pull()
    assert other.read(MESSAGES, DAY).equals(messages("old"))
    assert other.clean() == 1
    assert len(objects(address)) == 2
    # The machine of the writer has its partition whole: its next run sends it.
    with up_to_date(one.root) as again:
        assert again.is_current(MESSAGES, DAY, "new")
    other.pull()
    assert other.read(MESSAGES, DAY).equals(messages("new"))
    assert len(objects(address)) == 2


def test_a_reader_beside_a_writer_sees_one_state_or_the_other_and_no_error(machine, tmp_path, address):
    writer, states = machine("writer"), [messages("one", 500), messages("two", 900)]
    writer.write(MESSAGES, states[0], DAY, inputs="0")
    stop = threading.Event()

    def write() -> None:
        number = 1
        while not stop.is_set():
            writer.write(MESSAGES, states[number % 2], DAY, inputs=str(number))
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        seen = set()
        for number in range(25):
            reader = machine(f"reader-{number % 3}")
            reader.pull()
            frame = reader.read(MESSAGES, DAY)
            assert any(frame.equals(state) for state in states)
            assert reader.manifest(MESSAGES, DAY) is not None
            seen.add(frame.height)
    finally:
        stop.set()
        thread.join()
    assert seen == {500, 900}


def test_lines_that_two_machines_add_to_a_log_are_all_kept(machine):
    one, other = machine("one"), machine("other")
    for lake, names in ((one, "ab"), (other, "cd"), (one, "e"), (other, "f")):
        path = lake.root / "ops" / "alert_acks.jsonl"
        path.parent.mkdir(exist_ok=True)
        append_lines(path, [{"name": n} for n in names])
        lake.push()
    for lake in (one, other):
        lake.pull()
        assert sorted(r["name"] for r in read_lines(lake.root / "ops" / "alert_acks.jsonl")) == list("abcdef")


def test_a_line_that_was_not_sent_yet_outlives_a_fetch_and_a_torn_one_does_not_travel(machine):
    one, other = machine("one"), machine("other")
    for lake in (one, other):
        (lake.root / "ops").mkdir()
    append_lines(one.root / "ops" / "log.jsonl", [{"n": 1}])
    one.push()
    (other.root / "ops" / "log.jsonl").write_bytes(b'{"n": 2}\n{"n": ')
    other.pull()
    assert [r["n"] for r in read_lines(other.root / "ops" / "log.jsonl")] == [1, 2]
    other.push()
    one.pull()
    assert (one.root / "ops" / "log.jsonl").read_bytes() == b'{"n": 1}\n{"n": 2}\n'
    assert united(b"a\nb", b"a\nc\nd") == b"a\nc\n"


def test_what_is_removed_by_who_holds_the_lake_alone_is_gone_everywhere(machine, address):
    one, other = machine("one"), machine("other")
    for day in (DAY, NEXT_DAY):
        one.write(MESSAGES, messages("secret"), day, inputs="x")
    other.pull()
    with up_to_date(one.root):
        for path in sorted(one.folder(MESSAGES, DAY).iterdir()):
            path.unlink()
    assert {key.split("/")[2] for key in objects(address)} == {f"date={NEXT_DAY}"}
    other.pull()
    assert other.days(MESSAGES) == [NEXT_DAY]
    assert not list(other.folder(MESSAGES, DAY).glob("*"))


def test_a_lost_mirror_is_fetched_again_and_nothing_is_removed_from_the_bucket(machine, address, tmp_path):
    one = machine("one")
    one.write(MESSAGES, messages("hello"), DAY, inputs="x")
    one.push()
    before = objects(address)
    one.path(MESSAGES, DAY).unlink()
    (one.folder(MESSAGES, DAY) / "manifest.json").unlink()
    with up_to_date(one.root) as lake:
        assert lake.read(MESSAGES, DAY).equals(messages("hello"))
    assert objects(address) == before


def test_parts_of_a_day_that_a_machine_finished_before_it_died_are_there_for_another(machine, address):
    one, other = machine("one"), machine("other")
    one.save_part(MESSAGES, DAY, "a", messages("part"))  # and never again a word from it
    other.pull()
    assert other.parts(MESSAGES, DAY).equals(messages("part"))
    other.drop_parts(MESSAGES, [DAY])
    assert objects(address) == set()
    one.pull()
    assert one.parts(MESSAGES, DAY).is_empty()


def test_a_lake_on_a_disk_moves_into_an_empty_bucket_and_never_over_another_lake(address, tmp_path):
    disk = Lake(tmp_path / "disk")
    disk.write(MESSAGES, messages("mine"), DAY, inputs="x")
    with up_to_date(disk.root, address):
        pass
    with up_to_date(tmp_path / "new", address) as new:
        assert new.read(MESSAGES, DAY).equals(messages("mine"))
    Lake(tmp_path / "other disk").write(MESSAGES, messages("theirs"), DAY, inputs="x")
    with pytest.raises(BucketError, match="hold a lake"):
        attach(tmp_path / "other disk", address)
    with pytest.raises(BucketError, match="Choose another folder"):
        attach(disk.root, f"{address}/elsewhere")


def test_errors_of_a_bucket_say_what_to_do(s3, address, monkeypatch):
    with pytest.raises(BucketError, match="no such bucket; make it, or correct IQS_DATA"):
        Bucket("s3://another/prefix").list()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(BucketError, match="check the network and AWS_ENDPOINT_URL"):
        Bucket(address).list()


def test_one_setting_puts_the_lake_into_a_bucket_and_says_what_else_it_needs(tmp_path):
    wanted = {"IQS_DATA": "s3://iqs/centre/", "IQS_LOCAL": str(tmp_path), "IQS_PSEUDONYM_KEY": "k"}
    settings = Settings.from_environment(wanted)
    assert (settings.bucket, settings.data, settings.lake) == ("s3://iqs/centre", tmp_path, tmp_path / "lake")
    with pytest.raises(SettingError, match="IQS_PSEUDONYM_KEY"):
        Settings.from_environment(wanted | {"IQS_PSEUDONYM_KEY": ""})
    with pytest.raises(SettingError, match="s3://bucket/prefix"):
        Settings.from_environment(wanted | {"IQS_DATA": "s3:iqs"})
    assert Settings.from_environment({"IQS_DATA": str(tmp_path)}).bucket == ""

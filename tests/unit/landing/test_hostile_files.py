"""Landing files as an attacker, or a tired export, would write them: what is broken costs only itself."""

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.audio.files import locate
from pipelines.contracts.landing import MESSAGES
from pipelines.landing import Landing, LandingOptions, rows
from pipelines.settings import Settings

HEADER = "interaction_id,channel,started_at,agent_id,campaign\n"
COLUMNS = HEADER.strip().split(",")
DAY = date(2026, 3, 2)


@pytest.fixture
def options(tmp_path: Path) -> LandingOptions:
    (tmp_path / "landing" / "recordings").mkdir(parents=True)
    return LandingOptions(
        folder=tmp_path / "landing",
        cache=tmp_path / "cache",
        timezone="America/New_York",
        recording_pattern=Settings().recording_pattern,
        first_day=date(2020, 1, 1),
        pseudonym_key="a key",
    )


def row(interaction_id: str, **other: str) -> dict[str, str]:
    values = (interaction_id, "call", "2026-03-02T15:00:00Z", "007", "billing")
    return dict(zip(COLUMNS, values, strict=True)) | other


def line(interaction_id: str) -> str:
    return ",".join(row(interaction_id).values()) + "\n"


def write(options: LandingOptions, name: str, content: str | bytes) -> Path:
    path = options.folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def taken(options: LandingOptions) -> list[str]:
    seen = Landing(options)
    good = [seen.interactions(day).filter(pl.col("landing_reason").is_null()) for day in seen.days()]
    return [i for rows_of_day in good for i in rows_of_day["interaction_id"]]


def rejects(options: LandingOptions) -> list[tuple]:
    return Landing(options).rejects().select("source_file", "row_number", "reason").rows()


@pytest.mark.parametrize(
    "broken",
    [
        'c2,call,"oops,007,billing\n',
        'c2,call,x,007,"oops\n',
        '"c2,call,x,007,billing\n',
        'c2,"call"x,y,007,billing\n',
        'c2,call,x,007,"two\nlines"\n',
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_a_quote_that_is_never_closed_swallows_no_row_after_it(options, broken, quoted):
    after = ["c3", "c4", "c5"]
    lines = [line(i).replace("billing", '"billing, ""all"""') if quoted else line(i) for i in after]
    write(options, "interactions.csv", HEADER + line("c1") + broken + "".join(lines))
    assert taken(options) == ["c1", *after]


def test_many_open_quotes_cost_time_in_proportion_to_the_file(options):
    # each of these lines is open at its end, however it is read: reading on from each to the end would take an hour
    write(options, "interactions.csv", HEADER + 'a",",\n' * 20_000 + line("c1"))
    assert taken(options) == ["c1"]


def test_a_good_text_over_several_lines_stays_one_row(options):
    write(options, "interactions.csv", HEADER + line("c1"))
    write(options, "messages.csv", 'interaction_id,seq,party,text\nc1,0,agent,"one\ntwo, ""three""\r\nfour"\n')
    assert Landing(options).texts(MESSAGES, DAY)["text"].to_list() == ['one\ntwo, "three"\r\nfour']


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_and_a_byte_order_mark_are_read(options, end):
    write(options, "interactions.csv", "\ufeff" + (HEADER + line("c1") + line("c2")).replace("\n", end))
    assert taken(options) == ["c1", "c2"]


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["interactions.csv", "interactions.jsonl"])
def test_a_utf_16_file_is_one_reject_that_says_so(options, coding, name):
    mark = "\ufeff" if coding == "utf-16-be" else ""
    write(options, name, (mark + HEADER + line("c1")).encode(coding))
    (detail,) = Landing(options).rejects()["detail"]
    assert detail == "the file is UTF-16 or UTF-32 text; save it as UTF-8"


def test_a_column_whose_name_is_no_text_loses_no_row(options):
    write(options, "interactions.csv", (HEADER.strip() + ",\udcffmood\n").encode(errors="surrogateescape"))
    with (options.folder / "interactions.csv").open("a") as file:
        file.write(line("c1").strip() + ",good\n")
    write(options, "interactions.jsonl", json.dumps(row("c2") | {"\ud800": "x"}) + "\n")
    assert taken(options) == ["c1", "c2"]
    assert Landing(options).files()["unknown_columns"].to_list() == ["\\udcffmood", "\\ud800"]


@pytest.mark.parametrize(
    "hostile",
    [
        json.dumps(row("c2"))[:-1] + ', "more": ' + "[" * 100_000 + "}",
        json.dumps(row("c2"))[:-1] + ', "more": ' + '{"a":' * 50_000 + "1" + "}" * 50_001,
        json.dumps(row("c2"))[:-1] + ', "hold_s": ' + "9" * 5_000 + "}",
        json.dumps(row("c2"))[:-1] + ', "Agent_ID": "other"}',
        json.dumps(row("c\ud8002")),
        "null",
        "[]",
    ],
)
def test_a_hostile_line_of_json_costs_only_itself(options, hostile):
    lines = [json.dumps(row("c1")), hostile, json.dumps(row("c3"))]
    write(options, "interactions.jsonl", "\n".join(lines) + "\n")
    assert taken(options) == ["c1", "c3"]
    assert rejects(options) == [("interactions.jsonl", 2, "metadata_invalid")]


def test_a_stray_list_in_the_first_line_does_not_make_the_file_a_list(options):
    write(options, "interactions.jsonl", "[]\n" + json.dumps(row("c1")) + "\n")
    assert taken(options) == ["c1"]
    assert rejects(options) == [("interactions.jsonl", 1, "metadata_invalid")]


def test_a_json_list_that_is_nested_too_deeply_is_one_reject(options):
    write(options, "interactions.json", "[" * 100_000)
    write(options, "interactions-2.csv", HEADER + line("c1"))
    assert taken(options) == ["c1"]
    assert rejects(options) == [("interactions.json", 0, "unreadable_file")]


@pytest.mark.parametrize("started", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_outside_of_the_calendar_costs_only_its_row(options, started):
    write(options, "interactions.csv", HEADER + line("c1") + line("c2").replace("2026-03-02T15:00:00Z", started))
    assert taken(options) == ["c1"]
    assert rejects(options) == [("interactions.csv", 2, "metadata_invalid")]


def test_a_number_is_never_guessed(options):
    head = HEADER.strip() + ",hold_s\n"
    cells = ("3.5", "1_000", "nan", "0x10", "1e400")
    write(options, "interactions.csv", head + "".join(line(f"c{n}").strip() + f",{c}\n" for n, c in enumerate(cells)))
    assert taken(options) == ["c0"]


def parquet(options: LandingOptions, columns: dict) -> Path:
    path = options.folder / "interactions.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_a_parquet_file_is_read_in_whatever_types_it_has(options):
    ids, n = ["c1", "c2"], 2
    columns = {name: pa.array([row(i)[name] for i in ids]) for name in COLUMNS}
    columns["interaction_id"] = columns["interaction_id"].dictionary_encode()
    columns["started_at"] = pa.array([1_772_442_000_000_000_001] * n, pa.timestamp("ns", "Asia/Tokyo"))
    columns["agent_id"] = pa.array([b"007"] * n)
    columns["hold_s"] = pa.array([3.5, None])
    columns["odd"] = pa.array([{"a": [1]}] * n)
    parquet(options, columns)
    found = Landing(options).interactions(DAY)
    assert found["agent_id"].to_list() == ["007", "007"]
    assert found["hold_s"].to_list() == [3.5, None]
    assert found["started_at"].dt.strftime("%FT%T").to_list() == ["2026-03-02T09:00:00"] * 2


def test_a_parquet_text_that_is_no_utf_8_costs_only_its_row(options):
    columns = {name: pa.array([row(i)[name] for i in ("c1", "c2")]) for name in COLUMNS}
    columns["campaign"] = pa.array([b"billing", b"caf\xe9"]).view(pa.string())
    parquet(options, columns)
    assert taken(options) == ["c1"]
    assert "campaign is not UTF-8 text" in Landing(options).interactions(DAY)["landing_detail"].to_list()


def test_a_parquet_time_beyond_all_calendars_costs_only_its_row(options):
    columns = {name: pa.array([row(i)[name] for i in ("c1", "c2")]) for name in COLUMNS}
    columns["started_at"] = pa.array([1_772_442_000_000_000, 2**62], pa.timestamp("us", "UTC"))
    columns["odd"] = pa.array([2**62] * 2, pa.duration("us"))
    parquet(options, columns)
    assert taken(options) == ["c1"]
    assert rejects(options) == [("interactions.parquet", 2, "metadata_invalid")]


@pytest.mark.parametrize("damage", ["cut", "footer", "body"])
def test_a_torn_parquet_file_is_one_reject(options, damage):
    path = parquet(options, {name: pa.array([row("c1")[name]]) for name in COLUMNS})
    content = path.read_bytes()
    ends = {"cut": content[:-20], "footer": content[:-8] + b"\xff\xff\xff\x7fPAR1", "body": b"PAR1" + bytes(60)}
    write(options, "interactions.parquet", ends[damage])
    assert rejects(options) == [("interactions.parquet", 0, "unreadable_file")]


def test_a_file_of_more_rows_than_the_limit_is_named_with_its_remedy(options, monkeypatch):
    monkeypatch.setattr(rows, "MOST_ROWS", 3)
    write(options, "interactions.csv", HEADER + "".join(line(f"c{n}") for n in range(5)))
    assert taken(options) == ["c0", "c1", "c2"]
    (detail,) = Landing(options).rejects()["detail"]
    assert detail == "the file has more than 3 rows; split it"


def test_a_link_that_leaves_the_landing_folder_is_not_followed(options, tmp_path):
    outside = tmp_path / "interactions-secret.csv"
    outside.write_text(HEADER + line("secret"))
    (options.folder / "interactions-link.csv").symlink_to(outside)
    write(options, "interactions.csv", HEADER + line("c1"))
    assert taken(options) == ["c1"]
    assert rejects(options) == [("interactions-link.csv", 0, "path_escape")]


@pytest.mark.parametrize(
    ("relative", "reason"),
    [
        ("../outside.wav", "path_escape"),
        ("/etc/hostname", "path_escape"),
        ("recordings/out.wav", "path_escape"),
        ("recordings/loop.wav", "metadata_invalid"),
        ("recordings/" + "a" * 300 + ".wav", "metadata_invalid"),
        ("recordings/a\x00b.wav", "metadata_invalid"),
        ("recordings", "recording_missing"),
        ("recordings/queue.wav", "recording_missing"),
        ("recordings/none.wav", "recording_missing"),
    ],
)
def test_a_recording_is_found_inside_the_landing_folder_or_refused(options, tmp_path, relative, reason):
    (tmp_path / "outside.wav").write_bytes(b"x")
    folder = options.folder / "recordings"
    (folder / "out.wav").symlink_to(tmp_path / "outside.wav")
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    os.mkfifo(folder / "queue.wav")
    assert locate(options.folder, relative).reason == reason


def test_names_of_files_that_cannot_be_shown_are_refused_by_what_can_be_shown(options):
    write(options, "interactions.csv", HEADER + line("c1"))
    for name in (b"interactions-\xff.csv", b"interactions-\x1b[31m.csv", b"recordings/Auto0_GUID_1_AGENT_A_\xff.wav"):
        with open(os.fsencode(options.folder) + b"/" + name, "w") as file:
            file.write(HEADER + line("c2"))
    assert taken(options) == ["c1"]
    assert sorted(rejects(options)) == [
        ("interactions-\\udcff.csv", 0, "unreadable_file"),
        ("interactions-\\x1b[31m.csv", 0, "unreadable_file"),
        ("recordings/Auto0_GUID_1_AGENT_A_\\udcff.wav", 0, "no_metadata"),
    ]


def test_an_id_in_a_recordings_name_is_held_to_the_rule_of_ids(options):
    loose = replace(options, recording_pattern=r"(?P<interaction_id>.+)_AGENT_(?P<agent_id>.+)")
    write(options, "recordings/<b>_AGENT_A.wav", b"x")
    write(options, "recordings/good_AGENT_A.wav", b"x")
    assert taken(loose) == ["good"]
    assert rejects(loose) == [("recordings/<b>_AGENT_A.wav", 0, "no_metadata")]


def test_the_records_of_a_csv_put_together_are_the_file():
    text = HEADER + line("c1") + 'c2,call,"oops,007,x\n\n' + line("c3") + 'c4,call,x,007,"two\nlines"\n' + "c5"
    records = list(rows.csv_records(iter(text.splitlines(keepends=True))))
    assert "".join(t for t, _ in records) == text
    assert [c[0] if isinstance(c, list) and c else c for _, c in records if not isinstance(c, rows.BadRow)] == [
        *("interaction_id", "c1", [], "c3", "c4")
    ]


def test_dropping_a_row_of_a_file_with_an_open_quote_leaves_the_rows_of_others(tmp_path):
    from pipelines.landing.rewriting import drop_rows

    path = tmp_path / "interactions.csv"
    path.write_bytes(b'interaction_id,agent_id\nc1,"a\nc2,b\r\nc3,c\n\nc4,d\n')
    found = drop_rows(path, lambda row, text: row.get("interaction_id") == "c2")
    assert (found.dropped, found.left) == (1, 3)
    assert path.read_bytes() == b'interaction_id,agent_id\nc1,"a\nc3,c\n\nc4,d\n'

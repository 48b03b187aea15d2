"""What comes in is parsed row by row; a bad row costs only itself, and every row is accounted for."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.contracts.landing import AGENTS, MESSAGES, REVIEWS, SURVEYS, TRANSCRIPTS
from pipelines.landing import Landing, LandingOptions
from pipelines.landing.kinds import KINDS
from pipelines.settings import Settings

HEADER = "interaction_id,channel,started_at,agent_id,campaign,customer_id,recording,hold_s\n"
GOOD = "c1,call,2026-03-02T09:00:00+01:00,007,billing,cust-1,,\n"


@pytest.fixture
def options(tmp_path: Path) -> LandingOptions:
    folder = tmp_path / "landing"
    (folder / "recordings").mkdir(parents=True)
    return LandingOptions(
        folder=folder,
        cache=tmp_path / "cache",
        timezone="UTC",
        recording_pattern=Settings().recording_pattern,
        first_day=date(2020, 1, 1),
        pseudonym_key="a key",
    )


def write(options: LandingOptions, name: str, text: str | bytes) -> None:
    path = options.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


DAY = date(2026, 3, 2)


def test_ids_keep_their_leading_zeros(options):
    write(options, "interactions.csv", HEADER + GOOD)
    assert Landing(options).interactions(DAY)["agent_id"].to_list() == ["007"]


def test_the_call_date_is_the_date_in_the_centres_time_zone(options):
    row = "c1,call,2026-03-02T23:30:00+00:00,007,billing,,,\n"
    write(options, "interactions.csv", HEADER + row)
    assert Landing(replace(options, timezone="Europe/Berlin")).days() == [date(2026, 3, 3)]


def test_customers_are_pseudonyms_that_need_the_key(options):
    write(options, "interactions.csv", HEADER + GOOD)
    (key,) = Landing(options).interactions(DAY)["customer_key"]
    (other,) = Landing(replace(options, pseudonym_key="another")).interactions(DAY)["customer_key"]
    assert "cust-1" not in key
    assert key != other


def test_a_row_with_a_bad_field_is_kept_in_quarantine_and_the_rest_goes_on(options):
    write(options, "interactions.csv", HEADER + GOOD + "c2,fax,2026-03-02T10:00:00Z,007,billing,,,\n")
    rows = Landing(options).interactions(DAY)
    assert rows["interaction_id"].to_list() == ["c1", "c2"]
    assert rows["landing_reason"].to_list() == [None, "metadata_invalid"]
    assert "channel is 'fax'" in rows["landing_detail"][1]


def test_a_row_whose_start_cannot_be_read_gets_the_date_in_the_files_name(options):
    write(options, "interactions-2026-03-02.csv", HEADER + "c2,call,yesterday,007,billing,,,\n")
    rows = Landing(options).interactions(DAY)
    assert rows["landing_reason"].to_list() == ["metadata_invalid"]
    assert rows["started_at"].to_list() == [None]


def test_a_row_without_id_or_date_is_a_reject_with_its_row_number(options):
    write(options, "interactions.csv", HEADER + ",call,2026-03-02T10:00:00Z,007,b,,,\nc3,call,soon,007,b,,,\n")
    rejects = Landing(options).rejects()
    assert rejects.select("row_number", "interaction_id", "reason").rows() == [
        (1, None, "metadata_invalid"),
        (2, "c3", "metadata_invalid"),
    ]


def test_the_same_id_twice_in_a_file_is_a_duplicate_and_the_first_stands(options):
    write(options, "interactions.csv", HEADER + GOOD + GOOD.replace("billing", "sales"))
    landing = Landing(options)
    assert landing.interactions(DAY)["campaign"].to_list() == ["billing"]
    assert landing.rejects()["reason"].to_list() == ["duplicate"]


def test_a_file_delivered_later_corrects_an_earlier_one(options):
    write(options, "interactions-b.csv", HEADER + GOOD)
    os.utime(options.folder / "interactions-b.csv", ns=(1, 1))
    write(options, "interactions-a.csv", HEADER + GOOD.replace("billing", "sales"))
    landing = Landing(options)
    assert landing.interactions(DAY)["campaign"].to_list() == ["sales"]
    assert dict(landing.files().select("source_file", "rows_superseded").iter_rows()) == {
        "interactions-b.csv": 1,
        "interactions-a.csv": 0,
    }


def test_every_row_is_accepted_or_rejected(options):
    rows = [GOOD.replace("c1", f"c{i}") for i in range(20)]
    rows[3] = "too,few,fields\n"
    rows[7] = rows[6]
    rows[9] = rows[9].replace("2026-03-02T09:00:00+01:00", "never")
    write(options, "interactions.csv", HEADER + "".join(rows))
    (register,) = Landing(options).files().to_dicts()
    assert register["rows_read"] == 20
    assert register["rows_accepted"] == 17
    assert register["rows_rejected"] == 3


def test_unknown_columns_are_carried_along_as_text(options):
    write(options, "interactions.csv", HEADER.replace("hold_s", "mood") + GOOD.replace(",,\n", ",,4111111111111111\n"))
    landing = Landing(options)
    assert landing.interactions(DAY)["extra"].to_list() == ['{"mood": "[card]"}']
    assert landing.files()["unknown_columns"].to_list() == ["mood"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("interactions.csv", b""),
        ("interactions.parquet", b"PAR1 not really"),
        ("interactions.json", b"[1, 2"),
        ("interactions.xlsx", b"PK"),
        ("holidays.csv", b"a,b\n1,2\n"),
        ("interactions.csv", b"agent_id,agent_id\n1,2\n"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_one_reject_and_the_others_are_read(options, name, content):
    write(options, name, content)
    write(options, "interactions-2.csv", HEADER + GOOD)
    landing = Landing(options)
    assert landing.interactions(DAY).height == 1
    assert landing.rejects().select("source_file", "row_number", "reason").rows() == [(name, 0, "unreadable_file")]


def test_bytes_that_are_not_utf8_cost_only_their_row(options):
    write(
        options,
        "interactions.csv",
        (HEADER + GOOD).encode() + GOOD.encode().replace(b"c1", b"c2").replace(b"billing", b"b\xff"),
    )
    rows = Landing(options).interactions(DAY)
    assert rows["landing_reason"].to_list() == [None, "metadata_invalid"]
    assert "UTF-8" in rows["landing_detail"][1]


def test_json_lines_and_parquet_are_read_like_csv(options):
    write(
        options,
        "interactions.jsonl",
        '{"interaction_id": "j1", "channel": "chat", "started_at": "2026-03-02T10:00:00Z", '
        '"agent_id": "7", "campaign": "b", "hold_s": 3.5}\nnot json\n',
    )
    pl.DataFrame(
        {
            "interaction_id": ["p1"],
            "channel": ["email"],
            "started_at": ["2026-03-02T10:00:00Z"],
            "agent_id": ["7"],
            "campaign": ["b"],
        }
    ).write_parquet(options.folder / "interactions.parquet")
    landing = Landing(options)
    assert landing.interactions(DAY)["interaction_id"].to_list() == ["j1", "p1"]
    assert landing.interactions(DAY)["hold_s"].to_list() == [3.5, None]
    assert landing.rejects()["row_number"].to_list() == [2]


def test_messages_and_transcripts_follow_their_interaction_and_are_redacted(options):
    write(options, "interactions.csv", HEADER + GOOD)
    write(
        options,
        "messages.jsonl",
        '{"interaction_id": "c1", "seq": 1, "party": "customer", "text": "my card 4111111111111111"}\n',
    )
    write(options, "transcripts.csv", "interaction_id,party,text\nc1,agent,Hello\nc1,customer,Hi\nlost,agent,Hello\n")
    landing = Landing(options)
    assert landing.texts(MESSAGES, DAY)["text"].to_list() == ["my card [card]"]
    assert landing.texts(TRANSCRIPTS, DAY)["seq"].to_list() == [0, 1]
    assert landing.rejects().select("interaction_id", "reason").rows() == [("lost", "unknown_interaction")]


def test_ratings_above_their_maximum_and_surveys_out_of_range_are_rejected(options):
    write(options, "interactions.csv", HEADER + GOOD + GOOD.replace("c1", "c2"))
    write(
        options,
        "reviews.csv",
        "session_id,interaction_id,reviewer_id,parameter,rating\ns,c1,r,empathy,101\ns,c1,r,tone,80\n",
    )
    write(options, "surveys.csv", "interaction_id,csat,nps\nc1,6,9\nc2,5,10\n")
    landing = Landing(options)
    assert landing.reference(REVIEWS)["parameter"].to_list() == ["tone"]
    assert landing.reference(SURVEYS)["interaction_id"].to_list() == ["c2"]
    assert landing.rejects().height == 2


def test_ratings_and_surveys_of_an_unknown_interaction_wait_in_quarantine_until_it_comes(options):
    write(options, "interactions.csv", HEADER + GOOD)
    head = "session_id,interaction_id,reviewer_id,parameter,rating\n"
    write(options, "reviews.csv", head + "s,c1,r,empathy,80\ns,late,r,empathy,70\ns,late,r,tone,75\n")
    write(options, "surveys.csv", "interaction_id,csat,nps\nc1,5,9\nlate,4,8\n")
    landing = Landing(options)
    assert landing.reference(REVIEWS)["interaction_id"].to_list() == ["c1"]
    assert landing.reference(SURVEYS)["interaction_id"].to_list() == ["c1"]
    rejects = landing.rejects().select("source_file", "row_number", "interaction_id", "reason", "detail").rows()
    assert [r[:4] for r in rejects] == [
        ("reviews.csv", 2, "late", "unknown_interaction"),
        ("surveys.csv", 2, "late", "unknown_interaction"),
    ]
    assert rejects[0][4] == "2 rows of an interaction that no interactions* file names"
    write(options, "interactions-2.csv", HEADER + GOOD.replace("c1", "late"))
    landing = Landing(options)
    assert landing.reference(REVIEWS).height == 3
    assert landing.rejects().is_empty()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("s,c1,r,empathy,5,0,ops,false", "max_rating is 0"),
        ("s,c1,r,empathy,-1,10,ops,false", "rating is '-1'; it takes 0 or more"),
        ("s,c1,r,empathy,nan,10,ops,false", "rating is 'nan'"),
        ("s,c1,r,empathy,,10,ops,false", "rating is missing"),
        ("s,c1,Machine,empathy,5,10,ops,false", "stand for the machine's own scores"),
        ("s,c1,r,empathy,5,10,machine,false", "stand for the machine's own scores"),
        ("s,c1,r,All,5,10,ops,false", "stands for all parameters together"),
    ],
)
def test_a_rating_that_cannot_be_compared_is_rejected_with_what_it_takes(options, row, said):
    write(options, "interactions.csv", HEADER + GOOD)
    head = "session_id,interaction_id,reviewer_id,parameter,rating,max_rating,department,not_applicable\n"
    write(options, "reviews.csv", head + row + "\ns,c1,r,tone,5,10,ops,false\n")
    landing = Landing(options)
    (detail,) = landing.rejects()["detail"]
    assert said in detail
    assert landing.reference(REVIEWS)["parameter"].to_list() == ["tone"]


def test_what_a_reviewer_wrote_comes_whole_but_for_what_is_personal(options):
    write(options, "interactions.csv", HEADER + GOOD)
    head = "session_id,interaction_id,reviewer_id,parameter,rating,comment\n"
    said = '"said ""sorry"", twice\nthen read out 4111 1111 1111 1111"'
    write(options, "reviews.csv", head + f"s,c1,r,empathy,80,{said}\ns,c1,r,tone,70,\n")
    rows = Landing(options).reference(REVIEWS).sort("parameter")
    assert rows["comment"].to_list() == ['said "sorry", twice\nthen read out [card]', None]


def test_files_that_were_parsed_before_a_column_came_are_parsed_again(options, monkeypatch):
    write(options, "interactions.csv", HEADER + GOOD)
    head = "session_id,interaction_id,reviewer_id,parameter,rating,comment\n"
    write(options, "reviews.csv", head + "s,c1,r,empathy,80,late\n")
    without = replace(REVIEWS, columns=tuple(c for c in REVIEWS.columns if c.name != "comment"))
    with monkeypatch.context() as earlier:
        earlier.setitem(KINDS, "reviews", replace(KINDS["reviews"], table=without))
        assert "comment" not in Landing(options).reference(without).columns
    assert Landing(options).reference(REVIEWS)["comment"].to_list() == ["late"]


def test_the_agent_row_delivered_last_stands(options):
    write(options, "agents-1.csv", "agent_id,team\n007,north\n")
    os.utime(options.folder / "agents-1.csv", ns=(1, 1))
    write(options, "agents-2.csv", "agent_id,team\n007,south\n")
    assert Landing(options).reference(AGENTS)["team"].to_list() == ["south"]


def test_a_recording_is_linked_by_its_row_by_its_name_or_by_the_interactions_id(options):
    write(options, "interactions.csv", HEADER + GOOD.replace("cust-1,", "cust-1,a.wav") + GOOD.replace("c1", "c2"))
    write(options, "recordings/a.wav", b"a")
    write(options, "recordings/2026/c2.flac", b"b")
    write(options, "recordings/Auto0_GUID_000_AGENT_ChrisL_DT_2026-03-02T06-01-22.wav", b"c")
    rows = Landing(options).interactions(DAY)
    assert dict(rows.select("interaction_id", "recording").iter_rows()) == {
        "c1": "recordings/a.wav",
        "c2": "recordings/2026/c2.flac",
        "Auto0_GUID_000": "recordings/Auto0_GUID_000_AGENT_ChrisL_DT_2026-03-02T06-01-22.wav",
    }
    assert rows.filter(interaction_id="Auto0_GUID_000")["agent_id"].to_list() == ["ChrisL"]


def test_a_recording_without_a_row_or_a_telling_name_is_a_reject(options):
    write(options, "recordings/what.wav", b"a")
    assert Landing(options).rejects().select("source_file", "reason").rows() == [("recordings/what.wav", "no_metadata")]


def test_days_before_the_first_partition_and_in_the_future_are_rejected(options):
    write(
        options,
        "interactions.csv",
        HEADER + GOOD.replace("2026", "2019") + GOOD.replace("2026", "2999").replace("c1", "c2"),
    )
    landing = Landing(options)
    assert landing.days() == []
    assert ["IQS_FIRST_DAY" in d for d in landing.rejects()["detail"]] == [True, False]


def test_a_file_is_parsed_again_only_when_it_changed(options):
    write(options, "interactions.csv", HEADER + GOOD)
    Landing(options)
    (index,) = options.cache.glob("*-rows.parquet")
    before = index.stat().st_mtime_ns
    Landing(options)
    assert index.stat().st_mtime_ns == before


def test_a_days_key_changes_when_anything_of_the_day_changes_and_only_then(options):
    other = GOOD.replace("c1", "c9").replace("03-02", "03-05")
    write(options, "interactions.csv", HEADER + GOOD + other)
    write(options, "agents.csv", "agent_id,team\n007,north\n")

    def keys() -> dict:
        return dict(Landing(options).day_table().select("call_date", "day_key").iter_rows())

    first = keys()
    write(options, "agents-again.csv", "agent_id,team\n007,north\n")
    assert keys() == first
    write(options, "surveys.csv", "interaction_id,csat\nc1,5\n")
    second = keys()
    assert second[DAY] != first[DAY]
    assert second[date(2026, 3, 5)] == first[date(2026, 3, 5)]
    write(options, "recordings/c9.wav", b"a")
    third = keys()
    assert third[DAY] == second[DAY]
    assert third[date(2026, 3, 5)] != second[date(2026, 3, 5)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("process_changes.csv", "changed_on,name\n2026-03-04,new script\n"),
        ("tickets.csv", "ticket_id,customer_id,issue_type,status\nt1,k1,billing,open\n"),
        ("interactions-late.csv", HEADER + "nobody,,,,\n"),
    ],
)
def test_what_belongs_to_no_day_opens_the_first_day_again(options, name, text):
    other = GOOD.replace("c1", "c9").replace("03-02", "03-05")
    write(options, "interactions.csv", HEADER + GOOD + other)

    def keys() -> dict:
        return dict(Landing(options).day_table().select("call_date", "day_key").iter_rows())

    before = keys()
    write(options, name, text)
    after = keys()
    assert {d for d in after if after[d] != before[d]} == {DAY}
    write(options, "interactions-more.csv", HEADER + GOOD.replace("c1", "c7").replace("03-02", "03-09"))
    assert {d for d, key in keys().items() if key != after.get(d)} == {date(2026, 3, 9)}


def test_a_missing_landing_folder_is_named_with_its_remedy(options, tmp_path):
    with pytest.raises(FileNotFoundError, match="IQS_LANDING"):
        Landing(replace(options, folder=tmp_path / "nowhere"))

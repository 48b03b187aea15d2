"""Where columns come from, in small projects whose answer is known."""

import pytest

from pipelines.column_lineage import UnknownColumn, find_column, find_lineage, sources_of


@pytest.fixture
def lineage(tmp_path):
    """Lineage of a project on the source `landing/calls`, made of the given models in turn."""

    def find(**models: str):
        source = {"resource_type": "source", "source_name": "logs", "name": "calls"}
        source["relation_name"] = (
            "read_json('/data/calls.jsonl', columns = {id: 'VARCHAR', 'agent': 'VARCHAR', s: 'BIGINT'})"
        )
        nodes = {}
        for name, sql in models.items():
            path = tmp_path / "p" / "models" / f"{name}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sql.replace("CALLS", source["relation_name"]))
            nodes[name] = {
                "resource_type": "model",
                "name": name,
                "fqn": ["p", "marts", name],
                "package_name": "p",
                "original_file_path": f"models/{name}.sql",
                "relation_name": f'"db"."marts"."{name}"',
                "depends_on": {"nodes": [n for n in ("calls", *models) if n != name and n in sql.lower()]},
            }
        return find_lineage({"nodes": nodes, "sources": {"calls": source}}, tmp_path)

    return find


def test_a_column_comes_from_what_it_is_computed_of_and_not_from_what_is_filtered_or_joined(lineage):
    found = lineage(
        one="with source as (select * from CALLS) "
        "select id, s * 2 as twice, count(*) over () as n from source where agent > ''"
    )
    assert found == {"marts/one": {"id": ["logs/calls.id"], "twice": ["logs/calls.s"], "n": []}}


def test_models_are_followed_one_into_the_other_whatever_their_order(lineage):
    found = lineage(
        two='select t.*, t.long / 60 as minutes from "db"."marts"."one" as t', one="select agent, s as long from CALLS"
    )
    assert found["marts/two"] == {
        "agent": ["marts/one.agent"],
        "long": ["marts/one.long"],
        "minutes": ["marts/one.long"],
    }
    assert [(s.column, s.depth) for s in sources_of(found, "marts/two.minutes")] == [
        ("marts/two.minutes", 0),
        ("marts/one.long", 1),
        ("logs/calls.s", 2),
    ]


def test_a_union_by_name_matches_names_and_not_places(lineage):
    found = lineage(
        one="with a as (select id, s from CALLS), b as (select s as id, agent, id as s from CALLS), "
        "c as (select * from a union all by name select * from b) select * from c"
    )
    assert found["marts/one"] == {
        "id": ["logs/calls.id", "logs/calls.s"],
        "s": ["logs/calls.id", "logs/calls.s"],
        "agent": ["logs/calls.agent"],
    }


def test_a_model_that_reads_itself_is_its_own_source(lineage):
    found = lineage(one='select id, s from CALLS union all select id, s from "db"."marts"."one"')
    assert found["marts/one"]["s"] == ["logs/calls.s", "marts/one.s"]
    assert [s.column for s in sources_of(found, "marts/one.s")] == ["marts/one.s", "logs/calls.s", "marts/one.s"]


def test_sql_that_is_not_understood_is_left_out_and_harms_no_other(lineage):
    found = lineage(odd="selec nonsense from (CALLS", one="select id from CALLS")
    assert found == {"marts/one": {"id": ["logs/calls.id"]}}


def test_what_was_told_above_is_not_told_again(lineage):
    found = lineage(
        one="select s from CALLS",
        two='select s as a, s + 1 as b from "db"."marts"."one"',
        three='select a + b as c from "db"."marts"."two"',
    )
    told = list(sources_of(found, "marts/three.c"))
    assert [s.column for s in told if s.shown_above] == ["marts/one.s"]
    assert [s.column for s in told].count("logs/calls.s") == 1


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("trend.iqs", ("trends/trend", "iqs")),
        ("trends/trend.iqs", ("trends/trend", "iqs")),
        ("trend", ("trends/trend", "")),
    ],
)
def test_a_column_is_found_by_its_tables_name_with_or_without_the_folder(name, found):
    assert find_column({"trends/trend": {"iqs": []}}, name) == found


@pytest.mark.parametrize(
    ("name", "told"), [("trand.iqs", "there is trend"), ("trend.ips", "there is iqs"), ("zzz", "no table 'zzz'$")]
)
def test_a_name_that_is_not_there_is_answered_with_the_near_ones(name, told):
    with pytest.raises(UnknownColumn, match=told):
        find_column({"trends/trend": {"iqs": []}}, name)

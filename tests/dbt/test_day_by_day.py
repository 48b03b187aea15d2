"""A history that was built day by day is the history built at once: to the last digit, in every table."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import pytest
from dbt_lake import MONDAY, Call, Ticket, write_day, write_lake, write_tickets
from test_project import NO_CHECKS, random_values

from assets.publication import FACTS

# 29 periods before a day, for its control limits; so that a wrong look back would be seen.
DAYS = 45
LATE = MONDAY + timedelta(days=38)


def calls_of(days: range) -> list[Call]:
    """Two busy agents on every day, and one who is seldom there: the series of the days, weeks and pairs have gaps."""
    rng = random.Random(11)
    calls = []
    for number in range(DAYS):
        for agent, share in (("007", 0.9), ("008", 0.8), ("009", 0.15)):
            for k in range(3):
                call = Call(
                    f"c{number}-{agent}-{k}",
                    MONDAY + timedelta(days=number),
                    random_values(rng),
                    channel=rng.choice(("call", "call", "chat")),
                    agent=agent,
                    campaign=rng.choice(("retail", "bank")),
                    issue_type=rng.choice(("billing_dispute", "payment")),
                    customer=f"k{rng.randrange(60)}",
                    call_type=None,
                )
                if rng.random() < share and number in days:
                    calls.append(call)
    return calls


def tickets_of(calls: list[Call]) -> list[Ticket]:
    return [
        Ticket(f"t{i}", call.id, resolved_at=call.started_at + timedelta(days=1)) for i, call in enumerate(calls[::9])
    ]


def facts(dbt) -> dict[tuple[str, date], list[tuple]]:
    """The rows of every table that is published by month, by table and day."""
    found = defaultdict(list)
    places = dict(dbt.query("select table_name, table_schema from information_schema.tables").rows())
    for name in FACTS:
        rows = dbt.query(f"select * from {places[name]}.{name} order by all")
        for row in rows.iter_rows(named=True):
            found[name, row["call_date"]].append(tuple(row.values()))
    return found


def builds(dbt) -> dict[date, str]:
    return dict(dbt.query("select call_date, made_by from intermediate.int_fact_days").rows())


def differing(before: dict, after: dict) -> set:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


@pytest.mark.promise
def test_day_by_day_gives_what_a_full_build_gives(dbt):
    first = calls_of(range(DAYS - 3))
    lake = write_lake(dbt.lake, first, tickets_of(first))
    assert dbt.build(*NO_CHECKS, days=[]) == {}

    # one more day, and then: another, a late call of last week, and a ticket of a day that does not come again
    added = calls_of(range(DAYS - 3, DAYS))
    day = added[0].day
    facts_before, builds_before = facts(dbt), builds(dbt)
    write_day(lake, day, [c for c in added if c.day == day])
    assert dbt.build("--selector", "daily", *NO_CHECKS, days=[day]) == {}
    # no fact of a day changed without the build being named (publications share the months of the others)
    facts_after, builds_after = facts(dbt), builds(dbt)
    named = differing(builds_before, builds_after)
    assert {d for _, d in differing(facts_before, facts_after)} <= named
    assert named < set(builds_after)

    last = MONDAY + timedelta(days=DAYS - 1)
    write_day(lake, last, [c for c in added if c.day == last])
    of_late = [c for c in first if c.day == LATE]
    write_day(lake, LATE, [*of_late, replace(of_late[0], id="late")])
    tickets = tickets_of(first)
    reopened = replace(tickets[2], reopened_at=tickets[2].resolved_at + timedelta(days=1))
    write_tickets(lake, [*tickets[:2], reopened, *tickets[3:]])
    assert dbt.build("--selector", "daily", days=[LATE, last]) == {}
    changed = {d for _, d in differing(facts_after, facts(dbt))}
    assert {LATE, last} < changed <= differing(builds_after, builds(dbt)) < set(builds(dbt))

    day_by_day = dbt.dump()
    assert dbt.build("--full-refresh", *NO_CHECKS, days=[]) == {}
    at_once = dbt.dump()
    assert day_by_day.keys() == at_once.keys()
    assert [name for name in at_once if day_by_day[name] != at_once[name]] == []
    trends = at_once["trends.trend_iqs"]
    assert len(trends) > 2000


@pytest.mark.promise
def test_periods_that_nothing_has_happened_to_are_not_made_anew(dbt):
    first = calls_of(range(DAYS - 1))
    lake = write_lake(dbt.lake, first)
    assert dbt.build(*NO_CHECKS, days=[]) == {}
    rows = "select dimension, value, period, period_start, basis, rowid from trends.trend_iqs where period = 'day'"
    before = set(dbt.query(rows).rows())

    last = MONDAY + timedelta(days=DAYS - 1)
    write_day(lake, last, [c for c in calls_of(range(DAYS)) if c.day == last])
    assert dbt.build("--selector", "daily", *NO_CHECKS, days=[last]) == {}
    # 7 days of repeat contacts before it are scored anew; all older rows lie where they lay
    old = {r for r in before if r[3] < last - timedelta(days=8)}
    assert len(old) > 1000
    assert old <= set(dbt.query(rows).rows())

"""A small campaign of the fuzz command: the same code, the same promises, a few hundred inputs."""

import numpy as np
import pytest

from tests.fuzz import sound, tables
from tests.fuzz.__main__ import line
from tests.fuzz.campaign import campaign


def test_hundreds_of_damaged_inputs_cost_no_crash_no_hang_and_no_good_row():
    outcomes = {o.kind: o for o in campaign(300, seed=20_261_122)}
    assert {k: o.failures for k, o in outcomes.items() if o.failures} == {}
    assert all(o.passed for o in outcomes.values())
    assert sum(o.inputs for o in outcomes.values()) == 300
    # it bites on both sides: something is refused of every kind, and good ones are among them
    assert all(o.reasons and o.good for o in outcomes.values())
    assert "not_audio" in line(outcomes["audio"])


@pytest.mark.parametrize("kind", tables.KINDS)
def test_the_same_seed_makes_the_same_landing_file(kind):
    made = [tables.table_input(kind, 7, np.random.default_rng((1, 7))) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0] != tables.table_input(kind, 7, np.random.default_rng((2, 7)))


def test_the_same_seed_does_the_same_damage_to_a_recording():
    whole = sound.seeds()
    made = [sound.damaged(whole[3], whole, np.random.default_rng(5)) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0][1] != whole[3].content


def test_a_lost_good_row_is_found(monkeypatch):
    """The campaign would notice: here every second good row is promised under another name."""
    made = tables.table_input

    def promising(kind, number, random):
        found = made(kind, number, random)
        return tables.TableInput(found.name, found.content, found.what, found.good | {("interactions", "never", "")})

    monkeypatch.setattr(tables, "table_input", promising)
    outcomes = {o.kind: o for o in campaign(20, seed=3, workers=1)}
    assert not outcomes["csv"].passed
    assert outcomes["csv"].good_lost == outcomes["csv"].inputs
    assert outcomes["csv"].failures[0].content

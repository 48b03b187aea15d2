"""Small trained heads: stored and loaded, probabilities, refusals; and how they are trained."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.training import train
from pipelines.language.head import Head, HeadError, softmax


def head(**more) -> Head:
    weights = np.array([[1.0, 0.0, 0.5], [-1.0, 0.0, -0.5]])
    return Head("calm", "toy", ("yes", "no"), weights, np.array([0.0, 0.0]), ("loud",), **more)


def test_probabilities_of_a_worked_example():
    found = head().probabilities(np.array([[np.log(2), 7.0]]), np.array([[0.0]]))
    # logits log 2 and -log 2: odds 2 ÷ ½ = 4
    assert found[0] == pytest.approx([0.8, 0.2])


def test_an_extra_number_counts_as_its_weight_says():
    found = head().probabilities(np.zeros((2, 2)), np.array([[0.0], [np.log(4)]]))
    assert found[:, 0] == pytest.approx([0.5, 0.8])


def test_a_wrong_number_of_inputs_is_refused_with_both_numbers():
    with pytest.raises(HeadError, match=r"calm in toy takes 3 numbers, 1 of them extra; it was given 2"):
        head().probabilities(np.zeros((1, 2)))


def test_a_head_that_is_not_there_is_named():
    with pytest.raises(HeadError, match=r"no head grumpy .* grumpy\.toy\.npz is missing"):
        Head.load("grumpy", "toy")
    assert not Head.exists("grumpy", "toy")


def test_saved_twice_the_bytes_are_equal_and_read_back_the_same(tmp_path, monkeypatch):
    first, second = tmp_path / "calm.toy.npz", tmp_path / "again.npz"
    head().save(first)
    head().save(second)
    assert first.read_bytes() == second.read_bytes()
    monkeypatch.setattr("pipelines.language.head.path_of", lambda name, space: tmp_path / f"{name}.{space}.npz")
    back = Head.load("calm", "toy")
    assert (back.classes, back.extra_names) == (("yes", "no"), ("loud",))
    assert back.weights == pytest.approx(head().weights)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-800, 800), min_size=3, max_size=3), min_size=1, max_size=5))
def test_softmax_rows_are_probabilities_whatever_the_logits(rows):
    found = softmax(np.array(rows))
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(1)


def test_no_text_gives_no_row():
    assert head().probabilities(np.zeros((0, 2)), np.zeros((0, 1))).shape == (0, 2)


def test_a_group_is_never_on_both_sides_of_a_fold():
    rows = [{"group": f"g{i % 17}"} for i in range(200)]
    fold = train.folds_of(rows)
    by_group = {
        row["group"]: {int(f) for r, f in zip(rows, fold, strict=True) if r["group"] == row["group"]} for row in rows
    }
    assert all(len(folds) == 1 for folds in by_group.values())
    assert set(fold) == set(range(train.FOLDS))
    assert (fold == train.folds_of(rows)).all()


def test_training_finds_the_direction_that_separates_and_a_penalty_shrinks_it():
    rng = np.random.default_rng(7)
    given_ = rng.normal(size=(400, 3))
    truth = (given_[:, 1] > 0).astype(int)
    weights, bias = train.fit(given_, truth, 2, np.full(3, 1.0))
    assert ((given_ @ weights.T + bias).argmax(axis=1) == truth).mean() > 0.97
    towards = weights[1] - weights[0]
    assert towards[1] > 5 * np.abs(towards[[0, 2]]).max()
    shrunk, _ = train.fit(given_, truth, 2, np.full(3, 1000.0))
    assert np.abs(shrunk).max() < np.abs(weights).max() / 5


def test_the_gradient_of_the_training_is_that_of_its_loss():
    # At the optimum of Σ -log p + ½ l2 w² the penalty balances the error: l2·w = Σ (truth - p)·x.
    rng = np.random.default_rng(8)
    given_ = rng.normal(size=(60, 2))
    truth = rng.integers(0, 3, 60)
    weights, bias = train.fit(given_, truth, 3, np.full(2, 2.0))
    error = np.eye(3)[truth] - softmax(given_ @ weights.T + bias)
    assert 2.0 * weights == pytest.approx(error.T @ given_, abs=1e-2)


def test_f1_of_a_worked_example():
    truth, named = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    # class 0: 1 hit of 2 named and 2 true; class 1: 2 hits of 3 and 2; class 2 is never named
    assert train.f1_by_class(truth, named, 3) == pytest.approx([2 / 4, 4 / 5, 0])


@pytest.mark.parametrize("name", train.TASKS)
def test_every_row_of_the_training_has_a_class_and_every_task_a_stored_head(name):
    task = train.TASKS[name]
    for space, languages in task.spaces.items():
        assert {task.class_of(row) for row in train.read(task, languages)} == set(task.classes)
        stored = Head.load(name, space)
        assert (stored.classes, stored.extra_names) == (task.classes, task.extra_names)

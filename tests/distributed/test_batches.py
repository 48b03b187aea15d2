"""How recordings are shared out in batches: each once, the same whoever asks, and none too long."""

import random

import polars as pl

from pipelines.resources.batches import shares


def recordings(lengths_s):
    hashes = [f"{random.Random(n).getrandbits(64):016x}" for n in range(len(lengths_s))]
    return pl.DataFrame({"audio_sha256": hashes, "duration_s": lengths_s}, schema_overrides={"duration_s": pl.Float64})


def test_every_recording_is_in_exactly_one_batch_and_batches_hold_about_what_was_asked_for():
    frame = recordings([60.0 + n % 7 * 30 for n in range(200)])
    length_s = dict(frame.iter_rows())
    made = shares(frame, 600.0)
    assert sorted(h for share in made for h in share) == sorted(length_s)
    totals = [sum(length_s[h] for h in share) for share in made]
    assert max(totals) <= 600.0
    assert min(totals[:-1]) > 600.0 - 240.0


def test_the_same_recordings_make_the_same_batches_in_any_order_and_with_interactions_that_share_one():
    frame = recordings([100.0] * 30)
    again = pl.concat([frame, frame[3:9]]).sample(fraction=1.0, shuffle=True, seed=1)
    assert shares(again, 350.0) == shares(frame, 350.0)


def test_a_recording_longer_than_a_batch_is_one_alone_and_one_of_unknown_length_is_not_lost():
    frame = recordings([5000.0, None, 10.0])
    made = shares(frame, 600.0)
    assert sorted(map(len, made)) in ([1, 2], [1, 1, 1])
    assert {h for share in made for h in share} == set(frame["audio_sha256"])
    assert shares(frame[:0], 600.0) == []

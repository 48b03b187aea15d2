"""Clips: a tone over what is personal and nothing else changed, the right stretch, only of the right recording."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from signals import noise

from pipelines.audio import clips
from pipelines.audio.channels import file_sha256
from pipelines.audio.clips import ClipOptions, Cut, around, beeped, write_clips
from pipelines.audio.decode import BadRecording, DecodeLimits
from pipelines.audio.sandbox import Sandbox

RATE_HZ = 8000


def two_channels(seconds: float = 10.0) -> np.ndarray:
    left, right = noise(seconds, RATE_HZ, seed=1), noise(seconds, RATE_HZ, seed=2)
    return np.rint(np.clip(np.stack([left, right], axis=1), -1, 1) * 32767).astype(np.int16)


def loudest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * RATE_HZ / len(samples))


def share_at_1_khz(samples: np.ndarray) -> float:
    """Share of the power within 50 Hz of 1 kHz."""
    power = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples)))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return float(power[np.abs(hz - 1000) < 50].sum() / power.sum())


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, two_channels(), RATE_HZ)
    return path


def test_the_marked_stretch_becomes_a_tone_and_nothing_else_changes():
    samples = two_channels()
    found = beeped(samples, RATE_HZ, [(4.0, 5.0)])
    first, last = round(3.5 * RATE_HZ), round(5.5 * RATE_HZ)
    assert np.array_equal(found[:first], samples[:first])
    assert np.array_equal(found[last:], samples[last:])
    for channel in (0, 1):
        assert loudest_hz(found[first:last, channel]) == pytest.approx(1000, abs=1)
        assert share_at_1_khz(found[first:last, channel]) > 0.999
        assert np.abs(found[first:last, channel]).max() == pytest.approx(0.1 * 32767, abs=2)


def test_the_samples_that_were_given_stay_as_they_were():
    samples = two_channels(2.0)
    before = samples.copy()
    beeped(samples, RATE_HZ, [(0.5, 1.0)])
    assert np.array_equal(samples, before)


def test_spans_at_the_edges_and_over_each_other_are_covered_whole():
    samples = two_channels(3.0)
    found = beeped(samples, RATE_HZ, [(0.0, 0.2), (0.1, 1.0), (2.9, 99.0)], ClipOptions(margin_s=0.1))
    assert share_at_1_khz(found[: round(1.1 * RATE_HZ), 0]) > 0.999
    assert share_at_1_khz(found[round(2.8 * RATE_HZ) :, 1]) > 0.99
    assert np.array_equal(found[round(1.1 * RATE_HZ) : round(2.8 * RATE_HZ)], samples[round(1.1 * RATE_HZ) : 22400])


def test_without_anything_personal_nothing_changes():
    samples = two_channels(1.0)
    assert np.array_equal(beeped(samples, RATE_HZ, []), samples)


def test_a_clip_holds_its_stretch_with_the_tone_in_its_place(recording, tmp_path):
    out = tmp_path / "clip.ogg"
    lengths = write_clips(str(recording), file_sha256(recording), [Cut(str(out), 3.0, 8.0)], [(4.0, 5.0)])
    assert lengths == [5.0]
    heard, rate_hz = soundfile.read(out, dtype="int16")
    assert (rate_hz, heard.shape[1]) == (RATE_HZ, 2)
    assert len(heard) == pytest.approx(5 * RATE_HZ, abs=RATE_HZ // 20)
    # The recording's 4 to 5 s, widened by half a second, are the clip's 0.5 to 2.5 s.
    assert share_at_1_khz(heard[round(0.6 * RATE_HZ) : round(2.4 * RATE_HZ), 0]) > 0.95
    assert share_at_1_khz(heard[round(2.7 * RATE_HZ) :, 0]) < 0.2
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.stat().st_size < 30_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["call.wav", "clip.ogg"]


def test_a_clip_written_block_by_block_is_the_same(recording, tmp_path, monkeypatch):
    heard = []
    for block_s in (60, 1):
        monkeypatch.setattr(clips, "_BLOCK_S", block_s)
        out = tmp_path / f"{block_s}.ogg"
        write_clips(str(recording), file_sha256(recording), [Cut(str(out), 1.3)], [(2.0, 4.9), (9.5, 12.0)])
        heard.append(soundfile.read(out, dtype="int16")[0])
    assert np.array_equal(*heard)


def test_a_cut_without_an_end_holds_the_whole_call(recording, tmp_path):
    assert write_clips(str(recording), file_sha256(recording), [Cut(str(tmp_path / "all.ogg"))], []) == [10.0]


def test_another_file_in_the_recordings_place_gives_no_clip(recording, tmp_path):
    known = file_sha256(recording)
    soundfile.write(recording, two_channels()[::-1], RATE_HZ)
    with pytest.raises(BadRecording, match="changed"):
        write_clips(str(recording), known, [Cut(str(tmp_path / "clip.ogg"), 0.0, 1.0)], [])
    assert not (tmp_path / "clip.ogg").exists()


def test_a_stretch_behind_the_end_is_refused(recording, tmp_path):
    with pytest.raises(BadRecording, match="behind the end"):
        write_clips(str(recording), file_sha256(recording), [Cut(str(tmp_path / "clip.ogg"), 11.0, 12.0)], [])


def test_clips_are_cut_in_the_sandbox(recording, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF\x00\x00")
    items = [
        (str(path), file_sha256(path), (Cut(str(tmp_path / f"{path.stem}.ogg"), 0.0, 1.0),), ())
        for path in (recording, bad)
    ]
    with Sandbox(1, DecodeLimits()) as sandbox:
        found = {item[0]: result for item, result in sandbox.starmap(write_clips, items)}
    assert found[str(recording)] == [1.0]
    assert isinstance(found[str(bad)], BadRecording)


def test_an_event_is_heard_with_what_comes_before_and_after():
    assert around(28.0, 33.0) == (24.0, 37.0)
    assert around(1.0, 2.0) == (0.0, 6.0)
    assert around(100.0, 900.0) == (96.0, 156.0)

import hashlib

import numpy as np
import pytest
import signals
import soundfile

from pipelines.audio.channels import RECORDING_VERSION, inspect
from pipelines.contracts.recordings import RECORDINGS

A, B = signals.syllables(20, seed=1), signals.syllables(20, pitch_hz=200, seed=2)
FIRST = np.repeat(np.arange(20) % 4 < 2, 8000)
NOISE = signals.noise(20, rms=0.0005, seed=5)


def inspected(path, *channels, coding="PCM_16", container="WAV", **more) -> dict:
    soundfile.write(path, signals.int16(*channels), 8000, format=container, subtype=coding)
    return inspect(path, None, **more)


def layout(path, *channels, **more) -> str:
    return inspected(path / "a.wav", *channels, **more)["layout"]


def test_the_columns_are_those_of_the_contract_and_conform(tmp_path):
    row = inspected(tmp_path / "a.wav", A * FIRST, B * ~FIRST, agent_channel=1)
    rest = {"interaction_id": "1", "recording": "a.wav", "outcome": "accepted"}
    RECORDINGS.conform(RECORDINGS.frame([row | rest]))
    assert row == {
        "audio_sha256": hashlib.sha256((tmp_path / "a.wav").read_bytes()).hexdigest(),
        "size_bytes": 640_044,
        "format": "WAV/PCM_16",
        "sample_rate_hz": 8000,
        "n_channels": 2,
        "duration_s": 20.0,
        "claimed_duration_s": 20.0,
        "layout": "two_channel",
        "channel_correlation": pytest.approx(0.0, abs=0.1),
        "agent_channel": 1,
        "agent_channel_source": "supplied",
        "extractor_version": RECORDING_VERSION,
    }


def test_the_agent_is_on_channel_0_unless_a_channel_that_exists_is_supplied(tmp_path):
    for channels, supplied, expected in [
        ((A, B), None, (0, "default")),
        ((A,), 1, (0, "default")),
        ((A, B), 0, (0, "supplied")),
    ]:
        row = inspected(tmp_path / "a.wav", *channels, agent_channel=supplied)
        assert (row["agent_channel"], row["agent_channel_source"]) == expected


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.1, -1.0, -0.5])
def test_the_same_sound_on_both_channels_is_dual_mono_at_any_gain_and_polarity(tmp_path, gain):
    row = inspected(tmp_path / "a.wav", A + NOISE, gain * (A + NOISE))
    assert row["layout"] == "dual_mono"
    assert abs(row["channel_correlation"]) > 0.95
    assert np.sign(row["channel_correlation"]) == np.sign(gain)


def test_dual_mono_survives_a_delay_and_lossy_coding(tmp_path):
    delayed = np.concatenate([signals.silence(0.03), A])[: len(A)]
    assert layout(tmp_path, A, delayed) == "dual_mono"
    for name, container, coding in [
        ("a.mp3", "MP3", "MPEG_LAYER_III"),
        ("a.opus", "OGG", "OPUS"),
        ("a.ogg", "OGG", "VORBIS"),
    ]:
        assert inspected(tmp_path / name, A, A, container=container, coding=coding)["layout"] == "dual_mono"
    noisy = [A + signals.noise(20, rms=0.005, seed=s) for s in (1, 2)]
    assert layout(tmp_path, *noisy, coding="ULAW") == "dual_mono"


@pytest.mark.parametrize("leak", [0.05, 0.25, 0.5])
def test_two_parties_who_leak_into_each_other_stay_two(tmp_path, leak):
    a, b = A * FIRST, B * ~FIRST
    assert layout(tmp_path, a + leak * b, b + leak * a) == "two_channel"


def test_a_party_who_only_leaks_is_not_dual_mono(tmp_path):
    through_the_room = signals.telephone_band(
        np.convolve(A, signals.noise(0.05, rms=1) * np.exp(-np.arange(400) / 80))[: len(A)]
    )
    leak = 0.1 * through_the_room * A.std() / through_the_room.std()
    assert layout(tmp_path, A + NOISE, leak + signals.noise(20, rms=0.0005, seed=6)) == "two_channel"


@pytest.mark.parametrize("other", [signals.silence(20), signals.noise(20, rms=0.0003), signals.noise(20, rms=0.004)])
def test_a_channel_without_sound_above_line_noise_makes_it_one_sided(tmp_path, other):
    assert layout(tmp_path, A, other) == layout(tmp_path, other, A) == "one_sided"


def test_silence_is_silent_and_one_channel_is_mono(tmp_path):
    assert layout(tmp_path, signals.silence(5), signals.silence(5)) == "silent"
    assert layout(tmp_path, signals.noise(5, rms=0.0002)) == "silent"
    assert layout(tmp_path, A) == "mono"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav", "two_channel"),
        ("two_channel_short/call_center_sample.wav", "two_channel"),
        ("phone_clips/two_channel_16k.wav", "two_channel"),
        ("mono_u8_and_dual_mono/Sample1.mp3", "dual_mono"),
        ("mono_u8_and_dual_mono/Sample2.mp3", "dual_mono"),
        ("mono_u8_and_dual_mono/Auto0_GUID_000_AGENT_ChrisL_Mono.wav", "mono"),
    ],
)
def test_layouts_of_real_recordings(realdata, name, expected):
    assert inspect(realdata / name, None)["layout"] == expected

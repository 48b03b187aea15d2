import numpy as np
import pytest
import signals
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audio import level


def test_a_full_scale_sine_has_minus_3_dbfs_and_a_square_wave_0():
    sine = signals.track(signals.tone(500, 1.0, amplitude=0.99997))
    assert level.decibels(sine.mean()) == pytest.approx(-3.01, abs=0.01)
    square = signals.track(np.sign(signals.tone(50, 1.0) + 1e-9))
    assert level.decibels(square.mean()) == pytest.approx(0.0, abs=0.01)


def test_the_track_ignores_an_offset_and_the_length_of_blocks():
    x = signals.noise(130.005, rms=0.02)
    track = signals.track(x + 0.1)
    assert len(track) == 13001
    assert level.decibels(track.mean()) == pytest.approx(20 * np.log10(0.02), abs=0.05)
    assert level.decibels(track[-1]) == pytest.approx(20 * np.log10(0.02), abs=3.0)


def bursts(share: float, rms: float = 0.05) -> np.ndarray:
    """10 s periods of noise and silence: active for `share` of the time."""
    return np.concatenate(
        [
            np.concatenate([signals.noise(10 * share, rms=rms, seed=i), signals.silence(10 * (1 - share))])
            for i in range(4)
        ]
    )


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
def test_active_level_is_that_of_the_active_part_whatever_the_silence(share):
    expected = 20 * np.log10(0.05) + 10 * np.log10(10 * share / min(10 * share + 0.2, 10))
    assert level.active_level_dbfs(signals.track(bursts(share))) == pytest.approx(expected, abs=0.3)


@settings(max_examples=25, deadline=None)
@given(st.floats(-40, 15))
def test_a_gain_moves_the_active_level_by_that_gain(gain_db):
    track = signals.track(bursts(0.4))
    moved = level.active_level_dbfs(track * 10 ** (gain_db / 10))
    assert moved - level.active_level_dbfs(track) == pytest.approx(gain_db, abs=0.01)


def test_the_active_level_agrees_with_p56_computed_sample_by_sample():
    x = signals.syllables(6.0)
    x = np.concatenate([x, signals.silence(3.0), 0.3 * x, signals.silence(4.0)])
    assert level.active_level_dbfs(signals.track(x)) == pytest.approx(p56(x, 8000), abs=0.1)


def p56(x: np.ndarray, rate_hz: int) -> float:
    """ITU-T P.56 method B by its text, slowly."""
    from scipy.signal import lfilter

    g = np.exp(-1 / (0.03 * rate_hz))
    q = lfilter([1 - g], [1, -g], lfilter([1 - g], [1, -g], np.abs(x)))
    hang, previous = round(0.2 * rate_hz), None
    for j in range(-15, 1):
        c = 2.0**j
        countdown, active = 0, 0
        for value in q:
            countdown = hang if value >= c else countdown - 1
            active += countdown >= 0 and (value >= c or countdown > 0)
        if not active:
            break
        a = 10 * np.log10(np.sum(x**2) / active)
        distance = a - 20 * np.log10(c) - 15.9
        if distance <= 0 and previous:
            return previous[0] + (a - previous[0]) * previous[1] / (previous[1] - distance)
        previous = (a, distance)
    raise AssertionError("no crossing")


def test_silence_has_no_active_level():
    assert level.active_level_dbfs(np.zeros(1000)) is None
    assert level.active_level_dbfs(np.zeros(0)) is None


@pytest.mark.parametrize("snr", [0, 5, 10, 20, 30, 40])
def test_snr_of_gamma_speech_in_white_noise_is_within_2_db(snr):
    random = np.random.default_rng(7)
    n = 80 * 3000
    speech = np.zeros(n)
    mask = np.zeros(3000, bool)
    for start in range(100, 3000, 500):
        mask[start : start + 250] = True
    samples = np.repeat(mask, 80)
    amplitude = random.gamma(0.4, 1.0, samples.sum()) * random.choice([-1, 1], samples.sum())
    speech[samples] = 0.05 * amplitude / np.sqrt(np.mean(amplitude**2))
    x = speech + signals.noise(30.0, rms=0.05 * 10 ** (-snr / 20), seed=3)
    measured, noise_dbfs = level.snr_and_noise_db(signals.track(x), mask, lambda: x[samples])
    assert measured == pytest.approx(snr, abs=2.0)
    assert noise_dbfs == pytest.approx(20 * np.log10(0.05) - snr, abs=0.5)


def test_snr_over_digital_silence_is_bounded_and_without_speech_is_none():
    track = signals.track(np.concatenate([signals.noise(1.0, rms=0.3), signals.silence(1.0)]))
    mask = np.arange(200) < 100
    assert level.snr_and_noise_db(track, mask) == (60.0, -75.0)
    assert level.snr_and_noise_db(track, np.zeros(200, bool)) == (None, None)


def test_noise_is_the_median_between_speech_and_a_door_slam_does_not_matter():
    x = signals.noise(10.0, rms=0.001)
    x[40_000:42_000] += signals.noise(0.25, rms=0.3)
    mask = np.zeros(1000, bool)
    assert level.decibels(level.noise_power(signals.track(x), mask)) == pytest.approx(-60.0, abs=0.5)


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 5))
def test_widening_spreads_every_true_to_both_sides(values, frames):
    mask = np.array(values, bool)
    expected = [any(values[max(0, i - frames) : i + frames + 1]) for i in range(len(values))]
    assert level.widen(mask, frames).tolist() == expected


def test_where_speech_leaves_no_room_for_noise_its_amplitudes_tell_the_ratio():
    random = np.random.default_rng(3)
    speech = random.gamma(0.4, 1.0, 80_000) * random.choice([-1, 1], 80_000)
    x = 0.05 * speech / speech.std() + signals.noise(10.0, rms=0.005)
    mask = np.ones(1000, bool)
    snr, noise_dbfs = level.snr_and_noise_db(signals.track(x), mask, lambda: x)
    assert snr == pytest.approx(20.0, abs=1.5)
    assert noise_dbfs == pytest.approx(20 * np.log10(0.005), abs=1.5)
    assert level.snr_and_noise_db(signals.track(x), mask) == (None, None)

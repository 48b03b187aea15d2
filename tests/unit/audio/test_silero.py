import numpy as np
import pytest
import signals

from pipelines.audio import silero
from tests.silero_reference import by_onnxruntime


def speech(seconds: float, rate_hz: int) -> np.ndarray:
    return signals.syllables(seconds, rate_hz) + signals.noise(seconds, rate_hz, rms=0.002)


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_the_network_says_what_the_published_one_says(rate_hz):
    chunk, sound = round(silero.CHUNK_S * rate_hz), speech(30, rate_hz).astype(np.float32)
    sound[3 * rate_hz : 5 * rate_hz] = 0.0
    sound[7 * rate_hz : 9 * rate_hz] = np.clip(20 * sound[7 * rate_hz : 9 * rate_hz], -1, 1)
    steps, n = 60, 7
    x = np.zeros((n + 1, (steps + 1) * chunk), np.float32)
    for i in range(n):
        x[i, : steps * chunk + chunk // 8] = sound[i * 4 * rate_hz :][: steps * chunk + chunk // 8]
    network = silero._network(rate_hz)
    features = network.features(x.ravel(), n * (steps + 1)).reshape(n, steps + 1, -1)[:, :steps]
    expected = by_onnxruntime(x[:n, : steps * chunk + chunk // 8], rate_hz)
    assert expected.max() > 0.5
    assert expected.min() < 0.05
    assert np.abs(network.probabilities(features) - expected).max() < 3e-5


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_each_segment_is_heard_after_half_a_second_before_it_whatever_else_is_asked_for(rate_hz, monkeypatch):
    samples = signals.int16(speech(22, rate_hz), 0.3 * speech(22, rate_hz)[::-1])
    gains = np.array([1.0, 3.0], np.float32)
    every = silero.silero(samples, rate_hz, gains, np.ones((6, 2), bool))
    assert every.shape == (-(-len(samples) // round(0.032 * rate_hz)), 2)
    one = np.zeros((6, 2), bool)
    one[2, 1] = True
    alone = silero.silero(samples, rate_hz, gains, one)
    assert np.abs(alone[250:375, 1] - every[250:375, 1]).max() < 1e-5
    assert not alone[:250].any()
    assert not alone[375:].any()
    assert not alone[:, 0].any()
    chunk, segment = round(0.032 * rate_hz), 125 * round(0.032 * rate_hz)
    start = 2 * segment - 16 * chunk - chunk // 8
    x = (samples[start : 3 * segment, 1] - samples[:, 1].mean()) * np.float32(3.0 / 32768.0)
    expected = by_onnxruntime(x[None].astype(np.float32), rate_hz)[16:, 0]
    assert np.abs(alone[250:375, 1] - expected).max() < 3e-5
    monkeypatch.setattr(silero, "_BATCH", 5)
    assert np.abs(silero.silero(samples, rate_hz, gains, np.ones((6, 2), bool)) - every).max() < 1e-5


def test_nothing_that_is_wanted_is_nothing_heard():
    assert not silero.silero(np.zeros((8000, 1), np.int16), 8000, np.ones(1, np.float32), np.zeros((1, 1), bool)).any()

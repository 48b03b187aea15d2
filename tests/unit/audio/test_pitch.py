import numpy as np
import pytest
import signals

from pipelines.audio.pitch import pitch_figures, pitch_track


def measured(x: np.ndarray, rate_hz: int) -> np.ndarray:
    samples = signals.int16(x)
    return pitch_track(samples, rate_hz, 0, 0.0, np.ones(len(samples) * 100 // rate_hz, bool))


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("noise_db", [None, 10])
def test_at_most_4_percent_of_voiced_frames_miss_the_pitch_of_telephone_vowels(rate_hz, noise_db):
    wrong = voiced = 0
    for base_hz in (75, 95, 120, 160, 210, 280, 350):
        t = np.arange(rate_hz * 3) / rate_hz
        pitch = base_hz * 2 ** (3 * np.sin(2 * np.pi * 0.7 * t) / 12)
        x = signals.pulse_train(pitch, rate_hz)
        if noise_db is not None:
            x = x + signals.noise(3.0, rate_hz, rms=0.05 * 10 ** (-noise_db / 20))
        found = measured(x, rate_hz)
        truth = pitch[(np.arange(300) * rate_hz) // 100 + rate_hz // 200]
        heard = np.isfinite(found)
        assert heard.mean() > 0.8
        wrong += int((np.abs(found[heard] / truth[heard] - 1) > 0.2).sum())
        voiced += int(heard.sum())
        assert np.nanmedian(np.abs(1200 * np.log2(found / truth))) < 20
    assert wrong / voiced <= 0.04


def test_noise_and_silence_have_no_pitch():
    assert np.isfinite(measured(signals.noise(5.0), 8000)).mean() < 0.01
    assert not np.isfinite(measured(signals.silence(1.0), 8000)).any()


def test_frames_outside_of_speech_are_not_looked_at():
    samples = signals.int16(signals.pulse_train(np.full(16000, 120.0)))
    speech = np.zeros(200, bool)
    speech[50:90] = True
    found = pitch_track(samples, 8000, 0, 0.0, speech)
    assert np.isfinite(found[50:90]).all()
    assert not np.isfinite(found[~speech]).any()


def test_figures_of_an_octave_glide_are_its_middle_and_60_percent_of_12_semitones():
    median_hz, range_st, sd_st = pitch_figures(100 * 2 ** np.linspace(0, 1, 1001))
    assert median_hz == pytest.approx(100 * 2**0.5)
    assert range_st == pytest.approx(7.2)
    assert sd_st == pytest.approx(12 / 12**0.5, rel=0.01)
    assert pitch_figures(np.full(100, np.nan)) == (None, None, None)

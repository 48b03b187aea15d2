from functools import lru_cache

import numpy as np
import pytest
import signals
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audio import activity, silero
from pipelines.audio.level import active_level_dbfs, channel_block, decibels, energy_track, snr_and_noise_db, widen


def found(*channels: np.ndarray, rate_hz: int = 8000, **more) -> activity.Activity:
    samples = signals.int16(*channels)
    return activity.voice_activity(samples, rate_hz, energy_track(samples, rate_hz), **more)


def told(*masks: np.ndarray) -> activity.SpeechDetector:
    """A detector that knows: probability .9 inside the masks (per 10 ms frame), .02 outside."""

    def detector(samples, rate_hz, gains, wanted):
        middle = (np.arange(-(-len(samples) // round(0.032 * rate_hz))) + 0.5) * 3.2
        return np.stack([np.where(m[np.minimum(middle.astype(int), len(m) - 1)], 0.9, 0.02) for m in masks], axis=1)

    return detector


def test_synthetic_speech_is_found_to_within_60_ms():
    x = np.concatenate(
        [signals.silence(2), signals.syllables(6), signals.silence(3), signals.syllables(4), signals.silence(2)]
    )
    runs = activity.runs(found(x + signals.noise(17, rms=0.0003)).speech[:, 0])
    assert np.abs(np.array(runs) - [(200, 800), (1100, 1500)]).max() <= 6


@pytest.mark.parametrize(
    "sound",
    [
        signals.silence(8),
        signals.tone(440, 8),
        signals.tone(440, 8) + signals.tone(480, 8),
        signals.noise(8),
        signals.noise(8, rms=0.0005),
        signals.telephone_band(signals.noise(8)),
        signals.silence(0.005),
    ],
    ids=["silence", "tone", "ringback", "noise", "faint noise", "line noise", "one frame"],
)
@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_silence_tones_and_noise_hold_no_speech(sound, rate_hz):
    assert not found(sound, rate_hz=rate_hz).speech.any()


def test_the_detector_sees_every_channel_at_the_same_level():
    seen = []

    def detector(samples, rate_hz, gains, wanted):
        seen.append(20 * np.log10(gains))
        return np.zeros((-(-len(samples) // 256), samples.shape[1]), np.float32)

    x = signals.noise(5.0, rms=0.05)
    found(x, 0.1 * x, detector=detector)
    assert seen[0][1] - seen[0][0] == pytest.approx(20.0, abs=0.1)
    assert 20 * np.log10(0.05) + seen[0][0] == pytest.approx(-26.0, abs=0.3)


def test_segments_of_silence_are_not_shown_to_the_detector():
    seen = []

    def detector(samples, rate_hz, gains, wanted):
        seen.append(wanted[:, 0].tolist())
        return np.zeros((-(-len(samples) // 256), 1), np.float32)

    found(np.concatenate([signals.silence(4), signals.noise(4), signals.silence(8)]), detector=detector)
    assert seen == [[False, True, False, False]]


def test_edges_follow_the_energy_where_speech_stands_out():
    mask = np.zeros(600, bool)
    mask[195:412] = True
    x = signals.noise(6.0, rms=0.0005)
    x[16000:32000] += signals.noise(2.0, rms=0.1)
    assert activity.runs(found(x, detector=told(mask)).speech[:, 0])[0] == (
        pytest.approx(200, abs=5),
        pytest.approx(400, abs=6),
    )


def test_gaps_under_300_ms_are_bridged_and_segments_under_120_ms_dropped():
    mask = np.zeros(100, bool)
    mask[0:20] = mask[49:60] = mask[90:100] = True
    assert activity.runs(activity.without_short_gaps(mask, 0.3)) == [(0, 60), (90, 100)]
    assert activity.runs(activity.without_short_gaps(mask, 0.29)) == [(0, 20), (49, 60), (90, 100)]
    assert activity.runs(activity.without_short_runs(mask, 0.12)) == [(0, 20)]
    assert activity.runs(activity.without_short_runs(mask, 0.11)) == [(0, 20), (49, 60)]


@given(st.lists(st.booleans(), max_size=80))
def test_runs_cover_exactly_the_true_frames(values):
    mask = np.array(values, bool)
    again = np.zeros(len(mask), bool)
    for start, end in activity.runs(mask):
        assert end > start
        again[start:end] = True
    assert np.array_equal(again, mask)


@lru_cache(2)
def words(c: int) -> np.ndarray:
    return np.tile(signals.syllables(10, pitch_hz=(120, 210)[c], seed=c), 9)


def leaking_call(leak_db: float) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Two parties in turn for 90 s, each heard in the other's channel 60 ms later; and who really speaks."""
    masks = np.zeros((9_000, 2), bool)
    for start in range(0, 9_000, 1000):
        masks[start + 50 : start + 450, 0] = masks[start + 550 : start + 950, 1] = True
    own = []
    for c in (0, 1):
        own.append(words(c) * np.repeat(masks[:, c], 80))
    heard = [10 ** (leak_db / 20) * signals.telephone_band(np.roll(x, 480)) for x in own]
    noise = [signals.noise(90, rms=0.0002, seed=c) for c in (0, 1)]
    return (own[0] + heard[1] + noise[0], own[1] + heard[0] + noise[1]), masks


def test_speech_that_leaks_from_the_other_channel_is_dropped():
    call, masks = leaking_call(-20.0)
    everything = told(*np.repeat((masks | np.roll(masks, 6, axis=0)).any(axis=1)[None], 2, axis=0))
    result = found(*call, detector=everything)
    assert result.leak_db[0] == pytest.approx(-20.0, abs=2.5)
    assert result.leak_db[1] == pytest.approx(-20.0, abs=2.5)
    for c in (0, 1):
        speech = result.speech[:, c]
        assert (speech & ~widen(masks[:, c], 10)).mean() < 0.02
        assert (speech & masks[:, c]).sum() / masks[:, c].sum() > 0.9
    kept = found(*call, detector=everything, same_sound=True)
    assert kept.leak_db == (None, None)
    assert (kept.speech[:, 0] & masks[:, 1]).sum() / masks[:, 1].sum() > 0.9


def test_a_faint_leak_is_left_alone():
    call, masks = leaking_call(-60.0)
    result = found(*call, detector=told(masks[:, 0], masks[:, 1]))
    assert result.leak_db == (None, None)
    assert (result.speech == masks).mean() > 0.97


def test_a_detector_whose_weights_are_not_the_known_ones_is_refused(monkeypatch):
    monkeypatch.setattr(silero, "SILERO_SHA256", "0" * 64)
    silero._network.cache_clear()
    with pytest.raises(RuntimeError, match="sha256"):
        silero._network(8000)


# --- real speech


def prompts_in_a_row(folder, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Real telephone prompts with pauses, and the frames that hold speech: less than 30 dB under the active level."""
    random = np.random.default_rng(1)
    parts, n = [], 0
    for file in random.permutation(sorted(folder.glob("phone_prompts/wav/*.wav"))):
        x, _ = soundfile.read(file)
        pause = signals.silence(0.3 + random.exponential(1.5))
        parts += [pause, x]
        n += len(x) + len(pause)
        if n > seconds * 8000:
            break
    x = np.concatenate(parts)
    track = signals.track(x)
    speech = decibels(track) > active_level_dbfs(track) - 30.0
    return x, activity.without_short_runs(activity.without_short_gaps(speech, 0.3), 0.12)


def office(n: int) -> np.ndarray:
    """Pink noise whose level wanders, hum, and keys being struck; rms 1."""
    random = np.random.default_rng(2)
    spectrum = np.fft.rfft(random.standard_normal(n)) / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / 8000), 50))
    x = np.fft.irfft(spectrum, n)
    x /= x.std()
    x *= 10 ** (0.1 * np.interp(np.arange(n), np.arange(0, n + 8000, 8000), random.standard_normal(n // 8000 + 2)))
    x += 0.2 * np.sin(2 * np.pi * 120 * np.arange(n) / 8000)
    for t in random.integers(0, n - 400, n // 16000):
        x[t : t + 200] += 4 * random.standard_normal(200) * np.exp(-np.arange(200) / 40)
    return x / x.std()


def f1(truth: np.ndarray, got: np.ndarray) -> float:
    """By 10 ms frames, without those within 50 ms of an edge."""
    known = ~widen(np.diff(truth.astype(int), prepend=0) != 0, 5)
    return 2 * (truth & got & known).sum() / ((got & known).sum() + (truth & known).sum())


@pytest.mark.parametrize(("snr", "least"), [(40, 0.97), (10, 0.94), (0, 0.9)])
def test_activity_and_snr_of_real_telephone_speech_in_office_noise(realdata, snr, least):
    x, truth = prompts_in_a_row(realdata, 60)
    samples = np.repeat(truth, 80)[: len(x)]
    power = np.mean(x[: len(samples)][samples] ** 2)
    noisy = signals.int16(x + office(len(x)) * np.sqrt(power / 10 ** (snr / 10)))
    energy = energy_track(noisy, 8000)
    speech = activity.voice_activity(noisy, 8000, energy).speech[:, 0]
    assert f1(truth, speech) >= least
    heard = channel_block(noisy, 0, 0, len(noisy), 0.0)[np.repeat(speech, 80)[: len(noisy)]]
    if snr <= 30:
        assert snr_and_noise_db(energy[:, 0], speech, lambda: heard)[0] == pytest.approx(snr, abs=3.0)


@pytest.mark.parametrize(("name", "snr"), [("p287_002", 8.98), ("p287_003", 4.24)])
def test_snr_of_public_noisy_recordings_is_near_the_truth(realdata, name, snr):
    samples, rate_hz = soundfile.read(realdata / f"snr_pairs/noisy/{name}.wav", dtype="int16", always_2d=True)
    energy = energy_track(samples, rate_hz)
    speech = activity.voice_activity(samples, rate_hz, energy).speech[:, 0]
    heard = channel_block(samples, 0, 0, len(samples), 0.0)[np.repeat(speech, rate_hz // 100)[: len(samples)]]
    assert snr_and_noise_db(energy[:, 0], speech, lambda: heard)[0] == pytest.approx(snr, abs=3.0)

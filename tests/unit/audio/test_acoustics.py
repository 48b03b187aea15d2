from functools import lru_cache

import numpy as np
import pytest
import signals
import soundfile

from pipelines.audio.acoustics import ACOUSTICS_VERSION, acoustics, count_pauses, recognition_audio
from pipelines.audio.activity import Activity
from pipelines.audio.channels import inspect
from pipelines.audio.decode import BadRecording, DecodeLimits
from pipelines.audio.sandbox import Sandbox
from pipelines.contracts.acoustics import SEGMENTS, VOICES

LIMITS = DecodeLimits(max_duration_s=600.0, timeout_s=120.0, memory_mb=2048)
QUIET = 0.001


@lru_cache(1)
def call() -> np.ndarray:
    """17 s: speech at 2-8 and 11-15 s."""
    x = [signals.silence(2), signals.syllables(6), signals.silence(3), signals.syllables(4), signals.silence(2)]
    return np.concatenate(x) + signals.noise(17, rms=QUIET)


def written(path, *channels, **more):
    soundfile.write(path, signals.int16(*channels), 8000, **more)
    return path


def times(result, channel=0, kind="speech") -> np.ndarray:
    rows = [s for s in result.segments if s["audio_channel"] == channel and s["kind"] == kind]
    return np.array([(s["start_s"], s["end_s"]) for s in rows])


def test_rows_conform_to_the_contracts(tmp_path):
    result = acoustics(written(tmp_path / "a.wav", call(), signals.silence(17)), LIMITS)
    for table, rows in ((SEGMENTS, result.segments), (VOICES, result.voices)):
        frame = table.conform(table.frame([r | {"interaction_id": "1"} for r in rows]))
        for column in table.columns:
            values = frame[column.name]
            assert column.nullable or values.null_count() == 0
            assert column.at_least is None or (values.drop_nulls() >= column.at_least).all()
            assert column.at_most is None or (values.drop_nulls() <= column.at_most).all()
    assert {r["extractor_version"] for r in result.segments} == {ACOUSTICS_VERSION}


def test_measures_of_a_call_with_known_answers(tmp_path):
    result = acoustics(written(tmp_path / "a.wav", call(), signals.silence(17)), LIMITS)
    agent, other = result.voices
    assert times(result) == pytest.approx(np.array([(2, 8), (11, 15)]), abs=0.06)
    assert agent["speech_s"] == pytest.approx(10.0, abs=0.2)
    assert agent["noise_dbfs"] == pytest.approx(20 * np.log10(QUIET), abs=0.5)
    assert agent["level_dbfs"] - agent["noise_dbfs"] == pytest.approx(agent["snr_db"], abs=1.0)
    assert agent["pitch_hz"] == pytest.approx(130, rel=0.1)
    assert agent["pause_rate"] == agent["clipping_ratio"] == 0.0
    assert other["speech_s"] == 0.0
    assert {other[n] for n in ("level_dbfs", "noise_dbfs", "snr_db", "pitch_hz", "level_range_db", "pause_rate")} == {
        None
    }


def test_a_gain_moves_levels_only(tmp_path):
    plain = acoustics(written(tmp_path / "a.wav", call()), LIMITS)
    for gain in (0.5, 4.0):
        moved = acoustics(written(tmp_path / "b.wav", gain * call()), LIMITS)
        assert times(moved) == pytest.approx(times(plain), abs=0.02)
        difference = moved.voices[0]["level_dbfs"] - plain.voices[0]["level_dbfs"]
        assert difference == pytest.approx(20 * np.log10(gain), abs=0.1)
        assert moved.voices[0]["snr_db"] == pytest.approx(plain.voices[0]["snr_db"], abs=1.0)


@pytest.mark.parametrize("lead_s", [1.0, 3.3371, 20.0])
def test_leading_silence_moves_times_only(tmp_path, lead_s):
    plain = acoustics(written(tmp_path / "a.wav", call()), LIMITS)
    lead = signals.silence(lead_s)
    moved = acoustics(written(tmp_path / "b.wav", np.concatenate([lead, call()])), LIMITS)
    assert times(moved) - len(lead) / 8000 == pytest.approx(times(plain), abs=0.002)
    names = ("speech_s", "level_dbfs", "snr_db", "pitch_hz")
    assert [moved.voices[0][n] for n in names] == pytest.approx([plain.voices[0][n] for n in names], abs=0.05)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("b.wav", {"subtype": "ULAW"}),
        ("b.wav", {"subtype": "FLOAT"}),
        ("b.flac", {}),
        ("b.mp3", {}),
        ("b.opus", {"format": "OGG", "subtype": "OPUS"}),
    ],
)
def test_the_file_format_moves_no_segment_by_more_than_20_ms(tmp_path, name, more):
    plain = acoustics(written(tmp_path / "a.wav", call()), LIMITS)
    soundfile.write(tmp_path / name, call(), 8000, **more)
    assert times(acoustics(tmp_path / name, LIMITS)) == pytest.approx(times(plain), abs=0.0201)


def test_of_the_same_sound_on_both_channels_only_the_first_is_measured(tmp_path):
    result = acoustics(written(tmp_path / "a.wav", call(), 0.5 * call()), LIMITS)
    mono = acoustics(written(tmp_path / "b.wav", call()), LIMITS)
    assert times(result) == pytest.approx(times(mono), abs=0.02)
    assert {s["audio_channel"] for s in result.segments} == {0}
    assert [(v["audio_channel"], v["speaker"], v["leak_db"]) for v in result.voices] == [(0, 0, None)]
    assert result.voices[0]["level_dbfs"] == pytest.approx(mono.voices[0]["level_dbfs"], abs=0.02)


@lru_cache(1)
def dialogue() -> tuple[np.ndarray, tuple[tuple[float, float, int], ...]]:
    """52 s and (start, end, voice) of each turn: two synthetic voices of unlike pitch and level, bright first."""
    x, spans, at = [signals.silence(1.0)], [], 1.0
    for number, (speaker, seconds) in enumerate(((0, 8), (1, 6), (0, 3), (1, 9), (0, 6), (1, 4), (0, 5), (1, 3))):
        voice = signals.BRIGHT if speaker == 0 else signals.DARK
        x += [(0.5, 1.0)[speaker] * signals.voice(seconds, *voice, seed=number), signals.silence(0.8)]
        spans.append((at, at + seconds, speaker))
        at += seconds + 0.8
    x = np.concatenate(x)
    return x + signals.noise(len(x) / 8000, rms=QUIET), tuple(spans)


def test_two_voices_of_a_mono_recording_are_told_apart_and_measured_each(tmp_path, monkeypatch):
    x, spans = dialogue()
    speech = np.zeros((-(-len(x) // 80), 1), bool)
    for start_s, end_s, _ in spans:
        speech[round(start_s * 100) : round(end_s * 100)] = True
    known = Activity(speech, 0.9 * speech, (None,))
    monkeypatch.setattr("pipelines.audio.acoustics.voice_activity", lambda *_, **__: known)
    result = acoustics(written(tmp_path / "a.wav", x), LIMITS)
    speech = [s for s in result.segments if s["kind"] == "speech"]
    assert [s["segment"] for s in speech] == list(range(len(speech)))
    assert [s["start_s"] for s in speech] == sorted(s["start_s"] for s in speech)
    for start_s, end_s, speaker in spans:
        inside = [s for s in speech if start_s - 0.1 < s["start_s"] and s["end_s"] < end_s + 0.4]
        assert {s["speaker"] for s in inside} == {speaker}
        assert sum(s["end_s"] - s["start_s"] for s in inside) == pytest.approx(end_s - start_s, abs=0.5)
    first, second = result.voices
    assert (first["speaker"], second["speaker"]) == (0, 1)
    assert first["speaker_confidence"] == second["speaker_confidence"] >= 0.5
    assert (first["speech_s"], second["speech_s"]) == (pytest.approx(22, abs=1), pytest.approx(22, abs=1))
    assert first["pitch_hz"] == pytest.approx(signals.BRIGHT[0], rel=0.1)
    assert second["pitch_hz"] == pytest.approx(signals.DARK[0], rel=0.1)
    assert second["level_dbfs"] - first["level_dbfs"] == pytest.approx(6.0, abs=1.0)
    assert first["noise_dbfs"] == pytest.approx(second["noise_dbfs"], abs=0.1)
    assert second["snr_db"] - first["snr_db"] == pytest.approx(6.0, abs=1.0)


def test_two_channels_have_a_voice_each_whatever_is_said(tmp_path):
    x, _ = dialogue()
    result = acoustics(written(tmp_path / "a.wav", x, signals.silence(len(x) / 8000)), LIMITS)
    assert [(v["audio_channel"], v["speaker"], v["speaker_confidence"]) for v in result.voices] == [
        (0, 0, None),
        (1, 0, None),
    ]
    assert {s["speaker"] for s in result.segments} == {0}


def test_pauses_last_250_ms_to_2_s_and_nobody_else_speaks_in_them():
    speech, others = np.ones(3000, bool), np.zeros(3000, bool)
    for start, frames in ((100, 24), (200, 25), (400, 200), (800, 201), (1200, 100), (2900, 100)):
        speech[start : start + frames] = False
    others[1250:1260] = True
    assert count_pauses(speech, others) == 2


def tune(seconds: float) -> np.ndarray:
    """Three voices of four harmonics, two notes a second, swelling a little."""
    t = np.arange(round(seconds * 8000)) / 8000
    voices = ([0, 4, 7, 5, 9, 12, 7, 4], [7, 12, 16, 12, 14, 19, 16, 12], [-5, -5, 0, 0, 2, 2, 0, -5])
    x = np.zeros(len(t))
    for steps in voices:
        phase = 2 * np.pi * np.cumsum(220 * 2 ** (np.array(steps)[(t / 0.5).astype(int) % 8] / 12)) / 8000
        x += sum(np.sin(k * phase) / k for k in (1, 2, 3))
    return 0.03 * x * (0.8 + 0.2 * np.sin(4 * np.pi * t))


def test_a_tune_is_music_and_a_tone_or_noise_is_not(tmp_path):
    result = acoustics(written(tmp_path / "a.wav", tune(12)), LIMITS)
    assert times(result, kind="music") == pytest.approx(np.array([(0, 12)]), abs=1.01)
    assert len(times(result)) == 0
    for other in (signals.tone(440, 12), signals.noise(12), signals.silence(12)):
        result = acoustics(written(tmp_path / "a.wav", other), LIMITS)
        assert result.segments == []
        assert result.voices[0]["music_s"] == 0.0


def test_five_seconds_of_a_tune_are_too_short_for_hold_music(tmp_path):
    result = acoustics(written(tmp_path / "a.wav", tune(5)), LIMITS)
    assert len(times(result, kind="music")) == 0


def test_real_hold_music_is_music_and_holds_no_speech(realdata):
    result = acoustics(realdata / "phone_prompts/hold_music.wav", LIMITS)
    assert len(times(result)) == 0
    assert result.voices[0]["music_s"] > 0.9 * 244


@pytest.mark.parametrize("name", ["mono_phone_calls/Call01.wav", "two_channel_short/call_center_sample.wav"])
def test_real_speech_is_no_music(realdata, name):
    result = acoustics(realdata / name, LIMITS)
    assert sum(c["music_s"] for c in result.voices) == 0.0
    assert sum(c["speech_s"] for c in result.voices) > 5.0


def test_real_agents_and_callers_have_plausible_pitch_and_balance(realdata):
    name = "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav"
    agent, caller = acoustics(realdata / name, LIMITS).voices
    assert 200 < agent["pitch_hz"] < 290
    assert 95 < caller["pitch_hz"] < 160
    assert 80 < agent["speech_s"] < 110
    assert 80 < caller["speech_s"] < 115
    assert agent["leak_db"] is caller["leak_db"] is None


def test_recognition_audio_is_16_khz_float(tmp_path):
    for rate_hz in (8000, 16000, 44100):
        soundfile.write(tmp_path / "a.wav", signals.int16(signals.tone(1000, 2.0, rate_hz)), rate_hz)
        x = recognition_audio(tmp_path / "a.wav", LIMITS)
        assert x.dtype == np.float32
        assert x.shape == (pytest.approx(32000, abs=2), 1)
        assert np.argmax(np.abs(np.fft.rfft(x[:, 0]))) / 2 == pytest.approx(1000, abs=1)
        assert np.abs(x[1000:-1000]).max() == pytest.approx(0.1, rel=0.02)


def test_everything_runs_in_the_sandbox_within_its_memory(tmp_path):
    path = written(tmp_path / "a.wav", call(), call()[::-1])
    (tmp_path / "b.wav").write_text("no sound at all")
    with Sandbox(1, LIMITS) as sandbox:
        for function in (acoustics, inspect, recognition_audio):
            results = dict(sandbox.starmap(function, [(path, LIMITS), (tmp_path / "b.wav", LIMITS)]))
            assert isinstance(results[(tmp_path / "b.wav", LIMITS)], BadRecording)
            assert results[(tmp_path / "b.wav", LIMITS)].reason == "not_audio"
            inside, outside = results[(path, LIMITS)], function(path, LIMITS)
            assert np.array_equal(inside, outside) if function is recognition_audio else inside == outside

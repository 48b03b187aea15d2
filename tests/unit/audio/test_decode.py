import pickle
import struct
from fractions import Fraction

import numpy as np
import pytest
import signals
import soundfile

from pipelines.audio.decode import BadRecording, DecodeLimits, decode

LIMITS = DecodeLimits(max_duration_s=60.0)


def reason(path, limits=LIMITS) -> str:
    with pytest.raises(BadRecording) as caught:
        decode(path, limits)
    return caught.value.reason


@pytest.fixture
def speechlike():
    return signals.int16(signals.noise(4.0, rms=0.1), signals.tone(440, 4.0))


@pytest.mark.parametrize(
    ("name", "container", "coding", "tolerance"),
    [
        ("a.wav", "WAV", "PCM_16", 0),
        ("a.wav", "WAV", "PCM_U8", 256),
        ("a.wav", "WAV", "PCM_24", 1),
        ("a.wav", "WAV", "PCM_32", 1),
        ("a.wav", "WAV", "FLOAT", 1),
        ("a.wav", "WAV", "DOUBLE", 1),
        ("a.wav", "WAV", "ULAW", 600),
        ("a.wav", "WAV", "ALAW", 600),
        ("a.wav", "RF64", "PCM_16", 0),
        ("a.flac", "FLAC", "PCM_16", 0),
    ],
)
def test_exact_codings_give_back_the_samples(tmp_path, speechlike, name, container, coding, tolerance):
    soundfile.write(tmp_path / name, speechlike / 32768, 8000, format=container, subtype=coding)
    audio = decode(tmp_path / name, LIMITS)
    assert (audio.sample_rate_hz, audio.rate_hz, audio.samples.dtype) == (8000, 8000, np.int16)
    assert audio.format == f"{container}/{coding}"
    assert audio.samples.shape == speechlike.shape
    assert np.abs(audio.samples.astype(int) - speechlike).max() <= tolerance
    assert audio.claimed_duration_s == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("name", "container", "coding"),
    [("a.mp3", "MP3", "MPEG_LAYER_III"), ("a.ogg", "OGG", "VORBIS"), ("a.opus", "OGG", "OPUS")],
)
def test_lossy_codings_keep_duration_level_and_place(tmp_path, name, container, coding):
    x = signals.int16(np.concatenate([signals.silence(1.0), signals.tone(440, 2.0), signals.silence(1.0)]))
    soundfile.write(tmp_path / name, x, 8000, format=container, subtype=coding)
    audio = decode(tmp_path / name, LIMITS)
    assert audio.duration_s == pytest.approx(4.0, abs=0.15)
    middle = audio.samples[10000:22000, 0] / 32768
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.1, rel=0.05)
    loud = np.flatnonzero(np.abs(audio.samples[:, 0]) > 1600) / 8000
    assert loud[0] == pytest.approx(1.0, abs=0.02)
    assert loud[-1] == pytest.approx(3.0, abs=0.02)


def encoded(path, codec: str, rate_hz: int, x: np.ndarray, container: str | None = None) -> None:
    import av

    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(x.T), format="s16", layout="mono")
        frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=rate_hz,
            frame_size=stream.codec_context.frame_size or 0,
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz", "form"),
    [
        ("a.m4a", "aac", 16000, "MOV/AAC"),
        ("a.aac", "aac", 16000, "AAC/AAC"),
        ("a.amr", "libopencore_amrnb", 8000, "AMR"),
    ],
)
def test_phone_formats_are_read_by_ffmpeg(tmp_path, name, codec, rate_hz, form):
    x = signals.int16(signals.tone(440, 3.0, rate_hz))
    encoded(tmp_path / name, codec, rate_hz, x, "adts" if name.endswith(".aac") else None)
    audio = decode(tmp_path / name, LIMITS)
    assert audio.format.startswith(form)
    assert audio.sample_rate_hz == rate_hz
    assert audio.duration_s == pytest.approx(3.0, abs=0.15)
    middle = audio.samples[rate_hz : 2 * rate_hz, 0] / 32768
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.1, rel=0.1 if codec == "aac" else 0.4)


@pytest.mark.parametrize(
    ("rate_hz", "becomes"), [(8000, 8000), (11025, 16000), (16000, 16000), (44100, 16000), (48000, 16000)]
)
def test_rates_become_8_or_16_khz_and_the_own_rate_is_kept(tmp_path, rate_hz, becomes):
    soundfile.write(tmp_path / "a.wav", signals.int16(signals.tone(1000, 2.0, rate_hz)), rate_hz)
    audio = decode(tmp_path / "a.wav", LIMITS)
    assert (audio.sample_rate_hz, audio.rate_hz) == (rate_hz, becomes)
    assert audio.duration_s == pytest.approx(2.0, abs=0.001)
    spectrum = np.abs(np.fft.rfft(audio.samples[:, 0]))
    assert np.argmax(spectrum) / audio.duration_s == pytest.approx(1000, abs=1)


def test_a_change_of_rate_gives_the_same_samples_every_time(tmp_path):
    soundfile.write(tmp_path / "a.wav", signals.int16(signals.noise(3.0, 44100)), 44100)
    first, second = (decode(tmp_path / "a.wav", LIMITS).samples for _ in range(2))
    assert np.array_equal(first, second)


def test_a_file_without_bytes_or_frames_is_empty(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    soundfile.write(tmp_path / "b.wav", np.zeros((0, 1), np.int16), 8000)
    assert reason(tmp_path / "a.wav") == reason(tmp_path / "b.wav") == "empty"


def cut(path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize(("name", "container"), [("a.wav", "WAV"), ("a.flac", "FLAC"), ("a.mp3", "MP3")])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_file_is_truncated(tmp_path, name, container, share):
    soundfile.write(tmp_path / name, signals.int16(signals.noise(20.0)), 8000, format=container)
    cut(tmp_path / name, share)
    assert reason(tmp_path / name) == "truncated"


def test_a_cut_wav_header_and_a_cut_m4a_are_truncated(tmp_path):
    soundfile.write(tmp_path / "a.wav", signals.int16(signals.noise(1.0)), 8000)
    cut(tmp_path / "a.wav", 30 / 16044)
    encoded(tmp_path / "a.m4a", "aac", 16000, signals.int16(signals.noise(5.0, 16000)))
    cut(tmp_path / "a.m4a", 0.5)
    assert reason(tmp_path / "a.wav") == reason(tmp_path / "a.m4a") == "truncated"


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_streamed_wav_without_sizes_is_read_to_its_end(tmp_path, size):
    x = signals.int16(signals.noise(2.0))
    soundfile.write(tmp_path / "a.wav", x, 8000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[4:8] = data[40:44] = struct.pack("<I", size)
    (tmp_path / "a.wav").write_bytes(data)
    audio = decode(tmp_path / "a.wav", LIMITS)
    assert np.array_equal(audio.samples, x)


@pytest.mark.parametrize("after", [b"LIST\x04\0\0\0abcd", b"\0LIST\x04\0\0\0abcd", bytes(9000), b"TAGtitle" * 600])
def test_what_else_stands_behind_the_sound_of_a_wav_does_no_harm(tmp_path, after):
    soundfile.write(tmp_path / "a.wav", signals.int16(signals.noise(1.0)), 8000)
    with (tmp_path / "a.wav").open("ab") as file:
        file.write(after)
    assert decode(tmp_path / "a.wav", LIMITS).duration_s == 1.0


def test_sound_behind_the_end_that_a_wav_tells_of_is_not_dropped_in_silence(tmp_path):
    soundfile.write(tmp_path / "a.wav", signals.int16(signals.noise(4.0)), 8000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[40:44] = struct.pack("<I", 16000)
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(BadRecording, match=r"truncated: the header ends at 1.00 s, 3.00 s follow it"):
        decode(tmp_path / "a.wav", LIMITS)


def test_less_than_one_frame_of_sound_is_none(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.ones((79, 1), np.int16), 8000)
    assert reason(tmp_path / "a.wav") == "empty"
    soundfile.write(tmp_path / "a.wav", np.ones((80, 1), np.int16), 8000)
    assert decode(tmp_path / "a.wav", LIMITS).duration_s == 0.01


def test_a_damaged_mp3_keeps_what_is_whole(tmp_path):
    soundfile.write(tmp_path / "a.mp3", signals.int16(signals.noise(200.0)), 8000)
    data = bytearray((tmp_path / "a.mp3").read_bytes())
    data[100_000:102_000] = np.random.default_rng(0).bytes(2000)
    (tmp_path / "a.mp3").write_bytes(data)
    audio = decode(tmp_path / "a.mp3", DecodeLimits())
    assert audio.duration_s == pytest.approx(200.0, abs=2.0)


@pytest.mark.parametrize(
    "content",
    [
        np.random.default_rng(0).bytes(50_000),
        b"<html><body>404 not found</body></html>" * 50,
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"PK\x03\x04" + bytes(3000),
        b"RIFF",
        b"x",
    ],
)
@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a", "a"])
def test_what_is_no_audio_is_called_so(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert reason(tmp_path / name) == "not_audio"


def test_a_playlist_cannot_open_other_files(tmp_path):
    soundfile.write(tmp_path / "secret.wav", signals.int16(signals.noise(1.0)), 8000)
    (tmp_path / "a.wav").write_text(f"ffconcat version 1.0\nfile {tmp_path / 'secret.wav'}\n")
    assert reason(tmp_path / "a.wav") == "not_audio"


def test_an_unknown_codec_in_a_known_container_is_named(tmp_path):
    soundfile.write(tmp_path / "a.wav", signals.int16(signals.noise(2.0)), 8000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[20:22] = struct.pack("<H", 0x1234)
    (tmp_path / "a.wav").write_bytes(data)
    assert reason(tmp_path / "a.wav") == "unsupported_codec"


def test_rates_and_channels_outside_the_range_are_refused(tmp_path):
    soundfile.write(tmp_path / "low.wav", signals.int16(signals.noise(1.0)), 6000)
    soundfile.write(tmp_path / "high.wav", signals.int16(signals.noise(1.0)), 96000)
    soundfile.write(tmp_path / "many.wav", np.zeros((8000, 3), np.int16), 8000)
    assert reason(tmp_path / "low.wav") == reason(tmp_path / "high.wav") == "unsupported_rate"
    assert reason(tmp_path / "many.wav") == "unsupported_channels"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    x = signals.noise(1.0)
    x[4000] = value
    soundfile.write(tmp_path / "a.wav", x, 8000, subtype="FLOAT")
    assert reason(tmp_path / "a.wav") == "nan_samples"


def test_more_audio_than_the_limit_is_a_bomb(tmp_path):
    soundfile.write(tmp_path / "a.flac", np.zeros((8000 * 61, 1), np.int16), 8000)
    assert (tmp_path / "a.flac").stat().st_size < 20_000
    assert reason(tmp_path / "a.flac") == "decompression_bomb"
    assert decode(tmp_path / "a.flac", DecodeLimits(max_duration_s=62.0)).duration_s == 61.0


def test_a_bomb_whose_header_claims_nothing_is_stopped_while_decoding(tmp_path):
    encoded(tmp_path / "a.aac", "aac", 16000, np.zeros((16000 * 61, 1), np.int16), "adts")
    assert reason(tmp_path / "a.aac") == "decompression_bomb"


def test_clipping_is_counted_in_runs_of_three_before_the_rate_changes(tmp_path):
    x = np.zeros((44100, 1), np.int16)
    x[100:104], x[200:202], x[300:310] = 32767, 32767, -32768
    soundfile.write(tmp_path / "a.wav", x, 44100)
    assert decode(tmp_path / "a.wav", LIMITS).clipping_ratio == (pytest.approx(14 / 44100),)


def test_floats_beyond_full_scale_are_limited_and_counted(tmp_path):
    soundfile.write(tmp_path / "a.wav", signals.tone(100, 1.0, amplitude=2.0), 8000, subtype="FLOAT")
    audio = decode(tmp_path / "a.wav", LIMITS)
    assert audio.over_full_scale / 8000 == pytest.approx(2 / 3, abs=0.01)
    assert audio.clipping_ratio[0] == pytest.approx(2 / 3, abs=0.02)
    assert audio.samples.max() == 32767


def test_clipping_is_found_in_mu_law(tmp_path):
    x = np.clip(signals.tone(200, 1.0, amplitude=3.0), -1, 1)
    soundfile.write(tmp_path / "a.wav", x, 8000, subtype="ULAW")
    assert decode(tmp_path / "a.wav", LIMITS).clipping_ratio[0] > 0.5


def test_the_reason_travels_between_processes():
    error = pickle.loads(pickle.dumps(BadRecording("truncated", "half is missing")))
    assert (error.reason, error.detail, str(error)) == ("truncated", "half is missing", "truncated: half is missing")
    with pytest.raises(KeyError):
        BadRecording("a reason of my own")

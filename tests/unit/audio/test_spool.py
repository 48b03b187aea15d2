"""Long recordings lie in a file: nothing is different but the memory."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import signals
import soundfile

from pipelines.audio import music, resampled, silero, spool
from pipelines.audio.acoustics import acoustics, recognition_audio
from pipelines.audio.channels import inspect
from pipelines.audio.decode import BadRecording, DecodeLimits, decode
from pipelines.audio.resampled import Resampled
from pipelines.audio.sandbox import Sandbox

LIMITS = DecodeLimits(max_duration_s=7200.0, timeout_s=120.0, memory_mb=2048)


@pytest.fixture
def spooled(monkeypatch):
    """Everything beyond 100 kB lies in a file, and pages are given back at once."""
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 100_000)
    monkeypatch.setattr(spool, "_LOOKED_AT_BYTES", 1 << 16)


@pytest.fixture(scope="module")
def call(tmp_path_factory) -> Path:
    """40 s of two parties in turn, with a leak, an offset and leading silence."""
    a, b = (signals.syllables(38, pitch_hz=p, seed=s) for p, s in ((120, 1), (210, 2)))
    first = np.repeat(np.arange(38) % 4 < 2, 8000)
    noise = signals.noise(38, rms=0.001)
    x = [a * first + 0.05 * b * ~first + noise + 0.01, b * ~first + noise[::-1]]
    path = tmp_path_factory.mktemp("call") / "call.wav"
    soundfile.write(path, signals.int16(*(np.concatenate([signals.silence(2), c]) for c in x)), 8000)
    return path


def lies_in_a_file(samples: np.ndarray) -> bool:
    base = samples
    while isinstance(base, np.ndarray | memoryview):
        base = base.obj if isinstance(base, memoryview) else base.base
    return isinstance(base, spool._Pages)


def test_blocks_in_a_file_measure_what_the_whole_in_memory_does(call, spooled, monkeypatch):
    with pytest.MonkeyPatch.context() as in_memory:
        in_memory.setattr(spool, "IN_MEMORY_BYTES", 1 << 30)
        expected, looked = acoustics(call), inspect(call)
        assert not lies_in_a_file(decode(call).samples)
    assert lies_in_a_file(decode(call).samples)
    assert len(expected.segments) > 8
    monkeypatch.setattr(silero, "_BATCH", 3)
    monkeypatch.setattr(music, "_WINDOWS_AT_ONCE", 5)
    assert acoustics(call) == expected
    assert inspect(call) == looked


def test_of_two_equal_channels_in_a_file_the_first_is_measured(tmp_path, spooled):
    x = signals.syllables(12) + signals.noise(12, rms=0.001)
    soundfile.write(tmp_path / "dual.wav", signals.int16(x, x), 8000)
    soundfile.write(tmp_path / "mono.wav", signals.int16(x), 8000)
    dual, mono = (acoustics(tmp_path / name) for name in ("dual.wav", "mono.wav"))
    assert [{**s, "audio_sha256": ""} for s in dual.segments] == [{**s, "audio_sha256": ""} for s in mono.segments]
    assert [{**v, "audio_sha256": ""} for v in dual.voices] == [{**v, "audio_sha256": ""} for v in mono.voices]


def test_samples_in_a_file_come_whole_out_of_the_sandbox(call, spooled):
    expected = decode(call).samples
    with Sandbox(1, LIMITS) as sandbox:
        ((_, audio),) = sandbox.starmap(recognition_audio, [(call, LIMITS)])
    assert lies_in_a_file(audio._samples)
    assert np.array_equal(audio._samples, expected)


def test_a_file_of_samples_has_no_name(call, spooled, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    samples = decode(call).samples
    assert lies_in_a_file(samples)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_told(call, spooled, monkeypatch):
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "wb"))  # noqa: SIM115
    with pytest.raises(BadRecording, match="TMPDIR") as error:
        decode(call)
    assert error.value.reason == "out_of_memory"


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("longest", [resampled._WHOLE, 0])
def test_pieces_at_16_khz_equal_the_whole_wherever_they_begin(rate_hz, longest, monkeypatch):
    import soxr

    monkeypatch.setattr(resampled, "_WHOLE", longest)
    samples = np.random.default_rng(0).integers(-20_000, 20_000, (5 * rate_hz, 2)).astype(np.int16)
    whole = samples.astype(np.float32) / 32768
    if rate_hz != 16_000:
        stream = soxr.ResampleStream(rate_hz, 16_000, 2, dtype="float32", quality="HQ")
        whole = stream.resample_chunk(whole, last=True)
    made = Resampled(samples, rate_hz)
    assert made.shape == whole.shape == (80_000, 2)
    assert np.abs(np.asarray(made) - whole).max() < 1e-6
    second = made[:, 1]
    assert (second.ndim, len(second), second.dtype) == (1, 80_000, np.float32)
    for start, stop in (
        (0, 80_000),
        (1, 2),
        (33_333, 40_001),
        (79_990, 90_000),
        (500, 500),
        (700, 600),
        (90_000, 99_000),
    ):
        assert second[start:stop].shape == whole[start:stop, 1].shape
        assert np.allclose(second[start:stop], whole[start:stop, 1], atol=1e-6)
    assert np.allclose(made[500:900, 0], whole[500:900, 0], atol=1e-6)
    assert np.allclose(made[500:900], whole[500:900], atol=1e-6)


PEAK = """
    import sys
    from pipelines.audio import spool
    from pipelines.audio.acoustics import acoustics, recognition_audio
    spool.IN_MEMORY_BYTES = 1 << 20
    acoustics({warm!r})
    def status(name):
        return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(name)) / 1024
    open("/proc/self/clear_refs", "w").write("5")
    before = status("VmRSS")
    result = {function}({path!r})
    if {function} is recognition_audio:
        for at in range(0, len(result), 16_000 * 30):
            result[at : at + 16_000 * 30]
    print(status("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's memory figures")
@pytest.mark.parametrize(("function", "most_mb"), [("recognition_audio", 50), ("acoustics", 120)])
def test_the_memory_of_a_long_recording_is_less_than_its_samples(tmp_path, call, function, most_mb):
    """40 minutes at 16 kHz, 154 MB of samples; speech in the first minute of every ten."""
    speech, rate_hz = soundfile.read(call, dtype="int16")[0].repeat(2, axis=0), 16_000
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", rate_hz, 2, "PCM_16") as file:
        for _ in range(4):
            file.write(speech)
            file.write(np.zeros((10 * 60 * rate_hz - len(speech), 2), np.int16))
    script = textwrap.dedent(PEAK).format(function=function, path=str(path), warm=str(call))
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < most_mb

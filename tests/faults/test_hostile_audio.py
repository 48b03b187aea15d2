"""Hostile recordings through the whole chain: each ends in quarantine with its own reason, and the batch goes on.

Faults 13, 14 and a part of 15. The good calls bring their transcripts along, so no speech is recognised here.
"""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipelines.cli import main
from tests.assets.conftest import DIALOGUE, MONDAY, Installation, made_in, parsed_project  # noqa: F401
from tests.fuzz.sound import seeds

sys.path.insert(0, str(Path(__file__).parent))
from broken_decoder import HANG, SEGFAULT, SWELL, inspect_with_holes

pytestmark = pytest.mark.promise

HOUR_S = 3600
# long enough for a good recording on a machine that is at work on four other things, short enough to wait for
TIMEOUT_S = 45.0
NOISE = (np.random.default_rng(0).standard_normal((8000 * 4, 1)) * 3000).astype(np.int16)


def sound(samples: np.ndarray = NOISE, rate_hz: int = 8000, container: str = "WAV", coding: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=container, subtype=coding)
    return file.getvalue()


def with_a_gap(value: float) -> np.ndarray:
    samples = NOISE.astype(np.float32) / 32768
    samples[4000] = value
    return samples


def hostile() -> dict[str, tuple[str, bytes]]:
    """Interaction → (the reason that it must end with, the recording's bytes)."""
    wav, m4a = sound(), next(s.content for s in seeds() if s.name.endswith("m4a"))
    short_header = wav[:40] + struct.pack("<I", 16000) + wav[44:]
    return {
        "no-bytes": ("empty", b""),
        "no-frames": ("empty", sound(np.zeros((0, 1), np.int16))),
        "one-sample": ("empty", sound(np.ones((1, 1), np.int16))),
        "cut-wav": ("truncated", wav[:20_000]),
        "cut-flac": ("truncated", sound(container="FLAC")[:20_000]),
        "cut-m4a": ("truncated", m4a[: len(m4a) // 2]),
        "sound-after-its-end": ("truncated", short_header),
        "web-page": ("not_audio", b"<html><body>404 not found</body></html>" * 50),
        "picture": ("not_audio", b"\x89PNG\r\n\x1a\n" + bytes(1000)),
        "playlist": ("not_audio", b"ffconcat version 1.0\nfile /etc/hostname\n"),
        "nobodys-codec": ("unsupported_codec", wav[:20] + struct.pack("<H", 0x1234) + wav[22:]),
        "slow": ("unsupported_rate", sound(rate_hz=6000)),
        "fast": ("unsupported_rate", sound(rate_hz=96_000)),
        "three-channels": ("unsupported_channels", sound(np.zeros((8000, 3), np.int16))),
        "nan": ("nan_samples", sound(with_a_gap(np.nan), coding="FLOAT")),
        "infinite": ("nan_samples", sound(with_a_gap(np.inf), coding="FLOAT")),
        "bomb": ("decompression_bomb", sound(np.zeros(8000 * 2 * HOUR_S, np.int16), container="FLAC")),
        "segfault": ("decoder_crashed", SEGFAULT),
        "hang": ("timeout", HANG),
        "swell": ("out_of_memory", SWELL),
    }


@pytest.fixture(scope="module")
def expected() -> dict[str, tuple[str, bytes]]:
    return hostile()


@pytest.fixture(scope="module")
def installation(tmp_path_factory, parsed_project, expected) -> Installation:  # noqa: F811
    made = made_in(tmp_path_factory.mktemp("hostile"), parsed_project)
    made.overrides.update(max_recording_s=HOUR_S + 60.0, decode_timeout_s=TIMEOUT_S, decode_memory_mb=1024)
    folder = made.landing / "recordings"
    folder.mkdir()
    for name, (_, content) in expected.items():
        (folder / f"{name}.wav").write_bytes(content)
    (folder / "hour-of-silence.wav").write_bytes(sound(np.zeros(8000 * HOUR_S, np.int16), container="FLAC"))
    assert (folder / "hour-of-silence.wav").stat().st_size < 200_000
    (folder / "good.wav").write_bytes(sound())
    outside = made.root / "outside.wav"
    outside.write_bytes(sound())
    (folder / "link-out.wav").symlink_to(outside)
    (folder / "link-to-itself.wav").symlink_to(folder / "link-to-itself.wav")
    paths = {"parent": "../outside.wav", "absolute": str(outside), "link-out": "recordings/link-out.wav"}
    paths |= {"link-to-itself": "recordings/link-to-itself.wav", "gone": "recordings/gone.wav"}
    paths |= {name: f"recordings/{name}.wav" for name in (*expected, "hour-of-silence", "good")}
    common = {"channel": "call", "started_at": "2026-03-02T09:00:00Z", "agent_id": "007", "campaign": "billing"}
    made.deliver("interactions.csv", [{"interaction_id": i, "recording": p} | common for i, p in paths.items()])
    deliver_transcripts(made, "good", "hour-of-silence")
    made.deliver_calls(MONDAY, 6)  # a day of hardly anything but bad recordings would not be published
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assets.recordings.inspect", inspect_with_holes)
        (result,) = made.run()
    assert result.success, result.errors
    return made


def deliver_transcripts(made: Installation, *ids: str) -> None:
    rows = [
        {"interaction_id": i, "party": p, "text": t, "start_s": 7 * n, "end_s": 7 * n + 6}
        for i in ids
        for n, (p, t) in enumerate(DIALOGUE)
    ]
    made.deliver(f"transcripts-{ids[0]}.csv", rows)


def statuses(made: Installation) -> dict[str, tuple[str, str | None]]:
    rows = made.sql("select interaction_id, status, reason from fct_interactions")
    return {interaction_id: (status, reason) for interaction_id, status, reason in rows}


def test_each_hostile_recording_is_in_quarantine_with_its_own_reason(installation, expected):
    found = statuses(installation)
    wanted = {name: ("quarantined", reason) for name, (reason, _) in expected.items()}
    wanted |= dict.fromkeys(("parent", "absolute", "link-out"), ("quarantined", "path_escape"))
    wanted |= {"link-to-itself": ("quarantined", "metadata_invalid"), "gone": ("quarantined", "recording_missing")}
    assert {name: found[name] for name in wanted} == wanted


def test_the_readable_recordings_of_the_batch_are_read_and_the_counts_add_up(installation, expected):
    found = statuses(installation)
    # Noise and silence: read, and nobody speaks in them, whatever their transcripts claim.
    assert (found["good"], found["hour-of-silence"]) == (("excluded", "too_short"), ("excluded", "too_short"))
    assert sum(status == "scored" for status, _ in found.values()) == 6
    ((received, scored, excluded, quarantined),) = installation.sql(
        "select received, scored, excluded, quarantined from ops_ledger"
    )
    assert (received, scored + excluded + quarantined) == (len(found), len(found))
    assert quarantined == len(expected) + 5


def iqs(made: Installation, monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    """A command of this installation, in this process: exit code and output."""
    monkeypatch.setenv("IQS_DATA", str(made.root))
    monkeypatch.setenv("IQS_LANDING", str(made.landing))
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["iqs", *arguments])
    try:
        code = main()
    except SystemExit as left:
        code = left.code
    return code or 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("item", "says"),
    [
        (
            "cut-wav",
            ("truncated", "recordings/cut-wav.wav", "before its header says", "export the recording again"),
        ),
        ("segfault", ("decoder_crashed", "recordings/segfault.wav", "SIGSEGV", "convert the file with another tool")),
        ("bomb", ("decompression_bomb", "more than 3660 s", "IQS_MAX_RECORDING_S")),
        ("parent", ("path_escape", "../outside.wav", "inside recordings/")),
    ],
)
def test_show_tells_the_reason_the_evidence_the_remedy_and_the_command(installation, monkeypatch, capsys, item, says):
    code, told = iqs(installation, monkeypatch, capsys, "quarantine", "show", item)
    assert code == 0
    for words in (*says, f"iqs quarantine replay {item}"):
        assert words in told


def test_what_was_mended_is_read_at_its_replay_and_the_rest_stays(installation, expected, monkeypatch, capsys):
    (installation.landing / "recordings" / "cut-wav.wav").write_bytes(sound())
    (installation.landing / "recordings" / "hang.wav").write_bytes(sound())
    deliver_transcripts(installation, "cut-wav", "hang")
    monkeypatch.setattr("assets.recordings.inspect", inspect_with_holes)
    monkeypatch.setenv("IQS_DECODE_TIMEOUT_S", str(TIMEOUT_S))
    monkeypatch.setenv("IQS_DECODE_MEMORY_MB", "1024")
    monkeypatch.setenv("IQS_MAX_RECORDING_S", str(HOUR_S + 60))
    code, _ = iqs(installation, monkeypatch, capsys, "quarantine", "replay", "cut-wav")
    assert code == 3
    found = statuses(installation)
    assert (found["cut-wav"], found["hang"]) == (("excluded", "too_short"), ("excluded", "too_short"))
    assert {n for n, (status, _) in found.items() if status == "quarantined"} == (
        set(expected) - {"cut-wav", "hang"} | {"parent", "absolute", "link-out", "link-to-itself", "gone"}
    )
    assert MONDAY.isoformat() in iqs(installation, monkeypatch, capsys, "quarantine", "list")[1]

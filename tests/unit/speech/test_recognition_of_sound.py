"""With the real model: what is no speech gives no words, and words lie where they are said."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest

from pipelines.audio.resampled import Resampled
from pipelines.speech import recognition
from pipelines.speech.channels import recognised_rows
from pipelines.speech.recognition import RATE_HZ, FasterWhisper, RecognitionOptions, pack
from tests.conftest import real_recordings

SAMPLE_CALL = Path(__file__).resolve().parents[3] / "data/sample/landing/recordings/2026-03-03/C-1005.ogg"


def real(relative: str) -> Path:
    return real_recordings() / relative


def heard(path: Path) -> tuple[Resampled, list[list[tuple[float, float]]]]:
    """Samples at 16 kHz, shape (n, channels), and the speech of each channel."""
    from pipelines.audio.acoustics import acoustics, recognition_audio

    samples, found = recognition_audio(path), acoustics(path).segments
    speech = [
        sorted((s["start_s"], s["end_s"]) for s in found if (s["audio_channel"], s["kind"]) == (channel, "speech"))
        for channel in range(samples.shape[1])
    ]
    return samples, speech


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    return FasterWhisper(RecognitionOptions(), tmp_path_factory.mktemp("models"))


def not_speech() -> dict[str, np.ndarray]:
    """Five seconds each of sounds of a telephone line that aren't speech."""
    random = np.random.default_rng(7)
    t = np.arange(5 * RATE_HZ) / RATE_HZ
    ringing = (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)) * (t % 3 < 1)
    return {
        "noise": random.normal(0, 0.05, len(t)),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * t),
        "key": 0.2 * (np.sin(2 * np.pi * 697 * t) + np.sin(2 * np.pi * 1209 * t)),
        "ringing": 0.2 * ringing,
        "hum": 0.1 * np.sign(np.sin(2 * np.pi * 50 * t)),
    }


def test_noise_tones_and_hum_give_no_words_even_if_they_are_called_speech(whisper):
    glued = np.concatenate(list(not_speech().values())).astype(np.float32)
    assert whisper.transcribe(glued, [(0.5, 24.5)], "en").words == []


@pytest.mark.slow
@pytest.mark.parametrize("sound", not_speech())
def test_each_sound_that_is_no_speech_gives_no_words(whisper, sound):
    assert whisper.transcribe(not_speech()[sound].astype(np.float32), [(0.5, 2.5), (3.0, 4.5)], "en").words == []


@pytest.mark.slow
def test_hold_music_gives_no_words_even_if_it_is_called_speech(whisper):
    music = heard(real("phone_prompts/hold_music.wav"))[0][:, 0]
    length_s = len(music) / RATE_HZ
    for start in np.arange(0, length_s - 20, 20):
        found = whisper.transcribe(music, [(start, start + 3.0), (start + 6, start + 14.0)], "en")
        assert found.words == [], f"at {start} s: {[w.word for w in found.words]}"


@pytest.mark.slow
def test_words_lie_where_the_subtitles_of_a_person_say(whisper):
    srt = real("mono_phone_calls/Call01.srt").read_text(encoding="utf-8").replace("’", "'")
    samples, speech = heard(real("mono_phone_calls/Call01.wav"))
    said: list[tuple[str, float, float]] = []
    for block in srt.strip().split("\n\n"):
        _, times, *text = block.splitlines()
        start, end = (
            sum(float(x) * f for x, f in zip(t.replace(",", ".").split(":"), (3600, 60, 1), strict=True))
            for t in times.split(" --> ")
        )
        said += [(w, start, end) for w in re.findall(r"[a-z']+", re.sub(r"\[\w+\]", "", " ".join(text)).lower())]
    found = [
        (re.sub(r"[^a-z']", "", w.word.lower()), w) for w in whisper.transcribe(samples[:, 0], speech[0], "en").words
    ]
    matches = SequenceMatcher(None, [w for w, *_ in said], [w for w, _ in found], autojunk=False)
    pairs = [(said[b.a + i], found[b.b + i][1]) for b in matches.get_matching_blocks() for i in range(b.size)]
    assert len(pairs) > 0.7 * len(said)
    off = [w for (_, start, end), w in pairs if w.start_s < start - 0.5 or w.end_s > end + 0.5]
    assert len(off) <= 0.02 * len(pairs), off


@pytest.mark.slow
def test_words_of_a_channel_lie_in_its_speech(whisper):
    samples, speech = heard(real("two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav"))
    found = whisper.transcribe(samples[:, 0], speech[0], "en").words
    middles = [(w.start_s + w.end_s) / 2 for w in found]
    inside = [any(a - 0.1 <= m <= b + 0.1 for a, b in speech[0]) for m in middles]
    assert sum(inside) > 0.97 * len(inside)
    assert all(w.start_s <= w.end_s for w in found)


def test_a_recording_in_passes_and_piece_by_piece_gives_the_words_of_the_whole(whisper, tmp_path, monkeypatch):
    samples, speech = heard(SAMPLE_CALL)
    assert len(pack(speech[0], len(samples) / RATE_HZ, whisper.options)) > 1
    one_at_a_time = FasterWhisper(RecognitionOptions(batch_size=1), whisper.models)
    monkeypatch.setattr(one_at_a_time, "_model", whisper.load())
    whole, pieces = (one_at_a_time.transcribe(x, speech[0], "en") for x in (np.asarray(samples[:, 0]), samples[:, 0]))
    monkeypatch.setattr(recognition, "_BATCHES_AT_ONCE", 1)
    assert one_at_a_time.transcribe(samples[:, 0], speech[0], "en") == pieces
    assert [w.word for w in pieces.words] == [w.word for w in whole.words]
    # samples that differ by 1e-7 move times and confidences a little, because the model rounds to 8 bits
    moved_s = np.array([a.start_s - b.start_s for a, b in zip(pieces.words, whole.words, strict=True)])
    assert np.mean(np.abs(moved_s) < 0.05) > 0.9
    assert len(whole.words) > 60


@pytest.mark.slow
def test_two_channels_at_once_give_the_same_words_as_one_after_the_other(whisper):
    samples, speech = heard(real("two_channel_short/call_center_sample.wav"))
    jobs = [(samples[:, c], speech[c], "en") for c in (0, 1, 0, 1)]
    one_by_one = [whisper.transcribe(*job) for job in jobs]
    with ThreadPoolExecutor(2) as pool:
        at_once = list(pool.map(lambda job: whisper.transcribe(*job), jobs))
    assert at_once == one_by_one
    assert " ".join(w.word for w in one_by_one[0].words).startswith("Thank you for calling support")


# --- language
def language_of(whisper, path: Path, supplied: str | None = None):
    samples, speech = heard(path)
    return whisper.language(samples, dict(enumerate(speech)), supplied)


def test_english_calls_are_heard_as_english(whisper):
    for name in ("two_channel_short/call_center_sample.wav", "mono_phone_calls/Call01.wav"):
        found = language_of(whisper, real(name))
        assert (found.code, found.detail) == ("en", None)
        assert found.confidence > 0.5


@pytest.mark.slow
def test_a_recording_in_hungarian_is_not_taken_for_english(whisper):
    """Two identical channels of a lesson of Hungarian."""
    found = language_of(whisper, real("mono_u8_and_dual_mono/Sample1.mp3"))
    assert found.code == "hu"
    assert found.confidence > 0.9


SPOKEN = {
    "de+f3": "Guten Tag, hier ist der Kundendienst der Stadtwerke, mein Name ist Anna Weber, was kann ich für Sie tun? "
    "Ich habe eine Rechnung bekommen, die viel zu hoch ist, und möchte wissen, warum.",
    "es": "Buenos días, le atiende Carmen del servicio al cliente, ¿en qué puedo ayudarle? He recibido una factura "
    "demasiado alta y quiero saber por qué. Un momento por favor, voy a revisar su cuenta.",
    "fr+f3": "Bonjour, service client, je m'appelle Claire, comment puis-je vous aider? J'ai reçu une facture beaucoup "
    "trop élevée et je voudrais comprendre pourquoi. Un instant s'il vous plaît, je regarde votre dossier.",
}


@pytest.mark.slow
@pytest.mark.parametrize("voice", SPOKEN)
def test_a_foreign_call_is_left_out_as_of_an_unsupported_language(whisper, tmp_path, voice):
    """Speech of a synthesiser, which the model knows worse than people's."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    path = tmp_path / "call.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", path, SPOKEN[voice]], check=True)
    samples, speech = heard(path)
    spoken = dict(enumerate(speech))
    words, recognitions = recognised_rows(
        whisper, samples, speech=spoken, layout="mono", language=None, redact=lambda t, _: t, version="v"
    )
    assert {r["language"] for r in recognitions} == {voice[:2]}
    assert len(words) > 15

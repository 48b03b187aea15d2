"""Our chain on audio beside the script that people write: throughput, word error rate, and where our time goes.

    python -m tests.benchmarks.chain [--minutes 10 | --hour] [--model base] [--float32-minutes 0.5] [--no-peer]

Ours is what `iqs run` does with recordings: decode and look at the channels, activity and acoustics (both in the
sandbox), recognition with redaction, turns, language, metrics; without Dagster, the lake, dbt and publishing, whose
cost does not depend on the audio (README: a small day). The peer takes one file after the other: librosa (pyin, rms,
zcr, spectral features and mfcc with their defaults) and `WhisperModel(MODEL).transcribe(channel)` of faster-whisper
with its defaults, once with int8 and once, on less audio, with the class's own compute_type. Each side is a process of
its own with all cores; its CPU and wall time are those of the process and its children, imports and model included.

Recordings: the real two-channel calls (where they lie beside the repository) and the sample's two-channel calls, again
from the start where they are not enough. WER is against the real calls' and the sample's texts, of each call once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.accuracy.wer import MODELS, PROJECT, SETS, Item, errors, normalise

DAY = date(2026, 3, 2)
WORKERS = 2
# the sample's other two-channel recordings are of one party, or silent
NAMES = ("two_channel_auto_repair", "two_channel_short", "sample")
SEEDS = PROJECT / "dbt_project" / "seeds"


def recordings(seconds: float) -> tuple[list[Path], list[Item]]:
    """Two-channel recordings of at least that many seconds together, and what was said on their channels."""
    items: list[Item] = []
    for name in NAMES:
        try:
            items += [item for channel in SETS[name]().values() for item in channel]
        except FileNotFoundError as error:
            print(f"left out: {error}", file=sys.stderr)
    once = list(dict.fromkeys(item.path for item in items))
    chosen: list[Path] = []
    while sum(map(length_s, chosen)) < seconds:
        chosen.append(once[len(chosen) % len(once)])
    return chosen, [item for item in items if item.path in chosen]


def shortest(paths: list[Path], seconds: float) -> list[Path]:
    """The shortest of the recordings that last so long together."""
    chosen: list[Path] = []
    for path in sorted(paths, key=length_s):
        if sum(map(length_s, chosen)) < seconds:
            chosen.append(path)
    return chosen


def length_s(path: Path) -> float:
    import soundfile

    return soundfile.info(path).duration


# --- ours


class Stages:
    """CPU seconds by stage, of this process and of the children that ended during the stage."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, own: str, children: str | None = None) -> Iterator[None]:
        before = [_cpu_s(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        yield
        after = [_cpu_s(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        self.cpu_s[own] += after[0] - before[0]
        self.cpu_s[children or own] += after[1] - before[1]


def _cpu_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def ours(paths: list[Path], model: str) -> tuple[dict[str, str], dict[str, float]]:
    """(text by "name/channel", CPU seconds by stage) of our chain over recordings of different names."""
    stages = Stages()
    with stages.of("imports"):
        from pipelines.audio.acoustics import ACOUSTICS_VERSION, acoustics, recognition_audio
        from pipelines.audio.channels import inspect
        from pipelines.audio.decode import DecodeLimits
        from pipelines.audio.sandbox import Sandbox
        from pipelines.contracts import acoustics as heard_in
        from pipelines.contracts.conversation import EVENTS, MEASURES, TURNS
        from pipelines.contracts.landing import INTERACTIONS, MESSAGES, TRANSCRIPTS
        from pipelines.contracts.language import MEASURES as LANGUAGE_MEASURES
        from pipelines.contracts.measured import measures_frame, measures_of
        from pipelines.contracts.recordings import RECORDINGS
        from pipelines.contracts.transcripts import RECOGNITIONS, SPEAKERS, UTTERANCES, WORDS
        from pipelines.conversation import Announcements, TurnOptions, conversations
        from pipelines.language.day import LANGUAGE_VERSION, Rules, languages
        from pipelines.language.phrases import Phrases
        from pipelines.language.redaction import redact_channels
        from pipelines.language.roles import Roles
        from pipelines.language.tone import activations
        from pipelines.metrics.day import READS, measured_day
        from pipelines.speech.channels import recognised_rows
        from pipelines.speech.recognition import FasterWhisper, RecognitionOptions
        from pipelines.speech.utterances import utterances
    limits, started = DecodeLimits(), datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)
    names = {str(path): path.stem for path in paths}
    call = {"call_date": DAY, "channel": "call", "started_at": started, "agent_id": "a", "campaign": "c"}
    rows: dict = defaultdict(list)
    rows[INTERACTIONS] = [call | {"interaction_id": n, "source_file": "", "consent": True} for n in names.values()]

    def add(name: str, table, found: list[dict]) -> None:
        rows[table] += [{"interaction_id": name, "audio_sha256": name} | row for row in found]

    def each(function) -> Iterator[tuple[str, Any]]:
        with Sandbox(WORKERS, limits) as box:
            for (path, _), result in box.starmap(function, [(path, limits) for path in names]):
                yield names[path], result

    with stages.of("decode, look at the channels"):
        for name, found in each(inspect):
            add(name, RECORDINGS, [{"recording": name, "outcome": "accepted"} | found])
    with stages.of("activity and acoustics"):
        for name, found in each(acoustics):
            add(name, heard_in.SEGMENTS, found.segments)
            add(name, heard_in.VOICES, found.voices)
            measured = {"outcome": "measured", "extractor_version": ACOUSTICS_VERSION}
            add(name, heard_in.MEASUREMENTS, [measured])
    texts: dict[str, str] = {}

    def recognise(name: str, audio) -> tuple[str, list[dict], list[dict]]:
        speech = {c: [] for c in range(audio.shape[1])}
        for s in rows[heard_in.SEGMENTS]:
            if s["interaction_id"] == name and s["kind"] == "speech":
                speech[s["audio_channel"]].append((s["start_s"], s["end_s"]))
        layout = next(r["layout"] for r in rows[RECORDINGS] if r["interaction_id"] == name)

        def redact(said, starts_s):
            texts.update({f"{name}/{channel}": " ".join(words) for channel, words in enumerate(said)})
            return redact_channels(said, starts_s)

        options = {"layout": layout, "language": None, "redact": redact, "version": "benchmark"}
        return name, *recognised_rows(engine, audio, speech=speech, **options)

    with stages.of("recognition", "decode for recognition"):
        engine = FasterWhisper(RecognitionOptions(model=model, workers=WORKERS), MODELS)
        with ThreadPoolExecutor(WORKERS) as pool:
            for future in [pool.submit(recognise, name, audio) for name, audio in each(recognition_audio)]:
                name, words, recognitions = future.result()
                add(name, WORDS, words)
                add(name, RECOGNITIONS, recognitions)
    frames = {t: t.conform(t.frame(rows[t])) for t in rows} | {t: t.empty() for t in READS if t not in rows}

    def of(*tables):
        return [frames[t] if t in frames else t.empty() for t in tables]

    with stages.of("turns: who speaks, utterances"):
        phrases = Phrases.read(SEEDS)
        read = of(INTERACTIONS, RECORDINGS, heard_in.SEGMENTS, heard_in.VOICES, RECOGNITIONS, WORDS)
        read += of(TRANSCRIPTS, MESSAGES)
        frames[SPEAKERS], frames[UTTERANCES] = utterances(*read, Roles(phrases).who_is_agent)
    with stages.of("turns: conversation"):
        announced = Announcements(_phrases("lookup_announcement"), _phrases("hold_announcement"))
        options = TurnOptions(acknowledgements=_phrases("acknowledgement"))
        read = of(INTERACTIONS, RECORDINGS, heard_in.SEGMENTS, SPEAKERS, UTTERANCES)
        frames[TURNS], frames[EVENTS], measures = conversations(*read, announced, turn_options=options)
        frames[MEASURES] = measures_frame(MEASURES, measures)
    with stages.of("language"):
        tone = activations(*of(UTTERANCES, heard_in.SEGMENTS, SPEAKERS))
        found = languages(*of(INTERACTIONS, UTTERANCES), Rules.read(SEEDS), None, measures_of(frames[MEASURES]), tone)
        frames[LANGUAGE_MEASURES] = measures_frame(LANGUAGE_MEASURES, found.measures)
    with stages.of("metrics"):
        measured_day(
            {t: of(t)[0] for t in READS},
            languages=phrases.supported_languages,
            language_version=LANGUAGE_VERSION,
            level_offset_db=81.0,
            site_offsets_db={},
        )
    return texts, dict(stages.cpu_s)


def _phrases(kind: str) -> tuple[str, ...]:
    import polars as pl

    rows = pl.read_csv(SEEDS / "phrases.csv", columns=["kind", "phrase"], infer_schema=False)
    return tuple(rows.filter(pl.col("kind").str.strip_chars() == kind)["phrase"])


# --- the peer


def peer(paths: list[Path], model: str, compute_type: str) -> tuple[dict[str, str], dict[str, float]]:
    """The same of the script that people write: one file and channel after the other, everything with its defaults."""
    stages = Stages()
    with stages.of("imports and model"):
        import librosa
        import numpy as np
        from faster_whisper import WhisperModel

        from pipelines.speech.model_files import model_folder

        whisper = WhisperModel(str(model_folder(model, MODELS)), device="cpu", compute_type=compute_type)
    texts = {}
    for path in paths:
        with stages.of("decode"):
            samples, rate_hz = librosa.load(path, sr=16_000, mono=False)
        for channel, x in enumerate(np.atleast_2d(samples)):
            with stages.of("transcribe"):
                segments, _ = whisper.transcribe(x)
                texts[f"{path.stem}/{channel}"] = " ".join(segment.text for segment in segments)
            with stages.of("pyin"):
                lowest_hz, highest_hz = librosa.note_to_hz("C2"), librosa.note_to_hz("C7")
                librosa.pyin(x, sr=rate_hz, fmin=lowest_hz, fmax=highest_hz)
            with stages.of("rms, zcr, spectral features, mfcc"):
                librosa.feature.rms(y=x)
                librosa.feature.zero_crossing_rate(x)
                for feature in ("centroid", "bandwidth", "rolloff", "flatness"):
                    rate = {} if feature == "flatness" else {"sr": rate_hz}
                    getattr(librosa.feature, f"spectral_{feature}")(y=x, **rate)
                librosa.feature.mfcc(y=x, sr=rate_hz)
    return texts, dict(stages.cpu_s)


# --- side by side


@dataclass(frozen=True)
class Side:
    """What one side did with so many seconds of audio."""

    name: str
    audio_s: float
    cpu_s: float
    wall_s: float
    wer: float | None
    stages: dict[str, float]


def run(name: str, kind: str, paths: list[Path], items: list[Item], model: str) -> Side:
    """One side in a process of its own, with all cores. Raises RuntimeError with its message where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        named = {}  # names that tell the copies of a recording apart
        for number, path in enumerate(paths):
            link = Path(folder) / f"{number:04d}{path.suffix}"
            link.symlink_to(path.resolve())
            named.setdefault(path, link)
        out = Path(folder) / "result.json"
        links = sorted(str(p) for p in Path(folder).glob("*") if p.is_symlink())
        command = [sys.executable, "-m", "tests.benchmarks.chain", "--side", kind, "--model", model, str(out), *links]
        threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = {k: v for k, v in os.environ.items() if k not in threads}
        before, started = _cpu_s(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        wall_s, cpu_s = time.monotonic() - started, _cpu_s(resource.RUSAGE_CHILDREN) - before
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stderr[-2000:]}")
        texts, stages = json.loads(out.read_text())
    wrong = words = 0
    for item in items:
        if item.path in named:
            reference = normalise(item.reference)
            heard = texts.get(f"{named[item.path].stem}/{item.channel}", "")
            wrong, words = wrong + errors(reference, normalise(heard)), words + len(reference)
    return Side(name, sum(map(length_s, paths)), cpu_s, wall_s, wrong / words if words else None, stages)


def report(sides: list[Side]) -> Iterator[str]:
    """Markdown: both sides, and where our time went. The first side is ours."""
    mine = sides[0]
    yield "| side | audio s | CPU s | wall s | x real time | x per CPU s | ratio, wall | ratio, CPU | WER |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for side in sides:
        speed = side.audio_s / side.wall_s, side.audio_s / side.cpu_s
        ratios = mine.audio_s / mine.wall_s / speed[0], mine.audio_s / mine.cpu_s / speed[1]
        yield (
            f"| {side.name} | {side.audio_s:.0f} | {side.cpu_s:.0f} | {side.wall_s:.0f} | {speed[0]:.1f} "
            f"| {speed[1]:.1f} | {ratios[0]:.1f} | {ratios[1]:.1f} | {'' if side.wer is None else f'{side.wer:.3f}'} |"
        )
    for side in sides:
        total = sum(side.stages.values())
        yield ""
        yield f"| {side.name}: where the CPU time goes | CPU s | share |"
        yield "|---|---|---|"
        for stage, cpu_s in side.stages.items():
            yield f"| {stage} | {cpu_s:.1f} | {100 * cpu_s / total:.1f} % |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="least minutes of audio")
    parser.add_argument("--hour", action="store_true", help="an hour of audio")
    parser.add_argument("--float32-minutes", type=float, default=0.5, help="for the class's own compute_type; 0: none")
    parser.add_argument("--no-peer", action="store_true", help="ours only")
    parser.add_argument("--model", default="base")
    parser.add_argument("--side", choices=("ours", "int8", "default"), help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        out, *paths = chosen.files
        found = ours(paths, chosen.model) if chosen.side == "ours" else peer(paths, chosen.model, chosen.side)
        out.write_text(json.dumps(found))
        return 0
    paths, items = recordings(60 * (60 if chosen.hour else chosen.minutes))
    sides = [run("IQS", "ours", paths, items, chosen.model)]
    if not chosen.no_peer:
        sides.append(run("script, int8", "int8", paths, items, chosen.model))
        if part := shortest(paths, 60 * chosen.float32_minutes):
            sides.append(run("script, compute_type as it comes", "default", part, items, chosen.model))
    print(f"{len(paths)} two-channel recordings, model {chosen.model}, {os.cpu_count()} cores")
    for line in report(sides):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The campaign: seeded inputs through the real readers, good ones among them, and what became of each."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipelines.audio.acoustics import acoustics
from pipelines.audio.channels import inspect
from pipelines.audio.decode import BadRecording, DecodeLimits
from pipelines.audio.sandbox import Sandbox
from tests.fuzz import sound, tables

# A fresh child's first measure takes 2 s, and 40 s where ten processes share a core: that is no hang.
AUDIO_LIMITS = DecodeLimits(max_duration_s=sound.LONGEST_S, timeout_s=120.0, memory_mb=1024)
# a folder of 25 files and its good one is read in less than 2 s
TABLE_LIMITS = DecodeLimits(timeout_s=120.0, memory_mb=3072)
SHARES = {"audio": 0.45, "csv": 0.2, "json": 0.15, "parquet": 0.1, "text": 0.1}
_FOLDER_OF = 25
_GOOD_EVERY = 20
# Of the damaged recordings that are accepted, this share goes on to be measured: measuring costs ten times as much.
_MEASURED_EVERY = 4
_CRASHES, _HANGS = ("measurement_failed", "out_of_memory"), ("timeout",)


@dataclass(frozen=True)
class Failure:
    """An input that did harm: its kind and number, what happened, and its bytes."""

    kind: str
    number: int
    name: str
    what: str
    content: bytes


@dataclass
class Outcome:
    """What became of the inputs of one kind."""

    kind: str
    inputs: int = 0
    accepted: int = 0
    reasons: Counter = field(default_factory=Counter)
    good: int = 0
    good_lost: int = 0
    crashes: int = 0
    hangs: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not (self.failures or self.good_lost or self.crashes or self.hangs)


def campaign(inputs: int, seed: int, workers: int = 2, kinds: tuple[str, ...] = tuple(SHARES)) -> Iterator[Outcome]:
    """Run `inputs` inputs of all kinds, made from `seed`; one outcome per kind, as it is finished.

    Of `kinds` only those are run; they get the inputs that they would get among all.
    """
    for n, (kind, share) in enumerate(SHARES.items()):
        if kind not in kinds:
            continue
        started, count = time.monotonic(), round(inputs * share)
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            run = _run_audio if kind == "audio" else _run_tables
            outcome = run(kind, count, (seed, n), Path(folder), workers)
        outcome.seconds = time.monotonic() - started
        yield outcome


# --- audio


def _run_audio(kind: str, count: int, seed: tuple[int, int], folder: Path, workers: int) -> Outcome:
    """Damaged and whole recordings through the limited decoder; what it takes is measured as well."""
    outcome, whole = Outcome(kind, inputs=count), sound.seeds()
    made: dict[str, tuple[int, str, sound.Sound | None]] = {}

    def items() -> Iterator[tuple[str, DecodeLimits]]:
        for number in range(count):
            random = np.random.default_rng((*seed, number))
            of = whole[number // _GOOD_EVERY % len(whole)] if number % _GOOD_EVERY == 0 else None
            chosen = of or whole[int(random.integers(len(whole)))]
            what, content = ("whole", chosen.content) if of else sound.damaged(chosen, whole, random)
            path = folder / f"{number:05d}-{chosen.name}"
            path.write_bytes(content)
            made[str(path)] = (number, f"{chosen.name}: {what}", of)
            yield str(path), AUDIO_LIMITS

    accepted: list[tuple[str, DecodeLimits]] = []
    with Sandbox(workers, AUDIO_LIMITS) as box:
        for (path, _), result in box.starmap(inspect, items()):
            number, what, of = made[path]
            harm = _harm(result, of)
            if of is not None:
                outcome.good += 1
                outcome.good_lost += harm is not None
            if not isinstance(result, BadRecording):
                outcome.accepted += 1
                accepted.append((path, AUDIO_LIMITS))
            else:
                outcome.reasons[result.reason] += 1
            _note(outcome, number, f"{what}: {harm}" if harm else "", Path(path), result)
            if harm is None and isinstance(result, BadRecording):
                Path(path).unlink()
        for (path, _), result in box.starmap(acoustics, accepted[::_MEASURED_EVERY]):
            number, what, _ = made[path]
            harm = f"accepted, but could not be measured: {result}" if isinstance(result, BadRecording) else ""
            _note(outcome, number, f"{what}: {harm}" if harm else "", Path(path), result)
    return outcome


def _harm(result: dict | BadRecording, of: sound.Sound | None) -> str | None:
    """What is wrong with this result, or None."""
    if isinstance(result, BadRecording):
        if of is not None:
            return f"a good recording was refused: {result}"
        return str(result) if result.reason in (*_CRASHES, *_HANGS) else None
    if not 0.0 < result["duration_s"] <= AUDIO_LIMITS.max_duration_s or result["n_channels"] not in (1, 2):
        return f"accepted as {result['duration_s']} s of {result['n_channels']} channels"
    if of is not None and abs(result["duration_s"] - of.duration_s) > 0.15:
        return f"a good recording of {of.duration_s} s came out as {result['duration_s']} s"
    return None


def _note(outcome: Outcome, number: int, what: str, path: Path, result: object) -> None:
    if not what:
        return
    reason = result.reason if isinstance(result, BadRecording) else ""
    outcome.crashes += reason in _CRASHES
    outcome.hangs += reason in _HANGS
    outcome.failures.append(Failure(outcome.kind, number, path.name, what, path.read_bytes()))


# --- landing files


def _run_tables(kind: str, count: int, seed: tuple[int, int], folder: Path, workers: int) -> Outcome:
    """Landing folders of hostile files with one good file each, looked at in child processes that may die."""
    outcome = Outcome(kind, inputs=count)
    groups = [range(first, min(first + _FOLDER_OF, count)) for first in range(0, count, _FOLDER_OF)]
    doubtful: list[tables.TableInput] = []
    numbers: dict[str, int] = {}
    with Sandbox(workers, TABLE_LIMITS) as box:
        for made, result in _looked_at(box, folder, kind, seed, groups):
            numbers |= {made_input.name: number for number, made_input in made}
            if isinstance(result, BadRecording):
                doubtful += [made_input for _, made_input in made]
            else:
                _judge(outcome, [i for _, i in made], result, numbers)
        # Something in these folders did harm: each file again, alone with a good one.
        alone = {}
        for made_input in doubtful:
            where = _folder(folder / f"alone-{made_input.name}", [made_input])
            alone[(str(where / "landing"), str(where / "cache"))] = made_input
        for item, result in box.starmap(tables.look, list(alone)):
            _judge(outcome, [alone[item]], result, numbers)
    return outcome


def _looked_at(box: Sandbox, folder: Path, kind: str, seed: tuple[int, int], groups: list[range]) -> Iterator[tuple]:
    made: dict[tuple[str, str], list[tuple[int, tables.TableInput]]] = {}

    def items() -> Iterator[tuple[str, str]]:
        for n, group in enumerate(groups):
            inputs = [(i, tables.table_input(kind, i, np.random.default_rng((*seed, i)))) for i in group]
            where = _folder(folder / str(n), [i for _, i in inputs])
            item = (str(where / "landing"), str(where / "cache"))
            made[item] = inputs
            yield item

    for item, result in box.starmap(tables.look, items()):
        yield made.pop(item), result


def _folder(where: Path, inputs: list[tables.TableInput]) -> Path:
    landing = where / "landing"
    landing.mkdir(parents=True)
    for made in inputs:
        (landing / made.name).write_bytes(made.content)
    (landing / "interactions-good.csv").write_bytes(
        tables.interactions_csv([_good_id(made) for made in inputs] + [i for made in inputs for i in made.interactions])
    )
    return where


def _good_id(made: tables.TableInput) -> str:
    return "good-" + made.name.split(".")[0].split("-", 1)[1]


def _judge(outcome: Outcome, inputs: list[tables.TableInput], result: dict | BadRecording, numbers: dict) -> None:
    """Count what became of these files; a row or file that is not accounted for is a failure."""
    for made in inputs:
        expected = made.good | {("interactions", i, "chat", "007", f"of {i}") for i in (_good_id(made),)}
        outcome.good += len(expected)
        if isinstance(result, BadRecording):
            harm = str(result)
            outcome.good_lost += len(expected)
            outcome.crashes += result.reason not in _HANGS
            outcome.hangs += result.reason in _HANGS
        else:
            lost = expected - result["taken"]
            outcome.good_lost += len(lost)
            harm = "; ".join(
                [f"lost {row}" for row in sorted(lost)[:3]]
                + [f"unknown reason {r}" for r in result["unknown"]]
                + [f"{n}: rows read are not rows accepted and rejected" for n in result["uncounted"] if n == made.name]
                + ([] if made.name in result["files"] else ["the file is not in the register"])
            )
            reasons = {reason for name, reason in result["reasons"] if name == made.name}
            outcome.reasons.update(reasons)
            outcome.accepted += not reasons
        if harm:
            number = numbers[made.name]
            outcome.failures.append(Failure(outcome.kind, number, made.name, f"{made.what}: {harm}", made.content))

"""Transcripts: what was said, recognised where there is speech, or supplied, or written; redacted."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date

import dagster as dg
import polars as pl

from pipelines.audio.acoustics import recognition_audio
from pipelines.audio.decode import BadRecording
from pipelines.automation.partitions import DAILY
from pipelines.contracts.acoustics import MEASUREMENTS, SEGMENTS, VOICES
from pipelines.contracts.landing import INTERACTIONS, MESSAGES, TRANSCRIPTS
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import RECOGNITIONS, SPEAKERS, UTTERANCES, WORDS
from pipelines.lake import Lake
from pipelines.language.phrases import Phrases
from pipelines.language.redaction import REDACTION_VERSION, redact_channels
from pipelines.language.roles import Roles
from pipelines.resources.audio import SandboxResource, TranscriberResource
from pipelines.resources.batches import Batches
from pipelines.resources.lake import LakeResource
from pipelines.resources.landing import LandingResource
from pipelines.resources.reuse import Reuse
from pipelines.resources.seeds import SeedsResource
from pipelines.resources.stage import Stage, stage_assets
from pipelines.speech.channels import recognised_rows, undecoded_row
from pipelines.speech.recognition import Transcriber
from pipelines.speech.utterances import UTTERANCES_VERSION, utterances

HEARD = (INTERACTIONS, TRANSCRIPTS, RECORDINGS, SEGMENTS, MEASUREMENTS)
SAID = (INTERACTIONS, RECORDINGS, SEGMENTS, VOICES, RECOGNITIONS, WORDS, TRANSCRIPTS, MESSAGES)


@stage_assets(
    WORDS,
    RECOGNITIONS,
    reads=HEARD,
    daily=DAILY,
    kinds={"python", "whisper"},
    name="recognition",
    retry=True,
)
def recognition(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    landing: LandingResource,
    sandbox: SandboxResource,
    transcriber: TranscriberResource,
):
    stage = Stage(context, lake, WORDS, RECOGNITIONS)
    engine = transcriber.open()
    with sandbox.open() as box:
        for day, inputs in stage.changed_days(*HEARD, versions=(_version(engine),)):
            _recognise(stage, day, inputs, landing, box, sandbox.limits, engine, transcriber.workers)
    yield from stage.results()


def batches(batch_audio_s: float) -> Batches:
    """How recognition is shared out among workers."""
    return Batches(_missing, _work, queue="gpu", batch_audio_s=batch_audio_s)


def _missing(context: dg.AssetExecutionContext, days: Iterable[date]) -> Iterator[tuple[date, pl.DataFrame, set[str]]]:
    engine = context.resources.transcriber.open()
    stage = Stage(context, context.resources.lake, WORDS, RECOGNITIONS)
    for day in days:
        if not stage.unchanged(day, stage.inputs(day, *HEARD, versions=(_version(engine),))):
            heard = _look(stage.lake, day, engine)
            yield day, heard.accepted, set(heard.reuse.missing(heard.accepted))


def _work(context: dg.AssetExecutionContext, day: date, hashes: set[str]) -> None:
    has = context.resources
    stage, engine = Stage(context, has.lake, WORDS, RECOGNITIONS), has.transcriber.open()
    heard = _look(stage.lake, day, engine)
    todo = {sha: path for sha, path in heard.reuse.missing(heard.accepted).items() if sha in hashes}
    with has.sandbox.open() as box:
        _hear(stage, day, heard, todo, has.landing, box, has.sandbox.limits, engine, has.transcriber.workers)


def _version(engine: Transcriber, language: str | None = None) -> str:
    """Words are stored redacted only: a new redaction needs a new recognition. `language` came with the recording."""
    return f"{engine.version(language)} {REDACTION_VERSION}"


@dataclass(frozen=True)
class _Heard:
    """A day's recordings that are to be recognised, how, and what is known of them already; by the recording's hash."""

    accepted: pl.DataFrame
    language: dict[str, str | None]
    version: dict[str, str]
    reuse: Reuse


def _look(lake: Lake, day: date, engine: Transcriber) -> _Heard:
    measured = lake.read(MEASUREMENTS, day).filter(pl.col("outcome") == "measured")["interaction_id"].implode()
    supplied = lake.read(TRANSCRIPTS, day)["interaction_id"].unique().implode()
    accepted = lake.read(RECORDINGS, day).filter(
        pl.col("interaction_id").is_in(measured), ~pl.col("interaction_id").is_in(supplied)
    )
    # Where several interactions hold the same audio, the first language that came with one counts.
    spoken = lake.read(INTERACTIONS, day).select("interaction_id", "language")
    spoken = accepted.join(spoken, on="interaction_id", how="left").sort(pl.col("language").is_null(), "interaction_id")
    spoken = spoken.unique("audio_sha256", keep="first").select("audio_sha256", "language")
    language = dict(spoken.iter_rows())
    version = {sha: _version(engine, tag) for sha, tag in language.items()}
    reuse = Reuse(lake, day, (WORDS, RECOGNITIONS), master=RECOGNITIONS, version=version)
    return _Heard(accepted, language, version, reuse)


def _recognise(stage: Stage, day: date, inputs: str, landing: LandingResource, box, limits, engine, workers) -> None:
    heard = _look(stage.lake, day, engine)
    todo = heard.reuse.missing(heard.accepted)
    _hear(stage, day, heard, todo, landing, box, limits, engine, workers)
    frames = heard.reuse.frames(heard.accepted)
    if stage.write(day, frames, inputs=inputs):
        heard.reuse.done()
    stage.add(
        recordings=heard.accepted.height,
        recognised=len(todo),
        audio_s=heard.accepted.filter(pl.col("audio_sha256").is_in(list(todo)))["duration_s"].sum(),
        words=frames[WORDS].height,
    )


def _hear(
    stage: Stage, day: date, heard: _Heard, todo: dict[str, str], landing: LandingResource, box, limits, engine, workers
) -> None:
    """Recognise the recordings `todo` (hash → path), and keep each as soon as it is finished."""
    speech = stage.lake.read(SEGMENTS, day).filter(pl.col("kind") == "speech")
    version, accepted = heard.version, heard.accepted
    layout = dict(accepted.select("audio_sha256", "layout").iter_rows())
    items = {(str(landing.path(path)), limits): sha for sha, path in todo.items()}
    clips = {
        (sha, channel): rows.select("start_s", "end_s").rows()
        for (sha, channel), rows in speech.unique(["audio_sha256", "audio_channel", "segment"])
        .sort("start_s")
        .group_by("audio_sha256", "audio_channel", maintain_order=True)
    }

    def recognise(sha: str, audio) -> tuple[list[dict], list[dict]]:
        if isinstance(audio, BadRecording):
            return [], [undecoded_row(audio.detail, version[sha])]
        return recognised_rows(
            engine,
            audio,
            speech={c: clips.get((sha, c), []) for c in range(audio.shape[1])},
            layout=layout[sha],
            language=heard.language[sha],
            redact=redact_channels,
            version=version[sha],
        )

    decoded = box.starmap(recognition_audio, list(items))
    results = _in_threads(((items[i], a) for i, a in decoded), recognise, workers)
    length_s = dict(accepted.select("audio_sha256", "duration_s").iter_rows())
    audio_s = {sha: length_s[sha] or 0.0 for sha in items.values()}
    for sha, (words, recognitions) in stage.progress(day, "recognised", results, len(items), audio_s):
        heard.reuse.add(sha, {WORDS: words, RECOGNITIONS: recognitions})


def _in_threads(items: Iterator[tuple], function, workers: int) -> Iterator[tuple]:
    """(key, function(key, value)) for each item, `workers` at a time, never more than twice as many in memory."""
    waiting: dict[Future, str] = {}
    with ThreadPoolExecutor(workers) as pool:
        for key, value in items:
            waiting[pool.submit(function, key, value)] = key
            while len(waiting) >= 2 * workers:
                yield from _finished(waiting)
        while waiting:
            yield from _finished(waiting)


def _finished(waiting: dict[Future, str]) -> Iterator[tuple]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()


@stage_assets(SPEAKERS, UTTERANCES, reads=SAID, daily=DAILY, kinds={"polars"}, name="utterances")
def utterances_days(context: dg.AssetExecutionContext, lake: LakeResource, seeds: SeedsResource):
    stage = Stage(context, lake, SPEAKERS, UTTERANCES)
    roles = Roles(Phrases.read(seeds.path))
    for day, inputs in stage.changed_days(*SAID, versions=(UTTERANCES_VERSION, roles.version, seeds.fingerprint())):
        who, said = utterances(*(stage.lake.read(t, day) for t in SAID), roles.who_is_agent)
        stage.write(day, {SPEAKERS: who, UTTERANCES: said}, inputs=inputs)
        stage.add(channels_corrected=who.filter(source="corrected")["interaction_id"].n_unique())
    yield from stage.results()

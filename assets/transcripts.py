"""Transcripts: what was said, recognised where there is speech, or supplied, or written; redacted."""

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
from pipelines.language.phrases import Phrases
from pipelines.language.redaction import REDACTION_VERSION, redact_channels
from pipelines.language.roles import Roles
from pipelines.resources.audio import SandboxResource, TranscriberResource
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


def _version(engine: Transcriber, language: str | None = None) -> str:
    """Words are stored redacted only: a new redaction needs a new recognition. `language` came with the recording."""
    return f"{engine.version(language)} {REDACTION_VERSION}"


def _recognise(stage: Stage, day: date, inputs: str, landing: LandingResource, box, limits, engine, workers) -> None:
    read = stage.lake.read
    segments = read(SEGMENTS, day)
    speech = segments.filter(pl.col("kind") == "speech")
    measured = read(MEASUREMENTS, day).filter(pl.col("outcome") == "measured")["interaction_id"].implode()
    supplied = read(TRANSCRIPTS, day)["interaction_id"].unique().implode()
    accepted = read(RECORDINGS, day).filter(
        pl.col("interaction_id").is_in(measured), ~pl.col("interaction_id").is_in(supplied)
    )
    # Where several interactions hold the same audio, the first language that came with one counts.
    spoken = read(INTERACTIONS, day).select("interaction_id", "language")
    spoken = accepted.join(spoken, on="interaction_id", how="left").sort(pl.col("language").is_null(), "interaction_id")
    spoken = spoken.unique("audio_sha256", keep="first").select("audio_sha256", "language")
    language = dict(spoken.iter_rows())
    version = {sha: _version(engine, tag) for sha, tag in language.items()}
    reuse = Reuse(stage.lake, day, (WORDS, RECOGNITIONS), master=RECOGNITIONS, version=version)
    todo = reuse.missing(accepted)
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
            language=language[sha],
            redact=redact_channels,
            version=version[sha],
        )

    decoded = box.starmap(recognition_audio, list(items))
    results = _in_threads(((items[i], a) for i, a in decoded), recognise, workers)
    length_s = dict(accepted.select("audio_sha256", "duration_s").iter_rows())
    audio_s = {sha: length_s[sha] or 0.0 for sha in items.values()}
    for sha, (words, recognitions) in stage.progress(day, "recognised", results, len(items), audio_s):
        reuse.add(sha, {WORDS: words, RECOGNITIONS: recognitions})
    frames = reuse.frames(accepted)
    if stage.write(day, frames, inputs=inputs):
        reuse.done()
    stage.add(
        recordings=accepted.height,
        recognised=len(todo),
        audio_s=accepted.filter(pl.col("audio_sha256").is_in(list(todo)))["duration_s"].sum(),
        words=frames[WORDS].height,
    )


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

"""Pages of single calls, for the restricted build: lineage of the score, transcript with flags, clips, annotations."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipelines.audio.clips import CLIPS_VERSION, SUFFIX, ClipOptions, Cut, around, write_clips
from pipelines.audio.decode import BadRecording, DecodeLimits
from pipelines.audio.files import locate
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import RECOGNITIONS, WORDS
from pipelines.lake import Lake
from pipelines.language.redaction import KINDS
from pipelines.reports import facts, words
from pipelines.reports.facts import Publication, ReportError, Row
from pipelines.reports.parts import Table, missing, page_name, reason_text
from pipelines.reports.report import _environment as _shared_environment
from pipelines.reports.report import _script

FOLDER = Path("restricted") / "calls"
MARK = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")
# From this distance to 0 on a text counts as felt; the customer's push-back is told by the same 0.3.
_FELT_AT_LEAST = 0.3
_SENTIMENTS = {"negative": "▼", "neutral": "•", "positive": "▲"}
_GOOD = frozenset({"empathy", "apology", "resolution", "backchannel"})
_PLAIN = frozenset({"adherence", "keyword"})
_SILENT = frozenset({"dead_air", "hold"})
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@dataclass(frozen=True)
class CallOptions:
    """Which calls get a page in a publication: rows of seeds/settings.csv by these names.

    Calls of the coaching queue and of the list of good examples, and those of the newest `call_page_days` that failed
    or set off an alert; at most `call_pages`, the newest first. `call_clips` bounds the recordings that one
    publication opens; clips of the publication before are taken over.
    """

    call_page_days: int = 28
    call_pages: int = 300
    call_clips: int = 100

    @classmethod
    def read(cls, seeds: Path) -> CallOptions:
        """The options of a folder of seeds; a row that is missing leaves the default."""
        path = Path(seeds) / "settings.csv"
        if not path.exists():
            return cls()
        with path.open(encoding="utf-8", newline="") as file:
            rows = {row["setting"]: row["value"] for row in csv.DictReader(file)}
        return cls(**{f.name: int(float(rows[f.name])) for f in fields(cls) if f.name in rows})


@dataclass(frozen=True)
class Sound:
    """Where recordings come from, and what opens them: a function that gives a sandbox (`with sandbox() as s`)."""

    lake: Lake
    landing: Path
    sandbox: Callable[[], Any]
    limits: DecodeLimits = DecodeLimits()
    options: ClipOptions = ClipOptions()


@dataclass(frozen=True)
class Audio:
    """A file to be heard on a page, the stretch of the recording that it holds, and why it was cut."""

    file: str
    start_s: float
    end_s: float | None
    title: str


@dataclass(frozen=True)
class Recording:
    """A call's recording and what is personal in it, or `why` it can't be heard."""

    path: Path | None = None
    sha256: str = ""
    personal_s: tuple[tuple[float, float], ...] = ()
    why: str = ""


def render_calls(
    generation: Path,
    sound: Sound | None = None,
    options: CallOptions = CallOptions(),
    *,
    clips_before: Path | None = None,
) -> int:
    """Write the call pages of a publication into its folder restricted/calls; returns how many.

    `sound` adds the clips of the coaching queue; those that the folder `clips_before` holds are not cut again.
    Raises ReportError where the published files can't be read.
    """
    with _opened(generation) as publication:
        ids = chosen(publication, options)
        calls = _facts(publication, ids)
        about = facts.published(publication)
    out = generation / FOLDER
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    heard = _coaching_clips(calls, sound, out / "clips", clips_before, options.call_clips) if sound else {}
    for interaction_id, call in calls.items():
        audio, why = heard.get(interaction_id, ((), "this publication was made without sound"))
        _write(out / page_name(interaction_id), _page(call, about, audio, why, index="index.html"))
    _write(out / "index.html", _environment().get_template("calls.html.j2").render(about=about, calls=_listed(calls)))
    return len(calls)


def render_call(generation: Path, interaction_id: str, out: Path, sound: Sound | None = None) -> Path:
    """Write the page of any scored call to `out`, with the whole call's sound beside it (`<name>.ogg`).

    Both are for their owner only (mode 0600). Raises ReportError where there is no such interaction, or nothing of
    it may be shown.
    """
    with _opened(generation) as publication:
        call = _facts(publication, [interaction_id]).get(interaction_id)
        about = facts.published(publication)
    if call is None:
        raise ReportError(f"no interaction {interaction_id!r} is published; ids are in the table fct_interactions")
    if call["reason"] == "opted_out":
        raise ReportError(f"{interaction_id}: {reason_text('opted_out')}, so nothing of it is shown")
    out.parent.mkdir(parents=True, exist_ok=True)
    audio: tuple[Audio, ...] = ()
    why = "the page was made without sound"
    if sound is not None:
        recording = _recordings(sound, {interaction_id: call})[interaction_id]
        why = recording.why
        if recording.path is not None:
            cut = Cut(str(out.with_suffix(SUFFIX)))
            found = _cut(sound, [(recording, (cut,))])[recording.path]
            if isinstance(found, BadRecording):
                why = _said(found)
            else:
                audio = (Audio(Path(cut.out).name, 0.0, found[0], "The whole call"),)
    _write(out, _page(call, about, audio, why, index=None))
    return out


def chosen(publication: Publication, options: CallOptions) -> list[str]:
    """Ids of the calls that get a page, the newest first."""
    rows = publication.rows(
        """
        with newest as (select max(call_date) - $days::integer as after from fct_call_scores),
        wanted as (
            select interaction_id from coaching_queue
            union select interaction_id from prime_calls
            union select interaction_id from fct_call_scores, newest
                where basis = 'as_scored' and is_failed and call_date > after
            union select interaction_id from alerts, newest where interaction_id is not null and call_date > after
        )
        select interaction_id from wanted join fct_interactions using (interaction_id)
        where status = 'scored' order by call_date desc, interaction_id limit $pages
        """,
        days=options.call_page_days,
        pages=options.call_pages,
    )
    return [r["interaction_id"] for r in rows]


# --- what a page is made of


@contextmanager
def _opened(generation: Path) -> Iterator[Publication]:
    hidden = generation / "restricted" / "iqs_restricted.duckdb"
    if not hidden.exists():
        raise ReportError(f"{hidden} is missing; call pages are made from it: `iqs run` makes a publication with it")
    with facts.opened(generation / "iqs.duckdb", "as_scored") as publication:
        quoted = str(hidden).replace("'", "''")
        publication.connection.execute(f"attach '{quoted}' as hidden (read_only)")
        yield publication


def _facts(publication: Publication, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Each call with its parameters, utterances, events, clips to coach and alerts, read once for all calls."""

    def by_call(sql: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in publication.rows(sql, ids=list(ids)):
            found.setdefault(row["interaction_id"], []).append(row)
        return found

    these = "interaction_id in (select unnest($ids::varchar[]))"
    calls = publication.rows(
        f"""
        select i.*, coalesce(a.name, i.agent_id) as agent_name
        from fct_interactions i left join dim_agents a using (agent_id)
        where i.{these} order by i.call_date desc, i.interaction_id
        """,
        ids=list(ids),
    )
    parameters = by_call(
        f"""
        select f.*, coalesce(p.name, f.parameter) as name, m.unit, p.curve, p.meaning
        from fct_parameter_scores f
        left join dim_parameters p using (parameter)
        left join dim_metrics m on m.metric = p.metric
        where f.basis = 'as_scored' and f.{these}
        order by f.contribution desc nulls last, p.position, f.parameter
        """
    )
    utterances = by_call(f"select * from hidden.fct_utterances where {these} order by interaction_id, utterance")
    events = by_call(f"select * from fct_events where {these} order by interaction_id, start_s nulls last, event")
    coaching = by_call(
        f"""
        select q.*, coalesce(p.name, q.parameter) as parameter_name
        from coaching_queue q left join dim_parameters p using (parameter)
        where {these} order by points_lost desc, parameter
        """
    )
    alerts = by_call(f"select * from alerts where {these} order by severity, rule")
    of_people = f"""
        select r.*, coalesce(p.name, r.parameter) as name, s.score
        from hidden.fct_reviews r
        left join dim_parameters p using (parameter)
        left join fct_parameter_scores s
            on s.interaction_id = r.interaction_id and s.parameter = r.parameter and s.basis = 'as_scored'
        where r.{these}
        order by p.position nulls last, r.parameter, r.is_expert desc, r.rated_at nulls last, r.reviewer_id,
            r.session_id
        """
    # A publication from before there were comments has no such table.
    has_reviews = publication.rows(
        "select 1 from duckdb_tables() where database_name = 'hidden' and table_name = 'fct_reviews'"
    )
    reviews = by_call(of_people) if has_reviews else {}
    return {
        (name := call["interaction_id"]): call
        | {
            "parameters": parameters.get(name, []),
            "utterances": utterances.get(name, []),
            "events": events.get(name, []),
            "coaching": coaching.get(name, []),
            "alerts": alerts.get(name, []),
            "reviews": reviews.get(name, []),
        }
        for call in calls
    }


def lineage(call: Mapping[str, Any]) -> Table:
    """How the score came about: a row per parameter, whose contributions add up to the score that is shown."""
    parameters = call["parameters"]
    measured = [p for p in parameters if p["contribution"] is not None]
    total = call["iqs_unfailed"]
    shown = iter(words.adding_up([p["contribution"] for p in measured], total, 2) if measured else ())
    rows = []
    for p in parameters:
        start = (p["name"] + (" (critical)" if p["is_critical"] else ""), words.plain(p["metric_value"], p["unit"]))
        if p["contribution"] is None:
            absent = missing(reason_text(p["reason"]))
            rows.append((*start[:1], absent, p["curve"] or "–", "–", words.percent(p["weight"], 1), "–", "–"))
            continue
        rows.append(
            (
                *start,
                p["curve"] or "–",
                words.number(p["score"], 2),
                words.percent(p["weight"], 1),
                words.percent(p["effective_weight"], 2),
                words.number(next(shown), 2),
            )
        )
    weights = (sum(p["weight"] for p in parameters), sum(p["effective_weight"] for p in measured))
    return Table(
        "How the score came about",
        ("Parameter", "Measured", "Curve: value→score", "Score", "Weight", "Weight in this call", "Contribution"),
        rows,
        numeric=(1, 3, 4, 5, 6),
        total=("Sum", "", "", "", *(words.percent(w, 0) for w in weights), words.number(total, 2)),
        note="Contribution = score × weight in this call. The weight of what could not be measured is spread over the"
        " others in proportion to theirs.",
    )


def sentiment_label(value: float | None) -> str | None:
    """negative, neutral or positive of a sentiment from -1 to 1; None where it was not measured."""
    if value is None:
        return None
    return "negative" if value <= -_FELT_AT_LEAST else "positive" if value >= _FELT_AT_LEAST else "neutral"


def transcript(call: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(lines in the order of time, flags that belong to no line).

    A flag stands at the line that it overlaps most, one of the same party first; without a time, at the line whose
    text holds its evidence. Silences are lines of their own.
    """
    lines = [
        {
            "id": f"u{u['utterance']}",
            "party": u["party"],
            "start_s": u["start_s"],
            "end_s": u["end_s"],
            "sent_at": u["sent_at"],
            "text": u["text"],
            "label": sentiment_label(u["sentiment"]),
            "sentiment": u["sentiment"],
            "flags": [],
        }
        for u in call["utterances"]
    ]
    loose: list[dict[str, Any]] = []
    silences = []
    for event in call["events"]:
        if event["start_s"] is not None and event["end_s"] is None:
            event = event | {"end_s": event["start_s"]}
        flag = _flag(event)
        if event["kind"] in _SILENT and event["start_s"] is not None:
            silences.append(_silence(event, flag))
        elif (line := _line_of(event, lines)) is not None:
            # The words of the line are evidence enough, and two flags of one kind say no more than one.
            flag["evidence"] = _beside(flag["evidence"], line["text"])
            if not any((f["name"], f["evidence"]) == (flag["name"], flag["evidence"]) for f in line["flags"]):
                line["flags"].append(flag)
        else:
            loose.append(flag)
    if silences:
        lines = sorted([*lines, *silences], key=lambda x: (x["start_s"] is None, x["start_s"] or 0.0))
    return lines, loose


def _flag(event: Row) -> dict[str, Any]:
    kind = event["kind"]
    return {
        "name": words.code(kind),
        "shade": "good" if kind in _GOOD else "plain" if kind in _PLAIN else "bad",
        "mark": "✓" if kind in _GOOD else "·" if kind in _PLAIN else "⚑",
        "start_s": event["start_s"],
        "end_s": event["end_s"],
        "party": event["party"],
        "evidence": event["evidence"] or "",
    }


def _beside(evidence: str, text: str) -> str:
    """Evidence less what the line beside it says already: "greeting: Hello there" is "greeting" at "Hello there."."""
    head, colon, said = evidence.partition(": ")
    if not colon or not re.fullmatch("[a-z_]+", head):
        return "" if evidence in text else evidence
    return words.code(head) + ("" if said in text else f": {said}")


def _silence(event: Row, flag: dict[str, Any]) -> dict[str, Any]:
    length_s = event["end_s"] - event["start_s"]
    return {
        "id": f"e{event['event']}",
        "party": None,
        "start_s": event["start_s"],
        "end_s": event["end_s"],
        "sent_at": None,
        "text": f"({words.number(length_s)} s)",
        "label": None,
        "sentiment": None,
        "flags": [flag],
        "silence": True,
    }


def _line_of(event: Row, lines: list[dict[str, Any]]) -> dict[str, Any] | None:
    if event["start_s"] is None:
        evidence = event["evidence"]
        return next((x for x in lines if evidence and evidence in x["text"]), None)

    def overlap(line: dict[str, Any]) -> float:
        if line["start_s"] is None or line["end_s"] is None:
            return -1.0
        return min(line["end_s"], event["end_s"]) - max(line["start_s"], event["start_s"])

    reaching = [x for x in lines if overlap(x) >= 0]
    return max(reaching, key=lambda x: (x["party"] == event["party"], overlap(x)), default=None)


def costliest(parameters: Sequence[Row], most: int = 3) -> list[Row]:
    """The parameters that cost the call most points, at least half a point each."""
    lost = [p for p in parameters if (p["points_lost"] or 0) >= 0.5]
    return sorted(lost, key=lambda p: (-p["points_lost"], p["parameter"]))[:most]


def reviewed(reviews: Sequence[Row]) -> Table:
    """What people rated and wrote, beside the machine's score of the same parameter. Ratings are on 0 to 100."""
    return Table(
        "Ratings by people",
        ("Parameter", "Rating", "Machine", "Reviewer", "Comment", "Session"),
        [
            (
                words.title(r["name"]),
                missing("does not apply") if r["not_applicable"] else words.number(r["points"], 0),
                words.number(r["score"], 0) if r["score"] is not None else missing("no score"),
                r["reviewer_id"]
                + (", expert" if r["is_expert"] else "")
                + (f" ({r['department']})" if r["department"] else ""),
                r["comment"] or missing("none"),
                r["session_id"] + (f", {words.day(r['rated_at'], year=True)}" if r["rated_at"] else ""),
            )
            for r in reviews
        ],
        numeric=(1, 2),
        note="Both on 0 to 100. No rating enters the IQS.",
    )


def _page(
    call: Mapping[str, Any], about: Mapping[str, Any], audio: Sequence[Audio], why: str, *, index: str | None
) -> str:
    lines, loose = transcript(call)
    return (
        _environment()
        .get_template("call.html.j2")
        .render(
            call=call,
            about=about,
            lineage=lineage(call) if call["parameters"] else None,
            lost=costliest(call["parameters"]),
            reviews=reviewed(call["reviews"]),
            lines=lines,
            loose=loose,
            audio=audio,
            why=why,
            index=index,
            marks=_SENTIMENTS,
            left_out=reason_text(call["reason"]) if call["status"] != "scored" else "",
            coaching=[q | {"value": words.plain(q["metric_value"], None)} for q in call["coaching"]],
            **_script("call.js"),
        )
    )


def _environment() -> Any:
    environment = _shared_environment()
    if "call_style" not in environment.globals:
        environment.globals["call_style"] = Markup(environment.loader.get_source(environment, "call.css")[0])
    return environment


def _listed(calls: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    def why(call: Mapping[str, Any]) -> str:
        found = [f"coaching: {q['parameter_name']}" for q in call["coaching"]]
        found += [f"alert: {words.code(a['rule'])}" for a in call["alerts"]]
        return "; ".join(dict.fromkeys((["failed"] if call["is_failed"] else []) + found)) or "good example"

    return [dict(call) | {"page": page_name(name), "why": why(call)} for name, call in calls.items()]


def _write(path: Path, text: str) -> None:
    """Replace the file whole; nobody but its owner may read it, from its first byte on."""
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)


# --- sound


def personal_spans(
    utterances: Sequence[Mapping[str, Any]], marks_s: Sequence[tuple[float, float]]
) -> list[tuple[float, float]] | None:
    """Spans in s of what was redacted; None where the time of one is not known.

    `marks_s` are the spans of the marks among the recognised words, each as long as the words that went into it. An
    utterance with more marks than lie in it, such as one of a supplied transcript, counts from end to end.
    """
    spans = list(marks_s)
    for u in utterances:
        n_marks = len(MARK.findall(u["text"] or ""))
        if not n_marks:
            continue
        start, end = u["start_s"], u["end_s"]
        timed = start is not None and end is not None
        if timed and sum(1 for s, e in marks_s if s < end + 0.01 and e > start - 0.01) >= n_marks:
            continue
        if not timed:
            return None
        spans.append((start, end))
    return sorted(set(spans))


def _recordings(sound: Sound, calls: Mapping[str, Mapping[str, Any]]) -> dict[str, Recording]:
    """The recording of each call, with what is personal in it, or why it can't be heard."""
    import polars as pl

    days: dict[date, list[str]] = {}
    for name, call in calls.items():
        days.setdefault(call["call_date"], []).append(name)
    found = {name: Recording(why="it came without a recording") for name in calls}
    for day, names in days.items():

        def rows(table: Any, *more: pl.Expr, day: date = day, names: list[str] = names) -> list[Row]:
            path = sound.lake.path(table, day)
            if not path.exists():
                return []
            frame = pl.scan_parquet(path, hive_partitioning=False)
            return frame.filter(pl.col("interaction_id").is_in(names), *more).collect().to_dicts()

        has_mark = pl.col("word").str.contains(MARK.pattern)
        marks: dict[str, list[tuple[float, float]]] = {}
        for word in rows(WORDS, has_mark):
            marks.setdefault(word["interaction_id"], []).append((word["start_s"], word["end_s"]))
        failed = {r["interaction_id"] for r in rows(RECOGNITIONS, pl.col("outcome") == "failed")}
        for row in rows(RECORDINGS):
            name = row["interaction_id"]
            found[name] = _recording(sound, row, calls[name]["utterances"], marks.get(name, []), name in failed)
    return found


def _recording(
    sound: Sound, row: Row, utterances: Sequence[Row], marks_s: list[tuple[float, float]], failed: bool
) -> Recording:
    if row["outcome"] != "accepted":
        return Recording(why=f"the recording can't be used: {reason_text(row['reason'])}")
    file = locate(sound.landing, row["recording"])
    if file.reason:
        return Recording(why="the recording is gone from the landing folder")
    if failed or not utterances:
        return Recording(why="not all of it was transcribed, so that what is personal in it is not known")
    spans = personal_spans(utterances, marks_s)
    if spans is None:
        return Recording(why="something personal was said at a time that is not known")
    return Recording(file.path, row["audio_sha256"], tuple(spans))


def _coaching_clips(
    calls: Mapping[str, Mapping[str, Any]], sound: Sound, folder: Path, before: Path | None, most: int
) -> dict[str, tuple[tuple[Audio, ...], str]]:
    """(clips, why there is none) of each call; files into `folder`."""
    wanted: dict[str, list[tuple[float, float, str]]] = {}
    for name, call in calls.items():
        spans: dict[tuple[float, float], list[str]] = {}
        for q in call["coaching"]:
            if q["clip_start_s"] is not None and q["clip_end_s"] is not None:
                span = around(q["clip_start_s"], q["clip_end_s"], sound.options)
                spans.setdefault(span, []).append(q["parameter_name"])
        wanted[name] = [(*span, ", ".join(names)) for span, names in sorted(spans.items())]
    found: dict[str, tuple[tuple[Audio, ...], str]] = dict.fromkeys(calls, ((), "no moment of it is up for coaching"))
    recordings = _recordings(sound, {n: calls[n] for n, spans in wanted.items() if spans})
    jobs: list[tuple[Recording, tuple[Cut, ...]]] = []
    opened: dict[str, tuple[Recording, tuple[Audio, ...]]] = {}
    for name, recording in recordings.items():
        if recording.path is None:
            found[name] = ((), recording.why)
            continue
        audio = tuple(
            Audio(f"clips/{_clip_name(recording, start, end, sound.options)}", start, end, title)
            for start, end, title in wanted[name]
        )
        cuts = tuple(
            Cut(str(folder.parent / a.file), a.start_s, a.end_s) for a in audio if not _taken(a, folder, before)
        )
        if cuts and len(jobs) >= most:
            found[name] = ((), "only the newest calls get clips in a publication")
            continue
        if cuts:
            jobs.append((recording, cuts))
        opened[name] = (recording, audio)
    if jobs:
        folder.mkdir(mode=0o700, exist_ok=True)
    results = _cut(sound, jobs)
    for name, (recording, audio) in opened.items():
        result = results.get(recording.path)
        if isinstance(result, BadRecording):
            audio = tuple(a for a in audio if (folder.parent / a.file).exists())
        found[name] = (audio, _said(result) if isinstance(result, BadRecording) else "")
    return found


def _clip_name(recording: Recording, start_s: float, end_s: float, options: ClipOptions) -> str:
    """Named by all that it is made from: equal clips of two publications have equal names."""
    parts = (CLIPS_VERSION, recording.sha256, start_s, end_s, recording.personal_s, options)
    # Letters alone: a long run of digits could be taken for a card number by the search for leaks.
    letters = hashlib.sha256(repr(parts).encode()).hexdigest()[:20].translate(_LETTERS)
    return letters + SUFFIX


def _taken(audio: Audio, folder: Path, before: Path | None) -> bool:
    """Take a clip over from the publication before; whether that could be done."""
    target = folder.parent / audio.file
    source = before / target.name if before else None
    if source is None or not source.exists():
        return target.exists()
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError:
        shutil.copyfile(source, target)
    return True


def _cut(
    sound: Sound, jobs: Sequence[tuple[Recording, tuple[Cut, ...]]]
) -> dict[Path | None, list[float] | BadRecording]:
    """Lengths of the clips in s, or what is wrong with the recording, by its path."""
    if not jobs:
        return {}
    items = [
        (str(recording.path), recording.sha256, cuts, recording.personal_s, sound.limits, sound.options)
        for recording, cuts in jobs
    ]
    with sound.sandbox() as sandbox:
        return {Path(item[0]): result for item, result in sandbox.starmap(write_clips, items)}


def _said(error: BadRecording) -> str:
    return f"the recording can't be used: {error.detail or reason_text(error.reason)}"

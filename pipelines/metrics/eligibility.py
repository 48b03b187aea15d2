"""Which interactions can be scored: eligible, excluded or in quarantine, each with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from pipelines.contracts.metrics import OUTCOMES
from pipelines.contracts.vocabulary import EXCLUDED, PARTIES, QUARANTINED

_ONE_SOUND = ("mono", "dual_mono")
_OTHER = {"agent": "customer", "customer": "agent"}


@dataclass(frozen=True)
class EligibilityOptions:
    """Least that a conversation must hold to be scored (metrics.md §1 of the design)."""

    speech_at_least_s: float = 4.0
    party_speech_at_least_s: float = 0.3
    words_at_least: int = 10


def outcomes(
    interactions: pl.DataFrame,
    recordings: pl.DataFrame,
    recognitions: pl.DataFrame,
    voices: pl.DataFrame,
    speakers: pl.DataFrame,
    utterances: pl.DataFrame,
    *,
    supported_languages: Collection[str] = (),
    options: EligibilityOptions = EligibilityOptions(),
) -> pl.DataFrame:
    """Frame of metrics/outcomes: exactly one row per row of landing/interactions.

    Takes frames of landing/interactions, recordings/recordings, transcripts/recognitions, acoustics/voices,
    transcripts/speakers and transcripts/utterances of the same day. `supported_languages` are BCP-47 tags of which
    the primary part counts ("en-GB" is "en"); empty supports all, and so does an unknown language.

    The first reason that holds is given, in this order: what could not be read (landing, recording,
    recognition); opted_out; no_content; too_short, when under 4 s of speech in all leave nothing to judge,
    whatever the layout (a silent recording, a wrong number); dual_mono and mono_audio, when nobody knows who
    speaks; one_party (a recording or chat with one side only); too_few_words; language_unsupported.
    """
    supported = {_primary(tag) for tag in supported_languages}
    recording_of = {r["interaction_id"]: r for r in recordings.iter_rows(named=True)}
    recognised, sound, who, said = (_grouped(f) for f in (recognitions, voices, speakers, utterances))
    rows = []
    for row in interactions.iter_rows(named=True):
        id_ = row["interaction_id"]
        facts = _Facts(row, recording_of.get(id_), recognised[id_], sound[id_], who[id_], said[id_])
        reason, detail = _verdict(facts, supported, options)
        quarantined = reason in QUARANTINED
        rows.append(
            {
                "interaction_id": id_,
                "outcome": "quarantined" if quarantined else "excluded" if reason in EXCLUDED else "eligible",
                "reason": reason,
                "detail": detail,
                "duration_s": facts.duration_s,
                "n_words": None if quarantined or not facts.was_read else facts.n_words,
                "language": facts.language,
                "layout": facts.recording["layout"] if facts.recording else None,
                "speaker_source": facts.speakers[0]["source"] if facts.speakers else None,
                "speaker_confidence": min((s["confidence"] or 0.0 for s in facts.speakers), default=None),
            }
        )
    return OUTCOMES.conform(OUTCOMES.frame(rows))


def _grouped(frame: pl.DataFrame) -> dict[str, list[dict]]:
    grouped = defaultdict(list)
    for row in frame.iter_rows(named=True):
        grouped[row["interaction_id"]].append(row)
    return grouped


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].casefold()


@dataclass(frozen=True)
class _Facts:
    row: dict
    recording: dict | None
    recognitions: list[dict]
    voices: list[dict]
    speakers: list[dict]
    utterances: list[dict]

    @property
    def is_call(self) -> bool:
        return self.row["channel"] == "call"

    @property
    def was_read(self) -> bool:
        return bool(self.utterances or self.voices)

    @property
    def supplied(self) -> bool:
        return any(u["source"] == "supplied" for u in self.utterances)

    @property
    def one_sound(self) -> bool:
        r = self.recording
        return r is not None and (r["layout"] in _ONE_SOUND or r["n_channels"] == 1)

    @property
    def told_apart(self) -> bool:
        """Whether everything that was said has a party, and each party said something."""
        parties = {u["party"] for u in self.utterances if u["n_words"] > 0}
        return None not in parties and bool(parties)

    @property
    def n_words(self) -> int:
        return sum(u["n_words"] for u in self.utterances)

    def words(self, party: str) -> int:
        return sum(u["n_words"] for u in self.utterances if u["party"] == party)

    @property
    def speech_s(self) -> float | None:
        """Speech of all voices in seconds; None where nothing has times."""
        if self.recording is not None:
            return sum(v["speech_s"] for v in self.voices)
        timed = [u for u in self.utterances if u["start_s"] is not None and u["end_s"] is not None]
        return sum(max(0.0, u["end_s"] - u["start_s"]) for u in timed) if timed else None

    def party_speech_s(self, party: str) -> float | None:
        """Speech of the party's voice in seconds; None where nobody knows which it is."""
        if self.recording is None or any(s["party"] is None for s in self.speakers):
            return None
        own = {(s["audio_channel"], s["speaker"]) for s in self.speakers if s["party"] == party}
        return sum(v["speech_s"] for v in self.voices if (v["audio_channel"], v["speaker"]) in own)

    @property
    def duration_s(self) -> float | None:
        """Of the recording; else from the first to the last time of the transcript or the messages."""
        if self.recording is not None:
            return self.recording["duration_s"]
        starts = [u["start_s"] for u in self.utterances if u["start_s"] is not None]
        ends = [u["end_s"] for u in self.utterances if u["end_s"] is not None]
        if starts and ends:
            return max(0.0, max(ends) - min(starts))
        sent = [u["sent_at"] for u in self.utterances if u["sent_at"] is not None]
        if sent:
            return (max(sent) - min(sent)).total_seconds()
        started_at, ended_at = self.row["started_at"], self.row["ended_at"]
        if started_at is not None and ended_at is not None and ended_at >= started_at:
            return (ended_at - started_at).total_seconds()
        return None

    @property
    def language(self) -> str | None:
        """Supplied with the interaction, else recognised with the most confidence, else the text's."""
        if self.row["language"]:
            return self.row["language"]
        heard = [r for r in self.recognitions if r["language"]]
        if heard:
            return max(heard, key=lambda r: (r["language_confidence"] or 0.0, r["n_words"]))["language"]
        return next((u["language"] for u in self.utterances if u["language"]), None)


def _verdict(facts: _Facts, supported: set[str], options: EligibilityOptions) -> tuple[str | None, str | None]:
    """The first reason that holds, and what exactly; (None, None) for an eligible interaction."""
    row, recording = facts.row, facts.recording
    if row["landing_reason"] is not None:
        return row["landing_reason"], row["landing_detail"]
    if recording is not None and recording["outcome"] == "quarantined":
        return recording["reason"], recording["detail"]
    failed = [r for r in facts.recognitions if r["outcome"] == "failed"]
    if failed and not facts.supplied:
        return "transcription_failed", failed[0]["detail"] or "speech recognition failed"
    if row["consent"] is False:
        return "opted_out", "the customer did not consent"
    if not facts.is_call:
        return _written(facts, supported, options)
    if recording is None and row["recording"] is not None and not facts.utterances:
        return "recording_missing", f"{row['recording']} was not found among the recordings that were read"
    if recording is None and not facts.utterances:
        return "no_content", "a call without a recording or a transcript"
    if recording is not None and not facts.voices:
        return "measurement_failed", "the recording was read, but its sound was not measured"
    return _spoken(facts, supported, options)


def _spoken(facts: _Facts, supported: set[str], options: EligibilityOptions) -> tuple[str | None, str | None]:
    speech_s = facts.speech_s
    if speech_s is not None and speech_s < options.speech_at_least_s:
        length = f" in {facts.duration_s:.1f} s" if facts.duration_s is not None else ""
        silent = "nobody spoke" if speech_s == 0 else f"{speech_s:.1f} s of speech"
        return "too_short", silent + length
    if facts.recording is not None and not facts.recognitions and not facts.supplied:
        return "transcription_failed", "the recording holds speech, but it was not recognised"
    if facts.one_sound and not facts.told_apart:
        dual = facts.recording["layout"] == "dual_mono"
        which = "both audio channels carry the same sound" if dual else "one audio channel"
        return ("dual_mono" if dual else "mono_audio"), f"{which}; the speakers were not told apart"
    for party in PARTIES:
        own_s = facts.party_speech_s(party)
        if own_s is not None and own_s < options.party_speech_at_least_s and not facts.words(party):
            return "one_party", f"no speech of the {party}; the {_OTHER[party]} spoke"
    return _enough_words(facts, "said", supported, options)


def _written(facts: _Facts, supported: set[str], options: EligibilityOptions) -> tuple[str | None, str | None]:
    if not facts.utterances:
        return "no_content", f"{facts.row['channel']} without messages"
    return _enough_words(facts, "wrote", supported, options)


def _enough_words(
    facts: _Facts, verb: str, supported: set[str], options: EligibilityOptions
) -> tuple[str | None, str | None]:
    silent = [p for p in PARTIES if not facts.words(p)]
    if len(silent) == 1:
        party = silent[0]
        own_s = facts.party_speech_s(party)
        heard = f" ({own_s:.1f} s of sound without words)" if own_s else ""
        return "one_party", f"the {party} {verb} nothing{heard}"
    if facts.n_words < options.words_at_least:
        return "too_few_words", f"{facts.n_words} words"
    language = facts.language
    if supported and language and _primary(language) not in supported:
        return "language_unsupported", f"language {language}; phrases exist for {', '.join(sorted(supported))}"
    return None, None

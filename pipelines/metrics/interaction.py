"""Every metric of every interaction that was read: a value, or NULL with its reason."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from pipelines.contracts.measured import Measured, Measures, NotMeasured
from pipelines.contracts.metrics import INTERACTION_METRICS, MEASURED, METRICS
from pipelines.contracts.vocabulary import PARTIES
from pipelines.conversation import conversation_version

# Below this SNR the pitch tracker and the pauses follow the noise.
LOW_SNR_DB = 3.0
LEVEL_RISE_SPEECH_AT_LEAST_S = 15.0

_KNOWN = frozenset(MEASURED)

_OF_VOICE = {
    "level_dbfs": "level_dbfs",
    "snr_db": "snr_db",
    "pitch_mean_hz": "pitch_hz",
    "pitch_range_semitones": "pitch_range_st",
    "pitch_variation": "pitch_sd_st",
    "energy_variation": "level_range_db",
    "pause_rate": "pause_rate",
    "clipping_ratio": "clipping_ratio",
}
ACOUSTIC = frozenset({*_OF_VOICE, "level_db", "level_rise_db"})
_NEEDS_SNR = frozenset({"pitch_mean_hz", "pitch_range_semitones", "pitch_variation", "pause_rate"})

# What a chat, an e-mail or a post can have; all else is spoken.
WRITTEN = frozenset(
    {
        "word_count",
        "empathy_score",
        "sentiment_mean",
        "sentiment_start",
        "sentiment_quarter_2",
        "sentiment_quarter_3",
        "sentiment_end",
        "sentiment_shift",
        "sentiment_gap",
        "resolved_evidence",
        "aht_s",
        "escalation_risk",
        "questions_open",
        "questions_closed",
        "repetitions",
        "apologies",
        "overpromises",
        "transfers",
        "first_response_s",
        "readability",
        "adherence_score",
        "knowledge_score",
        "zero_tolerance_hits",
    }
)
_ONLY_WRITTEN = frozenset({"first_response_s", "readability"})
OF_THE_WORDS = (WRITTEN - {"word_count", "aht_s"}) | {"filler_rate", "tone_activation"}


def interaction_metrics(
    outcomes: pl.DataFrame,
    interactions: pl.DataFrame,
    recordings: pl.DataFrame,
    voices: pl.DataFrame,
    speakers: pl.DataFrame,
    segments: pl.DataFrame,
    agents: pl.DataFrame,
    conversation: Mapping[str, Measures],
    language: Mapping[str, Measures],
    *,
    level_offset_db: float,
    site_offsets_db: Mapping[str, float] = MappingProxyType({}),
    language_version: str,
    conversation_version: str = conversation_version(),
) -> pl.DataFrame:
    """Frame of metrics/interaction_metrics for one day.

    Exactly one row for each metric of METRICS and each of its parties (but those of ADDED_IN_SQL) of
    every interaction that metrics/outcomes has not in quarantine; a value in the metric's unit, or NULL and a
    reason. Takes frames of metrics/outcomes, landing/interactions, recordings/recordings, acoustics/voices,
    transcripts/speakers, acoustics/segments and landing/agents, and the measures of the conversation and language
    stages by interaction_id. `level_offset_db` is the dB SPL at 0 dBFS where neither the agent nor, in
    `site_offsets_db`, the agent's site has one; the agent's own, for the agent's equipment, is the agent's alone.

    Raises ValueError where a stage gives a measure that is not in METRICS, or one that is not finite.
    """
    recording_of = {r["interaction_id"]: r for r in recordings.iter_rows(named=True) if r["outcome"] == "accepted"}
    sound_of = _Sound(voices, speakers, segments)
    offset_of: dict[tuple[str, str], float] = {}
    for agent, site, own_db in agents.select("agent_id", "site", "level_offset_db").iter_rows():
        site_db = site_offsets_db.get(site or "", level_offset_db)
        offset_of[agent, "customer"] = site_db
        offset_of[agent, "agent"] = site_db if own_db is None else own_db
    read = set(outcomes.filter(pl.col("outcome") != "quarantined")["interaction_id"])

    columns: dict[str, list] = {c: [] for c in INTERACTION_METRICS.schema}
    for row in interactions.iter_rows(named=True):
        id_ = row["interaction_id"]
        if id_ not in read:
            continue
        recording = recording_of.get(id_)
        spoken, worded = conversation.get(id_, {}), language.get(id_, {})
        sound, sound_version = _sound(recording, sound_of, offset_of, row, level_offset_db)
        measures = {**sound, **spoken, **worded}
        _refuse_unknown(id_, measures)
        measures[("aht_s", "call")] = handling_s(row, measures)
        for metric, party in MEASURED:
            value = measures.get((metric, party))
            if value is None:
                value = _why_missing(metric, party, row["channel"], recording, measures)
            missing = isinstance(value, NotMeasured)
            if metric in ACOUSTIC:
                version = sound_version
            else:
                version = language_version if metric in OF_THE_WORDS else conversation_version
            columns["interaction_id"].append(id_)
            columns["metric"].append(metric)
            columns["party"].append(party)
            columns["value"].append(None if missing else float(value))
            columns["unit"].append(METRICS[metric].unit)
            columns["reason"].append(value.reason if missing else None)
            columns["extractor_version"].append(version)
    return INTERACTION_METRICS.conform(pl.DataFrame(columns, schema=INTERACTION_METRICS.schema))


def handling_s(interaction: Mapping, measures: Measures) -> Measured:
    """Average handling time's share of one interaction, in seconds: talk + hold + after-call work.

    Of a call: the conversation, plus the supplied hold time as far as the recording doesn't hold it already,
    plus the supplied after-call work. Recorders that run on during a hold keep it in the conversation: so the
    measured hold counts as part of the conversation, and of the supplied hold_s only what goes beyond it is
    added; where hold_s isn't supplied the conversation stands as it is. Of a chat: from its start to its end,
    plus after-call work. Not defined for e-mails and posts. NULL `not_supplied` without acw_s (or a chat's end).
    """
    channel, acw_s = interaction["channel"], interaction["acw_s"]
    if channel not in ("call", "chat"):
        return NotMeasured("not_applicable_to_call_type")
    if acw_s is None:
        return NotMeasured("not_supplied")
    if channel == "chat":
        started_at, ended_at = interaction["started_at"], interaction["ended_at"]
        if started_at is None or ended_at is None or ended_at < started_at:
            return NotMeasured("not_supplied")
        return (ended_at - started_at).total_seconds() + acw_s
    conversation_s = measures.get(("conversation_s", "call"), NotMeasured("no_audio"))
    if isinstance(conversation_s, NotMeasured):
        return conversation_s
    measured_hold_s = measures.get(("hold_s", "call"), 0.0)
    if isinstance(measured_hold_s, NotMeasured):
        measured_hold_s = 0.0
    return conversation_s + max(0.0, (interaction["hold_s"] or 0.0) - measured_hold_s) + acw_s


def level_rise_db(segments: Sequence[tuple[float, float, float]]) -> float | None:
    """Mean level of the last third of a party's speech less that of the first, in dB.

    `segments` are (start_s, end_s, level_dbfs); thirds are of the speaking time, levels weighted by duration.
    None where there is less than 15 s of speech.
    """
    ordered = sorted(segments)
    total_s = sum(b - a for a, b, _ in ordered)
    if total_s < LEVEL_RISE_SPEECH_AT_LEAST_S:
        return None

    def mean_db(from_s: float, to_s: float) -> float:
        weighted, weight_s, passed_s = 0.0, 0.0, 0.0
        for a, b, level in ordered:
            inside_s = min(to_s, passed_s + b - a) - max(from_s, passed_s)
            if inside_s > 0:
                weighted, weight_s = weighted + level * inside_s, weight_s + inside_s
            passed_s += b - a
        return weighted / weight_s

    return mean_db(total_s * 2 / 3, total_s) - mean_db(0.0, total_s / 3)


class _Sound:
    """The voices of a day's recordings: their measures, how their level rose, and whose they are."""

    def __init__(self, voices: pl.DataFrame, speakers: pl.DataFrame, segments: pl.DataFrame):
        self._voice_of = {
            (v["interaction_id"], v["audio_channel"], v["speaker"]): v for v in voices.iter_rows(named=True)
        }
        self._voices_of = defaultdict(dict)
        for id_, channel, speaker, party in speakers.select(
            "interaction_id", "audio_channel", "speaker", "party"
        ).iter_rows():
            self._voices_of[id_][party] = (id_, channel, speaker)
        spoken = defaultdict(list)
        columns = ("interaction_id", "audio_channel", "speaker", "start_s", "end_s", "level_dbfs")
        for id_, channel, speaker, *segment in segments.filter(pl.col("kind") == "speech").select(columns).iter_rows():
            spoken[id_, channel, speaker].append(tuple(segment))
        self._rise_of = {key: level_rise_db(own) for key, own in spoken.items()}

    def told_apart(self, id_: str) -> bool:
        return bool(self._voices_of[id_]) and None not in self._voices_of[id_]

    def of(self, id_: str, party: str) -> tuple[Mapping | None, float | None]:
        """Row of acoustics/voices and level rise in dB of the party; None where it has no voice."""
        key = self._voices_of[id_].get(party)
        return self._voice_of.get(key), self._rise_of.get(key)

    def versions(self, id_: str) -> set[str]:
        return {v["extractor_version"] for key in self._voices_of[id_].values() if (v := self._voice_of.get(key))}


def _sound(
    recording: Mapping | None,
    sound_of: _Sound,
    offset_of: Mapping[tuple[str, str], float],
    interaction: Mapping,
    level_offset_db: float,
) -> tuple[Measures, str]:
    """The acoustic metrics of both parties, and the version of their extractor."""
    if interaction["channel"] != "call":
        return {}, "acoustics-none"
    if recording is None:
        return {(m, p): NotMeasured("no_audio") for m in ACOUSTIC for p in PARTIES}, "acoustics-none"
    id_ = recording["interaction_id"]
    version = min(sound_of.versions(id_), default=recording["extractor_version"])
    if not sound_of.told_apart(id_) and (recording["layout"] in ("mono", "dual_mono") or recording["n_channels"] == 1):
        return {(m, p): NotMeasured("mono_audio") for m in ACOUSTIC for p in PARTIES}, version
    measures: Measures = {}
    for party in PARTIES:
        silent = NotMeasured(f"no_{party}_speech")
        voice, rise_db = sound_of.of(id_, party)
        if voice is None:
            measures.update({(m, party): silent for m in ACOUSTIC})
            continue
        speaks = voice["speech_s"] > 0
        snr_db = _finite(voice["snr_db"])
        for metric, column in _OF_VOICE.items():
            value = _finite(voice[column])
            if metric in _NEEDS_SNR and snr_db is not None and snr_db < LOW_SNR_DB:
                measures[metric, party] = NotMeasured("low_snr")
            elif value is None:
                measures[metric, party] = NotMeasured("no_event") if speaks else silent
            else:
                measures[metric, party] = value
        level_dbfs = measures["level_dbfs", party]
        offset_db = offset_of.get((interaction["agent_id"], party), level_offset_db)
        if isinstance(level_dbfs, NotMeasured):
            measures["level_db", party] = level_dbfs
        else:
            measures["level_db", party] = level_dbfs + offset_db
        if rise_db is not None:
            measures["level_rise_db", party] = rise_db
        else:
            measures["level_rise_db", party] = NotMeasured("no_event") if speaks else silent
    return measures, version


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _refuse_unknown(interaction_id: str, measures: Measures) -> None:
    for key, value in measures.items():
        if key not in _KNOWN:
            raise ValueError(f"{interaction_id}: {key} is no metric and party of the catalogue")
        if not isinstance(value, NotMeasured) and not math.isfinite(value):
            raise ValueError(f"{interaction_id}: {key} is {value}")


def _why_missing(metric: str, party: str, channel: str, recording: Mapping | None, measures: Measures) -> NotMeasured:
    """Why no stage gave this metric."""
    if channel != "call":
        if metric not in WRITTEN:
            return NotMeasured("not_applicable_to_call_type")
    elif metric in _ONLY_WRITTEN:
        return NotMeasured("not_applicable_to_call_type")
    if metric == "tone_activation":
        return NotMeasured("no_audio" if recording is None else "no_event")
    words = {p: measures.get(("word_count", p)) for p in PARTIES}
    if recording is None and words["agent"] is None:
        return NotMeasured("no_audio")
    if party in words and isinstance(words[party], NotMeasured):
        return words[party]
    if all(n == 0 for n in words.values()):
        return NotMeasured(f"no_{party}_speech" if party in words else "no_speech")
    if words.get(party) == 0:
        return NotMeasured(f"no_{party}_speech")
    uncertain = [n for n in words.values() if isinstance(n, NotMeasured)]
    return uncertain[0] if uncertain else NotMeasured("not_supplied")

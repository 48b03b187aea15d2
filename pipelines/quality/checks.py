"""What must be true of each stage beyond its contract: one pure count per check, over frames in their contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.contracts import Table, acoustics, all_tables, calibration, conversation, landing, language, transcripts
from pipelines.contracts.metrics import INTERACTION_METRICS, MEASURED, METRICS, OUTCOMES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.quality.contracts import contract_checks
from pipelines.quality.leaks import CARD_CANDIDATE, SSN_CANDIDATE, holds_card, holds_ssn
from pipelines.quality.outcomes import CheckOutcome, outcome

# Headers round, and MP3 headers estimate: a truncated file is off by far more than this.
DURATION_TOLERANCE_S = 0.5
DURATION_TOLERANCE_RATIO = 0.01
# Recognition's word times are off by .11 s in the median and .52 s at worst (speed.md).
WORD_TOLERANCE_S = 1.0
TIME_TOLERANCE_S = 0.05
BALANCE_TOLERANCE_S = 0.1
CLIPPED_RATIO = 0.001
LOW_CONFIDENCE = 0.5
# So little do the words speak for the supplied agent channel: they are sure of the other one.
SWAPPED_CONFIDENCE = 0.05
WORDS_PER_MIN = (40, 300)
SHORTEST_FOR_PACE_S = 10
MOST_NULL_RATIO = 0.5
FEWEST_FOR_NULL_RATIO = 5
# Krippendorff 2004: below .667 nothing should be concluded from the ratings.
LOWEST_ALPHA = 0.667
# A NULL for one of these reasons tells nothing about the quality of measuring.
NATURAL_REASONS = ("no_event", "not_applicable_to_call_type", "not_supplied", "no_audio")

Count = tuple[int, int]


@dataclass(frozen=True)
class Check:
    """One check: `count` gets the frames of `table` and of `reads`, in order, and returns (failing, total)."""

    name: str
    table: Table
    meaning: str
    count: Callable[..., Count]
    reads: tuple[Table, ...] = ()
    blocking: bool = True


def domain_outcomes(
    frames: Mapping[Table, pl.DataFrame], day: date | None, prints: Mapping[str, str]
) -> list[CheckOutcome]:
    """Outcomes of all domain checks of the tables in `prints` (table name -> fingerprint of the partition).

    `frames` holds these tables and those that the checks compare them with (`tables_read`), of the same day.
    Raises KeyError naming a frame that is missing.
    """
    found = []
    for check in CHECKS:
        if check.table.name not in prints:
            continue
        missing = [t.name for t in (check.table, *check.reads) if t not in frames]
        if missing:
            raise KeyError(f"{check.name} needs the frames of {', '.join(missing)}")
        frame = frames[check.table]
        try:
            failing, total = check.count(frame, *(frames[t] for t in check.reads))
            passed = failing == 0
            detail = "" if passed else f"expected: {check.meaning}; {failing} of {total} break it"
        except pl.exceptions.PolarsError as error:
            failing, total, passed = frame.height, frame.height, False
            detail = f"the check could not be evaluated ({type(error).__name__})"
        found.append(
            outcome(
                check.table,
                day,
                check.name,
                failing,
                total,
                fingerprint=prints[check.table.name],
                blocking=check.blocking,
                passed=passed,
                detail=detail,
            )
        )
    return found


def tables_read(*tables: Table) -> tuple[Table, ...]:
    """The other tables whose frames the checks of `tables` need."""
    needed = [r for c in CHECKS if c.table in tables for r in c.reads if r not in tables]
    return tuple(dict.fromkeys(needed))


def required_checks(tables: Iterable[Table] | None = None) -> dict[str, tuple[str, ...]]:
    """Blocking checks that a partition must have passed, by table name: those of the contract, then the domain's."""
    chosen = all_tables().values() if tables is None else tables
    return {t.name: (*contract_checks(t), *(c.name for c in CHECKS if c.table == t and c.blocking)) for t in chosen}


# --- landing
def _rows_not_accounted_for(files: pl.DataFrame) -> Count:
    wrong = files.filter(pl.col("rows_read") != pl.col("rows_accepted") + pl.col("rows_rejected"))
    return wrong.height, files.height


def _rejects_not_kept(files: pl.DataFrame, rejects: pl.DataFrame) -> Count:
    # Rows of unknown interactions could be read; they are rejected later, when all files are known.
    of_rows = (pl.col("row_number") > 0) & (pl.col("reason") != "unknown_interaction")
    kept = rejects.filter(of_rows).group_by("source_file").agg(pl.len().alias("kept"))
    both = files.join(kept, on="source_file", how="left").with_columns(pl.col("kept").fill_null(0))
    return both.filter(pl.col("kept") != pl.col("rows_rejected")).height, files.height


def _agents_not_listed(interactions: pl.DataFrame, agents: pl.DataFrame) -> Count:
    named = interactions.filter(pl.col("agent_id").is_not_null())
    if agents.is_empty():
        return 0, named.height
    return named.join(agents, on="agent_id", how="anti").height, named.height


# --- recordings
def _recordings_not_accounted_for(recordings: pl.DataFrame, interactions: pl.DataFrame) -> Count:
    usable = pl.col("recording").is_not_null() & pl.col("landing_reason").is_null()
    wanted = interactions.filter(usable & pl.col("consent").fill_null(True)).select("interaction_id")
    lost = wanted.join(recordings, on="interaction_id", how="anti").height
    strangers = recordings.join(interactions, on="interaction_id", how="anti").height
    twice = recordings.height - recordings["interaction_id"].n_unique()
    accepted = (pl.col("outcome") == "accepted") & pl.col("reason").is_null()
    quarantined = (pl.col("outcome") == "quarantined") & pl.col("reason").is_not_null()
    undecided = recordings.filter(~(accepted | quarantined).fill_null(False)).height
    return lost + strangers + twice + undecided, wanted.height


def _durations_not_claimed(recordings: pl.DataFrame) -> Count:
    claimed = _accepted(recordings).filter(pl.col("claimed_duration_s").is_not_null())
    allowed = pl.max_horizontal(pl.lit(DURATION_TOLERANCE_S), DURATION_TOLERANCE_RATIO * pl.col("claimed_duration_s"))
    off = (pl.col("duration_s") - pl.col("claimed_duration_s")).abs()
    return claimed.filter(~(off <= allowed).fill_null(False)).height, claimed.height


def _layout_is(*layouts: str) -> Callable[[pl.DataFrame], Count]:
    def count(recordings: pl.DataFrame) -> Count:
        accepted = _accepted(recordings)
        return accepted.filter(pl.col("layout").is_in(layouts)).height, accepted.height

    return count


def _accepted(recordings: pl.DataFrame) -> pl.DataFrame:
    return recordings.filter(pl.col("outcome") == "accepted")


# --- acoustics
def _segments_outside(segments: pl.DataFrame, recordings: pl.DataFrame) -> Count:
    both = segments.join(recordings.select("interaction_id", "duration_s"), on="interaction_id", how="left")
    start, end, duration = pl.col("start_s"), pl.col("end_s"), pl.col("duration_s")
    inside = (start >= 0) & (start <= end) & (end <= duration + TIME_TOLERANCE_S)
    return both.filter(~inside.fill_null(False)).height, segments.height


def _segments_overlapping(segments: pl.DataFrame) -> Count:
    channel = ["interaction_id", "audio_channel", "kind"]
    ordered = segments.sort(*channel, "start_s", "end_s")
    before = pl.col("end_s").cum_max().shift(1).over(channel)
    return ordered.filter(pl.col("start_s") < before - 0.001).height, segments.height


def _recordings_not_measured(measurements: pl.DataFrame, recordings: pl.DataFrame) -> Count:
    accepted = _accepted(recordings)
    lost = accepted.join(measurements, on="interaction_id", how="anti").height
    silent_failures = measurements.filter((pl.col("outcome") == "failed") & pl.col("reason").is_null()).height
    return lost + silent_failures, accepted.height


def _channels_clipped(channels: pl.DataFrame) -> Count:
    return channels.filter(pl.col("clipping_ratio") > CLIPPED_RATIO).height, channels.height


# --- transcripts
def _recordings_not_transcribed(
    recognitions: pl.DataFrame,
    recordings: pl.DataFrame,
    interactions: pl.DataFrame,
    supplied: pl.DataFrame,
    measurements: pl.DataFrame,
) -> Count:
    opted_out = interactions.filter(pl.col("consent") == False)  # noqa: E712
    unmeasured = measurements.filter(pl.col("outcome") == "failed")
    wanted = _accepted(recordings)
    for excused in (opted_out, supplied, unmeasured):
        wanted = wanted.join(excused, on="interaction_id", how="anti")
    lost = wanted.join(recognitions, on="interaction_id", how="anti").height
    silent_failures = recognitions.filter((pl.col("outcome") == "failed") & pl.col("detail").is_null()).height
    return lost + silent_failures, wanted.height


def _words_outside_speech(words: pl.DataFrame, segments: pl.DataFrame) -> Count:
    """Words whose middle lies more than WORD_TOLERANCE_S away from all speech of their channel."""
    channel = ["interaction_id", "audio_channel"]
    speech = (
        segments.filter(pl.col("kind") == "speech")
        .select(
            *channel,
            (pl.col("start_s") - WORD_TOLERANCE_S).alias("from_s"),
            pl.col("end_s") + WORD_TOLERANCE_S,
        )
        .sort("from_s")
        .with_columns(pl.col("end_s").cum_max().over(channel).alias("until_s"))
        .select(*channel, "from_s", "until_s")
    )
    middles = words.select(*channel, ((pl.col("start_s") + pl.col("end_s")) / 2).alias("middle_s")).sort("middle_s")
    nearest = middles.join_asof(
        speech, left_on="middle_s", right_on="from_s", by=channel, strategy="backward", check_sortedness=False
    )
    inside = (pl.col("middle_s") <= pl.col("until_s")).fill_null(False)
    return nearest.filter(~inside).height, words.height


def _texts_leaking(column: str) -> Callable[[pl.DataFrame], Count]:
    def count(frame: pl.DataFrame) -> Count:
        return _leaks(frame[column])

    return count


def _words_leaking(words: pl.DataFrame) -> Count:
    """Channels in which a number is left, also one that is spread over several words."""
    ordered = words.sort("interaction_id", "audio_channel", "word_index")
    channels = ordered.group_by("interaction_id", "audio_channel", maintain_order=True)
    return _leaks(channels.agg(pl.col("word").str.strip_chars().str.join(" "))["word"])


def _leaks(texts: pl.Series) -> Count:
    texts = texts.drop_nulls()
    suspects = texts.filter(texts.str.contains(CARD_CANDIDATE) | texts.str.contains(SSN_CANDIDATE))
    return sum(1 for text in suspects if holds_card(text) or holds_ssn(text)), texts.len()


def _recognitions_uncertain(recognitions: pl.DataFrame) -> Count:
    heard = recognitions.filter(pl.col("outcome") == "transcribed")
    return heard.filter(pl.col("asr_confidence") < LOW_CONFIDENCE).height, heard.height


def _paces_implausible(recognitions: pl.DataFrame) -> Count:
    heard = recognitions.filter((pl.col("outcome") == "transcribed") & (pl.col("speech_s") >= SHORTEST_FOR_PACE_S))
    pace = pl.col("n_words") / (pl.col("speech_s") / 60)
    return heard.filter(~pace.is_between(*WORDS_PER_MIN)).height, heard.height


def _voices_without_speaker(speakers: pl.DataFrame, voices: pl.DataFrame) -> Count:
    key = ["interaction_id", "audio_channel", "speaker"]
    lost = voices.join(speakers, on=key, how="anti").height
    strangers = speakers.join(voices, on=key, how="anti").height
    unexplained = speakers.filter(pl.col("party").is_null() != (pl.col("source") == "unknown")).height
    # a party has one voice, and the other party the other one
    named = speakers.filter(pl.col("party").is_not_null())
    shared = named.height - named.select("interaction_id", "party").n_unique()
    return lost + strangers + unexplained + shared, voices.height


def _channels_swapped(speakers: pl.DataFrame) -> Count:
    swapped = (pl.col("source") == "corrected") | (
        (pl.col("source") == "supplied") & (pl.col("confidence") < SWAPPED_CONFIDENCE)
    )
    return _interactions(speakers.filter(swapped)), _interactions(speakers)


def _speakers_unknown(speakers: pl.DataFrame) -> Count:
    return _interactions(speakers.filter(pl.col("party").is_null())), _interactions(speakers)


def _interactions(frame: pl.DataFrame) -> int:
    return frame["interaction_id"].n_unique()


# --- conversation
def _ends_before_start(frame: pl.DataFrame) -> Count:
    timed = frame.filter(pl.col("start_s").is_not_null() | pl.col("end_s").is_not_null())
    return timed.filter(~(pl.col("end_s") >= pl.col("start_s")).fill_null(False)).height, timed.height


def _turns_not_longer_than_zero(turns: pl.DataFrame) -> Count:
    return turns.filter(~(pl.col("end_s") > pl.col("start_s")).fill_null(False)).height, turns.height


def _conversations_out_of_balance(measures: pl.DataFrame) -> Count:
    """Talk of both + silence - overlap against the conversation, where all five were measured."""
    parts = {
        "agent_s": ("talk_s", "agent"),
        "customer_s": ("talk_s", "customer"),
        "overlap_ratio": ("overlap_ratio", "call"),
        "silence_ratio": ("silence_ratio", "call"),
        "conversation_s": ("conversation_s", "call"),
    }
    wide = measures.group_by("interaction_id").agg(
        pl.col("value").filter((pl.col("metric") == metric) & (pl.col("party") == party)).first().alias(name)
        for name, (metric, party) in parts.items()
    )
    whole = wide.drop_nulls()
    total = pl.col("conversation_s")
    parts_s = pl.col("agent_s") + pl.col("customer_s") + (pl.col("silence_ratio") - pl.col("overlap_ratio")) * total
    allowed = pl.max_horizontal(pl.lit(BALANCE_TOLERANCE_S), 0.005 * total)
    return whole.filter(~((parts_s - total).abs() <= allowed).fill_null(False)).height, whole.height


# --- metrics
def _metrics_missing_or_twice(metrics: pl.DataFrame, outcomes: pl.DataFrame) -> Count:
    pairs = pl.DataFrame(
        MEASURED,
        schema={"metric": pl.String, "party": pl.String},
        orient="row",
    )
    key = ["interaction_id", "metric", "party"]
    read = outcomes.filter(pl.col("outcome") != "quarantined").select("interaction_id")
    expected = read.join(pairs, how="cross")
    missing = expected.join(metrics, on=key, how="anti").height
    unexpected = metrics.join(pairs, on=["metric", "party"], how="anti").height
    unread = metrics.join(outcomes, on="interaction_id", how="anti").height
    twice = metrics.height - metrics.select(key).n_unique()
    return missing + unexpected + unread + twice, expected.height


def _values_out_of_range(metrics: pl.DataFrame) -> Count:
    ranges = pl.DataFrame(
        [(m.id, m.at_least, m.at_most) for m in METRICS.values()],
        schema={"metric": pl.String, "low": pl.Float64, "high": pl.Float64},
        orient="row",
    )
    valued = metrics.filter(pl.col("value").is_not_null()).join(ranges, on="metric", how="left")
    slack = 1e-9
    low, high = pl.col("low").fill_null(float("-inf")) - slack, pl.col("high").fill_null(float("inf")) + slack
    fits = pl.col("value").is_finite() & (pl.col("value") >= low) & (pl.col("value") <= high)
    return valued.filter(~fits).height, valued.height


def _metrics_mostly_null(metrics: pl.DataFrame, outcomes: pl.DataFrame) -> Count:
    """Metrics (by party) that could not be measured in more than half of the eligible interactions."""
    eligible = outcomes.filter(pl.col("outcome") == "eligible")
    asked = metrics.join(eligible, on="interaction_id", how="semi").filter(
        pl.col("reason").is_null() | ~pl.col("reason").is_in(NATURAL_REASONS)
    )
    by_metric = asked.group_by("metric", "party").agg(
        pl.len().alias("n"), pl.col("value").is_null().mean().alias("null_ratio")
    )
    counted = by_metric.filter(pl.col("n") >= FEWEST_FOR_NULL_RATIO)
    return counted.filter(pl.col("null_ratio") > MOST_NULL_RATIO).height, counted.height


def _interactions_without_outcome(outcomes: pl.DataFrame, interactions: pl.DataFrame) -> Count:
    lost = interactions.join(outcomes, on="interaction_id", how="anti").height
    strangers = outcomes.join(interactions, on="interaction_id", how="anti").height
    twice = outcomes.height - outcomes["interaction_id"].n_unique()
    known = outcomes.filter(pl.col("outcome").is_in(("eligible", "excluded", "quarantined"))).height
    return lost + strangers + twice + outcomes.height - known, interactions.height


def _outcomes_unexplained(outcomes: pl.DataFrame) -> Count:
    explained = (pl.col("outcome") == "eligible") == pl.col("reason").is_null()
    return outcomes.filter(~explained.fill_null(False)).height, outcomes.height


# --- calibration
def _reviews(ratings: pl.DataFrame) -> pl.DataFrame:
    people = ratings.filter(~pl.col("is_machine"))
    return people.select(*calibration.RATINGS.key, "rating", "max_rating", "is_expert")


def _ratings_not_given(ratings: pl.DataFrame, reviews: pl.DataFrame) -> Count:
    people = _reviews(ratings)
    given = reviews.filter(~pl.col("not_applicable"))
    return people.join(given, on=people.columns, how="anti").height, people.height


def _reviews_not_compared(ratings: pl.DataFrame, reviews: pl.DataFrame) -> Count:
    given = reviews.filter(~pl.col("not_applicable"))
    return given.join(_reviews(ratings), on=list(calibration.RATINGS.key), how="anti").height, given.height


def _machine_not_once(ratings: pl.DataFrame) -> Count:
    unit = ["session_id", "interaction_id", "parameter"]
    counted = ratings.group_by(unit).agg(pl.col("is_machine").sum())
    return counted.filter(pl.col("is_machine") != 1).height, counted.height


def _sessions_not_of_their_ratings(sessions: pl.DataFrame, ratings: pl.DataFrame) -> Count:
    unit = ["session_id", "interaction_id", "parameter"]
    counted = (
        ratings.filter(~pl.col("is_machine"))
        .group_by(unit)
        .agg(pl.len().cast(pl.Int64).alias("n"), pl.min("points").alias("from"), pl.max("points").alias("to"))
    )
    both = sessions.join(counted, on=unit, how="full", coalesce=True)
    same = (pl.col("n_raters") == pl.col("n")) & (pl.col("lowest") == pl.col("from"))
    same &= pl.col("highest") == pl.col("to")
    return both.filter(~same.fill_null(False)).height, sessions.height


def _values_outside_their_interval(value: str, low: str, high: str) -> Callable[[pl.DataFrame], Count]:
    def count(frame: pl.DataFrame) -> Count:
        given = frame.filter(pl.col(low).is_not_null() | pl.col(high).is_not_null())
        inside = (pl.col(low) <= pl.col(value) + 1e-6) & (pl.col(value) <= pl.col(high) + 1e-6)
        return given.filter(~inside.fill_null(False)).height, given.height

    return count


def _severe_and_lenient(raters: pl.DataFrame) -> Count:
    judged = raters.filter(pl.col("is_severe").is_not_null())
    known = pl.col("bias").is_not_null() & ~(pl.col("is_severe") & pl.col("is_lenient"))
    return judged.filter(~known.fill_null(False)).height, judged.height


def _parameters_not_agreed_on(agreement: pl.DataFrame) -> Count:
    """Parameters on which people surely disagree: the whole interval of alpha lies below the limit."""
    alphas = agreement.filter(
        (pl.col("statistic") == "krippendorff_alpha") & (pl.col("panel") == "reviewers") & (pl.col("period") == "all")
    ).filter(pl.col("high").is_not_null())
    return alphas.filter(pl.col("high") < LOWEST_ALPHA).height, alphas.height


_NO_NUMBER = ("no_card_or_ssn_pattern_is_left", "card numbers and social security numbers are redacted")
_IN_RANGE = ("values_are_in_the_metric_range", "every value is finite and in the range of its metric")
_BALANCE = (
    "talk_plus_silence_less_overlap_is_the_conversation",
    "agent's and customer's talk + silence - overlap = conversation, within 0.1 s or 0.5 %",
)


def _no_number(table: Table, column: str) -> Check:
    return Check(_NO_NUMBER[0], table, _NO_NUMBER[1], _texts_leaking(column))


def _in_range(table: Table) -> Check:
    return Check(_IN_RANGE[0], table, _IN_RANGE[1], _values_out_of_range)


CHECKS: tuple[Check, ...] = (
    Check(
        "every_row_is_accepted_or_rejected",
        landing.FILES,
        "rows read = rows accepted + rows rejected, in every file",
        _rows_not_accounted_for,
    ),
    Check(
        "every_rejected_row_is_kept_with_its_reason",
        landing.FILES,
        "as many rows in landing/rejects as each file counts",
        _rejects_not_kept,
        (landing.REJECTS,),
    ),
    Check(
        "agents_are_known",
        landing.INTERACTIONS,
        "every agent is in the list of agents, where one was delivered",
        _agents_not_listed,
        (landing.AGENTS,),
        blocking=False,
    ),
    _no_number(landing.INTERACTIONS, "extra"),
    _no_number(landing.TRANSCRIPTS, "text"),
    _no_number(landing.MESSAGES, "text"),
    _no_number(landing.SURVEYS, "comment"),
    Check(
        "every_recording_is_accepted_or_quarantined",
        RECORDINGS,
        "one row for every recording that an interaction names: accepted, or in quarantine with a reason",
        _recordings_not_accounted_for,
        (landing.INTERACTIONS,),
    ),
    Check(
        "decoded_duration_is_the_claimed_one",
        RECORDINGS,
        "within 0.5 s or 1 % of what the header claims",
        _durations_not_claimed,
    ),
    Check(
        "recordings_are_not_mono",
        RECORDINGS,
        "an audio channel for each party",
        _layout_is("mono"),
        blocking=False,
    ),
    Check(
        "recordings_are_not_dual_mono",
        RECORDINGS,
        "different sound on both audio channels",
        _layout_is("dual_mono"),
        blocking=False,
    ),
    Check(
        "recordings_have_sound_on_both_channels",
        RECORDINGS,
        "sound on both audio channels",
        _layout_is("one_sided", "silent"),
        blocking=False,
    ),
    Check(
        "segments_lie_inside_the_recording",
        acoustics.SEGMENTS,
        "0 <= start <= end <= duration",
        _segments_outside,
        (RECORDINGS,),
    ),
    Check(
        "segments_do_not_overlap_within_a_channel",
        acoustics.SEGMENTS,
        "a segment starts after those of its kind before it have ended",
        _segments_overlapping,
    ),
    Check(
        "every_accepted_recording_is_measured_or_has_a_reason",
        acoustics.MEASUREMENTS,
        "one row for every accepted recording, failed ones with a reason",
        _recordings_not_measured,
        (RECORDINGS,),
    ),
    Check(
        "channels_are_not_clipped",
        acoustics.VOICES,
        "at most 0.1 % of the samples at full scale",
        _channels_clipped,
        blocking=False,
    ),
    Check(
        "every_accepted_recording_is_transcribed_or_has_a_reason",
        transcripts.RECOGNITIONS,
        "recognised, or a transcript was supplied, or the reason why not is on a row",
        _recordings_not_transcribed,
        (RECORDINGS, landing.INTERACTIONS, landing.TRANSCRIPTS, acoustics.MEASUREMENTS),
    ),
    Check(
        "recognition_is_confident",
        transcripts.RECOGNITIONS,
        "mean word probability of at least 0.5",
        _recognitions_uncertain,
        blocking=False,
    ),
    Check(
        "words_per_minute_are_plausible",
        transcripts.RECOGNITIONS,
        "40 to 300 words per minute of speech, where there are 10 s of it",
        _paces_implausible,
        blocking=False,
    ),
    Check(
        "words_lie_inside_speech",
        transcripts.WORDS,
        "no word further than 1 s from speech of its channel",
        _words_outside_speech,
        (acoustics.SEGMENTS,),
    ),
    Check(_NO_NUMBER[0], transcripts.WORDS, _NO_NUMBER[1], _words_leaking),
    Check(
        "every_voice_is_somebodys_or_unknown",
        transcripts.SPEAKERS,
        "one row per voice; a party unless it is unknown, and each party has one voice",
        _voices_without_speaker,
        (acoustics.VOICES,),
    ),
    Check(
        "channels_are_not_swapped",
        transcripts.SPEAKERS,
        "the words agree with the agent's channel (where none was supplied, swapped ones are corrected)",
        _channels_swapped,
        blocking=False,
    ),
    Check(
        "speakers_are_told_apart",
        transcripts.SPEAKERS,
        "agent and customer are known",
        _speakers_unknown,
        blocking=False,
    ),
    _no_number(transcripts.UTTERANCES, "text"),
    Check(
        "turns_end_after_they_start",
        conversation.TURNS,
        "end > start",
        _turns_not_longer_than_zero,
    ),
    Check(
        "events_do_not_end_before_they_start",
        conversation.EVENTS,
        "end >= start, where the event has times",
        _ends_before_start,
    ),
    _no_number(conversation.EVENTS, "evidence"),
    Check(_BALANCE[0], conversation.MEASURES, _BALANCE[1], _conversations_out_of_balance),
    _in_range(conversation.MEASURES),
    _no_number(language.EVENTS, "evidence"),
    _no_number(language.ISSUE_TYPES, "evidence"),
    _no_number(language.KEYWORDS, "keyword"),
    _in_range(language.MEASURES),
    Check(
        "every_metric_has_one_row_per_party",
        INTERACTION_METRICS,
        "one row per metric and party for every interaction that was read, and no other row",
        _metrics_missing_or_twice,
        (OUTCOMES,),
    ),
    _in_range(INTERACTION_METRICS),
    Check(_BALANCE[0], INTERACTION_METRICS, _BALANCE[1], _conversations_out_of_balance),
    Check(
        "metrics_are_measured_in_most_interactions",
        INTERACTION_METRICS,
        "no metric is NULL in more than half of the eligible interactions",
        _metrics_mostly_null,
        (OUTCOMES,),
        blocking=False,
    ),
    Check(
        "received_is_eligible_plus_excluded_plus_quarantined",
        OUTCOMES,
        "exactly one outcome for every interaction that came in",
        _interactions_without_outcome,
        (landing.INTERACTIONS,),
    ),
    Check(
        "every_interaction_that_is_not_eligible_has_a_reason",
        OUTCOMES,
        "a reason where, and only where, the interaction is not eligible",
        _outcomes_unexplained,
    ),
    Check(
        "every_rating_was_given_by_a_person_or_is_the_machines",
        calibration.RATINGS,
        "each person's rating is an applicable row of landing/reviews, unchanged",
        _ratings_not_given,
        (landing.REVIEWS,),
    ),
    Check(
        "every_review_is_compared",
        calibration.RATINGS,
        "no applicable review waits for the day of its interaction to be run",
        _reviews_not_compared,
        (landing.REVIEWS,),
        blocking=False,
    ),
    Check(
        "the_machine_is_one_more_rater_of_everything_that_was_rated",
        calibration.RATINGS,
        "one row of the machine per session, interaction and parameter, with or without a score",
        _machine_not_once,
    ),
    Check(
        "sessions_are_made_of_their_ratings",
        calibration.SESSIONS,
        "number of raters, lowest and highest rating are those of calibration/ratings",
        _sessions_not_of_their_ratings,
        (calibration.RATINGS,),
    ),
    Check(
        "intervals_hold_their_value",
        calibration.AGREEMENT,
        "low <= value <= high",
        _values_outside_their_interval("value", "low", "high"),
    ),
    Check(
        "raters_agree_on_every_parameter",
        calibration.AGREEMENT,
        "Krippendorff's alpha of the people is not surely below .667, for any parameter",
        _parameters_not_agreed_on,
        blocking=False,
    ),
    Check(
        "intervals_hold_their_value",
        calibration.RATERS,
        "low <= bias <= high",
        _values_outside_their_interval("bias", "bias_low", "bias_high"),
    ),
    Check(
        "nobody_is_severe_and_lenient",
        calibration.RATERS,
        "a judgement of the level needs a bias, and is one of the two at the most",
        _severe_and_lenient,
    ),
)

"""What must be true of each stage beyond its contract: one pure count per check, over frames in their contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl

from pipelines.contracts import Table, acoustics, all_tables, calibration, conversation, landing, language, transcripts
from pipelines.contracts.metrics import INTERACTION_METRICS, MEASURED, METRICS, OUTCOMES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.quality import drift
from pipelines.quality.contracts import contract_checks
from pipelines.quality.leaks import CARD_CANDIDATE, SSN_CANDIDATE, holds_card, holds_ssn
from pipelines.quality.limits import read_limits
from pipelines.quality.outcomes import CheckOutcome, outcome

# A NULL for one of these reasons tells nothing about the quality of measuring.
NATURAL_REASONS = ("no_event", "not_applicable_to_call_type", "not_supplied", "no_audio")

# Failing and total rows; a check on a whole day adds its figures in words (medians and shares, no one's value).
Count = tuple[int, int] | tuple[int, int, str]
Digest = Callable[[pl.DataFrame], pl.DataFrame]


def _nothing_earlier(table: Table, digest: Digest) -> Sequence[pl.DataFrame]:
    return ()


@dataclass(frozen=True)
class Around:
    """What a check may know beside the frames of its day.

    `limits` are the rows of seeds/check_limits.csv, `now` is UTC, `before` the partitions that are about to be
    replaced, and `earlier(table, digest)` gives the digest of each earlier day within drift_days that the lake holds.
    """

    limits: Mapping[str, float] = field(default_factory=read_limits)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    before: Mapping[Table, pl.DataFrame] = field(default_factory=dict)
    earlier: Callable[[Table, Digest], Sequence[pl.DataFrame]] = _nothing_earlier


@dataclass(frozen=True)
class Check:
    """One check: `count` gets the frames of `table` and of `reads`, in order, and returns (failing, total).

    Where it `looks_around`, an Around comes last. `meaning` names limits in braces.
    """

    name: str
    table: Table
    meaning: str
    count: Callable[..., Count]
    reads: tuple[Table, ...] = ()
    blocking: bool = True
    looks_around: bool = False


def domain_outcomes(
    frames: Mapping[Table, pl.DataFrame],
    day: date | None,
    prints: Mapping[str, str],
    around: Around | None = None,
) -> list[CheckOutcome]:
    """Outcomes of all domain checks of the tables in `prints` (table name -> fingerprint of the partition).

    `frames` holds these tables and those that the checks compare them with (`tables_read`), of the same day; `around`
    is what else they may know (by default: the shipped limits, and no other day).
    Raises KeyError naming a frame that is missing.
    """
    around = around or Around()
    found = []
    for check in CHECKS:
        if check.table.name not in prints:
            continue
        missing = [t.name for t in (check.table, *check.reads) if t not in frames]
        if missing:
            raise KeyError(f"{check.name} needs the frames of {', '.join(missing)}")
        frame = frames[check.table]
        try:
            reads = [frames[t] for t in check.reads]
            failing, total, *told = check.count(frame, *reads, *([around] if check.looks_around else []))
            passed = failing == 0
            detail = (
                "" if passed else f"expected: {check.meaning.format_map(around.limits)}; {failing} of {total} break it"
            )
            detail += f" ({'; '.join(told)})" if told and not passed else ""
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


def _campaigns(interactions: pl.DataFrame) -> pl.DataFrame:
    return interactions.select("campaign").drop_nulls().unique()


def _campaigns_new(interactions: pl.DataFrame, around: Around) -> Count:
    """Interactions of a campaign that none of the earlier days had; silent until enough of them had any."""
    days = [known for known in around.earlier(landing.INTERACTIONS, _campaigns) if known.height]
    named = interactions.filter(pl.col("campaign").is_not_null())
    if len(days) < around.limits["drift_days_at_least"]:
        return 0, named.height
    return named.join(pl.concat(days), on="campaign", how="anti").height, named.height


def _came_late(interactions: pl.DataFrame, around: Around) -> Count:
    """Interactions that the partition of their day did not hold before, though the day was over long ago."""
    before = around.before.get(landing.INTERACTIONS)
    if before is None or before.is_empty():
        return 0, interactions.height
    over = pl.col("call_date") < (around.now - timedelta(days=around.limits["late_days"])).date()
    return interactions.join(before, on="interaction_id", how="anti").filter(over).height, interactions.height


def _clocks_wrong(interactions: pl.DataFrame, around: Around) -> Count:
    """Starts in the future, and ends and transfers before the start."""
    soon = around.now + timedelta(seconds=around.limits["clock_ahead_s"])
    timed = interactions.filter(pl.col("started_at").is_not_null())
    wrong = pl.col("started_at") > soon
    for later in ("ended_at", "transferred_at"):
        wrong |= (pl.col(later) < pl.col("started_at")).fill_null(False)
    return timed.filter(wrong).height, timed.height


def _messages_going_back(messages: pl.DataFrame) -> Count:
    timed = messages.filter(pl.col("sent_at").is_not_null()).sort("interaction_id", "seq")
    before = pl.col("sent_at").shift(1).over("interaction_id")
    return timed.filter(pl.col("sent_at") < before).height, timed.height


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


def _durations_not_claimed(recordings: pl.DataFrame, around: Around) -> Count:
    claimed = _accepted(recordings).filter(pl.col("claimed_duration_s").is_not_null())
    of_it = around.limits["duration_off_ratio"] * pl.col("claimed_duration_s")
    allowed = pl.max_horizontal(pl.lit(around.limits["duration_off_s"]), of_it)
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
def _segments_outside(segments: pl.DataFrame, recordings: pl.DataFrame, around: Around) -> Count:
    both = segments.join(recordings.select("interaction_id", "duration_s"), on="interaction_id", how="left")
    start, end, duration = pl.col("start_s"), pl.col("end_s"), pl.col("duration_s")
    inside = (start >= 0) & (start <= end) & (end <= duration + around.limits["time_off_s"])
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


def _above(column: str, limit: str) -> Callable[[pl.DataFrame, Around], Count]:
    def count(frame: pl.DataFrame, around: Around) -> Count:
        return frame.filter(pl.col(column) > around.limits[limit]).height, frame.height

    return count


def _drifting(
    table: Table,
    values: Callable[[pl.DataFrame], pl.DataFrame],
    drifts: Callable[..., pl.DataFrame] = drift.median_drift,
) -> Callable[[pl.DataFrame, Around], Count]:
    """Series of a day that are unlike the days before it; `values` gives the columns series and value."""

    def of_day(frame: pl.DataFrame) -> pl.DataFrame:
        return drift.digest(values(frame))

    def count(frame: pl.DataFrame, around: Around) -> Count:
        found = drifts(of_day(frame), around.earlier(table, of_day), around.limits)
        return found["drifts"].sum(), found.height, drift.figures(found)

    return count


def _levels(voices: pl.DataFrame) -> pl.DataFrame:
    columns = ["level_dbfs", "snr_db"]
    return voices.unpivot(columns, variable_name="series", value_name="value").drop_nulls("value")


def _confidences(recognitions: pl.DataFrame) -> pl.DataFrame:
    heard = recognitions.filter(pl.col("outcome") == "transcribed")
    return heard.select(pl.lit("asr_confidence").alias("series"), pl.col("asr_confidence").alias("value"))


def _by_metric(metrics: pl.DataFrame) -> pl.DataFrame:
    return metrics.select(pl.format("{} {}", "party", "metric").alias("series"), "value")


def _asked_by_metric(metrics: pl.DataFrame) -> pl.DataFrame:
    """Without the NULLs that say nothing about the quality of measuring."""
    return _by_metric(metrics.filter(pl.col("reason").is_null() | ~pl.col("reason").is_in(NATURAL_REASONS)))


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


def _words_outside_speech(words: pl.DataFrame, segments: pl.DataFrame, around: Around) -> Count:
    """Words whose middle lies more than word_off_s away from all speech of their channel."""
    off_s = around.limits["word_off_s"]
    channel = ["interaction_id", "audio_channel"]
    speech = (
        segments.filter(pl.col("kind") == "speech")
        .select(
            *channel,
            (pl.col("start_s") - off_s).alias("from_s"),
            pl.col("end_s") + off_s,
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


def _recognitions_below(confidence: str) -> Callable[[pl.DataFrame, Around], Count]:
    def count(recognitions: pl.DataFrame, around: Around) -> Count:
        heard = recognitions.filter(pl.col("outcome") == "transcribed")
        return heard.filter(pl.col(confidence) < around.limits[confidence]).height, heard.height

    return count


def _paces_implausible(recognitions: pl.DataFrame, around: Around) -> Count:
    long_enough = pl.col("speech_s") >= around.limits["pace_speech_s"]
    heard = recognitions.filter((pl.col("outcome") == "transcribed") & long_enough)
    pace = pl.col("n_words") / (pl.col("speech_s") / 60)
    usual = pace.is_between(around.limits["words_per_min_low"], around.limits["words_per_min_high"])
    return heard.filter(~usual).height, heard.height


def _voices_without_speaker(speakers: pl.DataFrame, voices: pl.DataFrame) -> Count:
    key = ["interaction_id", "audio_channel", "speaker"]
    lost = voices.join(speakers, on=key, how="anti").height
    strangers = speakers.join(voices, on=key, how="anti").height
    unexplained = speakers.filter(pl.col("party").is_null() != (pl.col("source") == "unknown")).height
    # a party has one voice, and the other party the other one
    named = speakers.filter(pl.col("party").is_not_null())
    shared = named.height - named.select("interaction_id", "party").n_unique()
    return lost + strangers + unexplained + shared, voices.height


def _channels_swapped(speakers: pl.DataFrame, around: Around) -> Count:
    contradicted = pl.col("confidence") < around.limits["swapped_confidence"]
    swapped = (pl.col("source") == "corrected") | ((pl.col("source") == "supplied") & contradicted)
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


def _turns_outside(turns: pl.DataFrame, recordings: pl.DataFrame, supplied: pl.DataFrame, around: Around) -> Count:
    """Turns that end after their recording; times of a supplied transcript are the telephony platform's."""
    heard = turns.join(supplied, on="interaction_id", how="anti")
    both = heard.join(recordings.select("interaction_id", "duration_s"), on="interaction_id", how="left")
    inside = (pl.col("start_s") >= 0) & (pl.col("end_s") <= pl.col("duration_s") + around.limits["time_off_s"])
    return both.filter(~inside.fill_null(False)).height, heard.height


def _not_one_row_per_party(measures: pl.DataFrame, turns: pl.DataFrame) -> Count:
    """Metrics of a conversation without a row for each of their parties, and conversations without any."""
    pairs = pl.DataFrame(
        [(m.id, party, len(m.parties)) for m in METRICS.values() for party in m.parties],
        schema={"metric": pl.String, "party": pl.String, "parties": pl.Int64},
        orient="row",
    )
    counted = (
        measures.join(pairs, on=["metric", "party"], how="left")
        .group_by("interaction_id", "metric")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            pl.col("party").n_unique().cast(pl.Int64).alias("different"),
            pl.col("parties").min(),
            pl.col("parties").is_null().any().alias("is_strange"),
        )
    )
    once = (pl.col("n") == pl.col("parties")) & (pl.col("different") == pl.col("parties")) & ~pl.col("is_strange")
    unmeasured = turns.join(measures, on="interaction_id", how="anti")
    return counted.filter(~once.fill_null(False)).height + _interactions(unmeasured), counted.height


def _conversations_out_of_balance(measures: pl.DataFrame, around: Around) -> Count:
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
    allowed = pl.max_horizontal(pl.lit(around.limits["balance_off_s"]), around.limits["balance_off_ratio"] * total)
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


def _metrics_mostly_null(metrics: pl.DataFrame, outcomes: pl.DataFrame, around: Around) -> Count:
    """Metrics (by party) that could not be measured in more than null_ratio of the eligible interactions."""
    eligible = outcomes.filter(pl.col("outcome") == "eligible")
    asked = metrics.join(eligible, on="interaction_id", how="semi").filter(
        pl.col("reason").is_null() | ~pl.col("reason").is_in(NATURAL_REASONS)
    )
    by_metric = asked.group_by("metric", "party").agg(
        pl.len().alias("n"), pl.col("value").is_null().mean().alias("null_ratio")
    )
    counted = by_metric.filter(pl.col("n") >= around.limits["null_interactions"])
    return counted.filter(pl.col("null_ratio") > around.limits["null_ratio"]).height, counted.height


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


def _parameters_not_agreed_on(agreement: pl.DataFrame, around: Around) -> Count:
    """Parameters on which people surely disagree: the whole interval of alpha lies below the limit."""
    alphas = agreement.filter(
        (pl.col("statistic") == "krippendorff_alpha") & (pl.col("panel") == "reviewers") & (pl.col("period") == "all")
    ).filter(pl.col("high").is_not_null())
    return alphas.filter(pl.col("high") < around.limits["alpha"]).height, alphas.height


_NO_NUMBER = ("no_card_or_ssn_pattern_is_left", "card numbers and social security numbers are redacted")
_IN_RANGE = ("values_are_in_the_metric_range", "every value is finite and in the range of its metric")
_BALANCE = (
    "talk_plus_silence_less_overlap_is_the_conversation",
    "agent's and customer's talk + silence - overlap = conversation, "
    "within {balance_off_s:g} s or {balance_off_ratio:.1%}",
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
    Check(
        "campaigns_are_known",
        landing.INTERACTIONS,
        "every campaign occurred in the days before, where there are enough of them",
        _campaigns_new,
        blocking=False,
        looks_around=True,
    ),
    Check(
        "interactions_come_in_time",
        landing.INTERACTIONS,
        "nothing came more than {late_days:g} days after its day, for a day that had been read before",
        _came_late,
        blocking=False,
        looks_around=True,
    ),
    Check(
        "clocks_are_right",
        landing.INTERACTIONS,
        "no start in the future, no end and no transfer before the start",
        _clocks_wrong,
        blocking=False,
        looks_around=True,
    ),
    Check(
        "messages_are_sent_one_after_the_other",
        landing.MESSAGES,
        "no message was sent before the one that it follows",
        _messages_going_back,
        blocking=False,
    ),
    _no_number(landing.INTERACTIONS, "extra"),
    _no_number(landing.TRANSCRIPTS, "text"),
    _no_number(landing.MESSAGES, "text"),
    _no_number(landing.SURVEYS, "comment"),
    _no_number(landing.REVIEWS, "comment"),
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
        "within {duration_off_s:g} s or {duration_off_ratio:.1%} of what the header claims",
        _durations_not_claimed,
        looks_around=True,
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
        looks_around=True,
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
        "at most {clipping_ratio:.1%} of the samples at full scale",
        _above("clipping_ratio", "clipping_ratio"),
        blocking=False,
        looks_around=True,
    ),
    Check(
        "channels_do_not_bleed",
        acoustics.VOICES,
        "the other party is not heard on a channel louder than {leak_db:g} dB",
        _above("leak_db", "leak_db"),
        blocking=False,
        looks_around=True,
    ),
    Check(
        "levels_are_those_of_the_days_before",
        acoustics.VOICES,
        "the day's median level and signal to noise are like those of the last {drift_days:g} days",
        _drifting(acoustics.VOICES, _levels),
        blocking=False,
        looks_around=True,
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
        "mean word probability of at least {asr_confidence:g}",
        _recognitions_below("asr_confidence"),
        blocking=False,
        looks_around=True,
    ),
    Check(
        "languages_are_heard_surely",
        transcripts.RECOGNITIONS,
        "the language that was heard has a probability of at least {language_confidence:g}",
        _recognitions_below("language_confidence"),
        blocking=False,
        looks_around=True,
    ),
    Check(
        "recognition_is_as_confident_as_in_the_days_before",
        transcripts.RECOGNITIONS,
        "the day's median confidence is like that of the last {drift_days:g} days",
        _drifting(transcripts.RECOGNITIONS, _confidences),
        blocking=False,
        looks_around=True,
    ),
    Check(
        "words_per_minute_are_plausible",
        transcripts.RECOGNITIONS,
        "{words_per_min_low:g} to {words_per_min_high:g} words per minute, where speech lasts {pace_speech_s:g} s",
        _paces_implausible,
        blocking=False,
        looks_around=True,
    ),
    Check(
        "words_lie_inside_speech",
        transcripts.WORDS,
        "no word further than {word_off_s:g} s from speech of its channel",
        _words_outside_speech,
        (acoustics.SEGMENTS,),
        looks_around=True,
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
        looks_around=True,
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
        "turns_lie_inside_the_recording",
        conversation.TURNS,
        "0 <= start, end <= duration, unless the times were supplied",
        _turns_outside,
        (RECORDINGS, landing.TRANSCRIPTS),
        looks_around=True,
    ),
    Check(
        "every_conversation_has_one_row_per_party",
        conversation.MEASURES,
        "each metric has a row for each of its parties, and each conversation with turns has metrics",
        _not_one_row_per_party,
        (conversation.TURNS,),
    ),
    Check(
        "events_do_not_end_before_they_start",
        conversation.EVENTS,
        "end >= start, where the event has times",
        _ends_before_start,
    ),
    _no_number(conversation.EVENTS, "evidence"),
    Check(_BALANCE[0], conversation.MEASURES, _BALANCE[1], _conversations_out_of_balance, looks_around=True),
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
    Check(_BALANCE[0], INTERACTION_METRICS, _BALANCE[1], _conversations_out_of_balance, looks_around=True),
    Check(
        "metrics_are_measured_in_most_interactions",
        INTERACTION_METRICS,
        "no metric is NULL in more than {null_ratio:.0%} of the eligible interactions",
        _metrics_mostly_null,
        (OUTCOMES,),
        blocking=False,
        looks_around=True,
    ),
    Check(
        "values_are_those_of_the_days_before",
        INTERACTION_METRICS,
        "each metric's median is like those of the last {drift_days:g} days",
        _drifting(INTERACTION_METRICS, _by_metric),
        blocking=False,
        looks_around=True,
    ),
    Check(
        "missing_values_are_as_many_as_in_the_days_before",
        INTERACTION_METRICS,
        "each metric's share of values that could not be measured is like those of the last {drift_days:g} days",
        _drifting(INTERACTION_METRICS, _asked_by_metric, drift.null_drift),
        blocking=False,
        looks_around=True,
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
        "Krippendorff's alpha of the people is not surely below {alpha:g}, for any parameter",
        _parameters_not_agreed_on,
        blocking=False,
        looks_around=True,
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

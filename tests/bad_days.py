"""A sound day in every table of the lake, and for each domain check the faults that it is there for."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

import polars as pl

from pipelines.contracts import acoustics, all_tables, calibration, conversation, landing, language, transcripts
from pipelines.contracts.metrics import INTERACTION_METRICS, MEASURED, METRICS, OUTCOMES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.quality.checks import Around
from pipelines.quality.limits import read_limits

DAY = date(2026, 3, 2)
CALLS = [f"call-{i}" for i in range(6)]
CARD = "4111 1111 1111 1111"

# What the sound day measures of a conversation of 60 s: 30 + 25 s of talk, 5 s of them at once, 10 s of silence.
BALANCE = {
    ("talk_s", "agent"): 30.0,
    ("talk_s", "customer"): 25.0,
    ("overlap_ratio", "call"): 5 / 60,
    ("silence_ratio", "call"): 10 / 60,
    ("conversation_s", "call"): 60.0,
}
# Days that are measured anew have 20 values or more; these have 6.
LIMITS = {**read_limits(), "drift_measurements": 5}


def measures(ids):
    return [
        {
            "interaction_id": i,
            "metric": metric,
            "party": party,
            "value": value,
            "unit": METRICS[metric].unit,
            "reason": "no_event" if value is None else None,
            "extractor_version": "1",
        }
        for k, i in enumerate(ids)
        for metric, party in MEASURED
        for value in [-26.0 - k if (metric, party) == ("level_dbfs", "agent") else BALANCE.get((metric, party))]
    ]


def sound_around() -> Around:
    """Ten days later, after twenty days like the sound one; nothing of it came late."""
    frames = sound_day()
    return Around(
        LIMITS,
        datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(days=10),
        before=frames,
        earlier=lambda table, digest: [digest(frames[table])] * 20,
    )


def only(table, rows):
    return table.frame([{k: v for k, v in row.items() if k in table.schema} for row in rows])


def sound_day() -> dict:
    return dict(_sound_day())


@cache
def _sound_day() -> dict:
    """Six calls of a minute that were measured, one recording in quarantine, one chat that is excluded."""
    started = datetime(2026, 3, 2, 9, tzinfo=UTC)
    common = {"call_date": DAY, "started_at": started, "agent_id": "a1", "campaign": "c", "extra": '{"desk": "12"}'}
    calls = [
        {"interaction_id": i, "channel": "call", "recording": f"recordings/{i}.wav"} | common for i in [*CALLS, "bad"]
    ]
    accepted = [
        {
            "interaction_id": i,
            "recording": f"recordings/{i}.wav",
            "duration_s": 60.0,
            "claimed_duration_s": 60.01,
            "n_channels": 2,
            "layout": "two_channel",
            "outcome": "accepted",
        }
        for i in CALLS
    ]
    quarantined = {"interaction_id": "bad", "outcome": "quarantined", "reason": "not_audio", "detail": "no"}
    channels = [(i, c) for i in CALLS for c in (0, 1)]
    frames = {t: t.empty() for t in all_tables().values()}
    return (
        frames
        | {
            landing.FILES: landing.FILES.frame(
                [{"source_file": "i.csv", "rows_read": 9, "rows_accepted": 8, "rows_rejected": 1}]
            ),
            landing.REJECTS: landing.REJECTS.frame(
                [
                    {"source_file": "i.csv", "row_number": 4, "reason": "metadata_invalid"},
                    {"source_file": "i.csv", "row_number": 5, "reason": "unknown_interaction"},
                    {"source_file": "recordings/x.wav", "row_number": 0, "reason": "no_metadata"},
                ]
            ),
            landing.AGENTS: landing.AGENTS.frame([{"agent_id": "a1"}]),
            landing.INTERACTIONS: landing.INTERACTIONS.frame(
                [*calls, {"interaction_id": "chat", "channel": "chat"} | common]
            ),
            landing.TRANSCRIPTS: landing.TRANSCRIPTS.frame([{"interaction_id": "chat", "text": "hello"}]),
            landing.MESSAGES: landing.MESSAGES.frame(
                [
                    {"interaction_id": "chat", "seq": k, "text": "order 12345678", "sent_at": started.replace(minute=k)}
                    for k in range(2)
                ]
            ),
            landing.SURVEYS: landing.SURVEYS.frame([{"interaction_id": "chat", "comment": "fine, on 2026-03-02"}]),
            RECORDINGS: RECORDINGS.frame([*accepted, quarantined]),
            acoustics.SEGMENTS: acoustics.SEGMENTS.frame(
                [
                    {
                        "interaction_id": i,
                        "audio_channel": c,
                        "speaker": 0,
                        "kind": "speech",
                        "start_s": s,
                        "end_s": s + 20.0,
                    }
                    for i, c in channels
                    for s in (c * 1.0, 30.0 + c)
                ]
            ),
            acoustics.VOICES: acoustics.VOICES.frame(
                [
                    {
                        "interaction_id": i,
                        "audio_channel": c,
                        "speaker": 0,
                        "level_dbfs": -26.0 - k,
                        "snr_db": 30.0 + k,
                        "clipping_ratio": 0.0,
                        "leak_db": -38.0,
                    }
                    for k, (i, c) in enumerate(channels)
                ]
            ),
            transcripts.SPEAKERS: transcripts.SPEAKERS.frame(
                [
                    {
                        "interaction_id": i,
                        "audio_channel": c,
                        "speaker": 0,
                        "party": ("agent", "customer")[c],
                        "source": "supplied",
                        "confidence": (0.9, 0.9)[c],
                    }
                    for i, c in channels
                ]
            ),
            acoustics.MEASUREMENTS: acoustics.MEASUREMENTS.frame(
                [{"interaction_id": i, "outcome": "measured"} for i in CALLS]
            ),
            transcripts.RECOGNITIONS: transcripts.RECOGNITIONS.frame(
                [
                    {
                        "interaction_id": i,
                        "audio_channel": c,
                        "outcome": "transcribed",
                        "language_confidence": 0.99,
                        "asr_confidence": 0.85 + k / 100,
                        "n_words": 80,
                        "speech_s": 40.0,
                    }
                    for k, (i, c) in enumerate(channels)
                ]
            ),
            transcripts.WORDS: transcripts.WORDS.frame(
                [
                    {
                        "interaction_id": i,
                        "audio_channel": c,
                        "word_index": k,
                        "start_s": s,
                        "end_s": s + 0.3,
                        "word": w,
                    }
                    for i, c in channels
                    for k, (s, w) in enumerate([(2.0, "my"), (3.0, "number"), (4.0, "4111"), (20.5, "thanks")])
                ]
            ),
            transcripts.UTTERANCES: transcripts.UTTERANCES.frame([{"interaction_id": "chat", "text": "[card] it is"}]),
            conversation.TURNS: conversation.TURNS.frame(
                [{"interaction_id": i, "turn": 0, "start_s": 0.0, "end_s": 20.0} for i in CALLS]
            ),
            conversation.EVENTS: conversation.EVENTS.frame(
                [
                    {"interaction_id": "call-0", "event": 0, "kind": "hold", "start_s": 3.0, "end_s": 3.0},
                    {"interaction_id": "call-0", "event": 1, "kind": "keyword", "evidence": "cancel"},
                ]
            ),
            conversation.MEASURES: only(conversation.MEASURES, measures(CALLS)),
            language.EVENTS: language.EVENTS.frame([{"interaction_id": "call-0", "event": 0, "evidence": "sorry"}]),
            language.KEYWORDS: language.KEYWORDS.frame([{"interaction_id": "call-0", "keyword": "bill"}]),
            language.ISSUE_TYPES: language.ISSUE_TYPES.frame([{"interaction_id": "call-0", "evidence": "bill"}]),
            language.MEASURES: only(language.MEASURES, measures(CALLS)),
            INTERACTION_METRICS: INTERACTION_METRICS.frame(measures([*CALLS, "chat"])),
            OUTCOMES: OUTCOMES.frame(
                [
                    *({"interaction_id": i, "outcome": "eligible"} for i in CALLS),
                    {"interaction_id": "chat", "outcome": "excluded", "reason": "one_party"},
                    {"interaction_id": "bad", "outcome": "quarantined", "reason": "not_audio"},
                ]
            ),
        }
        | _calibrated()
    )


def _calibrated() -> dict:
    """Two people and the machine rated a call; a third found that the parameter does not apply."""
    unit = {"session_id": "s", "interaction_id": "call-0", "parameter": "empathy"}
    given = {"max_rating": 15.0, "is_expert": False, "not_applicable": False, "source_file": "reviews.csv"}
    given |= {"comment": "the order of 2026-03-02 was named late"}
    people = [unit | given | {"reviewer_id": r, "rating": p} for r, p in (("r1", 9.0), ("r2", 12.0))]
    absent = unit | given | {"reviewer_id": "r3", "not_applicable": True}
    machine = unit | given | {"reviewer_id": "machine", "is_machine": True, "rating": 10.5}
    rated = [{"is_machine": False, "points": r["rating"] / 0.15} | r for r in (*people, machine)]
    alpha = {"period": "all", "panel": "reviewers", "statistic": "krippendorff_alpha", "value": 0.8}
    rater = {"rater_kind": "reviewer", "parameter": "all", "is_severe": True, "is_lenient": False}
    return {
        landing.REVIEWS: landing.REVIEWS.frame([*people, absent]),
        calibration.RATINGS: only(calibration.RATINGS, rated),
        calibration.SESSIONS: calibration.SESSIONS.frame([unit | {"n_raters": 2, "lowest": 60.0, "highest": 80.0}]),
        calibration.AGREEMENT: calibration.AGREEMENT.frame([alpha | {"low": 0.6, "high": 0.9}]),
        calibration.RATERS: calibration.RATERS.frame([rater | {"bias": -8.0, "bias_low": -11.0, "bias_high": -5.0}]),
    }


def first_row(table, **values):
    """The fault that changes the first row of a table."""

    def seed(frames):
        row = pl.int_range(pl.len()) == 0
        return {
            table: frames[table].with_columns(
                pl.when(row).then(pl.lit(v, table.schema[c])).otherwise(pl.col(c)).alias(c) for c, v in values.items()
            )
        }

    return seed


def without_first(table):
    return lambda frames: {table: frames[table].slice(1)}


def twice_first(table):
    return lambda frames: {table: pl.concat([frames[table], frames[table].head(1)])}


def spread_card(frames):
    words = [
        {"interaction_id": "call-9", "audio_channel": 0, "word_index": k, "word": w}
        for k, w in enumerate(["it", "is", " 4111", " 1111.", "1111", " 1111", "yes"])
    ]
    return {transcripts.WORDS: pl.concat([frames[transcripts.WORDS], transcripts.WORDS.frame(words)])}


def every_row(table, **values):
    """The fault that changes all rows of a table."""
    return lambda frames: {table: frames[table].with_columns(**values)}


def one_more(table, **values):
    """The fault that adds a row like the first one."""

    def seed(frames):
        row = frames[table].head(1).with_columns(pl.lit(v, table.schema[c]).alias(c) for c, v in values.items())
        return {table: pl.concat([frames[table], row])}

    return seed


def half_unmeasured(frames):
    hit = (pl.col("metric") == "level_dbfs") & pl.col("interaction_id").is_in(CALLS[:3])
    return {
        INTERACTION_METRICS: frames[INTERACTION_METRICS].with_columns(
            pl.when(hit & (pl.col("party") == "agent")).then(None).otherwise(pl.col("value")).alias("value"),
            pl.when(hit & (pl.col("party") == "agent"))
            .then(pl.lit("low_snr"))
            .otherwise(pl.col("reason"))
            .alias("reason"),
        )
    }


def louder_agents(frames):
    hit = (pl.col("metric") == "level_dbfs") & (pl.col("party") == "agent")
    louder = pl.when(hit).then(pl.col("value") + 12).otherwise(pl.col("value"))
    return {INTERACTION_METRICS: frames[INTERACTION_METRICS].with_columns(louder.alias("value"))}


def unmeasured(metric):
    def seed(frames):
        hit = (pl.col("metric") == metric) & (pl.col("party") == "agent")
        return {
            INTERACTION_METRICS: frames[INTERACTION_METRICS].with_columns(
                pl.when(hit).then(None).otherwise(pl.col("value")).alias("value"),
                pl.when(hit).then(pl.lit("low_snr")).otherwise(pl.col("reason")).alias("reason"),
            )
        }

    return seed


def longer_talk(table):
    def seed(frames):
        hit = (pl.col("metric") == "talk_s") & (pl.col("interaction_id") == "call-3")
        return {table: frames[table].with_columns(pl.when(hit).then(40.0).otherwise(pl.col("value")).alias("value"))}

    return seed


def out_of_range(table):
    def seed(frames):
        hit = pl.col("metric") == "overlap_ratio"
        infinite = (pl.col("metric") == "conversation_s") & (pl.col("interaction_id") == "call-1")
        value = pl.when(hit).then(1.01).when(infinite).then(float("inf")).otherwise(pl.col("value"))
        return {table: frames[table].with_columns(value.alias("value"))}

    return seed


LEFT = "no_card_or_ssn_pattern_is_left"
RANGE = "values_are_in_the_metric_range"
BALANCED = "talk_plus_silence_less_overlap_is_the_conversation"

NEXT_YEAR, YESTERDAY = datetime(2027, 3, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)

# (table, check) -> [(the fault, how many rows it breaks)]
FAULTS = {
    (landing.FILES, "every_row_is_accepted_or_rejected"): [(first_row(landing.FILES, rows_accepted=7), 1)],
    (landing.FILES, "every_rejected_row_is_kept_with_its_reason"): [(without_first(landing.REJECTS), 1)],
    (landing.INTERACTIONS, "agents_are_known"): [(first_row(landing.INTERACTIONS, agent_id="a2"), 1)],
    (landing.INTERACTIONS, "campaigns_are_known"): [(first_row(landing.INTERACTIONS, campaign="new"), 1)],
    (landing.INTERACTIONS, "interactions_come_in_time"): [(one_more(landing.INTERACTIONS, interaction_id="late"), 1)],
    (landing.INTERACTIONS, "clocks_are_right"): [
        (first_row(landing.INTERACTIONS, started_at=NEXT_YEAR), 1),
        (first_row(landing.INTERACTIONS, ended_at=YESTERDAY), 1),
        (first_row(landing.INTERACTIONS, transferred_at=YESTERDAY), 1),
    ],
    (landing.MESSAGES, "messages_are_sent_one_after_the_other"): [(first_row(landing.MESSAGES, sent_at=NEXT_YEAR), 1)],
    (landing.INTERACTIONS, LEFT): [(first_row(landing.INTERACTIONS, extra=f'{{"note": "{CARD}"}}'), 1)],
    (landing.TRANSCRIPTS, LEFT): [(first_row(landing.TRANSCRIPTS, text=f"it is {CARD} yes"), 1)],
    (landing.MESSAGES, LEFT): [(first_row(landing.MESSAGES, text="ssn 078-05-1120"), 1)],
    (landing.SURVEYS, LEFT): [(first_row(landing.SURVEYS, comment="5500-0055-5555-5559"), 1)],
    (landing.REVIEWS, LEFT): [(first_row(landing.REVIEWS, comment="the card was 4111 1111 1111 1111"), 1)],
    (RECORDINGS, "every_recording_is_accepted_or_quarantined"): [
        (without_first(RECORDINGS), 1),
        (twice_first(RECORDINGS), 1),
        (first_row(RECORDINGS, interaction_id="stranger"), 2),
        (first_row(RECORDINGS, outcome="quarantined"), 1),
        (first_row(RECORDINGS, reason="empty"), 1),
    ],
    (RECORDINGS, "decoded_duration_is_the_claimed_one"): [
        (first_row(RECORDINGS, claimed_duration_s=115.0), 1),
        (first_row(RECORDINGS, duration_s=float("nan")), 1),
    ],
    (RECORDINGS, "recordings_are_not_mono"): [(first_row(RECORDINGS, layout="mono"), 1)],
    (RECORDINGS, "recordings_are_not_dual_mono"): [(first_row(RECORDINGS, layout="dual_mono"), 1)],
    (RECORDINGS, "recordings_have_sound_on_both_channels"): [(first_row(RECORDINGS, layout="one_sided"), 1)],
    (acoustics.SEGMENTS, "segments_lie_inside_the_recording"): [
        (first_row(acoustics.SEGMENTS, end_s=60.2), 1),
        (first_row(acoustics.SEGMENTS, start_s=-0.1), 1),
        (first_row(acoustics.SEGMENTS, interaction_id="stranger"), 1),
    ],
    (acoustics.SEGMENTS, "segments_do_not_overlap_within_a_channel"): [(first_row(acoustics.SEGMENTS, end_s=30.5), 1)],
    (acoustics.MEASUREMENTS, "every_accepted_recording_is_measured_or_has_a_reason"): [
        (without_first(acoustics.MEASUREMENTS), 1),
        (first_row(acoustics.MEASUREMENTS, outcome="failed"), 1),
    ],
    (acoustics.VOICES, "channels_are_not_clipped"): [(first_row(acoustics.VOICES, clipping_ratio=0.01), 1)],
    (acoustics.VOICES, "channels_do_not_bleed"): [(first_row(acoustics.VOICES, leak_db=-10.0), 1)],
    (acoustics.VOICES, "levels_are_those_of_the_days_before"): [
        (every_row(acoustics.VOICES, level_dbfs=pl.col("level_dbfs") - 12), 1),
        (every_row(acoustics.VOICES, snr_db=pl.col("snr_db") - 12), 1),
    ],
    (transcripts.RECOGNITIONS, "languages_are_heard_surely"): [
        (first_row(transcripts.RECOGNITIONS, language_confidence=0.4), 1)
    ],
    (transcripts.RECOGNITIONS, "recognition_is_as_confident_as_in_the_days_before"): [
        (every_row(transcripts.RECOGNITIONS, asr_confidence=pl.col("asr_confidence") - 0.3), 1)
    ],
    (transcripts.RECOGNITIONS, "every_accepted_recording_is_transcribed_or_has_a_reason"): [
        (
            lambda f: {
                transcripts.RECOGNITIONS: f[transcripts.RECOGNITIONS].filter(pl.col("interaction_id") != "call-0")
            },
            1,
        ),
        (first_row(transcripts.RECOGNITIONS, outcome="failed"), 1),
    ],
    (transcripts.RECOGNITIONS, "recognition_is_confident"): [
        (first_row(transcripts.RECOGNITIONS, asr_confidence=0.4), 1)
    ],
    (transcripts.RECOGNITIONS, "words_per_minute_are_plausible"): [
        (first_row(transcripts.RECOGNITIONS, n_words=250), 1),
        (first_row(transcripts.RECOGNITIONS, n_words=20), 1),
    ],
    (transcripts.WORDS, "words_lie_inside_speech"): [
        (first_row(transcripts.WORDS, start_s=25.0, end_s=25.4), 1),
        (first_row(transcripts.WORDS, start_s=55.0, end_s=55.4), 1),
        (lambda f: {acoustics.SEGMENTS: f[acoustics.SEGMENTS].filter(pl.col("interaction_id") != "call-2")}, 8),
    ],
    (transcripts.WORDS, LEFT): [(spread_card, 1), (first_row(transcripts.WORDS, word=CARD), 1)],
    (transcripts.SPEAKERS, "every_voice_is_somebodys_or_unknown"): [
        (without_first(transcripts.SPEAKERS), 1),
        (first_row(acoustics.VOICES, audio_channel=1, speaker=1), 2),
        (first_row(transcripts.SPEAKERS, party=None), 1),
        (first_row(transcripts.SPEAKERS, party="customer"), 1),
    ],
    (transcripts.SPEAKERS, "channels_are_not_swapped"): [
        (first_row(transcripts.SPEAKERS, source="corrected"), 1),
        (first_row(transcripts.SPEAKERS, confidence=0.01), 1),
    ],
    (transcripts.SPEAKERS, "speakers_are_told_apart"): [
        (first_row(transcripts.SPEAKERS, party=None, source="unknown"), 1)
    ],
    (transcripts.UTTERANCES, LEFT): [(first_row(transcripts.UTTERANCES, text=CARD), 1)],
    (conversation.TURNS, "turns_end_after_they_start"): [
        (first_row(conversation.TURNS, end_s=0.0), 1),
        (first_row(conversation.TURNS, end_s=None), 1),
    ],
    (conversation.TURNS, "turns_lie_inside_the_recording"): [
        (first_row(conversation.TURNS, end_s=60.2), 1),
        (first_row(conversation.TURNS, start_s=-0.2), 1),
    ],
    (conversation.MEASURES, "every_conversation_has_one_row_per_party"): [
        (without_first(conversation.MEASURES), 1),
        (first_row(conversation.TURNS, interaction_id="stranger"), 1),
        (first_row(conversation.MEASURES, party="call"), 1),
    ],
    (conversation.EVENTS, "events_do_not_end_before_they_start"): [
        (first_row(conversation.EVENTS, end_s=2.9), 1),
        (first_row(conversation.EVENTS, end_s=None), 1),
    ],
    (conversation.EVENTS, LEFT): [(first_row(conversation.EVENTS, evidence=CARD), 1)],
    (conversation.MEASURES, BALANCED): [(longer_talk(conversation.MEASURES), 1)],
    (conversation.MEASURES, RANGE): [
        (out_of_range(conversation.MEASURES), 7),
        (first_row(conversation.MEASURES, value=-1.0), 1),
    ],
    (language.EVENTS, LEFT): [(first_row(language.EVENTS, evidence=CARD), 1)],
    (language.KEYWORDS, LEFT): [(first_row(language.KEYWORDS, keyword=CARD), 1)],
    (language.ISSUE_TYPES, LEFT): [(first_row(language.ISSUE_TYPES, evidence=CARD), 1)],
    (language.MEASURES, RANGE): [(out_of_range(language.MEASURES), 7)],
    (INTERACTION_METRICS, "every_metric_has_one_row_per_party"): [
        (without_first(INTERACTION_METRICS), 1),
        (twice_first(INTERACTION_METRICS), 1),
        (first_row(INTERACTION_METRICS, party="call"), 2),
        (first_row(OUTCOMES, interaction_id="call-7"), 2 * len(MEASURED)),
    ],
    (INTERACTION_METRICS, RANGE): [
        (out_of_range(INTERACTION_METRICS), 8),
        (first_row(INTERACTION_METRICS, value=-1.0), 1),
    ],
    (INTERACTION_METRICS, BALANCED): [(longer_talk(INTERACTION_METRICS), 1)],
    (INTERACTION_METRICS, "metrics_are_measured_in_most_interactions"): [
        (unmeasured("talk_s"), 1),
        (unmeasured("snr_db"), 1),
    ],
    (INTERACTION_METRICS, "values_are_those_of_the_days_before"): [(louder_agents, 1)],
    (INTERACTION_METRICS, "missing_values_are_as_many_as_in_the_days_before"): [(half_unmeasured, 1)],
    (OUTCOMES, "received_is_eligible_plus_excluded_plus_quarantined"): [
        (without_first(OUTCOMES), 1),
        (twice_first(OUTCOMES), 1),
        (first_row(OUTCOMES, interaction_id="stranger"), 2),
        (first_row(OUTCOMES, outcome="lost"), 1),
    ],
    (OUTCOMES, "every_interaction_that_is_not_eligible_has_a_reason"): [
        (first_row(OUTCOMES, outcome="excluded"), 1),
        (first_row(OUTCOMES, reason="too_short"), 1),
    ],
    (calibration.RATINGS, "every_rating_was_given_by_a_person_or_is_the_machines"): [
        (first_row(calibration.RATINGS, rating=9.5), 1),
        (first_row(calibration.RATINGS, reviewer_id="r3"), 1),
        (first_row(calibration.RATINGS, is_expert=True), 1),
    ],
    (calibration.RATINGS, "every_review_is_compared"): [(without_first(calibration.RATINGS), 1)],
    (calibration.RATINGS, "the_machine_is_one_more_rater_of_everything_that_was_rated"): [
        (first_row(calibration.RATINGS, is_machine=True), 1),
        (first_row(calibration.RATINGS, parameter="volume"), 1),
        (lambda f: {calibration.RATINGS: f[calibration.RATINGS].filter(~pl.col("is_machine"))}, 1),
    ],
    (calibration.SESSIONS, "sessions_are_made_of_their_ratings"): [
        (first_row(calibration.SESSIONS, n_raters=3), 1),
        (first_row(calibration.SESSIONS, lowest=61.0), 1),
        (without_first(calibration.SESSIONS), 1),
        (without_first(calibration.RATINGS), 1),
    ],
    (calibration.AGREEMENT, "intervals_hold_their_value"): [
        (first_row(calibration.AGREEMENT, value=0.5), 1),
        (first_row(calibration.AGREEMENT, high=None), 1),
    ],
    (calibration.AGREEMENT, "raters_agree_on_every_parameter"): [
        (first_row(calibration.AGREEMENT, value=0.65, high=0.66), 1)
    ],
    (calibration.RATERS, "intervals_hold_their_value"): [(first_row(calibration.RATERS, bias=-12.0), 1)],
    (calibration.RATERS, "nobody_is_severe_and_lenient"): [
        (first_row(calibration.RATERS, is_lenient=True), 1),
        (first_row(calibration.RATERS, bias=None), 1),
    ],
}

"""Every domain check passes on a sound day, and bites on the one fault that it is there for."""

from datetime import UTC, date, datetime
from functools import cache

import polars as pl
import pytest

from pipelines.contracts import acoustics, all_tables, calibration, conversation, landing, language, transcripts
from pipelines.contracts.metrics import INTERACTION_METRICS, MEASURED, METRICS, OUTCOMES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.quality import checks
from pipelines.quality.checks import CHECKS, domain_outcomes, required_checks, tables_read

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


def measures(ids):
    return [
        {
            "interaction_id": i,
            "metric": metric,
            "party": party,
            "value": BALANCE.get((metric, party)),
            "unit": METRICS[metric].unit,
            "reason": None if (metric, party) in BALANCE else "no_event",
            "extractor_version": "1",
        }
        for i in ids
        for metric, party in MEASURED
    ]


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
            landing.MESSAGES: landing.MESSAGES.frame([{"interaction_id": "chat", "seq": 0, "text": "order 12345678"}]),
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
                [{"interaction_id": i, "audio_channel": c, "speaker": 0, "clipping_ratio": 0.0} for i, c in channels]
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
                        "asr_confidence": 0.9,
                        "n_words": 80,
                        "speech_s": 40.0,
                    }
                    for i, c in channels
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


def unmeasured(frames):
    hit = (pl.col("metric") == "talk_s") & (pl.col("party") == "agent")
    return {
        INTERACTION_METRICS: frames[INTERACTION_METRICS].with_columns(
            pl.when(hit).then(None).otherwise(pl.col("value")).alias("value"),
            pl.when(hit).then(pl.lit("low_snr")).otherwise(pl.col("reason")).alias("reason"),
        )
    }


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

# (table, check) -> [(the fault, how many rows it breaks)]
FAULTS = {
    (landing.FILES, "every_row_is_accepted_or_rejected"): [(first_row(landing.FILES, rows_accepted=7), 1)],
    (landing.FILES, "every_rejected_row_is_kept_with_its_reason"): [(without_first(landing.REJECTS), 1)],
    (landing.INTERACTIONS, "agents_are_known"): [(first_row(landing.INTERACTIONS, agent_id="a2"), 1)],
    (landing.INTERACTIONS, LEFT): [(first_row(landing.INTERACTIONS, extra=f'{{"note": "{CARD}"}}'), 1)],
    (landing.TRANSCRIPTS, LEFT): [(first_row(landing.TRANSCRIPTS, text=f"it is {CARD} yes"), 1)],
    (landing.MESSAGES, LEFT): [(first_row(landing.MESSAGES, text="ssn 078-05-1120"), 1)],
    (landing.SURVEYS, LEFT): [(first_row(landing.SURVEYS, comment="5500-0055-5555-5559"), 1)],
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
    (transcripts.WORDS, LEFT): [(spread_card, 1)],
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
    (conversation.EVENTS, "events_do_not_end_before_they_start"): [
        (first_row(conversation.EVENTS, end_s=2.9), 1),
        (first_row(conversation.EVENTS, end_s=None), 1),
    ],
    (conversation.EVENTS, LEFT): [(first_row(conversation.EVENTS, evidence=CARD), 1)],
    (conversation.MEASURES, BALANCED): [(longer_talk(conversation.MEASURES), 1)],
    (conversation.MEASURES, RANGE): [(out_of_range(conversation.MEASURES), 7)],
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
    (INTERACTION_METRICS, RANGE): [(out_of_range(INTERACTION_METRICS), 8)],
    (INTERACTION_METRICS, BALANCED): [(longer_talk(INTERACTION_METRICS), 1)],
    (INTERACTION_METRICS, "metrics_are_measured_in_most_interactions"): [(unmeasured, 1)],
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
    (calibration.AGREEMENT, "raters_agree_on_every_parameter"): [(first_row(calibration.AGREEMENT, high=0.66), 1)],
    (calibration.RATERS, "intervals_hold_their_value"): [(first_row(calibration.RATERS, bias=-12.0), 1)],
    (calibration.RATERS, "nobody_is_severe_and_lenient"): [
        (first_row(calibration.RATERS, is_lenient=True), 1),
        (first_row(calibration.RATERS, bias=None), 1),
    ],
}


def outcomes_of(frames, *tables):
    found = domain_outcomes(frames, DAY, {t.name: "print" for t in tables or all_tables().values()})
    return {(o.table_name, o.check_name): o for o in found}


def test_a_sound_day_passes_every_check():
    found = outcomes_of(sound_day())
    assert [o for o in found.values() if not o.passed] == []
    assert len(found) == len(CHECKS)


def test_the_sound_day_gives_every_check_something_to_look_at():
    assert [key for key, o in outcomes_of(sound_day()).items() if o.total_rows == 0] == []


def test_each_check_has_a_fault_that_it_is_there_for():
    assert {(c.table, c.name) for c in CHECKS} == set(FAULTS)


@pytest.mark.parametrize(
    ("table", "name", "fault", "failing"),
    [(t, n, fault, failing) for (t, n), faults in FAULTS.items() for fault, failing in faults],
    ids=[f"{t.name}-{n}-{k}" for (t, n), faults in FAULTS.items() for k in range(len(faults))],
)
def test_a_seeded_fault_makes_its_check_fail(table, name, fault, failing):
    frames = sound_day()
    found = outcomes_of(frames | fault(frames), table)[table.name, name]
    assert (found.passed, found.failing_rows) == (False, failing)


def test_warnings_do_not_block_and_facts_do():
    warnings = {c.name for c in CHECKS if not c.blocking}
    assert warnings == {
        "agents_are_known",
        "recordings_are_not_mono",
        "recordings_are_not_dual_mono",
        "recordings_have_sound_on_both_channels",
        "channels_are_not_clipped",
        "recognition_is_confident",
        "words_per_minute_are_plausible",
        "channels_are_not_swapped",
        "speakers_are_told_apart",
        "metrics_are_measured_in_most_interactions",
        "every_review_is_compared",
        "raters_agree_on_every_parameter",
    }


def test_an_outcome_never_carries_the_offending_value():
    frames = sound_day()
    found = outcomes_of(frames | first_row(transcripts.UTTERANCES, text=f"CANARY {CARD}")(frames))
    assert "CANARY" not in str(found)
    assert "4111" not in str(found)


def test_a_recording_with_a_supplied_transcript_or_an_opt_out_needs_no_recognition():
    frames = sound_day()
    supplied = landing.TRANSCRIPTS.frame([{"interaction_id": "call-0", "text": "hi"}])
    opted_out = first_row(landing.INTERACTIONS, consent=False)(frames)
    gone = frames[transcripts.RECOGNITIONS].filter(pl.col("interaction_id") != "call-0")
    key = (transcripts.RECOGNITIONS.name, "every_accepted_recording_is_transcribed_or_has_a_reason")
    for excuse in ({landing.TRANSCRIPTS: supplied}, opted_out):
        assert outcomes_of(frames | {transcripts.RECOGNITIONS: gone} | excuse)[key].passed


def test_metric_rows_of_an_interaction_in_quarantine_are_neither_asked_for_nor_refused():
    frames = sound_day()
    quarantined = frames | first_row(OUTCOMES, outcome="quarantined")(frames)
    without_rows = frames[INTERACTION_METRICS].filter(pl.col("interaction_id") != "call-0")
    key = (INTERACTION_METRICS.name, "every_metric_has_one_row_per_party")
    assert outcomes_of(quarantined)[key].passed
    assert outcomes_of(quarantined | {INTERACTION_METRICS: without_rows})[key].passed


def test_a_list_of_agents_that_never_came_makes_no_agent_unknown():
    frames = sound_day() | {landing.AGENTS: landing.AGENTS.empty()}
    assert outcomes_of(frames)[landing.INTERACTIONS.name, "agents_are_known"].passed


def test_only_the_tables_with_a_fingerprint_are_checked_and_their_outcomes_carry_it():
    found = domain_outcomes(sound_day(), DAY, {OUTCOMES.name: "print-1", landing.FILES.name: "print-2"})
    assert {(o.table_name, o.fingerprint) for o in found} == {
        (OUTCOMES.name, "print-1"),
        (landing.FILES.name, "print-2"),
    }
    assert {o.call_date for o in found if o.table_name == OUTCOMES.name} == {"2026-03-02"}
    assert {o.call_date for o in found if o.table_name == landing.FILES.name} == {None}


def test_a_missing_frame_is_named():
    with pytest.raises(KeyError, match="landing/interactions"):
        domain_outcomes({OUTCOMES: OUTCOMES.empty()}, DAY, {OUTCOMES.name: "print"})


def test_a_frame_that_is_not_in_its_contract_fails_instead_of_passing_in_silence():
    frames = sound_day() | {conversation.TURNS: pl.DataFrame({"interaction_id": ["a"]})}
    (found,) = domain_outcomes(frames, DAY, {conversation.TURNS.name: "print"})
    assert not found.passed
    assert found.blocking


def test_the_tables_that_checks_compare_with_are_known_before_they_run():
    assert set(tables_read(OUTCOMES, INTERACTION_METRICS)) == {landing.INTERACTIONS}
    assert set(tables_read(acoustics.SEGMENTS, acoustics.MEASUREMENTS)) == {RECORDINGS}


def test_required_checks_are_those_of_the_contract_and_the_blocking_facts():
    required = required_checks([RECORDINGS])[RECORDINGS.name]
    assert "columns_are_as_declared" in required
    assert "decoded_duration_is_the_claimed_one" in required
    assert "recordings_are_not_mono" not in required
    assert len(required) == len(set(required))
    assert set(required_checks()) == set(all_tables())


def test_check_names_are_sentences_and_unique_within_a_table():
    keys = [(c.table.name, c.name) for c in checks.CHECKS]
    assert len(keys) == len(set(keys))
    assert all(c.name.count("_") >= 2 and c.name == c.name.lower() and c.meaning for c in checks.CHECKS)

"""Every domain check passes on a sound day, and bites on the one fault that it is there for."""

from dataclasses import replace

import polars as pl
import pytest

from pipelines.contracts import acoustics, all_tables, conversation, landing, transcripts
from pipelines.contracts.metrics import INTERACTION_METRICS, OUTCOMES
from pipelines.contracts.recordings import RECORDINGS
from pipelines.quality import checks
from pipelines.quality.checks import CHECKS, domain_outcomes, required_checks, tables_read
from tests.bad_days import CARD, DAY, FAULTS, first_row, sound_around, sound_day


def outcomes_of(frames, *tables):
    prints = {t.name: "print" for t in tables or all_tables().values()}
    found = domain_outcomes(frames, DAY, prints, sound_around())
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
        "campaigns_are_known",
        "interactions_come_in_time",
        "clocks_are_right",
        "messages_are_sent_one_after_the_other",
        "channels_do_not_bleed",
        "levels_are_those_of_the_days_before",
        "languages_are_heard_surely",
        "recognition_is_as_confident_as_in_the_days_before",
        "values_are_those_of_the_days_before",
        "missing_values_are_as_many_as_in_the_days_before",
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


@pytest.mark.parametrize(("with_calls", "failing"), [(13, 0), (14, 8)])
def test_days_without_a_call_tell_nothing_of_which_campaigns_there_are(with_calls, failing):
    frames = sound_day()
    frames[landing.INTERACTIONS] = frames[landing.INTERACTIONS].with_columns(campaign=pl.lit("new"))

    def earlier(table, digest):
        return [digest(table.empty())] * 14 + [digest(sound_day()[table])] * with_calls

    around = replace(sound_around(), earlier=earlier)
    found = domain_outcomes(frames, DAY, {landing.INTERACTIONS.name: "print"}, around)
    assert [o.failing_rows for o in found if o.check_name == "campaigns_are_known"] == [failing]


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
    found = domain_outcomes(frames, DAY, {conversation.TURNS.name: "print"})
    assert found
    assert not any(o.passed for o in found)
    assert all(o.blocking for o in found)


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

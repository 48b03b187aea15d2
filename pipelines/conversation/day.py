"""One day's conversations: from segments and utterances to turns, events and measures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import polars as pl

from pipelines.contracts.conversation import EVENTS, TURNS
from pipelines.contracts.measured import Measures
from pipelines.contracts.vocabulary import PARTIES
from pipelines.conversation.events import Announcements, EventOptions, find_events
from pipelines.conversation.floor import OTHER, Segment, Span, TurnOptions, Utterance, floor_of
from pipelines.conversation.metrics import conversation_measures, party_words
from pipelines.lake import fingerprint

RULES = 1
_ONE_SOUND = ("mono", "dual_mono")
_SPEAKER_COLUMNS = ("interaction_id", "audio_channel", "speaker", "party")
Voice = tuple[int, int]  # audio channel, speaker


def conversation_version(
    turn_options: TurnOptions = TurnOptions(), event_options: EventOptions = EventOptions()
) -> str:
    """Version of the rules and hash of their settings, for `extractor_version`."""
    return f"conversation-{RULES}-{fingerprint(turn_options, event_options)[:8]}"


def conversations(
    interactions: pl.DataFrame,
    recordings: pl.DataFrame,
    segments: pl.DataFrame,
    speakers: pl.DataFrame,
    utterances: pl.DataFrame,
    announcements: Announcements = Announcements(),
    *,
    turn_options: TurnOptions = TurnOptions(),
    event_options: EventOptions = EventOptions(),
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Measures]]:
    """Turns, events and measures of one day.

    Takes frames of landing/interactions, recordings/recordings, acoustics/segments, transcripts/speakers and
    transcripts/utterances; gives frames of conversation/turns and conversation/events, and {interaction_id: Measures}
    for everything that can be read: calls with an accepted recording or a transcript, and of chats and e-mails the
    words.

    Where the speech comes from: the party's voice (its audio channel, or on a mono recording the voice that was
    told apart; there overlaps can't be heard); the utterances' times, for transcripts without audio and for mono
    recordings with a transcript; else (mono) the union of all speech, which gives the call's metrics but no turns.
    Unusable landing rows, quarantined recordings and calls without any content are left out.
    """
    recording_of = {r["interaction_id"]: r for r in recordings.iter_rows(named=True)}
    speech_of, music_of = _segments(segments)
    said_in = _utterances(utterances)
    party_of = {(id_, *voice): party for id_, *voice, party in speakers.select(_SPEAKER_COLUMNS).iter_rows()}
    turn_rows: list[dict] = []
    event_rows: list[dict] = []
    measures: dict[str, Measures] = {}
    usable = interactions.filter(pl.col("landing_reason").is_null())
    for id_, channel in usable.select("interaction_id", "channel").iter_rows():
        said = [u for u, _ in said_in.get(id_, ())]
        if channel != "call":
            measures[id_] = {("word_count", p): party_words(said, p) for p in PARTIES}
            continue
        recording = recording_of.get(id_)
        if (recording is None and not said) or (recording is not None and recording["outcome"] != "accepted"):
            continue
        heard = [(party_of.get((id_, *voice)), span) for voice, span in speech_of.get(id_, [])]
        speech, hears_overlap = _speech(recording, heard, said_in.get(id_, []))
        if speech is None:
            measures[id_] = conversation_measures(None, (), said)
            continue
        floor_ = floor_of(speech, said, turn_options)
        events = find_events(floor_, said, music_of.get(id_, ()), announcements, event_options)
        if not hears_overlap:
            events = [
                e for e in events if e["kind"] not in ("interruption", "attempted_interruption", "terminal_overlap")
            ]
            events = [{**e, "event": i} for i, e in enumerate(events)]
        measures[id_] = conversation_measures(floor_, events, said, hears_overlap=hears_overlap)
        turn_rows += (
            {
                "interaction_id": id_,
                "turn": i,
                "party": t.party,
                "start_s": t.start_s,
                "end_s": t.end_s,
                "speech_s": t.speech_s,
            }
            for i, t in enumerate(floor_.turns)
        )
        event_rows += ({"interaction_id": id_, **e} for e in events)
    return TURNS.conform(TURNS.frame(turn_rows)), EVENTS.conform(EVENTS.frame(event_rows)), measures


def _segments(
    segments: pl.DataFrame,
) -> tuple[Mapping[str, list[tuple[Voice, Span]]], Mapping[str, list[Span]]]:
    speech, music = defaultdict(list), defaultdict(list)
    columns = ("interaction_id", "audio_channel", "speaker", "kind", "start_s", "end_s")
    for id_, audio_channel, speaker, kind, start_s, end_s in segments.select(columns).iter_rows():
        if kind == "speech":
            speech[id_].append(((audio_channel, speaker), (start_s, end_s)))
        else:
            music[id_].append((start_s, end_s))
    return speech, music


def _utterances(utterances: pl.DataFrame) -> Mapping[str, list[tuple[Utterance, str]]]:
    said = defaultdict(list)
    columns = (
        "interaction_id",
        "party",
        "start_s",
        "end_s",
        "text",
        "n_words",
        "confidence",
        "source",
    )
    for id_, *values, source in utterances.sort("interaction_id", "utterance").select(columns).iter_rows():
        said[id_].append((Utterance(*values), source))
    return said


def _speech(
    recording: dict | None, heard: Sequence[tuple[str | None, Span]], said: Sequence[tuple[Utterance, str]]
) -> tuple[list[Segment] | None, bool]:
    """A call's speech, None where nothing has times; and whether overlaps can be heard in it.

    `heard` is the speech of the recording with its party, None where that is not known.
    """
    spoken = [(u, source) for u, source in said if u.n_words > 0]
    one_sound = recording is not None and (recording["layout"] in _ONE_SOUND or recording["n_channels"] == 1)
    if recording is not None and all(party in OTHER for party, _ in heard) and (heard or not one_sound):
        return [Segment(party, a, b) for party, (a, b) in heard], not one_sound
    timed = all(u.start_s is not None and u.end_s is not None and u.end_s > u.start_s for u, _ in spoken)
    if spoken and timed and all(u.party in OTHER for u, _ in spoken):
        hears_overlap = recording is None or all(source == "supplied" for _, source in spoken)
        return [Segment(u.party, u.start_s, u.end_s) for u, _ in spoken], hears_overlap
    if recording is not None:
        return [Segment(None, a, b) for _, (a, b) in heard], False
    return None, True

"""Conversation: turns, events, and what they measure."""

import dagster as dg

from pipelines.automation.partitions import DAILY
from pipelines.contracts.acoustics import SEGMENTS
from pipelines.contracts.conversation import EVENTS, MEASURES, TURNS
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.measured import measures_frame
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import SPEAKERS, UTTERANCES
from pipelines.conversation import Announcements, TurnOptions, conversation_version, conversations
from pipelines.resources.lake import LakeResource
from pipelines.resources.seeds import SeedsResource
from pipelines.resources.stage import Stage, stage_assets

READS = (INTERACTIONS, RECORDINGS, SEGMENTS, SPEAKERS, UTTERANCES)


@stage_assets(TURNS, EVENTS, MEASURES, reads=READS, daily=DAILY, kinds={"python"}, name="conversation")
def conversation(context: dg.AssetExecutionContext, lake: LakeResource, seeds: SeedsResource):
    stage = Stage(context, lake, TURNS, EVENTS, MEASURES)
    announcements = Announcements(seeds.phrases("lookup_announcement"), seeds.phrases("hold_announcement"))
    turns_by = TurnOptions(acknowledgements=seeds.phrases("acknowledgement"))
    for day, inputs in stage.changed_days(*READS, versions=(conversation_version(turns_by), announcements)):
        turns, events, measures = conversations(
            *(stage.lake.read(t, day) for t in READS), announcements, turn_options=turns_by
        )
        frames = {TURNS: turns, EVENTS: events, MEASURES: measures_frame(MEASURES, measures)}
        stage.write(day, frames, inputs=inputs)
        stage.add(turns=turns.height, events=events.height)
    yield from stage.results()

"""Language: sentiment, empathy, issue types, resolution, compliance, from the words."""

import dagster as dg

from pipelines.automation.partitions import DAILY
from pipelines.contracts.conversation import MEASURES as CONVERSATION_MEASURES
from pipelines.contracts.landing import INTERACTIONS, ISSUE_TYPES
from pipelines.contracts.language import EVENTS, MEASURES, SENTIMENTS
from pipelines.contracts.language import ISSUE_TYPES as FOUND_ISSUE_TYPES
from pipelines.contracts.measured import measures_frame, measures_of
from pipelines.contracts.transcripts import UTTERANCES
from pipelines.language.day import LANGUAGE_VERSION, Rules, languages
from pipelines.resources.lake import LakeResource
from pipelines.resources.seeds import SeedsResource
from pipelines.resources.stage import Stage, stage_assets

READS = (INTERACTIONS, UTTERANCES, ISSUE_TYPES, CONVERSATION_MEASURES)


@stage_assets(
    SENTIMENTS, EVENTS, FOUND_ISSUE_TYPES, MEASURES, reads=READS, daily=DAILY, kinds={"python"}, name="language"
)
def language(context: dg.AssetExecutionContext, lake: LakeResource, seeds: SeedsResource):
    stage = Stage(context, lake, SENTIMENTS, EVENTS, FOUND_ISSUE_TYPES, MEASURES)
    rules = Rules.read(seeds.path)
    centre_types = stage.lake.read(ISSUE_TYPES)
    for day, inputs in stage.changed_days(*READS, versions=(LANGUAGE_VERSION, seeds.fingerprint())):
        found = languages(
            stage.lake.read(INTERACTIONS, day),
            stage.lake.read(UTTERANCES, day),
            rules,
            centre_types,
            measures_of(stage.lake.read(CONVERSATION_MEASURES, day)),
        )
        frames = {
            SENTIMENTS: found.sentiments,
            EVENTS: found.events,
            FOUND_ISSUE_TYPES: found.issue_types,
            MEASURES: measures_frame(MEASURES, found.measures),
        }
        stage.write(day, frames, inputs=inputs)
        stage.add(utterances=found.sentiments.height, events=found.events.height)
    yield from stage.results()

"""Language: sentiment, empathy, issue types, resolution, compliance, from the words and their tone."""

import dagster as dg

from pipelines.automation.partitions import DAILY
from pipelines.contracts.acoustics import SEGMENTS
from pipelines.contracts.conversation import MEASURES as CONVERSATION_MEASURES
from pipelines.contracts.landing import INTERACTIONS, ISSUE_TYPES
from pipelines.contracts.language import EVENTS, KEYWORDS, MEASURES, SENTIMENTS
from pipelines.contracts.language import ISSUE_TYPES as FOUND_ISSUE_TYPES
from pipelines.contracts.measured import measures_frame, measures_of
from pipelines.contracts.transcripts import SPEAKERS, UTTERANCES
from pipelines.language.day import LANGUAGE_VERSION, Rules, languages
from pipelines.language.tone import activations
from pipelines.resources.lake import LakeResource
from pipelines.resources.seeds import SeedsResource
from pipelines.resources.stage import Stage, stage_assets

READS = (INTERACTIONS, UTTERANCES, SEGMENTS, SPEAKERS, ISSUE_TYPES, CONVERSATION_MEASURES)
TABLES = (SENTIMENTS, EVENTS, FOUND_ISSUE_TYPES, KEYWORDS, MEASURES)


@stage_assets(*TABLES, reads=READS, daily=DAILY, kinds={"python", "onnx"}, name="language")
def language(context: dg.AssetExecutionContext, lake: LakeResource, seeds: SeedsResource):
    stage = Stage(context, lake, *TABLES)
    rules = Rules.read(seeds.path)
    centre_types = stage.lake.read(ISSUE_TYPES)
    for day, inputs in stage.changed_days(*READS, versions=(LANGUAGE_VERSION, seeds.fingerprint())):
        said = stage.lake.read(UTTERANCES, day)
        found = languages(
            stage.lake.read(INTERACTIONS, day),
            said,
            rules,
            centre_types,
            measures_of(stage.lake.read(CONVERSATION_MEASURES, day)),
            activations(said, stage.lake.read(SEGMENTS, day), stage.lake.read(SPEAKERS, day)),
        )
        frames = {
            SENTIMENTS: found.sentiments,
            EVENTS: found.events,
            FOUND_ISSUE_TYPES: found.issue_types,
            KEYWORDS: found.keywords,
            MEASURES: measures_frame(MEASURES, found.measures),
        }
        stage.write(day, frames, inputs=inputs)
        stage.add(utterances=found.sentiments.height, events=found.events.height)
    yield from stage.results()

"""What comes in, parsed and validated. Customers are pseudonyms, texts are redacted, before the first write."""

import polars as pl

from pipelines.contracts.table import Column, Table
from pipelines.contracts.vocabulary import CHANNELS, PARTIES, QUARANTINED

TIME = pl.Datetime("us", "UTC")


def _id(name: str, meaning: str, **more) -> Column:
    return Column(name, pl.String, meaning, **more)


def _text(name: str, meaning: str, **more) -> Column:
    return Column(name, pl.String, meaning, optional=True, **more)


SOURCE_FILE = Column("source_file", pl.String, "landing file that the row came from, relative to the landing folder")

INTERACTIONS = Table(
    "landing/interactions",
    "Every interaction that came in with an id and a date, also those whose other fields can't be read.",
    "one row per interaction",
    ("interaction_id",),
    (
        _id("interaction_id", "the centre's id of the call, chat or e-mail"),
        Column("call_date", pl.Date, "date of the start in the centre's time zone: the partition"),
        Column(
            "channel",
            pl.String,
            "how the customer reached the centre",
            one_of=CHANNELS,
            null_because="landing_reason",
        ),
        Column("started_at", TIME, "start, UTC", null_because="landing_reason"),
        _id("agent_id", "the agent who answered", null_because="landing_reason"),
        _id("campaign", "campaign (line of business) of the interaction", null_because="landing_reason"),
        _text("customer_key", "pseudonym of the customer: keyed hash of the customer's id"),
        _text("direction", "inbound or outbound"),
        _text("call_type", "kind of call: picks the scorecard (support, sales, cancellation, …)"),
        _text("language", "BCP-47 tag supplied with the interaction"),
        _text("issue_type", "issue type that a person or the CRM set"),
        _text("recording", "path of the recording, relative to the landing folder"),
        Column("agent_channel", pl.Int8, "audio channel of the agent", at_least=0, at_most=1, optional=True),
        Column("ended_at", TIME, "end, UTC", optional=True),
        Column(
            "hold_s",
            pl.Float64,
            "hold time supplied by the telephony platform",
            "s",
            at_least=0,
            optional=True,
        ),
        Column(
            "acw_s",
            pl.Float64,
            "after-call work supplied by the telephony platform",
            "s",
            at_least=0,
            optional=True,
        ),
        Column("transferred_at", TIME, "when the interaction was handed on, UTC", optional=True),
        _text("ticket_id", "ticket that the interaction belongs to"),
        _text("client", "client on whose behalf the centre works (outsourcers)"),
        _text("queue", "queue that the interaction waited in"),
        _text("region", "region of the customer or the site"),
        _text("shift", "shift of the agent"),
        Column("consent", pl.Boolean, "False: the customer opted out of the recording's use", optional=True),
        _text("extra", "unknown columns of the landing file, carried along as a JSON object"),
        _text("landing_reason", "why the row can't be used", one_of=tuple(QUARANTINED)),
        _text("landing_detail", "what exactly is wrong with the row"),
        SOURCE_FILE,
    ),
)

TRANSCRIPTS = Table(
    "landing/transcripts",
    "Ready-made transcripts of the telephony platform, redacted.",
    "one row per supplied segment",
    ("interaction_id", "seq"),
    (
        _id("interaction_id", "the interaction"),
        Column("seq", pl.Int32, "order within the interaction", at_least=0),
        Column("party", pl.String, "who spoke", one_of=PARTIES),
        Column("text", pl.String, "what was said, redacted"),
        Column("start_s", pl.Float64, "start, from the start of the recording", "s", at_least=0, optional=True),
        Column("end_s", pl.Float64, "end, from the start of the recording", "s", at_least=0, optional=True),
        Column("confidence", pl.Float64, "confidence supplied with it", at_least=0, at_most=1, optional=True),
        SOURCE_FILE,
    ),
)

MESSAGES = Table(
    "landing/messages",
    "Messages of chats, e-mails and social posts, redacted.",
    "one row per message",
    ("interaction_id", "seq"),
    (
        _id("interaction_id", "the interaction"),
        Column("seq", pl.Int32, "order within the interaction", at_least=0),
        Column("party", pl.String, "who wrote", one_of=PARTIES),
        Column("text", pl.String, "what was written, redacted"),
        Column("sent_at", TIME, "when it was sent, UTC", optional=True),
        SOURCE_FILE,
    ),
)

AGENTS = Table(
    "landing/agents",
    "Agents as the centre lists them.",
    "one row per agent; the row delivered last stands",
    ("agent_id",),
    (
        _id("agent_id", "the agent"),
        _text("name", "the agent's name"),
        _text("team", "the agent's team"),
        _text("supervisor_id", "who supervises the agent"),
        Column("hired_on", pl.Date, "first day of work", optional=True),
        _text("region", "region"),
        _text("site", "site"),
        Column("level_offset_db", pl.Float64, "dB SPL at 0 dBFS for this agent's equipment", "dB", optional=True),
        SOURCE_FILE,
    ),
    daily=False,
)

SURVEYS = Table(
    "landing/surveys",
    "Customer surveys.",
    "one row per interaction; the row delivered last stands",
    ("interaction_id",),
    (
        _id("interaction_id", "the interaction"),
        Column("csat", pl.Int32, "customer satisfaction, 1 to 5", at_least=1, at_most=5, optional=True),
        Column("nps", pl.Int32, "likelihood to recommend, 0 to 10", at_least=0, at_most=10, optional=True),
        Column("answered_at", TIME, "when the customer answered, UTC", optional=True),
        _text("comment", "what the customer wrote, redacted"),
        SOURCE_FILE,
    ),
    daily=False,
)

TICKETS = Table(
    "landing/tickets",
    "Tickets of the CRM.",
    "one row per ticket; the row delivered last stands",
    ("ticket_id",),
    (
        _id("ticket_id", "the ticket"),
        _text("interaction_id", "the interaction that opened it"),
        _text("customer_key", "pseudonym of the customer"),
        _text("issue_type", "issue type set in the CRM"),
        _text("status", "status in the CRM"),
        Column("opened_at", TIME, "opened, UTC", optional=True),
        Column("resolved_at", TIME, "resolved, UTC", optional=True),
        Column("reopened_at", TIME, "reopened, UTC", optional=True),
        SOURCE_FILE,
    ),
    daily=False,
)

REVIEWS = Table(
    "landing/reviews",
    "Human ratings from calibration sessions. They never enter the IQS.",
    "one row per session, interaction, reviewer and parameter",
    ("session_id", "interaction_id", "reviewer_id", "parameter"),
    (
        _id("session_id", "the calibration session"),
        _id("interaction_id", "the interaction that was rated"),
        _id("reviewer_id", "who rated"),
        _id("parameter", "parameter id, or the centre's own name"),
        Column("rating", pl.Float64, "the rating", at_least=0, optional=True),
        Column("max_rating", pl.Float64, "the highest possible rating", at_least=0),
        _text("department", "the reviewer's department"),
        Column("is_expert", pl.Boolean, "the reviewer's rating is the reference"),
        Column("rated_at", TIME, "when, UTC", optional=True),
        Column("not_applicable", pl.Boolean, "the reviewer found that the parameter does not apply"),
        _text("comment", "what the reviewer wrote, redacted"),
        SOURCE_FILE,
    ),
    daily=False,
)

ISSUE_TYPES = Table(
    "landing/issue_types",
    "The centre's own issue types, beside the seed.",
    "one row per issue type; the row delivered last stands",
    ("issue_type",),
    (
        _id("issue_type", "the issue type"),
        Column("examples", pl.String, "example phrases, joined by a vertical bar"),
        _text("driver", "driver that the issue type belongs to"),
        _text("sub_driver", "sub-driver"),
        SOURCE_FILE,
    ),
    daily=False,
)

PROCESS_CHANGES = Table(
    "landing/process_changes",
    "Dated changes of a process.",
    "one row per date and name",
    ("changed_on", "name"),
    (
        Column("changed_on", pl.Date, "first day of the change"),
        _id("name", "what was changed"),
        _text("campaign", "campaign that it concerns; all where NULL"),
        _text("issue_type", "issue type that it concerns; all where NULL"),
        SOURCE_FILE,
    ),
    daily=False,
)

COACHING = Table(
    "landing/coaching",
    "Coachings: an agent was coached on a parameter.",
    "one row per agent, date and parameter; the row delivered last stands",
    ("agent_id", "coached_on", "parameter"),
    (
        _id("agent_id", "the agent who was coached"),
        Column("coached_on", pl.Date, "date of the coaching"),
        _id("parameter", "parameter id, or iqs for the whole score"),
        _text("coach_id", "who coached"),
        SOURCE_FILE,
    ),
    daily=False,
)

ALERT_ACKS = Table(
    "landing/alert_acks",
    "Alerts that somebody has taken note of.",
    "one row per alert; the row delivered last stands",
    ("dedupe_key",),
    (
        _id("dedupe_key", "the alert's key, as the table alerts has it"),
        _text("acknowledged_by", "who took note of it"),
        Column("acknowledged_at", TIME, "when, UTC", optional=True),
        SOURCE_FILE,
    ),
    daily=False,
)

FILES = Table(
    "landing/files",
    "Register of the landing files: every row that was read is accepted or rejected.",
    "one row per landing file",
    ("source_file",),
    (
        SOURCE_FILE,
        Column("kind", pl.String, "interactions, transcripts, messages, agents, …"),
        Column("sha256", pl.String, "hash of the file's bytes"),
        Column("rows_read", pl.Int64, "rows in the file, less those of what was erased", at_least=0),
        Column("rows_accepted", pl.Int64, "rows that were taken", at_least=0),
        Column("rows_rejected", pl.Int64, "rows in quarantine", at_least=0),
        Column(
            "rows_superseded",
            pl.Int64,
            "accepted rows whose key was delivered again in a later file: that row stands",
            at_least=0,
        ),
        Column("rows_erased", pl.Int64, "rows of what was erased, delivered again: dropped unread", at_least=0),
        _text("unknown_columns", "columns that the interface doesn't know, joined by commas"),
    ),
    daily=False,
)

REJECTS = Table(
    "landing/rejects",
    "Rows and files of the landing folder that could not be taken, each with its reason.",
    "one row per rejected row or file",
    ("source_file", "row_number"),
    (
        SOURCE_FILE,
        Column("row_number", pl.Int64, "row in the file, from 1; 0 stands for the whole file", at_least=0),
        Column("kind", pl.String, "kind of landing file, or recordings"),
        _text("interaction_id", "the interaction's id, where it can be read"),
        Column("reason", pl.String, "reason code", one_of=tuple(QUARANTINED)),
        Column("detail", pl.String, "what exactly is wrong"),
    ),
    daily=False,
)

DAYS = Table(
    "landing/days",
    "The days for which something came in. The key changes when anything that came in for the day changes.",
    "one row per day",
    ("call_date",),
    (
        Column("call_date", pl.Date, "the day"),
        Column("interactions", pl.Int64, "interactions with that date", at_least=1),
        Column("day_key", pl.String, "fingerprint of everything that came in for the day"),
    ),
    daily=False,
)

TABLES = (
    FILES,
    REJECTS,
    DAYS,
    INTERACTIONS,
    TRANSCRIPTS,
    MESSAGES,
    AGENTS,
    SURVEYS,
    TICKETS,
    REVIEWS,
    ISSUE_TYPES,
    PROCESS_CHANGES,
    COACHING,
    ALERT_ACKS,
)

"""The kinds of landing files and what each row must hold (interfaces.md, "Files in")."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.contracts import Table, landing


@dataclass(frozen=True)
class Kind:
    """One kind of file. `required` columns reject a row; `unique` is the key that may stand once in a file."""

    name: str
    table: Table
    required: tuple[str, ...]
    unique: tuple[str, ...]
    default: dict[str, str] | None = None


# Columns of our tables that no landing file delivers.
MADE_HERE = ("call_date", "customer_key", "extra", "landing_reason", "landing_detail", "source_file")
# Columns of landing files that are not kept as they come.
PSEUDONYMISED = "customer_id"
REDACTED = ("text", "comment")
# Columns that join tables or name files: kept to the letter. A ticket's issue type is none of them.
KEPT = (
    "interaction_id",
    "agent_id",
    "ticket_id",
    "session_id",
    "reviewer_id",
    "supervisor_id",
    "coach_id",
    "parameter",
    "dedupe_key",
    "recording",
)
# Columns that name a thing: validated as ids.
IDS = (
    "interaction_id",
    "agent_id",
    "customer_id",
    "ticket_id",
    "session_id",
    "reviewer_id",
    "supervisor_id",
    "coach_id",
    "parameter",
    "issue_type",
)

KINDS = {
    k.name: k
    for k in (
        Kind(
            "interactions",
            landing.INTERACTIONS,
            ("interaction_id", "channel", "started_at", "agent_id", "campaign"),
            ("interaction_id",),
        ),
        Kind("transcripts", landing.TRANSCRIPTS, ("interaction_id", "party", "text"), ()),
        Kind(
            "messages",
            landing.MESSAGES,
            ("interaction_id", "seq", "party", "text"),
            ("interaction_id", "seq"),
        ),
        Kind("agents", landing.AGENTS, ("agent_id",), ("agent_id",)),
        Kind("surveys", landing.SURVEYS, ("interaction_id",), ("interaction_id",)),
        Kind("tickets", landing.TICKETS, ("ticket_id",), ("ticket_id",)),
        Kind(
            "reviews",
            landing.REVIEWS,
            ("session_id", "interaction_id", "reviewer_id", "parameter"),
            ("session_id", "interaction_id", "reviewer_id", "parameter"),
            {"max_rating": "100", "is_expert": "false", "not_applicable": "false"},
        ),
        Kind("issue_types", landing.ISSUE_TYPES, ("issue_type", "examples"), ("issue_type",)),
        Kind("process_changes", landing.PROCESS_CHANGES, ("changed_on", "name"), ("changed_on", "name")),
        Kind(
            "coaching",
            landing.COACHING,
            ("agent_id", "coached_on", "parameter"),
            ("agent_id", "coached_on", "parameter"),
        ),
        Kind("alert_acks", landing.ALERT_ACKS, ("dedupe_key",), ("dedupe_key",)),
    )
}


def kind_of(file_name: str) -> Kind | None:
    """The kind that a file's name begins with (`interactions-2026-03-01.csv`), or None."""
    stem = file_name.lower()
    matches = [k for k in KINDS.values() if stem.startswith(k.name)]
    return max(matches, key=lambda k: len(k.name), default=None)

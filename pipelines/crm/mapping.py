"""What of a ticket goes into which field of the CRM: a TOML file of the centre's, and the values there are."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

GENERIC, ZENDESK, HUBSPOT = "generic", "zendesk", "hubspot"
TARGETS = (GENERIC, ZENDESK, HUBSPOT)

# Values of a ticket, each from its newest scored interaction unless it says otherwise.
VALUES = {
    "iqs": "IQS",
    "iqs_mean": "mean IQS of all its scored interactions",
    "iqs_lowest": "lowest IQS of them",
    "interactions": "interactions of the ticket",
    "scored": "scored interactions of the ticket",
    "interaction_id": "the newest interaction",
    "call_date": "its date",
    "channel": "its channel",
    "agent_id": "its agent",
    "team": "the agent's team",
    "campaign": "its campaign",
    "issue_type": "its issue type",
    "resolved": "true, false or nothing: resolved by the best knowledge so far",
    "is_failed": "an interaction of the ticket failed (zero tolerance, critical parameter)",
    "empathy_score": "empathy, 0 to 100",
    "sentiment_end": "the customer's sentiment at the end, -1 to 1",
    "escalation_risk": "probability that the customer escalates, 0 to 1",
}


class CrmError(RuntimeError):
    """The CRM can't be written to as it is configured; the message says what to do."""


@dataclass(frozen=True)
class Mapping:
    """`fields`: the CRM's field -> one of VALUES; `tags`: the CRM's tag -> an alert rule that was raised on the ticket.

    Tickets whose newest interaction is more than `within_days` old are left alone.
    """

    fields: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    decimals: int = 2
    within_days: int = 30

    @classmethod
    def read(cls, path: Path, target: str) -> Mapping:
        """The mapping in a file; the generic target needs none (every value under its own name).

        Raises CrmError naming what is wrong.
        """
        if path == Path():
            if target == GENERIC:
                return cls({name: name for name in VALUES})
            raise CrmError(f"set IQS_CRM_MAPPING to a file that names the fields of your {target}: see docs/crm.md")
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CrmError(f"IQS_CRM_MAPPING: {path} can't be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CrmError(f"{path.name} is no TOML: {error}") from error
        if unknown := set(content) - {"fields", "tags", "decimals", "within_days"}:
            raise CrmError(
                f"{path.name}: unknown {', '.join(sorted(unknown))}; it takes fields, tags, decimals, within_days"
            )
        fields, tags = content.get("fields", {}), content.get("tags", {})
        for name, table in (("fields", fields), ("tags", tags)):
            if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
                raise CrmError(f'{path.name}: [{name}] takes lines such as name = "iqs"')
        for crm_field, value in fields.items():
            if value not in VALUES:
                raise CrmError(f"{path.name}: {crm_field} = {value!r}; there are {', '.join(VALUES)}")
            if target == ZENDESK and not crm_field.isdigit():
                raise CrmError(
                    f"{path.name}: {crm_field} is no Zendesk field id; ids are numbers (Admin Center, Fields)"
                )
        if tags and target == HUBSPOT:
            raise CrmError(f"{path.name}: HubSpot's tickets have no tags; use [fields]")
        for name in ("decimals", "within_days"):
            if name in content and (type(content[name]) is not int or content[name] < 0):
                raise CrmError(f"{path.name}: {name} takes a whole number")
        if not (fields or tags):
            raise CrmError(f"{path.name} names no field and no tag")
        return cls(fields, tags, content.get("decimals", 2), content.get("within_days", 30))

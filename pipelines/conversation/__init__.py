"""Who holds the floor, what happens between the parties, and the figures of it. Pure."""

from pipelines.conversation.day import conversation_version, conversations
from pipelines.conversation.events import Announcements, EventOptions, find_events
from pipelines.conversation.floor import Floor, Segment, TurnOptions, Utterance, floor_of
from pipelines.conversation.metrics import conversation_measures

__all__ = [
    "Announcements",
    "EventOptions",
    "Floor",
    "Segment",
    "TurnOptions",
    "Utterance",
    "conversation_measures",
    "conversation_version",
    "conversations",
    "find_events",
    "floor_of",
]

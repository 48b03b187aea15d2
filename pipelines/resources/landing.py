"""The landing folder as a resource."""

from datetime import date
from pathlib import Path

import dagster as dg
from pydantic import Field

from pipelines.audio.files import FoundFile, locate
from pipelines.landing import Landing, LandingOptions, expired


class LandingResource(dg.ConfigurableResource):
    """Reads `folder`, keeps what it parsed in `cache`, and never writes to the landing folder."""

    folder: str
    cache: str
    timezone: str
    recording_pattern: str
    first_day: str
    pseudonym_key: str = Field(default="", repr=False)

    @classmethod
    def of(cls, options: LandingOptions) -> "LandingResource":
        return cls(
            folder=str(options.folder),
            cache=str(options.cache),
            timezone=options.timezone,
            recording_pattern=options.recording_pattern,
            first_day=options.first_day.isoformat(),
            pseudonym_key=options.pseudonym_key,
        )

    def open(self) -> Landing:
        """One look at the landing folder; parses what is new. FileNotFoundError where the folder is missing."""
        return Landing(
            LandingOptions(
                folder=Path(self.folder),
                cache=Path(self.cache),
                timezone=self.timezone,
                recording_pattern=self.recording_pattern,
                first_day=date.fromisoformat(self.first_day),
                pseudonym_key=self.pseudonym_key,
            )
        )

    def locate(self, relative: str) -> FoundFile:
        """A recording, where it is, or was: of one that retention removed, what is known of it stands."""
        found = locate(Path(self.folder), relative)
        gone = self._expired().get(relative) if found.reason == "recording_missing" else None
        if gone is None:
            return found
        return FoundFile(found.path, identity=f"{gone.size_bytes} {gone.modified_ns}", audio_sha256=gone.audio_sha256)

    def _expired(self) -> dict[str, expired.ExpiredRecording]:
        return expired.read(Path(self.cache) / "expired.jsonl")

    def path(self, relative: str) -> Path:
        """A file of the landing folder."""
        return Path(self.folder) / relative

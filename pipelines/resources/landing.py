"""The landing folder as a resource."""

from datetime import date
from pathlib import Path

import dagster as dg
from pydantic import Field

from pipelines.landing import Landing, LandingOptions


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

    def path(self, relative: str) -> Path:
        """A file of the landing folder."""
        return Path(self.folder) / relative

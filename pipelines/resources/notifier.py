"""The channels of the alerts as a resource."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pipelines.alerts.channels import Channels
from pipelines.settings import Settings


@dataclass(frozen=True)
class Notifier:
    """Knows the channels. A plain object: Dagster shows and stores the values of its own kind, and these are secret."""

    settings: Settings

    def open(self) -> Channels:
        """The channels as they are configured now. SettingError where one of them can't be used."""
        return Channels.of(self.settings)

    @property
    def today(self) -> date:
        """The centre's date."""
        return datetime.now(ZoneInfo(self.settings.timezone)).date()

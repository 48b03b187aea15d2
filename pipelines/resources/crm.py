"""The CRM as a resource."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pipelines.crm.sync import Crm
from pipelines.settings import Settings


@dataclass(frozen=True)
class CrmAccess:
    """Knows the CRM. A plain object: Dagster shows and stores the values of its own kind, and the key is secret."""

    settings: Settings

    def open(self) -> Crm | None:
        """The CRM as it is configured now, or None. SettingError or CrmError where it can't be used."""
        return Crm.of(self.settings)

    @property
    def today(self) -> date:
        """The centre's date."""
        return datetime.now(ZoneInfo(self.settings.timezone)).date()

"""Every setting of an installation: frozen, typed, read once from the environment (`IQS_*`)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PROJECT = Path(__file__).resolve().parent.parent


class SettingError(ValueError):
    """A setting has a value that can't be used; the message names the variable and what it takes."""


def _setting(variable: str, meaning: str, **more):
    return field(metadata={"variable": variable, "meaning": meaning}, **more)


@dataclass(frozen=True)
class Settings:
    """Where things are and how they are measured. `Settings.from_environment()` reads the variables."""

    data: Path = _setting(
        "IQS_DATA",
        "root of everything that is written; s3://bucket/prefix keeps the lake there, and the rest in IQS_LOCAL",
        default=PROJECT / "data",
    )
    local: Path = _setting(
        "IQS_LOCAL", "root of what stays on this machine where IQS_DATA is in S3; empty: data", default=Path()
    )
    bucket: str = _setting(
        "IQS_BUCKET", "address of the lake in S3, said apart from IQS_DATA: s3://bucket/prefix", default=""
    )
    landing: Path = _setting("IQS_LANDING", "folder that is read and never written", default=Path())
    seeds: Path = _setting("IQS_SEEDS", "folder of the business rules", default=PROJECT / "dbt_project" / "seeds")
    timezone: str = _setting("IQS_TIMEZONE", "time zone of the call date", default="UTC")
    first_day: str = _setting("IQS_FIRST_DAY", "first daily partition", default="2020-01-01")
    recording_pattern: str = _setting(
        "IQS_RECORDING_PATTERN",
        "regular expression with named groups for recordings without a row",
        default=(
            r"(?P<interaction_id>[A-Za-z]+\d*_GUID_[A-Za-z0-9-]+)_AGENT_(?P<agent_id>[A-Za-z0-9-]+?)"
            r"(?:_CUST_(?P<customer_id>[A-Za-z0-9-]+?))?"
            r"(?:_DT_(?P<started_at>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d))?(?:_[A-Za-z]+)?$"
        ),
    )
    whisper_model: str = _setting("IQS_WHISPER_MODEL", "model name, or a folder with its files", default="base")
    whisper_language: str = _setting(
        "IQS_WHISPER_LANGUAGE", "language of recordings that came without one; auto detects it", default="auto"
    )
    whisper_fallback_language: str = _setting(
        "IQS_WHISPER_FALLBACK_LANGUAGE", "language where auto is not certain", default="en"
    )
    whisper_hotwords: Path = _setting(
        "IQS_WHISPER_HOTWORDS", "text file with names and terms to expect, one a line; empty: none", default=Path()
    )
    whisper_beam: int = _setting("IQS_WHISPER_BEAM", "beam size; 1 is the fast mode", default=5)
    workers: int = _setting("IQS_WORKERS", "processes and recognition threads", default=0)
    level_offset_db: float = _setting("IQS_LEVEL_OFFSET_DB", "dB SPL at 0 dBFS", default=81.0)
    max_recording_s: float = _setting("IQS_MAX_RECORDING_S", "longest recording that is decoded", default=8 * 3600.0)
    decode_timeout_s: float = _setting("IQS_DECODE_TIMEOUT_S", "longest time for one recording", default=300.0)
    decode_memory_mb: int = _setting("IQS_DECODE_MEMORY_MB", "memory of a decoding process", default=4096)
    run_wait_s: float = _setting("IQS_RUN_WAIT_S", "how long `iqs run` waits for another run to end", default=600.0)
    warehouse_memory: str = _setting(
        "IQS_WAREHOUSE_MEMORY",
        "most memory for building the warehouse, such as 4GB; it spills to the disk beyond (empty: 8 GB, or 80 % of "
        "the machine's)",
        default="",
    )
    table_rows: int = _setting(
        "IQS_TABLE_ROWS",
        "facts with more rows than this are published as Parquet by month with a view, and only months that changed "
        "are written again",
        default=1_000_000,
    )
    keep_publications: int = _setting("IQS_KEEP_PUBLICATIONS", "publications that are kept", default=5)
    pseudonym_key: str = _setting(
        "IQS_PSEUDONYM_KEY", "key of the customers' pseudonyms; a file is made where empty", default=""
    )
    executor: str = _setting(
        "IQS_EXECUTOR", "where steps run: celery or k8s; empty: all in the process of the run", default=""
    )
    executor_config: Path = _setting(
        "IQS_EXECUTOR_CONFIG", "configuration of that executor (a YAML file); empty: the shipped one", default=Path()
    )
    batch_audio_s: float = _setting(
        "IQS_BATCH_AUDIO_S", "seconds of sound that a worker takes at a time, with an executor", default=1800.0
    )
    dagster_yaml: Path = _setting(
        "IQS_DAGSTER_YAML", "Dagster's own configuration (a file)", default=PROJECT / "dagster.yaml"
    )
    # Where alerts go, and the CRM. Nothing is sent anywhere while these are empty.
    webhook: str = _setting("IQS_WEBHOOK", "address that gets alerts as JSON", default="", repr=False)
    webhook_secret: str = _setting("IQS_WEBHOOK_SECRET", "key that signs them", default="", repr=False)
    slack_webhook: str = _setting(
        "IQS_SLACK_WEBHOOK", "incoming webhook of Slack, Mattermost, …", default="", repr=False
    )
    smtp_host: str = _setting("IQS_SMTP_HOST", "server that alerts are mailed by", default="")
    smtp_port: int = _setting("IQS_SMTP_PORT", "its port", default=587)
    smtp_security: str = _setting("IQS_SMTP_SECURITY", "starttls, tls or none", default="starttls")
    smtp_user: str = _setting("IQS_SMTP_USER", "user name at the mail server", default="")
    smtp_password: str = _setting("IQS_SMTP_PASSWORD", "password there", default="", repr=False)
    smtp_from: str = _setting("IQS_SMTP_FROM", "sender of the mails", default="")
    smtp_to: str = _setting("IQS_SMTP_TO", "who gets what has no address in alert_routes.csv", default="")
    crm_target: str = _setting("IQS_CRM_TARGET", "generic, zendesk or hubspot", default="")
    crm_url: str = _setting("IQS_CRM_URL", "address of the CRM's API", default="")
    crm_user: str = _setting("IQS_CRM_USER", "user of an API token (Zendesk)", default="")
    crm_token: str = _setting("IQS_CRM_TOKEN", "API token", default="", repr=False)
    crm_mapping: Path = _setting("IQS_CRM_MAPPING", "TOML file that says what goes into which field", default=Path())

    def __post_init__(self) -> None:
        if self.landing == Path():
            object.__setattr__(self, "landing", self.data / "landing")
        if self.workers <= 0:
            object.__setattr__(
                self,
                "workers",
                len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            )
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingError(
                f"IQS_TIMEZONE={self.timezone!r} is no time zone; use a name such as Europe/Berlin"
            ) from error

    @property
    def dbt_threads(self) -> int:
        """Models that are built at a time: four on two cores cost a quarter more CPU, and each holds memory."""
        return min(4, self.workers)

    @property
    def lake(self) -> Path:
        return self.data / "lake"

    @property
    def warehouse(self) -> Path:
        # The file's name is its catalogue's name, by which dbt's views call each other.
        return self.data / "warehouse" / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.data / "published"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @classmethod
    def from_environment(cls, environment: dict[str, str] | None = None) -> Settings:
        """Settings from `IQS_*` variables; raises SettingError naming the variable that can't be read."""
        environment = _lake_apart(dict(os.environ) if environment is None else environment)
        values = {}
        for f in fields(cls):
            text = environment.get(f.metadata["variable"], "")
            if text == "":
                continue
            kind = type(f.default)
            try:
                values[f.name] = Path(text).expanduser().resolve() if issubclass(kind, Path) else kind(text)
            except ValueError as error:
                raise SettingError(
                    f"{f.metadata['variable']}={text!r} can't be read as {kind.__name__}: {f.metadata['meaning']}"
                ) from error
        return cls(**values)


def _lake_apart(environment: Mapping[str, str]) -> dict[str, str]:
    """IQS_DATA=s3://… told as what it means: IQS_BUCKET for the lake, and IQS_LOCAL for everything else."""
    told = dict(environment)
    if told.get("IQS_DATA", "").startswith("s3:"):
        told["IQS_BUCKET"] = told.pop("IQS_DATA")
        if told.get("IQS_LOCAL"):
            told["IQS_DATA"] = told["IQS_LOCAL"]
    if bucket := told.get("IQS_BUCKET"):
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/[^/]+)*/?", bucket):
            raise SettingError(f"IQS_DATA={bucket!r} is no address of a bucket; write s3://bucket/prefix")
        told["IQS_BUCKET"] = bucket.rstrip("/")
        if not told.get("IQS_PSEUDONYM_KEY"):
            raise SettingError(
                "IQS_DATA=s3://… needs IQS_PSEUDONYM_KEY: every machine that reads the lake must make the same "
                "pseudonyms. Set it to a long random text, the same everywhere"
            )
    return told

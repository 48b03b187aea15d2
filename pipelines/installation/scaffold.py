"""A project folder made from nothing: landing folder, settings, examples of every file, and how it is run."""

from __future__ import annotations

import csv
import io
import os
import shlex
import shutil
import sys
from dataclasses import dataclass, fields
from pathlib import Path

from pipelines.contracts import Column
from pipelines.installation.envfile import NAME as ENV_FILE
from pipelines.landing.kinds import KINDS, MADE_HERE, PSEUDONYMISED, Kind
from pipelines.settings import PROJECT, Settings


class CantMake(ValueError):
    """The folder can't be made; the message says why."""


@dataclass(frozen=True)
class Made:
    """What became of the files of a project folder, by path relative to it."""

    folder: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]


# One row of each kind, about one chat: copied into the landing folder they are a day that runs.
EXAMPLES: dict[str, tuple[dict[str, str], ...]] = {
    "interactions": (
        {
            "interaction_id": "example-1",
            "channel": "chat",
            "started_at": "2026-03-02T09:15:00+00:00",
            "ended_at": "2026-03-02T09:19:40+00:00",
            "agent_id": "007",
            "campaign": "billing",
            "customer_id": "customer-4711",
            "direction": "inbound",
            "call_type": "support",
            "language": "en",
            "issue_type": "bill_question",
            "ticket_id": "ticket-1",
            "queue": "chat-en",
            "region": "north",
            "shift": "early",
            "client": "Example Ltd",
            "consent": "true",
        },
    ),
    "messages": tuple(
        {
            "interaction_id": "example-1",
            "seq": str(i),
            "party": party,
            "text": text,
            "sent_at": f"2026-03-02T{at}+00:00",
        }
        for i, (party, at, text) in enumerate(
            (
                ("agent", "09:15:05", "Good morning, thank you for contacting us. My name is Ann. How can I help you?"),
                ("customer", "09:15:50", "I don't understand my bill, it is twice as much as last month. I'm worried."),
                (
                    "agent",
                    "09:16:40",
                    "I'm sorry about that, I can see why you are worried. Let me check your account for you.",
                ),
                ("agent", "09:18:10", "You were charged for two months at once. I have refunded the second one today."),
                ("customer", "09:19:00", "Great, that solves it. Thank you very much!"),
                ("agent", "09:19:35", "You are welcome. Is there anything else I can do? Have a nice day."),
            ),
            1,
        )
    ),
    "transcripts": (
        {
            "interaction_id": "example-1",
            "party": "agent",
            "text": "For calls whose words another system has recognised: one row per segment.",
            "seq": "1",
            "start_s": "0.4",
            "end_s": "4.1",
            "confidence": "0.93",
        },
    ),
    "agents": (
        {
            "agent_id": "007",
            "name": "Ann Example",
            "team": "billing-1",
            "supervisor_id": "s01",
            "hired_on": "2024-05-01",
            "region": "north",
            "site": "main",
        },
    ),
    "surveys": (
        {
            "interaction_id": "example-1",
            "csat": "5",
            "nps": "9",
            "answered_at": "2026-03-02T11:00:00+00:00",
            "comment": "quick and friendly",
        },
    ),
    "tickets": (
        {
            "ticket_id": "ticket-1",
            "interaction_id": "example-1",
            "customer_id": "customer-4711",
            "issue_type": "bill_question",
            "status": "solved",
            "opened_at": "2026-03-02T09:15:00+00:00",
            "resolved_at": "2026-03-02T09:19:40+00:00",
        },
    ),
    "reviews": (
        {
            "session_id": "calibration-2026-03",
            "interaction_id": "example-1",
            "reviewer_id": "r01",
            "parameter": "empathy",
            "rating": "80",
            "max_rating": "100",
            "department": "quality",
            "is_expert": "true",
            "rated_at": "2026-03-05T10:00:00+00:00",
            "not_applicable": "false",
            "comment": "asked how it came about before looking it up",
        },
    ),
    "issue_types": (
        {
            "issue_type": "meter_reading",
            "driver": "metering",
            "sub_driver": "reading",
            "examples": "I want to send you my meter reading|what does my meter say|the reading on my bill is wrong|"
            "when do you read the meter|my meter can't be read",
        },
    ),
    "process_changes": (
        {"changed_on": "2026-03-02", "name": "refunds without approval", "campaign": "billing", "issue_type": ""},
    ),
    "coaching": ({"agent_id": "007", "coached_on": "2026-03-03", "parameter": "empathy", "coach_id": "s01"},),
    "alert_acks": (
        {
            "dedupe_key": "copied-from-the-table-alerts",
            "acknowledged_by": "s01",
            "acknowledged_at": "2026-03-03T08:00:00Z",
        },
    ),
}
# Words that another system has recognised stand for those of the audio: not copied with the others.
_NOT_IN_THE_EXAMPLE_DAY = ("transcripts", "alert_acks")


def make_project(folder: Path) -> Made:
    """Make a working project folder: `cd` there and `iqs run`. What is there already is kept as it is.

    Raises CantMake where the folder is a file, holds the code itself, or can't be written.
    """
    folder = folder.expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise CantMake(f"{folder} is a file; give the name of a folder")
    if folder == PROJECT or PROJECT / "pipelines" in (folder, *folder.parents):
        raise CantMake(f"{folder} holds the code; give another folder")
    written, kept = [], []
    try:
        (folder / "landing" / "recordings").mkdir(parents=True, exist_ok=True)
        for name, text in _files(folder).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                # Passwords and tokens will stand in the settings: the owner's only, from the first byte on.
                mode = 0o600 if name == ENV_FILE else 0o755 if name.endswith(".sh") else 0o644
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            except FileExistsError:
                kept.append(name)
                continue
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            written.append(name)
    except OSError as error:
        raise CantMake(f"{folder} can't be made: {error.strerror or error} ({error.filename})") from error
    return Made(folder, tuple(written), tuple(kept))


def landing_columns(kind: Kind) -> list[str]:
    """The columns that a landing file of this kind may have, required ones first."""
    names = [c.name for c in kind.table.columns if c.name not in MADE_HERE]
    if "customer_key" in kind.table.schema:
        names.append(PSEUDONYMISED)
    return sorted(names, key=lambda n: n not in kind.required)


def settings_lines(values: dict[str, str] | None = None) -> list[str]:
    """The lines of a settings file: every setting with its meaning; those in `values` are set, the others shown."""
    values, lines = values or {}, []
    for f in fields(Settings):
        name, default = f.metadata["variable"], f.default
        shown = "" if default == Path() else str(default)
        lines.append(f"# {f.metadata['meaning']}")
        if name in values:
            lines.append(f"{name}={_quoted(values[name])}")
        else:
            lines.append(f"#{name}={_quoted(shown)}")
        lines.append("")
    return lines


def _quoted(value: str) -> str:
    """As a settings file takes it: in single quotes only the quote and the backslash are special."""
    plain = value and all(c.isalnum() or c in "_-./:+" for c in value)
    return value if plain or not value else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _files(folder: Path) -> dict[str, str]:
    """Every file of a project folder by its path, with its text."""
    iqs = shutil.which("iqs") or str(Path(sys.executable).with_name("iqs"))
    words = {"folder": str(folder), "iqs": iqs, "cd": shlex.quote(str(folder)), "run": shlex.quote(iqs)}
    set_here = {"IQS_DATA": "data", "IQS_LANDING": "landing", "IQS_DAGSTER_YAML": "config/dagster.yaml"}
    if zone := _zone():
        set_here["IQS_TIMEZONE"] = zone
    files = {
        ENV_FILE: "\n".join([*_ENV_HEAD, *settings_lines(set_here)]),
        ".gitignore": "# What people said, and what was made of it.\n/landing/\n/data/\n/.env\n/.run.lock\n/iqs.log\n",
        "README.md": _README.format(**words),
        "config/dagster.yaml": (PROJECT / "dagster.yaml").read_text(),
        "examples/README.md": _examples_page(),
        "deploy/crontab": _CRONTAB.format(**words),
        "deploy/iqs-run.service": _RUN_SERVICE.format(**words),
        "deploy/iqs-run.timer": _TIMER,
        "deploy/iqs-dagster.service": _DAGSTER_SERVICE.format(**words),
    }
    for name, kind in KINDS.items():
        place = "other/" if name in _NOT_IN_THE_EXAMPLE_DAY else ""
        files[f"examples/{place}{name}.csv"] = _csv(landing_columns(kind), EXAMPLES[name])
    return files


def _csv(columns: list[str], rows: tuple[dict[str, str], ...]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _examples_page() -> str:
    lines = [
        "# What each landing file holds",
        "",
        "A CSV, JSON Lines or Parquet file per kind, as many as you like; the kind is told by how the name begins.",
        "Columns in **bold** are required. Columns that are not listed are carried along as text.",
        "`cp examples/*.csv landing/` makes a day of one chat, so that `iqs run` has something to show. What is in",
        "`examples/other/` is for later: transcripts of another system, and alerts that somebody has taken note of.",
    ]
    for name, kind in KINDS.items():
        lines += ["", f"## {name}*", "", kind.table.meaning, "", "| column | holds | example |", "|---|---|---|"]
        for column in landing_columns(kind):
            about = _about(column, kind)
            example = EXAMPLES[name][0].get(column, "").replace("|", "\\|")
            shown = f"**{column}**" if column in kind.required else column
            lines.append(f"| {shown} | {about} | {example} |")
    return "\n".join(lines) + "\n"


def _about(name: str, kind: Kind) -> str:
    if name == PSEUDONYMISED:
        return "the customer's id; only a keyed hash of it is kept"
    column: Column = kind.table.column(name)
    text = column.meaning
    if column.one_of and len(column.one_of) < 8:
        text += f": {', '.join(column.one_of)}"
    return f"{text} [{column.unit}]" if column.unit else text


def _zone() -> str | None:
    """The machine's time zone by name, where it tells."""
    from pipelines.installation.doctor import machine_zone

    zone = machine_zone()
    return None if zone in (None, "UTC", "Etc/UTC") else zone


_ENV_HEAD = (
    "# Settings of this project folder. `iqs`, started in this folder, reads the IQS_* lines; so does Dagster.",
    "# A variable that is set in the environment overrules its line here. Relative paths start from this folder.",
    "# A line that begins with # shows the default. `iqs doctor` finds names that nothing reads.",
    "",
)

_README = """\
# IQS project folder

```sh
cd {cd}
iqs doctor                      # what is wrong, and how it is mended
cp examples/*.csv landing/      # one chat, to see that it works; remove these files afterwards
iqs run                         # measure, score, check and publish what is new in landing/
iqs report --open
iqs bi metabase                 # how a BI tool connects; `iqs bi` lists the tools
```

| path | what it is |
|---|---|
| `.env` | every setting with its meaning; readable by its owner only |
| `landing/` | what comes in: tables here, audio under `recordings/`. Never written by `iqs run` |
| `examples/` | each landing file with an example row; `examples/README.md` says what each column holds |
| `data/` | what is made: the lake (back it up), the warehouse (disposable), publications |
| `config/dagster.yaml` | Dagster's own configuration; `iqs dev` starts its UI with the sensor and the schedule |
| `deploy/` | examples for cron and systemd |
"""

_CRONTAB = """\
# Add with `crontab -e`. Runs what is new every 15 minutes; flock: never two at once.
*/15 * * * * cd {cd} && flock -n .run.lock {run} run >> iqs.log 2>&1
"""

_RUN_SERVICE = """\
# systemd: measure, score, check and publish what is new. `systemctl enable --now iqs-run.timer` starts it regularly.
[Unit]
Description=IQS run

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart={iqs} run
# 3: done, but something is in quarantine or a warning stands.
SuccessExitStatus=3
Nice=10
"""

_TIMER = """\
[Unit]
Description=IQS run every 15 minutes

[Timer]
OnBootSec=5min
OnUnitInactiveSec=15min

[Install]
WantedBy=timers.target
"""

_DAGSTER_SERVICE = """\
# systemd, instead of the timer: Dagster with its UI, the landing sensor and the nightly schedule.
[Unit]
Description=IQS on Dagster
After=network.target

[Service]
WorkingDirectory={folder}
ExecStart={iqs} dev --host 127.0.0.1 --port 3000
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""

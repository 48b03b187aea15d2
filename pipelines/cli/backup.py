"""Backup of the lake, and the way back to a whole installation from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import DONE, FAILED, REFUSED, USED_WRONGLY, CommandError, Json, app, say, summary_of
from pipelines.settings import Settings


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A folder outside the data root: empty, or with an earlier backup.")],
    as_json: Json = False,
) -> int:
    """Copy the lake, the rules, the key and the history; again into the same folder copies what is new."""
    from pipelines.backup import back_up

    settings = Settings.from_environment()
    with _told():
        done = back_up(settings, target)
    about = {
        "target": str(target),
        "made_at": done.backup.made_at,
        "files": len(done.backup.files),
        "partitions": done.backup.partitions,
        "bytes": done.backup.bytes,
        "copied_files": done.copied_files,
        "copied_bytes": done.copied_bytes,
        "dropped_files": done.dropped_objects,
        "during_a_run": done.backup.during_a_run,
    }
    if as_json:
        say(json.dumps(about))
        return DONE
    whole_mb, new_mb = done.backup.bytes / 1e6, done.copied_bytes / 1e6
    say(f"backup       {target}: {about['files']} files, {about['partitions']} partitions, {whole_mb:.1f} MB")
    say(f"copied       {done.copied_files} new, {new_mb:.1f} MB; {done.dropped_objects} dropped")
    if done.backup.during_a_run:
        say("a run was under way: after a restore the next run makes its days again")
    if settings.pseudonym_key:
        say("the key of the pseudonyms is in IQS_PSEUDONYM_KEY and not in the backup: keep it, too")
    return DONE


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A folder that `iqs backup` made.")],
    seeds: Annotated[
        str, typer.Option("--seeds", help="Where the rules differ: backup (put its rules back) or here (keep these).")
    ] = "",
    as_json: Json = False,
) -> int:
    """Restore a backup into an empty data root, and make the warehouse and the publication from it."""
    from pipelines.backup import differing_seeds, read_backup
    from pipelines.backup import restore as bring_back

    if seeds not in ("", "backup", "here"):
        raise CommandError(f"--seeds takes backup or here, not {seeds!r}", USED_WRONGLY)
    settings = Settings.from_environment()
    with _told():
        other = differing_seeds(settings, read_backup(source))
        if other and not seeds:
            raise CommandError(
                f"the rules here are not those of the backup ({', '.join(other)}): add --seeds backup to put its rules "
                f"into {settings.seeds}, or --seeds here to keep these",
                USED_WRONGLY,
            )
        made = bring_back(settings, source, with_seeds=seeds == "backup")
    say_to = sys.stderr if as_json else sys.stdout
    print(f"restored     {made.partitions} partitions of {made.made_at}", file=say_to, flush=True)
    result = _rebuild(settings)
    for failure in (*result.failed_checks, *result.errors):
        print(f"failed: {failure}", file=sys.stderr)
    if not result.success:
        print("the lake is restored, but nothing was published; `iqs run` tries again", file=sys.stderr)
        return REFUSED if result.failed_checks else FAILED
    summary = summary_of(settings)
    if as_json:
        say(json.dumps({"partitions": made.partitions, "made_at": made.made_at, **summary}))
    else:
        say(f"publication  {summary['publication']}: {summary['received']} interactions, {summary['days']} days")
    return DONE


def _rebuild(settings: Settings):
    """The warehouse and the publication from the lake, by the same job as ever."""
    from pipelines.automation.launch import from_the_lake, run_days
    from pipelines.contracts.landing import INTERACTIONS
    from pipelines.definitions import build
    from pipelines.lake import Lake

    days = Lake(settings.lake).days(INTERACTIONS)
    if not days:
        raise CommandError("the restored lake holds no day: nothing to publish; `iqs run` makes the first one")
    definitions = build(settings)
    return run_days(definitions, settings, days[0], days[-1], only=from_the_lake(definitions))


@contextmanager
def _told() -> Iterator[None]:
    """Errors of a backup as errors for the person at the terminal."""
    from pipelines.backup import BackupError, BadTarget
    from pipelines.publishing.lock import LockHeld

    try:
        yield
    except (BackupError, LockHeld) as error:
        raise CommandError(str(error), USED_WRONGLY if isinstance(error, BadTarget) else FAILED) from error

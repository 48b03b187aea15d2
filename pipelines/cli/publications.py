"""Publications: the way back."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.terminal import DONE, CommandError, app, say
from pipelines.settings import Settings


@app.command()
def rollback(publish_id: Annotated[str | None, typer.Argument(help="Default: the one before.")] = None) -> int:
    """Make an earlier publication the current one."""
    from pipelines.publishing.generations import PublicationError
    from pipelines.publishing.generations import rollback as roll
    from pipelines.publishing.lock import LockHeld

    try:
        publication = roll(Settings.from_environment().published, publish_id)
    except (PublicationError, LockHeld) as error:
        raise CommandError(str(error)) from error
    say(f"the current publication is {publication.publish_id}")
    return DONE

"""Run `moviola work`: do units of a run that `moviola plan` wrote."""

from __future__ import annotations

from typing import Annotated

import typer

from moviola.cli.console import print_json, say
from moviola.cli.options import JsonOption


def run(
    place: Annotated[str, typer.Argument(metavar="RUN", help="Folder or URL of the run.")],
    *,
    shard: Annotated[
        int | None, typer.Option(metavar="I", help="Do this shard alone, counted from 0.")
    ] = None,
    claim: Annotated[
        bool,
        typer.Option("--claim", help="Claim one shard after another until none is left (default)."),
    ] = False,
    processes: Annotated[
        int, typer.Option(min=1, help="Workers on this machine; one that dies is replaced.")
    ] = 1,
    lease: Annotated[
        float,
        typer.Option(min=1, help="Seconds of silence after which a worker's shard is given away."),
    ] = 60.0,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds without progress after which a worker gives up.")
    ] = 3600.0,
    as_json: JsonOption = False,
) -> int:
    """Work on a run, beside any number of others on any machines that see it and the videos."""
    from moviola.core import ExitCode
    from moviola.engine.launch import work
    from moviola.engine.work import WorkOptions

    if shard is not None and (claim or processes > 1):
        raise typer.BadParameter("--shard does one shard; leave --claim and --processes out")
    left = work(place, WorkOptions(lease, patience), shard=shard, processes=processes)
    if as_json:
        print_json({"shards_left": left})
    elif left:
        say(f"{left} shards are left; moviola work {place} goes on with them")
    else:
        typer.echo(f"all shards are done; next: moviola commit {place} --library LIB")
    return int(ExitCode.FAILED_ITEMS if left and shard is None else ExitCode.OK)

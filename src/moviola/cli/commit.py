"""Run `moviola commit`: take the finished units of a run into a library."""

from __future__ import annotations

from typing import Annotated

import typer

from moviola.cli.console import print_json, progress, say, say_failures
from moviola.cli.options import JsonOption, LibraryOption


def run(
    place: Annotated[str, typer.Argument(metavar="RUN", help="Folder or URL of the run.")],
    *,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> int:
    """Commit what workers have finished to a library; at any time, and as often as you like."""
    from moviola.core import ExitCode, display_path
    from moviola.core.paths import library_path
    from moviola.engine.commit import commit_run
    from moviola.engine.run_plan import RunPlan
    from moviola.engine.run_store import open_run_store

    store = open_run_store(place)
    plan = RunPlan.read(store, place)
    target = library_path(library)
    with progress("committing") as line:
        report = commit_run(
            store,
            plan,
            target,
            on_progress=lambda done, total: line.update(done=done, total=total, note="shards"),
        )
    say_failures(report.failures)
    if report.damaged:
        say(f"{report.damaged} shard files were damaged; moviola work {place} makes them again")
    if as_json:
        names = ("ok", "partial", "failed", "waiting", "damaged")
        print_json({name: getattr(report, name) for name in names})
    else:
        typer.echo(
            f"{plan.videos} videos: {report.ok} ok, {report.partial} partial, {report.failed} "
            f"failed, {report.waiting} waiting; in {display_path(target)}"
        )
    return int(ExitCode.FAILED_ITEMS if report.failed else ExitCode.OK)

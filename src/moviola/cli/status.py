"""Run `moviola status`: what a library holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moviola.cli.console import print_json, readable_bytes
from moviola.cli.options import JsonOption, LibraryOption

if TYPE_CHECKING:
    from moviola.library.status import ChannelCoverage


def run(
    place_of_run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Report on this run of `moviola plan` instead."),
    ] = None,
    *,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report what a library holds: model, segments, videos by result, clips, size, its folders.

    Of a run, report what is done, running and failed, how fast it goes and how long it may take.
    """
    if place_of_run is not None:
        _show_run(place_of_run, as_json=as_json)
        return
    from moviola.core import display_path
    from moviola.core.paths import library_path
    from moviola.pipeline.search.search import open_library

    place = library_path(library)
    opened = open_library(place)
    status, card = opened.status(), opened.card
    facts = {
        "library": str(place),
        "model": card.model,
        "segment": card.segment,
        "precision": card.precision or "unknown",
        "dimension": card.space.dimension,
        "metric": card.space.metric,
        "videos": dict(status.videos),
        "clips": status.clips,
        "missing": status.missing,
        "channels": {name: asdict(found) for name, found in status.channels.items()},
        "bytes": status.bytes,
        "roots": [str(root) for root in opened.roots()],
    }
    if as_json:
        print_json(facts)
        return
    facts["library"] = display_path(place)
    facts["videos"] = ", ".join(f"{count} {code}" for code, count in status.videos.items()) or "0"
    del facts["bytes"], facts["roots"], facts["channels"]
    facts["size"] = readable_bytes(status.bytes)
    total = sum(count for code, count in status.videos.items() if code.has_clips)
    for name, found in status.channels.items():
        facts[name] = _coverage(found, total)
    width = max(map(len, facts))
    for name, value in facts.items():
        typer.echo(f"{name:<{width}}  {value}")
    for root in opened.roots():
        note = "" if Path(root).exists() else "  (not there now)"
        typer.echo(f"{'indexed':<{width}}  {display_path(root)}{note}")


def _show_run(place: str, *, as_json: bool) -> None:
    """Print how far a run has come."""
    from moviola.engine.run_plan import RunPlan
    from moviola.engine.run_status import run_status
    from moviola.engine.run_store import open_run_store

    store = open_run_store(place)
    found = run_status(store, RunPlan.read(store, place))
    if as_json:
        print_json(asdict(found))
        return
    left = found.seconds_left
    codes = ", ".join(f"{count} {code}" for code, count in found.codes.items()) or "none yet"
    facts = {
        "shards": f"{found.shards_done} of {found.shards} done, {found.running} running",
        "videos": f"{found.videos_done} of {found.videos} done: {codes}",
        "damaged": f"{found.damaged} shard files",
        "workers lost": str(found.workers_lost),
        "rate": f"{found.rate:.2f} videos a second",
        "left": "unknown" if left is None else f"about {left / 60:.0f} min",
    }
    for name, value in facts.items():
        typer.echo(f"{name:<12}  {value}")


def _coverage(found: ChannelCoverage, total: int) -> str:
    """Say in words what a channel covers."""
    parts = [f"{found.passages} passages of {found.videos} of {total} videos"]
    parts += [f"{found.partial} partial"] if found.partial else []
    parts += [f"{found.failed} failed"] if found.failed else []
    return ", ".join(parts)

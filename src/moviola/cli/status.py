"""Run `moviola status`: what a library holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from moviola.cli.console import print_json, readable_bytes
from moviola.cli.options import JsonOption, LibraryOption

if TYPE_CHECKING:
    from moviola.library.status import ChannelCoverage


def run(*, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Report what a library holds: model, segments, videos by result, clips, size, its folders."""
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


def _coverage(found: ChannelCoverage, total: int) -> str:
    """Say in words what a channel covers."""
    parts = [f"{found.passages} passages of {found.videos} of {total} videos"]
    parts += [f"{found.partial} partial"] if found.partial else []
    parts += [f"{found.failed} failed"] if found.failed else []
    return ", ".join(parts)

"""Run `moviola repair`: make a damaged library sound again."""

from __future__ import annotations

import typer

from moviola.cli.console import print_json, progress, say
from moviola.cli.options import JsonOption, LibraryArgument


def run(library: LibraryArgument = None, *, as_json: JsonOption = False) -> int:
    """Put back what can be put back, and encode again only the videos that are damaged.

    Exit 0 where the library is whole again, 3 where a part was lost, which is named.
    """
    from moviola.cli.verify import line_of
    from moviola.core import ExitCode
    from moviola.core.paths import library_path
    from moviola.pipeline.upkeep.repair import repair

    with progress("repairing") as line:
        found = repair(
            library_path(library),
            on_progress=lambda step: line.update(
                done=step.done, total=step.total, note=f"{step.clips} clips, {step.failed} failed"
            ),
        )
    mended = len({problem.video for problem in found.mended})
    lost = len({problem.video for problem in found.lost})
    if as_json:
        print_json(
            {
                "ok": found.is_whole,
                "encoded": mended,
                "lost": [
                    {"video": problem.video, "path": str(problem.path or ""), "what": problem.what}
                    for problem in found.lost
                ],
                "left": [problem.what for problem in found.left],
            }
        )
    else:
        for problem in (*found.lost, *found.left):
            say(line_of(problem))
        again = "1 video" if mended == 1 else f"{mended} videos"
        typer.echo(f"{again} encoded again, {lost} lost")
    return int(ExitCode.OK if found.is_whole else ExitCode.FAILED_ITEMS)

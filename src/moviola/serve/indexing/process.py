"""Run the indexing that the page started: JSON in, one line of JSON a step out."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from moviola.core import MoviolaError
from moviola.core.json_text import decode_json

DEMO_VIDEOS = 24
DEMO_SEED = 2026


def main() -> int:
    """Carry out what stdin asks for; the exit code is that of `moviola index`."""
    signal.signal(signal.SIGTERM, _stop)
    asked = decode_json(sys.stdin.read())
    library, paths = Path(asked["library"]), [Path(path) for path in asked["paths"]]
    try:
        if asked["what"] == "demo":
            _render(paths[0])
        return _index(paths, library, asked["channels"], what=asked["what"])
    except MoviolaError as error:
        _print_step(message=str(error))
        return int(error.exit_code)
    except (OSError, ValueError) as error:
        _print_step(message=str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _render(folder: Path) -> None:
    """Render the videos of the demo."""
    from moviola.synthetic import shapes

    world = folder.parent
    _print_step(done=0, total=DEMO_VIDEOS, clips=0, failed=0, note="rendering videos")
    shapes.generate(world, seed=DEMO_SEED, videos={"test": DEMO_VIDEOS}, workers=2)


def _index(paths: list[Path], library: Path, channels: list[str], *, what: str) -> int:
    """Index the paths that are there."""
    from moviola.core import ExitCode
    from moviola.pipeline.index.index import index

    demo = what == "demo"
    present = [path for path in paths if path.exists() or path.is_symlink()]
    if not present:
        _print_step(message="none of the folders is there; connect the disk that they are on")
        return int(ExitCode.USAGE)
    report = index(
        present,
        library=library,
        model="shapes" if demo else None,
        segment="windows:2/1" if demo else None,
        retry=what == "retry",
        channels=channels,
        on_progress=lambda step: _print_step(
            done=step.done,
            total=step.total,
            clips=step.clips,
            failed=step.failed,
            note="reading channels" if step.channels else "",
        ),
    )
    return int(ExitCode.FAILED_ITEMS if report.failed else ExitCode.OK)


def _print_step(**told: Any) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Turn a signal into an interruption."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

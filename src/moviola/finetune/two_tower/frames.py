"""Decode the clips of a data set once, and keep their frames as the model wants to see them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import Clip, FileCode, UniformSampler
from moviola.core.json_text import decode_json
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.video import ClipRead, DecodePool, GivenSegmenter, ReadRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIXELS, _CARD = "frames.npy", "frames.json"


@dataclass(frozen=True, slots=True)
class CachedFrames:
    """Hold the frames of clips, resized and cropped, on disk.

    Attributes:
        pixels: `(N, T, 3, H, W)` uint8, memory-mapped.
        order: `(M,)` row in `pixels` of each of the clips.
        failures: paths of the videos that could not be read, with what went wrong.
    """

    pixels: NDArray[np.uint8]
    order: NDArray[np.int64]
    failures: tuple[tuple[Path, FileCode, str], ...] = ()

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read the frames `(B, T, 3, H, W)` of the clips at `rows` `(B,)`."""
        return self.pixels[self.order[rows]]


def cache_frames(
    clips: Sequence[Clip],
    folder: Path,
    preprocessing: Preprocessing,
    frames: int,
    *,
    on_progress: Callable[[int, int], Any] = lambda _done, _total: None,
) -> CachedFrames:
    """Decode clips into `folder`, unless it holds these frames already.

    Args:
        clips: M clips whose files are there.
        folder: for `frames.npy` and `frames.json`; made where it is missing.
        preprocessing: of the model.
        frames: of a clip, spread evenly.
        on_progress: told how many of how many videos are done.

    Returns:
        The frames of those clips that could be read, in their order.

    Raises:
        ValueError: when the model takes pictures of any size, so that frames cannot be stacked.
    """
    side = preprocessing.crop
    if side is None and isinstance(preprocessing.resize, tuple):
        side = preprocessing.resize
    if side is None:
        raise ValueError(
            "fine-tuning takes models that see all frames in one size; this one keeps the shape of "
            "each video (NaFlex)"
        )
    sampler = UniformSampler(frames)
    wanted = {
        "preprocessing": preprocessing.spec,
        "sampling": sampler.spec,
        "clips": [_identity(clip) for clip in clips],
    }
    card = folder / _CARD
    if card.is_file():
        found = decode_json(card.read_text(encoding="utf-8"))
        if found.get("wanted") == wanted:
            return _opened(folder, clips, found["failures"])
    folder.mkdir(parents=True, exist_ok=True)
    card.unlink(missing_ok=True)
    pixels = np.lib.format.open_memmap(
        folder / _PIXELS, "w+", np.uint8, (len(clips), frames, 3, *side)
    )
    failures: list[tuple[str, str, str]] = []
    of_file: dict[Path, list[int]] = defaultdict(list)
    for row, clip in enumerate(clips):
        of_file[clip.path].append(row)
    files = list(of_file)
    requests = (
        ReadRequest(
            number, file, GivenSegmenter(tuple(clips[row].span for row in of_file[file])), sampler
        )
        for number, file in enumerate(files)
    )
    done = 0
    with DecodePool() as pool:
        for event in pool.read(requests):
            file = files[int(event.key)]
            if isinstance(event, ClipRead):
                pixels[of_file[file][event.index]] = preprocessing.shrink(event.frames.pixels)
                continue
            done += 1
            if event.code.is_failure:
                failures.append((str(file), event.code.value, event.message))
            on_progress(done, len(files))
    pixels.flush()
    # The card comes last: without it the pixels are not known to be whole.
    card.write_text(json.dumps({"wanted": wanted, "failures": failures}), encoding="utf-8")
    return _opened(folder, clips, failures)


def _identity(clip: Clip) -> list[Any]:
    """Describe a clip so that another file, or another span of it, is told apart."""
    known = clip.path.stat()
    path = str(clip.path.absolute())
    return [clip.id, path, known.st_size, known.st_mtime_ns, clip.span.start, clip.span.end]


def _opened(folder: Path, clips: Sequence[Clip], failures: Sequence[Sequence[str]]) -> CachedFrames:
    failed = {path for path, _, _ in failures}
    return CachedFrames(
        np.load(folder / _PIXELS, mmap_mode="r"),
        np.array([row for row, clip in enumerate(clips) if str(clip.path) not in failed], np.int64),
        tuple((Path(path), FileCode(code), message) for path, code, message in failures),
    )

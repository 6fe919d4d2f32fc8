"""Turn items into prompts: the settings that the encoder and the reranker share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, get_args

from moviola.core.frames import Frames
from moviola.core.sampling import EndsRateSampler, LeftSampler
from moviola.encode.qwen_vl.network import Qwen3VLNetwork, Seen
from moviola.encode.qwen_vl.patches import LIST_FRAMES, Patches, Way
from moviola.encode.qwen_vl.prompts import Item, Layout
from moviola.encode.qwen_vl.sampling import FileSampler
from moviola.encode.runtime.frame_rates import counted_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FPS, AT_MOST = 1.0, 64
_PATCHES = 32_768
"""Patches that are seen together at most; a longer clip goes alone."""
_MTEB_LEAST = 4
"""Frames of a clip at least where mteb samples it."""
Sampler = FileSampler | LeftSampler | EndsRateSampler
_CLOCKS: dict[Way, str] = {
    "file": "seconds of the clip",
    "list": "half seconds",
    "mteb": "24ths of a second",
}


@dataclass(frozen=True, slots=True)
class VideoReading:
    """The way in which clips are sampled, resized and marked.

    Attributes:
        layout: how a video is marked in the prompt.
        frames: whether frames are prepared as those of a file, as a list of pictures, or as mteb's
            wrapper does.
        fps: frames a second of a file.
        at_most: frames of a clip at most.

    Raises:
        ValueError: when a setting has no such value.
    """

    layout: Layout = "per-frame"
    frames: Way = "file"
    fps: float = FPS
    at_most: int = AT_MOST

    def __post_init__(self) -> None:
        if self.layout not in get_args(Layout):
            raise ValueError(f"the layout is one of {get_args(Layout)}, not {self.layout!r}")
        if self.frames not in get_args(Way):
            raise ValueError(f"frames are given as one of {get_args(Way)}, not {self.frames!r}")
        if self.frames == "list" and not 1 <= self.at_most <= LIST_FRAMES:
            raise ValueError(f"a list has 1 to {LIST_FRAMES} frames, not {self.at_most}")
        _ = self.sampler  # which checks the numbers

    @classmethod
    def of_options(
        cls, layout: str, frames: str, fps: float | str, max_frames: int | str
    ) -> VideoReading:
        """Make the settings of options, whose numbers may be texts of a model's name.

        Raises:
            ValueError: when an option has no such value.
        """
        try:
            rate, count = float(fps), int(max_frames)
        except ValueError:
            raise ValueError(
                f"fps and max_frames are numbers, not {fps!r} and {max_frames!r}"
            ) from None
        # Checked by __post_init__; a name gives any text.
        return cls(layout, frames, rate, count)  # pyright: ignore[reportArgumentType]

    @property
    def sampler(self) -> Sampler:
        """Return the sampler of clips; a list takes the first frames of equal parts."""
        if self.frames == "list":
            return LeftSampler(self.at_most)
        if self.frames == "mteb":
            return EndsRateSampler(self.fps, self.at_most, _MTEB_LEAST)
        return FileSampler(self.fps, self.at_most)

    @property
    def prompt_spec(self) -> str:
        """Return the canonical text of how a video stands in the prompt, for a `Readout`."""
        clock = _CLOCKS[self.frames]
        return f"{self.layout}, {clock}"

    def see_clip(self, network: Qwen3VLNetwork, clip: Frames) -> Seen:
        """Map a clip to its vectors.

        Raises:
            ValueError: when it has no frames.
        """
        return network.see(self._clip(network, clip))

    def see_items(self, network: Qwen3VLNetwork, items: Sequence[Item]) -> list[list[Seen]]:
        """Map the videos and pictures of each item to their vectors, in the order of the prompt.

        Those of several items share passes of the vision tower.

        Raises:
            ValueError: when a clip has no frames.
        """
        waiting: list[Patches] = []
        seen: list[Seen] = []
        for patches in (each for item in items for each in self._patches(network, item)):
            if waiting and sum(len(each.values) for each in (*waiting, patches)) > _PATCHES:
                seen += network.see_all(waiting)
                waiting = []
            waiting.append(patches)
        if waiting:
            seen += network.see_all(waiting)
        rest = iter(seen)
        return [list(islice(rest, len(item.videos) + len(item.pictures))) for item in items]

    def _patches(self, network: Qwen3VLNetwork, item: Item) -> Iterator[Patches]:
        """Cut the videos, then the pictures of an item into patches."""
        for clip in item.videos:
            yield self._clip(network, clip)
        for picture in item.pictures:
            yield network.patches.picture(picture)

    def _clip(self, network: Qwen3VLNetwork, clip: Frames) -> Patches:
        """Cut a clip into patches.

        Raises:
            ValueError: when it has no frames.
        """
        if not len(clip):
            raise ValueError("a clip without frames cannot be encoded")
        return network.patches.clip(clip.pixels, counted_times(clip.times), self.frames)

    def see_item(self, network: Qwen3VLNetwork, item: Item) -> list[Seen]:
        """Map the videos and pictures of an item to their vectors, in the order of the prompt."""
        return self.see_items(network, [item])[0]

"""Cut a video where TransNet V2 sees a shot end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from moviola.core import Span, VideoInfo
from moviola.video.small_pictures import small_pictures
from moviola.video.transnet.weights import weights_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A shot ends where the network is surer than this, as its authors use it.
_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class TransNetSegmenter:
    """Cut one clip a shot by TransNet V2 (the extra `shots`), also through dissolves and fades.

    The network runs in the worker, on pictures of 48x27 pixels. It counts pictures; cuts are told
    by the pictures' own times, whatever the rate.

    Attributes:
        weights: file of the network's weights.

    Raises:
        MissingExtraError: when the weights are not installed.
        WeightsUnavailableError: when what is installed is not the published file.
    """

    weights: Path = field(default_factory=weights_file)
    #: Wall-clock seconds that the worker is allowed for each picture beyond decoding. One core took
    #: 0.014 s; on a machine with eight times as much to do it takes its time.
    seconds_a_picture: ClassVar[float] = 0.12

    @property
    def spec(self) -> str:
        """Give the canonical text, `shots:transnetv2`."""
        return "shots:transnetv2"

    def segment(self, path: Path, info: VideoInfo) -> list[Span]:
        """Find the shots of the video: at least one, ordered, together the whole.

        Raises:
            VideoUnreadableError: when the video cannot be decoded.
        """
        from safetensors.torch import load_file

        from moviola.video.transnet.network import make_network, predict

        times: list[float] = []

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for time, picture in small_pictures(path, lambda *_: (48, 27)):
                times.append(time)
                yield picture

        shares = predict(make_network(load_file(self.weights)), pictures())
        edges = [0.0, *(times[place] for place in first_pictures(shares)), info.duration]
        return [Span(a, b) for a, b in itertools.pairwise(edges) if b > a]


def first_pictures(shares: NDArray[np.float32]) -> list[int]:
    """Find the first picture of every shot but the first.

    A shot ends at the picture where a run of shares above the threshold is highest: the last
    picture before a cut, the middle of a dissolve.

    Args:
        shares: how likely a shot ends at each picture, `(T,)`.
    """
    above = np.concatenate([[False], shares > _THRESHOLD, [False]])
    changes = np.flatnonzero(above[1:] != above[:-1]).reshape(-1, 2)
    places = [int(begin + shares[begin:end].argmax()) + 1 for begin, end in changes]
    return [place for place in places if place < len(shares)]

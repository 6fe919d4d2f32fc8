"""Join neighbouring passages to windows that mean something: a line is half a sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.text_index import IndexedPassages

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Seconds of a window, unless one passage alone is longer.
WINDOW_SECONDS = 30.0
# Characters of a window that are embedded: models of sentences read no more than a page.
_MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class TextWindow:
    """Neighbouring passages of one channel of one video.

    Attributes:
        video: place of the video in `IndexedPassages.video_ids`.
        channel: place of the channel in `IndexedPassages.channel_names`.
        start: seconds.
        end: seconds.
        text: of the passages, one after the other.
    """

    video: int
    channel: int
    start: float
    end: float
    text: str

    @property
    def key(self) -> int:
        """Return 64 bits of a digest of the text, by which its vector is known."""
        digest = hashlib.blake2b(self.text.encode(errors="surrogatepass"), digest_size=8)
        return int.from_bytes(digest.digest())


def text_windows(passages: IndexedPassages, seconds: float = WINDOW_SECONDS) -> list[TextWindow]:
    """Join the passages of each channel of each video to windows of `seconds`.

    Each window begins with the first passage in the second half of the one before it, so that
    what stands at the edge of one is within another.
    """
    numbers = np.flatnonzero(passages.index.alive)
    keys = (passages.spans[numbers, 0], passages.channels[numbers], passages.videos[numbers])
    ordered = numbers[np.lexsort(keys)].tolist()
    found: list[TextWindow] = []
    for (video, channel), own in groupby(
        ordered, lambda at: (int(passages.videos[at]), int(passages.channels[at]))
    ):
        rows = list(own)
        for first, last in _cuts(passages.spans[rows], seconds):
            members = rows[first:last]
            text = " ".join(passages.text(at) for at in members)[:_MOST_CHARACTERS]
            ends = passages.spans[members]
            start, end = float(ends[0, 0]), float(ends[:, 1].max())
            found.append(TextWindow(video, channel, start, end, text))
    return found


def _cuts(spans: NDArray[np.float64], seconds: float) -> Sequence[tuple[int, int]]:
    """Cut `(n, 2)` spans, by start, into overlapping half-open ranges of at most `seconds`."""
    found: list[tuple[int, int]] = []
    first = 0
    starts, ends = spans[:, 0], spans[:, 1]
    while True:
        upto = first + 1
        last = ends[first]
        while upto < len(spans) and max(last, ends[upto]) - starts[first] <= seconds:
            last = max(last, ends[upto])
            upto += 1
        found.append((first, upto))
        if upto == len(spans):
            return found
        middle = starts[first] + seconds / 2
        later = [at for at in range(first + 1, upto) if starts[at] >= middle]
        first = later[0] if later else upto

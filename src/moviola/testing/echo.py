"""Encode colours: a toy for tests and for the documentation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from moviola.core import Frames, FrameSampler, Readout, Space, UniformSampler

if TYPE_CHECKING:
    from numpy.typing import NDArray


class EchoEncoder:
    """Encode words by their hash and pictures by their colours, in one space.

    The names of the eight corner colours of RGB point where pictures full of that colour point;
    every other word has a direction of its own that no picture has. Deterministic, needs no
    weights, and finds "red" where it is red.
    """

    dimension: ClassVar[int] = 32
    space: ClassVar[Space] = Space(model="echo", revision="1", weights="none", dimension=32)
    sampler: ClassVar[FrameSampler] = UniformSampler(4)
    video_readout: ClassVar[Readout] = Readout("corner colours", "uniform:4", pooling="mean")
    text_readout: ClassVar[Readout] = Readout("words by hash", pooling="mean")

    #: Place i holds the colour whose bits are red, green, blue.
    _colours: ClassVar[Sequence[str]] = (
        "black", "blue", "green", "cyan", "red", "magenta", "yellow", "white",
    )  # fmt: skip

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to a `(1, 32)` row."""
        return [self._unit(self._bag(text)) for text in texts]

    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode each clip to a `(1, 32)` row: shares of pixels by their nearest corner colour."""
        rows: list[NDArray[np.float32]] = []
        for frames in clips:
            corners = (frames.pixels > 127) @ np.array([4, 2, 1])
            shares = np.bincount(corners.ravel(), minlength=self.dimension) / corners.size
            rows.append(self._unit(shares))
        return rows

    def _bag(self, text: str) -> NDArray[np.float64]:
        bag = np.zeros(self.dimension)
        for word in text.lower().split():
            if word in self._colours:
                bag[self._colours.index(word)] += 1.0
            else:
                digest = hashlib.blake2b(word.encode(errors="replace"), digest_size=4).digest()
                bag[8 + int.from_bytes(digest, "little") % 23] += 0.25
        bag[31] += 1e-3  # so that an empty text has a direction too
        return bag

    @staticmethod
    def _unit(row: NDArray[np.float64]) -> NDArray[np.float32]:
        return (row / np.linalg.norm(row)).astype(np.float32)[None]

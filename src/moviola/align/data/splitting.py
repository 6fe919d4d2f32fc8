"""Split videos into training, validation and test: whole videos, never pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class VideoSplit:
    """Hold the rows of the videos of each part.

    Attributes:
        train: learned from.
        validation: watched, to choose and to stop.
        test: looked at once training is over; None where there is none.

    Raises:
        ValueError: when a video is in two parts.
    """

    train: Counts
    validation: Counts
    test: Counts | None = None

    def __post_init__(self) -> None:
        parts = [("training", self.train), ("validation", self.validation)]
        if self.test is not None:
            parts.append(("test", self.test))
        for place, (first, some) in enumerate(parts):
            for second, others in parts[place + 1 :]:
                both = np.intersect1d(some, others)
                if len(both):
                    raise ValueError(
                        f"video {both[0]} is in {first} and in {second}; split by video"
                    )

"""State what the rooms expect of each other. Structural: implement the names, inherit nothing.

What some of them can do beyond this stands in `moviola.core.abilities`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from moviola.core.datasets import RetrievalDataset
from moviola.core.embeddings import Embeddings
from moviola.core.frames import Frames
from moviola.core.items import Clip, Text
from moviola.core.results import Scores
from moviola.core.spaces import Readout, Space
from moviola.core.spans import Span
from moviola.core.videos import VideoInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FrameSampler(Protocol):
    """Choose the moments of a clip that an encoder sees. Must pickle: it runs beside the decoder.

    Its abilities are `Sized` and `Chooses`.
    """

    @property
    def spec(self) -> str:
        """Return a canonical text; equal samplers, and only they, share it."""
        ...

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return presentation times `(T,)` in seconds, never decreasing, inside `span`."""
        ...


class Segmenter(Protocol):
    """Cut a video into clips. Must pickle: it runs beside the decoder."""

    @property
    def spec(self) -> str:
        """Return a canonical text such as `windows:6/3`; only equal policies share it."""
        ...

    def segment(self, path: Path, info: VideoInfo) -> list[Span]:
        """Cut a video into spans, at least one, ordered by start."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """Map texts and clips into one space.

    Its abilities are `Hears`, `Calibrated`, `Sharpened`, `BringsScorer`, `TellsPrecision` and
    `ManyReadouts`.
    """

    @property
    def space(self) -> Space:
        """Return what its vectors may be compared with."""
        ...

    @property
    def sampler(self) -> FrameSampler:
        """Return which frames of a clip it wants."""
        ...

    @property
    def video_readout(self) -> Readout:
        """Return how the video tower is read."""
        ...

    @property
    def text_readout(self) -> Readout:
        """Return how the text tower is read."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to `(n_i, D)` float32.

        Pooled rows have unit length where the metric is cosine; rows that are not pooled keep
        their lengths, by which a mean of them weighs.
        """
        ...

    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode each clip to `(n_i, D)` float32; lengths as `encode_texts`."""
        ...


class Pooling(Protocol):
    """Make one row of many."""

    def __call__(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """Pool `(n, D)` to `(D,)`."""
        ...


@runtime_checkable
class Aligner(Protocol):
    """Map embeddings of the space that a head was fitted on into its own."""

    @property
    def space(self) -> Space:
        """Return the space of its output."""
        ...

    def align_texts(self, texts: Embeddings[Text]) -> Embeddings[Text]:
        """Map texts into the head's space."""
        ...

    def align_clips(self, clips: Embeddings[Clip]) -> Embeddings[Clip]:
        """Map clips into the head's space."""
        ...


class Scorer(Protocol):
    """Make scores out of vectors. Nothing else does."""

    def __call__(self, texts: Embeddings[Text], clips: Embeddings[Clip]) -> Scores:
        """Score every text against every clip.

        Raises:
            SpaceMismatchError: when the two do not share a space.
        """
        ...


class Dataset(Protocol):
    """Load one split of one data set."""

    def __call__(self, root: Path, split: str) -> RetrievalDataset:
        """Load clips, captions and relevance.

        Raises:
            DatasetError: naming the file and the place.
        """
        ...

"""What the rooms expect of each other. Structural: implement the names, inherit nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from moviola.core.datasets import RetrievalDataset
from moviola.core.embeddings import Embeddings
from moviola.core.frames import Frames, SoundSpec
from moviola.core.items import Clip, Text
from moviola.core.results import Scores
from moviola.core.sampling import PictureSize
from moviola.core.spaces import Readout, Space
from moviola.core.spans import Span
from moviola.core.videos import VideoInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FrameSampler(Protocol):
    """Which moments of a clip an encoder wants to see. Must pickle: it runs beside the decoder.

    One that also has `size`, a `PictureSize` (see `wanted_size`), gets its frames in that size,
    resized by FFmpeg's own filter, and names it in its `spec`.

    One that chooses among the frames themselves also has `choose(span, shown)`: it gets the
    seconds `(n,)`, n >= 1, at which the frames of the span are shown, and gives those it wants.
    """

    @property
    def spec(self) -> str:
        """A canonical text; equal samplers, and only they, share it."""
        ...

    def times(self, span: Span) -> NDArray[np.float64]:
        """Wanted presentation times `(T,)` in seconds, never decreasing, inside `span`."""
        ...


def wanted_size(sampler: FrameSampler) -> PictureSize | None:
    """The size that `sampler` wants frames in, None where the reader may choose."""
    return getattr(sampler, "size", None)


class Segmenter(Protocol):
    """How a video is cut into clips. Must pickle: it runs beside the decoder."""

    @property
    def spec(self) -> str:
        """A canonical text such as `windows:6/3`; equal policies, and only they, share it."""
        ...

    def segment(self, path: Path, info: VideoInfo) -> list[Span]:
        """Spans of the video, at least one, ordered by start."""
        ...


class VideoReader(Protocol):
    """Reads the frames of clips out of a file."""

    def read(self, path: Path, spans: Sequence[Span], sampler: FrameSampler) -> list[Frames]:
        """The sampled frames of each span.

        Raises:
            VideoUnreadableError: with one of the closed codes.
        """
        ...


@runtime_checkable
class Encoder(Protocol):
    """A model with two towers that meet in one space.

    One that hears also has `sound`, a `SoundSpec` (see `wanted_sound`); each of its clips then
    comes with `Frames.sound`.
    """

    @property
    def space(self) -> Space:
        """What its vectors may be compared with."""
        ...

    @property
    def sampler(self) -> FrameSampler:
        """Which frames of a clip it wants."""
        ...

    @property
    def video_readout(self) -> Readout:
        """How the video tower is read."""
        ...

    @property
    def text_readout(self) -> Readout:
        """How the text tower is read."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """One `(n_i, D)` float32 array a text.

        Pooled rows have unit length where the metric is cosine; rows that are not pooled keep
        their lengths, by which a mean of them weighs.
        """
        ...

    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """One `(n_i, D)` float32 array a clip; lengths as `encode_texts`."""
        ...


@runtime_checkable
class ManyReadouts(Encoder, Protocol):
    """An encoder that reads its model in several ways at once, such as at several layers.

    Its factory takes `readout`, `layers` and `pooling`, which say how; as an `Encoder` it gives
    the first of them.
    """

    @property
    def text_readouts(self) -> Mapping[str, Readout]:
        """How the text tower is read, by names that can be folders; `""` for a single one."""
        ...

    @property
    def video_readouts(self) -> Mapping[str, Readout]:
        """How the video tower is read, under the same names."""
        ...

    def read_texts(self, texts: Sequence[str]) -> list[Mapping[str, NDArray[np.float32]]]:
        """For every text `(n_i, D)` float32 under each name, as the model made them."""
        ...

    def read_videos(self, clips: Sequence[Frames]) -> list[Mapping[str, NDArray[np.float32]]]:
        """For every clip `(n_i, D)` float32 under each name, as the model made them."""
        ...


def wanted_sound(encoder: Encoder) -> SoundSpec | None:
    """The sound that `encoder` wants, None where it has no attribute `sound` or that is None."""
    return getattr(encoder, "sound", None)


class Pooling(Protocol):
    """Makes one row of many."""

    def __call__(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """`(n, D)` to `(D,)`."""
        ...


class Aligner(Protocol):
    """A trained head: maps embeddings of the space it was fitted on into its own."""

    @property
    def space(self) -> Space:
        """The space of its output."""
        ...

    def align_texts(self, texts: Embeddings[Text]) -> Embeddings[Text]:
        """Texts in the head's space."""
        ...

    def align_clips(self, clips: Embeddings[Clip]) -> Embeddings[Clip]:
        """Clips in the head's space."""
        ...


class Scorer(Protocol):
    """The only thing that makes numbers out of vectors."""

    def __call__(self, texts: Embeddings[Text], clips: Embeddings[Clip]) -> Scores:
        """Scores of every text against every clip.

        Raises:
            SpaceMismatchError: when the two do not share a space.
        """
        ...


class Dataset(Protocol):
    """Loads one split of one data set."""

    def __call__(self, root: Path, split: str) -> RetrievalDataset:
        """Clips, captions and relevance.

        Raises:
            DatasetError: naming the file and the place.
        """
        ...

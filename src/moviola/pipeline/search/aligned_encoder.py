"""Join an encoder and a head, as the vectors of a library may have gone through both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.align import Aligner
from moviola.core import (
    Clip,
    Embeddings,
    Encoder,
    Frames,
    FrameSampler,
    FrameTower,
    Precision,
    Readout,
    Shrink,
    SoundSpec,
    Space,
    Span,
    Text,
    TowerName,
    own_frame_tower,
    own_shrink,
    told_precision,
    wanted_sound,
)
from moviola.library import HEAD_NAME
from moviola.pipeline.encode.readouts import stored_clips, stored_texts
from moviola.plugins import load_encoder, precision_options

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.embeddings import ItemT

    Rows = NDArray[np.float32]


class AlignedEncoder:
    """Present an encoder and a head as one encoder, whose space is the head's.

    Args:
        encoder: whose vectors the head was fitted on.
        head: maps them.

    Raises:
        SpaceMismatchError: when the head was fitted on other vectors.
    """

    def __init__(self, encoder: Encoder, head: Aligner) -> None:
        self.encoder, self.head = encoder, head
        head.texts.require_like(encoder.space, encoder.text_readout, what="texts of the encoder")
        head.clips.require_like(encoder.space, encoder.video_readout, what="videos of the encoder")

    @property
    def space(self) -> Space:
        """Give the space of the head."""
        return self.head.space

    @property
    def sampler(self) -> FrameSampler:
        """Give the sampler of the encoder."""
        return self.encoder.sampler

    @property
    def sound(self) -> SoundSpec | None:
        """Give the sound that the encoder wants, None where it hears nothing."""
        return wanted_sound(self.encoder)

    def precision(self, tower: TowerName) -> Precision:
        """Return the encoder's; float32 where it does not tell."""
        return told_precision(self.encoder, tower) or "float32"

    @property
    def video_readout(self) -> Readout:
        """Give the encoder's readout of videos; the head belongs to the space."""
        return self.encoder.video_readout

    @property
    def text_readout(self) -> Readout:
        """Give the encoder's readout of texts; the head belongs to the space."""
        return self.encoder.text_readout

    def encode_texts(self, texts: Sequence[str]) -> list[Rows]:
        """Encode each text as a row `(1, D)` in the head's space."""
        rows = stored_texts(self.encoder, texts)
        items = [Text(str(number), text) for number, text in enumerate(texts)]
        return _split(self.head.align_texts(self._embedded(items, rows, self.text_readout)))

    def encode_videos(self, clips: Sequence[Frames]) -> list[Rows]:
        """Encode each clip as a row `(1, D)` in the head's space."""
        return self._aligned(stored_clips(self.encoder, clips))

    @property
    def shrink(self) -> Shrink | None:
        """Return what reduces frames for the encoder."""
        return own_shrink(self.encoder)

    @property
    def frame_tower(self) -> FrameTower[Rows] | None:
        """Return what encodes frames one by one, None where the encoder sees them together."""
        own = own_frame_tower(self.encoder)
        return None if own is None else _AlignedFrames(own, self._aligned)

    def _aligned(self, rows: Sequence[Rows]) -> list[Rows]:
        """Map the rows of clips into the head's space, `(1, D)` each."""
        items = [Clip(str(number), Path(), Span(0.0, 1.0)) for number in range(len(rows))]
        return _split(self.head.align_clips(self._embedded(items, rows, self.video_readout)))

    def _embedded(
        self, items: Sequence[ItemT], rows: Sequence[Rows], readout: Readout
    ) -> Embeddings[ItemT]:
        """Wrap rows of the encoder in its space."""
        return Embeddings.from_rows(items, rows, self.encoder.space, readout)


@dataclass(frozen=True, slots=True)
class _AlignedFrames:
    """Encode frames by the encoder, and map the clips that are made of them by the head."""

    tower: FrameTower[Rows]
    align: Callable[[Sequence[Rows]], list[Rows]]

    def encode_frames(self, frames: Sequence[NDArray[np.uint8]]) -> Rows:
        """Encode frames to rows `(N, D)` of the encoder."""
        return self.tower.encode_frames(frames)

    def pool_frames(self, clips: Sequence[Rows]) -> list[Rows]:
        """Make a row `(1, D)` in the head's space of the rows of each clip's frames."""
        return self.align(self.tower.pool_frames(clips))


def load_aligned(
    model: str, head: str | Path | None, precision: Precision | None = None
) -> Encoder:
    """Load the encoder `model`, with the head in a folder or of the hub where one is named.

    Raises:
        PluginNotFoundError: when there is no such encoder.
        FileNotFoundError: when there is no such head.
        SpaceMismatchError: when the head was fitted on the vectors of another encoder.
        StoreCorruptError: when the head is damaged.
    """
    encoder = load_encoder(model, **precision_options(model, precision))
    return encoder if head is None else AlignedEncoder(encoder, Aligner.from_pretrained(head))


def head_of(library: Path) -> Path | None:
    """Find the folder of the head that a library's vectors went through; None without one."""
    folder = library / HEAD_NAME
    return folder if folder.is_dir() else None


def _split(aligned: Embeddings[ItemT]) -> list[Rows]:
    """List the rows `(1, D)` of each item."""
    return [np.asarray(aligned.rows(number), np.float32) for number in range(len(aligned))]

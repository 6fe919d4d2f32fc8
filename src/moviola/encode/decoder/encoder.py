"""An encoder out of a video language model: captions and clips by the same hidden states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from moviola.core import (
    Frames,
    FrameSampler,
    Precision,
    Readout,
    SoundSpec,
    Space,
    TowerName,
)
from moviola.encode.decoder.inputs import DecoderInputs, Piece, Words
from moviola.encode.decoder.packing import read_rows, read_vectors
from moviola.encode.decoder.presets import TowerReadouts
from moviola.encode.decoder.readouts import DecoderReadout

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    Rows = NDArray[np.float32]


class Backbone(Protocol):
    """A video language model in parts. A part loads when it is first used, and not before."""

    @property
    def space(self) -> Space:
        """Return the space of its hidden states."""
        ...

    @property
    def depth(self) -> int:
        """Return the number of layers of the decoder."""
        ...

    @property
    def sampler(self) -> FrameSampler:
        """Tell which frames it sees."""
        ...

    @property
    def sound(self) -> SoundSpec | None:
        """Tell which sound it hears, if any."""
        ...

    @property
    def preprocessing(self) -> str:
        """Tell what becomes of frames and sound before they are vectors, for a `Readout`."""
        ...

    @property
    def words(self) -> str:
        """Tell what becomes of captions before they are tokens, for a `Readout`."""
        ...

    @property
    def precision(self) -> Precision:
        """Return the precision of its weights."""
        ...

    def decoder(self) -> nn.Module:
        """Return the layers and the norm, which take `inputs_embeds`."""
        ...

    def inputs(self, rows: Sequence[Sequence[Piece]]) -> DecoderInputs:
        """Assemble what the decoder reads for some rows, padded to one batch."""
        ...

    def caption(self, text: str, at_most: int) -> list[Piece | Words]:
        """Return what stands for a caption: its first `at_most` tokens."""
        ...

    def pieces(self, clips: Sequence[Frames]) -> list[list[Piece | Words]]:
        """Return the vectors that stand for each clip, and the words among them."""
        ...

    def row(
        self, prompt: str, content: Sequence[Piece | Words], clip: Frames | None = None
    ) -> list[Piece]:
        """Put the content of a caption, or of a clip, into a prompt; never an empty row."""
        ...


class DecoderEncoder:
    """Reads one model in several ways from as few passes as there are prompts and masks.

    Args:
        backbone: the model.
        readouts: by name; as an `Encoder` it gives the first.
        at_most: tokens of a caption; later ones are cut off.
    """

    def __init__(
        self, backbone: Backbone, readouts: Mapping[str, TowerReadouts], *, at_most: int = 512
    ) -> None:
        self.backbone = backbone
        self._at_most = at_most
        depth = backbone.depth
        self._texts = {name: both.text for name, both in readouts.items()}
        self._videos = {name: both.video for name, both in readouts.items()}
        for name, readout in self._texts.items():
            if readout.tokens == "video":
                raise ValueError(f"the readout {name!r} takes a caption's video, which it has not")
        self._text_readouts = {
            name: readout.record(depth, preprocessing=backbone.words, sampling=f"tokens:{at_most}")
            for name, readout in self._texts.items()
        }
        heard = [backbone.sound.spec] if backbone.sound else []
        self._video_readouts = {
            name: readout.record(
                depth,
                preprocessing=backbone.preprocessing,
                sampling=" ".join([backbone.sampler.spec, *heard]),
            )
            for name, readout in self._videos.items()
        }
        self._first = next(iter(readouts))

    @property
    def space(self) -> Space:
        """Return the space of the model's hidden states, all layers alike."""
        return self.backbone.space

    @property
    def sampler(self) -> FrameSampler:
        """Tell which frames the model sees."""
        return self.backbone.sampler

    @property
    def sound(self) -> SoundSpec | None:
        """Tell which sound it hears."""
        return self.backbone.sound

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of the weights, through which texts and clips go alike."""
        del tower
        return self.backbone.precision

    @property
    def text_readouts(self) -> Mapping[str, Readout]:
        """Tell how captions are read, by name."""
        return self._text_readouts

    @property
    def video_readouts(self) -> Mapping[str, Readout]:
        """Tell how clips are read, by name."""
        return self._video_readouts

    @property
    def text_readout(self) -> Readout:
        """Return the first of `text_readouts`."""
        return self._text_readouts[self._first]

    @property
    def video_readout(self) -> Readout:
        """Return the first of `video_readouts`."""
        return self._video_readouts[self._first]

    def encode_texts(self, texts: Sequence[str]) -> list[Rows]:
        """Encode each text to `(n_i, D)` float32 by the first readout; a unit row if pooled."""
        first = {self._first: self._texts[self._first]}
        return [_directed(rows, self.text_readout) for rows in self._of_texts(texts, first)]

    def encode_videos(self, clips: Sequence[Frames]) -> list[Rows]:
        """Encode each clip to `(n_i, D)` float32 by the first readout; a unit row if pooled.

        Raises:
            ValueError: when a clip has no frames.
        """
        first = {self._first: self._videos[self._first]}
        return [_directed(rows, self.video_readout) for rows in self._of_videos(clips, first)]

    def read_texts(self, texts: Sequence[str]) -> list[Mapping[str, Rows]]:
        """Encode every text to its rows `(n_i, D)` under each readout, as the model made them."""
        return self._of_texts(texts, self._texts)

    def read_videos(self, clips: Sequence[Frames]) -> list[Mapping[str, Rows]]:
        """Encode every clip to its rows `(n_i, D)` under each readout, as the model made them.

        Raises:
            ValueError: when a clip has no frames.
        """
        return self._of_videos(clips, self._videos)

    def _of_texts(
        self, texts: Sequence[str], readouts: Mapping[str, DecoderReadout]
    ) -> list[Mapping[str, Rows]]:
        content = [self.backbone.caption(text, self._at_most) for text in texts]

        def row(prompt: str, place: int) -> list[Piece]:
            return self.backbone.row(prompt, content[place])

        return self._through_decoder(len(texts), row, readouts)

    def _of_videos(
        self, clips: Sequence[Frames], readouts: Mapping[str, DecoderReadout]
    ) -> list[Mapping[str, Rows]]:
        if any(len(clip) == 0 for clip in clips):
            raise ValueError("a clip without frames cannot be encoded")
        if not clips:
            return []
        content = self.backbone.pieces(clips)
        depth = self.backbone.depth
        deep = {n: each for n, each in readouts.items() if each.needs_decoder(depth)}
        shallow = {n: each for n, each in readouts.items() if n not in deep}
        vectors = [read_vectors(row, list(shallow.values())) for row in content]
        found = [dict(zip(shallow, rows, strict=True)) for rows in vectors]
        if not deep:
            return list(found)

        def row(prompt: str, place: int) -> list[Piece]:
            return self.backbone.row(prompt, content[place], clips[place])

        deeper = self._through_decoder(len(clips), row, deep)
        return [{**own, **rest} for own, rest in zip(found, deeper, strict=True)]

    def _through_decoder(
        self,
        count: int,
        row: Callable[[str, int], list[Piece]],
        readouts: Mapping[str, DecoderReadout],
    ) -> list[Mapping[str, Rows]]:
        """Read rows by name of `count` inputs, each of which `row` puts into a prompt."""
        found: list[dict[str, Rows]] = [{} for _ in range(count)]
        for prompt in dict.fromkeys(readout.prompt for readout in readouts.values()):
            asked = {n: each for n, each in readouts.items() if each.prompt == prompt}
            rows = read_rows(
                self.backbone.decoder(),
                self.backbone.inputs,
                [row(prompt, place) for place in range(count)],
                list(asked.values()),
            )
            for own, read in zip(found, rows, strict=True):
                own.update(zip(asked, read, strict=True))
        return list(found)


def _directed(read: Mapping[str, Rows], readout: Readout) -> Rows:
    (rows,) = read.values()
    if readout.pooling == "none":
        return rows
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))

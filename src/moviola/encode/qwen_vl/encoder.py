"""Qwen3-VL-Embedding (arXiv 2601.04720): texts, pictures, clips and mixtures in one space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from moviola.core.abilities import Precision, TowerName
from moviola.core.frames import Frames
from moviola.core.spaces import Readout, Space
from moviola.encode.qwen_vl.network import Prompt, Qwen3VLNetwork, Seen
from moviola.encode.qwen_vl.prompts import (
    REPRESENT,
    Item,
    embedding_prompt,
    settle_instruction,
    write_content,
)
from moviola.encode.qwen_vl.reading import AT_MOST, FPS, Sampler, VideoReading
from moviola.encode.runtime.hub import fetch
from moviola.encode.runtime.prefixes import prefix_length, unit_prefixes
from moviola.encode.runtime.reduced_precision import load_measured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

Recipe = Literal["published", "mteb"]
MSRVTT_QUERY = "Find the video clip that matches the given caption."
"""What mteb 2.26 tells of the captions of MSR-VTT, and nothing of its videos."""
_LENGTH = 8192
"""Tokens of a text at most. Clips and pictures are never cut: 30 s of 720p are 10,800 vectors, on
which the published class fails."""


class Qwen3VLEncoder:
    """Encode items as the state at the last token of their prompt, of unit length.

    Args:
        network: the model.
        space: of exactly these weights and this length.
        reading: how clips are sampled, resized and marked.
        query_instruction: what the model is told of texts.
        document_instruction: what the model is told of clips and pictures.

    Raises:
        ValueError: when the space is longer than the model's states.
    """

    def __init__(
        self,
        network: Qwen3VLNetwork,
        space: Space,
        reading: VideoReading,
        *,
        query_instruction: str = REPRESENT,
        document_instruction: str = REPRESENT,
    ) -> None:
        self._network = network
        self._space = space
        self._dimension = prefix_length(space.dimension, network.width)
        self._reading = reading
        self._query = settle_instruction(query_instruction)
        self._document = settle_instruction(document_instruction)

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights and this length of vectors."""
        return self._space

    @property
    def sampler(self) -> Sampler:
        """Return the frames of a clip."""
        return self._reading.sampler

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        return Readout(
            preprocessing=f"{self._network.patches.spec} frames:{self._reading.frames}",
            sampling=self._reading.sampler.spec,
            prompt=f"{self._document} ({self._reading.prompt_spec})",
            tokens="last",
            pooling="last",
        )

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(
            preprocessing="tokens",
            sampling=f"tokens:{_LENGTH}",
            prompt=self._query,
            tokens="last",
            pooling="last",
        )

    def precision(self, tower: TowerName) -> Precision:
        """Return the precision of the weights, the same for `"clips"` and `"texts"`."""
        del tower
        return self._network.precision

    def encode_texts(
        self,
        texts: Sequence[str],
        *,
        instruction: str | None = None,
        dimension: int | None = None,
    ) -> list[Rows]:
        """Encode each text to a `(1, D)` float32 row of unit length.

        Args:
            texts: longer ones than 8,192 tokens lose their ends, as with the published class; an
                empty one is the word `NULL`, as with it.
            instruction: in place of the encoder's own for queries.
            dimension: length of the vectors in place of the encoder's own.

        Raises:
            ValueError: when a dimension is longer than the model's.
        """
        told = self._query if instruction is None else instruction
        prompts = [self.prompt(Item(text), (), instruction=told) for text in texts]
        return self._rows(prompts, dimension)

    def encode_documents(self, texts: Sequence[str], *, dimension: int | None = None) -> list[Rows]:
        """Encode each text, as a document, to a `(1, D)` float32 row of unit length.

        Raises:
            ValueError: when a dimension is longer than the model's.
        """
        return self.encode_texts(texts, instruction=self._document, dimension=dimension)

    def encode_videos(
        self,
        clips: Sequence[Frames],
        *,
        instruction: str | None = None,
        dimension: int | None = None,
    ) -> list[Rows]:
        """Encode each clip to a `(1, D)` float32 row of unit length.

        A clip of one frame shows it twice, and a clip of an odd number its last one.

        Args:
            clips: of at least one frame each.
            instruction: in place of the encoder's own for documents.
            dimension: length of the vectors in place of the encoder's own.

        Raises:
            ValueError: when a clip has no frames, or a dimension is longer than the model's.
        """
        items = [Item(videos=(clip,)) for clip in clips]
        return self.encode_items(items, instruction=instruction, dimension=dimension)

    def encode_images(
        self,
        pictures: Sequence[NDArray[np.uint8]],
        *,
        instruction: str | None = None,
        dimension: int | None = None,
    ) -> list[Rows]:
        """Encode each picture `(H, W, 3)` uint8 to a `(1, D)` float32 row of unit length.

        Raises:
            ValueError: when a dimension is longer than the model's.
        """
        items = [Item(pictures=(picture,)) for picture in pictures]
        return self.encode_items(items, instruction=instruction, dimension=dimension)

    def encode_items(
        self,
        items: Sequence[Item],
        *,
        instruction: str | None = None,
        dimension: int | None = None,
    ) -> list[Rows]:
        """Encode each mixture of videos, pictures and a text to a `(1, D)` float32 row.

        Raises:
            ValueError: when a clip has no frames, or a dimension is longer than the model's.
        """
        told = self._document if instruction is None else instruction
        prompts = [
            self.prompt(item, seen, instruction=told)
            for item, seen in zip(items, self._reading.see_items(self._network, items), strict=True)
        ]
        return self._rows(prompts, dimension)

    def prompt(self, item: Item, seen: Sequence[Seen], *, instruction: str) -> Prompt:
        """Write and tokenize the prompt of an item whose videos and pictures were seen.

        Raises:
            ValueError: when the text holds marks that stand for pictures beside pictures.
        """
        content = write_content(item.text, [each.patches for each in seen], self._reading.layout)
        return self._network.tokenize(embedding_prompt(instruction, content), seen, length=_LENGTH)

    def _rows(self, prompts: Sequence[Prompt], dimension: int | None) -> list[Rows]:
        """Read prompts to rows: a prefix of the last state, of unit length."""
        length = self._dimension
        if dimension is not None:
            length = prefix_length(dimension, self._network.width)
        return unit_prefixes(self._network.last_states(prompts), length)


def load(
    model: str,
    revision: str | None = None,
    *,
    recipe: Recipe = "published",
    layout: str | None = None,
    frames: str | None = None,
    fps: float | str = FPS,
    max_frames: int | str = AT_MOST,
    dimension: int | None = None,
    query_instruction: str | None = None,
    document_instruction: str = REPRESENT,
    precision: Precision | None = None,
) -> Qwen3VLEncoder:
    """Load Qwen3-VL-Embedding from the hub or a folder.

    Args:
        model: an id such as `Qwen/Qwen3-VL-Embedding-2B`, or a folder.
        revision: a commit, branch or tag.
        recipe: `"published"`, or `"mteb"` to sample, resize, mark and prompt as mteb's wrapper does
            for MSR-VTT; then layout and frames are decided.
        layout: `"per-frame"`, which None means, marks every two frames alone, as the published
            numbers were made; `"wrapped"` marks the whole video as well, as transformers does from
            5.10 on.
        frames: `"file"`, which None means, prepares frames as those of a file, `"list"` as a list
            of pictures, which are resized twice and told at two a second.
        fps: frames a second of a file.
        max_frames: of a clip.
        dimension: length of the vectors, prefixes of the whole; None for all of it.
        query_instruction: what the model is told of texts; None for that of the recipe.
        document_instruction: what the model is told of clips and pictures.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU, where it keeps the
            vectors of texts, and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value.
    """
    if recipe not in get_args(Recipe):
        raise ValueError(f"the recipe is one of {get_args(Recipe)}, not {recipe!r}")
    if recipe == "mteb" and not (layout is None and frames is None):
        raise ValueError("recipe=mteb decides layout and frames; leave them out")
    told = MSRVTT_QUERY if recipe == "mteb" else REPRESENT
    usual = ("wrapped", "mteb") if recipe == "mteb" else ("per-frame", "file")
    reading = VideoReading.of_options(layout or usual[0], frames or usual[1], fps, max_frames)
    checkpoint = fetch(model, revision=revision)

    def made(precision: Precision | None) -> Qwen3VLEncoder:
        network = Qwen3VLNetwork(checkpoint.folder, precision=precision)
        space = Space(
            model=checkpoint.model,
            revision=checkpoint.revision,
            weights=network.weights,
            dimension=network.width if dimension is None else dimension,
        )
        return Qwen3VLEncoder(
            network,
            space,
            reading,
            query_instruction=told if query_instruction is None else str(query_instruction),
            document_instruction=str(document_instruction),
        )

    return load_measured(made, precision)

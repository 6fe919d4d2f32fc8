"""EmbeddingGemma 2 as an encoder: the mean over all tokens of a prompt, of unit length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from moviola.core.abilities import Precision, TowerName
from moviola.core.errors import WeightsUnavailableError
from moviola.core.frames import Frames
from moviola.core.paths import display_path
from moviola.core.spaces import Readout, Space
from moviola.encode.embedding_gemma.network import EmbeddingGemma, Prompt
from moviola.encode.embedding_gemma.patches import PatchProcessor
from moviola.encode.embedding_gemma.sampling import StepSampler
from moviola.encode.runtime.frame_rates import counted_times
from moviola.encode.runtime.hub import fetch
from moviola.encode.runtime.prefixes import prefix_length, unit_prefixes
from moviola.encode.runtime.preprocessing import stored_config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

RETRIEVE = "search result"
_DOCUMENT = "title: {title} | text: "
_LENGTH = 8192
"""Tokens of a text at most; clips, pictures and sound are never cut."""
_PICTURE, _SOUND = "<|image|>", "<|audio|>"


class EmbeddingGemmaEncoder:
    """Encode texts as queries, and clips, pictures and sound as documents.

    Args:
        network: the model.
        space: of exactly these weights and this length.
        frames: how the frames of clips are prepared.
        pictures: how pictures are prepared.
        sampler: of the frames of clips.
        instruction: the task that queries are told.
        timestamps: whether frames are told with their times.

    Raises:
        ValueError: when the space is longer than the model's vectors.
    """

    def __init__(
        self,
        network: EmbeddingGemma,
        space: Space,
        *,
        frames: PatchProcessor,
        pictures: PatchProcessor,
        sampler: StepSampler,
        instruction: str = RETRIEVE,
        timestamps: bool = False,
    ) -> None:
        self._network = network
        self._space = space
        self._dimension = prefix_length(space.dimension, network.width)
        self._frames, self._pictures = frames, pictures
        self._sampler = sampler
        self._instruction = instruction.strip() or RETRIEVE
        self._timestamps = timestamps

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights and this length of vectors."""
        return self._space

    @property
    def sampler(self) -> StepSampler:
        """Return the frames of a clip."""
        return self._sampler

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        times = " with times of the clip" if self._timestamps else ""
        return Readout(
            preprocessing=self._frames.spec,
            sampling=self._sampler.spec,
            prompt=f"{_DOCUMENT.format(title='none')}<video>{times}",
            pooling="mean",
        )

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(
            preprocessing="tokens",
            sampling=f"tokens:{_LENGTH}",
            prompt=_query(self._instruction, "<text>"),
            pooling="mean",
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
        """Encode each text, as a query, to a `(1, D)` float32 row of unit length.

        Args:
            texts: longer ones than 8,192 tokens lose their ends.
            instruction: the task, in place of the encoder's own.
            dimension: length of the vectors in place of the encoder's own.

        Raises:
            ValueError: when a dimension is longer than the model's.
        """
        task = self._instruction if instruction is None else instruction
        return self._rows([self.prompt(_query(task, text)) for text in texts], dimension)

    def encode_documents(
        self, texts: Sequence[str], *, title: str = "", dimension: int | None = None
    ) -> list[Rows]:
        """Encode each text, as a document under a title, to a `(1, D)` float32 row.

        Raises:
            ValueError: when a dimension is longer than the model's.
        """
        head = _DOCUMENT.format(title=title.strip() or "none")
        return self._rows([self.prompt(head + text) for text in texts], dimension)

    def encode_videos(
        self, clips: Sequence[Frames], *, text: str = "", dimension: int | None = None
    ) -> list[Rows]:
        """Encode each clip to a `(1, D)` float32 row of unit length.

        Args:
            clips: of at least one frame each.
            text: that stands behind each clip.
            dimension: length of the vectors in place of the encoder's own.

        Raises:
            ValueError: when a clip has no frames, or a dimension is longer than the model's.
        """
        return self._rows([self.clip_prompt(clip, text) for clip in clips], dimension)

    def encode_images(
        self, pictures: Sequence[NDArray[np.uint8]], *, dimension: int | None = None
    ) -> list[Rows]:
        """Encode each picture `(H, W, 3)` uint8 to a `(1, D)` float32 row of unit length.

        Raises:
            ValueError: when a dimension is longer than the model's.
        """
        return self._rows([self.picture_prompt(picture) for picture in pictures], dimension)

    def encode_sounds(
        self, sounds: Sequence[NDArray[np.float32]], *, dimension: int | None = None
    ) -> list[Rows]:
        """Encode each sound `(N,)`, 16,000 samples a second, to a `(1, D)` float32 row.

        Only its first 30 seconds are heard.

        Raises:
            ValueError: when a dimension is longer than the model's.
        """
        return self._rows([self.sound_prompt(sound) for sound in sounds], dimension)

    def clip_prompt(self, clip: Frames, text: str = "") -> Prompt:
        """Write the prompt of a clip as a document.

        Raises:
            ValueError: when it has no frames, or the text holds marks that stand for pictures.
        """
        if not len(clip):
            raise ValueError("a clip without frames cannot be encoded")
        patches = self._frames(clip.pixels)
        block = f"<|image>{_PICTURE * patches.vectors}<image|>"
        blocks = block * len(clip)
        if self._timestamps:
            blocks = " ".join(f"{_clock(time)} {block}" for time in counted_times(clip.times))
        behind = f" {text}" if text else ""
        prompt = self.prompt(
            _DOCUMENT.format(title="none") + blocks + behind, self._network.see(patches)
        )
        ids = torch.where(prompt.ids == self._network.image_id, self._network.video_id, prompt.ids)
        return Prompt(ids, prompt.vectors)

    def picture_prompt(self, picture: NDArray[np.uint8], *, query: bool = False) -> Prompt:
        """Write the prompt of a picture `(H, W, 3)`, as a document or a query."""
        patches = self._pictures(picture[None])
        head = _query(self._instruction, "") if query else _DOCUMENT.format(title="none")
        block = f"<|image>{_PICTURE * patches.vectors}<image|>"
        return self.prompt(head + block, self._network.see(patches))

    def sound_prompt(self, sound: NDArray[np.float32]) -> Prompt:
        """Write the prompt of a sound `(N,)` as a document."""
        heard = self._network.hear(sound)
        block = f"<|audio>{_SOUND * len(heard)}<audio|>"
        return self.prompt(_DOCUMENT.format(title="none") + block, heard)

    def prompt(self, written: str, vectors: Tensor | None = None) -> Prompt:
        """Tokenize a prompt with a mark for each of the vectors `(N, D)`.

        Raises:
            ValueError: when it has another number of marks.
        """
        network = self._network
        clean = written.encode(errors="replace").decode()
        cut = {} if vectors is not None else {"truncation": True, "max_length": _LENGTH}
        ids = torch.tensor(network.tokenizer(clean, **cut).input_ids)
        marks = torch.tensor([network.image_id, network.video_id, network.audio_id])
        if vectors is not None and int(torch.isin(ids, marks).sum()) != len(vectors):
            raise ValueError(
                f"a text holds marks that stand for pictures, such as {_PICTURE}; leave them out"
            )
        return Prompt(ids, vectors)

    def _rows(self, prompts: Sequence[Prompt], dimension: int | None) -> list[Rows]:
        """Read prompts to rows: a prefix of the mean, of unit length."""
        length = self._dimension
        if dimension is not None:
            length = prefix_length(dimension, self._network.width)
        return unit_prefixes(self._network.mean_states(prompts), length)


def load(
    model: str,
    revision: str | None = None,
    *,
    fps: float | str | None = None,
    max_frames: int | str | None = None,
    vectors: int | None = None,
    timestamps: int | None = None,
    dimension: int | None = None,
    query_instruction: str = RETRIEVE,
    precision: Precision | None = None,
) -> EmbeddingGemmaEncoder:
    """Load EmbeddingGemma 2 from the hub or a folder.

    Args:
        model: an id such as `google/embeddinggemma-2`, or a folder.
        revision: a commit, branch or tag.
        fps: frames a second of a clip; None for what the checkpoint says, as with the next three.
        max_frames: of a clip.
        vectors: of a frame at most.
        timestamps: 1 to tell frames with their times.
        dimension: length of the vectors, prefixes of the whole; None for all of it.
        query_instruction: the task that queries are told.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value.
    """
    checkpoint = fetch(model, revision=revision)
    told = stored_config(checkpoint.folder, "video_processor")
    pictures = stored_config(checkpoint.folder, "image_processor")
    if not told or not pictures:
        raise WeightsUnavailableError(
            f"{display_path(checkpoint.folder)} does not say how frames are prepared: it has no "
            f"processor_config.json"
        )
    try:
        sampler = StepSampler(
            float(told.get("fps", 1) if fps is None else fps),
            int(told.get("max_frames", 32) if max_frames is None else max_frames),
        )
        budget = int(told.get("max_soft_tokens", 70) if vectors is None else vectors)
    except ValueError as error:
        raise ValueError(f"fps, max_frames and vectors are positive numbers: {error}") from None
    if budget < 1:
        raise ValueError(f"a frame has at least one vector, not {vectors}")
    network = EmbeddingGemma(checkpoint.folder, precision=precision)
    space = Space(
        model=checkpoint.model,
        revision=checkpoint.revision,
        weights=network.weights,
        dimension=network.width if dimension is None else dimension,
    )
    return EmbeddingGemmaEncoder(
        network,
        space,
        frames=PatchProcessor(budget),
        pictures=PatchProcessor(int(pictures.get("max_soft_tokens", 280))),
        sampler=sampler,
        instruction=str(query_instruction),
        timestamps=bool(told.get("add_timestamps", False) if timestamps is None else timestamps),
    )


def _query(task: str, text: str) -> str:
    """Write the prompt of a query."""
    return f"task: {task} | query: {text}"


def _clock(seconds: float) -> str:
    """Write seconds as `MM:SS`, rounded."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"

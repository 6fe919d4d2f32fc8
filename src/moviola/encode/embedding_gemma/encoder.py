"""EmbeddingGemma 2 as an encoder: the mean over all tokens of a prompt, of unit length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from moviola.core.abilities import Precision, TowerName
from moviola.core.frames import Frames, SoundSpec
from moviola.core.spaces import Readout, Space
from moviola.encode.embedding_gemma.network import EmbeddingGemma, Prompt
from moviola.encode.embedding_gemma.patches import PatchProcessor
from moviola.encode.embedding_gemma.prompts import (
    PICTURE,
    RETRIEVE,
    document_head,
    frame_blocks,
    picture_marks,
    query_prompt,
    sound_marks,
    sounded_blocks,
)
from moviola.encode.embedding_gemma.sampling import StepSampler
from moviola.encode.runtime.batching import pack
from moviola.encode.runtime.frame_rates import counted_times
from moviola.encode.runtime.prefixes import prefix_length, unit_prefixes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

_LENGTH = 8192
"""Tokens of a text at most; clips, pictures and sound are never cut."""
_FRAMES = 64
"""Frames that are seen together at most; a longer clip goes alone."""
_HEARD = SoundSpec(16_000, 1)


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
        sound: whether the sound of clips is heard between their frames, which then have times.

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
        sound: bool = False,
    ) -> None:
        self._network = network
        self._space = space
        self._dimension = prefix_length(space.dimension, network.width)
        self._frames, self._pictures = frames, pictures
        self._sampler = sampler
        self._instruction = instruction.strip() or RETRIEVE
        self._timestamps = timestamps or sound
        self._hears = sound

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights and this length of vectors."""
        return self._space

    @property
    def sampler(self) -> StepSampler:
        """Return the frames of a clip."""
        return self._sampler

    @property
    def sound(self) -> SoundSpec | None:
        """Return the wanted sound: one channel, where it is heard."""
        return _HEARD if self._hears else None

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        times = " with times of the clip" if self._timestamps else ""
        return Readout(
            preprocessing=self._frames.spec,
            sampling=" ".join([self._sampler.spec, *([_HEARD.spec] if self._hears else [])]),
            prompt=f"{document_head()}<video>{times}",
            pooling="mean",
        )

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(
            preprocessing="tokens",
            sampling=f"tokens:{_LENGTH}",
            prompt=query_prompt(self._instruction, "<text>"),
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
        return self._rows([self.prompt(query_prompt(task, text)) for text in texts], dimension)

    def encode_documents(
        self, texts: Sequence[str], *, title: str = "", dimension: int | None = None
    ) -> list[Rows]:
        """Encode each text, as a document under a title, to a `(1, D)` float32 row.

        Raises:
            ValueError: when a dimension is longer than the model's.
        """
        head = document_head(title)
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
        return self._rows(self.clip_prompts(clips, text), dimension)

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

    def clip_prompts(self, clips: Sequence[Frames], text: str = "") -> list[Prompt]:
        """Write the prompts of clips as documents; frames of several clips are seen together.

        Raises:
            ValueError: when one has no frames, or the text holds marks that stand for pictures.
        """
        if not all(map(len, clips)):
            raise ValueError("a clip without frames cannot be encoded")
        found: dict[int, Prompt] = {}
        for places in pack(list(map(len, clips)), _FRAMES):
            patches = [self._frames(clips[place].pixels) for place in places]
            seen = self._network.see_all(patches)
            for place, own, vectors in zip(places, patches, seen, strict=True):
                found[place] = self._clip_prompt(clips[place], own.vectors, vectors, text)
        return [found[place] for place in range(len(clips))]

    def _clip_prompt(self, clip: Frames, each: int, seen: Tensor, text: str) -> Prompt:
        """Write the prompt of a clip whose frames were seen to `(T * each, D)`."""
        behind = f" {text}" if text else ""
        if not self._timestamps:
            marks, vectors = picture_marks(each) * len(clip), seen
        else:
            marks, vectors = self._timed(clip, each, seen)
        prompt = self.prompt(document_head() + marks + behind, vectors)
        ids = torch.where(prompt.ids == self._network.image_id, self._network.video_id, prompt.ids)
        return Prompt(ids, prompt.vectors)

    def _timed(self, clip: Frames, each: int, seen: Tensor) -> tuple[str, Tensor]:
        """Write frames behind their times, and their seconds of sound, with all their vectors.

        Args:
            clip: of at least one frame.
            each: vectors of a frame.
            seen: `(T * each, D)`.
        """
        times = counted_times(clip.times)
        # A file without sound is shown as one whose sound nobody asked for.
        if not self._hears or clip.sound is None or not clip.sound.samples.size:
            return " ".join(block.text for block in frame_blocks(times, each)), seen
        samples = clip.sound.samples[0]
        heard = self._network.hear(samples)
        blocks = sounded_blocks(times, each, len(heard), len(samples) / clip.sound.rate)
        sides = {False: seen, True: heard}
        vectors = torch.cat([sides[block.heard][block.start : block.end] for block in blocks])
        return " ".join(block.text for block in blocks), vectors

    def picture_prompt(self, picture: NDArray[np.uint8], *, query: bool = False) -> Prompt:
        """Write the prompt of a picture `(H, W, 3)`, as a document or a query."""
        patches = self._pictures(picture[None])
        head = query_prompt(self._instruction, "") if query else document_head()
        return self.prompt(head + picture_marks(patches.vectors), self._network.see(patches))

    def sound_prompt(self, sound: NDArray[np.float32]) -> Prompt:
        """Write the prompt of a sound `(N,)` as a document."""
        heard = self._network.hear(sound)
        return self.prompt(document_head() + sound_marks(len(heard)), heard)

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
                f"a text holds marks that stand for pictures, such as {PICTURE}; leave them out"
            )
        return Prompt(ids, vectors)

    def _rows(self, prompts: Sequence[Prompt], dimension: int | None) -> list[Rows]:
        """Read prompts to rows: a prefix of the mean, of unit length."""
        length = self._dimension
        if dimension is not None:
            length = prefix_length(dimension, self._network.width)
        return unit_prefixes(self._network.mean_states(prompts), length)

"""A chat model as a decoder with readouts: whole prompts, and its own count of positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from moviola.encode.chat.prompts import Turn, cut_text, tokenize_row, write_prompt
from moviola.encode.decoder.inputs import DecoderInputs, Kind, Piece, Words, assemble
from moviola.encode.runtime.batching import run_batched

if TYPE_CHECKING:
    from moviola.core.abilities import Precision
    from moviola.core.frames import Frames
    from moviola.core.protocols import FrameSampler
    from moviola.core.spaces import Space
    from moviola.encode.chat.network import ChatNetwork
    from moviola.encode.chat.vision import Content, Vision


class ChatBackbone:
    """A chat model of transformers, whose clips a `Vision` sees.

    Args:
        network: the parts of the model.
        vision: its eyes.
        space: of exactly these weights.
        turn: what stands around every prompt.
    """

    def __init__(
        self,
        network: ChatNetwork,
        vision: Vision,
        space: Space,
        *,
        turn: Turn,
    ) -> None:
        self.network = network
        self._space = space
        self.tokenizer = network.tokenizer
        self.vision = vision
        self.turn = turn
        self.precision: Precision = network.precision

    @property
    def space(self) -> Space:
        """Return the space of its hidden states."""
        return self._space

    @property
    def depth(self) -> int:
        """Return the number of layers of the language model."""
        return len(self.network.language.layers)

    @property
    def sampler(self) -> FrameSampler:
        """Return the frames of a clip."""
        return self.vision.sampler

    @property
    def sound(self) -> None:
        """Return None: it hears nothing."""
        return

    @property
    def preprocessing(self) -> str:
        """Tell what becomes of frames, and what stands around a prompt."""
        return f"{self.vision.spec} {self.turn.spec}"

    @property
    def words(self) -> str:
        """Tell that captions are tokenised with their prompts, and what stands around those."""
        return f"whole prompts, {self.turn.spec}"

    @property
    def device(self) -> torch.device:
        """Return where the language model is."""
        return self.network.device

    def decoder(self) -> nn.Module:
        """Return the layers of the language model."""
        return self.network.language

    def head(self) -> nn.Module:
        """Return the layer from states to words."""
        return self.network.head

    def inputs(self, rows: Sequence[Sequence[Piece]]) -> DecoderInputs:
        """Assemble rows of pieces as the language model reads them."""
        joined = assemble(rows, self.network.language.get_input_embeddings())
        further: dict[str, Any] = {}
        if any(piece.deepstack for row in rows for piece in row):
            further = _deepstack(rows, joined.mask)
        if not self.vision.counts_places:
            return joined
        positions = joined.positions.new_zeros(3, *joined.positions.shape)
        for number, row in enumerate(rows):
            counted = count_places(row)
            positions[:, number, : counted.shape[1]] = counted.to(positions.device)
        return replace(joined, positions=positions, further=further)

    def caption(self, text: str, at_most: int) -> list[Piece | Words]:
        """Return the words of a caption, up to its first `at_most` tokens."""
        return [Words(Kind.TEXT, cut_text(self.tokenizer, text, at_most))]

    def pieces(self, clips: Sequence[Frames]) -> list[list[Piece | Words]]:
        """Encode every clip, one after the other, for they differ in size."""

        def see(batch: Sequence[Frames]) -> list[list[Piece | Words]]:
            return [self.vision.see(clip) for clip in batch]

        return run_batched(see, clips, 1)

    def row(self, prompt: str, content: Content, clip: Frames | None = None) -> list[Piece]:
        """Put the content of a caption, or of a clip, into a prompt and a user's turn.

        Raises:
            ValueError: when the prompt asks for the times of frames.
        """
        del clip
        return tokenize_row(
            self.tokenizer, write_prompt(prompt, content, self.turn), self.vision.pad
        )


def count_places(row: Sequence[Piece]) -> Tensor:
    """Count the positions `(3, L)` of a row in time, rows and columns (M-RoPE).

    A token of text takes the same of all three and goes on by one; vectors stand at their places,
    counted from there.
    """
    counter = 0
    found: list[Tensor] = []
    for piece in row:
        if piece.places is None:
            found.append((torch.arange(len(piece)) + counter).expand(3, -1))
            counter += len(piece)
        else:
            found.append(piece.places + counter)
            counter += piece.advance
    return torch.cat(found, dim=1)


def _deepstack(rows: Sequence[Sequence[Piece]], mask: Tensor) -> dict[str, Any]:
    """Tell which positions `(B, L)` get vectors behind the first layers, and which those are."""
    shown = torch.zeros_like(mask, dtype=torch.bool)
    stacks: list[tuple[Tensor, ...]] = []
    for number, row in enumerate(rows):
        at = 0
        for piece in row:
            if piece.deepstack:
                shown[number, at : at + len(piece)] = True
                stacks.append(piece.deepstack)
            at += len(piece)
    levels = [torch.cat(level).to(mask.device) for level in zip(*stacks, strict=True)]
    return {"visual_pos_masks": shown, "deepstack_visual_embeds": levels}

"""Turn a clip into the vectors and words that a chat model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from moviola.core.errors import WeightsUnavailableError
from moviola.encode.decoder.inputs import Kind, Piece, Words

if TYPE_CHECKING:
    from moviola.core.frames import Frames
    from moviola.core.protocols import FrameSampler

Content = Sequence[Piece | Words]


class Vision(Protocol):
    """The eyes of a chat model: its sampler, its processor, its vision tower."""

    @property
    def sampler(self) -> FrameSampler:
        """Tell which frames it sees."""
        ...

    @property
    def spec(self) -> str:
        """Return the canonical text of what becomes of frames, for a `Readout`."""
        ...

    @property
    def pad(self) -> str:
        """Return the token that stands for a vector."""
        ...

    @property
    def counts_places(self) -> bool:
        """Tell whether positions are counted in time, rows and columns."""
        ...

    def see(self, clip: Frames) -> list[Piece | Words]:
        """Map a clip of at least one frame to its vectors, and the words between them."""
        ...


def words(text: str) -> Words:
    """Make a stretch of a prompt."""
    return Words(Kind.PROMPT, text)


def token_of(tokenizer: Any, number: int) -> str:
    """Return the token of a number that a configuration tells.

    Raises:
        WeightsUnavailableError: when the tokenizer has none.
    """
    token = tokenizer.convert_ids_to_tokens(number) if number is not None else None
    if not isinstance(token, str):
        raise WeightsUnavailableError(
            f"the tokenizer has no token {number}, which config.json tells; fetch the model again"
        )
    return token


def places_of(groups: Sequence[int], rows: int, columns: int) -> Tensor:
    """Count the places `(3, T * rows * columns)` of vectors in time, rows and columns.

    Args:
        groups: time of each of T groups.
        rows: of vectors of a group.
        columns: of vectors of a group.
    """
    axes = (torch.tensor(groups), torch.arange(rows), torch.arange(columns))
    return torch.stack([axis.flatten() for axis in torch.meshgrid(*axes, indexing="ij")])

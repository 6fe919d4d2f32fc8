"""Rows of a decoder in batches of like lengths, read and put back into their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from moviola.encode.decoder.hidden_states import StatePool, read_decoder
from moviola.encode.decoder.inputs import DecoderInputs, Piece, Words
from moviola.encode.decoder.readouts import DecoderReadout
from moviola.encode.runtime.batching import run_packed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Row = Sequence[Piece]
    #: One array `(n, H)` for each readout.
    Read = tuple[NDArray[np.float32], ...]

#: Positions of a batch, padding included.
POSITIONS = 4096


def read_rows(
    decoder: nn.Module,
    join: Callable[[Sequence[Row]], DecoderInputs],
    rows: Sequence[Row],
    readouts: Sequence[DecoderReadout],
    *,
    positions: int = POSITIONS,
) -> list[Read]:
    """Read every row by every readout; rows of like lengths share a batch.

    Args:
        decoder: the layers.
        join: makes one batch of some rows.
        rows: pieces of each input, nothing empty.
        readouts: what to read; their prompts are in the rows already.
        positions: at most so many in a batch, unless one row alone is longer.

    Raises:
        MemoryError: when even a single row does not fit.
        ValueError: when a readout asks for a layer that there is not.
    """

    def read(batch: Sequence[Row]) -> list[Read]:
        return list(zip(*read_decoder(decoder, join(batch), readouts), strict=True))

    return run_packed(read, rows, [sum(map(len, row)) for row in rows], positions)


@torch.inference_mode()
def read_vectors(row: Sequence[Piece | Words], readouts: Sequence[DecoderReadout]) -> Read:
    """Read the vectors of one row where they go in, by readouts that need no decoder."""
    vectors = [
        (piece.kind, piece.content)
        for piece in row
        if isinstance(piece, Piece) and isinstance(piece.content, Tensor)
    ]
    states = torch.cat([content for _, content in vectors])[None]
    kinds = torch.tensor([[kind for kind, content in vectors for _ in range(len(content))]])
    return tuple(StatePool(readout, kinds)(states)[0] for readout in readouts)

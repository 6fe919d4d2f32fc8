"""Assemble what a language model reads: pieces of text, video and sound, padded to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import torch
from torch import Tensor, nn


class Kind(IntEnum):
    """The kind of thing that stands at a position."""

    PADDING = 0
    BOS = 1
    PROMPT = 2
    TEXT = 3
    VIDEO = 4
    AUDIO = 5


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one kind: token ids, or vectors (n, H) that already are embeddings.

    Attributes:
        kind: what stands there.
        content: ids or vectors.
        places: `(3, n)` of vectors in time, rows and columns, for models that count positions so;
            None for one after the other.
        advance: by how much positions have gone on behind vectors that have `places`.
        deepstack: `(n, H)` each, added to vectors behind the first layers.
    """

    kind: Kind
    content: tuple[int, ...] | Tensor
    places: Tensor | None = None
    advance: int = 0
    deepstack: tuple[Tensor, ...] = ()

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Words:
    """A stretch of words that is tokenised together with what stands around it."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class DecoderInputs:
    """A batch as the language model reads it.

    Attributes:
        embeds: (B, L, H).
        mask: (B, L) int64, 1 where a row has something, 0 where it is padded.
        positions: (B, L) int64, counted from each row's own first token; 0 on padding. (3, B, L)
            for models that count time, rows and columns.
        kinds: (B, L) int64 of `Kind`.
        further: what else the language model takes, by the names of its arguments.
    """

    embeds: Tensor
    mask: Tensor
    positions: Tensor
    kinds: Tensor
    further: Mapping[str, Any] = field(default_factory=dict[str, Any])


def row_of_ids(segments: Sequence[Sequence[int]], vectors: Sequence[Piece]) -> list[Piece]:
    """Make a prompt of token ids, whose `segments` (the first with BOS) stand around `vectors`.

    Raises:
        ValueError: there is not one segment more than there are vectors.
    """
    if len(segments) != len(vectors) + 1:
        raise ValueError(
            f"a prompt with {len(segments) - 1} places cannot hold {len(vectors)} pieces"
        )
    first, *others = segments
    row = [Piece(Kind.BOS, tuple(first[:1])), Piece(Kind.PROMPT, tuple(first[1:]))]
    for piece, segment in zip(vectors, others, strict=True):
        row += [piece, Piece(Kind.PROMPT, tuple(segment))]
    return row


def assemble(
    rows: Sequence[Sequence[Piece]],
    embedding: nn.Module,
    *,
    padding: Literal["right", "left"] = "right",
) -> DecoderInputs:
    """Embed each row's pieces, put them one behind the other, and pad to the longest row.

    `embedding` is the language model's. Padding is zero vectors that the mask hides: nothing
    that is read depends on its side.

    Raises:
        ValueError: there is no row, a row is empty, or an id lies outside the vocabulary.
    """
    if not rows or not all(sum(map(len, row)) for row in rows):
        raise ValueError("a language model reads at least one token a row")
    if not isinstance(embedding, nn.Embedding):
        raise TypeError(f"expected the embedding of a language model, got {type(embedding)}")
    weight = embedding.weight
    embedded = [torch.cat([_vectors(piece, embedding) for piece in row]) for row in rows]
    longest = max(map(len, embedded))
    embeds = weight.new_zeros(len(rows), longest, weight.shape[1])
    mask = torch.zeros(len(rows), longest, dtype=torch.long, device=weight.device)
    kinds = torch.full_like(mask, Kind.PADDING)
    for i, (row, vectors) in enumerate(zip(rows, embedded, strict=True)):
        at = slice(len(vectors)) if padding == "right" else slice(longest - len(vectors), longest)
        embeds[i, at] = vectors
        mask[i, at] = 1
        kinds[i, at] = torch.tensor([piece.kind for piece in row for _ in range(len(piece))]).to(
            weight.device
        )
    return DecoderInputs(embeds, mask, (mask.cumsum(1) - 1).clip(min=0) * mask, kinds)


def _vectors(piece: Piece, embedding: nn.Embedding) -> Tensor:
    weight = embedding.weight
    if isinstance(piece.content, Tensor):
        return piece.content.to(weight)
    if any(not 0 <= number < embedding.num_embeddings for number in piece.content):
        raise ValueError(
            f"token ids must lie in [0, {embedding.num_embeddings}), got {max(piece.content)}; "
            "markers of videos are replaced by vectors, never embedded"
        )
    return embedding(torch.tensor(piece.content, device=weight.device, dtype=torch.long))

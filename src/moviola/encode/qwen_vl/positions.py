"""Count the positions of a Qwen3-VL prompt in time, rows and columns (M-RoPE)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor


def count_positions(
    ids: Sequence[int], pads: Collection[int], cells: Sequence[tuple[int, int]]
) -> Tensor:
    """Count the positions `(3, L)` of token ids: time, row, column.

    A token of text advances all three by one. The vectors of a group of frames, or of a picture,
    share their time and stand at their rows and columns; the text after them goes on behind the
    longer edge.

    Args:
        ids: of the prompt, L of them.
        pads: ids that stand for vectors of pictures.
        cells: rows and columns of every group, in their order.

    Raises:
        ValueError: when the prompt has other groups of pads than `cells` says.
    """
    columns: list[Tensor] = []
    counter, at = 0, 0
    waiting = list(cells)
    while at < len(ids):
        if ids[at] not in pads:
            columns.append(torch.full((3, 1), counter))
            counter += 1
            at += 1
            continue
        rows, width = waiting.pop(0) if waiting else (0, 0)
        count = rows * width
        if not count or len(ids) < at + count or any(i not in pads for i in ids[at : at + count]):
            raise ValueError(
                "a text holds marks that stand for pictures, such as <|video_pad|>; leave them out"
            )
        place = torch.arange(count)
        columns.append(
            counter + torch.stack([torch.zeros_like(place), place // width, place % width])
        )
        counter += max(rows, width)
        at += count
    if waiting:
        raise ValueError(f"the prompt has no place for {len(waiting)} groups of frames")
    return torch.cat(columns, dim=1)

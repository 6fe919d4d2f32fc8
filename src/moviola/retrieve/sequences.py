"""Find one thing after another: the best chain of clips in a video, by dynamic programming."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def best_chains(
    scores: NDArray[np.floating],
    spans: NDArray[np.float64],
    offsets: NDArray[np.int64],
    *,
    within: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find for each clip the best chain of k clips of its video that ends with it.

    A chain takes one clip a step, in order: each begins after the one before it begins, and at
    most `within` seconds later. Its score is the mean over its steps, so that one strong step
    does not make up for a missing one more than the others can.

    Args:
        scores: `(k, n)` score of every clip for every step.
        spans: `(n, 2)` starts and ends in seconds, ascending within each video.
        offsets: `(V + 1,)` video v owns clips `offsets[v]:offsets[v + 1]`.
        within: seconds from the start of one step to the start of the next, at most.

    Returns:
        `(n,)` scores, minus infinity where no chain ends, and `(k, n)` the clips of each chain.

    Raises:
        ValueError: when shapes do not fit together, or `within` is not positive.
    """
    steps, count = scores.shape
    if spans.shape != (count, 2) or offsets[-1] != count or not within > 0:
        raise ValueError(
            f"chains need scores (k, n), spans (n, 2), offsets up to n and seconds above 0, got "
            f"{scores.shape}, {spans.shape}, {offsets[-1]} and {within}"
        )
    total = scores[0].astype(np.float64)
    chains = np.empty((steps, count), np.int64)
    chains[0] = np.arange(count)
    first, last = _predecessors(spans[:, 0], offsets, within)
    for step in range(1, steps):
        before = _range_argmax(total, first, last)
        reachable = before >= 0
        chains[:step] = chains[:step, np.where(reachable, before, 0)]
        chains[step] = np.arange(count)
        total = np.where(reachable, total[before] + scores[step], -np.inf)
    return total / steps, chains


def _predecessors(
    starts: NDArray[np.float64], offsets: NDArray[np.int64], within: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find for each clip the half-open range of clips that may come one step before it."""
    # Every video on a stretch of its own, so that one sorted search serves all of them.
    owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    room = (float(starts.max()) if starts.size else 0.0) + within + 1.0
    line = owners * room + starts
    first = np.searchsorted(line, line - within - 1e-6, side="left")
    return np.maximum(first, offsets[owners]), np.searchsorted(line, line - 1e-6, side="left")


def _range_argmax(
    values: NDArray[np.float64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the maximum over each `[first, last)`, -1 for empty ranges (by a sparse table)."""
    lengths = last - first
    longest = int(lengths.max(initial=0))
    found = np.full(values.size, -1, np.int64)
    table = np.arange(values.size)
    width = 1
    while width <= longest:
        # `table[i]` is the place of the maximum of `width` values from i on.
        here = np.flatnonzero((lengths >= width) & (lengths < 2 * width))
        left, right = table[first[here]], table[last[here] - width]
        found[here] = np.where(values[left] >= values[right], left, right)
        reach = values.size - 2 * width + 1
        if reach < 1:
            break
        left, right = table[:reach], table[width : width + reach]
        table = np.where(values[left] >= values[right], left, right)
        width *= 2
    return found

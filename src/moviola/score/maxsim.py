"""Score many rows an item by late interaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Embeddings, Scores, Text
from moviola.core.row_codes import RowCodes
from moviola.score.vectors import notes_for, unit_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Cosines held at a time, 64 MiB of float32.
_BLOCK = 16 << 20


def maxsim(texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool = False) -> Scores:
    """Average the best cosine of each row of a text with any row of the clip: `(texts, clips)`.

    The sum of Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via
    Contextualized Late Interaction over BERT", 2020, section 3.3, divided by the number of text
    rows, so that long and short texts have scores of one scale. With one row an item it is the
    cosine.

    Args:
        texts: any number of rows a text.
        clips: any number of rows a clip.
        unaligned: compare vectors of two spaces all the same; the scores say so in their notes.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when a row is zero, NaN or infinite.
    """
    notes = notes_for(texts, clips, unaligned=unaligned)
    return Scores(
        queries=[text.id for text in texts.items],
        gallery=[clip.id for clip in clips.items],
        matrix=interact(unit_rows(texts), texts.offsets, unit_rows(clips), clips.offsets),
        notes=notes,
    )


def interact(
    text_rows: NDArray[np.float32],
    text_offsets: NDArray[np.int64],
    clip_rows: NDArray[np.float32] | RowCodes,
    clip_offsets: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Score N texts and M clips, `(N, M)`, from their unit rows; those of clips may be codes.

    Args:
        text_rows: `(m, D)` rows of the texts, text after text.
        text_offsets: `(N + 1,)`, text i owns rows `text_offsets[i]:text_offsets[i + 1]`.
        clip_rows: `(m, D)` rows of the clips, clip after clip.
        clip_offsets: `(M + 1,)`, as `text_offsets`.
    """
    matrix = np.empty((len(text_offsets) - 1, len(clip_offsets) - 1), np.float32)
    lengths = np.diff(text_offsets).astype(np.float32)[:, None]
    for some_clips in _groups(clip_offsets, _BLOCK // 64):
        own, clip_starts = _bounds(clip_offsets, some_clips)
        clip_part = clip_rows.take(own) if isinstance(clip_rows, RowCodes) else clip_rows[own]
        for some_texts in _groups(text_offsets, max(1, _BLOCK // max(1, len(clip_part)))):
            asked, text_starts = _bounds(text_offsets, some_texts)
            best = np.maximum.reduceat(_multiply(text_rows[asked], clip_part), clip_starts, axis=1)
            sums = np.add.reduceat(best, text_starts, axis=0)
            matrix[some_texts, some_clips] = sums / lengths[some_texts]
    return matrix


def _groups(offsets: NDArray[np.int64], rows: int) -> Iterator[slice]:
    """Cut slices of neighbouring items of at most `rows` rows together, one item at least."""
    first = 0
    while first < len(offsets) - 1:
        last = int(np.searchsorted(offsets, int(offsets[first]) + rows, side="right")) - 1
        last = max(last, first + 1)
        yield slice(first, last)
        first = last


def _bounds(offsets: NDArray[np.int64], items: slice) -> tuple[slice, NDArray[np.int64]]:
    """Find the rows of some items, and where each item begins among them."""
    bounds = offsets[items.start : items.stop + 1]
    return slice(int(bounds[0]), int(bounds[-1])), bounds[:-1] - bounds[0]


def _multiply(
    texts: NDArray[np.float32], clips: NDArray[np.float32] | RowCodes
) -> NDArray[np.float32]:
    """Multiply rows of texts `(t, D)` with those of clips, `(t, c)`."""
    return clips.multiply(texts) if isinstance(clips, RowCodes) else texts @ clips.T

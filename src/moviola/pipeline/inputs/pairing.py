"""Which video each text describes: from row numbers, from ids, or from their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Embeddings, Qrels, Text, display_path
from moviola.evaluate.trec import read_qrels
from moviola.pipeline.inputs.arrays import read_array, read_integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMBERED = re.compile(r"(.+)-\d+", re.DOTALL)


def pair(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    *,
    index: str | None = None,
    by_row: bool = True,
) -> Qrels:
    """Text id to the one video that it describes.

    With `index` the row numbers there decide. Otherwise ids do, where they can: `video7890-3`
    belongs to `video7890`, and a text that is called like a video to that video. Where no id fits
    and the counts are equal, row i belongs to row i.

    Args:
        texts: N texts.
        clips: M videos.
        index: a file of `(N,)` whole numbers, rows of the videos from 0.
        by_row: whether row i may belong to row i; False where only ids can tell.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when a number is out of range, ids fit in part only, or nothing says which
            text belongs to which video.
    """
    text_ids = [text.id for text in texts.items]
    clip_ids = [clip.id for clip in clips.items]
    if index is not None:
        rows = read_index(index, len(text_ids), len(clip_ids))
        return _one_each(text_ids, [clip_ids[row] for row in rows])
    if not (_is_numbered(text_ids) and _is_numbered(clip_ids)):
        found = owners(text_ids, clip_ids)
        lost = [name for name, owner in zip(text_ids, found, strict=True) if owner is None]
        if not lost:
            return _one_each(text_ids, [str(owner) for owner in found])
        if len(lost) < len(text_ids) or not by_row:
            raise ValueError(
                f"{len(lost)} of {len(text_ids)} texts name no video that is there, the first of "
                f"them {lost[0]!r} (video7890-3 belongs to video7890); add the videos, leave the "
                f"texts out, or say with --caption-video which row is whose"
            )
    if len(text_ids) == len(clip_ids):
        return _one_each(text_ids, clip_ids)
    raise ValueError(
        f"there are {len(text_ids)} texts and {len(clip_ids)} videos, and no ids that say which "
        f"belongs to which; give --caption-video INDEX.npy: the row of its video for every text, "
        f"from 0"
    )


def owners(texts: Sequence[str], clips: Sequence[str]) -> list[str | None]:
    """For each text id the video id that it names, None where there is no such video.

    Where every text is called like a video, those are the pairs, whatever their names end in.
    """
    known = set(clips)
    if all(name in known for name in texts):
        return list(texts)
    found: list[str | None] = []
    for name in texts:
        numbered = _NUMBERED.fullmatch(name)
        if numbered and numbered[1] in known:
            found.append(numbered[1])
        else:
            found.append(name if name in known else None)
    return found


def read_index(spec: str, texts: int, videos: int) -> NDArray[np.int64]:
    """`(texts,)` rows of the videos, from 0, read from a file.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: naming the place of what is not a row of the videos.
    """
    rows = read_integers(spec)
    shown = display_path(spec)
    if rows.shape != (texts,):
        raise ValueError(f"{shown} has shape {rows.shape}; for {texts} texts it must be ({texts},)")
    outside = np.flatnonzero((rows < 0) | (rows >= videos))
    if len(outside):
        first = int(outside[0])
        hint = "; are these ids? Row numbers are wanted" if len(outside) == texts else ""
        raise ValueError(
            f"{shown}[{first}] is {rows[first]}; there are {videos} videos, rows 0 to "
            f"{videos - 1}{hint}"
        )
    return rows


def read_row_pairs(path: Path, texts: Sequence[str], videos: Sequence[str]) -> Qrels:
    """Relevance from an `(m, 2)` file of pairs: row of the text, row of the video, from 0.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: naming the place of what is not such a pair.
    """
    shown = display_path(path)
    array = read_array(str(path))
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise ValueError(f"{shown} has shape {array.shape}; pairs of rows are (m, 2)")
    pairs = read_integers(str(path))
    sizes = np.array([len(texts), len(videos)])
    outside = np.argwhere((pairs < 0) | (pairs >= sizes))
    if len(outside):
        row, column = (int(part) for part in outside[0])
        what = ("texts", "videos")[column]
        raise ValueError(
            f"{shown}[{row}, {column}] is {pairs[row, column]}; there are {sizes[column]} {what}, "
            f"rows 0 to {sizes[column] - 1}"
        )
    relevant: dict[str, set[str]] = {}
    for text, video in pairs:
        relevant.setdefault(texts[int(text)], set()).add(videos[int(video)])
    return Qrels({text: frozenset(ids) for text, ids in relevant.items()})


def read_relevance(path: Path, texts: Sequence[str], videos: Sequence[str]) -> Qrels:
    """Relevance from TREC qrels, or from an `(m, 2)` `.npy` of row pairs.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when an id or a row is not there.
        DatasetError: naming the line that is not of qrels.
    """
    if path.suffix.lower() == ".npy":
        return read_row_pairs(path, texts, videos)
    qrels = read_qrels(path)
    known, shown = (set(texts), set(videos)), display_path(path)
    rows = texts[0] == "0"
    hint = "; rows of an array are called by their number, from 0" if rows else ""
    for text, ids in qrels.relevant.items():
        if text not in known[0]:
            raise ValueError(f"{shown}: there is no text {text!r}{hint}")
        for video in sorted(ids - known[1]):
            raise ValueError(f"{shown}: there is no video {video!r}, relevant to {text!r}{hint}")
    return qrels


def _one_each(texts: Sequence[str], videos: Sequence[str]) -> Qrels:
    return Qrels({text: frozenset([video]) for text, video in zip(texts, videos, strict=True)})


def _is_numbered(ids: Sequence[str]) -> bool:
    """Whether ids are the row numbers of a bare array, which name nothing."""
    return all(name == str(row) for row, name in enumerate(ids))

"""Draw the table of positive and negative pairs that pair losses learn from. NumPy only."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

_HEAD = ("split", "text", "video", "label")


@dataclass(frozen=True, slots=True)
class PairTable:
    """Hold P shuffled pairs of a text and a video with their labels.

    Attributes:
        texts: `(P,)` rows of texts.
        videos: `(P,)` rows of videos.
        labels: `(P,)` bool, whether the text describes the video.
    """

    texts: Rows
    videos: Rows
    labels: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.labels)


def make_pairs(
    caption_video: Rows, videos: Rows, *, positives: int = 1, negatives: int = 1, seed: int = 0
) -> PairTable:
    """Draw for each video its own captions, and captions of the other videos.

    A video with fewer captions than `positives` gives those that it has, each once, and as many
    fewer negatives, so that the balance of the labels holds. A caption comes at most once among
    the negatives of one video.

    Args:
        caption_video: `(N,)` row of its video for every text.
        videos: rows of the videos of one split; negatives come from them too, so that no text of
            another split is looked at.
        positives: own captions a video.
        negatives: foreign captions a video.
        seed: of the choice and of the order; equal seeds give equal tables.

    Raises:
        ValueError: when a number is below 1, a video has no caption, or there are not enough
            captions of other videos.
    """
    if positives < 1 or negatives < 1:
        raise ValueError(f"pairs need at least 1+1 a video, got {positives}+{negatives}")
    rng = np.random.default_rng(seed)
    pool = np.flatnonzero(np.isin(caption_video, videos))
    pool = pool[np.argsort(caption_video[pool], kind="stable")]
    owners = caption_video[pool]
    parts: list[tuple[Rows, Rows, NDArray[np.bool_]]] = []
    for video in np.sort(videos):
        first, last = np.searchsorted(owners, [video, video + 1])
        if first == last:
            raise ValueError(f"video {video} has no caption; leave it out")
        own = rng.permutation(pool[first:last])[:positives]
        wanted = max(1, round(negatives * len(own) / positives))
        others = len(pool) - int(last - first)
        if others < wanted:
            raise ValueError(
                f"video {video} wants {wanted} captions of other videos and there are {others}"
            )
        drawn = _distinct(rng, others, wanted)
        foreign = pool[drawn + (drawn >= first) * (last - first)]
        texts = np.concatenate([own, foreign])
        parts.append((texts, np.full(len(texts), video), np.arange(len(texts)) < len(own)))
    texts, clips, labels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = rng.permutation(len(labels))
    return PairTable(texts[order].astype(np.int64), clips[order].astype(np.int64), labels[order])


def write_pairs(
    path: Path, tables: dict[str, PairTable], texts: Sequence[str], videos: Sequence[str]
) -> None:
    """Write tables as CSV: split, id of the text, id of the video, label 1 or 0.

    Args:
        path: of the file.
        tables: split to its pairs.
        texts: ids of all texts.
        videos: ids of all videos.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEAD)
        for split, table in tables.items():
            for text, video, label in zip(table.texts, table.videos, table.labels, strict=True):
                writer.writerow([split, texts[text], videos[video], int(label)])


def _distinct(rng: np.random.Generator, among: int, count: int) -> Rows:
    """Draw `(count,)` different numbers below `among`, without listing them all."""
    if count * 4 >= among:
        return rng.permutation(among)[:count].astype(np.int64)
    found = np.unique(rng.integers(0, among, 2 * count))
    while len(found) < count:
        found = np.unique(np.concatenate([found, rng.integers(0, among, 2 * count)]))
    return rng.permutation(found)[:count].astype(np.int64)

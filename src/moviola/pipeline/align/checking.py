"""Check the pairs of two files as a loader would see them, and write their table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moviola.align.data.pairs import make_pairs, write_pairs
from moviola.align.data.rows import RaggedRows
from moviola.align.training.batches import PairedRows
from moviola.align.training.pair_checks import LoaderCheck, check_loader
from moviola.pipeline.align.fitting import PairFiles

#: Videos that are watched at most, and their share.
_MOST_WATCHED, _WATCHED = 500, 0.1


def check_files(
    texts: str,
    videos: str,
    *,
    caption_video: str | None = None,
    pooling: str | None = None,
    positives: int = 1,
    negatives: int = 1,
    batch: int = 32,
    seed: int = 0,
    out: Path | None = None,
) -> LoaderCheck:
    """Make the report's table of pairs of two files, split by video, and walk its batches.

    Args:
        texts: a `.npy` file, `FILE.safetensors:TENSOR`, a store, a folder, or a table.
        videos: the same.
        caption_video: a file of `(texts,)` rows of the videos from 0, where ids do not tell.
        pooling: how several rows an item become one; `"none"` keeps them.
        positives: own captions a video.
        negatives: foreign captions a video.
        batch: pairs a batch.
        seed: of split, choice and order.
        out: where the table is written as CSV; None to write none.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        ValueError: naming what cannot be used, or when there are too few videos.
    """
    captions, clips, owner = PairFiles(texts, videos, caption_video).read(pooling)
    data = PairedRows(RaggedRows.of(captions), RaggedRows.of(clips), owner)
    order = np.random.default_rng(seed).permutation(np.unique(owner))
    watched = min(_MOST_WATCHED, int(_WATCHED * len(order)))
    if watched < 2:
        raise ValueError(
            f"{len(order)} videos with captions are too few to keep some for validation; 20 are "
            f"the least"
        )
    tables = {
        name: make_pairs(owner, part, positives=positives, negatives=negatives, seed=seed)
        for name, part in (("train", order[watched:]), ("validation", order[:watched]))
    }
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        ids = ([item.id for item in side.items] for side in (captions, clips))
        write_pairs(out, tables, *ids)
    return check_loader(data, tables, batch=batch)

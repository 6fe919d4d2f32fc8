"""Files of embeddings or of scores into a `Diagnosis`."""

from __future__ import annotations

import numpy as np

from moviola.core import Qrels, Scores
from moviola.evaluate.diagnostics import Diagnosis, diagnose, diagnose_scores
from moviola.pipeline.inputs.arrays import read_floats
from moviola.pipeline.inputs.embeddings import is_named, read_clips, read_texts
from moviola.pipeline.inputs.pairing import pair, read_index


def diagnose_files(
    texts: str, videos: str, *, caption_video: str | None = None, pooling: str | None = None
) -> Diagnosis:
    """Diagnosis of two sets of embeddings, whatever their spaces: unaligned ones are a finding.

    Args:
        texts: a `.npy` file, `FILE.safetensors:TENSOR`, a store, or a folder of `.npy` files.
        videos: the same.
        caption_video: a file of `(texts,)` whole numbers, rows of the videos from 0; None where
            ids or equal counts say which text belongs to which video.
        pooling: how several rows an item become one.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        ValueError: naming what cannot be used, and why.
    """
    captions, clips = read_texts(texts, pooling=pooling), read_clips(videos, pooling=pooling)
    by_row = not (is_named(texts) and is_named(videos))
    qrels = pair(captions, clips, index=caption_video, by_row=by_row)
    return diagnose(captions, clips, qrels)


def diagnose_matrix(similarity: str, *, caption_video: str | None = None) -> Diagnosis:
    """Diagnosis of a file of scores, texts times videos.

    Args:
        similarity: the matrix; square where `caption_video` is None, and then row i belongs to
            column i.
        caption_video: as `diagnose_files`.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        ValueError: when it is no such matrix, or holds NaN or infinity.
    """
    matrix = read_floats(similarity)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"{similarity} has shape {matrix.shape}; scores are (texts, videos)")
    if matrix.dtype == np.float16:
        matrix = matrix.astype(np.float32)
    count, gallery = matrix.shape
    if caption_video is not None:
        columns = read_index(caption_video, count, gallery).tolist()
    elif count == gallery:
        columns = list(range(count))
    else:
        raise ValueError(
            f"{similarity} has {count} texts and {gallery} videos; say with --caption-video which "
            f"text belongs to which video"
        )
    scores = Scores(
        [f"t{row}" for row in range(count)], [f"v{place}" for place in range(gallery)], matrix
    )
    return diagnose_scores(
        scores, Qrels({f"t{row}": frozenset([f"v{place}"]) for row, place in enumerate(columns)})
    )

"""Diagnose files of embeddings or of scores."""

from __future__ import annotations

from moviola.core import Qrels, Scores, display_path
from moviola.evaluate.diagnostics import Diagnosis, diagnose, diagnose_scores
from moviola.pipeline.inputs.pairing import read_pairs
from moviola.pipeline.inputs.relevance import read_relevance
from moviola.pipeline.inputs.sources import parse_source


def diagnose_files(
    texts: str, videos: str, *, caption_video: str | None = None, pooling: str | None = None
) -> Diagnosis:
    """Diagnose two sets of embeddings, whatever their spaces: unaligned ones are a finding.

    Args:
        texts: a `.npy` file, `FILE.safetensors:TENSOR`, a store, or a folder of `.npy` files.
        videos: the same.
        caption_video: what says which text belongs to which video, as `read_relevance` takes it;
            None where ids do, or both sides are bare arrays in the same order.
        pooling: how several rows an item become one.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        ValueError: naming what cannot be used, and why.
    """
    table = None if caption_video is None else parse_source(caption_video)
    pairs = read_pairs(parse_source(texts), parse_source(videos), table, pooling=pooling)
    return diagnose(pairs.texts, pairs.clips, pairs.qrels)


def diagnose_matrix(similarity: str, *, caption_video: str | None = None) -> Diagnosis:
    """Diagnose a file of scores, texts times videos.

    Args:
        similarity: the matrix; square where `caption_video` is None, and then row i belongs to
            column i.
        caption_video: as `diagnose_files`.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        ValueError: when it is no such matrix, or holds NaN or infinity.
    """
    matrix = parse_source(similarity).scores()
    count, gallery = matrix.shape
    texts, videos = ([str(row) for row in range(side)] for side in matrix.shape)
    if caption_video is not None:
        qrels = read_relevance(parse_source(caption_video), texts, videos)
    elif count == gallery:
        qrels = Qrels({name: frozenset([name]) for name in texts})
    else:
        raise ValueError(
            f"{display_path(similarity)} has {count} texts and {gallery} videos; say with "
            f"--caption-video which text belongs to which video"
        )
    return diagnose_scores(Scores(texts, videos, matrix), qrels)

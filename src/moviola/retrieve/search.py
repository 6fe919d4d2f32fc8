"""Search a library by a query; every front takes this one way to moments.

Python, the command line and the page call the two functions below; the page's server scores many
queries at once and keeps scores, and differs in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moviola.core import Encoder
from moviola.core.moments import Moment
from moviola.library import Library, Snapshot, VideoFilter
from moviola.retrieve.calibration.judges import Judge, judge_for
from moviola.retrieve.duplicates import fold_duplicates
from moviola.retrieve.fused_search import Asking, find_fused
from moviola.retrieve.judging import judge_moments
from moviola.retrieve.meaning.vectors import TextEncoder
from moviola.retrieve.products import multiply_with
from moviola.retrieve.query import Query
from moviola.retrieve.ranking import rank_query
from moviola.retrieve.scoring import score_query
from moviola.retrieve.texts import Texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Moments that are ranked beyond those wanted, to be folded; and at most, however many there are.
_SPARE = 12
_MOST_RANKED = 3000


@dataclass(frozen=True, slots=True)
class Found:
    """Moments, best first.

    Attributes:
        moments: at most as many as were wanted.
        more: whether there would be more.
        absent: whether the library was measured to hold nothing of what is asked for.
    """

    moments: list[Moment]
    more: bool
    absent: bool = False


def search(
    query: Query,
    library: Library,
    encoder: Encoder | None,
    *,
    text_encoder: TextEncoder | None = None,
    top: int = 10,
    per_video: int | None = 1,
    fold: bool = True,
) -> list[Moment]:
    """Search every clip and every passage of a library, exactly.

    Args:
        query: what is asked.
        library: an open library.
        encoder: whose text tower the query goes through, its head included; None for a library
            without vectors.
        text_encoder: compares passages by their meaning; None for words alone.
        top: at most this many moments.
        per_video: at most this many of one video; None for no limit.
        fold: whether near-duplicates are shown as one.

    Returns:
        Moments, best first.

    Raises:
        SpaceMismatchError: when the encoder is not the one that indexed the library.
        ValueError: when a text cannot be encoded, or `query.like` is unknown.
        StoreCorruptError: when the tables are damaged.
    """
    snapshot = library.snapshot()
    scores = judge = None
    if encoder is not None and query.is_seen:
        library.require(space=encoder.space, text_readout=encoder.text_readout)
        scores = score_query(query, snapshot, multiply_with(library, encoder, snapshot))
        judge = judge_for(library, encoder, snapshot) if query.is_plain else None
    return find_moments(
        query,
        snapshot,
        scores,
        judge=judge,
        texts=Texts.of(library, text_encoder) if query.is_read else None,
        top=top,
        per_video=per_video,
        fold=fold,
    ).moments


def find_moments(
    query: Query,
    snapshot: Snapshot,
    scores: NDArray[np.float32] | None,
    *,
    judge: Judge | None,
    texts: Texts | None = None,
    top: int,
    per_video: int | None = 1,
    fold: bool = True,
) -> Found:
    """Find the best moments, given the `(k, n)` scores that `score_query` made of the query.

    Near-duplicates that are folded make room for others. Of a sequence of steps, each video has
    one moment. `judge` says how far to trust the moments of a plain sentence, and of no other
    query: those were not measured. Where passages of `texts` match, their evidence and that of
    the pictures are fused; where none does, the pictures answer alone. `scores` are None where
    pictures are not asked.
    """
    asking = Asking(query, snapshot, scores, judge, _filters(query, snapshot))
    if texts is not None and query.is_read:
        matches = texts.match(query, asking.filters)
        if scores is None or texts.meaning or not all(match.is_empty for match in matches):
            wanted = top + 1 + (_SPARE if fold else 0)
            found = find_fused(asking, texts, matches, top=wanted, per_video=per_video)
            shown = fold_duplicates(found, snapshot) if fold else found
            return Found(shown[:top], len(shown) > top)
    if scores is None:
        return Found([], more=False)
    return _find_seen(asking, scores, top=top, per_video=per_video, fold=fold)


def _find_seen(
    asking: Asking,
    scores: NDArray[np.float32],
    *,
    top: int,
    per_video: int | None,
    fold: bool,
) -> Found:
    """Find the best moments by pictures alone."""
    query, snapshot = asking.query, asking.snapshot
    ranked = wanted = top + 1  # one more tells whether there are more
    if fold:
        ranked += _SPARE
    while True:
        moments = rank_query(
            query,
            snapshot,
            scores,
            top=ranked,
            per_video=per_video,
            filters=asking.filters,
        )
        shown = fold_duplicates(moments, snapshot) if fold else moments
        if len(shown) >= wanted or len(moments) < ranked or ranked >= _MOST_RANKED:
            moments, absent = judge_moments(
                shown[:top], asking.judge if query.is_plain else None, snapshot, scores[0]
            )
            return Found(moments, len(shown) > top, absent)
        ranked *= 3


def _filters(query: Query, snapshot: Snapshot) -> VideoFilter | None:
    """Add to the filters of a query that the video of the clip it resembles is left out."""
    row = None if query.like is None or query.own else snapshot.row_of(query.like)
    if row is None:
        return query.filters
    own = snapshot.records[snapshot.owner_of(row)].id
    given = query.filters or VideoFilter()
    return replace(given, without=given.without | {own})

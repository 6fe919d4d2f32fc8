"""Join texts and clips: by ids, by an explicit table, or bare arrays by row. Nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from moviola.core import Clip, Embeddings, Qrels, Text
from moviola.datasets.annotations.names import ClipNames
from moviola.pipeline.inputs.relevance import read_relevance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.pipeline.inputs.sources import Source

_NUMBERED = re.compile(r"(.+)-\d+", re.DOTALL)


class Pairs(NamedTuple):
    """Texts and clips that belong together.

    Attributes:
        texts: N texts.
        clips: M clips.
        qrels: text id to the ids of the clips that it describes.
    """

    texts: Embeddings[Text]
    clips: Embeddings[Clip]
    qrels: Qrels

    def owners(self) -> NDArray[np.int64]:
        """List the row of its one clip for every text, `(N,)`.

        Raises:
            ValueError: naming the first text that has no clip, or several.
        """
        place = {clip.id: row for row, clip in enumerate(self.clips.items)}
        rows: list[int] = []
        for text in self.texts.items:
            found = self.qrels.relevant.get(text.id, frozenset[str]())
            if len(found) != 1:
                raise ValueError(
                    f"the text {text.id!r} belongs to {len(found)} videos; here each belongs to "
                    f"one: leave it out, or name its one video"
                )
            rows.append(place[next(iter(found))])
        return np.array(rows, np.int64)


def read_pairs(
    texts: Source,
    videos: Source,
    table: Source | None = None,
    *,
    pooling: str | None = None,
    partial: bool = False,
) -> Pairs:
    """Read two sides and join them. Everything that reads two sides calls this.

    Args:
        texts: N texts.
        videos: M clips.
        table: what says which text belongs to which clip, as `read_relevance` takes it; None
            where ids do, or where both sides are bare arrays and row i belongs to row i.
        pooling: how several rows an item become one, as `Source.texts` takes it.
        partial: leave out texts whose videos are not there, as of a data set whose videos can no
            longer all be had; some must be.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: when the sides cannot be joined, or naming what of them cannot be used.
        DatasetError: when a table is not as it should be.
        StoreCorruptError: when a store is damaged.
    """
    found = texts.texts(pooling), videos.clips(pooling)
    bare = not (texts.has_ids or videos.has_ids)
    qrels = join_sides(*found, table, bare=bare, partial=partial)
    if partial and not bare:
        return Pairs(_named_by(qrels, found[0]), found[1], qrels)
    return Pairs(*found, qrels)


def join_sides(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    table: Source | None = None,
    *,
    bare: bool = False,
    partial: bool = False,
) -> Qrels:
    """Join two sides: text id to the ids of the clips that it describes.

    A text belongs to the clip that its table named. Where that is not known, ids say it:
    `video7890-3` belongs to `video7890`, and a text that is called like a clip to it.

    Args:
        texts: N texts.
        clips: M clips.
        table: as `read_pairs`.
        bare: whether neither side has ids, so that row i belongs to row i.
        partial: as `read_pairs`.

    Raises:
        FileNotFoundError: when there is no such table.
        ValueError: when the table, ids or counts do not fit, showing ids of both sides.
        DatasetError: when a table is not as it should be.
    """
    text_ids = [text.id for text in texts.items]
    clip_ids = [clip.id for clip in clips.items]
    if table is not None:
        find = ClipNames(clips.items).find
        return read_relevance(table, text_ids, clip_ids, find, partial=partial)
    if bare:
        if len(text_ids) != len(clip_ids):
            raise ValueError(
                f"there are {len(text_ids)} texts and {len(clip_ids)} videos, and no ids that say "
                f"which belongs to which; give --caption-video INDEX.npy: the row of its video for "
                f"every text, from 0"
            )
        owners: Sequence[str | None] = clip_ids
    else:
        owners = owners_by_name(texts.items, ClipNames(clips.items))
    lost = [name for name, owner in zip(text_ids, owners, strict=True) if owner is None]
    if lost and not (partial and len(lost) < len(text_ids)):
        raise ValueError(
            f"{len(lost)} of {len(text_ids)} texts name no video that is there: these texts are "
            f"called {_some(lost)}, the videos {_some(clip_ids)}. A text belongs to the video of "
            f"its name (video7890-3 to video7890); name them so, leave those texts out, or say "
            f"which belongs to which with --caption-video PAIRS.csv (columns text and video)"
        )
    return Qrels(
        {
            name: frozenset([owner])
            for name, owner in zip(text_ids, owners, strict=True)
            if owner is not None
        }
    )


def _named_by(qrels: Qrels, texts: Embeddings[Text]) -> Embeddings[Text]:
    """Keep the texts that belong to something."""
    kept = [row for row, text in enumerate(texts.items) if text.id in qrels.relevant]
    if len(kept) == len(texts):
        return texts
    rows = [texts.rows(row) for row in kept]
    items = [texts.items[row] for row in kept]
    return Embeddings[Text].from_rows(items, rows, texts.space, texts.readout)


def owners_by_name(texts: Sequence[Text], clips: ClipNames) -> list[str | None]:
    """Find for each text the id of the clip that it describes, None where there is no such clip.

    Ids of captions and of clips are two spaces: a caption that its table gave to a clip belongs to
    that one, whatever else is called like it.

    Raises:
        ValueError: when nothing but ids is known and they can be read in two ways.
    """
    if all(text.clip is not None for text in texts):
        return [clips.find(str(text.clip)) for text in texts]
    same = [clips.find(text.id) for text in texts]
    described = [
        clips.find(numbered[1]) if (numbered := _NUMBERED.fullmatch(text.id)) else None
        for text in texts
    ]
    # One reading that fits everything is meant; else each text is read as it can be.
    if None in same and None not in described:
        return described
    if None not in same and None in described:
        return same
    for text, one, other in zip(texts, same, described, strict=True):
        if one is not None and other is not None:
            raise ValueError(
                f"the text {text.id!r} may be a caption of {other!r}, or called like {one!r}; say "
                f"which with --caption-video PAIRS.csv (columns text and video), or encode the "
                f"captions again: stores keep what they describe"
            )
    return [one or other for one, other in zip(same, described, strict=True)]


def _some(ids: Sequence[str]) -> str:
    """Show the first three ids."""
    more = ", …" if len(ids) > 3 else ""
    return ", ".join(repr(name) for name in islice(ids, 3)) + more

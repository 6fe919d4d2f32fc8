"""Fit a head on files of embeddings, and map files through one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.align import Aligner
from moviola.align.fit import UnseenPairs, fit
from moviola.align.head.files import require_free
from moviola.core import Clip, Embeddings, Text
from moviola.pipeline.align.leaks import leak_notes, remember_videos
from moviola.pipeline.inputs.pairing import read_pairs
from moviola.pipeline.inputs.sources import Source, parse_source
from moviola.store import StoreWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Name the files of embeddings that belong together.

    Attributes:
        texts: as `moviola.pipeline.inputs.sources.parse_source` takes it.
        videos: likewise.
        caption_video: what says which text belongs to which video, as
            `moviola.pipeline.inputs.relevance.read_relevance` takes it; None where ids do, or
            both sides are bare arrays in the same order.
    """

    texts: str
    videos: str
    caption_video: str | None = None

    @property
    def sources(self) -> tuple[Source, Source]:
        """Tell apart what texts and videos name.

        Raises:
            FileNotFoundError: when one of them is not there.
        """
        return parse_source(self.texts), parse_source(self.videos)

    def read(
        self, pooling: str | None
    ) -> tuple[Embeddings[Text], Embeddings[Clip], NDArray[np.int64]]:
        """Read texts, clips, and the row of its clip for every text, `(N,)`.

        Raises:
            FileNotFoundError: when a file is not there.
            ValueError: naming the file and the place that is wrong.
            DatasetError: when a table is not as it should be.
            StoreCorruptError: when a store is damaged.
        """
        table = None if self.caption_video is None else parse_source(self.caption_video)
        pairs = read_pairs(*self.sources, table, pooling=pooling)
        return pairs.texts, pairs.clips, pairs.owners()


def fit_files(
    files: PairFiles,
    *,
    out: Path,
    method: str = "auto",
    pooling: str | None = None,
    test: PairFiles | None = None,
    seed: int = 0,
) -> Aligner:
    """Fit a head on pairs and write it.

    Args:
        files: the pairs to fit on.
        out: folder of the head; an earlier head there is replaced.
        method: as `moviola.align.fit.fit`.
        pooling: how several rows an item become one.
        test: pairs of other videos to measure the finished head on; read when it is finished.
            Videos that it was fitted on are told among the warnings.
        seed: of what is drawn.

    Raises:
        FileExistsError: when `out` holds anything but an earlier head.
        FileNotFoundError: when a file is not there.
        ValueError: when the pairs cannot be fitted, or a file is wrong.
        StorageError: when the head cannot be written.
    """
    require_free(out)
    texts, clips, owner = files.read(pooling)

    has_ids = files.sources[1].has_ids
    seen = remember_videos(clips, np.unique(owner), has_ids=has_ids)
    leaks: list[str] = []

    def read_test() -> UnseenPairs:
        assert test is not None  # noqa: S101 -- only called where there is one
        pairs = UnseenPairs(*test.read(pooling))
        named = test.sources[1].has_ids
        leaks.extend(leak_notes({"seen": seen}, pairs.clips, has_ids=named))
        return pairs

    head = fit(
        texts, clips, owner, method=method, seed=seed, test=None if test is None else read_test
    )
    head = replace(
        head, fit={**head.fit, "seen": seen, "warnings": [*head.fit["warnings"], *leaks]}
    )
    head.save_pretrained(out)
    return head


def apply_head(
    head: Aligner, *, out: Path, texts: str | None, videos: str | None, pooling: str | None
) -> int:
    """Map the texts or the videos behind a name into the head's space, and store them.

    Args:
        head: the head.
        out: folder of the store.
        texts: as `moviola.pipeline.inputs.sources.parse_source` takes it; or None.
        videos: likewise; one of the two is given.
        pooling: how several rows an item become one.

    Returns:
        How many items were stored.

    Raises:
        FileExistsError: when `out` holds something.
        FileNotFoundError: when there is nothing to map.
        SpaceMismatchError: when the head was fitted on other vectors.
        StorageError: when the store cannot be written.
        ValueError: when not exactly one side is given, or a file is wrong.
    """
    if (texts is None) == (videos is None):
        raise ValueError("give the texts or the videos that the head shall map, one of both")
    if texts is not None:
        aligned: Embeddings[Text] | Embeddings[Clip] = head.align_texts(
            parse_source(texts).texts(pooling)
        )
    else:
        aligned = head.align_clips(parse_source(str(videos)).clips(pooling))
    kind = "clips" if texts is None else "texts"
    with StoreWriter(
        out, kind=kind, space=aligned.space, readout=aligned.readout, dtype="float32"
    ) as writer:
        writer.extend(aligned)
    return len(aligned)

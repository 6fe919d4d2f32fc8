"""Files of embeddings into a head, and through one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.align import Aligner
from moviola.align.fit import UnseenPairs, fit
from moviola.align.head.files import require_free
from moviola.core import Clip, Embeddings, Qrels, Text
from moviola.pipeline.inputs.embeddings import is_named, read_clips, read_texts
from moviola.pipeline.inputs.pairing import pair
from moviola.store import StoreWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Where the embeddings of pairs lie.

    Attributes:
        texts: as `moviola.pipeline.inputs.embeddings.read_texts` takes it.
        videos: likewise.
        caption_video: file of the row of its video for every text; None where ids or equal counts
            say which text belongs to which video.
    """

    texts: str
    videos: str
    caption_video: str | None = None

    def read(
        self, pooling: str | None
    ) -> tuple[Embeddings[Text], Embeddings[Clip], NDArray[np.int64]]:
        """Texts, clips, and the row of its clip for every text.

        Raises:
            FileNotFoundError: when a file is not there.
            ValueError: naming the file and the place that is wrong.
            DatasetError: when a table is not as it should be.
            StoreCorruptError: when a store is damaged.
        """
        texts, clips = (
            read_texts(self.texts, pooling=pooling),
            read_clips(self.videos, pooling=pooling),
        )
        by_row = not (is_named(self.texts) and is_named(self.videos))
        qrels = pair(texts, clips, index=self.caption_video, by_row=by_row)
        return texts, clips, _owners(texts, clips, qrels)


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
        seed: of what is drawn.

    Raises:
        FileExistsError: when `out` holds anything but an earlier head.
        FileNotFoundError: when a file is not there.
        ValueError: when the pairs cannot be fitted, or a file is wrong.
        StorageError: when the head cannot be written.
    """
    require_free(out)
    texts, clips, owner = files.read(pooling)

    def read_test() -> UnseenPairs:
        assert test is not None  # noqa: S101 -- only called where there is one
        return UnseenPairs(*test.read(pooling))

    head = fit(
        texts, clips, owner, method=method, seed=seed, test=None if test is None else read_test
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
        texts: as `moviola.pipeline.inputs.embeddings.read_texts` takes it; or None.
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
            read_texts(texts, pooling=pooling)
        )
    else:
        aligned = head.align_clips(read_clips(str(videos), pooling=pooling))
    kind = "clips" if texts is None else "texts"
    with StoreWriter(
        out, kind=kind, space=aligned.space, readout=aligned.readout, dtype="float32"
    ) as writer:
        writer.extend(aligned)
    return len(aligned)


def _owners(texts: Embeddings[Text], clips: Embeddings[Clip], qrels: Qrels) -> NDArray[np.int64]:
    place = {clip.id: row for row, clip in enumerate(clips.items)}
    return np.array([place[next(iter(qrels.relevant[text.id]))] for text in texts.items], np.int64)

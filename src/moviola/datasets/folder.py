"""Load a folder of videos, with a table of captions where there is one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from moviola.core import Clip, DatasetError, Qrels, RetrievalDataset, display_path
from moviola.datasets.annotations.footage import WHOLE_VIDEO, Footage
from moviola.datasets.annotations.tables import TABLE_SUFFIXES
from moviola.datasets.table import with_captions


def load(root: Path, split: str) -> RetrievalDataset:
    """Load the videos below a folder, and captions from its `captions.csv`, `.jsonl` or `.parquet`.

    The table is one as the data set `table` reads it. Without one, every video is a clip and
    there are no captions.

    Args:
        root: the folder.
        split: which rows, by their column `split`; `"all"` for every row, and the only one where
            there is no such column.

    Raises:
        DatasetError: naming the file, the row, and what is wrong.
    """
    footage = Footage(root)
    tables = [root / f"captions{suffix}" for suffix in TABLE_SUFFIXES]
    tables = [path for path in tables if path.is_file()]
    if len(tables) > 1:
        raise DatasetError(
            f"{display_path(root)} has {' and '.join(path.name for path in tables)}; keep one"
        )
    name = f"{display_path(root.resolve().name)}-{split}"
    if tables:
        return with_captions(name, footage, tables[0], split)
    if split != "all":
        raise DatasetError(
            f"{display_path(root)} has no table of captions and so no split {split!r}; ask for "
            f"'all', or add captions.csv with the columns video, caption, split"
        )
    if not footage.paths:
        raise DatasetError(f"{display_path(root)} holds no videos")
    shared = Counter(footage.name_of(path) for path in footage.paths)
    clips = [
        # Two files that differ in suffix only keep it.
        Clip(name if shared[name] == 1 else f"{name}{path.suffix}", path, WHOLE_VIDEO)
        for path in footage.paths
        for name in [footage.name_of(path)]
    ]
    return RetrievalDataset(name, clips, [], Qrels({}))

"""A folder of videos, with a table of captions where there is one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from moviola.core import Clip, DatasetError, Qrels, RetrievalDataset, Text, display_path
from moviola.datasets.captions import Caption, caption_ids, read_caption_table
from moviola.datasets.footage import WHOLE_VIDEO, Footage
from moviola.datasets.tables import TABLE_SUFFIXES


def load(root: Path, split: str) -> RetrievalDataset:
    """Videos below a folder, and captions from its `captions.csv`, `.jsonl` or `.parquet`.

    The table has the columns `video` and `caption`, and may have `start` and `end` (seconds; both
    or none) and `split`. A video is named by its path below the folder or its file's name, each
    with or without suffix. Without a table, every video is a clip and there are no captions.

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
        return _with_captions(name, footage, _chosen(tables[0], split), tables[0])
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


def _chosen(table: Path, split: str) -> list[Caption]:
    captions = read_caption_table(table)
    if captions and captions[0].video is None:
        raise DatasetError(f"{captions[0].place}: there is no column 'video'")
    chosen = [caption for caption in captions if split in ("all", caption.split)]
    if not chosen:
        known = sorted({caption.split for caption in captions if caption.split is not None})
        there = f"it has {', '.join(['all', *known])}" if captions else "it is empty"
        raise DatasetError(f"{display_path(table)} has no split {split!r}; {there}")
    return chosen


def _with_captions(
    name: str, footage: Footage, captions: list[Caption], table: Path
) -> RetrievalDataset:
    clips: dict[str, Clip] = {}
    missing: dict[str, None] = {}
    texts: list[Text] = []
    relevant: dict[str, frozenset[str]] = {}
    ids = caption_ids(str(caption.clip) for caption in captions)
    for caption, text_id in zip(captions, ids, strict=True):
        clip = str(caption.clip)
        path = footage.find(str(caption.video))
        if path is None:
            missing[clip] = None
            continue
        clips.setdefault(clip, Clip(clip, path, caption.span or WHOLE_VIDEO))
        if clips[clip].path != path:
            raise DatasetError(
                f"{caption.place}: {clip!r} means another file here than in a row above"
            )
        texts.append(Text(text_id, caption.text))
        relevant[text_id] = frozenset([clip])
    if not clips:
        raise DatasetError(
            f"none of the {len(missing)} videos of {display_path(table)} is there, "
            f"the first of them {next(iter(missing))!r}"
        )
    return RetrievalDataset(name, list(clips.values()), texts, Qrels(relevant), tuple(missing))

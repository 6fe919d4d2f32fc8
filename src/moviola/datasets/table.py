"""Load a table of captions, with the videos that it names beside it."""

from __future__ import annotations

from pathlib import Path

from moviola.core import DatasetError, RetrievalDataset, display_path
from moviola.datasets.annotations.captions import Caption, read_caption_table
from moviola.datasets.annotations.footage import WHOLE_VIDEO, Footage, Source
from moviola.datasets.annotations.gallery import assemble
from moviola.datasets.annotations.names import spelled_alike, without_suffix
from moviola.datasets.annotations.tables import TABLE_SUFFIXES


def load(root: Path, split: str) -> RetrievalDataset:
    """Load the captions of a `.csv`, `.jsonl` or `.parquet`, and the videos that they name.

    The table has the columns `video` and `caption`, and may have `start` and `end` (seconds; both
    or none) and `split`. A video is named by its path below the folder or its file's name, each
    with or without suffix, and alike in every row; Unicode form, slash, blanks around it and the
    case of the suffix do not matter. Videos that no row names are no part of the
    data set.

    Args:
        root: the table; videos lie anywhere below its folder.
        split: which rows, by their column `split`; `"all"` for every row, and the only one where
            there is no such column.

    Raises:
        DatasetError: naming the file, the row, and what is wrong; also when the split `train`
            shares a video with another.
    """
    if not root.is_file() or root.suffix.lower() not in TABLE_SUFFIXES:
        raise DatasetError(
            f"{display_path(root)} is no table ({', '.join(TABLE_SUFFIXES)}); the data set "
            f"'folder' takes a folder"
        )
    return with_captions(f"{display_path(root.stem)}-{split}", Footage(root.parent), root, split)


def with_captions(name: str, footage: Footage, table: Path, split: str) -> RetrievalDataset:
    """Load one split of a table, with its videos among `footage`.

    Raises:
        DatasetError: as `load`.
    """
    captions = read_caption_table(table)
    if captions and captions[0].video is None:
        raise DatasetError(
            f"{captions[0].place}: there is no column 'video', which says what each row describes"
        )
    _refuse_leak(captions)
    chosen = [caption for caption in captions if split in ("all", caption.split)]
    if not chosen:
        known = sorted({caption.split for caption in captions if caption.split is not None})
        there = f"it has {', '.join(['all', *known])}" if captions else "it is empty"
        raise DatasetError(f"{display_path(table)} has no split {split!r}; {there}")
    sources: dict[str, Source] = {}
    for caption in chosen:
        source = Source(str(caption.video), caption.span or WHOLE_VIDEO)
        before = sources.setdefault(str(caption.clip), source)
        if spelled_alike(before.video) != spelled_alike(source.video):
            raise DatasetError(
                f"{caption.place}: {source.video!r} is called {before.video!r} in a row above; "
                f"call it alike in every row"
            )
    return assemble(name, footage, sources, [(str(each.clip), each.text) for each in chosen])


def _refuse_leak(captions: list[Caption]) -> None:
    trained = {_video(caption) for caption in captions if caption.split == "train"}
    for caption in captions:
        if caption.split != "train" and _video(caption) in trained:
            raise DatasetError(
                f"{caption.place}: {caption.video!r} is in the split {caption.split!r} and in "
                f"'train'; what was trained on one cannot be tested on the other"
            )


def _video(caption: Caption) -> str:
    """Name the video of a caption in the one spelling in which equal names are equal."""
    return without_suffix(str(caption.video))

"""Read captions and stores of rows for a row sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from moviola.analysis.row_sweep import RowSweep, sweep_rows
from moviola.pipeline.inputs.pairing import join_sides
from moviola.pipeline.inputs.sources import parse_source


def parse_counts(text: str) -> tuple[int, ...]:
    """Parse row counts such as `5,32,128`.

    Raises:
        ValueError: when one is no number of at least 1.
    """
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not (part.isascii() and part.isdigit() and int(part)):
            raise ValueError(f"rows are numbers of at least 1, such as 5,32,128, not {text!r}")
    return tuple(map(int, parts))


def sweep_row_files(
    texts: str,
    stores: Sequence[Path],
    *,
    caption_video: str | None = None,
    counts: Sequence[int],
    k: int,
    rescore: int,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RowSweep:
    """Run `sweep_rows` on files, stores or folders of rows.

    Args:
        texts: captions, as `parse_source` takes them.
        stores: the same videos, read or pooled in several ways.
        caption_video: what says which caption belongs to which video; None where ids do, or both
            sides are bare arrays in the same order.
        counts: as `sweep_rows`.
        k: as `sweep_rows`.
        rescore: as `sweep_rows`.
        on_progress: as `sweep_rows`.

    Raises:
        FileNotFoundError: when there is nothing of a name.
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: as `sweep_rows`; or when the stores hold different videos.
    """
    asked = parse_source(texts)
    sides = [parse_source(store) for store in stores]
    captions = asked.texts("none")
    clips = [side.clips("none") for side in sides]
    for store, other in zip(stores, clips, strict=True):
        if [clip.id for clip in other.items] != [clip.id for clip in clips[0].items]:
            raise ValueError(
                f"{store} holds other videos than {stores[0]}; give stores of the same"
            )
    table = None if caption_video is None else parse_source(caption_video)
    bare = not (asked.has_ids or sides[0].has_ids)
    qrels = join_sides(captions, clips[0], table, bare=bare)
    return sweep_rows(
        captions, clips, qrels, counts=counts, k=k, rescore=rescore, on_progress=on_progress
    )

"""Quantise a store: its rows as codes, beside the rows themselves, with what the codes lose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moviola.core import display_path
from moviola.core.row_codes import CodeName
from moviola.pipeline.inputs.pairing import Pairs, join_sides
from moviola.pipeline.inputs.sources import parse_source
from moviola.pipeline.quantise.loss import Loss, measure_loss, measure_neighbours
from moviola.score import encode_embeddings
from moviola.store import open_clips
from moviola.store.codes import codes_path, copy_with_codes


@dataclass(frozen=True, slots=True)
class QuantiseReport:
    """Count what was written, and tell what it loses.

    Attributes:
        to: the code.
        items: clips.
        rows: of all clips.
        float_bytes: that the rows take on disk.
        code_bytes: that their codes take.
        losses: in R@K, or in neighbours where no captions were given.
        written: the store with the codes.
    """

    to: CodeName
    items: int
    rows: int
    float_bytes: int
    code_bytes: int
    losses: tuple[Loss, ...]
    written: Path

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return {
            "to": self.to,
            "items": self.items,
            "rows": self.rows,
            "float_bytes": self.float_bytes,
            "code_bytes": self.code_bytes,
            "losses": [loss.to_json() for loss in self.losses],
            "written": str(self.written),
        }


def quantise_store(
    store: Path,
    *,
    to: CodeName,
    out: Path,
    texts: str | None = None,
    caption_video: str | None = None,
) -> QuantiseReport:
    """Write a store of the same rows with their codes, and measure what the codes lose.

    Exact rows stay in it, linked where the file system can, for exact re-scoring.

    Args:
        store: of clips, any number of rows a clip.
        to: the code.
        out: the store to write.
        texts: captions by which R@K is measured, as `parse_source` takes them, with rows of the
            same space; None measures by neighbours among the clips.
        caption_video: what says which caption belongs to which clip; None where ids do.

    Raises:
        FileExistsError: when `out` holds something.
        FileNotFoundError: when there is no such store or file.
        SpaceMismatchError: when the captions are of another space.
        StorageError: when the disk refuses.
        StoreCorruptError: when the store is damaged.
        ValueError: when it holds texts or nothing, means dot products, or a row has no direction.
    """
    if not store.exists():
        raise FileNotFoundError(f"there is no store {display_path(store)}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{display_path(out)} exists and is no empty folder")
    clips = open_clips(store)
    if not len(clips):
        raise ValueError(f"{display_path(store)} holds no items")
    if clips.space.metric == "dot":
        raise ValueError(
            f"{display_path(store)} means dot products, and codes keep directions alone; leave it "
            f"as it is"
        )
    pairs = None
    if texts is not None:
        side = parse_source(texts).texts("none")
        clips.space.require(side.space, what="the text")
        table = None if caption_video is None else parse_source(caption_video)
        pairs = Pairs(side, clips, join_sides(side, clips, table))
    codes = encode_embeddings(clips, to)
    if pairs is not None:
        losses = measure_loss(pairs, codes)
    else:
        losses = measure_neighbours(clips, codes) if len(clips) > 1 else []
    copy_with_codes(store, codes, out)
    return QuantiseReport(
        to=to,
        items=len(clips),
        rows=len(codes),
        float_bytes=sum(shard.nbytes for shard in clips.shards),
        code_bytes=codes_path(out, to).stat().st_size,
        losses=tuple(losses),
        written=out,
    )

"""Lay out the table of passages on disk: its columns, and passages as rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from moviola.core import Box, Passage, Span, Word, passage_id
from moviola.library.storage.schema import DIGEST_BYTES, KEY, row_digest

if TYPE_CHECKING:
    import pyarrow as pa

PASSAGES = "passages"


def passages_schema() -> pa.Schema:
    """List the columns of `passages`: one row a passage."""
    import pyarrow as pa

    word = pa.struct(
        [
            pa.field("text", pa.string(), nullable=False),
            pa.field("start", pa.float64(), nullable=False),
            pa.field("end", pa.float64(), nullable=False),
        ]
    )
    return pa.schema(
        [
            pa.field(KEY, pa.string(), nullable=False),
            pa.field("video", pa.string(), nullable=False),
            pa.field("channel", pa.string(), nullable=False),
            pa.field("start", pa.float64(), nullable=False),
            pa.field("end", pa.float64(), nullable=False),
            pa.field("text", pa.string(), nullable=False),
            pa.field("language", pa.string()),
            pa.field("confidence", pa.float64()),
            pa.field("words", pa.list_(word)),
            pa.field("box", pa.list_(pa.float64())),
            pa.field("checksum", pa.binary(DIGEST_BYTES), nullable=False),
        ]
    )


def passage_rows(passages: Iterable[Passage]) -> pa.Table:
    """Make rows of `passages`; one that is there twice becomes one row."""
    import pyarrow as pa

    rows = {passage_id(passage): passage for passage in passages}
    return pa.Table.from_pylist(
        [_row(key, passage) for key, passage in rows.items()], schema=passages_schema()
    )


def read_passages(table: pa.Table) -> list[Passage]:
    """Read the passages of rows, in their order.

    Raises:
        ValueError: when a row is not of the kind that was written.
    """
    try:
        return [_passage(row) for row in table.to_pylist()]
    except TypeError as error:
        raise ValueError(f"a row of passages cannot be understood: {error}") from error


def _row(key: str, passage: Passage) -> dict[str, Any]:
    words = [
        {"text": word.text, "start": float(word.span.start), "end": float(word.span.end)}
        for word in passage.words
    ]
    box = passage.box
    row: dict[str, Any] = {
        KEY: key,
        "video": passage.video,
        "channel": passage.channel,
        "start": float(passage.span.start),
        "end": float(passage.span.end),
        "text": passage.text,
        "language": passage.language,
        "confidence": None if passage.confidence is None else float(passage.confidence),
        "words": words or None,
        "box": None if box is None else [*map(float, (box.left, box.top, box.right, box.bottom))],
    }
    return row | {"checksum": row_digest(row)}


def _passage(row: dict[str, Any]) -> Passage:
    words = (Word(word["text"], Span(word["start"], word["end"])) for word in row["words"] or ())
    return Passage(
        row["video"],
        Span(row["start"], row["end"]),
        row["text"],
        row["channel"],
        row["language"],
        row["confidence"],
        tuple(words),
        Box(*row["box"]) if row["box"] is not None else None,
    )

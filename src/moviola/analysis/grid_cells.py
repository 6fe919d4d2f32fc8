"""Hold the cells of a pooling grid: every video pooling with every text pooling."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from moviola.evaluate import RetrievalResult


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold the measures of one video pooling with one text pooling.

    Attributes:
        video: name of the video pooling.
        text: name of the text pooling.
        result: both directions.
        same_as: an earlier cell whose vectors these are, as `(video, text)`, or None.
        constant: which sides have one vector for all, such as `("texts",)`; chance then.
        is_chance: whether t2v is chance: constant vectors, or an MRR within two standard errors of
            that of random orders.
    """

    video: str
    text: str
    result: RetrievalResult
    same_as: tuple[str, str] | None
    constant: tuple[str, ...]
    is_chance: bool


@dataclass(frozen=True, slots=True)
class PoolingGrid:
    """Hold all cells, row after row of video poolings, and notes on how to read them.

    Attributes:
        cells: one for every video pooling and text pooling.
        chance: the t2v MRR of a random order.
        notes: which cells are identical by construction, and which are chance.
    """

    cells: tuple[Cell, ...]
    chance: float
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the poolings of either side, in order."""
        return tuple(dict.fromkeys(cell.video for cell in self.cells))

    def cell(self, video: str, text: str) -> Cell:
        """Return the cell of two poolings, by name."""
        return next(each for each in self.cells if (each.video, each.text) == (video, text))

    def to_json(self) -> dict[str, Any]:
        """Convert cells and notes to JSON values."""
        cells = [
            {
                "video": cell.video,
                "text": cell.text,
                "t2v": dict(cell.result.t2v.aggregates),
                "v2t": dict(cell.result.v2t.aggregates),
                "same_as": cell.same_as,
                "constant": cell.constant,
                "t2v_is_chance": cell.is_chance,
            }
            for cell in self.cells
        ]
        return {"cells": cells, "chance": self.chance, "notes": self.notes}

    def to_csv(self) -> str:
        """Write one line a cell: poolings, measures of both directions, repeats."""
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        measures = list(self.cells[0].result.t2v.aggregates)
        numbers = [f"{side}_{name}" for side in ("t2v", "v2t") for name in measures]
        writer.writerow(
            ["video_pooling", "text_pooling", *numbers, "same_as", "constant", "t2v_is_chance"]
        )
        for cell in self.cells:
            both = cell.result.t2v, cell.result.v2t
            values = [f"{side[name]:.6g}" for side in both for name in measures]
            same = " x ".join(cell.same_as or ())
            chance = str(cell.is_chance).lower()
            writer.writerow([cell.video, cell.text, *values, same, " ".join(cell.constant), chance])
        return sink.getvalue()

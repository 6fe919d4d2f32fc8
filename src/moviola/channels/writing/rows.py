"""Put lines that were found in pieces together again."""

from __future__ import annotations

from collections.abc import Sequence

from moviola.channels.writing.reading import Line
from moviola.core import Box

#: Pieces of one line are as tall as each other up to this factor,
TALLER = 1.6
#: overlap from top to bottom by this share of the lower one,
LEVEL = 0.6
#: and are this many times its height apart at most, which is a wide space.
SPACE = 1.0


def in_rows(lines: Sequence[Line], aspect: float) -> list[Line]:
    """Join lines that go on to the right of each other.

    Args:
        lines: the lines of one picture.
        aspect: its width over its height.
    """
    rows: list[Line] = []
    for line in sorted(lines, key=lambda line: line.box.left):
        place = next((i for i, row in enumerate(rows) if _goes_on(row.box, line.box, aspect)), None)
        if place is None:
            rows.append(line)
        else:
            rows[place] = _joined(rows[place], line)
    return rows


def _goes_on(box: Box, other: Box, aspect: float) -> bool:
    heights = sorted((box.bottom - box.top, other.bottom - other.top))
    level = min(box.bottom, other.bottom) - max(box.top, other.top)
    gap = (other.left - box.right) * aspect
    return (
        heights[1] <= TALLER * heights[0]
        and level >= LEVEL * heights[0]
        and abs(gap) <= SPACE * heights[0]
    )


def _joined(row: Line, line: Line) -> Line:
    letters = len(row.text), len(line.text)
    return Line(
        f"{row.text} {line.text}",
        (row.confidence * letters[0] + line.confidence * letters[1]) / sum(letters),
        Box(
            row.box.left,
            min(row.box.top, line.box.top),
            max(row.box.right, line.box.right),
            max(row.box.bottom, line.box.bottom),
        ),
        fresh=row.fresh or line.fresh,
    )

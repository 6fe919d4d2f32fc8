"""Draw what a search found: each query, and the frames of its best moments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Frames, display_path
from moviola.core.moments import Moment

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

_TILE = 112  # pixels, the side of one frame
_FRAMES = 3  # frames a moment: near its start, at its middle, near its end
_GAP = 6
_BETWEEN = 22  # pixels between two moments
_MARGIN = 24
_TITLE = 34  # pixels, the line that holds the query
_CAPTION = 44  # pixels, the two lines under a moment
_PAPER = (250, 249, 246)
_INK = (28, 28, 32)
_FAINT = (110, 110, 118)
_BANDS = {"strong": (22, 120, 66), "likely": (176, 112, 8), "unsure": (150, 60, 60)}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """Hold one query and what it found.

    Attributes:
        query: the words that were searched for.
        moments: its best moments, the best first.
        right: for each moment whether the query is true of it; None where nobody knows.
    """

    query: str
    moments: Sequence[Moment]
    right: Sequence[bool | None]


def write_contact_sheet(
    path: Path,
    rows: Sequence[SheetRow],
    *,
    title: str,
    frames_at: Callable[[Path, Sequence[float]], Frames],
) -> None:
    """Write a PNG with one line a query: its words, its moments with frames and times.

    Args:
        path: the file to write; its folder must exist.
        rows: the queries, at least one.
        title: first line of the sheet.
        frames_at: reads the frames of a video that are shown at some seconds.
    """
    from PIL import Image, ImageDraw, ImageFont

    columns = max(1, *(len(row.moments) for row in rows))
    moment_width = _FRAMES * _TILE + (_FRAMES - 1) * _GAP
    width = 2 * _MARGIN + columns * moment_width + (columns - 1) * _BETWEEN
    row_height = _TITLE + _TILE + _CAPTION + _BETWEEN
    height = 2 * _MARGIN + _TITLE + 10 + len(rows) * row_height
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(19), ImageFont.load_default(14)
    draw.text((_MARGIN, _MARGIN), title, fill=_FAINT, font=large)
    top = _MARGIN + _TITLE + 10
    for row in rows:
        query = _fitted(draw, row.query, large, width - 2 * _MARGIN - 20)
        draw.text((_MARGIN, top), f"“{query}”", fill=_INK, font=large)
        for column, moment in enumerate(row.moments):
            left = _MARGIN + column * (moment_width + _BETWEEN)
            _paste_frames(sheet, (left, top + _TITLE), moment, frames_at)
            _write_caption(draw, (left, top + _TITLE + _TILE + 5), moment, row.right[column], small)
        top += row_height
    sheet.save(path, format="PNG", optimize=True)


def _paste_frames(
    sheet: Image,
    corner: tuple[int, int],
    moment: Moment,
    frames_at: Callable[[Path, Sequence[float]], Frames],
) -> None:
    from PIL import Image

    length = moment.end - moment.start
    times = [moment.start + length * share for share in (0.12, 0.5, 0.88)]
    frames = frames_at(moment.path, times)
    for number, pixels in enumerate(frames.pixels):
        tile = Image.fromarray(_square(pixels)).resize((_TILE, _TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (corner[0] + number * (_TILE + _GAP), corner[1]))


def _square(pixels: np.ndarray) -> np.ndarray:
    """Crop the middle square of one `(H, W, 3)` frame."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def _write_caption(
    draw: ImageDraw, corner: tuple[int, int], moment: Moment, right: bool | None, font: Font
) -> None:
    left, top = corner
    band = moment.band
    verdict = {True: "right", False: "wrong", None: ""}[right]
    times = f"{moment.start:.1f}-{moment.end:.1f} s, peak {moment.peak:.1f} s"
    name = display_path(moment.path.name)
    draw.text((left, top), f"{name}  {times}", fill=_INK, font=font)
    chance = moment.probability
    told = f"{moment.score:.2f}" if chance is None else f"{band}  {chance:.0%}"
    draw.text((left, top + 18), told, fill=_BANDS.get(band or "", _FAINT), font=font)
    if verdict:
        draw.text((left + 110, top + 18), verdict, fill=_FAINT, font=font)


def _fitted(draw: ImageDraw, text: str, font: Font, width: int) -> str:
    """Shorten `text` with an ellipsis until it is at most `width` pixels wide."""
    shown = " ".join(text.split())
    if draw.textlength(shown, font=font) <= width:
        return shown
    while shown and draw.textlength(shown + "…", font=font) > width:
        shown = shown[:-1]
    return shown.rstrip() + "…"

"""Draw a pooling grid as a picture: darker is better, chance is hatched."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from moviola.analysis.grid_cells import Cell, PoolingGrid

    Font = FreeTypeFont | ImageFont
    Colour = tuple[int, int, int]

_WIDTH, _HEIGHT = 104, 46  # pixels of a cell
_LEFT, _TOP, _MARGIN = 272, 178, 24
_LINE = 20
_PAPER: Colour = (250, 249, 246)
_INK: Colour = (28, 28, 32)
_FAINT: Colour = (110, 110, 118)
_HATCH: Colour = (205, 203, 197)
_PALE: Colour = (232, 240, 247)
_DEEP: Colour = (17, 69, 126)


def draw_heat_map(path: Path, grid: PoolingGrid) -> None:
    """Write a PNG of the t2v MRR of every cell: video poolings down, text poolings across."""
    from PIL import Image, ImageDraw, ImageFont

    names = grid.names
    legend = [
        "Darker is better (logarithmic). Hatched: chance. = : the vectors of an earlier cell.",
        *grid.notes,
    ]
    large, small = ImageFont.load_default(19), ImageFont.load_default(14)
    right = _LEFT + len(names) * _WIDTH + _MARGIN
    lines = [part for line in legend for part in _wrapped(line, small, right - 2 * _MARGIN)]
    bottom = _TOP + len(names) * _HEIGHT
    sheet = Image.new("RGB", (right, bottom + _MARGIN * 2 + len(lines) * _LINE), _PAPER)
    draw = ImageDraw.Draw(sheet)
    title = f"Text-to-video MRR by pooling; chance is {grid.chance:.4f}"
    draw.text((_MARGIN, _MARGIN), title, fill=_INK, font=large)
    draw.text((_MARGIN, _TOP - 24), "video pooling", fill=_FAINT, font=small)
    draw.text((_LEFT, 62), "text pooling", fill=_FAINT, font=small)
    best = max(cell.result.t2v["MRR"] for cell in grid.cells)
    for column, text in enumerate(names):
        left = _LEFT + column * _WIDTH
        # The long names stand in as many lines as they have words.
        words = text.rpartition(":")[2].split("_")
        for line, word in enumerate(words):
            height = _TOP - 8 - (len(words) - line) * (_LINE - 2)
            draw.text((left + 6, height), word, fill=_INK, font=small)
    for row, video in enumerate(names):
        top = _TOP + row * _HEIGHT
        draw.text(
            (_MARGIN, top + 14), video.rpartition(":")[2].replace("_", " "), fill=_INK, font=small
        )
        for column, text in enumerate(names):
            corner = _LEFT + column * _WIDTH, top
            _draw_cell(draw, corner, grid.cell(video, text), (grid.chance, best), large)
    for number, line in enumerate(lines):
        place = _MARGIN, bottom + _MARGIN + number * _LINE
        draw.text(place, line, fill=_FAINT, font=small)
    sheet.save(path, format="PNG", optimize=True)


def _draw_cell(
    draw: ImageDraw, corner: tuple[int, int], cell: Cell, scale: tuple[float, float], font: Font
) -> None:
    left, top = corner
    right, bottom = left + _WIDTH - 3, top + _HEIGHT - 3
    value = cell.result.t2v["MRR"]
    share = 0.0 if cell.is_chance else _share(value, *scale)
    colour = _PAPER if cell.is_chance else _between(share)
    draw.rectangle((left, top, right, bottom), fill=colour, outline=_HATCH)
    if cell.is_chance:
        for start in range(left - _HEIGHT, right, 9):
            first, last = max(start, left), min(start + bottom - top, right)
            if last <= first:
                continue
            draw.line((first, bottom - first + start, last, bottom - last + start), fill=_HATCH)
    told = f"{'= ' if cell.same_as else ''}{value:.4f}"
    width = draw.textlength(told, font=font)
    middle = (left + right - width) / 2
    ink = _PAPER if share > 0.5 else _FAINT if cell.same_as else _INK
    draw.text((middle, top + 10), told, fill=ink, font=font)


def _share(value: float, chance: float, best: float) -> float:
    """Place a value between chance (0) and the best (1) on a logarithmic scale."""
    if best <= chance or value <= chance:
        return 0.0
    return math.log(value / chance) / math.log(best / chance)


def _between(share: float) -> Colour:
    red, green, blue = (
        round(pale + share * (deep - pale)) for pale, deep in zip(_PALE, _DEEP, strict=True)
    )
    return red, green, blue


def _wrapped(text: str, font: Font, width: int) -> list[str]:
    """Wrap `text` into lines of at most `width` pixels, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines

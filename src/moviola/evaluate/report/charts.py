"""Draw small charts as inline SVG. Colours come from the page, so that both themes hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from moviola.evaluate.report.markup import Html, element

WIDTH, HEIGHT = 440.0, 284.0
#: Characters of a bar's name at most.
_LABEL = 30
_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 14.0, 34.0, 44.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """Hold one curve.

    Attributes:
        name: as the legend has it.
        points: in order of x.
        style: class of the page's style sheet: `t2v`, `v2t`, `chance`.
        band: lower and upper y at each point; empty for none.
    """

    name: str
    points: Sequence[Point]
    style: str
    band: Sequence[tuple[float, float]] = field(default=())


@dataclass(frozen=True, slots=True)
class Axis:
    """Hold one axis: its range, the places of its ticks, and its title."""

    low: float
    high: float
    ticks: Sequence[float]
    title: str
    log: bool = False
    show: Callable[[float], str] = lambda value: f"{value:g}"

    def at(self, value: float) -> float:
        """Place a value from 0 to 1."""
        if self.log:
            low, high, value = (math.log10(part) for part in (self.low, self.high, value))
        else:
            low, high = self.low, self.high
        return 0.0 if high == low else min(max((value - low) / (high - low), 0.0), 1.0)


def line_chart(series: Sequence[Series], x: Axis, y: Axis, *, label: str) -> Html:
    """Draw curves with their bands and a legend.

    Args:
        series: the curves.
        x: horizontal axis.
        y: vertical axis.
        label: what the picture shows, for those who cannot see it.
    """
    parts = [_frame(x, y)]
    for each in series:
        if each.band:
            upper = [(a, high) for (a, _), (_, high) in zip(each.points, each.band, strict=True)]
            lower = [(a, low) for (a, _), (low, _) in zip(each.points, each.band, strict=True)]
            around = _places([*upper, *reversed(lower)], x, y)
            parts.append(element("polygon", points=around, class_=f"band {each.style}"))
    parts += [
        element("polyline", points=_places(each.points, x, y), class_=f"curve {each.style}")
        for each in series
    ]
    parts.append(_legend([(each.name, each.style) for each in series]))
    return _picture(parts, label)


def bar_chart(
    groups: Sequence[tuple[str, str, Sequence[float]]],
    edges: Sequence[float],
    x: Axis,
    y: Axis,
    *,
    label: str,
) -> Html:
    """Draw histograms that share their bins, each `(name, style, heights)`.

    Args:
        groups: the histograms, drawn over one another.
        edges: of the bins, one more than heights.
        x: horizontal axis.
        y: vertical axis.
        label: what the picture shows.
    """
    parts = [_frame(x, y)]
    for _, style, heights in groups:
        for low, high, height in zip(edges, edges[1:], heights, strict=False):
            if height <= y.low:
                continue
            left, top = _place((low, height), x, y)
            right, bottom = _place((high, y.low), x, y)
            parts.append(
                element(
                    "rect",
                    x=left,
                    y=top,
                    width=max(right - left, 0.8),
                    height=bottom - top,
                    class_=f"bar {style}",
                )
            )
    if len(groups) > 1:
        parts.append(_legend([(name, style) for name, style, _ in groups], filled=True))
    return _picture(parts, label)


def interval_bars(
    rows: Sequence[tuple[str, float, tuple[float, float]]], *, high: float, unit: str, label: str
) -> Html:
    """Draw one horizontal bar a row with its interval: `(name, value, (low, high))`.

    Args:
        rows: from top to bottom.
        high: the value at the right end.
        unit: behind each number.
        label: what the picture shows.
    """
    names = [name if len(name) <= _LABEL else name[: _LABEL - 1] + "…" for name, _, _ in rows]
    # As wide as the longest name needs in a wide font.
    step, left = 26.0, max(150.0, 10 + 7.0 * max(map(len, names), default=0))
    width = WIDTH - left - 64.0
    parts: list[Html] = []
    for number, (short, (_, value, (low, upper))) in enumerate(zip(names, rows, strict=True)):
        top = number * step
        middle = top + step / 2
        ends = [left + width * min(part / high, 1.0) for part in (low, upper)]
        parts += [
            element("text", short, x=left - 8, y=middle + 4, text_anchor="end", class_="tick"),
            element(
                "rect",
                x=left,
                y=top + 5,
                width=width * value / high,
                height=step - 10,
                class_="bar t2v",
            ),
            element("line", x1=ends[0], x2=ends[1], y1=middle, y2=middle, class_="whisker"),
            element("text", f"{value:.1f}{unit}", x=ends[1] + 6, y=middle + 4, class_="tick"),
        ]
    return _picture(parts, label, height=len(rows) * step)


def ticks(high: float, count: int = 5) -> list[float]:
    """Round numbers from 0 up to the first that reaches `high`."""
    raw = high / count if high > 0 else 1.0
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999999)
    return [step * i for i in range(math.ceil(high / step - 1e-9) + 1)]


def round_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between two values."""
    step = ticks(high - low, count)[1]
    first = math.ceil(low / step - 1e-9)
    return [step * i for i in range(first, math.floor(high / step + 1e-9) + 1)]


def powers(high: float) -> list[float]:
    """List 1, 10, 100, … up to `high`."""
    return [10.0**i for i in range(int(math.log10(max(high, 1))) + 1)]


def _place(point: Point, x: Axis, y: Axis) -> Point:
    return (
        _LEFT + x.at(point[0]) * (WIDTH - _LEFT - _RIGHT),
        HEIGHT - _BOTTOM - y.at(point[1]) * (HEIGHT - _TOP - _BOTTOM),
    )


def _places(points: Sequence[Point], x: Axis, y: Axis) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in (_place(point, x, y) for point in points))


def _frame(x: Axis, y: Axis) -> Html:
    parts: list[Html] = []
    for value in y.ticks:
        left, height = _place((x.low, value), x, y)
        parts += [
            element("line", x1=left, x2=WIDTH - _RIGHT, y1=height, y2=height, class_="grid"),
            element(
                "text", y.show(value), x=left - 7, y=height + 4, text_anchor="end", class_="tick"
            ),
        ]
    for value in x.ticks:
        where, bottom = _place((value, y.low), x, y)
        parts += [
            element("line", x1=where, x2=where, y1=bottom, y2=bottom + 4, class_="axis"),
            element(
                "text", x.show(value), x=where, y=bottom + 17, text_anchor="middle", class_="tick"
            ),
        ]
    bottom = HEIGHT - _BOTTOM
    parts += [
        element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=bottom, y2=bottom, class_="axis"),
        element(
            "text",
            x.title,
            x=(_LEFT + WIDTH - _RIGHT) / 2,
            y=HEIGHT - 8,
            text_anchor="middle",
            class_="title",
        ),
        element(
            "text",
            y.title,
            transform=f"translate(12 {(HEIGHT - _BOTTOM + _TOP) / 2:.0f}) rotate(-90)",
            text_anchor="middle",
            class_="title",
        ),
    ]
    return element("g", *parts)


def _legend(entries: Sequence[tuple[str, str]], *, filled: bool = False) -> Html:
    """Draw what is what in a row above the picture, where it covers nothing."""
    parts: list[Html] = []
    left = _LEFT
    for name, style in entries:
        if filled:
            mark = element("rect", x=left, y=8, width=16, height=10, class_=f"bar {style}")
        else:
            mark = element("line", x1=left, x2=left + 20, y1=13, y2=13, class_=f"curve {style}")
        parts += [mark, element("text", name, x=left + 26, y=17, class_="tick")]
        left += 48 + 6.4 * len(name)
    return element("g", *parts)


def _picture(parts: Sequence[Html], label: str, *, height: float = HEIGHT) -> Html:
    return element(
        "svg",
        element("title", label),
        *parts,
        viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
        role="img",
        xmlns="http://www.w3.org/2000/svg",
    )

"""Read the seconds of true moments, with errors that name the place."""

from __future__ import annotations

import math
from typing import cast

from moviola.core import DatasetError


def span_of(given: object, place: str, *, turn: bool = False) -> tuple[float, float]:
    """Read `[start, end]` in seconds; with `turn`, two that stand the wrong way round too.

    Raises:
        DatasetError: when these are not two finite numbers in order.
    """
    values = cast("list[object]", given) if isinstance(given, list) else []
    if len(values) == 2 and all(isinstance(each, (int, float)) for each in values):
        start, end = (float(cast("float", each)) for each in values)
        if turn:
            start, end = min(start, end), max(start, end)
        if math.isfinite(start) and math.isfinite(end) and start <= end:
            return start, end
    raise DatasetError(f"{place}: {given!r} is no [start, end] in seconds")


def spans_of(given: object, place: str) -> tuple[tuple[float, float], ...]:
    """Read a list of `[start, end]` in seconds, at least one.

    Raises:
        DatasetError: when it is no such list.
    """
    values = cast("list[object]", given) if isinstance(given, list) else []
    if not values:
        raise DatasetError(f"{place}: there is no list of true moments, but {given!r}")
    return tuple(span_of(each, place) for each in values)

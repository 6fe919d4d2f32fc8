"""Moments found and true moments, in QVHighlights' files, into measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from moviola.core import DatasetError, Span, display_path
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.evaluate.moments import MomentResult
from moviola.evaluate.ranked_moments import evaluate_ranked_moments

ValueT = TypeVar("ValueT")


def evaluate_moment_files(found: Path, truth: Path, *, resamples: int = 1000) -> MomentResult:
    """R1@IoU and mAP of the moments in `found` against those in `truth`.

    Args:
        found: JSON lines with `qid` and `pred_relevant_windows`: `[start, end, score]`, the best
            first, in seconds.
        truth: JSON lines with `qid` and `relevant_windows`: `[start, end]`, in seconds.
        resamples: of the bootstrap; 0 for no intervals.

    Raises:
        DatasetError: naming the file and the line that is wrong.
        ValueError: when moments were found for a query that has no truth.
    """
    true = _read(truth, "relevant_windows", _true)
    for query, spans in true.items():
        if not spans:
            raise DatasetError(f"{display_path(truth)}: query {query!r} has no true moment")
    listed = _read(found, "pred_relevant_windows", _listed)
    return evaluate_ranked_moments(listed, true, resamples=resamples)


def as_object(result: MomentResult) -> dict[str, Any]:
    """The numbers as JSON values: percent, but for mIoU."""
    return {**result.aggregates, "n_queries": len(result.queries)}


def as_text(result: MomentResult) -> str:
    """The numbers with their intervals as plain text."""
    lines: list[str] = []
    for name, value in result.aggregates.items():
        digits = 4 if name == "mIoU" else 2
        line = f"{name:<12}{value:8.{digits}f}"
        if name in result.intervals:
            low, high = result.intervals[name]
            line += f"  [{low:.{digits}f}, {high:.{digits}f}]"
        lines.append(line)
    return "\n".join(
        [*lines, "", f"{len(result.queries)} queries; in brackets: 95 % bootstrap intervals"]
    )


def _read(path: Path, column: str, parse: Callable[[Any], ValueT]) -> dict[str, ValueT]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {display_path(path)}")
    found: dict[str, ValueT] = {}
    for row in read_rows(path, ["qid", column]):
        query = str(row.values["qid"])
        if query in found:
            raise DatasetError(f"{row.place}: query {query!r} comes a second time")
        found[query] = _parsed(row, column, parse)
    if not found:
        raise DatasetError(f"{display_path(path)} holds no queries")
    return found


def _parsed(row: Row, column: str, parse: Callable[[Any], ValueT]) -> ValueT:
    try:
        return parse(row.values[column])
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{row.place}: {column!r} is no list of moments ({error})") from None


def _true(windows: Any) -> list[Span]:
    return [Span(float(start), float(end)) for start, end in windows]


def _listed(windows: Any) -> list[tuple[Span, float]]:
    """Moments with scores; where none are given, the order is the ranking."""
    found: list[tuple[Span, float]] = []
    for place, (start, end, *rest) in enumerate(windows):
        score = float(rest[0]) if rest else -float(place)
        # A predicted moment without length overlaps nothing; one past the start is cut there.
        begin, finish = max(float(start), 0.0), float(end)
        found.append((Span(begin, max(finish, begin + 1e-9)), score))
    return found

"""Read moments that were found, in TVR's, QVHighlights' or one's own layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from moviola.core import DatasetError, display_path
from moviola.core.moment_queries import FoundMoment
from moviola.datasets.annotations.files import read_json
from moviola.datasets.annotations.tables import Row, object_rows, read_rows
from moviola.evaluate.moments.corpus import TASKS, Task

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Predictions:
    """Hold moments that were found for queries, the best first.

    Attributes:
        corpus: task to query id to its moments, where videos are told.
        inside: query id to its moments inside the one video of the query, as QVHighlights has
            them: of no video.
        salience: query id to how salient each clip is, where that is told.
    """

    corpus: Mapping[Task, Mapping[str, Sequence[FoundMoment]]] = field(default_factory=dict)
    inside: Mapping[str, Sequence[FoundMoment]] = field(default_factory=dict)
    salience: Mapping[str, Sequence[float]] = field(default_factory=dict)


def read_predictions(path: Path) -> Predictions:
    """Read the moments of a file: TVR's submission, QVHighlights' lines, or lines of one's own.

    Lines of one's own have a `query_id` and its `predictions`, objects of `video`, `start`, `end`
    and, where there is one, `score`. They are the moments of VCMR; SVMR looks at those in the right
    video, VR at the videos in the order of their first moments.

    Raises:
        FileNotFoundError: when there is no such file.
        DatasetError: naming the place that is wrong.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {display_path(path)}")
    if path.suffix.lower() == ".json":
        return Predictions(corpus=_submission(path))
    rows = read_rows(path, [])
    if not rows:
        raise DatasetError(f"{display_path(path)} holds no queries")
    if "pred_relevant_windows" in rows[0].values:
        windows = _by_query(rows, "qid", "pred_relevant_windows", _windows)
        told = [row for row in rows if row.values.get("pred_saliency_scores") is not None]
        salience = _by_query(told, "qid", "pred_saliency_scores", _numbers)
        return Predictions(inside=windows, salience=salience)
    if "predictions" not in rows[0].values:
        raise DatasetError(
            f"{display_path(path)} holds no moments: a line has qid and pred_relevant_windows, or "
            f"query_id and predictions; TVR's submission is a .json file"
        )
    return Predictions(corpus=as_tasks(_by_query(rows, "query_id", "predictions", _objects)))


def as_tasks(
    found: Mapping[str, Sequence[FoundMoment]],
) -> dict[Task, dict[str, list[FoundMoment]]]:
    """Take one ranking of moments a query as the answers of all three tasks."""
    videos = {
        query: list({moment.video: moment for moment in reversed(moments)}.values())[::-1]
        for query, moments in found.items()
    }
    whole = {query: list(moments) for query, moments in found.items()}
    return {"VCMR": whole, "SVMR": whole, "VR": videos}


def _submission(path: Path) -> dict[Task, dict[str, list[FoundMoment]]]:
    told: Any = read_json(path)
    shown = display_path(path)
    names = cast("Any", told.get("video2idx")) if isinstance(told, dict) else None
    if not isinstance(names, dict):
        raise DatasetError(f"{shown} is no submission of TVR's: it has no 'video2idx'")
    video_of = {number: str(name) for name, number in cast("dict[str, Any]", names).items()}

    def moments(listed: Any) -> list[FoundMoment]:
        return [
            FoundMoment(video_of.get(number, ""), float(start), float(end), *map(float, rest[:1]))
            for number, start, end, *rest in listed
        ]

    found: dict[Task, dict[str, list[FoundMoment]]] = {
        task: _by_query(
            object_rows(told[task], f"{path.name}[{task!r}]"), "desc_id", "predictions", moments
        )
        for task in TASKS
        if task in told
    }
    if not found:
        raise DatasetError(f"{shown} holds none of {', '.join(TASKS)}")
    return found


def _by_query(
    rows: Sequence[Row], key: str, column: str, parse: Callable[[Any], ValueT]
) -> dict[str, ValueT]:
    found: dict[str, ValueT] = {}
    for row in rows:
        query = row.name(key)
        if query in found:
            raise DatasetError(f"{row.place}: query {query!r} comes a second time")
        try:
            found[query] = parse(row.values[column])
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise DatasetError(f"{row.place}: {column!r} is no list of moments ({error})") from None
    return found


def _windows(listed: Any) -> list[FoundMoment]:
    """Read windows with scores; where none are given, the order is the ranking."""
    return [
        FoundMoment("", float(start), float(end), float(rest[0]) if rest else -float(place))
        for place, (start, end, *rest) in enumerate(listed)
    ]


def _objects(listed: Any) -> list[FoundMoment]:
    return [
        FoundMoment(
            str(each["video"]),
            float(each["start"]),
            float(each["end"]),
            float(each.get("score", 0)),
        )
        for each in listed
    ]


def _numbers(listed: Any) -> list[float]:
    return [float(each) for each in listed]

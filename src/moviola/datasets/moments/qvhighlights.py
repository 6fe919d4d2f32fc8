"""Read QVHighlights' annotations: several true moments a query, and how salient each clip is.

JSON lines with `qid`, `query`, `vid`, `relevant_windows`, and for highlights `relevant_clip_ids`
and `saliency_scores` (Lei, Berg and Bansal, "QVHighlights", NeurIPS 2021). A clip has two seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moviola.core import DatasetError
from moviola.core.moment_queries import MomentQuery
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.datasets.moments.spans import spans_of

COLUMNS = ("qid", "relevant_windows")
#: How long a clip is, in seconds.
CLIP_SECONDS = 2


def load(path: Path) -> tuple[MomentQuery, ...]:
    """Read the queries of a file in QVHighlights' layout; any of their true moments is right.

    Raises:
        DatasetError: naming the line that is wrong.
    """
    return tuple(
        MomentQuery(
            id=row.name("qid"),
            text=str(row.values.get("query") or ""),
            video=str(row.values.get("vid") or ""),
            spans=spans_of(row.values["relevant_windows"], row.place),
        )
        for row in read_rows(path, COLUMNS)
    )


def load_saliency(path: Path) -> dict[str, Mapping[int, tuple[int, ...]]]:
    """Read how salient the three annotators found the relevant clips: query to clip to scores.

    Clips that are not named are not relevant at all. Lines without scores are left out.

    Raises:
        DatasetError: naming the line that is wrong.
    """
    return {
        row.name("qid"): _scores(row)
        for row in read_rows(path, [])
        if "saliency_scores" in row.values and "qid" in row.values
    }


def clip_count(path: Path) -> dict[str, int]:
    """Read into how many clips the video of each query is cut, where its duration is told.

    Raises:
        DatasetError: naming the line that is wrong.
    """
    found: dict[str, int] = {}
    for row in read_rows(path, []):
        duration = row.seconds("duration")
        if duration is not None and "qid" in row.values:
            found[row.name("qid")] = int(duration / CLIP_SECONDS)
    return found


def _scores(row: Row) -> dict[int, tuple[int, ...]]:
    clips: Any = row.values.get("relevant_clip_ids")
    scores: Any = row.values["saliency_scores"]
    try:
        return {
            int(clip): tuple(int(each) for each in given)
            for clip, given in zip(clips, scores, strict=True)
        }
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"{row.place}: relevant_clip_ids and saliency_scores do not fit together ({error})"
        ) from None

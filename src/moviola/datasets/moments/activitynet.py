"""Read ActivityNet Captions as moments: every sentence has its own span.

JSON of video to `duration`, `timestamps` and `sentences` (Krishna et al., "Dense-Captioning Events
in Videos", ICCV 2017).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from moviola.core import DatasetError, display_path
from moviola.core.moment_queries import MomentQuery
from moviola.datasets.annotations.files import read_json
from moviola.datasets.moments.spans import span_of


def load(path: Path) -> tuple[MomentQuery, ...]:
    """Read the queries of a file; sentence i of a video is called `VIDEO-i`, from 0.

    A few spans of the official files stand the wrong way round, and are turned.

    Raises:
        DatasetError: naming the video that is wrong.
    """
    told = read_json(path)
    if not isinstance(told, dict):
        raise DatasetError(f"{display_path(path)} is no object of videos")
    queries: list[MomentQuery] = []
    for video, value in cast("dict[str, Any]", told).items():
        place = f"{display_path(path)}[{video!r}]"
        try:
            pairs = list(zip(value["timestamps"], value["sentences"], strict=True))
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{place}: needs a timestamp for every sentence ({error})") from None
        for number, (times, sentence) in enumerate(pairs):
            span = span_of(times, place, turn=True)
            queries.append(MomentQuery(f"{video}-{number}", str(sentence).strip(), video, (span,)))
    return tuple(queries)

"""Evaluate the real search over a library with queries whose true moments are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from moviola.core import display_path
from moviola.core.moment_queries import FoundMoment, MomentQuery
from moviola.core.moments import Moment
from moviola.datasets.moments.reading import read_moment_queries
from moviola.evaluate.moments.bands import BandResult, Judged, measure_bands
from moviola.evaluate.moments.corpus import (
    DEPTH,
    TASKS,
    CorpusMomentResult,
    Task,
    evaluate_corpus_moments,
)
from moviola.library import Library, VideoFilter
from moviola.pipeline.inputs.library_videos import find_videos
from moviola.pipeline.search.search import open_library, search

Hits = dict[Task, dict[str, list[FoundMoment]]]
#: What search is called with beside a text: moments at most, of a video at most, and filters.
Search = Callable[..., list[Moment]]


@dataclass(frozen=True, slots=True)
class SearchEvaluation:
    """Hold what came of a search over a library.

    Attributes:
        corpus: VCMR, SVMR and VR.
        hits: task to query id to the moments that were found, by the names of the queries' file.
        ms_per_query: `p50` and `p95`, milliseconds from words to ranked moments.
        bands: what bands and probabilities of first hits are worth.
        library: folder of the library.
        notes: what must be known of the numbers.
    """

    corpus: CorpusMomentResult
    hits: Hits
    ms_per_query: Mapping[str, float]
    bands: BandResult
    library: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write the numbers as JSON values: `tvr` in percent, shares of bands in [0, 1]."""
        told: dict[str, Any] = {
            "n_queries": len(self.corpus.queries),
            "tvr": self.corpus.to_json(),
            "intervals": {task: dict(values) for task, values in self.corpus.intervals.items()},
            "ms_per_query": dict(self.ms_per_query),
            "bands": self.bands.to_json(),
        }
        return told | ({"notes": list(self.notes)} if self.notes else {})


def evaluate_search(
    library: Library | Path | str | None,
    queries: Path,
    *,
    resamples: int = 1000,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    search_with: Search = search,
) -> SearchEvaluation:
    """Search a library for every query of a file, as `moviola search` does, and measure it.

    VCMR takes the first hundred moments, any number of one video; SVMR searches the right video
    alone; VR takes the best moment of each video. Near-duplicates are not folded: the true video
    must not hide behind its copy. A first hit is right where its peak lies in a true moment of the
    right video.

    Args:
        library: an open library, or its folder; None means the one in the user's data folder.
        queries: as `read_moment_queries` takes them; a video is told by its path, the name of its
            file with or without suffix, or its id in the library.
        resamples: of the bootstrap; 0 for no intervals.
        on_progress: called with how many queries are done, of how many.
        search_with: the search that is measured.

    Raises:
        FileNotFoundError: when there is no library, or no such file.
        DatasetError: naming the place of the file that is wrong.
        ValueError: when the library holds none of the videos, or none of their files is there any
            more, or a name fits several.
    """
    asked = read_moment_queries(queries)
    opened = library if isinstance(library, Library) else open_library(library)
    owner = find_videos({query.video for query in asked}, opened)
    if not owner:
        raise ValueError(
            f"{display_path(opened.path)} holds none of the videos of {display_path(queries)}, "
            f"such as {asked[0].video!r}; index them, or name them as `moviola status` does"
        )
    records = (opened.record(video) for video in owner.values())
    if all(record is None or record.is_missing for record in records):
        raise ValueError(
            f"the files of all {len(owner)} videos that are asked for are gone, so that no search "
            f"of {display_path(opened.path)} finds them (only `moviola search --missing` does); "
            f"connect the disk that they are on and run moviola index again"
        )
    names = _names(opened, owner)
    hits: Hits = {task: {} for task in TASKS}
    seconds: list[float] = []
    judged: list[Judged] = []
    search_with(asked[0].text, library=opened, top=1)  # loads the model and the library
    for number, query in enumerate(asked, start=1):
        began = perf_counter()
        moments = search_with(query.text, library=opened, top=DEPTH, per_video=None, fold=False)
        seconds.append(perf_counter() - began)
        judged.append(_judge(moments, query, owner.get(query.video)))
        inside: list[Moment] = []
        if query.video in owner:
            only = VideoFilter(videos=frozenset([owner[query.video]]))
            inside = search_with(
                query.text, library=opened, top=DEPTH, per_video=None, fold=False, filters=only
            )
        videos = search_with(query.text, library=opened, top=DEPTH, per_video=1, fold=False)
        for task, found in zip(TASKS, (moments, inside, videos), strict=True):
            hits[task][query.id] = [_found(moment, names, query, owner) for moment in found]
        on_progress(number, len(asked))
    corpus = evaluate_corpus_moments(hits, asked, resamples=resamples)
    p50, p95 = 1000 * np.percentile(seconds, [50, 95])
    return SearchEvaluation(
        corpus=corpus,
        hits=hits,
        ms_per_query={"p50": float(p50), "p95": float(p95)},
        bands=measure_bands(judged),
        library=display_path(opened.path),
        notes=_notes(asked, owner),
    )


def submission(evaluation: SearchEvaluation) -> dict[str, Any]:
    """Put the hits into TVR's submission format, as `evaluate-moments` and TVR's code read it."""
    found = evaluation.hits
    videos = sorted(
        {moment.video for task in found.values() for moments in task.values() for moment in moments}
        | {query.video for query in evaluation.corpus.queries}
    )
    index = {video: number for number, video in enumerate(videos)}
    told: dict[str, Any] = {"video2idx": index}
    for task, moments in found.items():
        told[task] = [
            {
                "desc_id": int(query.id) if str(query.id).isdecimal() else query.id,
                "desc": query.text,
                "predictions": [
                    [index[each.video], each.start, each.end, each.score]
                    for each in moments[query.id]
                ],
            }
            for query in evaluation.corpus.queries
        ]
    return told


def write_submission(evaluation: SearchEvaluation, path: Path) -> None:
    """Write the hits to a `.json` file in TVR's submission format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(submission(evaluation), ensure_ascii=True) + "\n", encoding="ascii")


def _names(library: Library, owner: Mapping[str, str]) -> dict[str, str]:
    """Name every video of the library: as the queries do, else by its file."""
    names = {record.id: str(record.path) for record in library.videos()}
    return names | {video: name for name, video in owner.items()}


def _found(
    moment: Moment, names: Mapping[str, str], query: MomentQuery, owner: Mapping[str, str]
) -> FoundMoment:
    # Two names of one video are one: each query finds it by the name that it used.
    own = owner.get(query.video) == moment.video
    video = query.video if own else names.get(moment.video, moment.video)
    return FoundMoment(video, moment.start, moment.end, moment.score)


def _judge(moments: Sequence[Moment], query: MomentQuery, owner: str | None) -> Judged:
    if not moments:
        return Judged("", None, right=False)
    first = moments[0]
    inside = any(start <= first.peak <= end for start, end in query.spans)
    return Judged(first.band or "", first.probability, right=first.video == owner and inside)


def _notes(queries: Sequence[MomentQuery], owner: Mapping[str, str]) -> tuple[str, ...]:
    lost = [query.video for query in queries if query.video not in owner]
    if not lost:
        return ()
    said = (
        f"{len(lost)} of {len(queries)} queries lie in videos that the library does not hold, such "
        f"as {lost[0]!r}, and count as failed"
    )
    return (said,)

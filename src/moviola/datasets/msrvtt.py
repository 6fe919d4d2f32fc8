"""Load MSR-VTT, and every data set in its layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from moviola.core import DatasetError, Qrels, RetrievalDataset, Span, Text, display_path
from moviola.datasets.annotations.footage import Source
from moviola.datasets.annotations.gallery import assemble, open_footage
from moviola.datasets.annotations.msrvtt_categories import with_categories
from moviola.datasets.annotations.msrvtt_splits import PUBLISHED, load_published
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.datasets.annotations.videodatainfo import Annotations, find_annotations

_SPLITS = ("train", "val", "validate", "test", "all")


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of MSR-VTT (Xu et al., 2016), or of a data set in its layout.

    Annotations are the JSON files of `root` (or its `annotations/`) that are called
    `annotations.json`, `MSRVTT_data.json` or `*videodatainfo*.json`; videos lie in `videos/` or
    anywhere below `root`, each called by its id. Captions are called `video7890-1`,
    `video7890-2`, …, in the order of the annotations. Sentences with a field that is true, such
    as `"held_out": true`, form a group of that name (`held-out`); those about videos of one
    `category` form another (`category: music`), where there are several categories.

    Args:
        root: the folder.
        split: `train`, `val` or `validate`, `test`, `all`, by what the annotations say of each
            video; one of these with `-moments` behind it: the queries of `moments.jsonl`
            (QVHighlights' fields `qid`, `query`, `vid`, `relevant_windows`) in place of captions;
            or a published split, as `load_published` tells: `1ka`, `1ka-train-7k`,
            `1ka-train-9k`, `1kb`, `1kb-train`, `full`, `full-train`, `full-val`.

    Raises:
        DatasetError: naming the file, the row, and what is wrong; also when a published split is
            not as it was published.
    """
    if split in PUBLISHED:
        return load_published(root, split)
    base = split.removesuffix("-moments")
    if base not in _SPLITS:
        raise DatasetError(
            f"there is no split {split!r}; there are train, val, test, all, each with -moments "
            f"behind it or not, and {', '.join(PUBLISHED)}"
        )
    annotations = find_annotations(root)
    sources = annotations.sources("validate" if base == "val" else base)
    if not sources:
        known = sorted({video.split for video in annotations.videos.values()})
        raise DatasetError(
            f"the annotations in {display_path(root)} have no video of split {base!r}; "
            f"they have {', '.join(known) or 'no videos'}"
        )
    name = f"{display_path(root.resolve().name)}-{split}"
    if base != split:
        return with_categories(_with_moments(name, root, annotations, sources), annotations.videos)
    sentences = [each for each in annotations.sentences if each.video in sources]
    pairs = [(sentence.video, sentence.caption) for sentence in sentences]
    found = assemble(name, open_footage(root), sources, pairs)
    flags = [sentence.flags for sentence in sentences]
    grouped = replace(found, groups=_groups([text.id for text in found.texts], flags))
    return with_categories(grouped, annotations.videos)


def _groups(ids: Sequence[str], flags: Sequence[frozenset[str]]) -> dict[str, frozenset[str]]:
    return {
        re.sub(r"[_\s]+", "-", flag): frozenset(
            text_id for text_id, own in zip(ids, flags, strict=True) if flag in own
        )
        for flag in sorted({flag for own in flags for flag in own})
    }


@dataclass(frozen=True, slots=True)
class _Query:
    """Hold one line of `moments.jsonl`."""

    id: str
    video: str
    text: str
    flags: frozenset[str]
    moments: tuple[Span, ...]


def _with_moments(
    name: str, root: Path, annotations: Annotations, sources: Mapping[str, Source]
) -> RetrievalDataset:
    queries = [query for query in _moment_queries(root, annotations) if query.video in sources]
    if not queries:
        raise DatasetError(
            f"{display_path(root / _MOMENTS)} has no query about a video of this split"
        )
    return replace(
        assemble(name, open_footage(root), sources, []),
        texts=[Text(query.id, query.text) for query in queries],
        qrels=Qrels({query.id: frozenset([query.video]) for query in queries}),
        moments={query.id: query.moments for query in queries},
        groups=_groups([query.id for query in queries], [query.flags for query in queries]),
    )


_MOMENTS = "moments.jsonl"


def _moment_queries(root: Path, annotations: Annotations) -> list[_Query]:
    queries: dict[str, _Query] = {}
    for row in read_rows(root / _MOMENTS, ["qid", "query", "vid", "relevant_windows"]):
        video, query = row.name("vid"), row.name("qid")
        if video not in annotations.videos:
            raise DatasetError(f"{row.place}: the annotations have no video {video!r}")
        if query in queries:
            raise DatasetError(f"{row.place}: the qid {query!r} comes a second time")
        flags = frozenset(name for name, value in row.values.items() if value is True)
        queries[query] = _Query(query, video, row.text("query"), flags, _windows(row))
    return list(queries.values())


def _windows(row: Row) -> tuple[Span, ...]:
    windows: Any = row.values["relevant_windows"]
    try:
        spans = tuple(Span(float(start), float(end)) for start, end in cast("list[Any]", windows))
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"{row.place}: relevant_windows is {windows!r}, not a list of [start, end] ({error})"
        ) from None
    if not spans:
        raise DatasetError(f"{row.place}: relevant_windows is empty")
    return spans

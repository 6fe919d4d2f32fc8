"""Load folders in BEIR's layout: a corpus of videos, queries, and qrels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from moviola.core import DatasetError, Qrels, RetrievalDataset, Text, display_path
from moviola.datasets.annotations.footage import WHOLE_VIDEO, Source
from moviola.datasets.annotations.gallery import assemble, open_footage
from moviola.datasets.annotations.tables import read_rows, read_tabbed


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of a data set in BEIR's layout (Thakur et al., 2021), videos for documents.

    `corpus.jsonl` has a line with `_id` for every clip, and may say its file in `video` (else the
    file is called by the id) and its `start` and `end` in seconds. `queries.jsonl` has `_id` and
    `text`; `qrels/SPLIT.tsv` has, below a header, the ids of query and clip and a score, separated
    by tabs: above 0 means relevant. The gallery is the whole corpus; the texts are the queries
    that have something relevant in this split. Texts keep the ids of the queries.

    Args:
        root: the folder; videos lie in its `videos/` or anywhere below it.
        split: name of a file in `qrels/`.

    Raises:
        DatasetError: naming the file and the line.
    """
    known = sorted(path.stem for path in root.glob("qrels/*.tsv"))
    if split not in known:
        raise DatasetError(
            f"{display_path(root)} has no qrels/{split}.tsv; its splits are "
            f"{', '.join(known) or 'none'}"
        )
    sources = _corpus(root / "corpus.jsonl")
    queries = _queries(root / "queries.jsonl")
    relevant = _relevant(root / "qrels" / f"{split}.tsv", sources, queries)
    found = assemble(
        f"{display_path(root.resolve().name)}-{split}", open_footage(root), sources, []
    )
    return replace(
        found,
        texts=[text for text in queries.values() if text.id in relevant],
        qrels=Qrels({query: frozenset(clips) for query, clips in relevant.items()}),
    )


def _corpus(path: Path) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for row in read_rows(path, ["_id"]):
        clip = row.name("_id")
        if clip in sources:
            raise DatasetError(f"{row.place}: the id {clip!r} comes a second time")
        video = row.name("video") if "video" in row.values else clip
        sources[clip] = Source(video, row.span() or WHOLE_VIDEO)
    return sources


def _queries(path: Path) -> dict[str, Text]:
    queries: dict[str, Text] = {}
    for row in read_rows(path, ["_id", "text"]):
        query = row.name("_id")
        if query in queries:
            raise DatasetError(f"{row.place}: the id {query!r} comes a second time")
        queries[query] = Text(query, row.text("text"))
    return queries


def _relevant(
    path: Path, sources: dict[str, Source], queries: dict[str, Text]
) -> dict[str, set[str]]:
    relevant: dict[str, set[str]] = {}
    judged: set[tuple[str, str]] = set()
    for row in read_tabbed(path, ("query-id", "corpus-id", "score"), header=True):
        query, clip = row.name("query-id"), row.name("corpus-id")
        if query not in queries:
            raise DatasetError(f"{row.place}: queries.jsonl has no {query!r}")
        if clip not in sources:
            raise DatasetError(f"{row.place}: corpus.jsonl has no {clip!r}")
        if (query, clip) in judged:
            raise DatasetError(f"{row.place}: {query!r} and {clip!r} come a second time")
        judged.add((query, clip))
        if _score(row.text("score"), row.place) > 0:
            relevant.setdefault(query, set()).add(clip)
    if not relevant:
        raise DatasetError(f"{display_path(path)}: nothing is relevant to any query")
    return relevant


def _score(value: str, place: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise DatasetError(f"{place}: the score {value!r} is no whole number") from None

"""MSR-VTT, and every data set in its layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from moviola.core import Clip, DatasetError, Qrels, RetrievalDataset, Span, Text, display_path
from moviola.datasets.captions import caption_ids
from moviola.datasets.footage import WHOLE_VIDEO, Footage
from moviola.datasets.tables import Row, read_rows
from moviola.datasets.videodatainfo import Annotations, read_annotations

_SPLITS = ("train", "validate", "test")
_JSFUSION = "*JSFUSION*test*.csv"
#: Videos and captions of the official test split (Xu, Mei, Yao and Rui, "MSR-VTT: A Large Video
#: Description Dataset for Bridging Video and Language", 2016, section 3; 20 captions a video).
_FULL = (2990, 59800)
#: Pairs of JSFusion's test list (Yu, Kim and Kim, 2018), which papers call 1k-A.
_1KA = 1000


@dataclass(frozen=True, slots=True)
class _Described:
    """One caption: the id of its video, its words, the groups it is in, and its moments."""

    video: str
    text: str
    groups: frozenset[str] = frozenset()
    moments: tuple[Span, ...] = field(default=())


def load(root: Path, split: str) -> RetrievalDataset:
    """One split of MSR-VTT, or of a data set in its layout.

    Annotations are the JSON files of `root` (or its `annotations/`) that are called
    `annotations.json`, `MSRVTT_data.json` or `*videodatainfo*.json`; videos lie in `videos/` or
    anywhere below `root`, each called by its id. Captions are called `video7890-1`,
    `video7890-2`, …, in the order of the annotations. Sentences with a field that is true, such
    as `"held_out": true`, form a group of that name (`held-out`).

    Args:
        root: the folder.
        split: `train`, `val` or `validate`, `test`, `all`, by what the annotations say of each
            video; `1ka` and `full`, the published protocols, whose counts are checked; or one of
            the first four with `-moments` behind it: the queries of `moments.jsonl`
            (QVHighlights' fields `qid`, `query`, `vid`, `relevant_windows`) in place of captions.

    Raises:
        DatasetError: naming the file, the row, and what is wrong; also when a protocol's counts
            are not what they must be.
    """
    footage = Footage(root / "videos" if (root / "videos").is_dir() else root)
    base, moments, rest = split.partition("-moments")
    if base not in (*_SPLITS, "val", "all", "1ka", "full") or rest or (moments and base in _PUBLIC):
        raise DatasetError(
            f"there is no split {split!r}; there are train, val, test, all, "
            f"each with -moments behind it or not, 1ka and full"
        )
    if base == "1ka":
        return _assemble("msrvtt-1ka", footage, *_jsfusion(root))
    annotations = _annotations(root)
    wanted = {"val": "validate", "full": "test"}.get(base, base)
    spans = {
        video.id: video.span
        for video in annotations.videos.values()
        if wanted in ("all", video.split)
    }
    if not spans:
        known = sorted({video.split for video in annotations.videos.values()})
        raise DatasetError(
            f"the annotations in {display_path(root)} have no video of split {wanted!r}; "
            f"they have {', '.join(known) or 'no videos'}"
        )
    if moments:
        described, ids = _moment_queries(root, annotations, spans)
    else:
        described = [
            _Described(sentence.video, sentence.caption, sentence.flags)
            for sentence in annotations.sentences
            if sentence.video in spans
        ]
        ids = caption_ids(each.video for each in described)
    name = f"{display_path(root.resolve().name)}-{split}"
    if base == "full":
        _require_counts(root, len(spans), len(described))
        name = "msrvtt-full"
    return _assemble(name, footage, spans, described, ids)


_PUBLIC = ("1ka", "full")


def _annotations(root: Path) -> Annotations:
    for pattern in ("annotations.json", "MSRVTT_data.json", "*videodatainfo*.json"):
        for folder in (root, root / "annotations", root / "annotation"):
            found = sorted(folder.glob(pattern))
            if found:
                return read_annotations(found)
    raise DatasetError(
        f"{display_path(root)} has no annotations.json, MSRVTT_data.json or *videodatainfo*.json"
    )


def _jsfusion(root: Path) -> tuple[Mapping[str, Span], Sequence[_Described], list[str]]:
    found = sorted({*root.glob(_JSFUSION), *root.glob(f"*/{_JSFUSION}")})
    if len(found) != 1:
        raise DatasetError(
            f"{display_path(root)} must hold one {_JSFUSION} for msrvtt-1ka, it holds {len(found)}"
        )
    described = [
        _Described(row.text("video_id"), row.text("sentence"))
        for row in read_rows(found[0], ["video_id", "sentence"])
    ]
    videos = dict.fromkeys((each.video for each in described), WHOLE_VIDEO)
    if (len(described), len(videos)) != (_1KA, _1KA):
        raise DatasetError(
            f"{display_path(found[0])} has {len(described)} captions of {len(videos)} videos; "
            f"msrvtt-1ka has {_1KA} of {_1KA}: get the published list"
        )
    return videos, described, caption_ids(videos)


def _require_counts(root: Path, videos: int, captions: int) -> None:
    if (videos, captions) != _FULL:
        raise DatasetError(
            f"{display_path(root)} has {captions} captions of {videos} test videos; msrvtt-full "
            f"has {_FULL[1]} of {_FULL[0]}: ask for 'test' if this is another data set"
        )


def _moment_queries(
    root: Path, annotations: Annotations, spans: Mapping[str, Span]
) -> tuple[list[_Described], list[str]]:
    path = root / "moments.jsonl"
    described: list[_Described] = []
    ids: list[str] = []
    for row in read_rows(path, ["qid", "query", "vid", "relevant_windows"]):
        video = row.text("vid")
        if video not in annotations.videos:
            raise DatasetError(f"{row.place}: the annotations have no video {video!r}")
        if video in spans:
            flags = frozenset(name for name, value in row.values.items() if value is True)
            described.append(_Described(video, row.text("query"), flags, _windows(row)))
            ids.append(str(row.values["qid"]))
    if not described:
        raise DatasetError(f"{display_path(path)} has no query about a video of this split")
    if len(set(ids)) != len(ids):
        raise DatasetError(f"{display_path(path)}: a qid comes twice")
    return described, ids


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


def _assemble(
    name: str,
    footage: Footage,
    spans: Mapping[str, Span],
    described: Iterable[_Described],
    ids: Iterable[str],
) -> RetrievalDataset:
    paths = {video: footage.find(video) for video in spans}
    clips = [Clip(video, path, spans[video]) for video, path in paths.items() if path is not None]
    missing = tuple(video for video, path in paths.items() if path is None)
    if not clips:
        raise DatasetError(
            f"{name}: none of its {len(missing)} videos is there, the first of them {missing[0]!r}"
        )
    kept = {
        text_id: each for text_id, each in zip(ids, described, strict=True) if paths[each.video]
    }
    flags = sorted({flag for each in kept.values() for flag in each.groups})
    return RetrievalDataset(
        name=name,
        clips=clips,
        texts=[Text(text_id, each.text) for text_id, each in kept.items()],
        qrels=Qrels({text_id: frozenset([each.video]) for text_id, each in kept.items()}),
        missing=missing,
        moments={text_id: each.moments for text_id, each in kept.items() if each.moments},
        groups={
            re.sub(r"[_\s]+", "-", flag): frozenset(
                text_id for text_id, each in kept.items() if flag in each.groups
            )
            for flag in flags
        },
    )

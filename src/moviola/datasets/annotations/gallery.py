"""Make a `RetrievalDataset` of what annotations say, the same way for every data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from moviola.core import Clip, DatasetError, Qrels, RetrievalDataset, Span, Text, display_path
from moviola.datasets.annotations.captions import caption_ids
from moviola.datasets.annotations.files import read_lines
from moviola.datasets.annotations.footage import Footage, Source
from moviola.datasets.annotations.tables import read_rows


def assemble(
    name: str, footage: Footage, sources: Mapping[str, Source], captions: Iterable[tuple[str, str]]
) -> RetrievalDataset:
    """Assemble the data set of these clips and captions.

    The gallery is always whole: a clip whose video file is not there stays in it, with the path
    where the file would be, and is listed in `missing`. So stores that were encoded elsewhere
    are evaluated against the right gallery; whoever decodes passes over what is missing.

    Args:
        name: of data set and split.
        footage: the video files that there are.
        sources: clip id to where it is cut from.
        captions: ids of clips and the words that describe them, in order. They are called
            `CLIP-1`, `CLIP-2`, ….

    Raises:
        DatasetError: when there is no clip, several files are called alike, or two
            clips are the same span of one file.
    """
    if not sources:
        raise DatasetError(f"{name}: the annotations hold no clips")
    paths = {clip: footage.find(source.video) for clip, source in sources.items()}
    _refuse_twins(name, sources, paths)
    pairs = list(captions)
    ids = caption_ids(clip for clip, _ in pairs)
    return RetrievalDataset(
        name=name,
        clips=[
            Clip(clip, paths[clip] or footage.expected(source.video), source.span)
            for clip, source in sources.items()
        ],
        texts=[
            Text(text_id, words, clip) for text_id, (clip, words) in zip(ids, pairs, strict=True)
        ],
        qrels=Qrels(
            {text_id: frozenset([clip]) for text_id, (clip, _) in zip(ids, pairs, strict=True)}
        ),
        missing=tuple(clip for clip, path in paths.items() if path is None),
    )


def open_footage(root: Path) -> Footage:
    """Open the videos of a data set: those in `videos/` where there is such a folder, or all below.

    Raises:
        DatasetError: when there is no folder `root`.
    """
    return Footage(root / "videos" if (root / "videos").is_dir() else root)


def _refuse_twins(
    name: str, sources: Mapping[str, Source], paths: Mapping[str, Path | None]
) -> None:
    """Refuse two ids of one clip: they would share the first rank and halve every measure."""
    seen: dict[tuple[Path, Span], str] = {}
    for clip, source in sources.items():
        path = paths[clip]
        if path is not None:
            twin = seen.setdefault((path, source.span), clip)
            if twin != clip:
                raise DatasetError(
                    f"{name}: {twin!r} and {clip!r} are the same clip of {display_path(path)}; "
                    f"call it by one name"
                )


def look_for(root: Path, *patterns: str) -> Path | None:
    """Look for the annotation file in `root` or in a folder of it; earlier patterns come first.

    Raises:
        DatasetError: when several files fit a pattern.
    """
    for pattern in patterns:
        found = sorted({*root.glob(pattern), *root.glob(f"*/{pattern}")})
        if len(found) > 1:
            raise DatasetError(
                f"{display_path(root)} has {' and '.join(display_path(p) for p in found[:2])}, "
                f"which may both be {pattern}; keep one"
            )
        if found:
            return found[0]
    return None


def find_annotation(root: Path, *patterns: str) -> Path:
    """Find the annotation file in `root` or in a folder of it; earlier patterns come first.

    Raises:
        DatasetError: when there is none, or several fit a pattern.
    """
    found = look_for(root, *patterns)
    if found is None:
        raise DatasetError(
            f"{display_path(root)} has no {' or '.join(patterns)}, nor a folder in it"
        )
    return found


def read_ids(path: Path) -> list[str]:
    """Read the video ids of a list: a text file of one id a line, or a CSV with `video_id`.

    Raises:
        DatasetError: when it is empty, or naming the line of an id that comes twice.
    """
    if path.suffix.lower() == ".csv":
        places = [(row.place, row.name("video_id")) for row in read_rows(path, ["video_id"])]
    else:
        places = [
            (f"{display_path(path)}, line {number}", line.strip())
            for number, line in read_lines(path)
        ]
    seen: set[str] = set()
    for place, video in places:
        if video in seen:
            raise DatasetError(f"{place}: {video!r} comes a second time; keep one")
        seen.add(video)
    if not seen:
        raise DatasetError(f"{display_path(path)} lists no videos")
    return [video for _, video in places]


def refuse_overlap(videos: Iterable[str], path: Path, others: Iterable[str], other: Path) -> None:
    """Refuse a training split and a test split that share videos.

    Raises:
        DatasetError: naming both files and the first video that is in both.
    """
    shared = sorted(set(videos) & set(others))
    if shared:
        raise DatasetError(
            f"{display_path(path)} and {display_path(other)} share {len(shared):,} videos, the "
            f"first of them {shared[0]!r}: what was trained on one cannot be tested on the other; "
            f"get the published lists"
        )

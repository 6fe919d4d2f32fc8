"""Check how much of a protocol is there: refuse it, or say what must stand beside a result."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from moviola.core import DatasetError, Qrels, RetrievalDataset, display_path
from moviola.datasets.annotations.protocols import (
    PROTOCOLS,
    captions_digest,
    find_protocol,
    gallery_digest,
)


def require_protocol(dataset: RetrievalDataset, path: Path) -> RetrievalDataset:
    """Require that `dataset` is the protocol that its name says, and return it.

    Args:
        dataset: with its whole gallery, present or missing.
        path: the annotation file that is named when it is not.

    Raises:
        DatasetError: when the numbers of clips or texts, or the clips' ids, are not the protocol's.
    """
    protocol = find_protocol(dataset.name)
    require_count(f"{protocol.name}: clips", len(dataset.clips), protocol.clips, path)
    require_count(f"{protocol.name}: captions", len(dataset.texts), protocol.texts, path)
    digest = gallery_digest(clip.id for clip in dataset.clips)
    if protocol.gallery_sha256 and digest != protocol.gallery_sha256:
        raise DatasetError(
            f"{display_path(path)} lists {protocol.clips:,} clips, but not those of "
            f"{protocol.name}; get the published list"
        )
    return dataset


def require_count(what: str, found: int, published: int, path: Path) -> None:
    """Refuse a list of another length than the published one.

    Raises:
        DatasetError: naming `path` and both numbers.
    """
    if found != published:
        raise DatasetError(
            f"{display_path(path)} gives {what}: {found:,}, where {published:,} were published; "
            f"get the published file, or load it as a data set of your own"
        )


def restrict(dataset: RetrievalDataset, present: Collection[str]) -> RetrievalDataset:
    """Restrict `dataset` to what can be evaluated when only the clips `present` have embeddings.

    The other clips become missing, and texts that describe none of the clips left are dropped, so
    that `caveats` says how much of the protocol is there. Ids in `present` that are no clips of
    the data set are passed over.

    Raises:
        DatasetError: when none of the clips is there.
    """
    there = set(present)
    clips = [clip for clip in dataset.clips if clip.id in there]
    if not clips:
        called = f"; they are called like {dataset.clips[0].id!r}" if dataset.clips else ""
        raise DatasetError(
            f"none of the {len(dataset.clips):,} clips of {dataset.name} has an embedding{called}"
        )
    left = {clip.id for clip in clips}
    relevant = {text: ids & left for text, ids in dataset.qrels.relevant.items() if ids & left}
    dropped = set(dataset.qrels.relevant) - set(relevant)
    gallery = [clip.id for clip in dataset.clips]
    # Clips that an earlier call took out are in the list only.
    known = set(gallery)
    gone = [clip for clip in dataset.missing if clip not in known]
    return replace(
        dataset,
        clips=clips,
        texts=[text for text in dataset.texts if text.id not in dropped],
        qrels=Qrels(relevant),
        missing=(*gone, *(clip for clip in gallery if clip not in left)),
        moments={text: spans for text, spans in dataset.moments.items() if text not in dropped},
        groups={name: ids - dropped for name, ids in dataset.groups.items()},
    )


def caveats(dataset: RetrievalDataset) -> tuple[str, ...]:
    """Say what must stand wherever a result on `dataset` is shown; empty when nothing must.

    A sentence for videos that are missing ("you have 879 of 1,000: not comparable"), and one for
    captions that are not the published ones.
    """
    said: list[str] = []
    if dataset.missing:
        total = len({clip.id for clip in dataset.clips}.union(dataset.missing))
        there = total - len(set(dataset.missing))
        said.append(f"you have {there:,} of {total:,}: not comparable")
    protocol = PROTOCOLS.get(dataset.name)
    # With videos missing, captions are missing too, and that is said already.
    if protocol and protocol.captions_sha256 and len(dataset.texts) == protocol.texts:
        published = captions_digest(dataset) == protocol.captions_sha256
        if not published:
            said.append(f"the captions are not those published for {protocol.name}: not comparable")
    return tuple(said)

"""Check what every data set loader promises."""

from __future__ import annotations

from pathlib import Path

from moviola.core import Dataset, DatasetError, RetrievalDataset
from moviola.testing.promises import require, require_kind


def check_dataset(loader: Dataset, root: Path, split: str) -> RetrievalDataset:
    """Check that a loader keeps its promises, and gives back what it loaded.

    Raises:
        AssertionError: one sentence that names the broken promise.
    """
    found = loader(root, split)
    require_kind(
        found,
        RetrievalDataset,
        f"the loader gave a {type(found).__name__} instead of a RetrievalDataset",
    )
    require(bool(found.name), "the data set has no name")
    _check_items(found)
    _check_relevance(found)
    again = loader(root, split)
    require(
        (list(again.clips), list(again.texts), again.qrels)
        == (list(found.clips), list(found.texts), found.qrels),
        "loading twice gives different clips, texts or relevance",
    )
    for wrong_root, wrong_split in ((root, "no such split"), (root / "no such folder", split)):
        try:
            loader(wrong_root, wrong_split)
        except DatasetError:
            continue
        raise AssertionError(
            f"loading {wrong_split!r} from {wrong_root} does not raise a DatasetError"
        )
    return found


def _check_items(found: RetrievalDataset) -> None:
    for name, ids in (
        ("clips", [clip.id for clip in found.clips]),
        ("texts", [text.id for text in found.texts]),
    ):
        seen: set[str] = set()
        for identity in ids:
            require(bool(identity), f"one of the {name} has an empty id")
            require(identity not in seen, f"two {name} share the id {identity!r}")
            seen.add(identity)
    missing = frozenset(found.missing)
    for clip in found.clips:
        require(
            clip.id in missing or clip.path.is_file(),
            f"clip {clip.id!r} points to {clip.path}, which is not there; list it as missing",
        )
        require(
            clip.id not in missing or not clip.path.is_file(),
            f"clip {clip.id!r} is listed as missing, but {clip.path} is there",
        )
    for text in found.texts:
        require(bool(text.text.strip()), f"text {text.id!r} is empty")


def _check_relevance(found: RetrievalDataset) -> None:
    clips = {clip.id for clip in found.clips}
    texts = {text.id for text in found.texts}
    for query, ids in found.qrels.relevant.items():
        require(query in texts, f"relevance names {query!r}, which is no text")
        strangers = sorted(ids - clips)
        require(not strangers, f"{query!r} is relevant to {strangers[:1]}, which is no clip")
    for query, spans in found.moments.items():
        require(query in texts, f"moments name {query!r}, which is no text")
        require(bool(spans), f"{query!r} has an empty list of moments")
    for name, ids in found.groups.items():
        require(ids <= texts, f"group {name!r} names {sorted(ids - texts)[:1]}, which is no text")

"""Add what a data set knows of an evaluation: words, files, groups, what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from moviola.core import Clip, RetrievalDataset, display_path
from moviola.core.embeddings import ItemT
from moviola.datasets.annotations.names import NameIndex
from moviola.pipeline.evaluate.evaluation import Evaluation
from moviola.plugins import guess_dataset, load_dataset


def annotated(
    evaluation: Evaluation, root: Path
) -> tuple[Evaluation, Mapping[str, frozenset[str]]]:
    """Add words and files from the data set in `root`, and find its groups of texts.

    Items are known by their ids. Rows of bare arrays have none: where there are as many as the
    data set has, row i is its item i.

    Args:
        evaluation: what was evaluated.
        root: the data set of the protocol that was named; without one, a folder with
            `captions.csv`, a folder in MSR-VTT's layout, or a table of captions.

    Raises:
        DatasetError: naming the file and the place that is wrong.
        ValueError: when the data set holds none of the texts.
    """
    dataset = _load(root, evaluation.asked.protocol)
    texts = _found(evaluation.texts, dataset.texts)
    if not texts:
        raise ValueError(
            f"{display_path(root)} holds none of the texts: here they are called like "
            f"{evaluation.texts[0].id!r}, there like {dataset.texts[0].id!r}"
            if dataset.texts
            else f"{display_path(root)} holds no texts"
        )
    clips = _found(evaluation.clips, dataset.clips)
    called = {text.id: name for name, text in texts.items()}
    groups = {
        name: frozenset(called[member] for member in members if member in called)
        for name, members in dataset.groups.items()
    }
    here = {clip.id for clip in clips.values()}
    return (
        replace(
            evaluation,
            texts=[replace(texts.get(text.id, text), id=text.id) for text in evaluation.texts],
            clips=[_with_file(clip, clips.get(clip.id)) for clip in evaluation.clips],
            inputs={**evaluation.inputs, "data": display_path(root)},
            missing=tuple(clip.id for clip in dataset.clips if clip.id not in here),
        ),
        groups,
    )


def _load(root: Path, protocol: str | None) -> RetrievalDataset:
    if protocol is not None:
        from moviola.datasets.annotations.protocols import find_protocol

        found = find_protocol(protocol)
        return load_dataset(found.dataset, root, found.split)
    return load_dataset(guess_dataset(root), root, "all")


def _found(ours: Sequence[ItemT], theirs: Sequence[ItemT]) -> dict[str, ItemT]:
    """Find their item for each of our ids."""
    known = {item.id: item for item in theirs}
    numbered = all(item.id == str(row) for row, item in enumerate(ours))
    if numbered and len(ours) == len(theirs):
        return {item.id: other for item, other in zip(ours, theirs, strict=True)}
    names = NameIndex(known)
    found = {item.id: names.find(item.id) for item in ours}
    return {ours: known[theirs] for ours, theirs in found.items() if theirs is not None}


def _with_file(clip: Clip, known: Clip | None) -> Clip:
    """Give the clip the file of the data set, unless its own is there."""
    if known is None or clip.path.is_file():
        return clip
    return replace(known, id=clip.id)

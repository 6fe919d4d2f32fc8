"""Fit an `Aligner` on pairs of embeddings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.align.checks import check_pairs, copies
from moviola.align.closed_form.task import Fitted, Task
from moviola.align.data.holding_out import hold_out
from moviola.align.data.rows import RaggedRows
from moviola.align.fit_report import chance_warnings, fit_record
from moviola.align.head.aligner import Aligner
from moviola.align.head.side import Side
from moviola.align.methods import METHODS, TRAINED, Method, find_method
from moviola.align.options import TrainOptions, TrainOutput
from moviola.core import Clip, Embeddings, Qrels, Text
from moviola.evaluate import RetrievalResult, evaluate
from moviola.evaluate.chance import chance_level
from moviola.score import scorer_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class UnseenPairs:
    """Hold pairs of other videos, on which a finished head is measured.

    Attributes:
        texts: N texts.
        clips: M clips.
        owner: `(N,)` row of its clip for every text.
    """

    texts: Embeddings[Text]
    clips: Embeddings[Clip]
    owner: NDArray[np.int64]


def fit(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    owner: NDArray[np.int64],
    *,
    method: str | Method = AUTO,
    seed: int = 0,
    test: Callable[[], UnseenPairs] | None = None,
    training: TrainOptions | None = None,
    output: TrainOutput | None = None,
) -> Aligner:
    """Fit a head on pairs, and record how well it does on held-out videos.

    Whole videos are held out, one part after another; everything that is chosen is chosen by
    their mean reciprocal rank, and the head is then fitted on all videos.

    Args:
        texts: N texts; several rows an item only for methods that take them.
        clips: M clips, likewise.
        owner: `(N,)` row of its clip for every text.
        method: `auto`, another name of `moviola.align.methods.METHODS`, `module:attribute`, or a
            function of a `Task` that gives what it `Fitted`.
        seed: of what is held out and drawn; equal seeds give equal heads.
        test: gives pairs of other videos; called when the head is finished, and not before.
        training: settings of a training, for methods that train.
        output: where a training writes, likewise.

    Raises:
        ValueError: when a side is constant, items have several rows and the method takes one,
            there is no such method, or settings of a training are given to one without.
        PluginNotFoundError: when a method cannot be imported.
        TypeError: when a method gives anything but a `Fitted`.
        MissingExtraError: when the method needs a package that is not installed.
    """
    began = perf_counter()
    function = find_method(method) if isinstance(method, str) else method
    training, output = training or TrainOptions(), output or TrainOutput()
    if (training.given() or output.resume) and method in METHODS and method not in TRAINED:
        given = ", ".join(training.given()) or "resume"
        raise ValueError(
            f"{method} is not trained by choice, and takes no {given}; name one of "
            f"{', '.join(TRAINED)} with --method"
        )
    task, warnings = task_of(texts, clips, owner, seed=seed)
    fitted = function(replace(task, training=training, output=output))
    if not isinstance(fitted, Fitted):  # pyright: ignore[reportUnnecessaryIsInstance] -- a stranger's
        raise TypeError(f"the method {method!r} gave a {type(fitted).__name__}, not a Fitted")
    sides = (task.text_side, task.clip_side)
    record = fit_record(task, fitted, [*warnings, *fitted.warnings])
    record["seconds"] = round(perf_counter() - began, 3)
    made = Aligner(*sides, fitted.maps, record)
    if test is not None:
        found = record["test"] = as_record(measure(made, test()))
        chance = chance_level(found["n_gallery"])
        record["warnings"] += chance_warnings("the test", found["t2v"]["MRR"], chance)
    return made


def measure(head: Aligner, pairs: UnseenPairs) -> RetrievalResult:
    """Measure retrieval of a head on pairs, both directions, with intervals.

    Raises:
        SpaceMismatchError: when the pairs are not what the head was fitted on.
    """
    texts, clips = head.align_texts(pairs.texts), head.align_clips(pairs.clips)
    ids = [clip.id for clip in clips.items]
    qrels = Qrels(
        {text.id: frozenset([ids[row]]) for text, row in zip(texts.items, pairs.owner, strict=True)}
    )
    return evaluate(scorer_for(texts, clips)(texts, clips), qrels)


def as_record(result: RetrievalResult) -> dict[str, Any]:
    """Convert the measures of both directions and their intervals to JSON values."""
    sides = {"t2v": result.t2v, "v2t": result.v2t}
    return {
        name: {
            measure: [value, *side.intervals[measure]] for measure, value in side.aggregates.items()
        }
        for name, side in sides.items()
    } | {"n_queries": result.n_queries, "n_gallery": result.n_gallery}


def task_of(
    texts: Embeddings[Text], clips: Embeddings[Clip], owner: NDArray[np.int64], *, seed: int = 0
) -> tuple[Task, list[str]]:
    """Check pairs and make the task of a method; return it with warnings.

    Args:
        texts: N texts.
        clips: M clips.
        owner: `(N,)` row of its clip for every text.
        seed: of what is held out and drawn.

    Raises:
        ValueError: as `moviola.align.checks.check_pairs`.
    """
    warnings = check_pairs(texts, clips, owner)
    wider = max(texts.space.dimension, clips.space.dimension)
    parts, watched = hold_out(np.unique(owner), copies(clips), wider, seed=seed)
    task = Task(
        RaggedRows.of(texts),
        RaggedRows.of(clips),
        owner.astype(np.int64),
        Side.of(texts),
        Side.of(clips),
        parts,
        watched,
        seed,
    )
    return task, warnings

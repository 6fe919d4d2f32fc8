"""A similarity matrix, two towers' vectors, or a TREC run into retrieval measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from moviola.core import (
    Clip,
    Embeddings,
    Qrels,
    Readout,
    Scores,
    Space,
    SpaceMismatchError,
    Text,
    display_path,
)
from moviola.evaluate import RetrievalResult, Ties, evaluate
from moviola.evaluate.runs import evaluate_run
from moviola.evaluate.trec import read_qrels, read_run
from moviola.pipeline.arrays import read_scores
from moviola.pipeline.heads import load_head
from moviola.pipeline.inputs import is_named, read_clips, read_texts
from moviola.pipeline.pairing import pair, read_relevance
from moviola.pipeline.protocols import check_protocol
from moviola.pipeline.ranking import evaluate_embeddings
from moviola.score import cosine, maxsim
from moviola.score.dot import dot

#: Scores that are cheaply held at once, 128 MiB of float32, and that can be held at all, 8 GiB.
_MANY, _MOST = 1 << 25, 1 << 31


@dataclass(frozen=True, slots=True)
class Asked:
    """How an evaluation is to be done.

    Attributes:
        ties: how ties are read.
        tolerance: share of a row's largest absolute score within which two scores are tied; None
            for what suits the precision.
        protocol: name of the published protocol that this claims to be.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.
    """

    ties: Ties = "expected"
    tolerance: float | None = None
    protocol: str | None = None
    resamples: int = 1000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was evaluated, and what came of it.

    Attributes:
        result: the measures.
        qrels: text id to the ids of its videos.
        scores: texts times videos; None where only a run was given.
        run: text id to video id to score, where a run was given.
        texts: the texts, in order of the scores; words may be empty.
        clips: the videos, in order of the scores; paths may be empty.
        scoring: how scores were made, such as `cosine`.
        spaces: what is known of the spaces of texts and clips.
        inputs: option to what was given.
        asked: how it was done.
        seconds: how long it took.
        missing: ids of videos of the protocol that are not here, where they are known.
        readouts: how the two towers were read.
    """

    result: RetrievalResult
    qrels: Qrels
    scores: Scores | None
    texts: Sequence[Text]
    clips: Sequence[Clip]
    scoring: str
    inputs: dict[str, str]
    asked: Asked
    seconds: float
    run: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    spaces: dict[str, Space] = field(default_factory=dict[str, Space])
    readouts: dict[str, Readout] = field(default_factory=dict[str, Readout])
    missing: tuple[str, ...] = ()

    def described_spaces(self) -> dict[str, str]:
        """Side to its space and readout in words."""
        return {side: _described(space, self.readouts[side]) for side, space in self.spaces.items()}


def evaluate_similarity(path: str, *, relevance: Path | None, asked: Asked) -> Evaluation:
    """Measures of a matrix of scores, texts times videos.

    Args:
        path: the matrix, a `.npy` file or a tensor of a safetensors file.
        relevance: TREC qrels whose ids are row numbers from 0, or an `(m, 2)` `.npy` of pairs of
            row numbers; None where row i belongs to row i.
        asked: how.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: naming the file and the place that is wrong.
        DatasetError: the same, for qrels.
    """
    began = perf_counter()
    matrix = read_scores(path)
    texts, clips = (_numbered(side) for side in matrix.shape)
    if relevance is not None:
        qrels = read_relevance(relevance, texts, clips)
    elif len(texts) == len(clips):
        qrels = Qrels({name: frozenset([name]) for name in texts})
    else:
        raise ValueError(
            f"{display_path(path)} has shape {matrix.shape}; a matrix that is not square needs "
            f"--relevance, which says what is relevant to which text"
        )
    scores = Scores(texts, clips, matrix, check_protocol(asked.protocol, texts, clips, named=False))
    return Evaluation(
        result=_measured(scores, qrels, asked),
        qrels=qrels,
        scores=scores,
        texts=[Text(name, "") for name in texts],
        clips=[],
        scoring="given",
        inputs=_given(similarity=path, relevance=relevance),
        asked=asked,
        seconds=perf_counter() - began,
    )


def evaluate_vectors(
    texts: str,
    videos: str,
    *,
    caption_video: str | None = None,
    relevance: Path | None = None,
    head: str | None = None,
    pooling: str | None = None,
    unaligned: bool = False,
    keep_scores: bool = True,
    asked: Asked,
) -> Evaluation:
    """Measures of two towers' vectors, by their cosine (or as the head's metric says).

    Args:
        texts: as `moviola.pipeline.inputs.read_texts` takes it.
        videos: likewise.
        caption_video: file of the row of its video for every text.
        relevance: in its place, TREC qrels or pairs of rows.
        head: trained head that maps both into its space.
        pooling: how several rows an item become one; `"none"` scores them by MaxSim.
        unaligned: score two spaces all the same.
        keep_scores: whether the matrix of scores is wanted; without it, memory stays bounded.
        asked: how.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: naming the file and the place that is wrong.
        DatasetError: the same, for qrels.
        SpaceMismatchError: when the two live in different spaces.
    """
    began = perf_counter()
    text_side, clip_side = read_texts(texts, pooling=pooling), read_clips(videos, pooling=pooling)
    if head is not None:
        aligner = load_head(head)
        text_side, clip_side = aligner.align_texts(text_side), aligner.align_clips(clip_side)
    text_ids = [text.id for text in text_side.items]
    clip_ids = [clip.id for clip in clip_side.items]
    _require_comparable(text_side, clip_side, unaligned=unaligned)
    if relevance is None:
        both_named = is_named(texts) and is_named(videos)
        qrels = pair(text_side, clip_side, index=caption_video, by_row=not both_named)
    else:
        qrels = read_relevance(relevance, text_ids, clip_ids)
    named = not clip_side.space.is_anonymous or is_named(videos)
    flags = check_protocol(asked.protocol, text_ids, clip_ids, named=named)
    is_dot = text_side.space.metric == clip_side.space.metric == "dot"
    cells = len(text_ids) * len(clip_ids)
    scores: Scores | None = None
    if keep_scores or is_dot or cells <= _MANY:
        if cells > _MOST:
            raise ValueError(
                f"all {cells:,} scores at once are {cells >> 28:,} GiB; evaluate a part, or leave "
                f"--out out: the measures alone need no matrix"
            )
        score = dot if is_dot else _cosine_of_any
        scores = score(text_side, clip_side, unaligned=unaligned)
        result = _measured(scores, qrels, asked)
    else:
        result = evaluate_embeddings(
            text_side,
            clip_side,
            qrels,
            unaligned=unaligned,
            ties=asked.ties,
            tolerance=asked.tolerance,
            resamples=asked.resamples,
            seed=asked.seed,
        )
    pooled = text_side.is_pooled and clip_side.is_pooled
    return Evaluation(
        result=replace(result, notes=(*result.notes, *flags)),
        qrels=qrels,
        scores=scores,
        texts=text_side.items,
        clips=clip_side.items,
        scoring="dot" if is_dot else "cosine" if pooled else "maxsim",
        inputs=_given(
            texts=texts,
            videos=videos,
            caption_video=caption_video,
            relevance=relevance,
            head=head,
            pool=pooling,
        ),
        asked=asked,
        seconds=perf_counter() - began,
        spaces={"texts": text_side.space, "videos": clip_side.space},
        readouts={"texts": text_side.readout, "videos": clip_side.readout},
    )


def evaluate_trec(run: Path, *, relevance: Path, asked: Asked) -> Evaluation:
    """Measures of a TREC run.

    Args:
        run: text id, video id and score on every line.
        relevance: TREC qrels.
        asked: how; the tolerance of ties is 0 unless it is set.

    Raises:
        DatasetError: naming the file and the line that is wrong.
        ValueError: when run and qrels have no query in common.
    """
    began = perf_counter()
    found, qrels = read_run(run), read_qrels(relevance)
    result = evaluate_run(
        found,
        qrels,
        ties=asked.ties,
        tolerance=asked.tolerance or 0.0,
        resamples=asked.resamples,
        seed=asked.seed,
    )
    videos = sorted({item for items in found.values() for item in items})
    flags = check_protocol(asked.protocol, list(found), videos, named=True)
    return Evaluation(
        result=replace(result, notes=(*result.notes, *flags)),
        qrels=qrels,
        scores=None,
        run=found,
        texts=[Text(name, "") for name in found],
        clips=[],
        scoring="run",
        inputs=_given(run=run, relevance=relevance),
        asked=asked,
        seconds=perf_counter() - began,
    )


def as_object(evaluation: Evaluation) -> dict[str, Any]:
    """The numbers as JSON values; `notes` and `protocol` are there where there is one to tell."""
    value = evaluation.result.to_json()
    if not value["notes"]:
        del value["notes"]
    if evaluation.asked.protocol is not None:
        value["protocol"] = evaluation.asked.protocol
    return value


def _require_comparable(
    texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool
) -> None:
    if texts.space.dimension != clips.space.dimension and (
        unaligned or (texts.space.is_anonymous and clips.space.is_anonymous)
    ):
        raise ValueError(
            f"texts have {texts.space.dimension} numbers a vector, videos "
            f"{clips.space.dimension}: they have no cosine; align them first"
        )
    if not unaligned:
        try:
            clips.space.require(texts.space, what="the text")
        except SpaceMismatchError as error:
            raise SpaceMismatchError(
                f"{error}; --unaligned scores them all the same, and the result says so"
            ) from None


def _cosine_of_any(texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool) -> Scores:
    pooled = texts.is_pooled and clips.is_pooled
    return (cosine if pooled else maxsim)(texts, clips, unaligned=unaligned)


def _described(space: Space, readout: Readout) -> str:
    if space.is_anonymous:
        return f"unknown, {space.dimension} numbers"
    parts = [space.model, f"{space.dimension} numbers", readout.sampling, f"pool {readout.pooling}"]
    return ", ".join(part for part in parts if part)


def _measured(scores: Scores, qrels: Qrels, asked: Asked) -> RetrievalResult:
    return evaluate(
        scores,
        qrels,
        ties=asked.ties,
        tolerance=asked.tolerance,
        resamples=asked.resamples,
        seed=asked.seed,
    )


def _numbered(count: int) -> list[str]:
    return [str(row) for row in range(count)]


def _given(**options: Any) -> dict[str, str]:
    return {name: display_path(value) for name, value in options.items() if value is not None}

"""Evaluate scores that are given: a similarity matrix, or a TREC run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter

from moviola.core import Qrels, Scores, Text, display_path
from moviola.evaluate.runs import evaluate_run
from moviola.evaluate.trec import read_qrels, read_run
from moviola.pipeline.evaluate.correcting import count_seen, measure_corrected, rows_of
from moviola.pipeline.evaluate.evaluation import (
    EvaluateOptions,
    Evaluation,
    given_inputs,
    measure_scores,
)
from moviola.pipeline.evaluate.protocols import check_protocol
from moviola.pipeline.inputs.relevance import read_relevance
from moviola.pipeline.inputs.sources import parse_source


def evaluate_similarity(path: str, *, relevance: Path | None, asked: EvaluateOptions) -> Evaluation:
    """Measure a matrix of scores, texts times videos.

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
    matrix = parse_source(path).scores()
    texts, clips = (_numbered(side) for side in matrix.shape)
    if relevance is not None:
        qrels = read_relevance(parse_source(relevance), texts, clips)
    elif len(texts) == len(clips):
        qrels = Qrels({name: frozenset([name]) for name in texts})
    else:
        raise ValueError(
            f"{display_path(path)} has shape {matrix.shape}; a matrix that is not square needs "
            f"--relevance, which says what is relevant to which text"
        )
    scores = Scores(texts, clips, matrix, check_protocol(asked.protocol, texts, clips, named=False))
    bank = None if asked.bank is None else _bank(asked.bank, scores)
    seen = 0 if bank is None else count_seen(rows_of(scores), rows_of(bank))
    return Evaluation(
        result=measure_scores(scores, qrels, asked),
        qrels=qrels,
        scores=scores,
        texts=[Text(name, "") for name in texts],
        clips=[],
        scoring="given",
        inputs=given_inputs(similarity=path, relevance=relevance, bank=asked.bank),
        asked=asked,
        corrected=measure_corrected(scores, qrels, bank, asked, seen=seen),
        seconds=perf_counter() - began,
    )


def evaluate_trec(run: Path, *, relevance: Path, asked: EvaluateOptions) -> Evaluation:
    """Measure a TREC run.

    Args:
        run: text id, video id and score on every line.
        relevance: TREC qrels.
        asked: how; the tolerance of ties is 0 unless it is set.

    Raises:
        DatasetError: naming the file and the line that is wrong.
        ValueError: when run and qrels have no query in common, or corrections are asked for.
    """
    if asked.correct:
        raise ValueError("a run lacks most scores, which a correction needs; give the whole matrix")
    began = perf_counter()
    found, qrels = read_run(run), read_qrels(relevance)
    result = evaluate_run(
        found,
        qrels,
        ties=asked.ties,
        tolerance=asked.tolerance or 0.0,
        measures=asked.measures,
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
        inputs=given_inputs(run=run, relevance=relevance),
        asked=asked,
        seconds=perf_counter() - began,
    )


def _bank(path: str, scores: Scores) -> Scores:
    matrix = parse_source(path).scores()
    if matrix.shape[1] != len(scores.gallery):
        raise ValueError(
            f"{display_path(path)} has shape {matrix.shape}; a bank beside --similarity is "
            f"captions x videos, and here are {len(scores.gallery):,} videos"
        )
    return Scores(_numbered(len(matrix)), scores.gallery, matrix)


def _numbered(count: int) -> list[str]:
    return [str(row) for row in range(count)]

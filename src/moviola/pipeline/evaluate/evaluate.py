"""Evaluate a similarity matrix, two towers' vectors, or a TREC run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from moviola.core import Qrels, Scores, Text, display_path
from moviola.evaluate import CorrectedResult, RetrievalResult, evaluate
from moviola.evaluate.runs import evaluate_run
from moviola.evaluate.trec import read_qrels, read_run
from moviola.pipeline.evaluate.correcting import count_seen, measure_corrected, rows_of
from moviola.pipeline.evaluate.evaluation import Evaluation
from moviola.pipeline.evaluate.options import EvaluateOptions
from moviola.pipeline.evaluate.protocols import check_protocol
from moviola.pipeline.evaluate.ranking import evaluate_embeddings
from moviola.pipeline.evaluate.scorers import load_row_scorer
from moviola.pipeline.evaluate.towers import map_towers
from moviola.pipeline.inputs.pairing import read_pairs
from moviola.pipeline.inputs.relevance import read_relevance
from moviola.pipeline.inputs.sources import parse_source

#: Scores that are cheaply held at once, 128 MiB of float32, and that can be held at all, 8 GiB.
_MANY, _MOST = 1 << 25, 1 << 31
#: Scores that can be corrected: the full test of MSR-VTT has two thirds of it.
_MOST_CORRECTED = 1 << 28
#: Several copies in float64, as measured.
_CORRECTING_BYTES = 44


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
    bank = None if asked.bank is None else _given_bank(asked.bank, scores)
    seen = 0 if bank is None else count_seen(rows_of(scores), rows_of(bank))
    return Evaluation(
        result=_measured(scores, qrels, asked),
        qrels=qrels,
        scores=scores,
        texts=[Text(name, "") for name in texts],
        clips=[],
        scoring="given",
        inputs=_given(similarity=path, relevance=relevance, bank=asked.bank),
        asked=asked,
        corrected=measure_corrected(scores, qrels, bank, asked, seen=seen),
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
    scorer: str | None = None,
    keep_scores: bool = True,
    asked: EvaluateOptions,
) -> Evaluation:
    """Measure two towers' vectors by their cosine (or as the head's metric says).

    Args:
        texts: as `moviola.pipeline.inputs.sources.parse_source` takes it.
        videos: likewise.
        caption_video: what says which text belongs to which video, as
            `moviola.pipeline.inputs.relevance.read_relevance` takes it; None where ids do, or
            both sides are bare arrays in the same order.
        relevance: the same; it goes first.
        head: trained head that maps both into its space.
        pooling: how several rows an item become one; `"none"` scores them by MaxSim.
        unaligned: score two spaces all the same.
        scorer: a model that scores by more than the cosine; takes the rows as it made them.
        keep_scores: whether the matrix of scores is wanted; without it, memory stays bounded.
        asked: how.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: naming the file and the place that is wrong.
        DatasetError: the same, for qrels.
        SpaceMismatchError: when the two live in different spaces.
    """
    began = perf_counter()
    if scorer is not None:
        if head is not None or pooling is not None or unaligned:
            raise ValueError(
                "a model's own scorer takes the rows as the model made them; leave out --head, "
                "--pool and --unaligned"
            )
        pooling = "none"
    sides = parse_source(texts), parse_source(videos)
    given = relevance if relevance is not None else caption_video
    table = None if given is None else parse_source(given)
    pairs = read_pairs(*sides, table, pooling=pooling)
    qrels = pairs.qrels
    towers = map_towers(
        pairs, bank=asked.bank, head=head, pooling=pooling, has_ids=sides[1].has_ids
    )
    if scorer is not None:
        towers = replace(towers, scorer=load_row_scorer(scorer))
    towers.require_comparable(unaligned=unaligned)
    text_ids = [text.id for text in towers.texts.items]
    clip_ids = [clip.id for clip in towers.clips.items]
    flags = (
        *check_protocol(asked.protocol, text_ids, clip_ids, named=sides[1].has_ids),
        *towers.notes,
    )
    scores: Scores | None = None
    corrected: tuple[CorrectedResult, ...] = ()
    cells = len(text_ids) * len(clip_ids)
    if keep_scores or towers.scoring == "model" or asked.correct or cells <= _MANY:
        _require_room(cells, corrected=bool(asked.correct))
        scores, bank = towers.score(unaligned=unaligned)
        result = _measured(scores, qrels, asked)
        corrected = measure_corrected(scores, qrels, bank, asked, seen=towers.seen)
    else:
        result = evaluate_embeddings(
            towers.texts,
            towers.clips,
            qrels,
            unaligned=unaligned,
            ties=asked.ties,
            tolerance=asked.tolerance,
            measures=asked.measures,
            resamples=asked.resamples,
            seed=asked.seed,
        )
    return Evaluation(
        result=replace(result, notes=(*result.notes, *flags)),
        qrels=qrels,
        scores=scores,
        texts=towers.texts.items,
        clips=towers.clips.items,
        scoring=towers.scoring,
        inputs=_given(
            texts=texts,
            videos=videos,
            caption_video=caption_video,
            relevance=relevance,
            head=head,
            pool=pooling,
            scorer=scorer,
            bank=asked.bank,
        ),
        corrected=corrected,
        asked=asked,
        seconds=perf_counter() - began,
        spaces={"texts": towers.texts.space, "videos": towers.clips.space},
        readouts={"texts": towers.texts.readout, "videos": towers.clips.readout},
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
        inputs=_given(run=run, relevance=relevance),
        asked=asked,
        seconds=perf_counter() - began,
    )


def _require_room(cells: int, *, corrected: bool) -> None:
    if corrected and cells > _MOST_CORRECTED:
        raise ValueError(
            f"correcting all {cells:,} scores at once takes {cells * _CORRECTING_BYTES >> 30:,} "
            f"GiB; evaluate a part, or leave --correct out"
        )
    if cells > _MOST:
        raise ValueError(
            f"all {cells:,} scores at once are {cells >> 28:,} GiB; evaluate a part, or leave "
            f"--out out: the measures alone need no matrix"
        )


def _given_bank(path: str, scores: Scores) -> Scores:
    matrix = parse_source(path).scores()
    if matrix.shape[1] != len(scores.gallery):
        raise ValueError(
            f"{display_path(path)} has shape {matrix.shape}; a bank beside --similarity is "
            f"captions x videos, and here are {len(scores.gallery):,} videos"
        )
    return Scores(_numbered(len(matrix)), scores.gallery, matrix)


def _measured(scores: Scores, qrels: Qrels, asked: EvaluateOptions) -> RetrievalResult:
    return evaluate(
        scores,
        qrels,
        ties=asked.ties,
        tolerance=asked.tolerance,
        measures=asked.measures,
        resamples=asked.resamples,
        seed=asked.seed,
    )


def _numbered(count: int) -> list[str]:
    return [str(row) for row in range(count)]


def _given(**options: Any) -> dict[str, str]:
    return {name: display_path(value) for name, value in options.items() if value is not None}

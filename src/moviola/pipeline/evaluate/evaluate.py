"""Evaluate the vectors of two towers: read, mapped by a head, scored and measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from moviola.core import (
    Clip,
    Embeddings,
    Qrels,
    ScoreBlocks,
    Scorer,
    Scores,
    SpaceMismatchError,
    Text,
)
from moviola.core.row_codes import RowCodes
from moviola.evaluate import CorrectedResult, RetrievalResult
from moviola.pipeline.align.heads import load_head
from moviola.pipeline.align.leaks import leak_notes
from moviola.pipeline.evaluate.correcting import count_seen, measure_corrected, rows_of
from moviola.pipeline.evaluate.evaluation import (
    EvaluateOptions,
    Evaluation,
    given_inputs,
    measure_scores,
)
from moviola.pipeline.evaluate.protocols import check_protocol
from moviola.pipeline.evaluate.scorers import load_row_scorer
from moviola.pipeline.inputs.pairing import Pairs, read_pairs
from moviola.pipeline.inputs.sources import parse_source
from moviola.score import RowScoring, score_blocks, score_rows, scorer_for
from moviola.store.codes import read_codes

#: Scores that are cheaply held at once, 128 MiB of float32, and that can be held at all, 8 GiB.
_MANY, _MOST = 1 << 25, 1 << 31


@dataclass(frozen=True, slots=True)
class Towers:
    """Hold texts and videos to be scored.

    Attributes:
        texts: of the test.
        clips: the gallery.
        bank: training captions, where corrections learn from some.
        seen: how many texts of the test are in the bank as well.
        scorer: a model's own, where its vectors are not all there is to it.
        rows: how items of several rows are scored, where that was asked for.
        codes: of the clips' rows, where they are stored beside them.
        notes: what must be said of the head that mapped them.
    """

    texts: Embeddings[Text]
    clips: Embeddings[Clip]
    bank: Embeddings[Text] | None = None
    seen: int = 0
    scorer: Scorer | None = None
    rows: RowScoring | None = None
    codes: RowCodes | None = None
    notes: tuple[str, ...] = ()

    @property
    def scoring(self) -> str:
        """Name the way: `model` by its own scorer, `dot`, `cosine`, `maxsim`, or its stages."""
        if self.scorer is not None:
            return "model"
        if self.rows is not None:
            return self.rows.spec
        return scorer_for(self.texts, self.clips).name

    @property
    def is_staged(self) -> bool:
        """Tell whether few items of a query are scored exactly."""
        return self.rows is not None and not self.rows.is_exact

    def require_comparable(self, *, unaligned: bool) -> None:
        """Refuse vectors that cannot, or should not, be scored against one another.

        Raises:
            ValueError: when their lengths differ.
            SpaceMismatchError: when their spaces do.
        """
        _require_comparable(self.texts, self.clips, unaligned=unaligned, what="texts")
        if self.bank is not None:
            what = "captions of the bank"
            _require_comparable(self.bank, self.clips, unaligned=unaligned, what=what)

    def score(self, *, unaligned: bool) -> tuple[Scores, ScoreBlocks | None]:
        """Score the texts against the gallery, and the bank, where there is one, in blocks."""
        bank = self.bank
        if self.scorer is not None:
            return (
                self.scorer(self.texts, self.clips),
                None if bank is None else self.scorer(bank, self.clips),
            )
        if self.rows is not None:
            blocks, of_bank = self.score_blocks(unaligned=unaligned)
            matrix = blocks.block(slice(None))
            return Scores(blocks.queries, blocks.gallery, matrix, blocks.notes), of_bank
        scores = scorer_for(self.texts, self.clips)(self.texts, self.clips, unaligned=unaligned)
        return scores, self._bank_blocks(unaligned=unaligned)

    def score_blocks(self, *, unaligned: bool) -> tuple[ScoreBlocks, ScoreBlocks | None]:
        """Score the texts, and the bank where there is one, against the gallery in blocks."""
        return self._blocks(self.texts, unaligned=unaligned), self._bank_blocks(unaligned=unaligned)

    def _blocks(self, texts: Embeddings[Text], *, unaligned: bool) -> ScoreBlocks:
        if self.rows is None:
            return score_blocks(texts, self.clips, unaligned=unaligned)
        return score_rows(texts, self.clips, self.rows, codes=self.codes, unaligned=unaligned)

    def _bank_blocks(self, *, unaligned: bool) -> ScoreBlocks | None:
        if self.bank is None:
            return None
        return self._blocks(self.bank, unaligned=unaligned)


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
        scorer: `maxsim` or `two-stage` with their options, as `RowScoring.parse` takes them; or a
            model that scores by more than the cosine, which takes the rows as it made them.
        keep_scores: whether the matrix of scores is wanted; without it, memory stays bounded.
        asked: how.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: naming the file and the place that is wrong.
        DatasetError: the same, for qrels.
        SpaceMismatchError: when the two live in different spaces.
    """
    began = perf_counter()
    rows = None if scorer is None else RowScoring.parse(scorer)
    if rows is not None:
        pooling = pooling or "none"
        if asked.correct and not rows.is_exact:
            raise ValueError(
                f"{scorer} scores few items of a query exactly, and a correction needs scores of "
                f"one kind; leave --correct out, or take --scorer maxsim"
            )
    elif scorer is not None:
        if head is not None or pooling is not None or unaligned:
            raise ValueError(
                "a model's own scorer takes the rows as the model made them; leave out --head, "
                "--pool and --unaligned"
            )
        pooling = "none"
    sides = parse_source(texts), parse_source(videos)
    given = relevance if relevance is not None else caption_video
    table = None if given is None else parse_source(given)
    # Of a published data set some videos can often no longer be had.
    partial = asked.protocol is not None
    pairs = read_pairs(*sides, table, pooling=pooling, partial=partial)
    qrels = pairs.qrels
    towers = map_towers(
        pairs, bank=asked.bank, head=head, pooling=pooling, has_ids=sides[1].has_ids
    )
    if rows is not None:
        stored = head is None and pooling == "none" and sides[1].kind == "store"
        codes = read_codes(sides[1].path, rows.codes) if stored and rows.codes else None
        towers = replace(towers, rows=rows, codes=codes)
    elif scorer is not None:
        towers = replace(towers, scorer=load_row_scorer(scorer))
    towers.require_comparable(unaligned=unaligned)
    text_ids = [text.id for text in towers.texts.items]
    clip_ids = [clip.id for clip in towers.clips.items]
    flags = towers.notes
    if asked.protocol is not None:
        named = sides[1].has_ids
        flags += check_protocol(asked.protocol, text_ids, clip_ids, named=named)
    result, corrected, scores = _measure(
        towers, qrels, asked, keep_scores=keep_scores, unaligned=unaligned
    )
    return Evaluation(
        result=replace(result, notes=(*result.notes, *flags)),
        qrels=qrels,
        scores=scores,
        texts=towers.texts.items,
        clips=towers.clips.items,
        scoring=towers.scoring,
        inputs=given_inputs(
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


def _measure(
    towers: Towers, qrels: Qrels, asked: EvaluateOptions, *, keep_scores: bool, unaligned: bool
) -> tuple[RetrievalResult, tuple[CorrectedResult, ...], Scores | None]:
    """Score and measure; keep the matrix of scores where it is wanted, or cheaply had."""
    cells = len(towers.texts) * len(towers.clips)
    if towers.is_staged:
        # Videos choose among texts as texts do among videos: one matrix does not hold both.
        blocks, _ = towers.score_blocks(unaligned=unaligned)
        result = measure_scores(blocks, qrels, asked)
        if not keep_scores:
            return result, (), None
        _require_room(cells)
        return result, (), towers.score(unaligned=unaligned)[0]
    if keep_scores or towers.scoring == "model" or cells <= _MANY:
        _require_room(cells)
        scores, bank = towers.score(unaligned=unaligned)
        corrected = measure_corrected(scores, qrels, bank, asked, seen=towers.seen)
        return measure_scores(scores, qrels, asked), corrected, scores
    blocks, bank = towers.score_blocks(unaligned=unaligned)
    corrected = measure_corrected(blocks, qrels, bank, asked, seen=towers.seen)
    return measure_scores(blocks, qrels, asked), corrected, None


def _require_room(cells: int) -> None:
    if cells > _MOST:
        raise ValueError(
            f"all {cells:,} scores at once are {cells >> 28:,} GiB; evaluate a part, or leave "
            f"--out out: the measures alone need no matrix"
        )


def map_towers(
    pairs: Pairs, *, bank: str | None, head: str | None, pooling: str | None, has_ids: bool = True
) -> Towers:
    """Map both towers by the head where there is one, and read the bank beside them.

    Args:
        pairs: texts and clips.
        bank: training captions, as `parse_source` takes them.
        head: as `load_head` takes it.
        pooling: how several rows of a caption of the bank become one.
        has_ids: whether the clips have ids, by which a leak is noticed.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: naming the file and the place that is wrong; when the bank is the test.
        PluginNotFoundError: when the head cannot be loaded.
    """
    texts, clips = pairs.texts, pairs.clips
    bank_side = None if bank is None else parse_source(bank).texts(pooling)
    seen = 0 if bank_side is None else count_seen(rows_of(texts), rows_of(bank_side))
    notes: tuple[str, ...] = ()
    if head is not None:
        aligner = load_head(head)
        notes = leak_notes(getattr(aligner, "fit", {}), clips, has_ids=has_ids)
        texts, clips = aligner.align_texts(texts), aligner.align_clips(clips)
        bank_side = None if bank_side is None else aligner.align_texts(bank_side)
    return Towers(texts, clips, bank_side, seen, notes=notes)


def _require_comparable(
    texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool, what: str
) -> None:
    if texts.space.dimension != clips.space.dimension and (
        unaligned or (texts.space.is_anonymous and clips.space.is_anonymous)
    ):
        raise ValueError(
            f"{what} have {texts.space.dimension} numbers a vector, videos "
            f"{clips.space.dimension}: they have no cosine; align them first"
        )
    if not unaligned:
        try:
            clips.space.require(texts.space, what="the text")
        except SpaceMismatchError as error:
            raise SpaceMismatchError(
                f"{error}; --unaligned scores them all the same, and the result says so"
            ) from None

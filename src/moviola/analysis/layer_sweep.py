"""Rank the layers of a model, without labels and by how videos are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.analysis.layer_alignment import LayerRows, align_layer, split_videos
from moviola.analysis.layer_scores import LayerScore, LayerSweep
from moviola.analysis.layer_stores import Layers, layer_of, layer_pairs
from moviola.core import Clip, Embeddings, Qrels, Scores, Text
from moviola.evaluate import evaluate
from moviola.evaluate.geometry import (
    effective_rank,
    mean_cosine,
    mutual_overlap,
    nearest,
    variance_shares,
)
from moviola.pipeline.inputs.pairing import Pairs, join_sides
from moviola.pipeline.inputs.sources import parse_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

NEIGHBOURS = 10
#: Videos whose neighbours and directions are looked at: as many as in the paper of the overlap.
_LOOKED_AT = 1024
#: Of the bootstrap of every MRR.
_RESAMPLES = 300
#: With every layer against every other, so many are aligned: those whose neighbours agree best.
_ALIGNED = 40
#: Cosine from which on two vectors are one and rounding.
_SAME = 1.0 - 1e-6


@dataclass(frozen=True, slots=True)
class _SideView:
    """Hold what one layer of one side shows by itself.

    `neighbours` are None where all items have the same vector, as at a prompt's last token before
    the first layer: their order would be one of places, the same on both sides.
    """

    neighbours: NDArray[np.int64] | None
    rank: float
    cosine: float
    layer: float


def sweep_layers(
    texts: Layers[Text],
    clips: Layers[Clip],
    *,
    caption_video: str | None = None,
    cross: bool = False,
    k: int = NEIGHBOURS,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> LayerSweep:
    """Score every pair of layers; one pair at a time is in memory.

    Give it training or validation videos, never those of a test: what is chosen here has seen
    them. A fifth of the videos, at most 500, is held out for the two MRRs.

    Args:
        texts: layers of the captions.
        clips: layers of the videos.
        caption_video: what says which caption belongs to which video, as
            `moviola.pipeline.inputs.relevance.read_relevance` takes it; None where ids do.
        cross: every layer of the texts with every one of the videos.
        k: neighbours that the overlap looks at.
        seed: of which videos are held out, and which are looked at.
        on_progress: told how many pairs of how many are finished.

    Raises:
        ValueError: when stores hold different items, or too few; or captions name no video.
    """
    pairs = layer_pairs(texts, clips, cross=cross)
    rows = _Items.of(texts.open(pairs[0][0]), clips.open(pairs[0][1]), caption_video)
    looked = rows.sample(_LOOKED_AT, seed)
    if len(looked) <= k:
        raise ValueError(f"{len(looked)} videos with captions are too few for {k} neighbours each")
    split = split_videos(rows.captioned, seed)
    looks = {
        **{("text", n): rows.look_at_texts(texts.open(n), looked, k) for n, _ in pairs},
        **{("clip", n): rows.look_at_clips(clips.open(n), looked, k) for _, n in pairs},
    }
    overlaps = [_overlap(looks["text", t], looks["clip", c]) for t, c in pairs]
    known = np.nan_to_num(overlaps, nan=-1.0)
    promising = set(np.argsort(known)[-_ALIGNED:].tolist())
    scores: list[LayerScore] = []
    for place, (text, clip) in enumerate(pairs):
        own = LayerRows(_all(texts.open(text)), _all(clips.open(clip)), rows.owner)
        one, other = looks["text", text], looks["clip", clip]
        align = place in promising or not cross
        raw = _mrr(own.only(split.validation))
        aligned = _mrr(align_layer(own, split) if align else None)
        scores.append(
            LayerScore(
                *(text, clip, one.layer, other.layer, overlaps[place]),
                *(one.rank, other.rank, one.cosine, other.cosine),
                *(raw[0], aligned[0], *raw[1:], *aligned[1:]),
            )
        )
        on_progress(place + 1, len(pairs))
    captions = int(np.isin(rows.owner, split.validation).sum())
    return LayerSweep(tuple(scores), k, len(looked), len(split.validation), captions)


@dataclass(frozen=True, slots=True)
class _Items:
    """Hold the items that all layers share, and the video of every caption."""

    texts: Sequence[Text]
    clips: Sequence[Clip]
    owner: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Embeddings[Text], clips: Embeddings[Clip], index: str | None) -> _Items:
        table = None if index is None else parse_source(index)
        pairs = Pairs(texts, clips, join_sides(texts, clips, table))
        return cls(texts.items, clips.items, pairs.owners())

    @property
    def captioned(self) -> NDArray[np.int64]:
        """Return the rows of the videos that have a caption."""
        return np.unique(self.owner)

    def sample(self, most: int, seed: int) -> NDArray[np.int64]:
        """Return at most so many videos with captions, in order."""
        rows = self.captioned
        if len(rows) <= most:
            return rows
        return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))

    def look_at_clips(
        self, clips: Embeddings[Clip], looked: NDArray[np.int64], k: int
    ) -> _SideView:
        self._require(clips.items, self.clips, "videos")
        return _side_view(_unit(_all(clips)[looked]), k, layer_of(clips))

    def look_at_texts(
        self, texts: Embeddings[Text], looked: NDArray[np.int64], k: int
    ) -> _SideView:
        """Measure the mean direction of every video's captions, as for videos."""
        self._require(texts.items, self.texts, "captions")
        unit = _unit(_all(texts))
        sums = np.zeros((len(self.clips), unit.shape[1]), np.float32)
        np.add.at(sums, self.owner, unit)
        return _side_view(_unit(sums[looked]), k, layer_of(texts))

    @staticmethod
    def _require(
        found: Sequence[Text] | Sequence[Clip], wanted: Sequence[Text] | Sequence[Clip], what: str
    ) -> None:
        if [item.id for item in found] != [item.id for item in wanted]:
            raise ValueError(
                f"the layers hold different {what}; encode all layers in one run, and all of it"
            )


def _side_view(unit: Floats, k: int, layer: float) -> _SideView:
    shares = variance_shares(unit)
    is_constant = bool((unit @ unit[0] >= _SAME).all())
    neighbours = None if is_constant else nearest(unit, k)
    return _SideView(neighbours, effective_rank(shares), mean_cosine(unit), layer)


def _overlap(text: _SideView, clip: _SideView) -> float:
    """Compute the mutual overlap of two sides; NaN where one has no neighbours."""
    if text.neighbours is None or clip.neighbours is None:
        return np.nan
    return mutual_overlap(text.neighbours, clip.neighbours)


def _mrr(rows: LayerRows | None) -> tuple[float, float, float]:
    """Compute text-to-video MRR by the cosine and its 95 % interval; NaN where there is none."""
    if rows is None or rows.texts.shape[1] != rows.clips.shape[1]:
        return np.nan, np.nan, np.nan
    scores = Scores(
        [str(row) for row in range(len(rows.texts))],
        [str(row) for row in range(len(rows.clips))],
        _unit(rows.texts) @ _unit(rows.clips).T,
    )
    qrels = Qrels({str(row): frozenset([str(own)]) for row, own in enumerate(rows.owner)})
    found = evaluate(scores, qrels, measures=["MRR"], resamples=_RESAMPLES).t2v
    return (found["MRR"], *found.intervals["MRR"])


def _all(embeddings: Embeddings[Any]) -> Floats:
    return np.concatenate([block for _, block in embeddings.blocks()]).astype(np.float32)


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, np.float32(1.0)).astype(np.float32)

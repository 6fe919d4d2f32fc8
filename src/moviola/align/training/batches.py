"""Draw the batches that a head learns from: labelled pairs, or different videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from moviola.align.data.pairs import PairTable, make_pairs
from moviola.align.data.rows import RaggedRows
from moviola.align.training.config import TrainConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

Batch = dict[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class PairedRows:
    """Hold both sides and the clip of every text.

    Attributes:
        texts: N texts.
        clips: M clips.
        owner: `(N,)` row of its clip for every text.
    """

    texts: RaggedRows
    clips: RaggedRows
    owner: Counts

    def __post_init__(self) -> None:
        if self.owner.shape != (len(self.texts),):
            raise ValueError(
                f"there are {len(self.texts)} texts and clips for {self.owner.shape} of them"
            )

    def captioned(self, videos: Counts) -> Counts:
        """Return those of some videos that have a text, in rising order."""
        return np.intersect1d(videos, self.owner)

    def only(self, videos: Counts) -> PairedRows:
        """Keep some videos, given in rising order, and their texts; renumber the rows."""
        texts = np.flatnonzero(np.isin(self.owner, videos))
        places = np.searchsorted(videos, self.owner[texts])
        return PairedRows(self.texts.some(texts), self.clips.some(videos), places)


@dataclass(frozen=True, slots=True)
class Draw:
    """Hold one batch as row numbers.

    Attributes:
        texts: `(N,)` rows of texts.
        clips: `(M,)` rows of clips; under a pair loss M is N.
        truth: `(N, M)` bool, or `(N,)` labels of the pairs.
    """

    texts: Counts
    clips: Counts
    truth: NDArray[np.bool_]


class Batches(Dataset[Batch]):
    """Serve drawn batches as tensors.

    Args:
        data: both sides.
        draws: the batches in order.
        mixup: concentration of the shares of mixtures, 0 for none.
        seed: of the mixtures.
    """

    def __init__(
        self, data: PairedRows, draws: Sequence[Draw], *, mixup: float = 0.0, seed: int = 0
    ) -> None:
        self.data, self.draws, self.mixup, self.seed = data, draws, mixup, seed

    def __len__(self) -> int:
        return len(self.draws)

    def __getitem__(self, place: int) -> Batch:
        draw = self.draws[place]
        texts, texts_there = self.data.texts.block(draw.texts)
        clips, clips_there = self.data.clips.block(draw.clips)
        if self.mixup:
            rng = np.random.default_rng([self.seed, place])
            share = float(rng.beta(self.mixup, self.mixup))
            other = torch.from_numpy(rng.permutation(len(texts)))
            texts = share * texts + (1 - share) * texts[other]
            clips = share * clips + (1 - share) * clips[other]
        return {
            "texts": texts,
            "texts_there": texts_there,
            "clips": clips,
            "clips_there": clips_there,
            "truth": torch.from_numpy(draw.truth),
        }


def pair_draws(table: PairTable, batch: int, rng: np.random.Generator) -> list[Draw]:
    """Shuffle the pairs of a table into batches; the last may be smaller."""
    order = rng.permutation(len(table))
    parts = (order[begin : begin + batch] for begin in range(0, len(order), batch))
    return [Draw(table.texts[part], table.videos[part], table.labels[part]) for part in parts]


def video_draws(
    owner: Counts, videos: Counts, batch: int, captions: int, rng: np.random.Generator
) -> list[Draw]:
    """Shuffle the videos into batches of different ones, each with random captions.

    The last few videos wait for the next epoch: with fewer negatives their loss would be of
    another size.

    Args:
        owner: `(N,)` row of its video for every text.
        videos: rows of videos that have captions.
        batch: videos a batch.
        captions: captions a video; one comes again where a video has fewer.
        rng: of the order and the choice.
    """
    batch = min(batch, len(videos))
    texts = np.argsort(owner, kind="stable")
    first, last = np.searchsorted(owner[texts], [videos, videos + 1])
    order = rng.permutation(len(videos))
    made: list[Draw] = []
    for begin in range(0, len(order) - batch + 1, batch):
        part = order[begin : begin + batch]
        chosen = [texts[_some(rng, first[each], last[each], captions)] for each in part]
        truth = np.repeat(np.eye(len(part), dtype=bool), captions, axis=0)
        made.append(Draw(np.concatenate(chosen), videos[part], truth))
    return made


def draw_batches(
    data: PairedRows, videos: Counts, config: TrainConfig, seed: Sequence[int]
) -> list[Draw]:
    """Draw one epoch of batches of some videos.

    Args:
        data: both sides.
        videos: rows of videos that have captions.
        config: of the run; the table of pairs hangs on its seed alone, the order on `seed`.
        seed: of this epoch.
    """
    rng = np.random.default_rng(list(seed))
    if config.by_pairs:
        table = make_pairs(
            data.owner,
            videos,
            positives=config.positives,
            negatives=config.negatives,
            seed=config.seed,
        )
        draws = pair_draws(table, config.batch, rng)
    else:
        draws = video_draws(data.owner, videos, config.batch, config.captions, rng)
    return draws[: config.limit_batches]


def _some(rng: np.random.Generator, first: int, last: int, count: int) -> Counts:
    """Draw `count` numbers from `first` up to `last`, different ones where enough exist."""
    if count == 1:
        return rng.integers(first, last, 1)
    return first + rng.choice(last - first, count, replace=last - first < count)

"""Pair clips with their captions, hold videos out, and draw batches without false negatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, RetrievalDataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]


@dataclass(frozen=True)
class CaptionedClips:
    """Hold M clips with their captions.

    Attributes:
        clips: M clips, each with at least one caption.
        words: the captions, each wording once.
        captions: for each clip the rows of its captions in `words`.
    """

    clips: Sequence[Clip]
    words: Sequence[str]
    captions: Sequence[Rows]

    @cached_property
    def clips_of_words(self) -> list[frozenset[int]]:
        """List the clips that each wording describes."""
        found: list[set[int]] = [set() for _ in self.words]
        for clip, captions in enumerate(self.captions):
            for word in captions:
                found[word].add(clip)
        return [frozenset(clips) for clips in found]

    def split(self, share: float, seed: int) -> tuple[Rows, Rows]:
        """Hold out about `share` of the videos, at least one: rows to train on, and the others.

        Clips of one video stay together.

        Raises:
            ValueError: when there are too few videos.
        """
        videos = sorted({str(clip.path) for clip in self.clips})
        held = max(1, round(share * len(videos)))
        if len(videos) - held < 2:
            raise ValueError(
                f"there are {len(videos)} videos with captions; fine-tuning needs two to train on, "
                f"and one to measure"
            )
        chosen = np.random.default_rng([seed, 1]).permutation(len(videos))[:held]
        out = {videos[row] for row in chosen}
        apart = np.array([str(clip.path) in out for clip in self.clips])
        return np.flatnonzero(~apart), np.flatnonzero(apart)


@dataclass(frozen=True, slots=True)
class Draw:
    """Hold the clips and captions of one step.

    Attributes:
        clips: `(M,)` rows of clips.
        words: `(N,)` rows of captions, those of a clip beside each other.
        owner: `(N,)` place in `clips` of each caption's clip.
        right: `(N, M)` whether a caption describes a clip, its own or another.
    """

    clips: Rows
    words: Rows
    owner: Rows
    right: NDArray[np.bool_]


def pair_captions(
    data: RetrievalDataset, unreadable: frozenset[str] = frozenset()
) -> CaptionedClips:
    """Pair the clips of a data set with their captions; those without a caption are left out.

    Args:
        data: one split.
        unreadable: ids of clips that have no frames.

    Raises:
        ValueError: when no clip has both.
    """
    absent = unreadable.union(data.missing)
    texts = {text.id: " ".join(text.text.split()) for text in data.texts}
    words = list(dict.fromkeys(texts.values()))
    place = {wording: row for row, wording in enumerate(words)}
    captions: dict[str, dict[int, None]] = {}
    for text, clips in data.qrels.relevant.items():
        for clip in clips - absent:
            captions.setdefault(clip, {})[place[texts[text]]] = None
    clips = [clip for clip in data.clips if clip.id in captions]
    if not clips:
        raise ValueError(f"{data.name} has no clip with both frames and a caption")
    rows = [np.array(sorted(captions[clip.id]), np.int64) for clip in clips]
    return CaptionedClips(clips, words, rows)


def draw_epoch(
    data: CaptionedClips,
    train: Rows,
    *,
    batch: int,
    captions: int,
    seed: Sequence[int],
    world: int = 1,
) -> list[Draw]:
    """Draw the steps of one epoch: every clip once, but for a remainder smaller than a batch.

    Args:
        data: clips and captions.
        train: rows of the clips to learn from.
        batch: clips a step and device; fewer where there are fewer.
        captions: of a clip at most.
        seed: decides everything, so that a resumed run sees what it would have seen.
        world: how many devices there are; each takes an equal share of every step.
    """
    rng = np.random.default_rng(seed)
    order, size = rng.permutation(train), min(batch, len(train) // world) * world
    return [
        _draw(data, order[first : first + size], captions, rng)
        for first in range(0, len(order) - size + 1, size)
    ]


def _draw(data: CaptionedClips, clips: Rows, captions: int, rng: np.random.Generator) -> Draw:
    chosen = [rng.permutation(data.captions[clip])[:captions] for clip in clips]
    words = np.concatenate(chosen)
    owner = np.repeat(np.arange(len(clips)), [len(each) for each in chosen])
    described = [data.clips_of_words[word] for word in words]
    right = np.array([[int(clip) in those for clip in clips] for those in described])
    return Draw(clips, words, owner, right)

"""Make planted pairs for an experiment, with a row a token and several rows a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.data.splitting import VideoSplit
from moviola.core import Clip, Embeddings, Readout, Space, Span, Text
from moviola.experiments.report.data import ExperimentData
from moviola.experiments.report.presets import Scale
from moviola.synthetic.planted.pairs import PlantedPairs, plant
from moviola.synthetic.planted.views import Mixture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float16 | np.float32]

#: Rows around the 32 of a video behind the LLaMA: the start and the roles in front of it, and the
#: message about the times of the frames behind it.
_BEFORE, _BEHIND = 6, 14
#: Dimension, videos, captions each, and test videos of planted pairs.
_SIZES: dict[Scale, tuple[int, int, int, int]] = {
    "full": (512, 7000, 20, 1000),
    "small": (128, 1500, 6, 500),
}
#: In few dimensions noise drowns the signal that many would average out.
_FEW = Mixture(signal=0.4, nuisance=0.43, noise=0.17, shared=0.7)


def planted_data(scale: Scale, *, seed: int = 0) -> ExperimentData:
    """Draw planted pairs with one row a token and 32 rows a video, at scale 8.

    The states behind the LLaMA are the same rows between rows that are alike for all videos and
    rows that say nothing of what is shown, as its prompt and its message about times are.
    """
    dimension, videos, captions, tests = _SIZES[scale]
    drawn = plant(
        seed,
        dimension=dimension,
        videos=videos,
        captions=captions,
        test_videos=tests,
        tokens=True,
        mixture=_FEW if scale == "small" else None,
    )
    texts = _joined(drawn.train.texts, drawn.train.text_offsets, drawn.test, of_texts=True)
    clips = _joined(drawn.train.videos, drawn.train.video_offsets, drawn.test, of_texts=False)
    if scale == "small":
        clips = _thinned(*clips)
    per_video = int(clips[1][1])
    owner = np.concatenate([drawn.train.owners, drawn.test.owners + videos])
    order = np.random.default_rng([seed, 7]).permutation(videos)
    watched = min(500, videos // 10)
    after = _behind_llama(*clips, np.random.default_rng([seed, 8]))
    names = [f"planted{row:05d}" for row in range(videos + tests)]
    return ExperimentData(
        name=(
            f"planted pairs, {videos:,} videos of {captions} captions and {tests:,} to test with, "
            f"{dimension} numbers"
        ),
        texts=_texts([f"caption{row:06d}" for row in range(len(owner))], *texts),
        clips=_clips(names, *clips),
        owner=owner,
        split=VideoSplit(
            np.sort(order[watched:]), np.sort(order[:watched]), np.arange(videos, videos + tests)
        ),
        after=_clips(names, *after),
        own_rows=(_BEFORE, _BEFORE + per_video),
    )


def _joined(
    rows: Floats, offsets: Counts, test: PlantedPairs, *, of_texts: bool
) -> tuple[Floats, Counts]:
    more = (test.texts, test.text_offsets) if of_texts else (test.videos, test.video_offsets)
    joined = np.concatenate([offsets, offsets[-1] + more[1][1:]]).astype(np.int64)
    return np.concatenate([rows, more[0]]), joined


def _thinned(rows: Floats, offsets: Counts) -> tuple[Floats, Counts]:
    """Keep every fourth row of each video, the first among them, to save attention time."""
    videos = rows.reshape(len(offsets) - 1, -1, rows.shape[1])[:, ::4]
    joined = np.ascontiguousarray(videos.reshape(-1, rows.shape[1]))
    return joined, np.arange(len(offsets), dtype=np.int64) * videos.shape[1]


def _behind_llama(rows: Floats, offsets: Counts, rng: np.random.Generator) -> tuple[Floats, Counts]:
    """Put the rows of a video between those of the prompt and of the message about times."""
    videos = rows.reshape(len(offsets) - 1, -1, rows.shape[1])
    count, _, dimension = videos.shape
    size = float(np.sqrt((rows[:1024].astype(np.float64) ** 2).mean()))

    def states(number: int) -> Floats:
        return (size * rng.standard_normal((number, dimension))).astype(np.float32)

    before = np.tile(states(_BEFORE), (count, 1, 1))
    # The first state of a decoder is many times as large as the others in a few dimensions.
    massive = np.argsort(-np.abs(rows[:1024].mean(axis=0)))[:3]
    before[:, 0, massive] *= 20
    behind = np.tile(states(_BEHIND), (count, 1, 1))
    behind += 0.3 * states(count)[:, None]
    joined = np.concatenate([before, videos, behind], axis=1)
    return joined.reshape(-1, dimension), np.arange(count + 1, dtype=np.int64) * joined.shape[1]


def _texts(names: Sequence[str], rows: Floats, offsets: Counts) -> Embeddings[Text]:
    space = Space.anonymous(rows.shape[1])
    return Embeddings(
        [Text(name, "") for name in names], offsets, [rows], space, Readout("planted texts")
    )


def _clips(names: Sequence[str], rows: Floats, offsets: Counts) -> Embeddings[Clip]:
    space = Space.anonymous(rows.shape[1])
    items = [Clip(name, Path(), Span(0.0, 1.0)) for name in names]
    return Embeddings(items, offsets, [rows], space, Readout("planted videos"))

"""What the alignment experiments run on: any pair of stores, or planted pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.splitting import VideoSplit
from moviola.core import Clip, Embeddings, Qrels, Readout, Space, Span, Text, display_path
from moviola.core.embeddings import ItemT
from moviola.datasets.planted import PlantedPairs, plant
from moviola.datasets.planted_views import Mixture
from moviola.experiments.presets import Scale
from moviola.pipeline.inputs import is_named, read_clips, read_texts
from moviola.pipeline.pairing import pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float16 | np.float32]

#: What generated pairs are called on the command line.
PLANTED = "planted"
#: Shares of the videos of stores that are watched and that are tested, and how many at most.
_VALIDATION, _TEST = 0.1, 0.2
_MOST = 1000
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


@dataclass(frozen=True, slots=True, eq=False)
class ExperimentData:
    """Both sides, whose text is whose, and which videos are for what.

    Attributes:
        name: what the data are, in a few words.
        texts: N texts, several rows each where they are unpooled.
        clips: M videos.
        owner: `(N,)` row of its video for every text.
        split: rows of the videos.
        after: the videos behind the LLaMA, in the same order; None where there are none.
        own_rows: which rows of a video behind the LLaMA are its own, from and up to; None where
            that is not known.
    """

    name: str
    texts: Embeddings[Text]
    clips: Embeddings[Clip]
    owner: Counts
    split: VideoSplit
    after: Embeddings[Clip] | None = None
    own_rows: tuple[int, int] | None = None

    @property
    def test_texts(self) -> Counts:
        """Rows of the texts of the test videos."""
        return np.flatnonzero(np.isin(self.owner, self.test_clips))

    @property
    def test_clips(self) -> Counts:
        """Rows of the test videos that have a text, in rising order."""
        assert self.split.test is not None  # noqa: S101 -- every maker of these data splits thrice
        return np.intersect1d(self.split.test, self.owner)

    def qrels(self, texts: Counts) -> Qrels:
        """Which video each of some texts describes."""
        chosen: list[int] = texts.tolist()
        videos: list[int] = self.owner[texts].tolist()
        return Qrels(
            {
                self.texts.items[text].id: frozenset([self.clips.items[video].id])
                for text, video in zip(chosen, videos, strict=True)
            }
        )


def experiment_data(
    folder: str | None,
    *,
    texts: str | None = None,
    videos: str | None = None,
    videos_after: str | None = None,
    caption_video: str | None = None,
    scale: Scale = "full",
    seed: int = 0,
) -> ExperimentData:
    """The data that a command names.

    Args:
        folder: with the stores `texts` and `videos`, and maybe `videos-after`; or `planted`. None
            where the two are named.
        texts: as `data_of_files`.
        videos: as `data_of_files`.
        videos_after: as `data_of_files`.
        caption_video: as `data_of_files`.
        scale: of planted pairs.
        seed: of the draw, or of the split.

    Raises:
        FileNotFoundError: as `data_of_files`.
        ValueError: as `data_of_files`, or when not exactly one of the two ways is gone.
    """
    named = [spec for spec in (texts, videos) if spec is not None]
    if len(named) != (2 if folder is None else 0):
        raise ValueError("give either --data, or --texts and --videos")
    if folder == PLANTED:
        return planted_data(scale, seed=seed)
    if folder is not None:
        place = Path(folder)
        texts, videos = str(place / "texts"), str(place / "videos")
        if not place.is_dir():
            raise FileNotFoundError(f"there is no folder {display_path(place)}")
        if videos_after is None and (place / "videos-after").exists():
            videos_after = str(place / "videos-after")
    return data_of_files(
        str(texts),
        str(videos),
        caption_video=caption_video,
        videos_after=videos_after,
        seed=seed,
    )


def planted_data(scale: Scale, *, seed: int = 0) -> ExperimentData:
    """A draw of the planted pairs with one row a token and 32 rows a video.

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


def data_of_files(
    texts: str,
    videos: str,
    *,
    caption_video: str | None = None,
    videos_after: str | None = None,
    seed: int = 0,
) -> ExperimentData:
    """Data out of stores, arrays or folders; videos are split at random.

    Args:
        texts: as `moviola pooling-grid` takes it.
        videos: likewise.
        caption_video: file of the row of its video for every text, where ids do not tell.
        videos_after: the same videos behind the LLaMA.
        seed: of the split.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        SpaceMismatchError: never; the two sides need share no space.
        ValueError: naming what cannot be used, or when there are too few videos.
    """
    captions, clips = read_texts(texts, pooling="none"), read_clips(videos, pooling="none")
    by_row = not (is_named(texts) and is_named(videos))
    qrels = pair(captions, clips, index=caption_video, by_row=by_row)
    row_of = {clip.id: row for row, clip in enumerate(clips.items)}
    owner = np.array([row_of[next(iter(qrels.relevant[text.id]))] for text in captions.items])
    after = None
    if videos_after is not None:
        after = read_clips(videos_after, pooling="none")
        if [clip.id for clip in after.items] != [clip.id for clip in clips.items]:
            raise ValueError(
                f"{display_path(videos_after)} holds other videos than {display_path(videos)}, or "
                f"holds them in another order; encode the same ones"
            )
    return ExperimentData(
        name=f"{Path(texts).name} and {Path(videos).name}",
        texts=captions,
        clips=clips,
        owner=owner,
        split=_split(np.unique(owner), np.random.default_rng(seed)),
        after=after,
    )


def _split(videos: Counts, rng: np.random.Generator) -> VideoSplit:
    tests, watched = (min(_MOST, int(share * len(videos))) for share in (_TEST, _VALIDATION))
    if watched < 2:
        raise ValueError(
            f"{len(videos)} videos with captions are too few to learn from some and test on others"
        )
    order = rng.permutation(videos)
    return VideoSplit(
        np.sort(order[tests + watched :]),
        np.sort(order[tests : tests + watched]),
        np.sort(order[:tests]),
    )


def _joined(
    rows: Floats, offsets: Counts, test: PlantedPairs, *, of_texts: bool
) -> tuple[Floats, Counts]:
    more = (test.texts, test.text_offsets) if of_texts else (test.videos, test.video_offsets)
    joined = np.concatenate([offsets, offsets[-1] + more[1][1:]]).astype(np.int64)
    return np.concatenate([rows, more[0]]), joined


def _thinned(rows: Floats, offsets: Counts) -> tuple[Floats, Counts]:
    """Every fourth row of each video, the first among them: attention over all takes minutes."""
    videos = rows.reshape(len(offsets) - 1, -1, rows.shape[1])[:, ::4]
    joined = np.ascontiguousarray(videos.reshape(-1, rows.shape[1]))
    return joined, np.arange(len(offsets), dtype=np.int64) * videos.shape[1]


def _behind_llama(rows: Floats, offsets: Counts, rng: np.random.Generator) -> tuple[Floats, Counts]:
    """Rows of a video between those of the prompt and of the message about times."""
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


def kept_rows(embeddings: Embeddings[ItemT], rows: slice) -> Embeddings[ItemT]:
    """Some rows of every item: those of a slice, or all where an item has none there."""
    kept = [
        found if len(found := (every := embeddings.rows(place))[rows]) else every
        for place in range(len(embeddings))
    ]
    return Embeddings.from_rows(embeddings.items, kept, embeddings.space, embeddings.readout)


def some_items(embeddings: Embeddings[ItemT], items: Counts) -> Embeddings[ItemT]:
    """Some items, in the order given."""
    rows: list[int] = items.tolist()
    return Embeddings.from_rows(
        [embeddings.items[row] for row in rows],
        [embeddings.rows(row) for row in rows],
        embeddings.space,
        embeddings.readout,
    )

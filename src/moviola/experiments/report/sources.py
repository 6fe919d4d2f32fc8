"""Read the data of an experiment from any pair of stores, or draw planted pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.data.splitting import VideoSplit
from moviola.core import display_path
from moviola.experiments.report.data import ExperimentData
from moviola.experiments.report.planted import planted_data
from moviola.experiments.report.presets import Scale
from moviola.pipeline.align.fitting import PairFiles
from moviola.pipeline.inputs.sources import parse_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

#: What generated pairs are called on the command line.
PLANTED = "planted"
#: Shares of the videos of stores that are watched and that are tested, and how many at most.
_VALIDATION, _TEST = 0.1, 0.2
_MOST = 1000


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
    """Make the data that a command names.

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


def data_of_files(
    texts: str,
    videos: str,
    *,
    caption_video: str | None = None,
    videos_after: str | None = None,
    seed: int = 0,
) -> ExperimentData:
    """Read data from stores, arrays or folders; videos are split at random.

    Args:
        texts: as `moviola pooling-grid` takes it.
        videos: likewise.
        caption_video: file of the row of its video for every text, where ids do not tell.
        videos_after: the same videos behind the LLaMA.
        seed: of the split.

    Raises:
        FileNotFoundError: when there is nothing of that name.
        ValueError: naming what cannot be used, or when there are too few videos.
    """
    captions, clips, owner = PairFiles(texts, videos, caption_video).read("none")
    after = None
    if videos_after is not None:
        after = parse_source(videos_after).clips("none")
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

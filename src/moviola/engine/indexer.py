"""Index videos for a run: the encoder, the channels and the decoders of one worker."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from moviola.core import SpaceMismatchError, told_precision
from moviola.engine.run_plan import RunPlan
from moviola.library import NO_MODEL, NewVideo
from moviola.pipeline.encode.stages import StageSeconds
from moviola.pipeline.index.channel_run import ChannelRun
from moviola.pipeline.index.opening import Loader, load_model, unseen_space
from moviola.pipeline.index.unit import IndexedVideo, UnitTools, index_videos
from moviola.pipeline.passages.channels import choose_channels
from moviola.pipeline.search.aligned_encoder import load_aligned
from moviola.video import DecodePool, Limits, parse_segmenter


@dataclass(frozen=True, slots=True)
class VideoIndexer:
    """Index videos with the tools of a run."""

    tools: UnitTools

    @property
    def precision(self) -> str:
        """Tell what the model computes in, `""` where there is none."""
        encoder = self.tools.encoder
        return "" if encoder is None else told_precision(encoder, "clips") or ""

    def index(self, videos: Iterable[NewVideo]) -> Generator[IndexedVideo]:
        """Index videos, each yielded when it is finished."""
        return index_videos(videos, self.tools)


@contextmanager
def open_indexer(
    plan: RunPlan, workers: int | None = None, load: Loader = load_aligned
) -> Iterator[VideoIndexer]:
    """Load what indexing the videos of a plan takes, and yield it.

    Args:
        plan: of the run.
        workers: decoding processes; None decides by the number of cores.
        load: loads an encoder by its name, head and precision.

    Raises:
        SpaceMismatchError: when the model here is not the one that the run was planned with.
        WeightsUnavailableError: when its weights are neither here nor to be had.
    """
    settings = plan.settings
    channels = choose_channels(None, settings.channels, settings.without_channels)
    encoder = None
    if settings.model != NO_MODEL:
        _, encoder = load_model(
            settings.model, settings.rows, settings.head, settings.precision, load
        )
    space = unseen_space()[0] if encoder is None else encoder.space
    if space.digest != plan.space:
        raise SpaceMismatchError(
            f"the model {settings.model} on this machine is not the one that the run was planned "
            "with; bring the same weights here, or plan again"
        )
    with DecodePool(workers, Limits(extra_codecs=settings.codecs)) as pool:
        yield VideoIndexer(
            UnitTools(
                *(pool, encoder, parse_segmenter(settings.segment), ChannelRun(channels)),
                rows=settings.rows,
                seconds=StageSeconds(),
            )
        )

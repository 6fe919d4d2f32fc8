"""Plan a run: find the videos, name their contents, and cut them into shards."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from pathlib import Path

from moviola.core import Readout, Space, display_path
from moviola.engine.run_plan import PLAN, RunPlan, RunSettings, Shard
from moviola.engine.run_store import open_run_store
from moviola.library import NO_MODEL, NewVideo, VideoName, is_gone, scan
from moviola.library.planning import make_plan
from moviola.pipeline.index.opening import Loader, load_model, unseen_space
from moviola.pipeline.index.unit_file import unit_name
from moviola.pipeline.passages.channels import ChannelSet, choose_channels
from moviola.pipeline.search.aligned_encoder import load_aligned
from moviola.video import VIDEO_SUFFIXES, parse_segmenter, require_decoders


def plan_run(
    paths: Sequence[Path],
    out: str,
    settings: RunSettings,
    *,
    shards: int = 512,
    load: Loader = load_aligned,
) -> RunPlan:
    """Plan to index folders of videos, or files, and write the plan to the run `out`.

    The model is loaded once, so that a run that cannot work fails here. A run is planned once;
    planning the same again changes nothing.

    Raises:
        FileNotFoundError: when none of `paths` is there.
        FileExistsError: when there is another plan at `out`.
        PluginNotFoundError: when there is no such model or channel.
        WeightsUnavailableError: when weights are neither here nor to be had.
        ValueError: when `segment` is no policy, or `shards` is not positive.
    """
    if shards < 1:
        raise ValueError(f"a run has at least one shard, got {shards}")
    if all(is_gone(path) for path in paths):
        raise FileNotFoundError(
            f"there is nothing at {display_path(paths[0])}; name a folder or a video file"
        )
    require_decoders(settings.codecs)
    segment = parse_segmenter(settings.segment).spec
    channels = choose_channels(None, settings.channels, settings.without_channels)
    space, readouts = _identity(settings, load)
    store = open_run_store(out)
    found, notes = make_plan({}, scan(paths, VIDEO_SUFFIXES))
    versions = {video.id: _versions(video, channels) for video in found.decode}
    made = RunPlan(
        settings,
        space.digest,
        tuple(
            Shard(
                unit_name(
                    videos,
                    segment=segment,
                    space=space.digest,
                    readouts=[readout.digest for readout in readouts],
                    rows=settings.rows,
                    channels=versions,
                ),
                tuple(videos),
            )
            for videos in cut_shards(found.decode, shards)
        ),
        tuple(sorted(notes.values(), key=lambda record: record.id)),
    )
    if not store.create(PLAN, made.to_json()) and store.read(PLAN) != made.to_json():
        raise FileExistsError(f"there is another run at {out} already; choose another place")
    return made


def cut_shards(videos: Sequence[NewVideo], count: int) -> list[list[NewVideo]]:
    """Cut videos into at most `count` shards of about the same bytes, the largest first.

    Longest-processing-time-first: each video goes to the shard that has least so far (R. L.
    Graham, 1969, theorem 2: at most 4/3 of the best possible).
    """
    shards: list[list[NewVideo]] = [[] for _ in range(min(count, len(videos)))]
    heap = [(0, number) for number in range(len(shards))]
    for video in sorted(videos, key=lambda video: (-video.files[0].size, video.id)):
        size, number = heapq.heappop(heap)
        shards[number].append(video)
        # At least one byte each, or empty files would all go to one.
        heapq.heappush(heap, (size + max(1, video.files[0].size), number))
    return sorted(shards, key=lambda shard: (-sum(v.files[0].size for v in shard), shard[0].id))


def _identity(settings: RunSettings, load: Loader) -> tuple[Space, Sequence[Readout]]:
    if settings.model == NO_MODEL:
        space, readout = unseen_space()
        return space, (readout, readout)
    _, encoder = load_model(settings.model, settings.rows, settings.head, settings.precision, load)
    return encoder.space, (encoder.video_readout, encoder.text_readout)


def _versions(video: NewVideo, channels: ChannelSet) -> Sequence[str]:
    around = channels.around(VideoName.of(file) for file in video.files)
    return [f"{each.channel.name} {each.version}" for each in channels.wanted(around)]

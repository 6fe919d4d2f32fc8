"""Encode videos or captions into stores: all readouts, layers and poolings from one pass."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moviola.core import Clip, Precision, Span, Text, display_path
from moviola.library import FailedFile, UnreadableEntry, scan
from moviola.pipeline.encode.outputs import Layout, Outputs
from moviola.pipeline.encode.readouts import ReadoutRequest, TowerReadings, read_tower
from moviola.pipeline.encode.streaming import encode_stream
from moviola.video import VIDEO_SUFFIXES, DecodePool, ReadRequest, parse_segmenter

if TYPE_CHECKING:
    from moviola.store.card import RowType

_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class EncodeReport:
    """Count what was written.

    Attributes:
        items: clips or captions in each store.
        skipped: names of the videos or captions that were there already.
        failures: files that could not be used.
        written: the stores, or folders of `.npy` files, one for each way of reading.
    """

    items: int
    skipped: tuple[str, ...]
    failures: tuple[FailedFile, ...]
    written: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class EncodeStep:
    """Count how far a run has come: items finished, of how many, and how many of them failed."""

    done: int
    total: int
    failed: int


def encode_videos(
    paths: Sequence[Path | str],
    *,
    out: Path | str,
    model: str,
    segment: str = "whole",
    readouts: Sequence[str] = (),
    layers: str = "",
    poolings: Sequence[str] = (),
    layout: Layout = "store",
    dtype: RowType = "float16",
    precision: Precision | None = None,
    on_progress: Callable[[EncodeStep], Any] = lambda _: None,
) -> EncodeReport:
    """Encode videos into stores. Decodes every video once, whatever is asked for.

    Items are stored in the order of the inputs, whichever was decoded first. An item is called by
    its file's name without suffix (by its path below the named folder where two share a
    name), with `@START-END` in seconds where the video was cut.

    Embeddings that are there already are added to: items of the same name are skipped, and stand
    before the new ones.

    Args:
        paths: folders of videos, or files.
        out: the folder to write; with several ways of reading, one folder for each lies in it,
            such as `echo/layer-07/mean`, named by what tells them apart.
        model: the encoder's name.
        segment: how videos are cut.
        readouts: names of readouts, for models that have several.
        layers: which layers of such a model: `all`, `last`, or numbers such as `0,8,16-24`.
        poolings: names of poolings, `"none"` for all rows; empty reads the model as it comes.
        layout: `"store"`, or `"npy"` for one file an item.
        dtype: of the rows on disk.
        precision: that the model computes in; None takes that of the device.
        on_progress: called after every video.

    Raises:
        FileExistsError: when `out` holds something else, or embeddings in the other layout.
        SpaceMismatchError: when an earlier run wrote with another model or readout.
        ValueError: when a readout, layer, pooling or policy does not exist, the model is read in
            one way only, or an earlier run wrote in another dtype or cut otherwise.
    """
    tower = read_tower(ReadoutRequest(model, readouts, layers, poolings, precision), "clips")
    segmenter = parse_segmenter(segment)
    entries = list(scan([Path(path) for path in paths], VIDEO_SUFFIXES))
    failures = [
        FailedFile(entry.path, entry.code, entry.message)
        for entry in entries
        if isinstance(entry, UnreadableEntry)
    ]
    files = {
        name: entry.path
        for name, entry in _named([e for e in entries if not isinstance(e, UnreadableEntry)])
    }
    places = {name: place for place, name in enumerate(files)}
    whole = segmenter.spec == "whole"

    def order(item: Clip | Text) -> tuple[int, float, float]:
        """Sort by the inputs, and clips of one video by time: decoding ends in any order."""
        name = item.id if whole else _video(item.id)
        span = item.span if isinstance(item, Clip) else Span(0.0, 0.0)
        # What is there and not among these inputs stays first, in its order.
        return (places[name], span.start, span.end) if name in places else (-1, 0.0, 0.0)

    with Outputs(
        Path(out), "clips", tower, dtype, order, layout=layout, segment=segmenter.spec
    ) as outputs:
        # An interrupted run may hold some clips of a video only; a finished one holds all.
        done = outputs.done_ids if whole else {_video(each) for each in outputs.finished_ids}
        waiting = [name for name in files if name not in done]
        sampler, sound = tower.sampler, tower.sound
        requests = (ReadRequest(name, files[name], segmenter, sampler, sound) for name in waiting)
        with DecodePool() as pool:
            for count, video in enumerate(encode_stream(pool, requests, tower), start=1):
                name, code = str(video.done.key), video.done.code
                if code.is_failure:
                    failures.append(FailedFile(files[name], code, video.done.message))
                else:
                    for span, rows in zip(video.spans, video.rows, strict=True):
                        outputs.append(Clip(_item(name, span, whole), files[name], span), rows)
                on_progress(EncodeStep(count, len(waiting), len(failures)))
    skipped = tuple(name for name in files if name in done)
    return EncodeReport(outputs.items, skipped, tuple(failures), outputs.deliver())


def encode_captions(
    captions: Sequence[Text],
    *,
    out: Path | str,
    model: str,
    readouts: Sequence[str] = (),
    layers: str = "",
    poolings: Sequence[str] = (),
    layout: Layout = "store",
    dtype: RowType = "float16",
    precision: Precision | None = None,
    on_progress: Callable[[EncodeStep], Any] = lambda _: None,
) -> EncodeReport:
    """Encode captions into stores, as `encode_videos` does with videos.

    Raises:
        FileExistsError: as `encode_videos`.
        SpaceMismatchError: as `encode_videos`.
        ValueError: as `encode_videos`.
    """
    tower = read_tower(ReadoutRequest(model, readouts, layers, poolings, precision), "texts")
    places = {text.id: place for place, text in enumerate(captions)}
    with Outputs(
        *(Path(out), "texts", tower, dtype),
        lambda item: places.get(item.id, -1),
        layout=layout,
    ) as outputs:
        waiting = [text for text in captions if text.id not in outputs.done_ids]
        step = _texts_at_once(tower)
        for first in range(0, len(waiting), step):
            batch = waiting[first : first + step]
            rows = tower.encode_texts([text.text for text in batch])
            for text, own in zip(batch, rows, strict=True):
                outputs.append(text, own)
            on_progress(EncodeStep(first + len(batch), len(waiting), 0))
    skipped = tuple(text.id for text in captions if text.id in outputs.done_ids)
    return EncodeReport(outputs.items, skipped, (), outputs.deliver())


def _texts_at_once(tower: TowerReadings) -> int:
    """Take fewer where many layers keep a row for every token: all are in memory for a moment."""
    unpooled = sum(
        reading.pooling != "none" or reading.readout.pooling == "none" for reading in tower.readings
    )
    return max(16, _TEXTS_AT_ONCE // max(unpooled, 1))


def _named(entries: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Name each input: by its stem, or by the path below its root where stems collide."""
    stems = Counter(entry.path.stem for entry in entries)
    for entry in entries:
        if stems[entry.path.stem] == 1:
            name = entry.path.stem
        else:
            name = os.path.relpath(entry.path, entry.root)
        # Ids are text: undecodable bytes of a name become escapes.
        yield display_path(name), entry


def _video(item_id: str) -> str:
    """Name the video of a clip that was cut: `_item` without `@START-END`."""
    return item_id.rpartition("@")[0]


def _item(name: str, span: Span, whole: bool) -> str:
    return name if whole else f"{name}@{span.start:.3f}-{span.end:.3f}"

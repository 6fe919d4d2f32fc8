"""Videos or captions into stores of embeddings, pooled and unpooled from one pass."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from moviola.core import Clip, Encoder, Readout, Space, Span, Text, display_path, wanted_sound
from moviola.core.pooling import POOLINGS
from moviola.library import FailedFile, UnreadableEntry, scan
from moviola.pipeline.streaming import encode_stream
from moviola.plugins import load_encoder
from moviola.store import StoreWriter, is_store, replace_store_by_npy
from moviola.video import VIDEO_SUFFIXES, DecodePool, ReadRequest, parse_segmenter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Layout = Literal["store", "npy"]
_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class EncodeReport:
    """What was written.

    Attributes:
        items: clips or captions in each store.
        failures: files that could not be used.
        written: the stores, or folders of `.npy` files, one for each pooling.
    """

    items: int
    failures: tuple[FailedFile, ...]
    written: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class EncodeStep:
    """How far a run has come: videos finished, of how many, and how many of them failed."""

    done: int
    total: int
    failed: int


def encode_videos(
    paths: Sequence[Path | str],
    *,
    out: Path | str,
    model: str,
    segment: str = "whole",
    poolings: Sequence[str] = (),
    layout: Layout = "store",
    on_progress: Callable[[EncodeStep], Any] = lambda _: None,
) -> EncodeReport:
    """Encode videos into stores. Decodes every video once, whatever is asked for.

    An item is called by its file's name without suffix (by its path below the named folder where
    two share a name), with `@START-END` in seconds where the video was cut.

    Args:
        paths: folders of videos, or files.
        out: the folder to write; with several poolings, one folder for each lies in it.
        model: the encoder's name.
        segment: how videos are cut.
        poolings: names of poolings, `"none"` for all rows; empty reads the model as it comes.
        layout: `"store"`, or `"npy"` for one file an item.
        on_progress: called after every video.

    Raises:
        FileExistsError: when `out` holds finished embeddings already.
        SpaceMismatchError: when an interrupted run wrote with another model or readout.
        ValueError: when a pooling or policy does not exist, or the model pools by itself.
    """
    encoder = _encoder(model, poolings)
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
    with _Outputs(Path(out), "clips", encoder.space, encoder.video_readout, poolings) as outputs:
        waiting = [name for name in files if name not in outputs.done_ids]
        sampler, sound = encoder.sampler, wanted_sound(encoder)
        requests = (ReadRequest(name, files[name], segmenter, sampler, sound) for name in waiting)
        with DecodePool() as pool:
            for count, video in enumerate(encode_stream(pool, requests, encoder), start=1):
                name, code = str(video.done.key), video.done.code
                if code.is_failure:
                    failures.append(FailedFile(files[name], code, video.done.message))
                else:
                    whole = segmenter.spec == "whole"
                    for span, rows in zip(video.spans, video.rows, strict=True):
                        outputs.append(Clip(_item(name, span, whole), files[name], span), rows)
                on_progress(EncodeStep(count, len(waiting), len(failures)))
    return EncodeReport(outputs.items, tuple(failures), outputs.deliver(layout))


def encode_captions(
    captions: Sequence[Text],
    *,
    out: Path | str,
    model: str,
    poolings: Sequence[str] = (),
    layout: Layout = "store",
) -> EncodeReport:
    """Encode captions into stores, as `encode_videos` does with videos.

    Raises:
        FileExistsError: when `out` holds finished embeddings already.
        SpaceMismatchError: when an interrupted run wrote with another model or readout.
        ValueError: when a pooling does not exist, or the model pools by itself.
    """
    encoder = _encoder(model, poolings)
    with _Outputs(Path(out), "texts", encoder.space, encoder.text_readout, poolings) as outputs:
        waiting = [text for text in captions if text.id not in outputs.done_ids]
        for first in range(0, len(waiting), _TEXTS_AT_ONCE):
            batch = waiting[first : first + _TEXTS_AT_ONCE]
            rows = encoder.encode_texts([text.text for text in batch])
            for text, own in zip(batch, rows, strict=True):
                outputs.append(text, own)
    return EncodeReport(outputs.items, (), outputs.deliver(layout))


def _encoder(model: str, poolings: Sequence[str]) -> Encoder:
    """The model as it comes, or with all its rows where poolings are ours to apply."""
    unknown = set(poolings) - {"none", *POOLINGS}
    if unknown:
        names = ", ".join(("none", *POOLINGS))
        raise ValueError(f"no pooling is called {min(unknown)!r}; there are {names}")
    if not poolings:
        return load_encoder(model)
    try:
        return load_encoder(model, pooling="none")
    except TypeError as error:
        raise ValueError(
            f"the model {model!r} pools by itself and gives no rows to pool; leave --pool out"
        ) from error


def _named(entries: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Each input with its name: the stem, or the path below its root where stems collide."""
    stems = Counter(entry.path.stem for entry in entries)
    for entry in entries:
        if stems[entry.path.stem] == 1:
            name = entry.path.stem
        else:
            name = os.path.relpath(entry.path, entry.root)
        # Ids are text: undecodable bytes of a name become escapes.
        yield display_path(name), entry


def _item(name: str, span: Span, whole: bool) -> str:
    return name if whole else f"{name}@{span.start:.3f}-{span.end:.3f}"


class _Outputs:
    """The stores of one run, one for each pooling; every item goes to all of them."""

    def __init__(
        self,
        out: Path,
        kind: Literal["clips", "texts"],
        space: Space,
        readout: Readout,
        poolings: Sequence[str],
    ) -> None:
        poolings = tuple(dict.fromkeys(poolings)) or (readout.pooling,)
        self._folders = [out] if len(poolings) == 1 else [out / pooling for pooling in poolings]
        pairs = list(zip(self._folders, poolings, strict=True))
        # Stores are finished one after the other once all have everything, so a kill in between
        # leaves some that need nothing more.
        waiting = [(folder, pooling) for folder, pooling in pairs if not is_store(folder)]
        if not waiting:
            raise FileExistsError(
                f"{display_path(out)} holds finished embeddings; choose another --out or delete it"
            )
        self._sinks = [
            (
                POOLINGS.get(pooling) if readout.pooling == "none" else None,
                StoreWriter(
                    folder, kind=kind, space=space, readout=replace(readout, pooling=pooling)
                ),
            )
            for folder, pooling in waiting
        ]
        # An item counts as done when every store has it; a kill may have left them unequal.
        self.done_ids = frozenset.intersection(
            *(frozenset(sink.done_ids) for _, sink in self._sinks)
        )

    @property
    def items(self) -> int:
        """Items in each store."""
        return min(len(sink.done_ids) for _, sink in self._sinks)

    def append(self, item: Clip | Text, rows: NDArray[np.float32]) -> None:
        """Add one item's rows to every store that does not have it yet."""
        for pooling, sink in self._sinks:
            if item.id not in sink.done_ids:
                sink.append(item, rows if pooling is None else pooling(rows)[None])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        del error
        for _, sink in self._sinks:
            # Without an error the run is whole; with one, what there is stays for the next run.
            if kind is None:
                sink.finish()
            else:
                sink.release()

    def deliver(self, layout: Layout) -> tuple[Path, ...]:
        """The finished stores, turned into one `.npy` an item where that layout was asked for."""
        if layout == "npy":
            for folder in self._folders:
                replace_store_by_npy(folder)
        return tuple(self._folders)

"""Open or make the library of an index run, with the encoder and the policy that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from moviola.core import (
    Encoder,
    Precision,
    Readout,
    Segmenter,
    Space,
    StorageError,
    display_path,
    own_calibration,
    own_sharpness,
    told_precision,
)
from moviola.library import (
    CACHE,
    HEAD_NAME,
    NO_MODEL,
    Library,
    LibraryCard,
    WriterLock,
    writer_lock,
)
from moviola.library.storage.places import make_place, remove_empty_place
from moviola.pipeline.index.clip_rows import name_with_rows, require_cosine
from moviola.pipeline.models import DEFAULT_MODEL, instructed_name
from moviola.pipeline.search.aligned_encoder import AlignedEncoder, head_of, load_aligned
from moviola.plugins import settled_name
from moviola.video import parse_segmenter

DEFAULT_SEGMENT = "windows:6/3"
Loader = Callable[[str, str | Path | None, Precision | None], Encoder]
"""Load an encoder by its name, the folder or id of its head, and its precision."""


@contextmanager
def locked_library(place: Path) -> Iterator[tuple[Library | None, WriterLock]]:
    """Lock the library at `place`, made or not, before anything costly is done.

    Yields:
        The library, None where it is still to be made, and the lock.

    Raises:
        LibraryLockedError: at once, when another process writes.
        StorageError: when it cannot be written.
        StoreCorruptError: when it is damaged.
    """
    existing = _opened(place)
    is_new = existing is None and not place.exists()
    if existing is None:
        make_place(place)
    elif (place / CACHE).exists() and not (place / CACHE).is_dir():
        raise StorageError(
            f"{display_path(place / CACHE)} is a file where the library keeps its folder of "
            "pictures; move it away"
        )
    try:
        with writer_lock(place) as held:
            # Whoever held it before may have made the library meanwhile.
            yield existing or _opened(place), held
    except BaseException:
        if is_new:
            remove_empty_place(place)
        raise


def prepare(
    place: Path,
    existing: Library | None,
    held: WriterLock,
    *,
    model: str | None,
    segment: str | None,
    head: Path | str | None,
    precision: Precision | None,
    instructions: tuple[str | None, str | None] = (None, None),
    load: Loader = load_aligned,
    rows: str | None = None,
) -> tuple[Library, Encoder | None, Segmenter]:
    """Load the encoder and the policy of a library, and make the library where there is none.

    The encoder is None for a library without vectors.

    Raises:
        SpaceMismatchError: when the library was made by another model or policy.
        PluginNotFoundError: when there is no such model.
        WeightsUnavailableError: when its weights are neither here nor to be had.
        ValueError: when `segment` is no policy, or rows are to be kept of a model whose metric is
            `dot`.
    """
    card = existing.card if existing else None
    name = instructed_name(model or (card.model if card else DEFAULT_MODEL), *instructions)
    segmenter = parse_segmenter(segment or (card.segment if card else DEFAULT_SEGMENT))
    if name == NO_MODEL:
        return _prepare_unseen(place, existing, held, segmenter, head), None, segmenter
    kept = rows or (card.rows if card else "")
    name, encoder = load_model(name, kept, head or head_of(place), precision, load)
    if existing is None:
        # The head before the card, with which a library begins to be one.
        if isinstance(encoder, AlignedEncoder):
            encoder.head.save_pretrained(place / HEAD_NAME)
        existing = Library.create(place, _card(name, encoder, segmenter, kept), held)
    existing.require(
        space=encoder.space,
        video_readout=encoder.video_readout,
        text_readout=encoder.text_readout,
        segment=segmenter.spec,
        rows=rows,
    )
    return existing, encoder, segmenter


def load_model(
    name: str, rows: str, head: Path | str | None, precision: Precision | None, load: Loader
) -> tuple[str, Encoder]:
    """Load an encoder that keeps `rows`, `""` for none; return it under the name that says so.

    Raises:
        PluginNotFoundError: when there is no such model.
        WeightsUnavailableError: when its weights are neither here nor to be had.
        ValueError: when it keeps no such rows, or its metric is `dot`.
    """
    if rows:
        name = name_with_rows(name, rows, head=head)
    encoder = load(name, head, precision)
    if rows:
        require_cosine(encoder.space)
    return name, encoder


def unseen_space() -> tuple[Space, Readout]:
    """Make the space and the readout of a library that no model looks at."""
    return Space(NO_MODEL, "", "", 1), Readout("")


def _prepare_unseen(
    place: Path,
    existing: Library | None,
    held: WriterLock,
    segmenter: Segmenter,
    head: Path | str | None,
) -> Library:
    """Open or make a library of what is said, written and named, which no model looks at."""
    if head is not None:
        raise ValueError("--head belongs to the vectors of a model, and --model none has none")
    space, readout = unseen_space()
    library = existing or Library.create(
        place, LibraryCard(NO_MODEL, space, readout, readout, segmenter.spec), held
    )
    library.require(space=space)
    return library


def _opened(place: Path) -> Library | None:
    try:
        return Library.open(place)
    except FileNotFoundError:
        return None


def _card(name: str, encoder: Encoder, segmenter: Segmenter, rows: str) -> LibraryCard:
    # Both were measured on one vector a clip.
    calibration = None if rows else own_calibration(encoder)
    return LibraryCard(
        model=settled_name(name, encoder.space.revision),
        space=encoder.space,
        video_readout=encoder.video_readout,
        text_readout=encoder.text_readout,
        segment=segmenter.spec,
        calibration=(calibration.slope, calibration.intercept) if calibration else None,
        precision=told_precision(encoder, "clips") or "",
        sharpness=0.0 if rows else own_sharpness(encoder),
        rows=rows,
    )

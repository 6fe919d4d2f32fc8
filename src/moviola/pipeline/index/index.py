"""Index folders of videos: scan, plan, decode, encode, commit."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Container, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from moviola.core import Precision, display_path, told_precision
from moviola.core.paths import library_path
from moviola.library import Library, is_gone, scan
from moviola.library.storage.card import CARD_NAME
from moviola.pipeline.bench.estimating import estimate_seconds
from moviola.pipeline.index.channel_run import ChannelRun
from moviola.pipeline.index.opening import Loader, locked_library, prepare
from moviola.pipeline.index.report import IndexReport, IndexStep
from moviola.pipeline.index.run import IndexRun, known_inputs
from moviola.pipeline.media.removing import drop_pictures
from moviola.pipeline.passages.adding import Estimate, estimate, find_outdated
from moviola.pipeline.passages.channels import choose_channels
from moviola.pipeline.passages.table import read_passage_table
from moviola.pipeline.search.aligned_encoder import load_aligned
from moviola.pipeline.search.text_model import embed_passages, load_text_model
from moviola.retrieve.calibration.judges import prepare_judging
from moviola.video import VIDEO_SUFFIXES, DecodePool, Limits, require_decoders

_NOTHING_KNOWN = (
    "there is nothing to index: name a folder, such as moviola index ~/Videos; it may be left out "
    "once a library knows its folders"
)


def index(
    paths: Path | str | Sequence[Path | str] = (),
    *,
    library: Path | str | None = None,
    model: str | None = None,
    segment: str | None = None,
    head: Path | str | None = None,
    rows: str | None = None,
    retry: bool = False,
    rehash: bool = False,
    only: Collection[Path] | None = None,
    query_instruction: str | None = None,
    document_instruction: str | None = None,
    precision: Precision | None = None,
    workers: int | None = None,
    extra_codecs: tuple[str, ...] = (),
    later: Container[Path] = (),
    load: Loader = load_aligned,
    channels: Sequence[str] = (),
    without_channels: Sequence[str] = (),
    passages: Path | str | None = None,
    text_model: str | None = None,
    on_progress: Callable[[IndexStep], Any] = lambda _: None,
    on_estimate: Callable[[Estimate], Any] = lambda _: None,
) -> IndexReport:
    """Bring a library up to date with folders of videos.

    Unchanged files are not read, moved ones are recognised by content, deleted ones are marked.
    Every batch is committed as it is made, so that a run may be cut short at any time. A path that
    is not there is a failed input, and keeps none of the others from being indexed.

    Args:
        paths: folders of videos, or files, or one of either; `~` is the user's home. None at all
            means the folders and files that the library knows.
        library: the library's folder, made if it is not there; None means the one in the user's
            data folder.
        model: the encoder's name; None takes the library's own, or `DEFAULT_MODEL` for a new
            one; `none` makes a library of what is said, written and named alone.
        segment: how videos are cut; None takes the library's own, or `windows:6/3`.
        head: folder or hub id of a head that a new library's vectors shall go through; it is kept
            in the library. None takes the library's own, where it has one.
        rows: pooling of the rows that each clip of a new library keeps for late interaction, such
            as `hierarchical-32`, `"none"` for all of them; None takes the library's own, or one
            vector a clip for a new one.
        retry: also try what failed before.
        rehash: read every file whole, whatever its size and times say.
        only: the files to look at, of all that are found; None for all.
        query_instruction: what a model that takes instructions is told of texts.
        document_instruction: what such a model is told of videos.
        precision: that the model computes in; None takes that of the device.
        workers: decoding processes; None decides by the number of cores.
        extra_codecs: names of FFmpeg decoders to allow beyond the built-in list; the library
            remembers them, so that videos that needed them are shown too.
        later: files that are left alone in this run, such as those that still grow; absolute.
        load: loads an encoder by its name, head and precision. Who indexes often keeps what it
            loaded.
        channels: what to read besides looking, such as `writing` and `speech`; `subtitles`,
            `names` and the channels of earlier runs are read anyway.
        without_channels: those that are not read, in later runs neither.
        passages: a table (CSV, JSONL or Parquet) of passages with `video`, `start`, `end`, `text`
            and, where rows name one, `channel`; videos are named by paths or names of files.
        text_model: a model of sentence-transformers, by its id on the hub or its folder, that
            compares passages by their meaning; the library remembers it, and None takes that.
        on_progress: called after every video.
        on_estimate: called with what it takes to read channels of videos that are there, before
            the first of them is read.

    Raises:
        FileNotFoundError: when not one of `paths` is there.
        SpaceMismatchError: when the library was made by another model or policy.
        LibraryLockedError: when another process is writing to it; nothing is loaded before.
        StorageError: when it cannot be written; nothing is decoded before that is known.
        PluginNotFoundError: when there is no such model.
        WeightsUnavailableError: when its weights are neither here nor to be had.
        ValueError: when `segment` is no policy, FFmpeg has no decoder of a name, or there is
            nothing that could be indexed.
    """
    require_decoders(extra_codecs)
    if text_model is not None:
        load_text_model(text_model)
    named, place = _named(paths), library_path(None if library is None else Path(library))
    if named and all(is_gone(path) for path in named):
        raise FileNotFoundError(
            f"there is nothing at {display_path(named[0])}; name a folder or a video file"
        )
    if not named and not (place / CARD_NAME).exists():
        raise ValueError(_NOTHING_KNOWN)
    with locked_library(place) as (existing, held):
        named, warnings = (named, []) if named or existing is None else _known_roots(existing)
        # Before anything costly: a channel that is missing is told at once.
        chosen = choose_channels(
            None if existing is None else existing.card, channels, without_channels
        )
        table = None if passages is None else read_passage_table(Path(passages), chosen.names)
        opened, encoder, segmenter = prepare(
            place,
            existing,
            held,
            model=model,
            segment=segment,
            head=head,
            precision=precision,
            instructions=(query_instruction, document_instruction),
            load=load,
            rows=rows,
        )
        with opened.writer(held=held) as writer:
            # What failed for want of a codec may be read now.
            news = set(extra_codecs) - set(opened.card.codecs)
            opened.record_codecs(extra_codecs)
            opened.record_channels([*chosen.known, *(table.known if table else ())])
            found = (
                each
                for each in scan(named, VIDEO_SUFFIXES)
                if each.path not in later and (only is None or each.path in only)
            )
            plan = writer.plan(found, retry=retry or bool(news), rehash=rehash)
            if plan.decode and encoder is not None:
                opened.record_precision(told_precision(encoder, "clips") or "")
            reader = ChannelRun(chosen)
            run = IndexRun(*(opened.path, writer, plan, reader, on_progress), rows=opened.card.rows)
            with DecodePool(workers, Limits(extra_codecs=opened.card.codecs)) as pool:
                if encoder is not None:
                    seconds = estimate_seconds(pool, plan.decode, opened.card.model)
                    if seconds is not None:
                        on_progress(IndexStep(0, len(plan.decode), 0, len(plan.failed), seconds))
                run.index(pool, encoder, segmenter)
                run.digest_large()
                known = writer.records_at(known_inputs(plan))
                jobs = find_outdated(known, chosen, retry=retry)
                if jobs:
                    on_estimate(estimate(jobs))
                reader.add(
                    jobs,
                    pool,
                    writer,
                    lambda done: on_progress(IndexStep(done, len(jobs), 0, 0, channels=True)),
                )
            if table is not None:
                warnings += reader.take_table(table, writer)
        drop_pictures(place, writer.removed)
    opened.refresh()
    embed_passages(opened, text_model)
    if encoder is not None:
        prepare_judging(opened, encoder)
    report = run.report(opened)
    return replace(report, warnings=(*warnings, *chosen.warnings, *report.warnings))


def _named(paths: Path | str | Sequence[Path | str]) -> list[Path]:
    """Make paths of what the caller named, one or several; `~` is the user's home."""
    several = [paths] if isinstance(paths, (str, Path)) else paths
    return [_without_tilde(Path(path)) for path in several]


def _without_tilde(path: Path) -> Path:
    with suppress(RuntimeError):  # the home of somebody who is not known here: a name like others
        return path.expanduser()
    return path


def _known_roots(library: Library) -> tuple[list[Path], list[str]]:
    """List what the library was indexed from, and sentences about what of it is not there."""
    roots = library.roots()
    present = [root for root in roots if not is_gone(root)]
    if not roots:
        raise ValueError(_NOTHING_KNOWN)
    return present, [
        f"{display_path(root)} is not there, so nothing in it was touched; connect its disk, or "
        f"take its videos out with: moviola forget {shlex.quote(display_path(root))}"
        for root in roots
        if root not in present
    ]

"""List the models there are, name the default, and fetch one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moviola.core import Reported, Source, Space, WeightsNotFoundError
from moviola.pipeline.bench.record import Bench
from moviola.plugins import (
    PluginInfo,
    describe_encoder,
    encoder_names,
    encoder_options,
    families,
    find_checkpoint,
    find_known,
    join_options,
    known_models,
    split_options,
)

if TYPE_CHECKING:
    from moviola.encode.runtime.hub import Checkpoint

DEFAULT_MODEL = "videoprism-base"
"""For real videos, where no model is named: of those that a laptop's CPU can run, the one with the
best reported zero-shot text-to-video accuracy (R@1 50.1 on MSR-VTT 1k-A, as its authors report)."""


SHAPES = "moviola/shapes"
"""Names the model of the encoder in the package, as its spaces do."""

_BYTES = 4


@dataclass(frozen=True, slots=True)
class ListedModel:
    """The entry of one encoder in `moviola models`.

    Attributes:
        info: its name, where it comes from, its dimension, what it is.
        parameters: how many numbers its weights are; None where it does not say.
        licence: of the weights; `""` where it does not say.
        repositories: where the weights are on the hub; none for what ships with its package.
        reported: figures that others published.
        is_default: whether it is taken where no model is named.
        seconds: that it takes on this machine for a minute of video in windows of 6 s every 3 s,
            where `moviola doctor --bench` measured it.
    """

    info: PluginInfo
    parameters: int | None = None
    licence: str = ""
    repositories: tuple[str, ...] = ()
    reported: tuple[Reported, ...] = ()
    is_default: bool = False
    seconds: float | None = None


def list_models() -> list[ListedModel]:
    """List every encoder and every checkpoint that has a name, sorted. Imports no framework."""
    known, bench = known_models(), Bench.stored()
    measured = {} if bench is None else bench.models
    listed: list[ListedModel] = []
    for name in sorted({*encoder_names(), *known}):
        info, default = describe_encoder(name), name == DEFAULT_MODEL
        if name not in known:
            listed.append(ListedModel(info, is_default=default, seconds=measured.get(name)))
            continue
        card = known[name][1]
        places = tuple(source.repository for source in card.sources)
        listed.append(
            ListedModel(
                *(info, card.parameters, card.licence, places, card.reported, default),
                seconds=measured.get(name),
            )
        )
    return listed


def tell_narrow_world(space: Space) -> str | None:
    """Say that the model of `space` knows a generated world alone; None where it knows more."""
    if space.model != SHAPES:
        return None
    return (
        "the model of this library, shapes, knows only its generated world of coloured shapes: "
        "whatever else is asked or indexed, it finds by chance"
    )


def instructed_name(name: str, query: str | None, document: str | None) -> str:
    """Add instructions to the name of a model, as options that it is remembered by.

    Args:
        name: as `load_encoder` takes it; what it says already is replaced.
        query: what the model is told of texts; None says nothing.
        document: what it is told of clips; None says nothing.

    Raises:
        PluginNotFoundError: when there is no such encoder.
        ValueError: when the model takes no such instruction.
    """
    given = {"query_instruction": query, "document_instruction": document}
    told = {word: text for word, text in given.items() if text is not None}
    if not told:
        return name
    if missing := sorted(told.keys() - encoder_options(name)):
        option = missing[0].replace("_", "-")
        raise ValueError(f"the model {name!r} takes no such instruction; leave --{option} out")
    bare, options = split_options(name)
    return join_options(bare, options | told)


def wanted_sources(name: str) -> list[Source]:
    """List what is fetched of a model: from where, how much, and under which licences.

    Args:
        name: a known checkpoint, or `FAMILY:ID`; either may end in `@REVISION`.

    Raises:
        ValueError: when nothing of that name is fetched from anywhere.
    """
    bare, _ = split_options(name)
    if (checkpoint := find_checkpoint(bare)) is None:
        names = ", ".join(sorted(known_models()))
        raise ValueError(f"{name!r} has no weights to fetch; these have: {names}, and FAMILY:ID")
    usual = families()[checkpoint.family].patterns
    if (found := find_known(bare)) is None:
        return [Source(checkpoint.model, usual, checkpoint.revision)]
    card = found[0]
    first, *others = card.sources
    size = card.parameters * _BYTES / 1e9 if not others else None
    return [
        replace(
            source,
            patterns=source.patterns or usual,
            gigabytes=source.gigabytes or size,
            licence=source.licence or card.licence,
        )
        for source in (replace(first, revision=checkpoint.revision), *others)
    ]


def pull(sources: Iterable[Source]) -> Iterator[Checkpoint]:
    """Fetch files into the cache, and the newest of a branch that is not pinned.

    What the hub does not give is fetched from its second source, where it has one; the checkpoint
    then names that one.

    Raises:
        WeightsUnavailableError: when the hub cannot be reached, or has no such model.
    """
    for source in sources:
        try:
            yield _fetch(source)
        except WeightsNotFoundError as error:
            if source.mirror is None:
                raise
            mirror = replace(source.mirror, patterns=source.mirror.patterns or source.patterns)
            try:
                yield _fetch(mirror)
            except WeightsNotFoundError:
                raise error from None


def _fetch(source: Source) -> Checkpoint:
    from moviola.encode.runtime.hub import MODEL_FILES, fetch, fetch_tensors

    if source.tensors:
        return fetch_tensors(source.repository, source.tensors, source.revision, refresh=True)
    patterns = source.patterns or MODEL_FILES
    return fetch(source.repository, patterns, source.revision, refresh=True)

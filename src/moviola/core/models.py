"""Checkpoints that are known by name, and the families that load any other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Files of a repository on the Hugging Face hub that a model needs.

    Attributes:
        repository: its id, such as `openai/clip-vit-base-patch32`.
        patterns: names of the files, with `*`; empty for what its family's models need.
        revision: a commit, branch or tag; None for the main branch, whose exact commit is
            recorded when the model is loaded.
        tensors: beginnings of names; of a sharded checkpoint only the shards that hold such a
            tensor are fetched, in place of `patterns`.
        gigabytes: about how much is fetched; None where the number of weights tells.
        licence: of these files, where it is not the model's.
        mirror: a second source of the same model, for when the hub does not give the first. It is
            under another name, so its vectors are of another space.
    """

    repository: str
    patterns: tuple[str, ...] = ()
    revision: str | None = None
    tensors: tuple[str, ...] = ()
    gigabytes: float | None = None
    licence: str = ""
    mirror: Source | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """A figure that others published. Not measured here.

    Attributes:
        measure: what was measured on what, such as `MSR-VTT 1k-A t2v R@1`.
        value: the figure.
        source: who says so, and where.
    """

    measure: str
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A checkpoint with a name of its own.

    Attributes:
        name: as `--model` takes it.
        sources: where its files are; the first is the one that its loader is given.
        dimension: length of its vectors.
        parameters: how many numbers its weights are.
        licence: of the weights, as their publisher states it.
        summary: one line on what it is.
        reported: published figures.
    """

    name: str
    sources: tuple[Source, ...]
    dimension: int
    parameters: int
    licence: str
    summary: str
    reported: tuple[Reported, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """Models of one architecture. Making one imports nothing.

    Attributes:
        loader: `module:attribute` of a function `(model, revision=None, **options)` that returns
            an encoder, where `model` is an id on the hub or a folder; `""` for a family that only
            scores.
        summary: one line on what it loads.
        models: the checkpoints that are known by name.
        patterns: names of the files that a checkpoint of it needs, with `*`; empty for what a
            transformers checkpoint needs.
        scorer: as `loader`, of a function that returns a `PairScorer`; `""` for a family that
            only encodes.
        types: every `model_type` that `config.json` of such a checkpoint may tell.
    """

    loader: str
    summary: str
    models: tuple[KnownModel, ...] = ()
    patterns: tuple[str, ...] = ()
    scorer: str = ""
    types: tuple[str, ...] = ()

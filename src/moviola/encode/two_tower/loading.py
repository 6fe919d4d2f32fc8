"""Load a two-tower model with all that belongs to it: a checkpoint, or an adapter of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moviola.core.spaces import Space
from moviola.encode.runtime.adapter import is_adapter, merge_adapter, read_adapter
from moviola.encode.runtime.hub import LOCAL, fetch
from moviola.encode.runtime.loading import checkpoint_digest, load_strictly
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.runtime.tokenizers import load_tokenizer
from moviola.encode.two_tower.kinds import Kind, find_kind


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """Hold the parts of a two-tower model.

    Attributes:
        model: of transformers, in float32 and evaluation mode, without gradients.
        kind: the settings of its architecture.
        tokenizer: of the checkpoint.
        preprocessing: the steps from frames to pixel values.
        space: of its vectors.
        folder: where the checkpoint's files lie; of an adapter, those of the model below it.
    """

    model: Any
    kind: Kind
    tokenizer: Any
    preprocessing: Preprocessing
    space: Space
    folder: Path


def load_model(model: str, revision: str | None = None) -> LoadedModel:
    """Load a checkpoint from the hub or a folder, or an adapter from a folder.

    Args:
        model: an id on the hub, or a folder.
        revision: a commit, branch or tag.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when the checkpoint is of another kind.
    """
    if (adapted := load_adapted(model, load_model)) is not None:
        return adapted
    import transformers

    checkpoint = fetch(model, revision=revision)
    kind = find_kind(checkpoint.folder)
    loaded: Any = load_strictly(getattr(transformers, kind.model), checkpoint.folder)
    space = Space(
        model=checkpoint.model,
        revision=checkpoint.revision,
        weights=checkpoint_digest(checkpoint.folder),
        dimension=_dimension(loaded.config),
    )
    return LoadedModel(
        loaded,
        kind,
        load_tokenizer(checkpoint.folder),
        Preprocessing.from_folder(checkpoint.folder, kind.processor),
        space,
        checkpoint.folder,
    )


def load_adapted(
    model: str, load_below: Callable[[str, str | None], LoadedModel]
) -> LoadedModel | None:
    """Load the model below an adapter, and merge the adapter into it; None for no adapter.

    Its space is told by both: the digest of the model below it, and that of its own weights.

    Args:
        model: an id on the hub, or a folder.
        load_below: loads the model that an adapter names, by id or folder and revision.

    Raises:
        WeightsUnavailableError: when weights are neither here nor to be had, or do not fit.
    """
    if not is_adapter(folder := Path(model).expanduser()):
        return None
    adapter = read_adapter(folder)
    below = load_below(adapter.base, adapter.revision)
    digest = merge_adapter(below.model, adapter, below.space.weights)
    space = replace(below.space, model=folder.resolve().name, revision=LOCAL, weights=digest)
    return replace(below, space=space)


def _dimension(config: Any) -> int:
    """Return the length of a vector; SigLIP has no projection, and its towers end in it."""
    projected = getattr(config, "projection_dim", None)
    return int(projected or config.vision_config.hidden_size)

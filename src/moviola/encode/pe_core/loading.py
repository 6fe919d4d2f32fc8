"""Load PE-Core from OpenCLIP's layout: strictly, and from safetensors alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from moviola.core.abilities import Precision
from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.core.spaces import Space
from moviola.encode.pe_core.checkpoints import CONFIG, FAMILY, WEIGHTS
from moviola.encode.pe_core.model import PeCore, TextSizes, own_names
from moviola.encode.perception.vision import PeVisionConfig
from moviola.encode.runtime.config_files import read_config
from moviola.encode.runtime.hub import fetch
from moviola.encode.runtime.loading import COMPUTED_WITH, DAMAGES, weights_digest
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.runtime.tokenizers import load_tokenizer
from moviola.encode.two_tower.encoder import Pooling, Recipe, TwoTowerEncoder, find_sampler
from moviola.encode.two_tower.kinds import Kind
from moviola.encode.two_tower.loading import LoadedModel, load_adapted

_IGNORED = "logit_bias"
"""A weight by which scores are moved; a cosine needs none."""
_RESAMPLE = {"bilinear": 2, "bicubic": 3}
_TEXT = ("context_length", "vocab_size", "width", "heads", "layers")


def load(
    model: str,
    revision: str | None = None,
    *,
    frames: int = 8,
    recipe: Recipe = "uniform",
    rate: int | str = 2,
    pooling: Pooling = "mean",
    precision: Precision | None = None,
) -> TwoTowerEncoder:
    """Load PE-Core from the hub or a folder.

    Args:
        model: an id such as `timm/PE-Core-B-16`, or a folder: in OpenCLIP's layout, or an adapter,
            such as `moviola finetune` writes.
        revision: a commit, branch or tag.
        frames: how many of a clip are looked at; its authors take 8.
        recipe: `"uniform"`, `"mteb"` or `"grid"`, as the two-tower models have them.
        rate: frames a second of the grid.
        pooling: `"mean"` for one row a clip, `"none"` for one a frame.
        precision: `"float32"` or `"bfloat16"`; None for that of the device.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when an option has no such value, or the checkpoint is of another kind.
    """
    sampler = find_sampler(recipe, frames, rate)
    return TwoTowerEncoder(
        load_model(model, revision), sampler=sampler, pooling=pooling, precision=precision
    )


def load_model(model: str, revision: str | None = None) -> LoadedModel:
    """Load both towers from the hub or a folder, or an adapter of them from a folder.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when the checkpoint is of another kind.
    """
    if (adapted := load_adapted(model, load_model)) is not None:
        return adapted
    found = fetch(model, FAMILY.patterns, revision)
    return _loaded(found.folder, found.model, found.revision)


def _loaded(folder: Path, model: str, revision: str) -> LoadedModel:
    config = read_config(folder / CONFIG)
    try:
        vision, text = _sizes(config["model_cfg"])
        preprocessing = _preprocessing(config.get("preprocess_cfg") or {}, vision.image)
    except (KeyError, TypeError) as error:
        raise WeightsUnavailableError(
            f"{display_path(folder / CONFIG)} describes no PE-Core ({error}); fetch it again"
        ) from error
    towers = _strictly(folder / WEIGHTS, vision, text)
    digested = [folder / WEIGHTS, folder / CONFIG, *(folder / name for name in COMPUTED_WITH)]
    space = Space(
        model=model,
        revision=revision,
        weights=weights_digest(path for path in digested if path.is_file()),
        dimension=vision.labels,
    )
    kind = Kind("PeCore", {}, "longest", text.context_length, masked=False)
    return LoadedModel(towers, kind, load_tokenizer(folder), preprocessing, space, folder)


def _sizes(config: Mapping[str, Any]) -> tuple[PeVisionConfig, TextSizes]:
    """Read the sizes of both towers from OpenCLIP's words.

    Raises:
        KeyError: when it does not say one.
        ValueError: when the towers are others.
    """
    seen, said = config["vision_cfg"], config["text_cfg"]
    vision = PeVisionConfig.from_timm(
        {
            "architecture": seen["timm_model_name"],
            "num_classes": config["embed_dim"],
            "model_args": seen.get("timm_model_kwargs"),
        }
    )
    if unknown := sorted(said.keys() - set(_TEXT)):
        raise ValueError(f"the text tower sets {unknown[0]}, which is not known here")
    return vision, TextSizes(**{name: int(said[name]) for name in _TEXT})


def _preprocessing(config: Mapping[str, Any], side: int) -> Preprocessing:
    """Read how frames are prepared: squashed by bilinear filters unless it says otherwise."""
    if (mode := config.get("resize_mode", "squash")) != "squash":
        raise ValueError(f"frames that are resized by {mode!r} instead of 'squash' are not known")
    return Preprocessing.from_config(
        {
            "size": {"height": side, "width": side},
            "resample": _RESAMPLE[config.get("interpolation", "bilinear")],
            "image_mean": config.get("mean", (0.5, 0.5, 0.5)),
            "image_std": config.get("std", (0.5, 0.5, 0.5)),
        }
    )


def _strictly(path: Path, vision: PeVisionConfig, text: TextSizes) -> PeCore:
    """Load both towers in float32 and evaluation mode, every weight from the file.

    Raises:
        WeightsUnavailableError: naming weights that are missing, left over or of another shape.
    """
    with torch.device("meta"):
        towers = PeCore(vision, text)
    try:
        tensors = own_names({name: tensor.float() for name, tensor in load_file(path).items()})
        tensors.pop(_IGNORED, None)
        towers.load_state_dict(tensors, strict=True, assign=True)
    except DAMAGES as error:
        why = " ".join(str(error).split())
        raise WeightsUnavailableError(
            f"{display_path(path)} is no checkpoint of PE-Core: {why:.300}; fetch it again"
        ) from error
    return towers.eval().requires_grad_(requires_grad=False)

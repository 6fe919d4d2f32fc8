"""Read a LoRA adapter (Hu et al., ICLR 2022) in the files of `peft`, and merge it into a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.runtime.config_files import read_config
from moviola.encode.runtime.loading import DAMAGES, weights_digest

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
CARD, BASE_DIGEST = "finetune.json", "base_digest"
"""The file, and in it the name, of the digest of the weights that an adapter was trained on."""
_PREFIX = "base_model.model."
_UNMERGED = (
    "use_dora",
    "use_rslora",
    "fan_in_fan_out",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "lora_bias",
)
"""Settings of `peft` by which an adapter is more than two matrices of one scale a layer."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """Hold a LoRA adapter as its files tell it.

    Attributes:
        folder: where it lies.
        base: the model that it changes: an id on the hub, or a folder.
        revision: of that model; None for the main branch.
        scale: factor of every change, `alpha / rank`.
        base_digest: of the weights that it was trained on; None where its file is silent.
    """

    folder: Path
    base: str
    revision: str | None
    scale: float
    base_digest: str | None


def is_adapter(folder: Path) -> bool:
    """Tell whether `folder` holds an adapter in place of a checkpoint."""
    return (folder / CONFIG).is_file()


def read_adapter(folder: Path) -> Adapter:
    """Read the configuration of an adapter.

    Raises:
        WeightsUnavailableError: when it is damaged, or asks for more than LoRA's two matrices.
    """
    config = read_config(folder / CONFIG)
    asked = [name for name in _UNMERGED if config.get(name)]
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none" or asked:
        what = ", ".join(asked) or f"{config.get('peft_type')}, bias {config.get('bias')}"
        raise WeightsUnavailableError(
            f"the adapter in {display_path(folder)} is no plain LoRA ({what}); merge it with peft "
            f"and name the folder of the merged model"
        )
    try:
        base, scale = str(config["base_model_name_or_path"]), config["lora_alpha"] / config["r"]
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise WeightsUnavailableError(
            f"{display_path(folder / CONFIG)} is damaged ({error}); copy it again"
        ) from error
    card = read_config(folder / CARD) if (folder / CARD).is_file() else {}
    return Adapter(folder, base, config.get("revision"), scale, card.get(BASE_DIGEST))


def merge_adapter(model: Any, adapter: Adapter, base_digest: str) -> str:
    """Add `scale * B @ A` to the weight `(out, in)` of every layer that the adapter names.

    Args:
        model: the model that the adapter was trained on; changed in place.
        adapter: what is merged.
        base_digest: of the model's weights.

    Returns:
        32 hexadecimal digits of the merged weights.

    Raises:
        WeightsUnavailableError: when the model is another one, or the matrices do not fit.
    """
    shown = display_path(adapter.folder)
    if adapter.base_digest not in (None, base_digest):
        raise WeightsUnavailableError(
            f"the adapter in {shown} was trained on other weights than {adapter.base} has now; "
            f"name the revision it was trained on in its {CONFIG}, or train it again"
        )
    path = adapter.folder / WEIGHTS
    try:
        tensors = load_file(path)
        with torch.no_grad():
            for name in sorted({key.rpartition(".lora_")[0] for key in tensors}):
                down = tensors.pop(f"{name}.lora_A.weight")
                up = tensors.pop(f"{name}.lora_B.weight")
                _add(model, name.removeprefix(_PREFIX), adapter.scale * (up @ down))
    except DAMAGES as error:
        raise WeightsUnavailableError(
            f"{display_path(path)} is no adapter of {adapter.base}: {error}; copy it again, or "
            f"train it again"
        ) from error
    if tensors:
        raise WeightsUnavailableError(f"{display_path(path)} has more than LoRA: {min(tensors)}")
    return weights_digest([path], start=f"{base_digest}:{adapter.scale!r}\n")


def _add(model: Any, name: str, change: Tensor) -> None:
    weight = model.get_submodule(name).weight
    if weight.shape != change.shape:
        raise ValueError(f"{name} is {tuple(weight.shape)} and its change {tuple(change.shape)}")
    weight += change.to(weight.dtype)

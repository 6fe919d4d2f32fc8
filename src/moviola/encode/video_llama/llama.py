"""The language model: any LLaMA of transformers, placed where there is room."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import LlamaConfig, LlamaForCausalLM

from moviola.core.errors import MissingExtraError, WeightsUnavailableError
from moviola.core.json_text import decode_json
from moviola.encode.video_llama.weights.keys import is_ignored


def load_llama(
    folder: Path,
    *,
    dtype: torch.dtype = torch.float32,
    device_map: str | Mapping[str, Any] | None = None,
    eight_bit: bool = False,
) -> LlamaForCausalLM:
    """Load the checkpoint in `folder`, in transformers' own layout.

    Args:
        folder: holds `config.json` and safetensors.
        dtype: of the weights.
        device_map: where the layers go, as in accelerate; `"auto"` fills the GPUs, then memory.
        eight_bit: quantised to 8 bits a weight (needs a GPU and bitsandbytes).

    Raises:
        WeightsUnavailableError: there is no such checkpoint, or a weight is missing or unknown.
        MissingExtraError: accelerate or bitsandbytes is needed and not installed.
    """
    options: dict[str, Any] = {"dtype": dtype}
    if device_map is not None:
        options["device_map"] = device_map
    if eight_bit:
        options["quantization_config"] = _eight_bits()
    try:
        loaded: Any = LlamaForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True, **options
        )
    except ImportError as error:
        if eight_bit:
            why = "8 bits a weight need a GPU and bitsandbytes: pip install bitsandbytes"
        else:
            why = "placing layers needs the extra `llama`: pip install 'moviola[llama]'"
        raise MissingExtraError(f"{why} ({str(error).strip().splitlines()[0]})") from error
    except (OSError, ValueError, SafetensorError) as error:
        raise WeightsUnavailableError(
            f"{folder} holds no LLaMA in safetensors: {str(error).splitlines()[0]}"
        ) from error
    model, told = loaded
    _refuse_misfits(folder, told)
    return model


def llama_config(folder: Path) -> dict[str, Any]:
    """Read the sizes of the checkpoint in `folder`.

    Raises:
        WeightsUnavailableError: it has no `config.json` of a LLaMA.
    """
    try:
        said = decode_json((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsUnavailableError(f"{folder} holds no config.json of a LLaMA") from error
    return LlamaConfig(**said).to_dict()


def _refuse_misfits(folder: Path, told: Mapping[str, Any]) -> None:
    unknown = [
        name
        for name in told["unexpected_keys"]
        if not is_ignored(f"llama_model.{name}", "llama", vision_layers=0)
    ]
    for what, names in (
        ("lacks", told["missing_keys"]),
        ("holds unknown", unknown),
        ("has other shapes of", told["mismatched_keys"]),
    ):
        if names:
            raise WeightsUnavailableError(f"{folder} {what} {sorted(map(str, names))[:3]}")


def _eight_bits() -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(load_in_8bit=True)

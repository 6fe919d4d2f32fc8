"""Put the matrices of LoRA (Hu et al., ICLR 2022) beside layers, and write them to a folder."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from moviola.core import MissingExtraError, Space
from moviola.core.json_text import decode_json
from moviola.encode.runtime.adapter import BASE_DIGEST, CARD, CONFIG
from moviola.encode.runtime.hub import LOCAL


def with_lora(model: Any, rank: int, alpha: int, targets: Sequence[str]) -> Any:
    """Put LoRA's matrices into a frozen model, in place, and return what peft wraps around it.

    Args:
        model: of transformers, or another module.
        rank: of the matrices.
        alpha: the change of a layer is scaled by `alpha / rank`.
        targets: ends of the names of the layers.

    Raises:
        MissingExtraError: when peft is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise MissingExtraError(
            'LoRA needs peft; install it with pip install "moviola[finetune]"'
        ) from error
    lora = LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(targets), lora_dropout=0.0)
    with warnings.catch_warnings():
        # peft asks transformers for a name that is on its way out.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(model, lora)


def write_folder(
    out: Path, space: Space, record: Mapping[str, Any], write: Callable[[Path], None]
) -> None:
    """Write a folder that appears when it is whole, and `finetune.json` in it.

    Args:
        out: the folder, which is not there yet.
        space: of the model that was trained.
        record: what `finetune.json` tells of the run.
        write: fills the folder.
    """
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write(partial)
    card = {BASE_DIGEST: space.weights, **record}
    (partial / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    partial.rename(out)


def save_lora(folder: Path, wrapped: Any, base: str, space: Space) -> None:
    """Write the matrices that `with_lora` made, and which model they belong to.

    Args:
        folder: is there.
        wrapped: what `with_lora` returned.
        base: the model below, an id on the hub or a folder.
        space: of that model.
    """
    wrapped.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    told = decode_json((folder / CONFIG).read_text(encoding="utf-8"))
    local = space.revision == LOCAL
    told["base_model_name_or_path"] = str(Path(base).expanduser().absolute()) if local else base
    told["revision"] = None if local else space.revision
    (folder / CONFIG).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

"""Write what was fine-tuned as a folder that `--model FAMILY:FOLDER` takes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moviola.finetune.training.lora import save_lora, write_folder
from moviola.finetune.two_tower.config import FinetuneConfig
from moviola.finetune.two_tower.towers import TrainableTowers


def write_model(
    out: Path,
    towers: TrainableTowers,
    config: FinetuneConfig,
    base: str,
    record: Mapping[str, Any],
) -> None:
    """Write an adapter (LoRA) or a whole checkpoint, and `finetune.json` beside it.

    Args:
        out: the folder, which is not there yet; it appears when it is whole.
        towers: what was trained.
        config: of the run.
        base: the model that was trained, an id on the hub or a folder.
        record: what `finetune.json` tells of the run.
    """

    def write(folder: Path) -> None:
        if config.method == "lora":
            save_lora(folder, towers.model, base, towers.loaded.space)
            return
        for path in towers.loaded.folder.iterdir():
            if path.is_file() and path.suffix in {".json", ".txt", ".model"}:
                shutil.copyfile(path, folder / path.name)
        (folder / "model.safetensors.index.json").unlink(missing_ok=True)
        towers.core.save_pretrained(folder)

    write_folder(out, towers.loaded.space, record, write)

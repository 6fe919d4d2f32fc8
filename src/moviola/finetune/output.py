"""Write what was fine-tuned as a folder that `--model two-tower:FOLDER` takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moviola.encode.runtime.adapter import BASE_DIGEST, CARD, CONFIG
from moviola.encode.runtime.hub import LOCAL
from moviola.finetune.config import FinetuneConfig
from moviola.finetune.towers import TrainableTowers


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
    space = towers.loaded.space
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    if config.method == "lora":
        towers.model.save_pretrained(partial)
        (partial / "README.md").unlink(missing_ok=True)
        told = json.loads((partial / CONFIG).read_text(encoding="utf-8"))
        local = space.revision == LOCAL
        told["base_model_name_or_path"] = str(Path(base).expanduser().absolute()) if local else base
        told["revision"] = None if local else space.revision
        (partial / CONFIG).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    else:
        for path in towers.loaded.folder.iterdir():
            if path.is_file() and path.suffix in {".json", ".txt", ".model"}:
                shutil.copyfile(path, partial / path.name)
        (partial / "model.safetensors.index.json").unlink(missing_ok=True)
        towers.core.save_pretrained(partial)
    card = {BASE_DIGEST: space.weights, **record}
    (partial / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    partial.rename(out)

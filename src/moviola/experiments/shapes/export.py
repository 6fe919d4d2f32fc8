"""Write trained towers the way the shipped encoder reads them: safetensors and a JSON card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save

from moviola.encode.shapes.encoder import NOT_STORED, Calibration
from moviola.encode.shapes.model import Towers
from moviola.encode.shapes.words import Vocabulary

REVISION = "1"
UNSURE = Calibration(slope=10.0, intercept=-5.0)
"""A rough guess that stands until the calibration is measured."""


def save_weights(
    folder: Path,
    towers: Towers,
    words: Vocabulary,
    calibration: Calibration = UNSURE,
    sharpness: float = 0.0,
) -> None:
    """Write `model.safetensors` in float16 and `config.json`; each file is replaced in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in towers.state_dict().items()
        if not name.endswith(NOT_STORED)
    }
    partial = folder / "model.safetensors.part"
    partial.write_bytes(save(weights))
    partial.replace(folder / "model.safetensors")
    save_config(folder, towers, words, calibration, sharpness)


def save_config(
    folder: Path,
    towers: Towers,
    words: Vocabulary,
    calibration: Calibration,
    sharpness: float,
) -> None:
    """Write `config.json` beside weights that are there, replaced in one step."""
    config = {
        "revision": REVISION,
        "towers": asdict(towers.config),
        "calibration": asdict(calibration),
        "sharpness": sharpness,
        "vocabulary": list(words.words),
    }
    partial = folder / "config.json.part"
    partial.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    partial.replace(folder / "config.json")

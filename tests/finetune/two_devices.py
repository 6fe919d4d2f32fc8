"""Fine-tunes on as many devices as asked for: run by `test_two_devices`."""

from __future__ import annotations

import sys
from pathlib import Path

from moviola.finetune.two_tower.config import FinetuneConfig
from moviola.finetune.two_tower.train import finetune
from moviola.plugins import load_dataset

if __name__ == "__main__":
    table, base, out, devices = (*map(Path, sys.argv[1:4]), int(sys.argv[4]))
    config = FinetuneConfig(
        method="full",
        frames=2,
        captions=2,
        epochs=2,
        batch=4 // devices,
        chunk=2,
        rate=1e-3,
        held_out=0.2,
        accelerator="cpu",
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
    )
    finetune(load_dataset("table", table, "all"), f"two-tower:{base}", out, config)

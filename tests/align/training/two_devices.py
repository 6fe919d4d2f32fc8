"""Trains on as many devices as asked for, and writes the weights: run by `test_two_devices`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from moviola.align.data.rows import RaggedRows
from moviola.align.data.splitting import VideoSplit
from moviola.align.training.batches import PairedRows
from moviola.align.training.config import TrainConfig
from moviola.align.training.networks import NetworkConfig
from moviola.align.training.train import train_head


def main(out: Path, devices: int) -> None:
    """Writes `OUT`; processes but the first put their number behind its name."""
    rng = np.random.default_rng(0)
    meant = rng.normal(size=(80, 6))
    sides = [(meant @ rng.normal(size=(6, 9))).astype(np.float32) for _ in range(2)]
    data = PairedRows(*map(RaggedRows.pooled, sides), np.arange(80))
    config = TrainConfig(
        NetworkConfig("mlp", (12, 5)),
        epochs=3,
        batch=16,
        rate=1e-2,
        accelerator="cpu",
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
    )
    head = train_head(data, VideoSplit(np.arange(60), np.arange(60, 80)), config)
    import torch.distributed

    rank = torch.distributed.get_rank() if devices > 1 else 0
    name = f"{out.stem}-{rank}.npz" if rank else out.name
    losses = [epoch.train_loss or 0.0 for epoch in head.history.epochs]
    np.savez(out.with_name(name), losses=losses, **head.maps.tensors())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""Keep the file from which a training of Lightning's goes on."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch.callbacks import ModelCheckpoint

RESUME = "last.ckpt"
"""The file that a run goes on from; it does nothing else."""


def keep_last(folder: Path) -> ModelCheckpoint:
    """Make the callback that writes `RESUME` anew after every epoch, validation included.

    Not by `save_last` with `save_top_k=0`: Lightning 2.6 then writes nothing before training ends,
    and a run that was killed could not go on.
    """
    return ModelCheckpoint(
        folder,
        filename=Path(RESUME).stem,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )

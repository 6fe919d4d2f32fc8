"""Make the Lightning trainer of a fine-tuning.

Importing this raises `MissingExtraError` where Lightning is not installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from moviola.core import MissingExtraError, display_path

try:
    import lightning
except ImportError as error:
    raise MissingExtraError(
        'fine-tuning needs Lightning; install it with pip install "moviola[finetune]"'
    ) from error

from moviola.align.training.loggers import make_loggers
from moviola.align.training.resuming import RESUME, keep_last


class TrainerConfig(Protocol):
    """The settings of a run that its trainer needs."""

    @property
    def accelerator(self) -> str:
        """Return the kind of device."""
        ...

    @property
    def devices(self) -> int | str:
        """Return how many devices train."""
        ...

    @property
    def strategy(self) -> str:
        """Return the way in which devices share the work."""
        ...

    @property
    def precision(self) -> Any:
        """Return the precision of matrix products."""
        ...

    @property
    def epochs(self) -> int:
        """Return the passes over the data."""
        ...


def require_place(out: Path, *, resume: bool) -> Path:
    """Return the folder of a run beside the folder that it writes.

    Raises:
        FileExistsError: when `out` is there already.
        FileNotFoundError: when there is nothing to resume.
    """
    run = out.with_name(f"{out.name}.run")
    if out.exists():
        raise FileExistsError(f"{display_path(out)} is there already; choose another --out")
    if resume and not (run / RESUME).is_file():
        raise FileNotFoundError(
            f"there is no {display_path(run / RESUME)} to resume; leave --resume out"
        )
    return run


def make_trainer(config: TrainerConfig, run: Path, logger: object) -> lightning.Trainer:
    """Make a trainer that keeps one file to resume from, written anew after every epoch."""
    return lightning.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        strategy=config.strategy,
        precision=config.precision,
        max_epochs=config.epochs,
        callbacks=[keep_last(run)],
        logger=make_loggers(logger, run),
        log_every_n_steps=10_000,
        # Every epoch, and every device's share of it, is dealt out by the data module.
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )

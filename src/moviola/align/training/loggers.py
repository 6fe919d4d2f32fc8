"""Make Lightning's loggers by name, and silence its own."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from lightning.pytorch.loggers import CSVLogger, Logger

from moviola.core import MissingExtraError

LOGGERS = ("csv", "tensorboard", "wandb")


def make_loggers(wanted: object, folder: Path) -> list[Logger]:
    """Make the loggers of a run; `metrics.csv` is always among what they write.

    Args:
        wanted: a name of `LOGGERS`, a logger of Lightning's, or several.
        folder: of the run.

    Raises:
        ValueError: when there is no such logger.
        MissingExtraError: when its package is not installed.
    """
    several = wanted if isinstance(wanted, list | tuple) else [wanted]
    made: list[Logger] = [CSVLogger(folder, name="", version="")]
    for each in cast("Iterable[object]", several):
        if isinstance(each, Logger):
            made.append(each)
        elif each not in LOGGERS:
            raise ValueError(f"there is no logger {each!r}; there are {', '.join(LOGGERS)}")
        elif each != "csv":
            made.append(_named(str(each), folder))
    return made


def _named(name: str, folder: Path) -> Logger:
    from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger

    try:
        if name == "tensorboard":
            return TensorBoardLogger(folder, name="", version="")
        return WandbLogger(name=folder.name, save_dir=folder)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the logger {name} needs its package; install it with: pip install 'moviola[{name}]'"
        ) from error


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence Lightning's hints about hardware and workers."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            yield
    finally:
        for each, level in zip(loggers, before, strict=True):
            each.setLevel(level)

"""Fine-tune a two-tower model with Lightning, from a data set to a folder.

Importing this raises `MissingExtraError` where Lightning is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from moviola.align.training.loggers import quiet_lightning
from moviola.align.training.resuming import RESUME
from moviola.core import FileCode, RetrievalDataset
from moviola.encode.pe_core.loading import load_model as load_pe_core
from moviola.encode.two_tower.loading import load_model as load_two_tower
from moviola.finetune.training.history import Epoch
from moviola.finetune.training.trainer import make_trainer, require_place
from moviola.finetune.two_tower.config import FinetuneConfig
from moviola.finetune.two_tower.data_module import CaptionedFrames
from moviola.finetune.two_tower.frames import cache_frames
from moviola.finetune.two_tower.module import Finetuning
from moviola.finetune.two_tower.output import write_model
from moviola.finetune.two_tower.pairs import pair_captions
from moviola.finetune.two_tower.towers import TrainableTowers
from moviola.plugins import find_checkpoint

if TYPE_CHECKING:
    from moviola.plugins.checkpoints import NamedCheckpoint

_LOADERS = {"two-tower": load_two_tower, "pe-core": load_pe_core}


@dataclass(frozen=True, slots=True)
class FinetuneReport:
    """Report a finished run.

    Attributes:
        out: the folder that was written.
        model: how `--model` is told to take it.
        history: every epoch; the weights are those of the last one.
        trained: clips that were trained on.
        held_out: clips that were measured on.
        failures: videos that could not be read, with what went wrong.
    """

    out: Path
    model: str
    history: Sequence[Epoch]
    trained: int
    held_out: int
    failures: Sequence[tuple[Path, FileCode, str]]


def finetune(
    data: RetrievalDataset,
    model: str,
    out: Path | str,
    config: FinetuneConfig | None = None,
    *,
    resume: bool = False,
    logger: object = "csv",
    on_epoch: Callable[[Epoch], Any] = lambda _epoch: None,
    on_decoded: Callable[[int, int], Any] = lambda _done, _total: None,
) -> FinetuneReport:
    """Fine-tune a two-tower model on the clips and captions of a data set.

    The weights are those after the last epoch: nothing chooses among epochs, so that what is
    measured on the held-out videos is not what decided. Beside `out` lies `OUT.run`, with the
    frames, which are decoded once, `metrics.csv`, and `last.ckpt`, which only resumes.

    Args:
        data: one split.
        model: a name of the family two-tower or pe-core, such as `clip-base-patch32` or
            `pe-core:FOLDER`.
        out: the folder to write.
        config: of the run; None for the defaults.
        resume: go on after the last finished epoch in `OUT.run`.
        logger: `csv`; `tensorboard` or `wandb` beside it; or loggers of Lightning's.
        on_epoch: told of every epoch, number 0 before the first step.
        on_decoded: told how many of how many videos are decoded.

    Raises:
        FileExistsError: when `out` is there already.
        FileNotFoundError: when there is nothing to resume.
        ValueError: when the model is of another family, or there are too few pairs.
        WeightsUnavailableError: when the model cannot be loaded.
        MissingExtraError: when LoRA is wanted and peft is not installed.
    """
    out, config = Path(out), config or FinetuneConfig()
    run = require_place(out, resume=resume)
    found = _trainable(model)
    loaded = _LOADERS[found.family](found.model, found.revision)
    captioned = pair_captions(data)
    frames = cache_frames(
        captioned.clips, run / "frames", loaded.preprocessing, config.frames, on_progress=on_decoded
    )
    if frames.failures:
        failed = {path for path, _, _ in frames.failures}
        unreadable = frozenset(clip.id for clip in captioned.clips if clip.path in failed)
        captioned = pair_captions(data, unreadable)
    train, held_out = captioned.split(config.held_out, config.seed)
    with torch.random.fork_rng(), quiet_lightning():
        torch.manual_seed(config.seed)
        towers = TrainableTowers(loaded, config)
        module = Finetuning(
            towers, captioned, frames, held_out=held_out, config=config, on_epoch=on_epoch
        )
        trainer = make_trainer(config, run, logger)
        trainer.fit(
            module,
            CaptionedFrames(captioned, frames, train, towers, config),
            ckpt_path=run / RESUME if resume else None,
            weights_only=True,
        )
        module.cpu()
    record = {
        "data": data.name,
        "model": model,
        "config": asdict(config),
        "history": [asdict(epoch) for epoch in module.history],
        "clips": {"trained": len(train), "held_out": len(held_out)},
    }
    if trainer.is_global_zero:
        write_model(out, towers, config, found.model, record)
    name = f"{found.family}:{out}" + ("" if config.frames == 8 else f",frames={config.frames}")
    return FinetuneReport(out, name, module.history, len(train), len(held_out), frames.failures)


def _trainable(model: str) -> NamedCheckpoint:
    """Find the checkpoint of a model's name.

    Raises:
        ValueError: when it is of a family that is not fine-tuned.
    """
    found = find_checkpoint(model)
    if found is None or found.family not in _LOADERS:
        what = "is no checkpoint" if found is None else f"is of the family {found.family}"
        raise ValueError(
            f"{model!r} {what}; fine-tuning takes CLIP, SigLIP, SigLIP 2, MetaCLIP 2 and PE-Core: "
            f"a name of `moviola models` such as clip-base-patch32, or two-tower:FOLDER or "
            f"pe-core:FOLDER"
        )
    return found

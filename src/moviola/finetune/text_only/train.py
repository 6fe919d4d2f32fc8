"""Fine-tune a chat model on texts alone with Lightning, from a table of pairs to an adapter.

Importing this raises `MissingExtraError` where Lightning is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from moviola.align.training.loggers import quiet_lightning
from moviola.align.training.resuming import RESUME
from moviola.encode.chat.loading import ChatOptions, load_backbone
from moviola.finetune.text_only.config import TextOnlyConfig
from moviola.finetune.text_only.embedder import TextEmbedder
from moviola.finetune.text_only.pairs import read_pairs
from moviola.finetune.training.history import Epoch
from moviola.finetune.training.lora import save_lora, write_folder
from moviola.finetune.training.trainer import make_trainer, require_place
from moviola.plugins.checkpoints import (
    NamedCheckpoint,
    find_checkpoint,
    join_options,
    split_options,
)

FAMILIES = ("qwen2.5-vl", "qwen3-vl", "videollama3", "internvl")


@dataclass(frozen=True, slots=True)
class TextOnlyReport:
    """Report a finished run.

    Attributes:
        out: the folder that was written.
        model: how `--model` is told to take it.
        history: every epoch; the weights are those of the last one.
        trained: pairs that were trained on.
        held_out: pairs that were measured on.
    """

    out: Path
    model: str
    history: Sequence[Epoch]
    trained: int
    held_out: int


def finetune_texts(
    pairs: Path,
    model: str,
    out: Path | str,
    config: TextOnlyConfig | None = None,
    *,
    resume: bool = False,
    logger: object = "csv",
    on_epoch: Callable[[Epoch], Any] = lambda _epoch: None,
) -> TextOnlyReport:
    """Fine-tune the language model of a chat model on captions and their summaries.

    "VidVec" (arXiv 2602.08099), its second stage: no video is seen, and no weight of the vision
    tower is read. `out` becomes an adapter; beside it lies `OUT.run`, with `metrics.csv`, and
    `last.ckpt`, which only resumes.

    Args:
        pairs: a table with the columns `caption` and `summary`.
        model: a chat model, such as `qwen3-vl:FOLDER`; of its options only `template` matters.
        out: the folder to write.
        config: of the run; None for the defaults.
        resume: go on after the last finished epoch in `OUT.run`.
        logger: `csv`; `tensorboard` or `wandb` beside it; or loggers of Lightning's.
        on_epoch: told of every epoch, number 0 before the first step.

    Raises:
        DatasetError: when the table cannot be read.
        FileExistsError: when `out` is there already.
        FileNotFoundError: when there is nothing to resume.
        ValueError: when the model is of another family, or there are too few pairs.
        WeightsUnavailableError: when the model cannot be loaded.
        MissingExtraError: when peft is not installed.
    """
    # Lightning is there only behind the check of its extra.
    from moviola.finetune.text_only.module import PairBatches, TextOnlyTraining

    out, config = Path(out), config or TextOnlyConfig()
    run = require_place(out, resume=resume)
    bare, options = split_options(model)
    found = _chat_model(bare)
    texts = read_pairs(pairs)
    train, held_out = texts.split(config.held_out, config.seed)
    backbone = load_backbone(
        found.model, found.revision, ChatOptions(str(options.get("template", "chat"))), "float32"
    )
    with torch.random.fork_rng(), quiet_lightning():
        torch.manual_seed(config.seed)
        embedder = TextEmbedder(backbone, config)
        module = TextOnlyTraining(
            embedder, texts, held_out=held_out, config=config, on_epoch=on_epoch
        )
        make_trainer(config, run, logger).fit(
            module,
            PairBatches(train, config),
            ckpt_path=run / RESUME if resume else None,
            weights_only=True,
        )
        module.cpu()
    record = {
        "data": pairs.name,
        "model": model,
        "config": asdict(config),
        "history": [asdict(epoch) for epoch in module.history],
        "pairs": {"trained": len(train), "held_out": len(held_out)},
    }

    def write(folder: Path) -> None:
        save_lora(folder, embedder.wrapped, found.model, backbone.space)

    write_folder(out, backbone.space, record, write)
    name = join_options(f"{found.family}:{out}", options)
    return TextOnlyReport(out, name, module.history, len(train), len(held_out))


def _chat_model(name: str) -> NamedCheckpoint:
    """Find the checkpoint of a chat model's name.

    Raises:
        ValueError: when it is of another family.
    """
    found = find_checkpoint(name)
    if found is None or found.family not in FAMILIES:
        what = "is no checkpoint" if found is None else f"is of the family {found.family}"
        raise ValueError(
            f"{name!r} {what}; fine-tuning on texts alone takes {', '.join(FAMILIES)}: "
            f"FAMILY:ID or FAMILY:FOLDER"
        )
    return found

"""Train the encoder that ships: `python -m moviola.experiments.shapes.train --out DIR`."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from moviola.core.json_text import decode_json
from moviola.encode.shapes.encoder import load
from moviola.encode.shapes.model import TowerConfig, Towers
from moviola.encode.shapes.words import Vocabulary
from moviola.experiments.shapes.card import write_card
from moviola.experiments.shapes.export import save_config, save_weights
from moviola.experiments.shapes.joining import JoiningConfig, measure_joining
from moviola.experiments.shapes.measures import MeasureConfig, measure
from moviola.experiments.shapes.module import ShapesTraining, TrainConfig
from moviola.experiments.shapes.probes import direction_wins, draw_probes, probe_wins
from moviola.experiments.shapes.windows import WindowConfig, WindowStream, window
from moviola.synthetic.shapes.facts import Shot, code_facts, truth_matrix
from moviola.synthetic.shapes.grammar import detailed_clause, say_clause, vocabulary
from moviola.synthetic.shapes.world import LEVELS, draw_shot, stage

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RunConfig:
    """Configure one training run."""

    out: Path
    towers: TowerConfig = field(default_factory=lambda: TowerConfig(words=0))
    """Their number of words is set from the grammar."""
    train: TrainConfig = field(default_factory=TrainConfig)
    windows: WindowConfig = field(default_factory=WindowConfig)
    seed: int = 1
    every: int = 500
    """Steps between two looks at the probes, each of which also writes the weights."""
    look_at: int = 600
    """Unseen windows that the probes are looked at on."""
    workers: int = 1
    threads: int = 2
    limit_minutes: float | None = None


class Watch(lightning.Callback):
    """Measure the probes on unseen windows and write the weights, every so many steps."""

    def __init__(self, config: RunConfig, words: Vocabulary) -> None:
        self.config, self.words = config, words
        rng = np.random.default_rng([config.seed, 99])
        self.shots: list[Shot] = []
        frames: list[NDArray[np.uint8]] = []
        for _ in range(config.look_at):
            shot = draw_shot(rng, LEVELS["plain"], held_out=False)
            frames.append(window(rng, stage(rng, shot, rng.uniform(3, 6))).frames)
            self.shots.append(shot)
        self.frames = np.stack(frames)
        self.began = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,  # noqa: ARG002 - the signature is Lightning's
        batch: Any,  # noqa: ARG002
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Measure and write when it is time."""
        step = trainer.global_step
        if step % 50 == 0:
            seen = {k: round(float(v), 3) for k, v in trainer.callback_metrics.items()}
            print(f"step {step} {time.monotonic() - self.began:.0f}s {seen}", flush=True)
        if step % self.config.every == 0 or step == self.config.train.steps:
            towers: Towers = pl_module.mean.module
            print(f"step {step} {look(towers, self.words, self.frames, self.shots)}", flush=True)
            save_weights(self.config.out, towers, self.words)


@torch.inference_mode()
def look(
    towers: Towers, words: Vocabulary, frames: NDArray[np.uint8], shots: Sequence[Shot]
) -> dict[str, float]:
    """Measure probes and retrieval on windows quickly, for use during training."""
    was_training = towers.training
    towers.eval()
    device = next(towers.parameters()).device

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return towers.texts(torch.from_numpy(words.numbers(texts)).to(device)).cpu().numpy()

    videos = np.concatenate(
        [
            towers.videos(torch.from_numpy(part).to(device)).cpu().numpy()
            for part in np.array_split(frames, 8)
        ]
    )
    rng = np.random.default_rng(5)
    wins = probe_wins(draw_probes(rng, shots), videos, encode)
    found = {kind: round(float(won.mean()), 3) for kind, won in wins.items()}
    found["direction"] = round(float(direction_wins(rng, shots, videos, encode)[1].mean()), 3)
    clauses = [detailed_clause(rng, shot) for shot in shots]
    truth = truth_matrix(code_facts(clauses), code_facts(shots))
    best = (encode([say_clause(rng, clause) for clause in clauses]) @ videos.T).argmax(1)
    found["true_at_1"] = round(float(truth[np.arange(len(best)), best].mean()), 3)
    towers.train(was_training)
    return found


def train(config: RunConfig) -> Towers:
    """Train the encoder and write its weights into `config.out`; returns the averaged towers."""
    lightning.seed_everything(config.seed, verbose=False)
    torch.set_num_threads(config.threads)
    words = Vocabulary(vocabulary(), config.towers.length)
    module = ShapesTraining(replace(config.towers, words=len(words)), config.train)
    stream = WindowStream(config.windows, words)
    loader = DataLoader(
        stream,
        batch_size=None,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        persistent_workers=bool(config.workers),
    )
    trainer = lightning.Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed",
        max_steps=config.train.steps,
        max_time=None if config.limit_minutes is None else timedelta(minutes=config.limit_minutes),
        gradient_clip_val=1.0,
        callbacks=[Watch(config, words)],
        logger=CSVLogger(config.out, name="log"),
        log_every_n_steps=50,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, loader)
    averaged: Towers = module.mean.module  # pyright: ignore[reportAssignmentType]
    save_weights(config.out, averaged, words)
    return averaged


def measure_and_write(out: Path, world: Path, steps: int) -> None:
    """Calibrate and measure the weights in `out`; write `measured.json` and the card.

    Args:
        out: folder with the weights.
        world: where the videos go that are measured on; kept, so that a second time is quicker.
        steps: how long the weights were trained, for the card.
    """
    encoder, measured = measure(load(out), MeasureConfig(world))
    save_weights(out, encoder.towers, encoder.words, encoder.calibration, encoder.sharpness)
    measured |= {
        "steps": steps,
        "parameters": sum(weight.numel() for weight in encoder.towers.parameters()),
        "words": len(encoder.words.words),
        "megabytes": (out / "model.safetensors").stat().st_size / 1e6,
    }
    _write_measured(out, measured)
    _print_figures(measured["figures"] | measured["moments"]["figures"])


def measure_moments_and_write(out: Path, world: Path) -> None:
    """Choose the joining of windows and measure moments anew; all other figures stay as they are.

    Args:
        out: folder with the weights and what was measured of them.
        world: where the videos go that are measured on; kept.
    """
    encoder = load(out)
    sharpness, moments = measure_joining(encoder, world, JoiningConfig())
    save_config(out, encoder.towers, encoder.words, encoder.calibration, sharpness)
    measured = decode_json((out / "measured.json").read_text(encoding="utf-8"))
    _write_measured(out, measured | {"moments": moments})
    _print_figures(moments["figures"])


def _write_measured(out: Path, measured: dict[str, Any]) -> None:
    (out / "measured.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    (out / "README.md").write_text(write_card(measured), encoding="utf-8")


def _print_figures(figures: dict[str, Any]) -> None:
    for name, found in figures.items():
        print(f"{name}: {found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})")


def main() -> None:
    """Parse the command line and train, or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the weights go")
    parser.add_argument("--steps", type=int, default=TrainConfig.steps)
    parser.add_argument("--every", type=int, default=RunConfig.every)
    parser.add_argument("--seed", type=int, default=RunConfig.seed)
    parser.add_argument("--measure", type=Path, help="measure afterwards, on videos in this folder")
    parser.add_argument("--no-training", action="store_true", help="only measure what is in --out")
    parser.add_argument(
        "--moments",
        type=Path,
        help="only choose the joining of windows and measure moments, on videos in this folder",
    )
    arguments = parser.parse_args()
    if arguments.moments:
        measure_moments_and_write(arguments.out, arguments.moments)
        return
    if not arguments.no_training:
        train(
            RunConfig(
                out=arguments.out,
                train=TrainConfig(steps=arguments.steps),
                windows=WindowConfig(seed=arguments.seed),
                seed=arguments.seed,
                every=arguments.every,
            )
        )
    if arguments.measure:
        measure_and_write(arguments.out, arguments.measure, arguments.steps)


if __name__ == "__main__":
    main()

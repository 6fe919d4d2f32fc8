"""Run one experiment of the report and its remedy, from training to verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moviola.align.training.config import TrainConfig
from moviola.align.training.history import Cosines, Epoch, History
from moviola.align.training.train import train_head
from moviola.evaluate import RetrievalResult
from moviola.evaluate.chance import chance_level
from moviola.experiments.report.data import ExperimentData
from moviola.experiments.report.measuring import measure, paired_rows
from moviola.experiments.report.presets import REMEDIES, Preset, Scale
from moviola.experiments.report.remedies import Remedied, remedied
from moviola.experiments.report.verdicts import Verdict, judge


@dataclass(frozen=True, slots=True)
class Experiment:
    """Hold the results of one preset and of its remedy.

    Attributes:
        preset: what was run.
        scale: at which scale.
        config: how it was trained.
        data: what the data are.
        chance: MRR of random orders of the test videos.
        watched_chance: MRR of random orders of the validation videos.
        history: of the training as the report had it.
        result: both directions on the test videos at its end.
        cosines: of the test pairs at its end.
        verdict: what became of it.
        seconds: of the training, its validations, and the test losses.
        remedy: what was run beside it, on the same videos.
        notes: what a reader must know of how it was run.
    """

    preset: Preset
    scale: Scale
    config: TrainConfig
    data: str
    chance: float
    watched_chance: float
    history: History
    result: RetrievalResult
    cosines: Cosines
    verdict: Verdict
    seconds: float
    remedy: Remedied
    notes: tuple[str, ...] = field(default=())

    @property
    def verdict_sentences(self) -> str:
        """State the verdict and the result of the remedy, in two sentences."""
        reached = self.remedy.result.t2v["MRR"]
        return (
            f"{self.verdict.sentence} Remedied ({self.preset.remedy}): MRR {reached:.4f}, "
            f"{reached / self.chance:.1f} times chance."
        )

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return {
            "name": self.preset.name,
            "title": self.preset.title,
            "scale": self.scale,
            "data": self.data,
            "chance_MRR": self.chance,
            "outcome": self.verdict.outcome,
            "verdict": self.verdict.sentence,
            "result": self.result.to_json(),
            "history": self.history.to_json(),
            "seconds": self.seconds,
            "remedy": {
                "name": self.preset.remedy,
                "what": REMEDIES[self.preset.remedy],
                "result": self.remedy.result.to_json(),
                "epochs": list(self.remedy.epochs),
                "seconds": self.remedy.seconds,
            },
            "unknowns": list(self.preset.unknowns),
            "notes": list(self.notes),
        }


def run_experiment(
    preset: Preset,
    data: ExperimentData,
    scale: Scale,
    *,
    seed: int = 0,
    folder: Path | None = None,
    done: dict[str, Remedied] | None = None,
    on_epoch: Callable[[Epoch, int], None] = lambda _epoch, _epochs: None,
) -> Experiment:
    """Train a preset as the report had it, then its remedy, and measure both alike.

    Args:
        preset: what to run.
        data: on what.
        scale: `full`, or `small` for minutes.
        seed: of everything that is drawn.
        folder: for the log and the weights of every epoch; None to keep none.
        done: remedies that were run on these data before; a new one is added.
        on_epoch: told of every epoch and of how many there will be.

    Raises:
        ValueError: when the preset wants videos behind the LLaMA and there are none.
    """
    clips = data.clips
    notes: list[str] = []
    if preset.after_llama:
        if data.after is None:
            raise ValueError(
                f"{preset.name} reads videos behind the LLaMA, and these data hold none; give them "
                f"with --videos-after"
            )
        clips = data.after
        if data.own_rows is None:
            notes.append(
                "which rows behind the LLaMA are the video's own is not known; the remedy leaves "
                "out the first"
            )
    config = preset.config(clips.space.dimension, scale, seed=seed)
    if not config.network.takes_rows:
        notes.append("several rows of an item were pooled to their mean first")
    elif clips.is_pooled and data.texts.is_pooled:
        notes.append("every item has one row, so that the transformer has nothing to attend to")
    rows = paired_rows(data, clips, pooled=not config.network.takes_rows)
    begun = time.perf_counter()
    trained = train_head(
        rows,
        data.split,
        config,
        folder=folder,
        on_epoch=lambda epoch: on_epoch(epoch, config.epochs),
    )
    seconds = time.perf_counter() - begun
    test = rows.only(data.test_clips)
    vectors = trained.maps.texts.embed(test.texts), trained.maps.clips.embed(test.clips)
    result = measure(data, *vectors)
    cosines, chance = Cosines.of(*vectors, test.owner), chance_level(len(test.clips))
    done = {} if done is None else done
    if preset.remedy not in done:
        done[preset.remedy] = remedied(preset.remedy, data, seed=seed)
    return Experiment(
        preset=preset,
        scale=scale,
        config=config,
        data=data.name,
        chance=chance,
        watched_chance=chance_level(len(rows.captioned(data.split.validation))),
        history=trained.history,
        result=result,
        cosines=cosines,
        verdict=judge(trained.history, cosines, result.t2v["MRR"], chance),
        seconds=seconds,
        remedy=done[preset.remedy],
        notes=tuple(notes),
    )

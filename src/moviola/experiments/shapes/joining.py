"""Choose how sharply the shipped encoder's windows are joined, and measure its moments."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from moviola.encode.shapes.encoder import ShapesEncoder
from moviola.experiments.shapes.gallery import Gallery, make
from moviola.experiments.shapes.moments import (
    choose_sharpness,
    measure_corpus,
    measure_moments,
)


@dataclass(frozen=True)
class JoiningConfig:
    """Configure the videos that a sharpness is chosen on, and others that it is measured on.

    Attributes:
        chosen_seed: of the world that it is chosen on, from the validation split.
        seed: of the world that it is measured on, from the test split.
        chosen_ordinary: videos to choose on.
        chosen_alike: videos to choose on in which another shot looks alike.
        ordinary: videos to measure on.
        alike: videos to measure on in which another shot looks alike.
    """

    chosen_seed: int = 52
    seed: int = 53
    chosen_ordinary: int = 100
    chosen_alike: int = 150
    ordinary: int = 150
    alike: int = 200


def measure_joining(
    encoder: ShapesEncoder, folder: Path, config: JoiningConfig
) -> tuple[float, dict[str, Any]]:
    """Choose a sharpness and measure what it does.

    Args:
        encoder: whose windows are joined.
        folder: gets the videos; kept, so that a second time is quicker.
        config: which videos.

    Returns:
        The sharpness, and it with all figures and the configuration as a plain dictionary.
    """

    def world(name: str, seed: int, split: str, count: int, *, alike: bool) -> Gallery:
        return make(encoder, folder / name, seed=seed, videos={split: count}, look_alikes=alike)

    chosen = [
        world("chosen", config.chosen_seed, "val", config.chosen_ordinary, alike=False),
        world("chosen_alike", config.chosen_seed, "val", config.chosen_alike, alike=True),
    ]
    sparser = [gallery.part(range(len(gallery.videos)), every=2) for gallery in chosen]
    sharpness = choose_sharpness(encoder, [*chosen, *sparser])
    ordinary = world("moments", config.seed, "test", config.ordinary, alike=False)
    alike = world("moments_alike", config.seed, "test", config.alike, alike=True)
    found = {
        f"{name}, {videos}": value
        for videos, gallery in (("look-alikes", alike), ("ordinary videos", ordinary))
        for name, value in measure_moments(encoder, gallery, sharpness).items()
    }
    found |= measure_corpus(encoder, ordinary, sharpness)
    for joined, how in ((0.0, "by cosines"), (sharpness, "sharpened")):
        found |= {
            f"{name}, {how}, look-alikes": value
            for name, value in measure_corpus(encoder, alike, joined).items()
            if name.startswith("VCMR R@1 ")
        }
    figures = {name: asdict(value) for name, value in found.items()}
    return sharpness, {"sharpness": sharpness, "figures": figures, **asdict(config)}

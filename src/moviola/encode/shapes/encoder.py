"""The encoder that ships: a small model of a generated world, and of nothing else."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from moviola.core.abilities import Precision, TowerName
from moviola.core.errors import WeightsUnavailableError
from moviola.core.frames import Frames
from moviola.core.json_text import decode_json
from moviola.core.paths import display_path
from moviola.core.sampling import RateSampler
from moviola.core.spaces import Readout, Space
from moviola.encode.shapes.model import FRAMES, SIZE, TowerConfig, Towers
from moviola.encode.shapes.words import Vocabulary, split_clauses

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMENSION = 257
"""256 learned coordinates, and one that texts about things outside the world point along."""
RATE = 4.0
AT_MOST = 64
STRIDE = FRAMES // 2
BATCH = 64
WEIGHTS = Path(__file__).parent / "weights"
NOT_STORED = "num_batches_tracked"
"""Ending of the only state that the file leaves out: a counter that inference never reads."""


@dataclass(frozen=True)
class Calibration:
    """The chance that a best hit is right, as a logistic curve over its cosine."""

    slope: float
    intercept: float

    def probability(self, score: float) -> float:
        """Return the chance in [0, 1] that a best hit with this cosine is right."""
        return 1 / (1 + math.exp(min(-(self.slope * score + self.intercept), 700)))


def cut_windows(pixels: Tensor) -> Tensor:
    """Cut a clip into windows of eight frames, half a window apart, the last at the end.

    Args:
        pixels: (T, 64, 64, 3), T >= 1.

    Returns:
        (W, 8, 64, 64, 3); fewer than eight frames are filled up with the last one.
    """
    count = len(pixels)
    if count < FRAMES:
        pixels = torch.cat([pixels, pixels[-1:].expand(FRAMES - count, -1, -1, -1)])
        count = FRAMES
    starts = [*range(0, count - FRAMES, STRIDE), count - FRAMES]
    return torch.stack([pixels[start : start + FRAMES] for start in starts])


def shrink_frames(pixels: NDArray[np.uint8]) -> Tensor:
    """Map (T, H, W, 3) uint8 to (T, 64, 64, 3) uint8: each pixel the mean of its area."""
    frames = torch.from_numpy(np.ascontiguousarray(pixels))
    if frames.shape[1:3] == (SIZE, SIZE):
        return frames
    small = functional.interpolate(frames.permute(0, 3, 1, 2).float(), (SIZE, SIZE), mode="area")
    return small.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


Pooling = Literal["mean", "none"]


class ShapesEncoder:
    """Texts and clips of the generated world as unit vectors of one space.

    Pooled, a clip becomes one row, the mean over its windows of two seconds, and a text becomes
    one row, the mean over its clauses. Unpooled, windows and clauses keep their rows: scoring
    clauses against windows in sequence is what tells the order of an order caption. A text about
    things that the world does not hold points away from every video, by the share of its strange
    words.
    """

    def __init__(
        self,
        towers: Towers,
        words: Vocabulary,
        calibration: Calibration,
        space: Space,
        *,
        pooling: Pooling = "mean",
        sharpness: float = 0.0,
    ) -> None:
        if pooling not in get_args(Pooling):
            raise ValueError(f"the pooling is one of {get_args(Pooling)}, not {pooling!r}")
        self.towers = towers.eval()
        self.towers.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.words = words
        self.calibration = calibration
        self.sharpness = sharpness
        self._space = space
        self._pooling: Pooling = pooling
        self._sampler = RateSampler(RATE, AT_MOST)

    @property
    def space(self) -> Space:
        """Return the space of exactly these weights."""
        return self._space

    @property
    def sampler(self) -> RateSampler:
        """Return the sampler: four frames a second."""
        return self._sampler

    @property
    def video_readout(self) -> Readout:
        """Tell how clips are read."""
        return Readout(
            preprocessing=f"area:{SIZE}x{SIZE}",
            sampling=self._sampler.spec,
            tokens=f"windows:{FRAMES}/{STRIDE}",
            pooling=self._pooling,
        )

    @property
    def text_readout(self) -> Readout:
        """Tell how texts are read."""
        return Readout(
            preprocessing="lower-case words, clauses, share of unknown words",
            sampling=f"words:{self.words.length}",
            tokens="clauses",
            pooling=self._pooling,
        )

    def precision(self, tower: TowerName) -> Precision:
        """Return `"float32"`, in which both towers compute."""
        del tower
        return "float32"

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Encode each text to (n, 257) float32 unit rows; n is 1, or its clauses if unpooled."""
        clauses = [split_clauses(text) for text in texts]
        flat = [clause for several in clauses for clause in several]
        if not flat:
            return []
        parts = [flat[i : i + BATCH] for i in range(0, len(flat), BATCH)]
        vectors = torch.cat(
            [self.towers.texts(torch.from_numpy(self.words.numbers(p))) for p in parts]
        )
        rows: list[NDArray[np.float32]] = []
        for text, own in zip(
            texts, vectors.split([len(several) for several in clauses]), strict=True
        ):
            known = 1 - self.words.strangeness(text)
            strange = own.new_full((len(own), 1), math.sqrt(1 - known**2))
            pooled = self._pooled(own) * known
            rows.append(torch.cat([pooled, strange[: len(pooled)]], 1).numpy())
        return rows

    @torch.inference_mode()
    def encode_videos(self, clips: Sequence[Frames]) -> list[NDArray[np.float32]]:
        """Encode each clip to (n, 257) float32 unit rows; n is 1, or its windows if unpooled.

        Raises:
            ValueError: a clip has no frames.
        """
        if any(len(clip) == 0 for clip in clips):
            raise ValueError("a clip without frames cannot be encoded")
        windows = [cut_windows(shrink_frames(clip.pixels)) for clip in clips]
        rows: list[NDArray[np.float32]] = []
        waiting: list[Tensor] = []
        for i, several in enumerate(windows):
            waiting.append(several)
            if sum(map(len, waiting)) >= BATCH or i == len(windows) - 1:
                vectors = torch.cat(
                    [self.towers.videos(part) for part in torch.cat(waiting).split(BATCH)]
                )
                for own in vectors.split([len(w) for w in waiting]):
                    pooled = self._pooled(own)
                    rows.append(torch.cat([pooled, pooled.new_zeros(len(pooled), 1)], 1).numpy())
                waiting = []
        return rows

    def _pooled(self, vectors: Tensor) -> Tensor:
        """Pool (n, 256) unit rows to one of them, or to themselves."""
        if self._pooling == "none":
            return vectors
        return functional.normalize(vectors.mean(0, keepdim=True), dim=1)


def _digest(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update((folder / "model.safetensors").read_bytes())
    # The calibration changes no vector; widths and words do.
    config = decode_json((folder / "config.json").read_text(encoding="utf-8"))
    digest.update(json.dumps([config["towers"], config["vocabulary"]], sort_keys=True).encode())
    return digest.hexdigest()


def _load_towers(folder: Path, config: dict[str, Any]) -> Towers:
    sizes = config["towers"] | {"stem": tuple(config["towers"]["stem"])}
    towers = Towers(TowerConfig(**sizes))
    stored = {
        name: value.float() for name, value in load_file(folder / "model.safetensors").items()
    }
    wanted = {name for name in towers.state_dict() if not name.endswith(NOT_STORED)}
    if wrong := sorted(wanted ^ stored.keys()):
        raise WeightsUnavailableError(
            f"{folder / 'model.safetensors'} does not fit its config.json: {wrong[:3]}"
        )
    towers.load_state_dict(stored, strict=False)
    return towers


def load(
    weights: Path | str | None = None,
    *,
    pooling: Pooling = "mean",
    precision: Precision | None = None,
) -> ShapesEncoder:
    """Load the encoder of the generated world, from the package or from another folder.

    Args:
        weights: a folder with `model.safetensors` and `config.json`; the shipped one by default.
        pooling: `"mean"` for one row a clip and text, `"none"` for their windows and clauses.
        precision: `"float32"` or None, which is the same.

    Raises:
        WeightsUnavailableError: the folder lacks a file, or they do not fit each other.
        ValueError: when another precision is asked for.
    """
    if precision not in (None, "float32"):
        raise ValueError(f"the shapes encoder computes in float32 alone, not in {precision!r}")
    folder = WEIGHTS if weights is None else Path(weights)
    try:
        config = decode_json((folder / "config.json").read_text(encoding="utf-8"))
        towers = _load_towers(folder, config)
        digest = _digest(folder)
    except FileNotFoundError as error:
        raise WeightsUnavailableError(
            f"no weights in {folder}: train them with "
            "python -m moviola.experiments.shapes.train --out DIR"
        ) from error
    except ValueError as error:
        raise WeightsUnavailableError(
            f"config.json in {display_path(folder)} is damaged ({error}); fetch it again"
        ) from error
    space = Space(
        model="moviola/shapes", revision=config["revision"], weights=digest, dimension=DIMENSION
    )
    words = Vocabulary(tuple(config["vocabulary"]), config["towers"]["length"])
    return ShapesEncoder(
        towers,
        words,
        Calibration(**config["calibration"]),
        space,
        pooling=pooling,
        sharpness=config.get("sharpness", 0.0),
    )

"""Frames to a model's pixel values: resize on bytes, crop, normalise.

Resizing works on uint8 with antialiasing, as the image processors of transformers do, which took
part in training: rounding to bytes in between is part of the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import torch
from torch import Tensor
from torch.nn import functional

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.runtime.config_files import read_config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Interpolation = Literal["bilinear", "bicubic"]
_RESAMPLE: dict[int, Interpolation] = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers, which processor configurations use."""


def stored_config(folder: Path, part: str) -> dict[str, Any]:
    """Tell what a checkpoint says of one of its processors, in the words of transformers.

    Args:
        folder: the checkpoint.
        part: `"image_processor"`, `"video_processor"` or `"feature_extractor"`.

    Returns:
        The settings; empty where it says nothing.
    """
    own = ("video_preprocessor_config.json",) if part == "video_processor" else ()
    for name in (*own, "processor_config.json", "preprocessor_config.json"):
        path = folder / name
        config = read_config(path) if path.is_file() else {}
        # A processor of several parts keeps each under its name; a lone one fills the file.
        if part in config:
            return config[part]
        if config and name != "processor_config.json":
            return config
    return {}


@dataclass(frozen=True, slots=True)
class Patches:
    """The largest size that keeps the shape of a picture and cuts into few enough patches.

    Attributes:
        side: of a patch, in pixels.
        at_most: patches of a picture.
    """

    side: int
    at_most: int

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return `(height, width)`, multiples of the side."""
        from transformers.models.siglip2.image_processing_pil_siglip2 import (
            get_image_size_for_max_num_patches,
        )

        return get_image_size_for_max_num_patches(height, width, self.side, self.at_most)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The steps by which frames become the pictures that a vision tower was trained on.

    Attributes:
        resize: `(height, width)` whatever the shape; or what keeps the shape: the length of the
            shorter side, or how many patches.
        crop: `(height, width)` of the central crop after that; None for none.
        interpolation: `"bilinear"` or `"bicubic"`.
        mean: of each channel, subtracted from values in [0, 1].
        std: of each channel, divides what is left.
    """

    resize: int | tuple[int, int] | Patches
    crop: tuple[int, int] | None
    interpolation: Interpolation
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def from_folder(
        cls, folder: Path, defaults: Mapping[str, Any], *, part: str = "image_processor"
    ) -> Self:
        """Read the steps from `preprocessor_config.json`, or where else a checkpoint keeps them.

        Args:
            folder: the checkpoint.
            defaults: what the family's processor does where the file is silent.
            part: which processor, where one file describes several.

        Raises:
            WeightsUnavailableError: when it says nothing.
            ValueError: when it asks for something else than these steps.
        """
        if config := stored_config(folder, part):
            return cls.from_config({**defaults, **config})
        raise WeightsUnavailableError(
            f"{display_path(folder)} does not say how frames are prepared: it has no "
            f"preprocessor_config.json"
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the steps from a processor's configuration, in the words of transformers.

        Raises:
            ValueError: when it asks for something else than these steps.
        """
        for step in ("do_resize", "do_rescale"):
            if not config.get(step, True):
                raise ValueError(f"a processor without {step} is not supported")
        if abs(config.get("rescale_factor", 1 / 255) * 255 - 1) > 1e-6:
            raise ValueError(f"a rescale factor of {config['rescale_factor']} is not supported")
        resample = config.get("resample", 3)
        if resample not in _RESAMPLE:
            raise ValueError(f"resampling {resample} is neither bilinear (2) nor bicubic (3)")
        if "max_num_patches" in config:
            resize = Patches(int(config["patch_size"]), int(config["max_num_patches"]))
        else:
            size = config["size"]
            shortest = size if isinstance(size, int) else size.get("shortest_edge")
            resize = _pair(size) if shortest is None else int(shortest)
        crop = None
        if config.get("do_center_crop", False):
            crop = _pair(config.get("crop_size", config.get("size")))
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        if config.get("do_normalize", True):
            mean, std = config["image_mean"], config["image_std"]
        return cls(
            resize=resize,
            crop=crop,
            interpolation=_RESAMPLE[resample],
            mean=(float(mean[0]), float(mean[1]), float(mean[2])),
            std=(float(std[0]), float(std[1]), float(std[2])),
        )

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`; equal steps, and only they, share it."""
        match self.resize:
            case int():
                size = f"{self.resize}"
            case Patches():
                size = f"patches:{self.resize.at_most}/{self.resize.side}"
            case _:
                size = _by(self.resize)
        crop = "" if self.crop is None else f" crop:{_by(self.crop)}"
        mean, std = (",".join(f"{v:.8g}" for v in values) for values in (self.mean, self.std))
        return f"{self.interpolation}:{size}{crop} mean:{mean} std:{std}"

    def __call__(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Map `(T, H, W, 3)` uint8 to `(T, 3, height, width)` float32."""
        return self.normalise(self.shrink(pixels))

    def shrink(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Map `(T, H, W, 3)` uint8 to the resized and cropped `(T, 3, height, width)` uint8."""
        # A view with its channels last in memory, which is what the byte kernels are made for.
        frames = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        frames = functional.interpolate(
            frames, self._target(*frames.shape[2:]), mode=self.interpolation, antialias=True
        )
        return frames if self.crop is None else _centre(frames, *self.crop)

    def shrink_frames(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Map `(T, H, W, 3)` uint8 to `(T, height, width, 3)`; what has that size stays as it is.

        Where shrinking again would change it, as a crop that is smaller than the size before it
        does, frames are left whole.
        """
        size = self.crop or self._target(*pixels.shape[1:3])
        if self._target(*size) != size or pixels.shape[1:3] == size:
            return pixels
        return self.shrink(pixels).permute(0, 2, 3, 1).contiguous().numpy()

    def normalise(self, frames: Tensor) -> Tensor:
        """Map `(..., 3, H, W)` uint8 to float32 on the same device."""
        mean, std = (
            torch.tensor(values, dtype=torch.float32, device=frames.device)[:, None, None] * 255
            for values in (self.mean, self.std)
        )
        return (frames.float() - mean) / std

    def _target(self, height: int, width: int) -> tuple[int, int]:
        if isinstance(self.resize, Patches):
            return self.resize.size(height, width)
        if not isinstance(self.resize, int):
            return self.resize
        short, long = sorted((height, width))
        # Truncated, as transformers does; a sliver keeps at least one pixel.
        far = max(1, int(self.resize * long / short))
        return (self.resize, far) if height <= width else (far, self.resize)


def _centre(frames: Tensor, height: int, width: int) -> Tensor:
    """Return the central part; what is too small gets a black border, as transformers gives it."""
    below, beside = max(0, height - frames.shape[2]), max(0, width - frames.shape[3])
    if below or beside:
        top, left = (below + 1) // 2, (beside + 1) // 2
        frames = functional.pad(frames, (left, beside - left, top, below - top))
    top, left = (frames.shape[2] - height) // 2, (frames.shape[3] - width) // 2
    return frames[:, :, top : top + height, left : left + width]


def _pair(size: Mapping[str, int] | Sequence[int] | int) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    if isinstance(size, Mapping):
        if set(size) != {"height", "width"}:
            raise ValueError(f"a size of {dict(size)} is not supported")
        return int(size["height"]), int(size["width"])
    height, width = size
    return int(height), int(width)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"

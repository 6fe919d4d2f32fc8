"""Run towers on a device, in the precision that it decides and no stopwatch does."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Generic, Literal, TypeVar, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.core.abilities import Precision

ModuleT = TypeVar("ModuleT", bound=nn.Module)

SAME = 0.9999
"""Least cosine between a vector in bfloat16 and in float32 that counts as the same vector."""
DTYPES: dict[Precision, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_BFLOAT16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "bf16", "svebf16")
"""Torch's names for the instructions of a CPU that multiply matrices in bfloat16."""
_LOG = logging.getLogger(__name__)


def best_device() -> torch.device:
    """Return CUDA where there is one, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


@lru_cache(maxsize=4)
def device_precision(device: torch.device) -> Precision:
    """Return bfloat16 where `device` has instructions for it, else float32.

    These are CUDA devices of capability 8 and more, and CPUs with AMX, AVX-512 BF16 or ARM's BF16.
    Apple's GPUs stay in float32.
    """
    if device.type == "cuda":
        has_it = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        has_it = any(capabilities.get(name, False) for name in _BFLOAT16_INSTRUCTIONS)
    else:
        has_it = False
    return "bfloat16" if has_it else "float32"


def weights_precision(precision: Precision | None, device: torch.device) -> Precision:
    """Return the precision of a language model's weights on `device`.

    Where none is asked for, that is bfloat16 on a GPU, where billions of weights in float32 would
    not fit, and float32 elsewhere.

    Raises:
        ValueError: when `precision` is none.
    """
    if precision is not None:
        return checked_precision(precision)
    return "bfloat16" if device.type == "cuda" else "float32"


def checked_precision(precision: Precision) -> Precision:
    """Return `precision`, which may have come from a command line.

    Raises:
        ValueError: when it is none.
    """
    if precision not in get_args(Precision):
        raise ValueError(f"the precision is float32 or bfloat16, not {precision!r}")
    return precision


@contextmanager
def float32_products(mode: Literal["highest", "high"]) -> Iterator[None]:
    """Multiply float32 matrices in full (`"highest"`), or by tensor cores in TF32 (`"high"`).

    TF32 keeps ten bits of a factor, which lets near ties fall at random, and is several times as
    fast on a GPU. What was set before holds again afterwards.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(mode)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def probe_frames(count: int, side: int = 224) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Paint the frames `(count, side, side, 3)` on which the precision of a tower is checked.

    Gradients that move, under noise: always the same, so that the check always ends the same way.
    """
    rng = np.random.default_rng(0)
    y, x, t = np.ogrid[:side, :side, :count]
    waves = [
        np.sin((x * a + y * b) / side + t * c) for a, b, c in ((9, 4, 1), (3, 8, 2), (5, 5, 3))
    ]
    smooth = np.stack(np.broadcast_arrays(*waves), axis=-1).transpose(2, 0, 1, 3)
    noise = rng.normal(0, 12, smooth.shape)
    return np.clip(127 + 96 * smooth + noise, 0, 255).astype(np.uint8)


class Tower(Generic[ModuleT]):
    """Map a batch of inputs to a batch of rows, on one device and in one precision.

    Where no precision is asked for, it is that of the device. bfloat16 is then checked once, on
    the probe: a cosine below 0.9999 to float32 in any of its rows lets the tower stay in float32.
    The probe is always the same, so the same machine always decides alike.

    Args:
        module: the weights, in float32.
        run: maps the module and a float batch `(B, …)` to rows `(B, …, D)`.
        device: None for the best one.
        precision: None for that of the device.
        probe: makes the batch `(1, …)` that bfloat16 is checked on.
    """

    def __init__(
        self,
        module: ModuleT,
        run: Callable[[ModuleT, Tensor], Tensor],
        device: torch.device | None = None,
        *,
        precision: Precision | None = None,
        probe: Callable[[], Tensor],
    ) -> None:
        self.device = device or best_device()
        self._run = run
        self._module = module.to(self.device)
        self._probe = probe
        self._precision: Precision | None = precision and checked_precision(precision)
        if device_precision(self.device) == "float32":
            self._precision = self._precision or "float32"
        if self._precision == "bfloat16":
            self._module.to(torch.bfloat16)

    @property
    def precision(self) -> Precision:
        """Return the precision of its matrix products; what the device offers is checked first."""
        if self._precision is None:
            self._precision = self._check()
        return self._precision

    @torch.inference_mode()
    def __call__(self, batch: Tensor) -> Tensor:
        """Map a float32 batch `(B, …)`, B >= 1, to rows, as float32 on the CPU."""
        precision = self.precision  # settled first: that may replace the module
        return self._rows(self._module, batch, precision)

    def _rows(self, module: ModuleT, batch: Tensor, precision: Precision) -> Tensor:
        return self._run(module, batch.to(self.device, DTYPES[precision])).float().cpu()

    @torch.inference_mode()
    def _check(self) -> Precision:
        batch = self._probe()
        fast = copy.deepcopy(self._module).to(torch.bfloat16)
        rows = self._rows(fast, batch, "bfloat16")
        if not _are_same(rows, self._rows(self._module, batch, "float32")):
            return "float32"
        self._module = fast
        return "bfloat16"


class MixedPrecision:
    """Run a model whose weights stay in float32, with its matrix products in one precision.

    Where no precision is asked for, it is that of the device, checked once on the probe as in
    `Tower`.

    Args:
        run: maps the model's inputs to rows `(B, D)`.
        device: where the model is.
        precision: None for that of the device.
        probe: makes the inputs that bfloat16 is checked on.
    """

    def __init__(
        self,
        run: Callable[..., Tensor],
        device: torch.device,
        *,
        precision: Precision | None = None,
        probe: Callable[[], tuple[Tensor | None, ...]],
    ) -> None:
        self._run = run
        self._device = device
        self._probe = probe
        self._precision: Precision | None = precision and checked_precision(precision)
        if device_precision(device) == "float32":
            self._precision = self._precision or "float32"

    @property
    def precision(self) -> Precision:
        """Return the precision of its matrix products; what the device offers is checked first."""
        if self._precision is None:
            self._precision = self._check()
        return self._precision

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor | None) -> Tensor:
        """Map inputs to rows `(B, D)` as float32 on the CPU."""
        return self._rows(inputs, self.precision)

    def _rows(self, inputs: tuple[Tensor | None, ...], precision: Precision) -> Tensor:
        if precision == "float32":
            return self._run(*inputs).float().cpu()
        with torch.autocast(self._device.type, torch.bfloat16):
            return self._run(*inputs).float().cpu()

    @torch.inference_mode()
    def _check(self) -> Precision:
        inputs = self._probe()
        same = _are_same(self._rows(inputs, "bfloat16"), self._rows(inputs, "float32"))
        return "bfloat16" if same else "float32"


def _are_same(rows: Tensor, wanted: Tensor) -> bool:
    """Tell whether rows in bfloat16 count as those in float32."""
    cosine = float(functional.cosine_similarity(rows, wanted, dim=-1).min())
    if cosine < SAME:
        _LOG.info("bfloat16 would move vectors (cosine %.5f): staying in float32", cosine)
    return cosine >= SAME

"""Where a tower runs, and in which precision: the fastest that keeps its vectors."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

ModuleT = TypeVar("ModuleT", bound=nn.Module)

SAME = 0.9999
"""Least cosine between a vector in bfloat16 and in float32 that counts as the same vector."""
_GAIN = 1.2
"""bfloat16 must be this much faster: it costs a second copy of the weights while it is checked."""
_LOG = logging.getLogger(__name__)


def best_device() -> torch.device:
    """CUDA where there is one, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


@lru_cache(maxsize=4)
def bfloat16_is_faster(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 are faster than in float32 on this machine.

    CUDA devices say so themselves. On a CPU it depends on its instructions, so the product of one
    layer is timed once a process, in some 50 ms. Apple's GPUs stay in float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    return _seconds(torch.float32) > _GAIN * _seconds(torch.bfloat16)


def _seconds(dtype: torch.dtype) -> float:
    rows, weights = torch.ones(400, 768, dtype=dtype), torch.ones(768, 768, dtype=dtype)
    times: list[float] = []
    for _ in range(5):  # the first ones pay for setting up the kernel
        began = time.perf_counter()
        functional.linear(rows, weights)
        times.append(time.perf_counter() - began)
    return min(times)


class Tower(Generic[ModuleT]):
    """A part of a model that maps a batch of inputs to a batch of rows.

    It runs on the device given, in bfloat16 where that is faster and keeps the vectors: the first
    item that it meets is computed in both precisions, and a cosine below 0.9999 in any of its rows
    lets the tower stay in float32 for good. A precision chosen like this is no part of a readout.

    Args:
        module: the weights, in float32.
        run: maps the module and a float batch `(B, …)` to rows `(B, …, D)`.
        device: None for the best one.
    """

    def __init__(
        self,
        module: ModuleT,
        run: Callable[[ModuleT, Tensor], Tensor],
        device: torch.device | None = None,
    ) -> None:
        self.device = device or best_device()
        self._run = run
        self._exact: ModuleT | None = module.to(self.device)
        self._fast: ModuleT | None = None
        if bfloat16_is_faster(self.device):
            self._fast = copy.deepcopy(module).to(torch.bfloat16)

    @property
    def dtype(self) -> torch.dtype:
        """The precision in use."""
        return torch.bfloat16 if self._fast is not None else torch.float32

    @torch.inference_mode()
    def __call__(self, batch: Tensor) -> Tensor:
        """Rows of a float32 batch `(B, …)`, B >= 1, as float32 on the CPU."""
        batch = batch.to(self.device)
        if self._fast is None:
            assert self._exact is not None  # noqa: S101 -- one of the two is always kept
            return self._run(self._exact, batch).float().cpu()
        rows = self._run(self._fast, batch.to(torch.bfloat16)).float().cpu()
        if self._exact is None:
            return rows
        if _are_same(rows[:1], self._run(self._exact, batch[:1]).float().cpu()):
            self._exact = None
            return rows
        self._fast = None
        return self(batch)


class MixedPrecision:
    """A model whose matrix products are in bfloat16, where that is faster and keeps its vectors.

    Everything between the products stays in float32, and so do the weights. The first batch is
    computed both ways; a cosine below 0.9999 in any row lets the model stay in float32 for good.

    Args:
        run: maps the model's inputs to rows `(B, D)`.
        device: where the model is.
    """

    def __init__(self, run: Callable[..., Tensor], device: torch.device) -> None:
        self._run = run
        self._device = device
        self._fast = bfloat16_is_faster(device)
        self._checked = False

    @property
    def is_fast(self) -> bool:
        """Whether products are in bfloat16."""
        return self._fast

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor | None) -> Tensor:
        """Rows `(B, D)` as float32 on the CPU."""
        if not self._fast:
            return self._run(*inputs).float().cpu()
        with torch.autocast(self._device.type, torch.bfloat16):
            rows = self._run(*inputs).float().cpu()
        if self._checked:
            return rows
        wanted = self._run(*inputs).float().cpu()
        self._checked = True
        self._fast = _are_same(rows, wanted)
        return rows if self._fast else wanted


def _are_same(rows: Tensor, wanted: Tensor) -> bool:
    """Whether rows in bfloat16 count as those in float32."""
    cosine = float(functional.cosine_similarity(rows, wanted, dim=-1).min())
    if cosine < SAME:
        _LOG.info("bfloat16 would move vectors (cosine %.5f): staying in float32", cosine)
    return cosine >= SAME

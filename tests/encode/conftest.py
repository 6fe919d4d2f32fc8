"""Run every test of encoders in the same precision."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _single_precision():
    """Everywhere the same numbers: elsewhere a tower may run in bfloat16."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moviola.encode.runtime.precision.device_precision", lambda _: "float32")
        patch.setattr(torch.backends.cudnn, "allow_tf32", False)
        yield

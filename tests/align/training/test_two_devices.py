from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("two_devices.py")


@pytest.mark.slow
def test_two_devices_learn_what_one_learns_from_the_same_batches(tmp_path: Path) -> None:
    """Each device takes half of every batch and finds its negatives in the whole of it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}
    for devices in (1, 2):
        out = tmp_path / f"{devices}.npz"
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(out), str(devices)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    one, two, other = (np.load(tmp_path / name) for name in ("1.npz", "2.npz", "2-1.npz"))
    for name in one.files:
        assert np.allclose(one[name], two[name], atol=1e-4), name
        assert np.array_equal(two[name], other[name]), name

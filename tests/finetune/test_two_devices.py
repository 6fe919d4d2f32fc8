from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file


def test_two_devices_learn_what_one_learns(make_checkpoint, shots, tmp_path):
    table, base = shots.clips[0].path.parent / "captions.csv", make_checkpoint("clip")
    script = Path(__file__).with_name("two_devices.py")
    weights = []
    for devices in (1, 2):
        out = tmp_path / str(devices)
        subprocess.run(
            [sys.executable, script, table, base, out, str(devices)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=True,
            capture_output=True,
            timeout=300,
        )
        weights.append(load_file(out / "model.safetensors"))
    start, one, two = load_file(base / "model.safetensors"), *weights
    assert not torch.equal(one["visual_projection.weight"], start["visual_projection.weight"])
    # AdamW makes whole steps of 1e-3; a tenth of one is what rounding may decide.
    for name, each in one.items():
        if name.endswith("k_proj.bias"):
            continue  # softmax ignores it: its gradient is rounding, which AdamW makes a step of
        torch.testing.assert_close(two[name], each, atol=1e-4, rtol=0)

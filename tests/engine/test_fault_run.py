"""Stubs raise, crash and hang, workers are killed in every phase: all come out once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fault_run.py"


def test_every_unit_of_a_fault_run_is_in_the_library_once():
    words = ("--videos", 300, "--shards", 100, "--workers", 3, "--seconds", 0.01)
    waits = ("--lease", 20, "--patience", 6, "--kill-every", 10)
    done = subprocess.run(
        [sys.executable, SCRIPT, *map(str, (*words, *waits))],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["ok"] + found["failed"] == found["videos"] == 300
    assert found["codes"]["bad_embedding"] == 15
    assert {"units-before-rename", "units-before-write", "units-after-rename"} < {
        *found["killed_in_phases"]
    }
    assert found["redone_after_99_percent"] <= 0.015

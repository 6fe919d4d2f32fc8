"""Keep what a benchmark measured in `benchmarks/results/`, with the machine, date and command."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"


def record(name: str, title: str, figures: list[dict[str, Any]], note: str = "") -> None:
    """Write one result; `docs/performance.md` is made of them by `benchmarks/performance.py`.

    Args:
        name: of the file, without its suffix.
        title: of the table.
        figures: its rows, all with the same keys: what, and what was measured.
        note: sentences that the figures need.
    """
    RESULTS.mkdir(exist_ok=True)
    result = {
        "title": title,
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine(),
        "figures": figures,
        "note": note,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in figures:
        print("  ".join(f"{key}: {value}" for key, value in row.items()))
    print(f"kept in {path}")


def machine() -> str:
    """Describe this machine without its name."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    fast = [name for name in ("amx_bf16", "avx512_bf16") if _capable(name)]
    words = f"{platform.system()} {platform.machine()}, {cores} cores, {memory:.0f} GiB, {device}"
    return ", ".join([words, *fast])


def _capable(name: str) -> bool:
    import torch

    return bool(torch.cpu.get_capabilities().get(name, False))


def processor_seconds() -> float:
    """Count the processor seconds of this process and of its children that still run."""
    spent = 0.0
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
    return spent

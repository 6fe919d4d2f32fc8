"""Record what made a result: versions, inputs, spaces, seed, command, seconds."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moviola.core.version import __version__
from moviola.pipeline.inputs.sources import parse_source
from moviola.pipeline.versions import versions

if TYPE_CHECKING:
    from moviola.pipeline.evaluate.evaluation import Evaluation


def manifest(evaluation: Evaluation, *, run_depth: int) -> dict[str, Any]:
    """Collect what `manifest.json` holds.

    Args:
        evaluation: what was evaluated.
        run_depth: how many videos of each text `run.trec` keeps.
    """
    return {
        "schema": "moviola-manifest",
        "version": 1,
        "moviola": __version__,
        "versions": versions(),
        "system": f"{platform.system()} {platform.machine()}",
        "git": _git(),
        "command": sys.argv,
        "inputs": {name: _input(value) for name, value in evaluation.inputs.items()},
        "spaces": {
            side: {**asdict(space), "digest": space.digest}
            for side, space in evaluation.spaces.items()
        },
        "readouts": {
            side: {**asdict(readout), "digest": readout.digest}
            for side, readout in evaluation.readouts.items()
        },
        "protocol": evaluation.asked.protocol,
        "missing": evaluation.missing,
        "notes": list(evaluation.result.notes),
        "corrected": {each.name: each.notes for each in evaluation.corrected},
        "measures": [measure.to_json() for measure in evaluation.result.t2v.measures],
        "seed": evaluation.asked.seed,
        "resamples": evaluation.asked.resamples,
        "run_depth": run_depth,
        "seconds": round(evaluation.seconds, 3),
    }


def sha256_of_lines(lines: Iterable[str]) -> str:
    """Compute the SHA-256 of lines with their ends, as they come."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def _input(value: str) -> dict[str, Any]:
    """Describe what was named, with the digest of the file or folder behind it."""
    try:
        source = parse_source(value)
    except FileNotFoundError:
        return {"given": value}  # the name of a head on the hub, or of a pooling
    return {"given": value, "sha256": source.sha256()}


def _git() -> dict[str, Any] | None:
    """Record commit and cleanness of the folder that the command ran in, where it is a checkout."""
    here = str(Path.cwd())
    try:
        commit, state = (
            subprocess.run(  # noqa: S603 -- two fixed commands
                ["git", "-C", here, *words],  # noqa: S607 -- the user's own git
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": bool(state)}

"""What `make test` installs holds what the tests ask for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The extra that brings a module which tests skip without. Two are never installed: torchvision
# would replace the pinned torch, and scipy comes with what else is installed.
EXTRAS = {
    "accelerate": "llama",
    "cv2": "ocr",
    "fsspec": "cloud",
    "faster_whisper": "speech",
    "mteb": "mteb",
    "rapidocr": "ocr",
    "scenedetect": "shots",
    "sentence_transformers": "sentence-transformers",
    "tensorboardX": "tensorboard",
}
OTHERS = {"scipy.cluster.hierarchy", "torchvision"}


def test_every_extra_that_a_test_skips_without_is_installed() -> None:
    asked = set()
    for path in (ROOT / "tests").rglob("*.py"):
        asked |= set(re.findall(r'importorskip\(\s*"([\w.]+)"', path.read_text("utf-8")))
    assert asked == EXTRAS.keys() | OTHERS
    (installed,) = re.findall(r'editable "\.\[(cloud[\w,-]*)\]"', (ROOT / "Makefile").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(installed.split(",")) <= project["optional-dependencies"].keys()
    assert set(EXTRAS.values()) <= set(installed.split(","))

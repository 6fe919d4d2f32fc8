"""Arrays out of `.npy` and safetensors files, refused with the file and the place named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from moviola.core import display_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TENSORS = ".safetensors"
_MAGIC = b"\x93NUMPY"


def split_spec(spec: str) -> tuple[Path, str | None]:
    """The file of `FILE` or `FILE.safetensors:TENSOR`, and the tensor where one is named."""
    file, found, tensor = spec.partition(_TENSORS + ":")
    return (Path(file + _TENSORS), tensor) if found else (Path(spec), None)


def is_array_file(spec: str) -> bool:
    """Whether `spec` is spelled like a file of arrays: `.npy`, `.safetensors`, or a tensor."""
    path, tensor = split_spec(spec)
    return tensor is not None or path.suffix.lower() in (".npy", _TENSORS)


def read_array(spec: str) -> NDArray[Any]:
    """The array behind `FILE.npy` or `FILE.safetensors:TENSOR`, mapped where the format allows.

    The tensor may be left out where the file holds only one.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: naming the file, and what is wrong with it.
    """
    path, tensor = split_spec(spec)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {display_path(path)}")
    if not path.stat().st_size:
        raise ValueError(f"{display_path(path)} is empty")
    if path.suffix.lower() == _TENSORS:
        return _tensor(path, tensor)
    return _npy(path)


def read_floats(spec: str) -> NDArray[np.floating]:
    """The array behind `spec`, floating point.

    Raises:
        FileNotFoundError: as `read_array`.
        ValueError: as `read_array`, or when the numbers are of another kind.
    """
    array = read_array(spec)
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(
            f"{display_path(spec)} holds {array.dtype}; it must be float16, float32 or float64"
        )
    return cast("NDArray[np.floating]", array)


def read_integers(spec: str) -> NDArray[np.int64]:
    """The array behind `spec`, whole numbers.

    Raises:
        FileNotFoundError: as `read_array`.
        ValueError: as `read_array`, or when the numbers are of another kind.
    """
    array = read_array(spec)
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{display_path(spec)} holds {array.dtype}; it must be whole numbers")
    return np.asarray(array).astype(np.int64)


def read_scores(path: str) -> NDArray[np.float32 | np.float64]:
    """The matrix of scores behind `path`, texts times videos; half precision becomes float32.

    Raises:
        FileNotFoundError: as `read_array`.
        ValueError: as `read_array`, or when it is no matrix of finite numbers.
    """
    array = read_array(path)
    shown = display_path(path)
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


def _npy(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(
                f"{display_path(path)} is not a .npy file; write one with numpy.save "
                f"(pickles are never opened)"
            )
    try:
        array = cast("NDArray[Any]", np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError as error:
        if "python objects" in str(error).lower() or "allow_pickle" in str(error):
            raise ValueError(
                f"{display_path(path)} holds pickled Python objects, which are never opened; "
                f"save plain numbers"
            ) from None
        raise ValueError(f"{display_path(path)} cannot be read as .npy: {error}") from error
    except (EOFError, OSError) as error:
        raise ValueError(f"{display_path(path)} cannot be read as .npy: {error}") from error
    return array.view(np.ndarray)


def _tensor(path: Path, name: str | None) -> NDArray[Any]:
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
    except SafetensorError as error:
        raise ValueError(f"{shown} cannot be read as safetensors: {error}") from error

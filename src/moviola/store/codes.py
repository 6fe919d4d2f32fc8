"""Keep codes of a store's rows beside them: derived data, which may be deleted and made again."""

# safetensors tells no types of what it opens.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from moviola.core import StorageError, StoreCorruptError, display_path
from moviola.core.row_codes import CODES, CodeName, RowCodes
from moviola.store.card import CARD, StoreCard
from moviola.store.shards import publish, sync

if TYPE_CHECKING:
    from typing import Any

_CARD = "card"
_PARTS = ("codes", "scales", "centre")


def codes_path(folder: Path, name: CodeName) -> Path:
    """Name the file of one kind of codes in the store at `folder`."""
    return folder / f"codes-{name}.safetensors"


def copy_with_codes(folder: Path, codes: RowCodes, out: Path) -> None:
    """Make a store at `out` of the rows of the one at `folder`, with their codes.

    Rows are linked where the file system can, else copied; the store is there as a whole or not
    at all. Codes of other kinds that `folder` has go along.

    Raises:
        FileExistsError: when `out` holds something.
        StorageError: when the disk refuses.
        StoreCorruptError: when a file of the store is missing.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{display_path(out)} exists and is no empty folder")
    names = [CARD, *StoreCard.read(folder).files]
    names += [path.name for path in (codes_path(folder, name) for name in CODES) if path.is_file()]
    partial = out.with_name(out.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name in names:
            _link(folder / name, partial / name)
        _write(partial, codes)
        if out.is_dir():
            out.rmdir()
        partial.rename(out)
        sync(out.parent)
    except FileNotFoundError as error:
        raise StoreCorruptError(
            f"{display_path(folder)} lacks a file ({error.filename}); encode again"
        ) from error
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        why = getattr(error, "strerror", None) or error
        raise StorageError(f"cannot write {display_path(out)}: {why}") from error


def read_codes(folder: Path, name: CodeName) -> RowCodes | None:
    """Read the codes called `name` of the store at `folder`; None where it has none.

    Raises:
        StoreCorruptError: when the file is damaged, or of other rows.
    """
    path = codes_path(folder, name)
    if not path.is_file():
        return None
    remedy = "delete that file, or run moviola quantise again"
    try:
        with safe_open(path, "numpy") as file:
            told: dict[str, str] = file.metadata() or {}
            codes, scales, centre = (file.get_tensor(part) for part in _PARTS)
        found = RowCodes(name, codes, scales, centre)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise StoreCorruptError(
            f"{display_path(path)} cannot be read ({error}); {remedy}"
        ) from error
    if told.get(_CARD) != _digest(folder):
        raise StoreCorruptError(f"{display_path(path)} is of other rows than its store; {remedy}")
    return found


def _write(folder: Path, codes: RowCodes) -> None:
    path = codes_path(folder, codes.name)
    temporary = path.with_name(path.name + ".tmp")
    arrays: dict[str, Any] = {part: getattr(codes, part) for part in _PARTS}
    save_file(arrays, temporary, metadata={_CARD: _digest(folder)})
    path.unlink(missing_ok=True)  # a link into another store
    publish(temporary, path)


def _digest(folder: Path) -> str:
    """Digest the card of a store, which seals its rows."""
    return hashlib.sha256((folder / CARD).read_bytes()).hexdigest()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or a file system without links
        shutil.copy2(source, target)
